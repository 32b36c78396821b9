/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source-namespaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weir-namespace-addresses.h"

#define MS UINT64_C (1000000)

/* How long one may take for its turn: the largest tables take a second, on a busy machine some. One
 * that took longer has no turn for a while, so that what cannot end costs little. */
#define PATIENCE (5000 * MS)
#define PAUSE    (60000 * MS)

/* A dump that took very long is not owed for ever: for so many ticks at most. */
#define DEBT_TICKS 120
/* Turns that one has whatever it costs: before, next to nothing is known of its sockets. */
#define FREE_TURNS 2

struct reading
{
  struct weir_namespaces *namespaces;
  struct weir_namespace *namespace;
  unsigned budget;
  uint64_t now;
};

/* ---- which there are ---- */

struct weir_namespace *
weir_namespaces_find (const struct weir_namespaces *namespaces, uint32_t inode)
{
  for (unsigned i = 0; i < namespaces->n; i++)
    {
      if (namespaces->items[i]->netns->inode == inode)
        return namespaces->items[i];
    }
  return NULL;
}

struct weir_namespace *
weir_namespaces_add (struct weir_namespaces *namespaces, uint32_t inode)
{
  struct weir_namespace *namespace;

  if (namespaces->n == WEIR_OTHER_NETNS_MAX)
    return NULL;
  namespace = calloc (1, sizeof *namespace);
  if (namespace == NULL)
    return NULL;
  namespace->netns = weir_join_add_netns (namespaces->join, inode);
  if (namespace->netns == NULL)
    {
      free (namespace);
      return NULL;
    }
  namespace->sock_diag = namespace->sock_events = namespace->route = -1;
  namespace->seen = namespaces->walk;
  namespaces->items[namespaces->n++] = namespace;
  return namespace;
}

static void
close_all (struct weir_namespace *namespace)
{
  int *const fds[] = { &namespace->sock_diag, &namespace->sock_events, &namespace->route };

  for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
    {
      if (*fds[i] >= 0)
        close (*fds[i]);
      *fds[i] = -1;
    }
}

void
weir_namespaces_remove (struct weir_namespaces *namespaces, unsigned number)
{
  struct weir_namespace *namespace = namespaces->items[number];

  if (namespaces->running && number == namespaces->turn)
    namespaces->running = false;
  if (namespaces->asked_about == namespace)
    namespaces->asked_about = NULL;
  if (namespace->sock_diag >= 0)
    namespaces->n_opened--;
  else
    namespaces->n_listed--;
  if (namespaces->left > namespaces->n_opened)
    namespaces->left = namespaces->n_opened;
  close_all (namespace);
  weir_join_remove_netns (namespaces->join, namespace->netns);
  free (namespace);
  namespaces->n--;
  memmove (&namespaces->items[number], &namespaces->items[number + 1],
           (namespaces->n - number) * sizeof namespaces->items[0]);
  /* Whose turn it is stays the same. */
  if (number < namespaces->turn)
    namespaces->turn--;
}

void
weir_namespaces_init (struct weir_namespaces *namespaces, struct weir_join *join,
                      const struct weir_opened_namespaces *opened)
{
  *namespaces = (struct weir_namespaces) {
    .join = join,
    .walk = 1,
    .n_left_out = opened->n_left_out,
    .unfinished = opened->unfinished,
  };
  for (uint32_t i = 0; i < opened->n; i++)
    {
      const struct weir_opened_namespace *from = &opened->items[i];
      struct weir_namespace *namespace = weir_namespaces_add (namespaces, from->inode);

      if (namespace == NULL)
        {
          struct weir_namespace refused = { .sock_diag = from->sock_diag,
                                            .sock_events = from->sock_events,
                                            .route = from->route };

          close_all (&refused);
          namespaces->n_left_out++;
          continue;
        }
      namespace->sock_diag = from->sock_diag;
      weir_sockdiag_init (&namespace->diag, from->sock_diag);
      namespace->sock_events = from->sock_events;
      namespace->route = from->route;
      namespace->addresses_stale = from->route >= 0;
      memcpy (namespace->name, from->name, sizeof namespace->name);
      namespaces->n_opened++;
    }
}

