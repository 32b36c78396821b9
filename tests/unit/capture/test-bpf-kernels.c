/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Other kernels than this one: why they do not take the programs, and what those that take them
 * count. */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "bpf-stage.h"
#include "in-child.h"
#include "weir-bpf-reason.h"
#include "weir-capabilities.h"
#include "weir-kernels.h"

#define SLOTS WEIR_BPF_FLOWS_MIN

/* ---- why not ---- */

struct answer
{
  const char *kernel;
  enum weir_reason reason;
  int error;
  const char *said;
};

static const struct answer answers[] = {
  { "5.15", WEIR_REASON_OLD_KERNEL, EINVAL, "invalid func unknown#32767" },
  { "5.10", WEIR_REASON_OLD_KERNEL, EPERM, "loading the programs" },
  { "no-bpf", WEIR_REASON_NO_PROGRAMS, ENOSYS, "loading the programs" },
  { "no-cgroup-bpf", WEIR_REASON_NO_CGROUP_PROGRAMS, EINVAL, "loading the programs" },
  { "refuses", WEIR_REASON_REFUSED, EPERM, "loading the programs" },
  { "verifier", WEIR_REASON_VERIFIER, EACCES, "R2 invalid mem access 'scalar' at *" },
  { "verifier-complexity", WEIR_REASON_VERIFIER, E2BIG,
    "BPF program is too large. Processed 1000001 insn" },
  { "not-shared", WEIR_REASON_NOT_SHARED, EPERM, "weir_egress" },
  { "64-programs", WEIR_REASON_NOT_SHARED, E2BIG, "weir_connect4" },
  { "no-memory", WEIR_REASON_NO_MEMORY, ENOMEM, "loading the programs" },
};

static int
check_refused (enum weir_reason reason, int error, const char *said)
{
  const struct weir_config config = { .bpf_flows_max = SLOTS };
  const int first_free = dup (0);
  struct weir_bpf_opened opened;

  weir_bpf_open (&config, WEIR_VIEW_FULL, UINT64_MAX, &opened);
  if (opened.reason != reason || opened.error != error || strcmp (opened.said, said) != 0)
    {
      g_printerr ("reason %u, %s: %s\n", opened.reason, g_strerror (opened.error), opened.said);
      return 1;
    }
  HOLDS (opened.state == WEIR_SOURCE_UNAVAILABLE && opened.n_links == 0 && opened.ring == -1 &&
         opened.slots == NULL);
  /* All that was opened is closed. */
  HOLDS (dup (0) == first_free + 1);
  return 0;
}

static int
be_refused (void *data)
{
  const struct answer *answer = data;

  HOLDS (weir_kernels_play (answer->kernel));
  return check_refused (answer->reason, answer->error, answer->said);
}

static void
test_answer (gconstpointer data)
{
  g_assert_cmpint (in_child (be_refused, (void *) data), ==, 0);
}

