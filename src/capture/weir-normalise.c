/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pkexec clears the environment and closes descriptors above 2 at exec.  What it leaves as the
 * caller made it was measured: standard input, output and error, session and controlling terminal,
 * ignored signals and the signal mask, ITIMER_REAL, umask, working directory of a caller that asks
 * to keep it, resource limits, nice value and oom_score_adj.  Each of them is a way for an
 * unprivileged process to steer one that runs as root, so each gets a value of our own here.
 *
 * Personality, priority of input and output and memory policy may be left as well.
 *
 * (timer_create(2) timers and the death signal do not survive the exec of a set-user-id program,
 * nor do the bits of the personality that make exploits easier.  Session keyring, CPU affinity and
 * control group do, and cannot be used for more than slowing down or ending the engine, which the
 * caller may do anyway.)
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

#include "weir-accounting.h"
#include "weir-normalise.h"

/* Standard descriptors may be closed (then the next file that is opened would become standard
 * error) or lead to a file or terminal of the caller.  They are made /dev/null, all three, always.
 */
static int
silence_stdio (void)
{
  struct stat info;
  int fd;

  fd = open ("/dev/null", O_RDWR | O_NOCTTY);
  if (fd < 0 || fstat (fd, &info) < 0)
    return -errno;
  if (!S_ISCHR (info.st_mode) || info.st_rdev != makedev (1, 3))
    return -ENODEV;

  for (int target = STDIN_FILENO; target <= STDERR_FILENO; target++)
    if (fd != target && dup2 (fd, target) != target)
      return -errno;
  return 0;
}

/* A timer of the caller would end us by SIGALRM, SIGVTALRM or SIGPROF at a moment of its choice. */
static int
stop_timers (void)
{
  static const __itimer_which_t timers[] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
  const struct itimerval off = { 0 };
  struct itimerval now;

  for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++)
    {
      if (setitimer (timers[i], &off, NULL) < 0 || getitimer (timers[i], &now) < 0)
        return -errno;
      if (now.it_value.tv_sec != 0 || now.it_value.tv_usec != 0)
        return -EPERM;
    }
  return 0;
}

static int
set_all_dispositions (void (*handler) (int))
{
  struct sigaction action = { .sa_handler = handler };

  for (int number = 1; number < NSIG; number++)
    if (number != SIGKILL && number != SIGSTOP && sigaction (number, &action, NULL) < 0 &&
        errno != EINVAL) /* the C library keeps two real-time signals to itself */
      return -errno;
  return 0;
}

/* Ignored signals would switch off what relies on them; blocked ones may already be pending and
 * would end us when the mask is emptied.  Ignoring a signal discards what is pending of it
 * (signal(7)), so: ignore all, empty the mask, then make all default. */
static int
reset_signals (void)
{
  sigset_t none;
  int r;

  r = set_all_dispositions (SIG_IGN);
  if (r < 0)
    return r;
  if (sigemptyset (&none) < 0 || sigprocmask (SIG_SETMASK, &none, NULL) < 0)
    return -errno;
  return set_all_dispositions (SIG_DFL);
}

int
weir_normalise_limit (int resource, rlim_t want, rlim_t need)
{
  struct rlimit limit = { want, want };
  struct rlimit now;

  if (setrlimit (resource, &limit) < 0)
    {
      /* The hard limit is below and may not be raised: an ordinary user, or a root without
       * CAP_SYS_RESOURCE.  All that is allowed is better than nothing. */
      if (errno != EPERM || getrlimit (resource, &now) < 0)
        return -errno;
      if (now.rlim_max < need)
        return -EPERM;
      limit.rlim_cur = limit.rlim_max = now.rlim_max;
      if (setrlimit (resource, &limit) < 0)
        return -errno;
    }
  if (getrlimit (resource, &now) < 0)
    return -errno;
  return now.rlim_cur == limit.rlim_cur && now.rlim_max == limit.rlim_max ? 0 : -EPERM;
}

/* The caller's limits decide where we run out of something; ours are chosen, and known to the
 * tests. `need` is what the engine cannot start with less of.  Each process lowers them further
 * when it is confined (weir-drop.c). */
static int
set_limits (void)
{
  static const struct
  {
    int resource;
    rlim_t want, need;
    int error;
  } limits[] = {
    { RLIMIT_NOFILE, WEIR_DESCRIPTORS_MAX, 40, -EMFILE },
    { RLIMIT_AS, WEIR_METER_ADDRESS_SPACE, 256 * 1024 * 1024, -ENOMEM },
    { RLIMIT_DATA, RLIM_INFINITY, 256 * 1024 * 1024, -ENOMEM }, /* RLIMIT_AS bounds it */
    { RLIMIT_STACK, 8 * 1024 * 1024, 512 * 1024, -ENOMEM },
    { RLIMIT_CPU, RLIM_INFINITY, 0, -EPERM },
    { RLIMIT_RTTIME, RLIM_INFINITY, 0, -EPERM },
    { RLIMIT_CORE, 0, 0, -EPERM }, /* it would hold what is known of others' processes */
    /* No file is written but the record of accounting, by root. */
    { RLIMIT_FSIZE, WEIR_ACCOUNTING_RECORD_MAX, 0, -EPERM },
    { RLIMIT_MEMLOCK, 0, 0, -EPERM },  /* nothing is locked into memory */
    { RLIMIT_MSGQUEUE, 0, 0, -EPERM }, /* no POSIX message queue is used */
  };

  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
    if (weir_normalise_limit (limits[i].resource, limits[i].want, limits[i].need) < 0)
      return limits[i].error;
  return 0;
}

/* Scheduling that the caller asked for.  All of it is "as far as allowed": an ordinary user may not
 * raise it again, and an engine that is slow or first to be killed is safe. */
static void
set_scheduling (void)
{
  const struct sched_param ordinary = { 0 };
  int fd;

  (void) !sched_setscheduler (0, SCHED_OTHER, &ordinary);
  (void) !setpriority (PRIO_PROCESS, 0, 0);
  (void) !syscall (SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_NONE << IOPRIO_CLASS_SHIFT);
  (void) !syscall (SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
  (void) !personality (PER_LINUX);
  (void) !prctl (PR_SET_TIMERSLACK, 50000, 0, 0, 0); /* ns, the kernel's own default */

  fd = open ("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0)
    {
      (void) !write (fd, "0", 1);
      close (fd);
    }
}

int
weir_normalise (void)
{
  int r;

  r = silence_stdio ();
  if (r < 0)
    return r;

  r = stop_timers ();
  if (r < 0)
    return r;
  r = reset_signals ();
  if (r < 0)
    return r;

  /* A new session has no controlling terminal, so ^C and hang-ups of the caller's do not arrive. It
   * is refused to a process-group leader, which our launcher never makes of us; whoever starts us
   * that way can end us from a terminal, as from everywhere else. */
  if (setsid () < 0 && errno != EPERM)
    return -errno;

  /* Whatever was passed besides the standard three: nobody has a reason to. */
  if (close_range (STDERR_FILENO + 1, ~0U, 0) < 0)
    return -errno;

  r = set_limits ();
  if (r < 0)
    return r;
  set_scheduling ();

  umask (077);
  if (chdir ("/") < 0)
    return -errno;
  if (clearenv () != 0)
    return -ENOMEM;
  return 0;
}