void
weir_namespaces_clear (struct weir_namespaces *namespaces)
{
  while (namespaces->n > 0)
    weir_namespaces_remove (namespaces, namespaces->n - 1);
}

/* ---- reading ---- */

static int
begin_sockets (struct weir_namespaces *namespaces, struct weir_namespace *namespace)
{
  namespaces->step = WEIR_NAMESPACES_SOCKETS;
  if (namespace->n_turns < FREE_TURNS)
  namespace->n_turns++;
  weir_join_sockets_begin (namespaces->join, namespace->netns);
  return weir_sockdiag_start (&namespace->diag);
}

static int
begin (struct weir_namespaces *namespaces, struct weir_namespace *namespace)
{
  /* It took too long the last time: the kernel begins no other dump before this one has ended. */
  if (namespace->diag.running)
    {
      namespaces->step = WEIR_NAMESPACES_SOCKETS;
      return 0;
    }
  if (namespace->route >= 0 && weir_namespace_addresses_changed (namespace->route))
  namespace->addresses_stale = true;
  if (!namespace->addresses_stale)
    return begin_sockets (namespaces, namespace);
  namespaces->step = WEIR_NAMESPACES_ADDRESSES;
  return weir_namespace_addresses_ask (namespace->route, ++namespaces->sequence,
                                       &namespace->netns->addresses);
}

/* Whether one is read at this tick even if there is no time for it. */
static bool
has_to_read (const struct weir_namespaces *namespaces)
{
  if (!namespaces->owes)
    return true;
  for (unsigned i = 0; i < namespaces->n; i++)
    {
      if (namespaces->items[i]->sock_diag >= 0 && namespaces->items[i]->n_turns < FREE_TURNS)
        return true;
    }
  return false;
}

/* The next one, if there is one and it may still cost something. */
static void
go_on (struct weir_namespaces *namespaces, const struct weir_moment *now)
{
  namespaces->running = false;
  namespaces->turn_began = now->awake;
  while (namespaces->left > 0 &&
         (namespaces->spent < namespaces->budget ||
          (namespaces->left == namespaces->n_opened && has_to_read (namespaces))))
    {
      struct weir_namespace *namespace;
      int result;

      namespaces->turn = (namespaces->turn + 1) % namespaces->n;
      namespace = namespaces->items[namespaces->turn];
      if (namespace->sock_diag < 0)
        continue;
      namespaces->left--;
      if (now->awake < namespace->pause_until)
        continue;
      result = begin (namespaces, namespace);
      namespaces->running = result == 0;
      if (namespaces->running)
        return;
      namespace->error = -result;
    }
}

/* Whether the one that runs has used up its time, and was told to pause. */
static bool
has_paused (struct weir_namespaces *namespaces, const struct weir_moment *now)
{
  struct weir_namespace *namespace = namespaces->items[namespaces->turn];

  if (now->awake - namespaces->turn_began < PATIENCE)
    return false;
  namespace->error = ETIMEDOUT;
  namespace->pause_until = now->awake + PAUSE;
  /* Connections that have ended are not kept waiting for what a dump says that may never end. */
  if (namespaces->step == WEIR_NAMESPACES_SOCKETS)
    weir_join_give_up_endings (namespaces->join, namespace->netns);
  namespaces->running = false;
  return true;
}

void
weir_namespaces_start (struct weir_namespaces *namespaces, uint64_t budget, bool owes,
                       const struct weir_moment *now)
{
  const uint64_t debt_max = DEBT_TICKS * budget;

  namespaces->debt -= namespaces->debt < budget ? namespaces->debt : budget;
  if (namespaces->debt > debt_max)
    namespaces->debt = debt_max;
  namespaces->budget = budget;
  namespaces->owes = owes;
  namespaces->spent = owes ? namespaces->debt : 0;
  namespaces->left = namespaces->n_opened;
  /* One that takes longer than a tick is not begun anew. */
  if (namespaces->running && !has_paused (namespaces, now))
    namespaces->left--;
  else
    go_on (namespaces, now);
}

void
weir_namespaces_spend (struct weir_namespaces *namespaces, uint64_t cpu)
{
  namespaces->spent += cpu;
  namespaces->debt += cpu;
}

