/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The record and its lock, step by step; each test in a network namespace of its own, so that the
 * setting is the kernel's and nobody else's. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "in-child.h"
#include "weir-accounting.h"
#include "weir-clock.h"
#include "weir-fork.h"
#include "weir-open.h"

#define NETNS 77

struct fixture
{
  char *run, *record;
  int setting; /* of the test's own */
  int home;    /* the network namespace before */
};

static void
set (struct fixture *fixture, const char *value)
{
  g_assert_cmpint (pwrite (fixture->setting, value, 1, 0), ==, 1);
}

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  fixture->home = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (fixture->home, >=, 0);
  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  fixture->setting = open (WEIR_ACCOUNTING_PATH, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fixture->setting, >=, 0);
  set (fixture, "0");
  fixture->run = g_dir_make_tmp (NULL, NULL);
  g_assert_cmpint (g_chmod (fixture->run, 0755), ==, 0);
  fixture->record = g_build_filename (fixture->run, "weir", "accounting-77", NULL);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  g_autofree char *weir = g_path_get_dirname (fixture->record);

  g_unlink (fixture->record);
  g_rmdir (weir);
  g_assert_cmpint (g_rmdir (fixture->run), ==, 0);
  g_free (fixture->run);
  g_free (fixture->record);
  close (fixture->setting);
  g_assert_cmpint (setns (fixture->home, CLONE_NEWNET), ==, 0);
  close (fixture->home);
}

static int
value (struct fixture *fixture)
{
  return weir_accounting_read (fixture->setting);
}

static goffset
size (struct fixture *fixture)
{
  struct stat info;

  g_assert_cmpint (g_stat (fixture->record, &info), ==, 0);
  return info.st_size;
}

static struct weir_accounting
join (struct fixture *fixture)
{
  struct weir_accounting accounting;

  g_assert_cmpint (weir_accounting_open (fixture->run, NETNS, UINT64_MAX, &accounting), ==, 0);
  return accounting;
}

static void
test_alone (struct fixture *fixture, gconstpointer data)
{
  struct weir_accounting accounting = join (fixture);
  struct stat info;

  g_assert_cmpint (value (fixture), ==, 0);
  g_assert_cmpint (size (fixture), >, 0);
  g_assert_cmpint (fstat (accounting.record, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);
  g_assert_cmpint (fcntl (accounting.record, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (fcntl (accounting.setting, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (weir_accounting_switch_on (&accounting), ==, 0);
  g_assert_cmpint (value (fixture), ==, 1);

  g_assert_cmpint (weir_accounting_leave (&accounting), ==, 1);
  g_assert_cmpint (value (fixture), ==, 0);
  g_assert_cmpint (size (fixture), ==, 0);
  /* Again, as the twin does. */
  g_assert_cmpint (weir_accounting_leave (&accounting), ==, 0);
  weir_accounting_close (&accounting);
  g_assert_cmpint (accounting.setting, ==, -1);
  weir_accounting_close (&accounting);
}

/* Shares are those of files opened, not of descriptors: a fork has the same. */
static void
test_shares (struct fixture *fixture, gconstpointer data)
{
  struct weir_accounting first = join (fixture), second = join (fixture), third;

  g_assert_cmpint (weir_accounting_switch_on (&first), ==, 0);
  g_assert_cmpint (weir_accounting_switch_on (&second), ==, 0);
  g_assert_cmpint (weir_accounting_leave (&first), ==, 0);
  g_assert_cmpint (value (fixture), ==, 1);

  third = join (fixture);
  g_assert_cmpint (weir_accounting_leave (&second), ==, 0);
  g_assert_cmpint (value (fixture), ==, 1);
  /* Who has left is not asked any more, and takes nothing away from who has not. */
  g_assert_cmpint (weir_accounting_leave (&first), ==, 0);
  g_assert_cmpint (value (fixture), ==, 1);
  g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS), ==, 0);
  g_assert_cmpint (value (fixture), ==, 1);
  g_assert_cmpint (weir_accounting_leave (&third), ==, 1);
  g_assert_cmpint (value (fixture), ==, 0);
  weir_accounting_close (&first);
  weir_accounting_close (&second);
  weir_accounting_close (&third);
}

static void
test_on_already (struct fixture *fixture, gconstpointer data)
{
  struct weir_accounting accounting;

  set (fixture, "1");
  accounting = join (fixture);
  g_assert_cmpint (accounting.setting, ==, -1);
  g_assert_cmpint (accounting.record, ==, -1);
  g_assert_cmpint (size (fixture), ==, 0);
  g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS), ==, 0);
  g_assert_cmpint (value (fixture), ==, 1);
}

/* All are gone without a word. */
static void
leave_behind (struct fixture *fixture)
{
  struct weir_accounting accounting = join (fixture);

  g_assert_cmpint (weir_accounting_switch_on (&accounting), ==, 0);
  weir_accounting_close (&accounting);
  g_assert_cmpint (value (fixture), ==, 1);
  g_assert_cmpint (size (fixture), >, 0);
}

static void
test_repair (struct fixture *fixture, gconstpointer data)
{
  struct weir_accounting accounting;

  g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS), ==, 0);
  g_assert_cmpint (access (fixture->record, F_OK), <, 0);

  leave_behind (fixture);
  g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS + 1), ==, 0);
  g_assert_cmpint (value (fixture), ==, 1);
  g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS), ==, WEIR_ACCOUNTING_PUT_BACK);
  g_assert_cmpint (value (fixture), ==, 0);
  g_assert_cmpint (size (fixture), ==, 0);
  g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS), ==, 0);

  /* Changed by somebody, so it is theirs. */
  leave_behind (fixture);
  set (fixture, "0");
  g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS), ==, 0);
  g_assert_cmpint (size (fixture), ==, 0);

  /* The next user of it takes it over. */
  leave_behind (fixture);
  accounting = join (fixture);
  g_assert_cmpint (accounting.setting, >=, 0);
  g_assert_cmpint (weir_accounting_leave (&accounting), ==, 1);
  g_assert_cmpint (value (fixture), ==, 0);
  weir_accounting_close (&accounting);
}

