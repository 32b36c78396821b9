/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/ioprio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "in-child.h"
#include "weir-normalise.h"

static int
everything (void *data)
{
  const struct itimerval soon = { .it_value = { .tv_usec = 200000 } };
  struct itimerval timer;
  struct sigaction action;
  struct stat info;
  sigset_t set;

  setenv ("LD_PRELOAD", "/tmp/x.so", 1);
  umask (0);
  HOLDS (chdir ("/tmp") == 0);
  HOLDS (dup2 (0, 40) == 40);
  close (1);
  signal (SIGTERM, SIG_IGN);
  signal (SIGCHLD, SIG_IGN);
  sigfillset (&set);
  sigprocmask (SIG_SETMASK, &set, NULL);
  raise (SIGUSR1);
  raise (SIGRTMIN);
  HOLDS (setitimer (ITIMER_REAL, &soon, NULL) == 0);
  HOLDS (personality (ADDR_NO_RANDOMIZE | UNAME26) >= 0);
  HOLDS (syscall (SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT) ==
         0);

  HOLDS (weir_normalise () == 0);

  HOLDS (environ == NULL || environ[0] == NULL);
  HOLDS (umask (0) == 077);
  HOLDS (fcntl (40, F_GETFD) < 0 && errno == EBADF);
  for (int fd = 0; fd < 3; fd++)
    HOLDS (fstat (fd, &info) == 0 && S_ISCHR (info.st_mode));
  for (int fd = 3; fd < 64; fd++)
    HOLDS (fcntl (fd, F_GETFD) < 0);
  HOLDS (sigprocmask (SIG_SETMASK, NULL, &set) == 0 && sigisemptyset (&set));
  HOLDS (sigpending (&set) == 0 && sigisemptyset (&set));
  for (int number = 1; number < NSIG; number++)
    HOLDS (sigaction (number, NULL, &action) < 0 || action.sa_handler == SIG_DFL);
  HOLDS (getitimer (ITIMER_REAL, &timer) == 0 && timer.it_value.tv_usec == 0);
  HOLDS (getsid (0) == getpid ());
  HOLDS (personality (0xffffffff) == PER_LINUX);
  HOLDS (syscall (SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) >> IOPRIO_CLASS_SHIFT !=
         IOPRIO_CLASS_IDLE);
  return 0;
}

static void
test_everything (void)
{
  g_assert_cmpint (in_child (everything, NULL), ==, 0);
}

static int
limits (void *data)
{
  struct rlimit limit = { 10, 20 };

  HOLDS (setrlimit (RLIMIT_NOFILE, &limit) == 0);
  HOLDS (setgid (1000) == 0 && setuid (1000) == 0);

  HOLDS (weir_normalise_limit (RLIMIT_NOFILE, 15, 15) == 0);
  HOLDS (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 15 && limit.rlim_max == 15);
  HOLDS (weir_normalise_limit (RLIMIT_NOFILE, 18, 15) == 0);
  HOLDS (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 15 && limit.rlim_max == 15);
  HOLDS (weir_normalise_limit (RLIMIT_NOFILE, 18, 16) == -EPERM);
  HOLDS (weir_normalise () == -EMFILE);
  return 0;
}

static void
test_limits (void)
{
  g_assert_cmpint (in_child (limits, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/normalise/everything", test_everything);
  g_test_add_func ("/normalise/limits", test_limits);
  return g_test_run ();
}