void
weir_namespaces_spend_on_events (struct weir_namespaces *namespaces, uint64_t cpu)
{
  namespaces->spent += cpu;
}

unsigned
weir_namespaces_poll (const struct weir_namespaces *namespaces,
                      struct pollfd polled[WEIR_NAMESPACES_POLLED_MAX])
{
  unsigned n = 2;

  polled[0] = polled[1] = (struct pollfd) { .fd = -1, .events = POLLIN };
  if (namespaces->running && namespaces->step == WEIR_NAMESPACES_SOCKETS)
    polled[0].fd = namespaces->items[namespaces->turn]->sock_diag;
  if (namespaces->running && namespaces->step == WEIR_NAMESPACES_ADDRESSES)
    polled[1].fd = namespaces->items[namespaces->turn]->route;
  for (unsigned i = 0; i < namespaces->n && n < WEIR_NAMESPACES_POLLED_MAX; i++)
    {
      if (namespaces->items[i]->sock_events >= 0)
        polled[n++] = (struct pollfd) { .fd = namespaces->items[i]->sock_events, .events = POLLIN };
    }
  return n;
}

static void
take_socket (const struct weir_socket_reading *socket, enum weir_sockdiag_event event, void *data)
{
  const struct reading *reading = data;

  weir_join_socket (reading->namespaces->join, reading->namespace->netns, socket, event,
                    reading->now);
}

static bool
read_events (struct weir_namespaces *namespaces, struct weir_namespace *namespace, unsigned budget,
             uint64_t now)
{
  struct reading reading = { .namespaces = namespaces, .namespace = namespace, .now = now };
  int result;

  if (namespace->sock_events < 0)
    return false;
  result = weir_sockdiag_read_events (namespace->sock_events, budget, take_socket, &reading,
                                      &namespace->losses);
  if (result < 0)
    {
      close (namespace->sock_events);
      namespace->sock_events = -1;
      namespace->events_error = -result;
    }
  return result > 0;
}

bool
weir_namespaces_read_events (struct weir_namespaces *namespaces, const struct pollfd *polled,
                             unsigned n_polled, unsigned budget, uint64_t now)
{
  bool more = false;
  unsigned n = 2;

  for (unsigned i = 0; i < namespaces->n && n < n_polled; i++)
    {
      struct weir_namespace *namespace = namespaces->items[i];

      if (namespace->sock_events < 0 || polled[n].fd != namespace->sock_events)
        continue;
      if (polled[n++].revents != 0)
        more = read_events (namespaces, namespace, budget, now) || more;
    }
  return more;
}

/* Between receiving a part of a dump and believing it, as in weir-meter-read.c: events that are
 * queued are newer than it or as new. */
static void
read_events_first (void *data)
{
  const struct reading *reading = data;

  (void) read_events (reading->namespaces, reading->namespace, reading->budget, reading->now);
}

void
weir_namespaces_complete (struct weir_namespaces *namespaces, struct weir_namespace *namespace,
                          uint64_t now)
{
  weir_join_sockets_complete (namespaces->join, namespace->netns);
  namespace->read_before = namespace->netns->read_at;
  namespace->netns->read_at = now;
  namespace->error = 0;
}

static void
read_addresses (struct weir_namespaces *namespaces, struct weir_namespace *namespace,
                const struct weir_moment *now)
{
  int result = weir_namespace_addresses_read (namespace->route, namespaces->sequence,
                                              &namespace->netns->addresses);

  if (result == 0 && !has_paused (namespaces, now))
    return;
  if (result == 0)
    {
      go_on (namespaces, now);
      return;
    }
  /* Asked for again at its next turn, unless it went well; its sockets are read all the same. */
  namespace->addresses_stale = result < 0;
  result = begin_sockets (namespaces, namespace);
  if (result == 0)
    return;
  namespace->error = -result;
  go_on (namespaces, now);
}

