/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What nobody may do who was confined.  Each act is as small and as harmless as it can be while the
 * kernel still has to decide about it, and each is one that works without confinement: a test makes
 * sure of that, because an act that cannot succeed would prove nothing.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir-selftest.h"

/* At the same address in every process of this program. */
static char mark;

static int
result_of (long result)
{
  return result < 0 ? errno : 0;
}

/* ---- files ---- */

static int
open_file (const char *path, int flags)
{
  return result_of (openat (AT_FDCWD, path, flags | O_CLOEXEC | O_NONBLOCK, 0600));
}

static int
read_shadow (const struct weir_stage *stage)
{
  return open_file ("/etc/shadow", O_RDONLY);
}

static int
read_file (const struct weir_stage *stage)
{
  return open_file ("/etc/passwd", O_RDONLY);
}

static int
create_file (const struct weir_stage *stage)
{
  char path[64];
  int r;

  snprintf (path, sizeof path, "%s/%d", stage->directory, getpid ());
  r = open_file (path, O_WRONLY | O_CREAT | O_EXCL);
  if (r == 0)
    unlink (path);
  return r;
}

static int
write_memory (const struct weir_stage *stage)
{
  char path[64];

  snprintf (path, sizeof path, "/proc/%d/mem", stage->sibling);
  return open_file (path, O_RDWR);
}

static int
follow_root (const struct weir_stage *stage)
{
  char path[64];

  snprintf (path, sizeof path, "/proc/%d/root", stage->outside);
  return open_file (path, O_RDONLY | O_DIRECTORY);
}

static int
openat2_directory (const struct weir_stage *stage)
{
  const struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

  return result_of (syscall (SYS_openat2, AT_FDCWD, "/", &how, sizeof how));
}

static int
open_handle (const struct weir_stage *stage)
{
  /* Its flexible end makes the cast necessary; the bytes are aligned for it. */
  return result_of (
      syscall (SYS_open_by_handle_at, stage->mount, stage->handle, O_RDONLY | O_CLOEXEC));
}

static int
write_record (const struct weir_stage *stage)
{
  return result_of (pwrite (stage->accounting.record, "x", 1, 0));
}

static int
lengthen_record (const struct weir_stage *stage)
{
  return result_of (ftruncate (stage->accounting.record, 4096));
}

/* ---- the network ---- */

static int
connect_tcp (const struct weir_stage *stage)
{
  const struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = (in_port_t) stage->tcp_port,
                                       .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  return fd < 0 ? errno
                : result_of (connect (fd, (const struct sockaddr *) &address, sizeof address));
}

static int
listen_tcp (const struct weir_stage *stage)
{
  const struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  return fd < 0 ? errno : result_of (bind (fd, (const struct sockaddr *) &address, sizeof address));
}

static int
send_udp (const struct weir_stage *stage)
{
  const struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = (in_port_t) stage->udp_port,
                                       .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  return fd < 0 ? errno
                : result_of (sendto (fd, "x", 1, MSG_DONTWAIT, (const struct sockaddr *) &address,
                                     sizeof address));
}

/* Not on a socket of its own, which would lead nowhere. */
static int
send_from (const struct weir_stage *stage, size_t size)
{
  static const char bytes[64];
  const struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = (in_port_t) stage->udp_port,
                                       .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };

  return result_of (sendto (stage->udp, bytes, size, MSG_DONTWAIT,
                            (const struct sockaddr *) &address, sizeof address));
}

static int
send_little (const struct weir_stage *stage)
{
  return send_from (stage, 1);
}

static int
send_much (const struct weir_stage *stage)
{
  return send_from (stage, 64);
}

static int
connect_abstract (const struct weir_stage *stage)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int r;

  memcpy (address.sun_path + 1, stage->local_name, strlen (stage->local_name));
  if (fd < 0)
    return errno;
  r = result_of (connect (fd, (const struct sockaddr *) &address, sizeof address));
  return r == EAGAIN ? 0 : r; /* a full queue: it may, just not now */
}

/* Sends requests that change nothing, but need the right to change anything.  What is allowed in a
 * network of one's own only is as good as refused. */
