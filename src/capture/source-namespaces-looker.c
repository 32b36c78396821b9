/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the looker is asked about network namespaces, and what is made of its answers. */
#include <errno.h>
#include <string.h>

#include "source-namespaces.h"
#include "weir-addresses.h"

#define MS UINT64_C (1000000)

/* Between two walks of /proc: so many times what the last one took, so that they have a thousandth
 * of a processor as long as nothing changes.  A walk that is expensive once, as the first is, makes
 * the gap no more than twice as long. */
#define WALK_GAP          (2000 * MS)
#define WALK_GAP_MAX      (30000 * MS)
#define WALK_GAP_PER_COST 1000
/* Between two listings of one namespace ... */
#define LIST_GAP (1000 * MS)
/* ... as far as both together stay below one part in so many of a processor, of which so
 * much may be saved up: many namespaces are listed the more seldom. */
#define SHARE     50
#define SAVED_MAX (40 * MS)
/* What one request takes is much less (weir-looker-pace.h): a looker cannot silence us for long. */
#define MAX_COST (1000 * MS)

/* Walks in a row that must not find a process in a namespace before it counts as left: one may miss
 * a process that was just being made by one that ended. */
#define WALKS_TO_LEAVE 2

/* Of the listed namespaces those in which processes of one user other than root are found first:
 * nobody's many keep all others out. */
#define LISTED_OF_USER_MAX 16

/* ---- walks ---- */

static bool
may_list (const struct weir_namespaces *namespaces, uint32_t uid)
{
  unsigned n = 0;

  if (namespaces->n_listed == WEIR_LISTED_NAMESPACES_MAX)
    return false;
  for (unsigned i = 0; i < namespaces->n; i++)
    n += namespaces->items[i]->sock_diag < 0 && namespaces->items[i]->uid == uid;
  return uid == 0 || n < LISTED_OF_USER_MAX;
}

static bool
is_own_room (const struct weir_namespaces *namespaces, const struct weir_looker_answer *answer)
{
  for (unsigned i = 0; i < WEIR_PROCESSES_MAX; i++)
    {
      if (answer->pid == namespaces->own_pids[i])
        return true;
    }
  return false;
}

static void
see (struct weir_namespaces *namespaces, const struct weir_looker_answer *answer, uint64_t now)
{
  struct weir_namespace *namespace;

  if (answer->value > UINT32_MAX || answer->value == namespaces->join->own.inode ||
      is_own_room (namespaces, answer))
    return;
  namespace = weir_namespaces_find (namespaces, (uint32_t) answer->value);
  /* As long as it is open it cannot be gone, and its marks be another's. */
  if (namespaces->only_opened && (namespace == NULL || namespace->sock_diag < 0))
    return;
  if (namespace == NULL && may_list (namespaces, answer->uid))
    {
      namespace = weir_namespaces_add (namespaces, (uint32_t) answer->value);
      if (namespace != NULL)
        {
          namespaces->n_listed++;
          namespaces->found_new = true;
          namespace->due_at = now;
        }
    }
  if (namespace == NULL)
    {
      namespaces->n_left_out_now++;
      return;
    }
  namespace->seen = namespaces->walk;
  namespace->pid = answer->pid;
  namespace->uid = answer->uid;
  namespace->start_time = answer->start_time;
  memcpy (namespace->comm, answer->comm, sizeof namespace->comm);
  namespace->comm[sizeof namespace->comm - 1] = '\0';
}

/* Lets go of those that nobody is in any more.  A socket keeps its namespace alive by itself, even
 * if its process is elsewhere: then there is something to be seen, and nothing to be gained. */
static void
leave_empty (struct weir_namespaces *namespaces)
{
  for (unsigned i = namespaces->n; i-- > 0;)
    {
      const struct weir_namespace *namespace = namespaces->items[i];

      if (namespaces->walk - namespace->seen >= WALKS_TO_LEAVE &&
          (namespace->sock_diag < 0 || namespace->netns->n_sockets == 0))
        weir_namespaces_remove (namespaces, i);
    }
}

/* Where there is something new, more may follow. */
static uint64_t
choose_gap (const struct weir_namespaces *namespaces)
{
  const uint64_t twice = 2 * namespaces->walk_gap, gap = WALK_GAP_PER_COST * namespaces->walk_cost;

  if (namespaces->found_new || gap < WALK_GAP || twice < WALK_GAP)
    return WALK_GAP;
  if (gap > WALK_GAP_MAX || gap > twice)
    return twice < WALK_GAP_MAX ? twice : WALK_GAP_MAX;
  return gap;
}

static void
end_walk (struct weir_namespaces *namespaces, const struct weir_looker_answer *answer,
          uint64_t cost, uint64_t now)
{
  namespaces->walk_at = now + WALK_GAP;
  namespaces->walk_cost += cost;
  namespaces->n_left_out_now += answer->unreadable;
  /* It goes on where it was left. */
  if (answer->unfinished != 0)
    return;
  namespaces->walk_gap = choose_gap (namespaces);
  namespaces->walk_at = now + namespaces->walk_gap;
  namespaces->walk_cost = 0;
  namespaces->found_new = false;
  leave_empty (namespaces);
  namespaces->walk++;
  /* Who sees only some cannot tell what is missing: that stays what it was. */
  if (!namespaces->only_opened)
    {
      namespaces->n_left_out = namespaces->n_left_out_now;
      namespaces->unfinished = false;
    }
  namespaces->n_left_out_now = 0;
}

/* ---- listings ---- */