/* As the kernel shows it, in a mount namespace of one's own. */
static int
say_lockdown (const char *text)
{
  FILE *file;

  HOLDS (unshare (CLONE_NEWNS) == 0 && mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  HOLDS (mount ("none", "/sys/kernel/security", "tmpfs", 0, NULL) == 0);
  file = fopen ("/sys/kernel/security/lockdown", "we");
  HOLDS (file != NULL && fputs (text, file) >= 0 && fclose (file) == 0);
  return 0;
}

static int
be_locked_down (void *data)
{
  const char *text = data;
  const enum weir_reason reason =
      strstr (text, "[none]") != NULL ? WEIR_REASON_REFUSED : WEIR_REASON_LOCKDOWN;

  HOLDS (say_lockdown (text) == 0);
  HOLDS (weir_kernels_play ("refuses"));
  return check_refused (reason, EPERM, "loading the programs");
}

/* Kernels of today take them under lockdown: they call nothing that reads the kernel's memory. */
static int
be_taken_all_the_same (void *data)
{
  const struct weir_config config = { .bpf_flows_max = SLOTS };
  struct weir_bpf_opened opened;

  HOLDS (say_lockdown ("none integrity [confidentiality]\n") == 0);
  HOLDS (weir_kernels_play ("lockdown"));
  weir_bpf_open (&config, WEIR_VIEW_FULL, UINT64_MAX, &opened);
  HOLDS (opened.state != WEIR_SOURCE_UNAVAILABLE);
  weir_bpf_close (&opened);
  return 0;
}

static void
test_lockdown (void)
{
  g_assert_cmpint (in_child (be_locked_down, (void *) "none [integrity] confidentiality\n"), ==, 0);
  g_assert_cmpint (in_child (be_locked_down, (void *) "none integrity [confidentiality]\n"), ==, 0);
  g_assert_cmpint (in_child (be_locked_down, (void *) "[none] integrity confidentiality\n"), ==, 0);
  g_assert_cmpint (in_child (be_taken_all_the_same, NULL), ==, 0);
}

static int
keep_capabilities (uint64_t kept)
{
  const struct weir_capabilities sets = { .effective = kept, .permitted = kept };

  HOLDS (weir_capabilities_set (&sets) == 0);
  return 0;
}

static const uint64_t needed =
    WEIR_CAPABILITY (CAP_BPF) | WEIR_CAPABILITY (CAP_PERFMON) | WEIR_CAPABILITY (CAP_NET_ADMIN);

/* Root of a container, which lacks one of those that it takes.  Without CAP_PERFMON it is the
 * verifier that says no: to a helper (EINVAL), or to what is done with a pointer (EACCES). */
static int
be_in_container (void *data)
{
  const struct weir_config config = { .bpf_flows_max = SLOTS };
  struct weir_bpf_opened opened;

  HOLDS (keep_capabilities (*(const uint64_t *) data) == 0);
  weir_bpf_open (&config, WEIR_VIEW_FULL, UINT64_MAX, &opened);
  HOLDS (opened.reason == WEIR_REASON_NO_RIGHT);
  HOLDS (opened.error == EPERM || opened.error == EACCES || opened.error == EINVAL);
  return 0;
}

static int
be_in_user_namespace (void *data)
{
  HOLDS (unshare (CLONE_NEWUSER) == 0);
  return check_refused (WEIR_REASON_NO_RIGHT, EPERM, "loading the programs");
}

/* What people are told that it takes is enough, whatever kernel.unprivileged_bpf_disabled says. */
static int
have_what_it_takes (void *data)
{
  const struct weir_config config = { .bpf_flows_max = SLOTS };
  struct weir_bpf_opened opened;

  HOLDS (keep_capabilities (needed) == 0);
  weir_bpf_open (&config, WEIR_VIEW_FULL, UINT64_MAX, &opened);
  HOLDS (opened.state != WEIR_SOURCE_UNAVAILABLE);
  weir_bpf_close (&opened);
  return 0;
}

static void
test_rights (void)
{
  uint64_t without[] = { needed & ~WEIR_CAPABILITY (CAP_BPF),
                         needed & ~WEIR_CAPABILITY (CAP_PERFMON),
                         needed & ~WEIR_CAPABILITY (CAP_NET_ADMIN),
                         WEIR_CAPABILITY (CAP_SYS_PTRACE) };

  for (guint i = 0; i < G_N_ELEMENTS (without); i++)
    g_assert_cmpint (in_child (be_in_container, &without[i]), ==, 0);
  g_assert_cmpint (in_child (be_in_user_namespace, NULL), ==, 0);
  g_assert_cmpint (in_child (have_what_it_takes, NULL), ==, 0);
}

/* On a group of our own, so that nobody else is kept out: it is the kernel itself that refuses. */
static int
meet_somebody (void *data)
{
  static const struct bpf_insn one[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
                                         { .code = BPF_JMP | BPF_EXIT } };
  struct weir_bpf_opened opened;
  char name[64];
  int group = stage_enter_group (name), program;

  program = bpf_prog_load (BPF_PROG_TYPE_CGROUP_SKB, "alone", "GPL", one, 2, NULL);
  HOLDS (program >= 0);
  HOLDS (bpf_prog_attach (program, group, BPF_CGROUP_INET_INGRESS, 0) == 0);
  weir_bpf_opened_init (&opened, WEIR_REASON_NONE, 0, "");
  HOLDS (weir_bpf_load (group, SLOTS, WEIR_BPF_IDLE_NS, UINT64_MAX, &opened) < 0);
  HOLDS (opened.reason == WEIR_REASON_NOT_SHARED && opened.error == EPERM);
  HOLDS (strcmp (opened.said, "weir_ingress") == 0);
  weir_bpf_close (&opened);
  HOLDS (bpf_prog_detach2 (program, group, BPF_CGROUP_INET_INGRESS) == 0);
  stage_leave_group (group, name);
  return 0;
}

static void
test_not_shared (void)
{
  g_assert_cmpint (in_child (meet_somebody, NULL), ==, 0);
}

static void
test_log (void)
{
  static const struct
  {
    const char *log, *line;
  } lines[] = {
    { "", "" },
    { "\n\n", "" },
    { "processed 1 insns\n", "" },
    { "math between map_value pointer\nprocessed 1 insns (limit 1)\n",
      "math between map_value pointer" },
    { "no end of line", "no end of line" },
    { "bad\n0: (18) r1 = 0xffff888012345678\nprocessed 9 insns\n\n", "bad" },
    { "at 0xffff888012345678, off 12345678\n", "at 0x*, off 12345678" },
    { "\033[31mred \xe2\x80\xae\n", " [31mred    " },
  };
  char line[16];

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      char whole[WEIR_SAID_SIZE];

      weir_bpf_shorten_log (lines[i].log, whole, sizeof whole);
      g_assert_cmpstr (whole, ==, lines[i].line);
    }
  weir_bpf_shorten_log ("0123 is left out\na line of more than sixteen bytes\n", line, sizeof line);
  g_assert_cmpstr (line, ==, "a line of more ");
}

