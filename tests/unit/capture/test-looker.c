/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A looker in a process of its own, asked as the meter asks it. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "in-child.h"
#include "looker-asker.h"
#include "weir-looker-parse.h"
#include "weir-looker.h"

static void
test_own (struct looker *looker, const void *data)
{
  const int kinds[][2] = { { AF_INET, SOCK_STREAM },
                           { AF_INET6, SOCK_STREAM },
                           { AF_INET, SOCK_DGRAM },
                           { AF_INET6, SOCK_DGRAM },
                           { AF_UNIX, SOCK_STREAM } };
  g_autofree char *comm = NULL, *cgroup = NULL;
  uint64_t inodes[G_N_ELEMENTS (kinds)];
  int fds[G_N_ELEMENTS (kinds)];
  GArray *answers;

  for (size_t i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      fds[i] = socket (kinds[i][0], kinds[i][1] | SOCK_CLOEXEC, 0);
      g_assert_cmpint (fds[i], >=, 0);
      inodes[i] = inode_of (fds[i]);
    }
  g_assert_true (g_file_get_contents ("/proc/self/comm", &comm, NULL, NULL));
  g_assert_true (g_file_get_contents ("/proc/self/cgroup", &cgroup, NULL, NULL));
  answers = ask (looker, WEIR_LOOKER_OWNERS, inodes, G_N_ELEMENTS (kinds));
  for (size_t i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      const struct weir_looker_answer *answer = answer_for (answers, inodes[i]);
      char path[WEIR_STRING_MAX + 1] = "";

      g_assert_cmpuint (answer->pid, ==, getpid ());
      g_assert_cmpuint (answer->start_time, ==, start_time_of (getpid ()));
      g_assert_cmpstr (answer->comm, ==, g_strchomp (comm));
      weir_parse_cgroup (cgroup, path, sizeof path);
      g_assert_cmpstr (answer->cgroup, ==, path);
      close (fds[i]);
    }
  g_array_unref (answers);

  /* Nobody holds them any more, though this process is still the first that is looked at. */
  answers = ask (looker, WEIR_LOOKER_OWNERS, inodes, G_N_ELEMENTS (kinds));
  for (size_t i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_assert_cmpuint (answer_for (answers, inodes[i])->pid, ==, 0);
      g_assert_cmpuint (answer_for (answers, inodes[i])->start_time, ==, 0);
      g_assert_cmpstr (answer_for (answers, inodes[i])->comm, ==, "");
    }
  g_array_unref (answers);
}

static void
test_others (struct looker *looker, const void *data)
{
  static const char *const names[] = { ") R 1 (x\n1", "=cmd()|calc", "\xff\xfe\xfd", "(((" };

  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    {
      int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      uint64_t inode = inode_of (fd);
      pid_t pid = start_holder (names[i], 1000 + (uid_t) i, &fd, 1);
      GArray *answers;

      close (fd);
      answers = ask (looker, WEIR_LOOKER_OWNERS, &inode, 1);
      g_assert_cmpuint (answer_for (answers, inode)->pid, ==, pid);
      g_assert_cmpuint (answer_for (answers, inode)->start_time, ==, start_time_of (pid));
      g_assert_cmpstr (answer_for (answers, inode)->comm, ==, names[i]);
      g_array_unref (answers);

      stop_holder (pid);
      answers = ask (looker, WEIR_LOOKER_OWNERS, &inode, 1);
      g_assert_cmpuint (answer_for (answers, inode)->pid, ==, 0);
      g_array_unref (answers);
    }
}

