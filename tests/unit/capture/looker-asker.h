/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A looker in a process of its own, asked as the meter asks it. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir-looker-parse.h"
#include "weir-looker.h"

struct looker
{
  int fd;
  pid_t pid;
  uint32_t serial;
};

static inline void
start (struct looker *looker, uid_t uid)
{
  int ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
  looker->pid = fork ();
  g_assert_cmpint (looker->pid, >=, 0);
  if (looker->pid == 0)
    {
      /* Nothing of the test's own: a looker may find itself. */
      if (dup2 (ends[1], 3) != 3 || close_range (4, ~0U, 0) < 0)
        _exit (98);
      if (setresgid (uid, uid, uid) < 0 || setresuid (uid, uid, uid) < 0)
        _exit (99);
      _exit (weir_looker_serve (3, NULL) == 0 ? 0 : 1);
    }
  close (ends[1]);
  looker->fd = ends[0];
  looker->serial = 100;
}

/* How it ended, within a second. */
static inline int
await_end (struct looker *looker)
{
  int status;

  for (int i = 0; i < 100; i++)
    {
      if (waitpid (looker->pid, &status, WNOHANG) == looker->pid)
        return WIFEXITED (status) ? WEXITSTATUS (status) : 256 + WTERMSIG (status);
      g_usleep (10000);
    }
  kill (looker->pid, SIGKILL);
  waitpid (looker->pid, &status, 0);
  return -1;
}

static inline void
stop (struct looker *looker)
{
  close (looker->fd);
  g_assert_cmpint (await_end (looker), ==, 0);
}

static inline void
setup (struct looker *looker, const void *data)
{
  start (looker, 0);
}

static inline void
teardown (struct looker *looker, const void *data)
{
  stop (looker);
}

/* Asks, and checks the form of what comes back: one answer a value, then the end. */
static inline GArray *
ask_with (struct looker *looker, enum weir_looker_verb verb, enum weir_looker_depth depth,
          const uint64_t *values, const struct weir_looker_hint *hints, uint32_t n_values)
{
  g_autofree struct weir_looker_request *request = g_new0 (struct weir_looker_request, 1);
  GArray *answers = g_array_new (FALSE, FALSE, sizeof (struct weir_looker_answer));

  request->verb = verb;
  request->serial = ++looker->serial;
  request->n_values = n_values;
  for (uint32_t i = 0; i < n_values; i++)
    {
      request->values[i] = values[i];
      if (hints != NULL)
        request->hints[i] = hints[i];
    }
  request->depth = (uint8_t) depth;
  g_assert_cmpint (send (looker->fd, request, sizeof *request, 0), ==, sizeof *request);
  for (;;)
    {
      struct pollfd poll_fd = { .fd = looker->fd, .events = POLLIN };
      struct weir_looker_answer answer;

      g_assert_cmpint (poll (&poll_fd, 1, 5000), ==, 1);
      g_assert_cmpint (recv (looker->fd, &answer, sizeof answer, MSG_TRUNC), ==, sizeof answer);
      g_assert_cmpuint (answer.serial, ==, looker->serial);
      if (answer.verb == 0)
        break;
      g_assert_cmpuint (answer.verb, ==, verb);
      g_array_append_val (answers, answer);
    }
  g_assert_cmpuint (answers->len, ==, n_values);
  return answers;
}

static inline GArray *
ask (struct looker *looker, enum weir_looker_verb verb, const uint64_t *values, uint32_t n_values)
{
  return ask_with (looker, verb, WEIR_LOOKER_WHOLE, values, NULL, n_values);
}

static inline const struct weir_looker_answer *
answer_for (GArray *answers, uint64_t value)
{
  const struct weir_looker_answer *found = NULL;

  for (guint i = 0; i < answers->len; i++)
    {
      const struct weir_looker_answer *answer =
          &g_array_index (answers, struct weir_looker_answer, i);

      if (answer->value == value)
        found = answer;
    }
  g_assert_nonnull (found);
  return found;
}

static inline uint64_t
inode_of (int fd)
{
  struct stat info;

  g_assert_cmpint (fstat (fd, &info), ==, 0);
  return info.st_ino;
}

static inline uint64_t
start_time_of (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;
  uint64_t start_time;
  char comm[16];
  size_t size;

  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  g_assert_cmpint (weir_parse_stat (text, size, comm, &start_time), ==, 0);
  return start_time;
}

/* A process that holds the sockets @fds and nothing else, under another name and uid. */
static inline pid_t
start_holder (const char *name, uid_t uid, const int *fds, size_t n_fds)
{
  int ready[2];
  char byte;
  pid_t pid;

  g_assert_cmpint (pipe (ready), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      for (size_t i = 0; i < n_fds; i++)
        dup2 (fds[i], 40 + (int) i);
      dup2 (ready[1], 39);
      close_range (3, 38, 0);
      if (setresgid (uid, uid, uid) < 0 || setresuid (uid, uid, uid) < 0)
        _exit (1);
      prctl (PR_SET_DUMPABLE, 1);
      prctl (PR_SET_NAME, name);
      if (write (39, "x", 1) != 1)
        _exit (1);
      for (;;)
        pause ();
    }
  close (ready[1]);
  g_assert_cmpint ((int) read (ready[0], &byte, 1), ==, 1);
  close (ready[0]);
  return pid;
}

static inline void
stop_holder (pid_t pid)
{
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

/* Asks again while the looker says that it has not looked everywhere; at most @seconds. */
static inline uint32_t
ask_until_found (struct looker *looker, uint64_t inode, unsigned seconds, unsigned *ret_requests)
{
  const gint64 end = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  uint32_t pid = 0;

  *ret_requests = 0;
  while (pid == 0 && g_get_monotonic_time () < end)
    {
      const gint64 began = g_get_monotonic_time ();
      g_autoptr (GArray) answers = ask (looker, WEIR_LOOKER_OWNERS, &inode, 1);
      const struct weir_looker_answer *answer = answer_for (answers, inode);

      ++*ret_requests;
      pid = answer->pid;
      /* Nothing but a part of the machine is an excuse for not having found it. */
      g_assert_cmpuint (answer->unfinished != 0, ==, pid == 0);
      /* 200 ms of processor time, and as long asleep. */
      g_assert_cmpint (g_get_monotonic_time () - began, <, 2 * G_USEC_PER_SEC);
    }
  return pid;
}