/* ---- what they count ---- */

struct kernel
{
  const char *name;
  bool knows_netns, knows_sender, has_frames;
};

static const struct kernel counting[] = {
  { NULL, true, true, true },     { "6.12", false, true, true },   { "6.8", false, false, true },
  { "6.1", false, false, false }, { "no-tcx", true, true, false },
};

static struct stage stage;

static void
open_as (const struct kernel *kernel, int group)
{
  g_assert_true (weir_kernels_play (kernel->name));
  stage_open_in (&stage, group, SLOTS, WEIR_BPF_IDLE_NS);
  g_assert_cmpuint (stage.source.opened.n_interfaces, ==, kernel->has_frames ? 1 : 0);
  g_assert_cmpint (stage.source.opened.frames_error, ==, kernel->has_frames ? 0 : EINVAL);
}

static void
check_tcp (void)
{
  int listener = stage_socket (AF_INET, SOCK_STREAM, 0), client, server;
  static char bytes[30000];
  const struct weir_bpf_reading *flow;
  uint64_t before;
  char byte;

  stage_begin (&stage);
  before = stage_get_loopback (NULL);
  stage_bind (listener, "127.0.0.1", 0);
  g_assert_cmpint (listen (listener, 8), ==, 0);
  client = stage_socket (AF_INET, SOCK_STREAM, 0);
  stage_connect (client, "127.0.0.1", stage_get_port (listener));
  server = accept (listener, NULL, NULL);
  stage_send (client, bytes, sizeof bytes);
  stage_receive (server, sizeof bytes);
  g_assert_cmpint (shutdown (client, SHUT_WR), ==, 0);
  g_assert_cmpint (recv (server, &byte, 1, 0), ==, 0);
  close (server);
  g_assert_cmpint (recv (client, &byte, 1, 0), ==, 0);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_TCP, 0, stage_get_port (listener));
  g_assert_cmpuint (flow->tx_payload, ==, sizeof bytes);
  g_assert_cmpuint (flow->opener.uid, ==, 0);
  g_assert_cmpstr (flow->opener.comm, !=, "");
  g_assert_cmpuint (flow->tx_bytes + flow->rx_bytes, ==, stage_get_loopback (NULL) - before);
  flow = stage_find (&stage, IPPROTO_TCP, stage_get_port (listener), 0);
  g_assert_cmpuint (flow->rx_payload, ==, sizeof bytes);
  close (client);
  close (listener);
}