static struct weir_socket_reading
read_listed (const struct weir_listed_socket *socket)
{
  struct weir_socket_reading reading = {
    .protocol = socket->protocol,
    .state = socket->state,
    .on_v6_socket = socket->on_v6_socket != 0,
    .cookie = WEIR_LISTED_COOKIE | socket->inode,
    .inode = socket->inode,
    .uid = socket->uid,
  };

  memcpy (reading.local.address, socket->local, sizeof reading.local.address);
  memcpy (reading.remote.address, socket->remote, sizeof reading.remote.address);
  reading.local.port = socket->local_port;
  reading.remote.port = socket->remote_port;
  reading.family = weir_address_is_v4 (reading.remote.address) ? 4 : 6;
  /* It is not told whether a wildcard of version 6 takes version 4, so it is not taken to. */
  reading.v6_only =
      weir_address_is_any (reading.local.address) && !weir_address_is_v4 (reading.local.address);
  return reading;
}

static void
take_listed (struct weir_namespaces *namespaces, const struct weir_looker_answer *answer,
             uint64_t now)
{
  struct weir_namespace *namespace = namespaces->asked_about;

  if (namespace == NULL || namespace->netns->inode != answer->value ||
      answer->n_sockets > WEIR_LOOKER_SOCKETS_PER_ANSWER)
    return;
  for (uint32_t i = 0; i < answer->n_sockets; i++)
    {
      struct weir_socket_reading reading = read_listed (&answer->sockets[i]);

      /* A process may go back and forth, and show what is in our own. */
      if (reading.inode != 0 && !weir_owners_is_own (&namespaces->join->owners, reading.inode))
        weir_join_socket (namespaces->join, namespace->netns, &reading, WEIR_SOCKDIAG_SOCKET, now);
    }
}

static void
end_listing (struct weir_namespaces *namespaces, const struct weir_looker_answer *answer,
             uint64_t now)
{
  struct weir_namespace *namespace = namespaces->asked_about;

  namespaces->asked_about = NULL;
  if (namespace == NULL)
    return;
  namespace->due_at = now + LIST_GAP;
  /* The process that was asked about has gone; the next walk finds another, or nobody. */
  if (answer->unreadable != 0)
    return;
  namespace->cut = answer->unfinished != 0;
  weir_namespaces_complete (namespaces, namespace, now);
}

/* ---- both ---- */

/* Whether there is some time left for us. */
static bool
may_ask (struct weir_namespaces *namespaces, uint64_t now)
{
  if (now > namespaces->saved_at)
    namespaces->saved += (int64_t) ((now - namespaces->saved_at) / SHARE);
  namespaces->saved_at = now;
  if (namespaces->saved > (int64_t) SAVED_MAX)
    namespaces->saved = (int64_t) SAVED_MAX;
  return namespaces->saved > 0;
}

bool
weir_namespaces_ask (struct weir_namespaces *namespaces, struct weir_looker_request *request,
                     uint64_t now)
{
  struct weir_namespace *next = NULL;

  namespaces->asked_about = NULL;
  if (!may_ask (namespaces, now))
    return false;
  if (now >= namespaces->walk_at)
    {
      request->verb = namespaces->asked_verb = WEIR_LOOKER_NAMESPACES;
      return true;
    }
  for (unsigned i = 0; i < namespaces->n; i++)
    {
      struct weir_namespace *namespace = namespaces->items[i];

      if (namespace->sock_diag < 0 && namespace->pid != 0 && namespace->due_at <= now &&
          (next == NULL || namespace->due_at < next->due_at))
        next = namespace;
    }
  if (next == NULL)
    return false;
  request->verb = namespaces->asked_verb = WEIR_LOOKER_SOCKETS;
  request->n_values = 2;
  request->values[0] = next->netns->inode;
  request->values[1] = next->pid;
  namespaces->asked_about = next;
  weir_join_sockets_begin (namespaces->join, next->netns);
  return true;
}

void
weir_namespaces_answer (struct weir_namespaces *namespaces, const struct weir_looker_answer *answer,
                        uint64_t now)
{
  if (answer->verb != namespaces->asked_verb)
    return;
  if (answer->verb == WEIR_LOOKER_NAMESPACES)
    see (namespaces, answer, now);
  else
    take_listed (namespaces, answer, now);
}

void
weir_namespaces_answered (struct weir_namespaces *namespaces,
                          const struct weir_looker_answer *answer, uint64_t now)
{
  const uint32_t verb = namespaces->asked_verb;
  const uint64_t cost = answer->value < MAX_COST ? answer->value : MAX_COST;

  namespaces->asked_verb = 0;
  namespaces->saved -= (int64_t) cost;
  if (verb == WEIR_LOOKER_NAMESPACES)
    end_walk (namespaces, answer, cost, now);
  else if (verb == WEIR_LOOKER_SOCKETS)
    end_listing (namespaces, answer, now);
}

void
weir_namespaces_give_up (struct weir_namespaces *namespaces)
{
  namespaces->only_opened = true;
  namespaces->unfinished |= namespaces->walk < 2;
  for (unsigned i = namespaces->n; i-- > 0;)
    {
      if (namespaces->items[i]->sock_diag >= 0)
        continue;
      /* One without sockets hides nothing. */
      namespaces->n_left_out += namespaces->items[i]->netns->n_sockets > 0;
      weir_namespaces_remove (namespaces, i);
    }
}

void
weir_namespaces_stop (struct weir_namespaces *namespaces)
{
  namespaces->n_left_out += namespaces->n;
  namespaces->asked_verb = 0;
  namespaces->walk_at = UINT64_MAX;
  weir_namespaces_clear (namespaces);
}
