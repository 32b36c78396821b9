/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir-rights.h"
#include "weir-status.h"

/* What a helper comes to, and what it says of itself. */
struct outcome
{
  int first, second; /* results of being told twice */
  bool has_given_up;
  guint64 left; /* its capabilities, permitted and effective, as the kernel shows them */
  struct weir_process_status report;
};

static struct weir_status
read_status (int fd)
{
  struct weir_status status;

  g_assert_cmpint (weir_status_read (fd, &status), ==, 0);
  return status;
}

static _Noreturn void
obey (int proc, int fd)
{
  struct weir_rights rights = { .status = open ("/proc/self/status", O_RDONLY | O_CLOEXEC) };
  struct weir_rights *told = &rights;
  const struct weir_status before = read_status (rights.status);
  struct outcome outcome = { 0 };
  struct weir_status after;

  rights.process.cap_effective = before.cap_effective;
  rights.process.cap_permitted = before.cap_permitted;
  g_assert_cmpint (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
  outcome.first = weir_rights_obey (&told, proc, fd, &outcome.has_given_up);
  outcome.second = weir_rights_obey (&told, proc, fd, &outcome.has_given_up);
  after = read_status (rights.status);
  outcome.left = after.cap_permitted | after.cap_effective;
  g_assert_cmpint (send (fd, &outcome, sizeof outcome, MSG_NOSIGNAL), ==, sizeof outcome);
  _exit (0);
}

/* In a process of its own, because there is no way back. */
static struct outcome
get_outcome (const char *folder)
{
  const int proc = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct weir_process_status report;
  struct outcome outcome;
  int fds[2], status;
  pid_t child;

  g_assert_cmpint (proc, >=, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    obey (proc, fds[1]);
  close (fds[1]);
  close (proc);
  g_assert_cmpint (recv (fds[0], &report, sizeof report, MSG_TRUNC), ==, sizeof report);
  g_assert_cmpint (recv (fds[0], &outcome, sizeof outcome, MSG_TRUNC), ==, sizeof outcome);
  /* Whoever is told twice says nothing the second time. */
  g_assert_cmpint (recv (fds[0], &report, 1, 0), ==, 0);
  close (fds[0]);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  outcome.report = report;
  return outcome;
}

static void
test_given_up (void)
{
  const struct outcome outcome = get_outcome ("/proc");

  g_assert_cmpint (outcome.first, ==, 0);
  g_assert_cmpint (outcome.second, ==, -EPROTO);
  g_assert_true (outcome.has_given_up);
  g_assert_cmphex (outcome.left, ==, 0);
  g_assert_cmphex (outcome.report.cap_permitted, ==, 0);
  g_assert_cmphex (outcome.report.cap_effective, ==, 0);
  g_assert_cmpuint (outcome.report.keeps, ==, WEIR_KEEPING_NOTHING);
}

/* Where the first process cannot be seen, nobody else's could be without the right to. */
static void
test_hidden (void)
{
  g_autofree char *folder = g_dir_make_tmp ("weir-XXXXXX", NULL);
  const struct outcome outcome = get_outcome (folder);

  g_rmdir (folder);
  g_assert_cmpint (outcome.first, ==, 0);
  g_assert_cmpint (outcome.second, ==, -EPROTO);
  g_assert_false (outcome.has_given_up);
  g_assert_cmphex (outcome.left, !=, 0);
  g_assert_cmphex (outcome.report.cap_permitted, ==, outcome.left);
  g_assert_cmpuint (outcome.report.keeps, ==, WEIR_KEEPING_HIDDEN);
}

/* Whose other end has gone ends, and does not go on as if it had been heard. */
static void
test_unheard (void)
{
  struct weir_rights rights = { .status = -1 };
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), ==, 0);
  close (fds[0]);
  g_assert_cmpint (weir_rights_report (&rights, fds[1]), ==, -EPIPE);
  close (fds[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rights/given-up", test_given_up);
  g_test_add_func ("/rights/hidden", test_hidden);
  g_test_add_func ("/rights/unheard", test_unheard);
  return g_test_run ();
}