/* A connected socket that a child of its maker sends from. */
static void
check_sender (const struct kernel *kernel)
{
  int receiver = stage_socket (AF_INET, SOCK_DGRAM, 0), sender;
  const struct weir_bpf_reading *flow;
  pid_t pid;
  int status;

  stage_begin (&stage);
  stage_bind (receiver, "127.0.0.1", 0);
  sender = stage_socket (AF_INET, SOCK_DGRAM, 0);
  stage_connect (sender, "127.0.0.1", stage_get_port (receiver));
  pid = fork ();
  if (pid == 0)
    _exit (prctl (PR_SET_NAME, "heir") != 0 || send (sender, "0123456789", 10, 0) != 10);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  stage_receive (receiver, 10);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_UDP, stage_get_port (sender), 0);
  g_assert_cmpuint (flow->tx_bytes, ==, 38);
  g_assert_cmpuint (flow->opener.uid, ==, 0);
  g_assert_cmpstr (flow->opener.comm, !=, "heir");
  if (kernel->knows_sender)
    g_assert_cmpstr (flow->user.comm, ==, "heir");
  else
    g_assert_cmpstr (flow->user.comm, ==, flow->opener.comm);
  close (sender);
  close (receiver);
}

/* One that is older than the programs: only its packets can say which namespace it is in. */
static void
check_old (const struct kernel *kernel, int old)
{
  const struct weir_bpf_reading *flow;

  stage_begin (&stage);
  if (!kernel->knows_netns)
    stage.netns = 0;
  g_assert_cmpint (send (old, "0123", 4, 0), ==, 4);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_UDP, stage_get_port (old), 0);
  g_assert_cmpuint (flow->tx_bytes, ==, 32);
  g_assert_false (flow->flags & WEIR_BPF_WHOLE);
  stage.netns = stage_get_netns ();
}

static void
check_frames (const struct kernel *kernel)
{
  const struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = 1 };
  int fd = stage_socket (AF_PACKET, SOCK_RAW, 0);
  uint64_t bytes = 0;
  char frame[200] = "";

  stage_begin (&stage);
  /* Whose namespace it is is not told. */
  stage.netns = 0;
  g_assert_cmpint (sendto (fd, frame, sizeof frame, 0, (const struct sockaddr *) &to, sizeof to),
                   ==, sizeof frame);
  stage_read (&stage);
  for (guint i = 0; i < stage.readings->len; i++)
    {
      const struct weir_bpf_reading *flow = stage_nth (&stage, i);

      if ((flow->flags & WEIR_BPF_FRAMES) == 0)
        continue;
      bytes += flow->tx_bytes;
      g_assert_cmpint (flow->user.comm[0] != '\0', ==, kernel->knows_sender);
    }
  g_assert_cmpuint (bytes, ==, kernel->has_frames ? sizeof frame : 0);
  stage.netns = stage_get_netns ();
  close (fd);
}

static int
count_as (void *data)
{
  const struct kernel *kernel = data;
  char name[64];
  int group = stage_enter_group (name);
  int receiver = stage_socket (AF_INET, SOCK_DGRAM, 0), old = stage_socket (AF_INET, SOCK_DGRAM, 0);

  stage_bind (receiver, "127.0.0.1", 0);
  stage_connect (old, "127.0.0.1", stage_get_port (receiver));
  open_as (kernel, group);
  check_tcp ();
  check_sender (kernel);
  check_old (kernel, old);
  check_frames (kernel);
  stage_close (&stage);
  close (old);
  close (receiver);
  stage_leave_group (group, name);
  return 0;
}

static void
test_counting (gconstpointer data)
{
  g_assert_cmpint (in_child (count_as, (void *) data), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  stage_isolate ();
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autofree char *path = g_strconcat ("/bpf/kernels/refusing/", answers[i].kernel, NULL);

      g_test_add_data_func (path, &answers[i], test_answer);
    }
  g_test_add_func ("/bpf/kernels/lockdown", test_lockdown);
  g_test_add_func ("/bpf/kernels/rights", test_rights);
  g_test_add_func ("/bpf/kernels/not-shared", test_not_shared);
  g_test_add_func ("/bpf/kernels/log", test_log);
  for (guint i = 0; i < G_N_ELEMENTS (counting); i++)
    {
      g_autofree char *path = g_strconcat (
          "/bpf/kernels/counting/", counting[i].name != NULL ? counting[i].name : "this", NULL);

      g_test_add_data_func (path, &counting[i], test_counting);
    }
  return g_test_run ();
}
