/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * To make a socket in another network namespace takes being in it, and to get there takes
 * CAP_SYS_ADMIN.  The engine itself never goes anywhere: a child does, which has nothing else to
 * do, reads nothing but names and numbers that the kernel makes, keeps two capabilities, hands
 * over what it opened, and ends.  The parent does not go on before it is gone: CAP_SYS_ADMIN does
 * not outlive this function.
 *
 * A netlink socket stays in the namespace in which it was made, whoever holds it, and sock_diag and
 * rtnetlink ask for no privilege where something is only read.  So these can be used by a meter
 * that has none, and used for nothing else.
 *
 * What a user can do about it: make namespaces (weir-namespaces-find.c says who comes first), make
 * processes without end (bounded by number and time), end them at the wrong moment (the inode is
 * compared when the namespace is open, and again when the child is in it).  Nothing that is opened
 * here is theirs to serve: /proc/PID/ns holds links that the kernel follows itself.
 */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir-capabilities.h"
#include "weir-clock.h"
#include "weir-limits.h"
#include "weir-namespaces-find.h"
#include "weir-namespaces-open.h"
#include "weir-open.h"

/* Of each namespace, as far as everybody may have it (net.core.rmem_max): a namespace's own root
 * can fill these with events, and nobody counts that memory as his.  It is used only while
 * something is queued. */
#define DUMP_BUFFER   (128 * 1024)
#define EVENTS_BUFFER (512 * 1024)
#define ROUTE_BUFFER  (64 * 1024)

/* What the child allows itself, and a little more for what is on its way. */
#define COLLECT_MS (WEIR_NAMESPACES_TIMEOUT_MS + 250)
_Static_assert (COLLECT_MS + WEIR_NAMESPACES_REAP_MS + WEIR_REPORT_TIMEOUT_MS <
                    WEIR_START_TIMEOUT_MS,
                "who makes this last would take the time of the helpers");

/* SYS_ADMIN to go into a namespace, SYS_PTRACE to be shown those of other users' processes. Without
 * NET_ADMIN no buffer is larger than the system lets it be. */
#define NEEDED (WEIR_CAPABILITY (CAP_SYS_ADMIN) | WEIR_CAPABILITY (CAP_SYS_PTRACE))

/* One packet for each namespace, with its descriptors; then one with @inode 0, which says what was
 * left out. */
struct report
{
  uint32_t inode;
  uint8_t has_events, has_route;
  uint8_t unfinished;
  uint32_t n_left_out;
  char name[WEIR_NAMESPACE_NAME_SIZE];
};

/* Room for the descriptors of one report. */
union control
{
  struct cmsghdr header;
  char bytes[CMSG_SPACE (WEIR_DESCRIPTORS_PER_NAMESPACE * sizeof (int))];
};

/* ---- the child ---- */

static void
open_sockets (struct weir_opened_namespace *opened)
{
  static const int destroyed[] = { SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY };
  static const int addresses[] = { RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR };
  int error;

  opened->sock_diag = weir_open_netlink (NETLINK_SOCK_DIAG, DUMP_BUFFER, NULL, 0, &error);
  opened->sock_events = weir_open_netlink (NETLINK_SOCK_DIAG, EVENTS_BUFFER, destroyed, 2, &error);
  opened->route = weir_open_netlink (NETLINK_ROUTE, ROUTE_BUFFER, addresses, 2, &error);
}

static void
close_sockets (struct weir_opened_namespace *opened)
{
  int *const fds[] = { &opened->sock_diag, &opened->sock_events, &opened->route };

  for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
    {
      if (*fds[i] >= 0)
        close (*fds[i]);
      *fds[i] = -1;
    }
}

/* Goes into the namespace, and looks where it came to. */
static int
enter (const struct weir_found_namespace *found)
{
  struct stat info;
  int fd, r;

  fd = weir_namespaces_open_found (found);
  if (fd < 0)
    return fd;
  r = setns (fd, CLONE_NEWNET) < 0 ? -errno : 0;
  close (fd);
  if (r < 0)
    return r;
  return stat ("/proc/self/ns/net", &info) == 0 && info.st_ino == found->inode ? 0 : -ESTALE;
}