/* Killed between any two steps of ours; what is left is a record, a setting, or both. */
static void
test_half_way (struct fixture *fixture, gconstpointer data)
{
  struct weir_accounting accounting = join (fixture);

  weir_accounting_close (&accounting);
  g_assert_cmpint (size (fixture), >, 0);
  g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS), ==, 0);
  g_assert_cmpint (value (fixture), ==, 0);
  g_assert_cmpint (size (fixture), ==, 0);

  accounting = join (fixture);
  weir_accounting_close (&accounting);
  accounting = join (fixture);
  g_assert_cmpint (weir_accounting_switch_on (&accounting), ==, 0);
  g_assert_cmpint (weir_accounting_leave (&accounting), ==, 1);
  weir_accounting_close (&accounting);
}

/* Every byte of the record counts. */
static void
test_forged (struct fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  gsize length;

  leave_behind (fixture);
  g_assert_true (g_file_get_contents (fixture->record, &text, &length, NULL));
  g_assert_cmpuint (length, <, WEIR_ACCOUNTING_RECORD_MAX);
  for (gsize i = 0; i <= length; i++)
    {
      g_autofree char *forged = g_memdup2 (text, length + 1);
      int fd = open (fixture->record, O_WRONLY | O_TRUNC);

      /* One byte other, torn before it, or one too many. */
      if (i < length)
        forged[i] ^= 1;
      g_assert_cmpint (write (fd, forged, i < length ? length : length + 1), >, 0);
      close (fd);
      g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS), ==, WEIR_ACCOUNTING_NOT_OURS);
      g_assert_cmpint (value (fixture), ==, 1);
      g_assert_cmpint (size (fixture), ==, 0);

      fd = open (fixture->record, O_WRONLY | O_TRUNC);
      if (i > 0 && i < length)
        g_assert_cmpint (write (fd, text, i), ==, (gssize) i);
      close (fd);
      g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS), ==,
                       i > 0 && i < length ? WEIR_ACCOUNTING_NOT_OURS
                                           : WEIR_ACCOUNTING_NOTHING_TO_DO);
      g_assert_cmpint (value (fixture), ==, 1);
      g_assert_cmpint (size (fixture), ==, 0);
    }
}

/* Namespaces are told apart even where a number is given again. */
static void
test_other_namespace (struct fixture *fixture, gconstpointer data)
{
  int setting;

  leave_behind (fixture);
  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  setting = open (WEIR_ACCOUNTING_PATH, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (pwrite (setting, "1", 1, 0), ==, 1);
  g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS), ==, WEIR_ACCOUNTING_NOT_OURS);
  g_assert_cmpint (weir_accounting_read (setting), ==, 1);
  g_assert_cmpint (size (fixture), ==, 0);
  close (setting);
}

