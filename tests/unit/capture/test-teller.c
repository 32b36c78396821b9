/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A teller that looks at files which look like /proc: they do what no process does on demand. */
#include "config.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir-teller.h"

#define PID   4242
#define START 998877

struct fixture
{
  char *proc, *process;
  struct weir_teller_policy policy;
  int fd;
  pid_t teller;
};

static char *
in_process (struct fixture *fixture, const char *name)
{
  return g_build_filename (fixture->process, name, NULL);
}

static void
write_file (struct fixture *fixture, const char *name, const char *bytes, gssize size)
{
  g_autofree char *path = in_process (fixture, name);

  g_assert_true (g_file_set_contents (path, bytes, size, NULL));
}

/* What the kernel says that it may do. */
static void
write_status (struct fixture *fixture, uid_t saved_uid, gid_t effective_gid, guint64 capabilities)
{
  const unsigned uid = getuid (), gid = getgid ();
  g_autofree char *text = g_strdup_printf (
      "Name:\tname\nUid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nGroups:\t\nCapInh:\t0\n"
      "CapPrm:\t%016" G_GINT64_MODIFIER "x\nCapEff:\t0\nCapBnd:\t0\nCapAmb:\t0\n"
      "NoNewPrivs:\t0\nSeccomp:\t0\n",
      uid, uid, (unsigned) saved_uid, uid, gid, (unsigned) effective_gid, gid, gid, capabilities);

  write_file (fixture, "status", text, -1);
}

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  g_autofree char *exe = NULL, *cwd = NULL;

  fixture->proc = g_dir_make_tmp ("weir-proc-XXXXXX", NULL);
  fixture->process = g_build_filename (fixture->proc, "4242", NULL);
  g_assert_cmpint (g_mkdir (fixture->process, 0755), ==, 0);
  write_file (fixture, "stat",
              "4242 (name) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 998877 20 21\n", -1);
  write_file (fixture, "environ", "", 0);
  write_status (fixture, getuid (), getgid (), 0);
  write_file (fixture, "cmdline", "name\0two words\0", 15);
  exe = in_process (fixture, "exe");
  cwd = in_process (fixture, "cwd");
  g_assert_cmpint (symlink ("/usr/bin/name", exe), ==, 0);
  g_assert_cmpint (symlink ("/srv", cwd), ==, 0);
  fixture->policy = (struct weir_teller_policy) { WEIR_DISCLOSE_OWN, getuid (), getgid (), 4 };
  fixture->fd = -1;
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "stat", "status", "environ", "cmdline", "exe", "cwd" };

  if (fixture->fd >= 0)
    close (fixture->fd);
  if (fixture->teller > 0)
    waitpid (fixture->teller, NULL, 0);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = in_process (fixture, names[i]);

      g_remove (path);
    }
  g_assert_cmpint (g_rmdir (fixture->process), ==, 0);
  g_assert_cmpint (g_rmdir (fixture->proc), ==, 0);
  g_free (fixture->process);
  g_free (fixture->proc);
}

static void
start (struct fixture *fixture)
{
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
  fixture->fd = pair[0];
  fixture->teller = fork ();
  if (fixture->teller == 0)
    {
      close (pair[0]);
      _exit (weir_teller_serve (pair[1], fixture->proc, &fixture->policy, NULL) == 0 ? 0 : 1);
    }
  close (pair[1]);
}

static void
ask (struct fixture *fixture, guint32 pid, guint64 start_time)
{
  const struct weir_details_request request = { 5, pid, start_time };

  g_assert_cmpint (send (fixture->fd, &request, sizeof request, 0), ==, sizeof request);
}

/* The next answer; FALSE at the end. */
static gboolean
take (struct fixture *fixture, struct weir_teller_answer *answer)
{
  const gssize n = recv (fixture->fd, answer, sizeof *answer, 0);

  if (n == 0)
    return FALSE;
  g_assert_cmpint (n, ==, sizeof *answer);
  g_assert_cmpuint (answer->details.request.number, ==, 5);
  return TRUE;
}

