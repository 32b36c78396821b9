/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In the full view this process can read any file and any process's memory: CAP_SYS_PTRACE is what
 * the kernel asks for before it shows where another user's descriptors lead, CAP_DAC_READ_SEARCH
 * opens the directory that lists them.  So it is small, it is given no descriptor but the socket to
 * the meter, and what it can be asked is five questions, of a fixed size, with numbers as their
 * only content.  What keeps it from reading more, should it be taken over, are the layers that
 * CONFINEMENT names as active.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "weir-looker-cgroup.h"
#include "weir-looker-walk.h"
#include "weir-looker.h"

/* For everybody's turn after an urgent question: a hundredth of a processor, and enough at once to
 * look at some hundred processes. */
#define TURNS_PART  100
#define TURNS_BURST UINT64_C (40000000)

struct looker
{
  int fd;
  struct weir_rights *rights; /* NULL: nothing to give up, or not any more */
  bool has_given_up;
  struct weir_walk walk;
  struct weir_cgroups *cgroups;
  struct weir_namespace_walk namespaces;
  struct weir_looker_request request;
  struct weir_looker_answer answer;
};

/* Every answer begins as zeros, so that neither padding nor an earlier answer leaks into it. */
static struct weir_looker_answer *
begin_answer (struct looker *looker, uint32_t verb, uint64_t value)
{
  memset (&looker->answer, 0, sizeof looker->answer);
  looker->answer.verb = verb;
  looker->answer.serial = looker->request.serial;
  looker->answer.value = value;
  return &looker->answer;
}