/* A whole batch, most of it unknown, some of it twice. */
static void
test_batch (struct looker *looker, const void *data)
{
  uint64_t values[WEIR_LOOKER_BATCH];
  int fds[8];
  GArray *answers;
  gint64 began;

  for (size_t i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  for (size_t i = 0; i < WEIR_LOOKER_BATCH; i++)
    values[i] = i % 16 == 0   ? inode_of (fds[i / 16 % G_N_ELEMENTS (fds)])
                : i % 16 == 1 ? 0
                              : UINT64_MAX - i * 7919 % 1000;
  began = g_get_monotonic_time ();
  answers = ask (looker, WEIR_LOOKER_OWNERS, values, WEIR_LOOKER_BATCH);
  g_test_message ("one walk took %" G_GINT64_FORMAT " µs", g_get_monotonic_time () - began);
  for (size_t i = 0; i < WEIR_LOOKER_BATCH; i++)
    g_assert_cmpuint (answer_for (answers, values[i])->pid, ==, i % 16 == 0 ? getpid () : 0);
  g_array_unref (answers);
  for (size_t i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);

  g_array_unref (ask (looker, WEIR_LOOKER_OWNERS, values, 0));
}

/* A user's processes that share one large table: what all of them show is endless, but nobody else
 * has to wait for the end of it. */
static void
test_crowd (struct looker *looker, const void *data)
{
  const unsigned n_processes = 300, n_descriptors = 4000;
  struct weir_looker_answer answer;
  unsigned requests;
  int ready[2], fd;
  pid_t crowd, pid;
  uint64_t inode;
  GArray *answers;
  char byte;

  g_assert_cmpint (pipe (ready), ==, 0);
  crowd = fork ();
  g_assert_cmpint (crowd, >=, 0);
  if (crowd == 0)
    {
      struct rlimit limit = { n_descriptors + 100, n_descriptors + 100 };

      prctl (PR_SET_PDEATHSIG, SIGKILL);
      if (setpgid (0, 0) < 0 || setrlimit (RLIMIT_NOFILE, &limit) < 0)
        _exit (1);
      for (unsigned i = 0; i < n_descriptors; i++)
        if (socket (AF_UNIX, SOCK_STREAM, 0) < 0)
          _exit (1);
      for (unsigned i = 0; i < n_processes; i++)
        {
          const long one = syscall (SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

          if (one < 0)
            _exit (1);
          if (one == 0)
            for (;;)
              pause ();
        }
      if (write (ready[1], "x", 1) != 1)
        _exit (1);
      for (;;)
        pause ();
    }
  close (ready[1]);
  g_assert_cmpint ((int) read (ready[0], &byte, 1), ==, 1);
  close (ready[0]);

  /* After them in the order of numbers. */
  fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  inode = inode_of (fd);
  pid = start_holder ("victim", 1000, &fd, 1);
  close (fd);
  g_assert_cmpuint (ask_until_found (looker, inode, 10, &requests), ==, pid);
  g_test_message ("found with %u requests", requests);

  /* What nobody holds is not said to be nobody's while there is so much left to look at. */
  stop_holder (pid);
  answers = ask (looker, WEIR_LOOKER_OWNERS, &inode, 1);
  answer = *answer_for (answers, inode);
  g_array_unref (answers);
  kill (-crowd, SIGKILL);
  g_assert_cmpint (waitpid (crowd, NULL, 0), ==, crowd);
  g_assert_cmpuint (answer.pid, ==, 0);
  g_assert_cmpuint (answer.unfinished, !=, 0);
}

/* A socket whose number is far beyond the first ones. */
static void
test_high_number (struct looker *looker, const void *data)
{
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int high = fcntl (fd, F_DUPFD_CLOEXEC, 900);
  uint64_t inode = inode_of (fd);
  GArray *answers;

  close (fd);
  g_assert_cmpint (high, >=, 900);
  for (int round = 0; round < 2; round++) /* in its turn, then because it was found lately */
    {
      answers = ask (looker, WEIR_LOOKER_OWNERS, &inode, 1);
      g_assert_cmpuint (answer_for (answers, inode)->pid, ==, getpid ());
      g_array_unref (answers);
    }
  close (high);
  answers = ask (looker, WEIR_LOOKER_OWNERS, &inode, 1);
  g_assert_cmpuint (answer_for (answers, inode)->pid, ==, 0);
  g_assert_cmpuint (answer_for (answers, inode)->unfinished, ==, 0);
  g_array_unref (answers);
}

/* In the child: a thread with a table of its own, in which alone there is a socket. */
static gpointer
hold_in_thread (gpointer data)
{
  const int *inode_pipe = data;
  uint64_t inode = 0;
  struct stat info;
  int fd = -1;

  if (unshare (CLONE_FILES) == 0)
    fd = socket (AF_INET, SOCK_STREAM, 0);
  if (fstat (fd, &info) == 0)
    inode = info.st_ino;
  if (write (*inode_pipe, &inode, sizeof inode) != sizeof inode)
    _exit (1);
  for (;;)
    pause ();
  return NULL;
}

static void
test_thread (struct looker *looker, const void *data)
{
  for (int leader_ends = 0; leader_ends < 2; leader_ends++)
    {
      uint64_t inode = 0;
      unsigned requests;
      int ready[2];
      pid_t pid;

      g_assert_cmpint (pipe (ready), ==, 0);
      pid = fork ();
      g_assert_cmpint (pid, >=, 0);
      if (pid == 0)
        {
          prctl (PR_SET_PDEATHSIG, SIGKILL);
          if (g_thread_try_new ("holder", hold_in_thread, &ready[1], NULL) == NULL)
            _exit (1);
          if (leader_ends)
            {
              g_usleep (100000);
              syscall (SYS_exit, 0); /* this thread only */
            }
          for (;;)
            pause ();
        }
      close (ready[1]);
      g_assert_cmpint (read (ready[0], &inode, sizeof inode), ==, sizeof inode);
      close (ready[0]);
      g_assert_cmpuint (inode, !=, 0);
      if (leader_ends)
        g_usleep (200000);
      g_assert_cmpuint (ask_until_found (looker, inode, 5, &requests), ==, pid);
      g_test_message ("found with %u requests", requests);
      stop_holder (pid);
    }
}

/* Without capabilities: processes of others are counted, not guessed at. */
static void
test_limited (void)
{
  struct looker looker;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int other = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const uint64_t inodes[] = { inode_of (fd), inode_of (other) };
  pid_t pid = start_holder ("holder", 1000, &other, 1);
  const struct weir_looker_answer *answer;
  GArray *answers;

  close (other);
  start (&looker, 1000);
  answers = ask (&looker, WEIR_LOOKER_OWNERS, inodes, 2);
  answer = answer_for (answers, inodes[0]);
  g_assert_cmpuint (answer->pid, ==, 0);
  g_assert_cmpuint (answer->unreadable, >, 0);
  g_assert_cmpuint (answer_for (answers, inodes[1])->pid, ==, pid);
  g_array_unref (answers);
  stop (&looker);
  stop_holder (pid);
  close (fd);
}

/* Every group down to some depth, against what stat(2) says. */
static void
collect_groups (const char *mount, const char *path, unsigned depth, GHashTable *groups)
{
  g_autofree char *whole = g_strconcat (mount, path, NULL);
  g_autoptr (GDir) dir = NULL;
  struct stat info;
  const char *name;

  if (g_hash_table_size (groups) == WEIR_LOOKER_BATCH - 2 || lstat (whole, &info) < 0 ||
      !S_ISDIR (info.st_mode))
    return;
  g_hash_table_insert (groups, g_memdup2 (&info.st_ino, sizeof (guint64)),
                       g_strdup (path[0] != '\0' ? path : "/"));
  dir = g_dir_open (whole, 0, NULL);
  while (depth > 0 && dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *below = g_strconcat (path, "/", name, NULL);

      collect_groups (mount, below, depth - 1, groups);
    }
}

static void
test_cgroups (struct looker *looker, const void *data)
{
  g_autoptr (GHashTable) groups =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  uint64_t values[WEIR_LOOKER_BATCH] = { 0, UINT64_MAX - 1 };
  g_autofree char *outer = g_strdup_printf ("/sys/fs/cgroup/weir-test-%d", getpid ());
  g_autofree char *inner = g_strdup_printf ("%s/a \\x2d:b(c", outer);
  GHashTableIter iter;
  gpointer key, path;
  uint32_t n = 2;

  /* Two of our own, empty and for a moment only: a machine may have none but the root. */
  g_assert_cmpint (mkdir (outer, 0755), ==, 0);
  g_assert_cmpint (mkdir (inner, 0755), ==, 0);
  collect_groups ("/sys/fs/cgroup", "", 3, groups);
  g_test_message ("%u groups", g_hash_table_size (groups));
  g_assert_cmpuint (g_hash_table_size (groups), >=, 3);
  g_hash_table_iter_init (&iter, groups);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    values[n++] = *(guint64 *) key;

  /* Twice: from the tree, then from memory. */
  for (int round = 0; round < 2; round++)
    {
      gint64 began = g_get_monotonic_time ();
      g_autoptr (GArray) answers = ask (looker, WEIR_LOOKER_CGROUPS, values, n);

      g_test_message ("took %" G_GINT64_FORMAT " µs", g_get_monotonic_time () - began);
      g_assert_cmpstr (answer_for (answers, 0)->cgroup, ==, "");
      g_assert_cmpstr (answer_for (answers, UINT64_MAX - 1)->cgroup, ==, "");
      g_hash_table_iter_init (&iter, groups);
      while (g_hash_table_iter_next (&iter, &key, &path))
        g_assert_cmpstr (answer_for (answers, *(guint64 *) key)->cgroup, ==, path);
    }
  g_assert_cmpint (rmdir (inner), ==, 0);
  g_assert_cmpint (rmdir (outer), ==, 0);
}

/* Groups within groups, @depth of them, all called @name; the descriptor of the last. */
static int
make_chain (const char *name, unsigned depth, int *fds)
{
  fds[0] = open ("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (unsigned i = 0; i < depth; i++)
    {
      g_assert_cmpint (mkdirat (fds[i], name, 0755), ==, 0);
      fds[i + 1] = openat (fds[i], name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      g_assert_cmpint (fds[i + 1], >=, 0);
    }
  return fds[depth];
}

static void
remove_chain (const char *name, unsigned depth, int *fds)
{
  for (unsigned i = depth; i > 0; i--)
    {
      close (fds[i]);
      g_assert_cmpint (unlinkat (fds[i - 1], name, AT_REMOVEDIR), ==, 0);
    }
  close (fds[0]);
}

/* A path that is too long for the kernel to be told hides nothing but itself. */
static void
test_long_cgroup (struct looker *looker, const void *data)
{
  g_autofree char *filler = g_strnfill (200, 'x');
  g_autofree char *deep = g_strdup_printf ("weir-%d-%s", getpid (), filler);
  g_autofree char *narrow = g_strdup_printf ("weir-%d", getpid ());
  int deep_fds[23], narrow_fds[25];
  uint64_t values[2];
  GArray *answers;

  values[0] = inode_of (make_chain (deep, 22, deep_fds));
  values[1] = inode_of (make_chain (narrow, 24, narrow_fds));
  answers = ask (looker, WEIR_LOOKER_CGROUPS, values, 2);
  remove_chain (deep, 22, deep_fds);
  remove_chain (narrow, 24, narrow_fds);
  g_assert_cmpstr (answer_for (answers, values[0])->cgroup, ==, "");
  g_assert_cmpuint (answer_for (answers, values[0])->unfinished, ==, 0);
  g_assert_true (g_str_has_prefix (answer_for (answers, values[1])->cgroup + 1, narrow));
  g_array_unref (answers);
}

static void
test_malformed (void)
{
  static const struct
  {
    size_t size;
    uint32_t verb, n_values;
  } requests[] = {
    { 1, WEIR_LOOKER_OWNERS, 0 },
    { sizeof (struct weir_looker_request) - 1, WEIR_LOOKER_OWNERS, 0 },
    { sizeof (struct weir_looker_request) + 8, WEIR_LOOKER_OWNERS, 0 },
    { sizeof (struct weir_looker_request), WEIR_LOOKER_OWNERS, WEIR_LOOKER_BATCH + 1 },
    { sizeof (struct weir_looker_request), WEIR_LOOKER_CGROUPS, UINT32_MAX },
    { sizeof (struct weir_looker_request), 0, 1 },
    { sizeof (struct weir_looker_request), WEIR_LOOKER_SOCKETS, 1 },
    { sizeof (struct weir_looker_request), 1000, 1 },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      g_autofree struct weir_looker_request *request = g_malloc0 (sizeof *request + 8);
      struct looker looker;

      start (&looker, 0);
      request->verb = requests[i].verb;
      request->n_values = requests[i].n_values;
      g_assert_cmpint (send (looker.fd, request, requests[i].size, 0), ==, requests[i].size);
      g_assert_cmpint (await_end (&looker), ==, 1);
      close (looker.fd);
    }
}

/* A meter that goes away in the middle of an answer, or does not read any. */
static void
test_gone (void)
{
  g_autofree struct weir_looker_request *request = g_new0 (struct weir_looker_request, 1);
  struct looker looker;

  request->verb = WEIR_LOOKER_OWNERS;
  request->n_values = WEIR_LOOKER_BATCH;
  start (&looker, 0);
  for (int i = 0; i < 4; i++)
    g_assert_cmpint (send (looker.fd, request, sizeof *request, 0), ==, sizeof *request);
  g_usleep (50000);
  stop (&looker);
}

#define ADD(name, func) g_test_add (name, struct looker, NULL, setup, func, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/looker/own", test_own);
  ADD ("/looker/others", test_others);
  ADD ("/looker/batch", test_batch);
  ADD ("/looker/crowd", test_crowd);
  ADD ("/looker/high-number", test_high_number);
  ADD ("/looker/thread", test_thread);
  ADD ("/looker/cgroups", test_cgroups);
  ADD ("/looker/cgroups/long", test_long_cgroup);
  g_test_add_func ("/looker/limited", test_limited);
  g_test_add_func ("/looker/malformed", test_malformed);
  g_test_add_func ("/looker/gone", test_gone);
  return g_test_run ();
}