static void
expect_only (struct fixture *fixture, enum weir_details_outcome outcome)
{
  struct weir_teller_answer answer;

  g_assert_true (take (fixture, &answer));
  g_assert_true (answer.last);
  g_assert_cmpuint (answer.details.outcome, ==, outcome);
  g_assert_cmpuint (answer.details.has, ==, 0);
  g_assert_cmpstr (answer.details.exe, ==, "");
}

static void
test_answers (struct fixture *fixture, gconstpointer data)
{
  struct weir_teller_answer answer;

  start (fixture);
  ask (fixture, PID, START);
  g_assert_true (take (fixture, &answer));
  g_assert_false (answer.last);
  g_assert_cmpuint (answer.details.has, ==,
                    WEIR_DETAILS_EXE | WEIR_DETAILS_CWD | WEIR_DETAILS_COMMAND_LATE);
  g_assert_cmpstr (answer.details.exe, ==, "/usr/bin/name");
  g_assert_cmpstr (answer.details.cwd, ==, "/srv");
  g_assert_true (take (fixture, &answer));
  g_assert_true (answer.last);
  g_assert_cmpuint (answer.details.has, ==,
                    WEIR_DETAILS_EXE | WEIR_DETAILS_CWD | WEIR_DETAILS_COMMAND);
  g_assert_cmpmem (answer.details.command, answer.details.command_size, "name\0two words", 14);
}

static void
test_refusals (struct fixture *fixture, gconstpointer data)
{
  g_autofree char *environment = in_process (fixture, "environ");

  start (fixture);
  ask (fixture, PID, START + 1);
  expect_only (fixture, WEIR_DETAILS_GONE);
  ask (fixture, PID + 1, START);
  expect_only (fixture, WEIR_DETAILS_GONE);
  /* Its directory alone is not enough: a process that closed itself to its user. */
  g_assert_cmpint (chown (environment, 4243, 0), ==, 0);
  ask (fixture, PID, START);
  expect_only (fixture, WEIR_DETAILS_REFUSED);
  g_assert_cmpint (chown (environment, getuid (), 0), ==, 0);
  g_assert_cmpint (chown (fixture->process, 4243, 0), ==, 0);
  ask (fixture, PID, START);
  expect_only (fixture, WEIR_DETAILS_REFUSED);
}

/* The kernel wants all users, groups and capabilities to be the caller's. */
static void
test_rights (struct fixture *fixture, gconstpointer data)
{
  g_autofree char *status = in_process (fixture, "status");
  struct weir_teller_answer answer;

  start (fixture);
  write_status (fixture, getuid () + 1, getgid (), 0);
  ask (fixture, PID, START);
  expect_only (fixture, WEIR_DETAILS_REFUSED);
  write_status (fixture, getuid (), getgid () + 1, 0);
  ask (fixture, PID, START);
  expect_only (fixture, WEIR_DETAILS_REFUSED);
  write_status (fixture, getuid (), getgid (), 5);
  ask (fixture, PID, START);
  expect_only (fixture, WEIR_DETAILS_REFUSED);
  g_assert_cmpint (g_remove (status), ==, 0);
  ask (fixture, PID, START);
  expect_only (fixture, WEIR_DETAILS_REFUSED);
  write_status (fixture, getuid (), getgid (), 4);
  ask (fixture, PID, START);
  g_assert_true (take (fixture, &answer));
  g_assert_cmpuint (answer.details.outcome, ==, WEIR_DETAILS_SHOWN);
}

/* ... and who is not known to be in any group has no process. */
static void
test_no_group (struct fixture *fixture, gconstpointer data)
{
  fixture->policy.group = (gid_t) -1;
  start (fixture);
  ask (fixture, PID, START);
  expect_only (fixture, WEIR_DETAILS_REFUSED);
}