/* Waits while the meter has not read what is there already; a meter that is gone is -EPIPE. */
static int
send_answer (struct looker *looker)
{
  ssize_t n;

  do
    n = send (looker->fd, &looker->answer, sizeof looker->answer, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : 0;
}

/* The last answer to a request. */
static int
send_end (struct looker *looker, uint32_t unreadable, bool unfinished)
{
  struct weir_looker_answer *answer =
      begin_answer (looker, 0, weir_pace_get_spent (&looker->walk.pace));

  answer->unreadable = unreadable;
  answer->unfinished = unfinished;
  return send_answer (looker);
}

static int
answer_owner (uint64_t inode, const struct weir_owner *owner, void *data)
{
  struct looker *looker = data;
  struct weir_looker_answer *answer = begin_answer (looker, WEIR_LOOKER_OWNERS, inode);

  answer->pid = owner->pid;
  answer->fd = owner->fd;
  answer->start_time = owner->start_time;
  memcpy (answer->comm, owner->comm, sizeof answer->comm);
  memcpy (answer->cgroup, owner->cgroup, sizeof answer->cgroup);
  return send_answer (looker);
}

static int
answer_cgroup (uint64_t id, const char *path, bool unfinished, void *data)
{
  struct looker *looker = data;
  struct weir_looker_answer *answer = begin_answer (looker, WEIR_LOOKER_CGROUPS, id);

  if (path != NULL && strlen (path) < sizeof answer->cgroup)
    memcpy (answer->cgroup, path, strlen (path) + 1);
  answer->unfinished = unfinished;
  return send_answer (looker);
}

static int
compare_wanted (const void *a, const void *b)
{
  const struct weir_wanted *x = a, *y = b;

  return (x->inode > y->inode) - (x->inode < y->inode);
}

static int
look_for_owners (struct looker *looker)
{
  const struct weir_looker_request *request = &looker->request;
  struct weir_wanted wanted[WEIR_LOOKER_BATCH];
  struct weir_walk_result result;
  int r;

  for (uint32_t i = 0; i < request->n_values; i++)
    wanted[i] = (struct weir_wanted) { .inode = request->values[i],
                                       .pid = request->hints[i].pid,
                                       .fd = request->hints[i].fd };
  qsort (wanted, request->n_values, sizeof wanted[0], compare_wanted);
  r = weir_walk_owners (&looker->walk, wanted, request->n_values,
                        (enum weir_looker_depth) request->depth, &result, answer_owner, looker);
  for (uint32_t i = 0; i < request->n_values && r == 0; i++)
    if (!wanted[i].found)
      {
        struct weir_looker_answer *answer =
            begin_answer (looker, WEIR_LOOKER_OWNERS, wanted[i].inode);

        answer->unreadable = result.unreadable;
        answer->unfinished = result.unfinished;
        r = send_answer (looker);
      }
  return r < 0 ? r : send_end (looker, 0, false);
}

static int
look_for_cgroups (struct looker *looker)
{
  int r;

  r = weir_cgroups_find (looker->cgroups, &looker->walk.pace, looker->request.values,
                         looker->request.n_values, answer_cgroup, looker);
  return r < 0 ? r : send_end (looker, 0, false);
}

static int
answer_namespace (const struct weir_seen_namespace *seen, void *data)
{
  struct looker *looker = data;
  struct weir_looker_answer *answer = begin_answer (looker, WEIR_LOOKER_NAMESPACES, seen->inode);

  answer->pid = seen->pid;
  answer->uid = seen->uid;
  answer->start_time = seen->start_time;
  memcpy (answer->comm, seen->comm, sizeof answer->comm);
  return send_answer (looker);
}

static int
look_for_namespaces (struct looker *looker)
{
  struct weir_namespace_walk_result result;
  int r;

  r = weir_looker_find_namespaces (&looker->namespaces, &looker->walk.pace, looker->walk.proc,
                                   &result, answer_namespace, looker);
  return r < 0 ? r : send_end (looker, result.refused, result.unfinished);
}

static int
list_sockets (struct looker *looker)
{
  const struct weir_looker_request *request = &looker->request;
  const struct weir_listed_socket *sockets = looker->namespaces.sockets;
  bool cut = false;
  int n, r = 0;

  if (request->n_values != 2 || request->values[0] > UINT32_MAX || request->values[1] > INT32_MAX)
    return -EPROTO;
  n = weir_looker_list_sockets (&looker->namespaces, &looker->walk.pace, looker->walk.proc,
                                (uint32_t) request->values[0], (uint32_t) request->values[1], &cut);
  if (n == -EPIPE)
    return n;
  for (int sent = 0; sent < n && r == 0;)
    {
      struct weir_looker_answer *answer =
          begin_answer (looker, WEIR_LOOKER_SOCKETS, request->values[0]);

      answer->n_sockets = (uint32_t) (n - sent);
      if (answer->n_sockets > WEIR_LOOKER_SOCKETS_PER_ANSWER)
        answer->n_sockets = WEIR_LOOKER_SOCKETS_PER_ANSWER;
      memcpy (answer->sockets, sockets + sent, answer->n_sockets * sizeof *sockets);
      sent += (int) answer->n_sockets;
      r = send_answer (looker);
    }
  return r < 0 ? r : send_end (looker, n < 0, cut);
}

static int
answer_process (struct looker *looker, uint64_t pid)
{
  struct weir_looker_answer *answer = begin_answer (looker, WEIR_LOOKER_PROCESSES, pid);
  struct weir_owner owner;
  char name[16];
  int process;

  snprintf (name, sizeof name, "%u", (uint32_t) pid);
  process = openat (looker->walk.proc, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (process < 0)
    return send_answer (looker);
  if (weir_describe (looker->walk.described, process, (uint32_t) pid, &owner) == 0)
    {
      answer->pid = owner.pid;
      answer->start_time = owner.start_time;
      memcpy (answer->comm, owner.comm, sizeof answer->comm);
      memcpy (answer->cgroup, owner.cgroup, sizeof answer->cgroup);
      if (!looker->has_given_up)
        (void) weir_looker_read_namespace (process, &answer->netns);
    }
  close (process);
  return send_answer (looker);
}

static int
look_at_processes (struct looker *looker)
{
  const struct weir_looker_request *request = &looker->request;
  int r = 0;

  weir_pace_begin (&looker->walk.pace);
  for (uint32_t i = 0; i < request->n_values && r == 0; i++)
    {
      if (request->values[i] == 0 || request->values[i] > INT32_MAX)
        return -EPROTO;
      r = weir_pace_step (&looker->walk.pace);
      if (r == 0)
        r = answer_process (looker, request->values[i]);
    }
  /* Those without an answer are asked for again. */
  return r < 0 && r != -ETIME ? r : send_end (looker, 0, false);
}

/* 1 with a whole request, 0 at the end of file, -EPROTO for anything that our meter never sends. */
static int
receive (struct looker *looker)
{
  uint8_t *verb = (uint8_t *) &looker->request;
  ssize_t n;

  do
    n = recv (looker->fd, &looker->request, sizeof looker->request, MSG_TRUNC);
  while (n < 0 && errno == EINTR);
  if (n <= 0)
    return n < 0 ? -errno : 0;
  if (n == sizeof *verb && *verb == WEIR_RIGHTS_GIVE_UP)
    {
      const int r =
          weir_rights_obey (&looker->rights, looker->walk.proc, looker->fd, &looker->has_given_up);

      looker->namespaces.blind = looker->has_given_up;
      return r < 0 ? r : receive (looker);
    }
  if (n != sizeof looker->request || looker->request.n_values > WEIR_LOOKER_BATCH)
    return -EPROTO;
  return 1;
}

static int
serve (struct looker *looker)
{
  int r;

  while ((r = receive (looker)) > 0)
    {
      switch (looker->request.verb)
        {
        case WEIR_LOOKER_OWNERS:
          r = look_for_owners (looker);
          break;
        case WEIR_LOOKER_CGROUPS:
          r = look_for_cgroups (looker);
          break;
        case WEIR_LOOKER_NAMESPACES:
          r = look_for_namespaces (looker);
          break;
        case WEIR_LOOKER_SOCKETS:
          r = list_sockets (looker);
          break;
        case WEIR_LOOKER_PROCESSES:
          r = look_at_processes (looker);
          break;
        default:
          r = -EPROTO;
        }
      if (r < 0)
        return r;
    }
  return r;
}

int
weir_looker_serve (int fd, struct weir_rights *rights)
{
  struct looker *looker;
  int r;

  looker = calloc (1, sizeof *looker);
  if (looker == NULL)
    return -ENOMEM;
  looker->fd = fd;
  looker->rights = rights;
  looker->walk.pace.leash = fd;
  weir_allowance_init (&looker->walk.turns, TURNS_PART, TURNS_BURST);
  looker->walk.proc = open ("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  looker->cgroups = weir_cgroups_new ();
  if (looker->walk.proc < 0 || looker->cgroups == NULL)
    r = -ENOMEM;
  else
    r = serve (looker);

  weir_cgroups_free (looker->cgroups);
  if (looker->walk.proc >= 0)
    close (looker->walk.proc);
  free (looker);
  /* A reset is the end of a meter that had not read all answers. */
  return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}
