/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-child-private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "handoff-fixture.h"

struct ending
{
  gboolean exited;
  guint n;
  int wait_status;
};

static void
on_exited (WeirChild *child, int wait_status, gpointer data)
{
  struct ending *ending = data;

  ending->exited = TRUE;
  ending->n++;
  ending->wait_status = wait_status;
}

static WeirChild *
spawn (const char *const *argv, const char *const *environment, struct ending *ending)
{
  g_autoptr (GError) error = NULL;
  WeirChild *child = weir_child_spawn (argv, environment, geteuid (), &error);

  g_assert_no_error (error);
  g_signal_connect (child, "exited", G_CALLBACK (on_exited), ending);
  return child;
}

static WeirChild *
spawn_shell (const char *script, struct ending *ending)
{
  const char *argv[] = { "/bin/sh", "-c", script, NULL };
  const char *environment[] = { "PATH=/usr/bin:/bin", NULL };

  return spawn (argv, environment, ending);
}

static WeirChild *
spawn_stand_in (const char *what, const char *const *environment, struct ending *ending)
{
  g_autofree char *program = g_test_build_filename (G_TEST_BUILT, "handoff", "stand-in", NULL);
  const char *argv[] = { program, what, NULL };

  return spawn (argv, environment, ending);
}

static void
test_exit_code (void)
{
  struct ending ending = { FALSE };
  g_autoptr (WeirChild) child = spawn_shell ("echo spoken >&2; exit 65", &ending);

  g_assert_cmpint (weir_child_get_pid (child), >, 1);
  g_assert_cmpuint (weir_child_get_expected_uid (child), ==, geteuid ());
  fixture_wait (&ending.exited);
  g_assert_true (WIFEXITED (ending.wait_status));
  g_assert_cmpint (WEXITSTATUS (ending.wait_status), ==, 65);
  g_assert_cmpstr (weir_child_get_stderr (child), ==, "spoken\n");
  fixture_run (30);
  g_assert_cmpuint (ending.n, ==, 1);
}

static void
test_signal (void)
{
  struct ending ending = { FALSE };
  g_autoptr (WeirChild) child = spawn_shell ("kill -TERM $$", &ending);

  fixture_wait (&ending.exited);
  g_assert_true (WIFSIGNALED (ending.wait_status));
  g_assert_cmpint (WTERMSIG (ending.wait_status), ==, SIGTERM);
  g_assert_cmpstr (weir_child_get_stderr (child), ==, "");
}

/* What is inherited: nothing. */
static void
test_inheritance (void)
{
  const char *environment[] = { "PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL };
  struct ending ending = { FALSE };
  g_autoptr (WeirChild) child = NULL;
  sigset_t blocked, before;
  int leaked = fcntl (STDERR_FILENO, F_DUPFD, 77);

  g_assert_cmpint (leaked, ==, 77);
  g_assert_true (g_setenv ("LD_DEBUG", "all", TRUE));
  sigemptyset (&blocked);
  sigaddset (&blocked, SIGUSR1);
  sigaddset (&blocked, SIGTERM);
  sigprocmask (SIG_BLOCK, &blocked, &before);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGHUP, SIG_IGN);
  child = spawn_stand_in ("report", environment, &ending);
  fixture_wait (&ending.exited);
  signal (SIGPIPE, SIG_DFL);
  signal (SIGHUP, SIG_DFL);
  sigprocmask (SIG_SETMASK, &before, NULL);
  g_unsetenv ("LD_DEBUG");
  close (leaked);

  g_assert_cmpint (WEXITSTATUS (ending.wait_status), ==, 3);
  g_assert_cmpstr (weir_child_get_stderr (child), ==,
                   "fd 0 /dev/null\n"
                   "fd 1 /dev/null\n"
                   "fd 2 pipe\n"
                   "SigBlk:\t0000000000000000\n"
                   "SigIgn:\t0000000000000000\n"
                   "env PATH=/usr/bin:/bin\n"
                   "env LANG=C.UTF-8\n");
}

static void
test_noise (void)
{
  const char *environment[] = { NULL };
  struct ending ending = { FALSE };
  g_autoptr (WeirChild) child = spawn_stand_in ("noise", environment, &ending);
  const char *text;

  fixture_wait (&ending.exited);
  g_assert_cmpint (ending.wait_status, ==, 0);
  text = weir_child_get_stderr (child);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_cmpint (g_utf8_strlen (text, -1), ==, 4096);
}

static char
state_of (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", (int) pid);
  g_autofree char *stat = NULL;

  if (!g_file_get_contents (path, &stat, NULL, NULL))
    return '-';
  return strrchr (stat, ')')[2];
}