static int
send_report (int fd, const struct report *report, const int *fds, size_t n_fds)
{
  struct iovec part = { .iov_base = (void *) report, .iov_len = sizeof *report };
  union control control = { 0 };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
  ssize_t n;

  if (n_fds > 0)
    {
      message.msg_control = &control;
      message.msg_controllen = CMSG_SPACE (n_fds * sizeof (int));
      control.header.cmsg_level = SOL_SOCKET;
      control.header.cmsg_type = SCM_RIGHTS;
      control.header.cmsg_len = CMSG_LEN (n_fds * sizeof (int));
      memcpy (CMSG_DATA (&control.header), fds, n_fds * sizeof (int));
    }
  do
    n = sendmsg (fd, &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : 0;
}

/* Opens one namespace and hands it over.  -ESTALE and the like: left out; -EPIPE: nobody wants any
 * more. */
static int
hand_over (int fd, const struct weir_found_namespace *found)
{
  struct weir_opened_namespace opened;
  struct report report;
  int fds[WEIR_DESCRIPTORS_PER_NAMESPACE];
  size_t n = 0;
  int r;

  r = enter (found);
  if (r < 0)
    return r;
  open_sockets (&opened);
  if (opened.sock_diag < 0)
    {
      close_sockets (&opened);
      return -EACCES;
    }
  memset (&report, 0, sizeof report);
  report.inode = found->inode;
  memcpy (report.name, found->name, sizeof report.name);
  fds[n++] = opened.sock_diag;
  report.has_events = opened.sock_events >= 0;
  if (report.has_events)
    fds[n++] = opened.sock_events;
  report.has_route = opened.route >= 0;
  if (report.has_route)
    fds[n++] = opened.route;
  r = send_report (fd, &report, fds, n);
  close_sockets (&opened);
  return r < 0 ? -EPIPE : 0;
}

/* Everything that is not needed goes before anything is looked at. */
static int
keep_needed (void)
{
  const struct weir_capabilities needed = { .effective = NEEDED, .permitted = NEEDED };
  int r;

  r = weir_capabilities_set (&needed);
  if (r == 0 && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    r = -errno;
  return r;
}

static _Noreturn void
run_child (int fd, uint32_t own, uint64_t deadline, pid_t parent)
{
  struct weir_found_namespaces found = { 0 };
  struct report last;
  uint32_t n_opened = 0;
  int r;

  /* Whoever ends the engine ends this, too. */
  if (prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid () != parent || keep_needed () < 0)
    _exit (1);

  memset (&last, 0, sizeof last);
  /* Half of the time is for opening what was found in the other half. */
  r = weir_find_namespaces (
      own, weir_clock_after ((unsigned) weir_clock_left (deadline, WEIR_NAMESPACES_TIMEOUT_MS) / 2),
      &found);
  last.unfinished = found.unfinished || r < 0;
  last.n_left_out = found.n_left_out;
  for (uint32_t i = 0; i < found.n; i++)
    {
      r = -E2BIG;
      if (n_opened < WEIR_OPENED_NAMESPACES_MAX && weir_clock_now () < deadline)
        r = hand_over (fd, &found.items[i]);
      if (r == -EPIPE)
        _exit (1);
      n_opened += r == 0;
      last.n_left_out += r != 0;
    }
  _exit (send_report (fd, &last, NULL, 0) < 0);
}

/* ---- the parent ---- */

/* The descriptors that came with @message, at most @max; those that are too many are closed. */
static size_t
take_descriptors (struct msghdr *message, int *fds, size_t max)
{
  size_t n = 0;

  for (struct cmsghdr *header = CMSG_FIRSTHDR (message); header != NULL;
       header = CMSG_NXTHDR (message, header))
    {
      size_t n_here;

      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        continue;
      n_here = (header->cmsg_len - CMSG_LEN (0)) / sizeof (int);
      for (size_t i = 0; i < n_here; i++)
        {
          int fd;

          memcpy (&fd, CMSG_DATA (header) + i * sizeof fd, sizeof fd);
          if (n < max)
            fds[n++] = fd;
          else
            close (fd);
        }
    }
  return n;
}

/* Reads one report.  1: there may be more; 0: that was the last; negative: the child failed. */
static int
take_report (int fd, struct weir_opened_namespaces *namespaces)
{
  struct weir_opened_namespace *opened = &namespaces->items[namespaces->n];
  int fds[WEIR_DESCRIPTORS_PER_NAMESPACE];
  struct report report;
  struct iovec part = { .iov_base = &report, .iov_len = sizeof report };
  union control control;
  struct msghdr message = {
    .msg_iov = &part,
    .msg_iovlen = 1,
    .msg_control = &control,
    .msg_controllen = sizeof control,
  };
  size_t n_fds, expected;
  ssize_t n;

  n = recvmsg (fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0)
    return errno == EINTR || errno == EAGAIN ? 1 : -errno;
  n_fds = take_descriptors (&message, fds, WEIR_DESCRIPTORS_PER_NAMESPACE);
  expected = n == sizeof report && report.inode != 0
                 ? 1 + (size_t) (report.has_events != 0) + (size_t) (report.has_route != 0)
                 : 0;
  if (n != sizeof report || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
      n_fds != expected || (expected > 0 && namespaces->n == WEIR_OPENED_NAMESPACES_MAX))
    {
      while (n_fds > 0)
        close (fds[--n_fds]);
      return -EPROTO;
    }
  if (report.inode == 0)
    {
      namespaces->n_left_out = report.n_left_out;
      namespaces->unfinished = report.unfinished != 0;
      return 0;
    }
  n_fds = 0;
  *opened = (struct weir_opened_namespace) { .inode = report.inode };
  opened->sock_diag = fds[n_fds++];
  opened->sock_events = report.has_events ? fds[n_fds++] : -1;
  opened->route = report.has_route ? fds[n_fds++] : -1;
  memcpy (opened->name, report.name, sizeof opened->name);
  opened->name[sizeof opened->name - 1] = '\0';
  namespaces->n++;
  return 1;
}

static void
collect (int fd, uint64_t deadline, struct weir_opened_namespaces *namespaces)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
  int left, r = 1;

  while (r > 0 && (left = weir_clock_left (deadline, COLLECT_MS)) > 0)
    {
      r = poll (&poll_fd, 1, left);
      if (r > 0)
        r = take_report (fd, namespaces);
      else if (r == 0)
        r = -ETIMEDOUT;
      else if (errno == EINTR)
        r = 1;
    }
  /* It did not come to its end: what it would have said is not known. */
  if (r != 0)
    namespaces->unfinished = true;
}

/* Killed or not, it has to be gone.  It can do nothing more once it is killed, even where the
 * kernel holds it up; but "cannot do anything" is not what is promised. */
static int
reap (pid_t pid)
{
  int status;

  (void) kill (pid, SIGKILL);
  for (unsigned i = 0; i <= WEIR_NAMESPACES_REAP_MS / 10; i++)
    {
      pid_t ended = waitpid (pid, &status, WNOHANG);

      if (ended == pid)
        return 0;
      if (ended < 0 && errno != EINTR)
        return -errno;
      poll (NULL, 0, 10);
    }
  return -EBUSY;
}

static bool
has_needed (void)
{
  struct weir_capabilities now;

  return weir_capabilities_get (&now) == 0 && (now.effective & NEEDED) == NEEDED;
}

int
weir_namespaces_open (uint32_t own, uint64_t deadline,
                      struct weir_opened_namespaces *ret_namespaces)
{
  const pid_t parent = getpid ();
  int ends[2];
  pid_t pid;

  *ret_namespaces = (struct weir_opened_namespaces) { 0 };
  if (!has_needed ())
    return 0;
  ret_namespaces->unfinished = true;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return 0;
  pid = fork ();
  if (pid == 0)
    {
      close (ends[0]);
      run_child (ends[1], own, weir_clock_until (deadline, WEIR_NAMESPACES_TIMEOUT_MS), parent);
    }
  close (ends[1]);
  if (pid > 0)
    {
      ret_namespaces->unfinished = false;
      collect (ends[0], weir_clock_until (deadline, COLLECT_MS), ret_namespaces);
    }
  close (ends[0]);
  return pid > 0 ? reap (pid) : 0;
}