static int
ask_kernel (const struct weir_stage *stage, int protocol, const void *requests, size_t size)
{
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  _Alignas (struct nlmsghdr) char buffer[4096];
  const struct nlmsghdr *answer = (const struct nlmsghdr *) buffer;
  uint64_t here = 0, there = 1;
  socklen_t length = sizeof here;
  int error, fd;

  fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0)
    return errno;
  if (sendto (fd, requests, size, 0, (const struct sockaddr *) &kernel, sizeof kernel) < 0 ||
      recv (fd, buffer, sizeof buffer, 0) < (ssize_t) NLMSG_LENGTH (sizeof (struct nlmsgerr)) ||
      answer->nlmsg_type != NLMSG_ERROR)
    return EPROTO;
  error = -((const struct nlmsgerr *) NLMSG_DATA (answer))->error;
  if (error == EPERM)
    return error;
  if (getsockopt (fd, SOL_SOCKET, SO_NETNS_COOKIE, &here, &length) == 0 &&
      getsockopt (stage->udp, SOL_SOCKET, SO_NETNS_COOKIE, &there, &length) == 0 && here != there)
    return ENETUNREACH;
  return 0;
}

static int
change_link (const struct weir_stage *stage)
{
  const struct
  {
    struct nlmsghdr header;
    struct ifinfomsg link;
  } request = { { sizeof request, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
                { .ifi_index = 1 } };

  return ask_kernel (stage, NETLINK_ROUTE, &request, sizeof request);
}

static int
delete_rules (const struct weir_stage *stage)
{
  const struct
  {
    struct nlmsghdr header;
    struct nfgenmsg family;
  } begin = { { sizeof begin, NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
              { AF_UNSPEC, NFNETLINK_V0, htons (NFNL_SUBSYS_NFTABLES) } },
    end = { { sizeof end, NFNL_MSG_BATCH_END, NLM_F_REQUEST, 3, 0 },
            { AF_UNSPEC, NFNETLINK_V0, htons (NFNL_SUBSYS_NFTABLES) } };
  const struct
  {
    struct nlmsghdr header;
    struct nfgenmsg family;
    struct nlattr attribute;
    char table[36];
  } table = {
    { sizeof table, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE, NLM_F_REQUEST | NLM_F_ACK, 2, 0 },
    { AF_INET, NFNETLINK_V0, 0 },
    { NLA_HDRLEN + sizeof table.table, NFTA_TABLE_NAME },
    "weir-self-test-there-is-no-such",
  };
  char requests[sizeof begin + sizeof table + sizeof end];

  memcpy (requests, &begin, sizeof begin);
  memcpy (requests + sizeof begin, &table, sizeof table);
  memcpy (requests + sizeof begin + sizeof table, &end, sizeof end);
  return ask_kernel (stage, NETLINK_NETFILTER, requests, sizeof requests);
}

/* What the keeper is there for.  What is refused is refused at once, and what is begun is not
 * waited for. */
static int
dump_connections (const struct weir_stage *stage)
{
  const struct
  {
    struct nlmsghdr header;
    struct nfgenmsg family;
  } request = { { sizeof request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
                  NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
                { AF_UNSPEC, NFNETLINK_V0, 0 } };
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  _Alignas (struct nlmsghdr) char buffer[4096];
  const struct nlmsghdr *answer = (const struct nlmsghdr *) buffer;
  ssize_t size;

  if (sendto (stage->conntrack, &request, sizeof request, 0, (const struct sockaddr *) &kernel,
              sizeof kernel) < 0)
    return errno;
  size = recv (stage->conntrack, buffer, sizeof buffer, 0);
  if (size < (ssize_t) sizeof *answer)
    return EPROTO;
  if (answer->nlmsg_type != NLMSG_ERROR)
    return 0;
  return size < (ssize_t) NLMSG_LENGTH (sizeof (struct nlmsgerr))
             ? EPROTO
             : -((const struct nlmsgerr *) NLMSG_DATA (answer))->error;
}

/* ... and the looker. */
static int
see_descriptors (const struct weir_stage *stage)
{
  char path[64], link[64];

  snprintf (path, sizeof path, "/proc/%d/fd/0", stage->outside);
  return result_of (readlinkat (AT_FDCWD, path, link, sizeof link));
}

static int
see_namespace (const struct weir_stage *stage)
{
  char path[64], link[64];

  snprintf (path, sizeof path, "/proc/%d/ns/net", stage->outside);
  return result_of (readlinkat (AT_FDCWD, path, link, sizeof link));
}

/* One that no process keeps: what was given up cannot be had back. */
static int
raise_capability (const struct weir_stage *stage)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  const struct __user_cap_data_struct wanted[2] = { { 1U << CAP_CHOWN, 1U << CAP_CHOWN, 0 } };

  return result_of (syscall (SYS_capset, &header, wanted));
}

/* ---- programs and processes ---- */

static int
execute (const struct weir_stage *stage)
{
  char *const arguments[] = { (char *) "sh", (char *) "-c", (char *) ":", NULL };
  char *const environment[] = { NULL };

  return result_of (execve ("/bin/sh", arguments, environment));
}

static int
execute_at (const struct weir_stage *stage)
{
  char *const arguments[] = { (char *) "sh", (char *) "-c", (char *) ":", NULL };
  char *const environment[] = { NULL };

  return result_of (syscall (SYS_execveat, AT_FDCWD, "/bin/sh", arguments, environment, 0));
}

static int
fork_once (const struct weir_stage *stage)
{
  pid_t pid = fork ();

  if (pid == 0)
    _exit (0);
  return result_of (pid);
}

static int
clone3_once (const struct weir_stage *stage)
{
  struct clone_args arguments = { .exit_signal = SIGCHLD };
  long pid = syscall (SYS_clone3, &arguments, sizeof arguments);

  if (pid == 0)
    _exit (0);
  return result_of (pid);
}

static int
become_root (const struct weir_stage *stage)
{
  return result_of (setresuid (0, 0, 0));
}

static int
signal_sibling (const struct weir_stage *stage)
{
  return result_of (kill (stage->sibling, SIGCONT));
}

static int
signal_thread (const struct weir_stage *stage)
{
  return result_of (syscall (SYS_tgkill, stage->sibling, stage->sibling, SIGCONT));
}

static int
limit_sibling (const struct weir_stage *stage)
{
  struct rlimit limit;

  return result_of (prlimit (stage->sibling, RLIMIT_NOFILE, NULL, &limit));
}

static int
slow_sibling (const struct weir_stage *stage)
{
  return result_of (setpriority (PRIO_PROCESS, (id_t) stage->sibling, 19));
}

static int
trace_sibling (const struct weir_stage *stage)
{
  return result_of (ptrace (PTRACE_SEIZE, stage->sibling, NULL, NULL));
}

static int
read_sibling (const struct weir_stage *stage)
{
  char byte;
  const struct iovec local = { &byte, 1 }, remote = { &mark, 1 };

  return result_of (process_vm_readv (stage->sibling, &local, 1, &remote, 1, 0));
}

static int
write_sibling (const struct weir_stage *stage)
{
  char byte = 0;
  const struct iovec local = { &byte, 1 }, remote = { &mark, 1 };

  return result_of (process_vm_writev (stage->sibling, &local, 1, &remote, 1, 0));
}

static int
take_descriptor (const struct weir_stage *stage)
{
  long pidfd = syscall (SYS_pidfd_open, stage->sibling, 0);

  return pidfd < 0 ? errno : result_of (syscall (SYS_pidfd_getfd, pidfd, 0, 0));
}

static int
advise_sibling (const struct weir_stage *stage)
{
  const struct iovec remote = { (void *) ((uintptr_t) &mark & ~(uintptr_t) 4095), 4096 };
  long pidfd = syscall (SYS_pidfd_open, stage->sibling, 0);

  return pidfd < 0 ? errno
                   : result_of (syscall (SYS_process_madvise, pidfd, &remote, 1, MADV_COLD, 0));
}

static int
compare_sibling (const struct weir_stage *stage)
{
  return result_of (syscall (SYS_kcmp, getpid (), stage->sibling, KCMP_VM, 0, 0));
}

/* ---- the kernel ---- */

static int
set_up_ring (const struct weir_stage *stage)
{
  struct io_uring_params parameters = { 0 };

  return result_of (syscall (SYS_io_uring_setup, 1, &parameters));
}

static int
make_map (const struct weir_stage *stage)
{
  union bpf_attr attributes;

  memset (&attributes, 0, sizeof attributes);
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = attributes.value_size = 4;
  attributes.max_entries = 1;
  return result_of (syscall (SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

static int
count_events (const struct weir_stage *stage)
{
  struct perf_event_attr attributes = { .type = PERF_TYPE_SOFTWARE,
                                        .size = sizeof attributes,
                                        .config = PERF_COUNT_SW_TASK_CLOCK,
                                        .exclude_kernel = 1,
                                        .exclude_hv = 1 };

  return result_of (syscall (SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

static int
handle_faults (const struct weir_stage *stage)
{
  return result_of (syscall (SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
}

static int
add_key (const struct weir_stage *stage)
{
  return result_of (
      syscall (SYS_add_key, "user", "weir-self-test", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}

static int
enter_namespace (const struct weir_stage *stage)
{
  return result_of (setns (stage->ns, 0));
}

static int
make_namespace (const struct weir_stage *stage)
{
  return result_of (unshare (CLONE_NEWUSER));
}

static int
mount_something (const struct weir_stage *stage)
{
  return result_of (mount ("none", "/", "tmpfs", 0, NULL));
}

static int
open_file_system (const struct weir_stage *stage)
{
  return result_of (fsopen ("tmpfs", FSOPEN_CLOEXEC));
}

static int
change_root (const struct weir_stage *stage)
{
  return result_of (chroot ("/"));
}

/* ---- code ---- */

static int
map_code (const struct weir_stage *stage)
{
  void *page = mmap (NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  return page == MAP_FAILED ? errno : 0;
}

static int
make_code (const struct weir_stage *stage)
{
  void *page = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  return page == MAP_FAILED ? errno : result_of (mprotect (page, 4096, PROT_READ | PROT_EXEC));
}

#ifdef __x86_64__
/* getpid(2) of i386, which has this number. */
static int
call_i386 (const struct weir_stage *stage)
{
  long result = 20;

  __asm__ volatile ("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result < 0 ? (int) -result : 0;
}

static int
call_x32 (const struct weir_stage *stage)
{
  return result_of (syscall (0x40000000 | SYS_getpid));
}
#endif

/* ------------------------------------------------------------------------------------------------
 */

#define M   (1U << WEIR_ROLE_METER)
#define K   (1U << WEIR_ROLE_KEEPER)
#define L   (1U << WEIR_ROLE_LOOKER)
#define T   (1U << WEIR_ROLE_TWIN)
#define ALL (M | K | L | T)

const struct weir_act weir_acts[] = {
  { "read /etc/shadow", read_shadow, ALL },
  { "read /etc/passwd", read_file, ALL, true },
  { "create a file", create_file, ALL },
  { "write to a file that is open", write_record, ALL },
  { "lengthen a file that is open", lengthen_record, ALL },
  { "open memory of another process for writing", write_memory, ALL },
  { "follow /proc/PID/root", follow_root, ALL, true },
  { "openat2", openat2_directory, ALL },
  { "open_by_handle_at", open_handle, ALL },
  { "connect TCP", connect_tcp, ALL },
  { "listen TCP", listen_tcp, ALL },
  { "send UDP", send_udp, ALL },
  { "send on a socket that is open", send_little, T },
  { "send more than a request for a dump", send_much, K | T },
  { "connect to an abstract socket", connect_abstract, ALL },
  { "change an interface", change_link, ALL },
  { "delete a firewall table", delete_rules, ALL },
  { "dump connections", dump_connections, K, .allowed = true },
  { "see descriptors of others", see_descriptors, L, .allowed = true },
  { "see the network namespace of others", see_namespace, L, .allowed = true },
  { "raise a capability", raise_capability, ALL },
  { "execve", execute, ALL },
  { "execveat", execute_at, ALL },
  { "fork", fork_once, ALL },
  { "clone3", clone3_once, ALL },
  { "become root", become_root, ALL },
  { "kill a sibling", signal_sibling, ALL },
  { "tgkill a sibling", signal_thread, ALL },
  { "prlimit a sibling", limit_sibling, ALL },
  { "setpriority a sibling", slow_sibling, ALL },
  { "ptrace a sibling", trace_sibling, ALL },
  { "process_vm_readv a sibling", read_sibling, ALL },
  { "process_vm_writev a sibling", write_sibling, ALL },
  { "pidfd_getfd from a sibling", take_descriptor, ALL },
  { "process_madvise a sibling", advise_sibling, ALL },
  { "kcmp with a sibling", compare_sibling, ALL },
  { "io_uring_setup", set_up_ring, ALL },
  { "bpf", make_map, ALL },
  { "perf_event_open", count_events, ALL },
  { "userfaultfd", handle_faults, ALL },
  { "add_key", add_key, ALL },
  { "setns", enter_namespace, ALL },
  { "unshare", make_namespace, ALL },
  { "mount", mount_something, ALL },
  { "fsopen", open_file_system, ALL },
  { "chroot", change_root, ALL },
  { "mmap executable", map_code, ALL },
  { "mprotect executable", make_code, ALL },
#ifdef __x86_64__
  { "system call of i386", call_i386, ALL },
  { "system call of x32", call_x32, ALL },
#endif
};
const size_t weir_n_acts = sizeof weir_acts / sizeof weir_acts[0];