/* What it gained while it was read counts, too. */
static void
test_gains (struct fixture *fixture, gconstpointer data)
{
  g_autofree char *command = in_process (fixture, "cmdline");
  struct weir_teller_answer answer;
  FILE *writer;

  g_assert_cmpint (g_remove (command), ==, 0);
  g_assert_cmpint (mkfifo (command, 0600), ==, 0);
  start (fixture);
  ask (fixture, PID, START);
  g_assert_true (take (fixture, &answer));
  g_assert_false (answer.last);
  write_status (fixture, getuid (), getgid (), 8);
  writer = fopen (command, "w");
  g_assert_nonnull (writer);
  fputs ("secret", writer);
  fclose (writer);
  expect_only (fixture, WEIR_DETAILS_REFUSED);
}

/* Whatever was read is forgotten when the process is another one afterwards. */
static void
test_changes (struct fixture *fixture, gconstpointer data)
{
  g_autofree char *command = in_process (fixture, "cmdline");
  struct weir_teller_answer answer;
  FILE *writer;

  g_assert_cmpint (g_remove (command), ==, 0);
  g_assert_cmpint (mkfifo (command, 0600), ==, 0);
  start (fixture);
  ask (fixture, PID, START);
  g_assert_true (take (fixture, &answer));
  g_assert_false (answer.last);
  write_file (fixture, "stat",
              "4242 (name) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 998878 20 21\n", -1);
  writer = fopen (command, "w");
  g_assert_nonnull (writer);
  fputs ("another", writer);
  fclose (writer);
  expect_only (fixture, WEIR_DETAILS_GONE);
}

/* Who is kept waiting ends, and not before it has told what there was. */
static void
test_deadline (struct fixture *fixture, gconstpointer data)
{
  g_autofree char *command = in_process (fixture, "cmdline");
  const gint64 began = g_get_monotonic_time ();
  struct weir_teller_answer answer;
  int status;

  g_assert_cmpint (g_remove (command), ==, 0);
  g_assert_cmpint (mkfifo (command, 0600), ==, 0);
  start (fixture);
  ask (fixture, PID, START);
  g_assert_true (take (fixture, &answer));
  g_assert_cmpuint (answer.details.has, ==,
                    WEIR_DETAILS_EXE | WEIR_DETAILS_CWD | WEIR_DETAILS_COMMAND_LATE);
  g_assert_false (take (fixture, &answer));
  g_assert_cmpint (waitpid (fixture->teller, &status, 0), ==, fixture->teller);
  fixture->teller = 0;
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGALRM);
  g_assert_cmpint (g_get_monotonic_time () - began, >=, WEIR_COMMAND_PATIENCE_MS * 1000);
  g_assert_cmpint (g_get_monotonic_time () - began, <, WEIR_COMMAND_PATIENCE_MS * 1500);
}

static void
test_end (struct fixture *fixture, gconstpointer data)
{
  int status;

  start (fixture);
  close (fixture->fd);
  fixture->fd = -1;
  g_assert_cmpint (waitpid (fixture->teller, &status, 0), ==, fixture->teller);
  fixture->teller = 0;
  g_assert_cmpint (status, ==, 0);
}

/* A request of another size is not the meter's. */
static void
test_nonsense (struct fixture *fixture, gconstpointer data)
{
  int status;

  start (fixture);
  g_assert_cmpint (send (fixture->fd, "short", 5, 0), ==, 5);
  g_assert_cmpint (waitpid (fixture->teller, &status, 0), ==, fixture->teller);
  fixture->teller = 0;
  g_assert_cmpint (WEXITSTATUS (status), ==, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, struct fixture, NULL, set_up, function, tear_down)
  ADD ("/capture/teller/answers", test_answers);
  ADD ("/capture/teller/refusals", test_refusals);
  ADD ("/capture/teller/rights", test_rights);
  ADD ("/capture/teller/no-group", test_no_group);
  ADD ("/capture/teller/gains", test_gains);
  ADD ("/capture/teller/changes", test_changes);
  ADD ("/capture/teller/deadline", test_deadline);
  ADD ("/capture/teller/end", test_end);
  ADD ("/capture/teller/nonsense", test_nonsense);
  return g_test_run ();
}
