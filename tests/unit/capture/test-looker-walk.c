/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose a socket is when several could be named, and that nobody keeps others from being named. */
#include "config.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "looker-asker.h"

/* Waits for what a child says when it is ready. */
static void
await (int fds[2])
{
  char byte;

  close (fds[1]);
  g_assert_cmpint ((int) read (fds[0], &byte, 1), ==, 1);
  close (fds[0]);
}

static void
say_ready (int fd)
{
  if (write (fd, "x", 1) != 1)
    _exit (1);
}

_Noreturn static void
wait_for_the_end (void)
{
  for (;;)
    pause ();
}

/* 300 processes of one user that share one table of 4000 sockets. */
static pid_t
start_crowd (uid_t uid, bool dumpable)
{
  int ready[2];
  pid_t pid;

  g_assert_cmpint (pipe (ready), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid > 0)
    {
      await (ready);
      return pid;
    }
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (setpgid (0, 0) < 0 || setrlimit (RLIMIT_NOFILE, &(struct rlimit) { 4100, 4100 }) < 0 ||
      setresuid (uid, uid, uid) < 0)
    _exit (1);
  prctl (PR_SET_DUMPABLE, dumpable);
  for (unsigned i = 0; i < 4000; i++)
    if (socket (AF_UNIX, SOCK_STREAM, 0) < 0)
      _exit (1);
  for (unsigned i = 0; i < 300; i++)
    {
      const long one = syscall (SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

      if (one < 0)
        _exit (1);
      if (one == 0)
        wait_for_the_end ();
    }
  say_ready (ready[1]);
  wait_for_the_end ();
}

/* One user's processes take longer than there is time, also when they look like root's.  Another
 * user's socket is found all the same, be its number as large as it may. */
static void
test_fair (struct looker *looker, const void *data)
{
  for (int dumpable = 0; dumpable < 2; dumpable++)
    {
      const pid_t crowd = start_crowd (1001, dumpable);
      int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ready[2];
      const uint64_t inode = inode_of (fd);
      unsigned requests;
      uint32_t found;
      pid_t pid;

      g_assert_cmpint (pipe (ready), ==, 0);
      pid = fork ();
      g_assert_cmpint (pid, >=, 0);
      if (pid == 0)
        {
          prctl (PR_SET_PDEATHSIG, SIGKILL);
          if (dup2 (fd, 900) != 900 || close (fd) < 0 || setresuid (1000, 1000, 1000) < 0)
            _exit (1);
          say_ready (ready[1]);
          wait_for_the_end ();
        }
      await (ready);
      close (fd);
      found = ask_until_found (looker, inode, 20, &requests);
      stop_holder (pid);
      kill (-crowd, SIGKILL);
      g_assert_cmpint (waitpid (crowd, NULL, 0), ==, crowd);
      g_assert_cmpuint (found, ==, pid);
      g_test_message ("found with %u requests", requests);
      g_assert_cmpuint (requests, <=, 2);
    }
}

/* A socket that is inherited belongs to the one that made it, while it holds it. */
static void
test_inherited (struct looker *looker, const void *data)
{
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const uint64_t inode = inode_of (fd);
  pid_t children[3];

  for (unsigned i = 0; i < G_N_ELEMENTS (children); i++)
    {
      int ready[2];

      g_assert_cmpint (pipe (ready), ==, 0);
      children[i] = fork ();
      g_assert_cmpint (children[i], >=, 0);
      if (children[i] == 0)
        {
          prctl (PR_SET_PDEATHSIG, SIGKILL);
          say_ready (ready[1]);
          wait_for_the_end ();
        }
      await (ready);
    }
  for (unsigned depth = WEIR_LOOKER_WHOLE; depth <= WEIR_LOOKER_URGENT; depth++)
    {
      /* Even where a child is asked first. */
      const struct weir_looker_hint hint = { 0, 0 };
      g_autoptr (GArray) answers = NULL;

      if (depth == WEIR_LOOKER_CHECK)
        continue;
      answers = ask_with (looker, WEIR_LOOKER_OWNERS, depth, &inode, &hint, 1);
      g_assert_cmpuint (answer_for (answers, inode)->pid, ==, getpid ());
      g_assert_cmpuint (answer_for (answers, inode)->fd, ==, fd);
    }
  close (fd);
  {
    g_autoptr (GArray) answers = ask (looker, WEIR_LOOKER_OWNERS, &inode, 1);
    struct weir_looker_hint hint = { answer_for (answers, inode)->pid,
                                     answer_for (answers, inode)->fd };

    /* One of the children; and that stays. */
    g_assert_true (hint.pid == (uint32_t) children[0] || hint.pid == (uint32_t) children[1] ||
                   hint.pid == (uint32_t) children[2]);
    for (unsigned i = 0; i < G_N_ELEMENTS (children); i++)
      {
        g_autoptr (GArray) again = NULL;

        hint.pid = (uint32_t) children[i];
        again = ask_with (looker, WEIR_LOOKER_OWNERS, WEIR_LOOKER_CHECK, &inode, &hint, 1);
        g_assert_cmpuint (answer_for (again, inode)->pid, ==, children[i]);
      }
  }
  for (unsigned i = 0; i < G_N_ELEMENTS (children); i++)
    stop_holder (children[i]);
}

/* A check looks nowhere else, and is no proof that there is nobody. */
static void
test_check (struct looker *looker, const void *data)
{
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int other = fcntl (fd, F_DUPFD_CLOEXEC, 600);
  const uint64_t inode = inode_of (fd);
  const struct weir_looker_hint hints[] = { { (uint32_t) getpid (), (uint32_t) other },
                                            { (uint32_t) getpid (), (uint32_t) other + 1 },
                                            { (uint32_t) getpid (), 1 },
                                            { UINT32_MAX, 3 } };

  for (unsigned i = 0; i < G_N_ELEMENTS (hints); i++)
    {
      g_autoptr (GArray) answers =
          ask_with (looker, WEIR_LOOKER_OWNERS, WEIR_LOOKER_CHECK, &inode, &hints[i], 1);
      const struct weir_looker_answer *answer = answer_for (answers, inode);

      g_assert_cmpuint (answer->pid, ==, i == 0 ? getpid () : 0);
      g_assert_cmpuint (answer->unfinished, ==, i != 0);
    }
  close (fd);
  close (other);
}

/* Several sockets of several processes: each is found where it was, whichever order they are asked
 * in, and one that is not there takes no other with it. */
static void
test_check_many (struct looker *looker, const void *data)
{
  int fds[5], gone = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  uint64_t inodes[7];
  struct weir_looker_hint hints[7];
  g_autoptr (GArray) answers = NULL;
  pid_t pid;

  for (unsigned i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      inodes[i] = inode_of (fds[i]);
    }
  pid = start_holder ("holder", 1000, fds, 2);
  for (unsigned i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      /* The holder's are 40 and 41, and this process has them as well. */
      hints[i] = (struct weir_looker_hint) { (uint32_t) (i < 2 ? pid : getpid ()),
                                             (uint32_t) (i < 2 ? 40 + (int) i : fds[i]) };
    }
  inodes[5] = inode_of (gone);
  hints[5] = (struct weir_looker_hint) { (uint32_t) pid, 40 };
  inodes[6] = inodes[1];
  hints[6] = hints[1];
  close (gone);
  answers = ask_with (looker, WEIR_LOOKER_OWNERS, WEIR_LOOKER_CHECK, inodes, hints, 7);
  for (unsigned i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      const struct weir_looker_answer *answer = answer_for (answers, inodes[i]);

      g_assert_cmpuint (answer->pid, ==, hints[i].pid);
      g_assert_cmpuint (answer->fd, ==, hints[i].fd);
      g_assert_cmpuint (answer->start_time, ==, start_time_of ((pid_t) hints[i].pid));
      if (i < 2)
        g_assert_cmpstr (answer->comm, ==, "holder");
    }
  g_assert_cmpuint (answer_for (answers, inodes[5])->pid, ==, 0);
  g_assert_cmpuint (answer_for (answers, inodes[5])->unfinished, !=, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
  stop_holder (pid);
}

/* The number of a process that has ended is another's now. */
static void
test_reused_pid (struct looker *looker, const void *data)
{
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const uint64_t inode = inode_of (fd);
  struct weir_looker_hint hint = { 0, 40 };
  uint64_t start_time;
  pid_t pid;

  pid = start_holder ("first", 0, &fd, 1);
  hint.pid = (uint32_t) pid;
  {
    g_autoptr (GArray) answers =
        ask_with (looker, WEIR_LOOKER_OWNERS, WEIR_LOOKER_CHECK, &inode, &hint, 1);

    start_time = answer_for (answers, inode)->start_time;
    g_assert_cmpuint (start_time, ==, start_time_of (pid));
  }
  close (fd);
  stop_holder (pid);

  /* A clock tick later, so that the start time differs. */
  g_usleep (30000);
  {
    g_autofree char *last = g_strdup_printf ("%d", pid - 1);
    int unrelated = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const uint64_t inodes[] = { inode, inode_of (unrelated) };
    const struct weir_looker_hint hints[] = { hint, hint };
    g_autoptr (GArray) answers = NULL;
    int control = open ("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    pid_t next;

    g_assert_cmpint (control, >=, 0);
    g_assert_cmpint ((int) write (control, last, strlen (last)), ==, (int) strlen (last));
    close (control);
    next = start_holder ("second", 0, &unrelated, 1);
    close (unrelated);
    g_assert_cmpint (next, ==, pid);
    answers = ask_with (looker, WEIR_LOOKER_OWNERS, WEIR_LOOKER_WHOLE, inodes, hints, 2);
    g_assert_cmpuint (answer_for (answers, inode)->pid, ==, 0);
    g_assert_cmpuint (answer_for (answers, inodes[1])->pid, ==, next);
    g_assert_cmpuint (answer_for (answers, inodes[1])->start_time, !=, start_time);
    g_assert_cmpstr (answer_for (answers, inodes[1])->comm, ==, "second");
    stop_holder (next);
  }
}

/* A process that has just begun is where a new socket is looked for first, also after numbers have
 * begun anew. */
static void
test_new_process (struct looker *looker, const void *data)
{
  for (unsigned round = 0; round < 4; round++)
    {
      int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const uint64_t inode = inode_of (fd);
      g_autoptr (GArray) answers = NULL;
      pid_t pid;

      if (round == 2)
        {
          int control = open ("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);

          g_assert_cmpint ((int) write (control, "300", 3), ==, 3);
          close (control);
          g_usleep (30000);
        }
      pid = start_holder ("new", 1000, &fd, 1);
      close (fd);
      answers = ask_with (looker, WEIR_LOOKER_OWNERS, WEIR_LOOKER_URGENT, &inode, NULL, 1);
      g_assert_cmpuint (answer_for (answers, inode)->pid, ==, pid);
      stop_holder (pid);
    }
}

#define ADD(name, func) g_test_add (name, struct looker, NULL, setup, func, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/looker-walk/fair", test_fair);
  ADD ("/looker-walk/inherited", test_inherited);
  ADD ("/looker-walk/check", test_check);
  ADD ("/looker-walk/check-many", test_check_many);
  ADD ("/looker-walk/reused-pid", test_reused_pid);
  ADD ("/looker-walk/new-process", test_new_process);
  return g_test_run ();
}