void
weir_namespaces_read (struct weir_namespaces *namespaces, unsigned budget,
                      const struct weir_moment *now)
{
  struct reading reading = { .namespaces = namespaces, .budget = budget, .now = now->boot };

  if (!namespaces->running)
    return;
  reading.namespace = namespaces->items[namespaces->turn];
  if (namespaces->step == WEIR_NAMESPACES_ADDRESSES)
    {
      read_addresses (namespaces, reading.namespace, now);
      return;
    }
  if (weir_sockdiag_read (&reading.namespace->diag, budget, read_events_first, take_socket,
                          &reading) == 0)
    {
      if (has_paused (namespaces, now))
        go_on (namespaces, now);
      return;
    }
  if (reading.namespace->diag.error == 0)
    weir_namespaces_complete (namespaces, reading.namespace, now->boot);
  else
    reading.namespace->error = reading.namespace->diag.error;
  go_on (namespaces, now);
}

/* ---- publishing ---- */

bool
weir_namespaces_is_incomplete (const struct weir_namespaces *namespaces)
{
  if (namespaces->n_left_out > 0 || namespaces->unfinished)
    return true;
  for (unsigned i = 0; i < namespaces->n; i++)
    {
      const struct weir_namespace *namespace = namespaces->items[i];

      /* One without sockets hides nothing, even if nobody can look into it. */
      if (namespace->error != 0 || namespace->events_error != 0 ||
          (namespace->sock_diag < 0 && namespace->netns->n_sockets > 0))
        return true;
    }
  return false;
}

uint64_t
weir_namespaces_get_losses (const struct weir_namespaces *namespaces)
{
  uint64_t losses = 0;

  for (unsigned i = 0; i < namespaces->n; i++)
    losses += namespaces->items[i]->losses + namespaces->items[i]->netns->sockets.refused +
              namespaces->items[i]->netns->addresses.refused;
  return losses;
}

static void
fill (const struct weir_namespace *namespace, struct weir_namespace_record *record)
{
  const struct weir_netns *netns = namespace->netns;
  uint64_t interval;

  record->inode = netns->inode;
  record->how = namespace->sock_diag >= 0 ? WEIR_NAMESPACE_OPENED : WEIR_NAMESPACE_LISTED;
  record->error = namespace->error != 0 ? namespace->error : namespace->events_error;
  if (record->error != 0)
    record->state = WEIR_NAMESPACE_FAILED;
  else if (namespace->cut)
    record->state = WEIR_NAMESPACE_CUT;
  else if (netns->sockets_known)
    record->state = WEIR_NAMESPACE_READ;
  record->n_sockets = netns->n_sockets;
  if (namespace->read_before != 0 && netns->read_at > namespace->read_before)
    {
      /* Rounded, or it would be another one at every tick. */
      interval = (netns->read_at - namespace->read_before + 50 * MS) / (100 * MS) * 100;
      record->interval_ms = interval < UINT32_MAX ? (uint32_t) interval : UINT32_MAX;
    }
  record->losses = namespace->losses;
  record->pid = namespace->pid;
  record->start_time = namespace->start_time;
  memcpy (record->comm, namespace->comm, sizeof record->comm);
  memcpy (record->name, namespace->name, sizeof record->name);
}

void
weir_namespaces_publish (struct weir_namespaces *namespaces, struct weir_writer *writer)
{
  struct weir_namespace_record records[WEIR_NAMESPACES_MAX];
  size_t n = 1;

  _Static_assert (WEIR_NAMESPACES_MAX == 1 + WEIR_OTHER_NETNS_MAX, "there is room for all");
  /* Compared as bytes below. */
  memset (records, 0, sizeof records);
  records[0].inode = namespaces->join->own.inode;
  records[0].how = WEIR_NAMESPACE_OWN;
  records[0].state =
      namespaces->join->own.sockets_known ? WEIR_NAMESPACE_READ : WEIR_NAMESPACE_UNREAD;
  records[0].n_sockets = namespaces->join->own.n_sockets;
  for (unsigned i = 0; i < namespaces->n; i++)
    fill (namespaces->items[i], &records[n++]);
  if (n == namespaces->n_shown && namespaces->n_left_out == namespaces->left_out_shown &&
      memcmp (records, namespaces->shown, n * sizeof records[0]) == 0)
    return;
  weir_write_namespaces (writer, records, n, namespaces->n_left_out);
  memcpy (namespaces->shown, records, n * sizeof records[0]);
  namespaces->n_shown = n;
  namespaces->left_out_shown = namespaces->n_left_out;
}