/* Its number stays taken until nobody needs it. */
static void
test_not_reaped (void)
{
  struct ending ending = { FALSE };
  WeirChild *child = spawn_shell ("exit 0", &ending);
  pid_t pid = weir_child_get_pid (child);

  fixture_wait (&ending.exited);
  g_assert_false (weir_child_is_alive (child));
  fixture_run (50);
  g_assert_cmpint (state_of (pid), ==, 'Z');
  g_assert_finalize_object (child);
  g_assert_cmpint (state_of (pid), ==, '-');
}

/* Inherited from whoever started us. */
static void
test_sigchld_ignored (void)
{
  struct ending ending = { FALSE };
  g_autoptr (WeirChild) child = NULL;

  signal (SIGCHLD, SIG_IGN);
  child = spawn_shell ("exit 7", &ending);
  fixture_wait (&ending.exited);
  g_assert_cmpint (WEXITSTATUS (ending.wait_status), ==, 7);
  g_assert_cmpint (state_of (weir_child_get_pid (child)), ==, 'Z');
  signal (SIGCHLD, SIG_DFL);
}

static void
test_dispose_alive (void)
{
  struct ending ending = { FALSE };
  WeirChild *child = spawn_shell ("exec sleep 1000", &ending);
  pid_t pid = weir_child_get_pid (child);
  gint64 began = g_get_monotonic_time ();

  g_assert_true (weir_child_is_alive (child));
  g_assert_finalize_object (child);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 200000);
  for (guint i = 0; i < 200 && state_of (pid) != '-'; i++)
    fixture_run (10);
  g_assert_cmpint (state_of (pid), ==, '-');
  g_assert_false (ending.exited);
}

/* One that cannot be killed at once (stopped, or root's) does not block us, and is reaped when it
 * ends. */
static void
test_dispose_later (void)
{
  struct ending ending = { FALSE };
  WeirChild *child = spawn_shell ("trap '' TERM; sleep 0.3", &ending);
  pid_t pid = weir_child_get_pid (child);

  kill (pid, SIGSTOP);
  g_assert_finalize_object (child);
  for (guint i = 0; i < 200 && state_of (pid) != '-'; i++)
    fixture_run (10);
  g_assert_cmpint (state_of (pid), ==, '-');
}

static void
test_pidfd (void)
{
  struct ending ending = { FALSE }, other_ending = { FALSE };
  g_autoptr (WeirChild) child = spawn_shell ("exec sleep 1000", &ending);
  g_autoptr (WeirChild) other = spawn_shell ("exec sleep 1000", &other_ending);
  g_autofd int same = pidfd_open (weir_child_get_pid (child), 0);
  g_autofd int null = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  int result = weir_child_compare_pidfd (child, same);

  g_assert_cmpint (weir_child_compare_pidfd (child, null), ==, -1);
  if (result == -1)
    {
      g_test_skip ("this kernel has no unique pidfd inodes");
      return;
    }
  g_assert_cmpint (result, ==, 1);
  g_assert_cmpint (weir_child_compare_pidfd (other, same), ==, 0);
}

static void
test_missing (void)
{
  const char *argv[] = { "/nonexistent/weir-engine", NULL };
  const char *environment[] = { NULL };
  g_autoptr (GError) error = NULL;

  g_assert_null (weir_child_spawn (argv, environment, 0, &error));
  g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_MISSING);
  g_assert_nonnull (strstr (error->message, argv[0]));
}

static void
test_self (void)
{
  struct ending ending = { FALSE };
  WeirChild *child = weir_child_new_self ();
  g_autofd int pidfd = pidfd_open (getpid (), 0);

  g_signal_connect (child, "exited", G_CALLBACK (on_exited), &ending);
  g_assert_cmpint (weir_child_get_pid (child), ==, getpid ());
  g_assert_true (weir_child_is_alive (child));
  g_assert_cmpint (weir_child_compare_pidfd (child, pidfd), !=, 0);
  weir_child_end_self (child, W_EXITCODE (1, 0));
  weir_child_end_self (child, W_EXITCODE (2, 0));
  g_assert_cmpuint (ending.n, ==, 1);
  g_assert_cmpint (WEXITSTATUS (ending.wait_status), ==, 1);
  g_assert_false (weir_child_is_alive (child));
  /* We are still here afterwards. */
  g_assert_finalize_object (child);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/child/exit-code", test_exit_code);
  g_test_add_func ("/handoff/child/signal", test_signal);
  g_test_add_func ("/handoff/child/inheritance", test_inheritance);
  g_test_add_func ("/handoff/child/noise", test_noise);
  g_test_add_func ("/handoff/child/not-reaped", test_not_reaped);
  g_test_add_func ("/handoff/child/sigchld-ignored", test_sigchld_ignored);
  g_test_add_func ("/handoff/child/dispose-alive", test_dispose_alive);
  g_test_add_func ("/handoff/child/dispose-later", test_dispose_later);
  g_test_add_func ("/handoff/child/pidfd", test_pidfd);
  g_test_add_func ("/handoff/child/missing", test_missing);
  g_test_add_func ("/handoff/child/self", test_self);
  return g_test_run ();
}