/* Twenty processes at once, some of which end without leaving: whoever comes last finds it off. */
static void
test_crowd (struct fixture *fixture, gconstpointer data)
{
  int status;

  for (int i = 0; i < 20; i++)
    {
      pid_t pid = fork ();

      g_assert_cmpint (pid, >=, 0);
      if (pid > 0)
        continue;
      for (int round = 0; round < 20; round++)
        {
          struct weir_accounting accounting;

          if (weir_accounting_open (fixture->run, NETNS, UINT64_MAX, &accounting) != 0 ||
              accounting.setting < 0 || weir_accounting_switch_on (&accounting) != 0)
            _exit (1);
          /* While anybody has a share, nobody puts it back. */
          for (int look = 0; look < 10; look++)
            if (weir_accounting_read (accounting.setting) != 1)
              _exit (2);
          if ((i + round) % 7 != 0)
            weir_accounting_leave (&accounting);
          weir_accounting_close (&accounting);
          if (i % 5 == 0 && weir_accounting_repair (fixture->run, NETNS) < 0)
            _exit (3);
        }
      _exit (0);
    }
  for (int i = 0; i < 20; i++)
    {
      g_assert_cmpint (wait (&status), >, 0);
      g_assert_cmpint (status, ==, 0);
    }
  g_assert_cmpint (weir_accounting_repair (fixture->run, NETNS), >=, 0);
  g_assert_cmpint (value (fixture), ==, 0);
  g_assert_cmpint (size (fixture), ==, 0);
}

/* A start of which the twin cannot give up its user, so that nobody comes to switch it on. */
static int
start_with_bad_twin (void *data)
{
  struct fixture *fixture = data;
  const struct weir_caller caller = { .uid = 1000, .elevated = true, .accounting = true };
  const struct weir_users users = { .helper = { .uid = (uid_t) -1 } };
  struct weir_meter_setup setup = { .fds = { .client = -1 } };
  struct weir_accounting accounting;
  int error;

  HOLDS (weir_accounting_open (fixture->run, NETNS, UINT64_MAX, &accounting) == 0);
  HOLDS (size (fixture) > 0);
  setup.fds.accounting = open (WEIR_ACCOUNTING_PATH, O_RDONLY | O_CLOEXEC);
  setup.fds.conntrack_dump = weir_open_netlink (NETLINK_NETFILTER, 65536, NULL, 0, &error);
  HOLDS (setup.fds.accounting >= 0 && setup.fds.conntrack_dump >= 0);
  return weir_fork (&caller, &users, &setup, &accounting, UINT64_MAX);
}

static void
test_bad_twin (struct fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (in_child (start_with_bad_twin, fixture), ==, WEIR_EXIT_CONFINEMENT);
  g_assert_cmpint (value (fixture), ==, 0);
  g_assert_cmpint (size (fixture), ==, 0);
}

/* Somebody else has the lock for as long as he likes. */
static void
test_held (struct fixture *fixture, gconstpointer data)
{
  struct weir_accounting accounting = join (fixture), other;
  uint64_t began;

  g_assert_cmpint (flock (accounting.record, LOCK_EX | LOCK_NB), ==, 0);
  began = weir_clock_now ();
  g_assert_cmpint (weir_accounting_open (fixture->run, NETNS, began, &other), ==, -EBUSY);
  g_assert_cmpuint (weir_clock_now () - began, <, UINT64_C (500000000));
  g_assert_cmpint (weir_accounting_leave (&accounting), ==, 0);
  weir_accounting_close (&accounting);
}

/* A caller's limit would end us by a signal. */
static void
test_limited (struct fixture *fixture, gconstpointer data)
{
  const struct rlimit small = { 10, RLIM_INFINITY };
  struct rlimit before;
  struct weir_accounting accounting;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_cmpint (weir_accounting_open (fixture->run, NETNS, UINT64_MAX, &accounting), ==, -EFBIG);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_cmpint (value (fixture), ==, 0);
}

static void
test_wait (void)
{
  int ends[2];
  pid_t pid;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      close (ends[0]);
      weir_accounting_wait (ends[1]);
      _exit (7);
    }
  close (ends[1]);
  g_assert_cmpint (waitpid (pid, NULL, WNOHANG), ==, 0);
  close (ends[0]);
  int status;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (WEXITSTATUS (status), ==, 7);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/accounting/" name, struct fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("alone", test_alone);
  ADD ("shares", test_shares);
  ADD ("on-already", test_on_already);
  ADD ("repair", test_repair);
  ADD ("half-way", test_half_way);
  ADD ("forged", test_forged);
  ADD ("other-namespace", test_other_namespace);
  ADD ("crowd", test_crowd);
  ADD ("limited", test_limited);
  ADD ("bad-twin", test_bad_twin);
  ADD ("held", test_held);
  g_test_add_func ("/accounting/wait", test_wait);
  return g_test_run ();
}
