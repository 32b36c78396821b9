/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-lookup.h"

#include <netinet/in.h>
#include <string.h>
#include <time.h>

/* Batches of one turn of the loop: events must be read on. */
#define BATCHES_MAX 8
/* ... and lists of the sockets that are bound to one port, which walk a table of the kernel's. */
#define LISTS_MAX 4

/* For both: a twentieth of a processor, and a fifth of a second of it at once. */
#define ALLOWANCE_PART  20
#define ALLOWANCE_BURST UINT64_C (200000000)

/* A question costs microseconds and tells the user and the control group at least; a walk costs
 * milliseconds.  So walks stop first. */
#define ASK_FLOOR (-(int64_t) ALLOWANCE_BURST / 2)

void
weir_lookup_init (struct weir_lookup *lookup, int fd)
{
  *lookup = (struct weir_lookup) { 0 };
  weir_allowance_init (&lookup->allowance, ALLOWANCE_PART, ALLOWANCE_BURST);
  weir_exact_init (&lookup->exact, fd);
  weir_socket_index_init (&lookup->bound);
}

void
weir_lookup_clear (struct weir_lookup *lookup)
{
  weir_socket_index_clear (&lookup->bound);
}

static uint64_t
cpu_ns (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static bool
is_of (const struct weir_flow *flow, const struct weir_socket_reading *reading)
{
  return reading->local.port == flow->key.local_port &&
         reading->remote.port == flow->key.remote_port &&
         memcmp (reading->local.address, flow->key.local, 16) == 0 &&
         memcmp (reading->remote.address, flow->key.remote, 16) == 0;
}

/* The kernel named a socket that is bound to the flow's local end.  Others may be bound alike, and
 * to an address that is not of this namespace it never leads: the index knows about both. */
static void
serve (struct weir_lookup *lookup, struct weir_join *join, struct weir_flow *flow,
       const struct weir_socket_reading *reading, uint64_t now)
{
  struct weir_endpoint local = { .port = flow->key.local_port };
  struct weir_servers servers;

  /* Who listens at the port of a connection that was made from there has nothing to do with it. */
  if (flow->owner != 0 || (flow->key.protocol == IPPROTO_TCP && weir_flow_is_sent (flow)))
    return;
  memcpy (local.address, flow->key.local, 16);
  servers =
      weir_socket_index_find (&join->own.sockets, &join->own.addresses, flow->key.protocol, &local);
  /* Several that are bound alike stay several, and asking costs whole dumps. */
  if (servers.first != NULL && servers.ambiguous)
    return;
  if (servers.first == NULL || servers.first->cookie != reading->cookie)
    {
      /* Made since the last dump; where there is no time to ask, the next one shows it. */
      if (lookup->lists_left == 0)
        return;
      lookup->lists_left--;
      if (weir_exact_list_bound (&lookup->exact, flow->key.protocol, local.port, &lookup->bound) <
          0)
        return;
      servers =
          weir_socket_index_find (&lookup->bound, &join->own.addresses, flow->key.protocol, &local);
      servers.since = join->own.sockets.whole_at;
    }
  if (servers.first != NULL && !servers.ambiguous && servers.first->cookie == reading->cookie &&
      weir_flow_can_be_served (flow, &servers))
    weir_join_set_server (join, flow, servers.first, now);
}

/* Whether the flow is to be asked for again: it has a socket that no program holds yet. */
static bool
take_answer (struct weir_lookup *lookup, struct weir_join *join, struct weir_flow *flow,
             const struct weir_socket_reading *reading, uint64_t now)
{
  if (reading->remote.port == 0)
    {
      serve (lookup, join, flow, reading, now);
      if (flow->owner != 0)
        weir_owners_hurry (&join->owners, flow->owner);
      return flow->key.protocol == IPPROTO_TCP;
    }
  if (!is_of (flow, reading))
    return false;
  weir_join_socket (join, &join->own, reading, WEIR_SOCKDIAG_SOCKET, now);
  if (reading->inode != 0)
    weir_owners_hurry (&join->owners, flow->owner);
  return reading->inode == 0 &&
         (reading->state == WEIR_TCP_SYN_RECV || reading->state == WEIR_TCP_NEW_SYN_RECV ||
          reading->state == WEIR_TCP_ESTABLISHED || reading->state == WEIR_TCP_CLOSE_WAIT);
}

/* False: nothing was due. */
static bool
ask_batch (struct weir_lookup *lookup, struct weir_join *join, uint64_t now)
{
  struct weir_socket_reading readings[WEIR_EXACT_BATCH];
  struct weir_flow_key keys[WEIR_EXACT_BATCH];
  struct weir_flow *flows[WEIR_EXACT_BATCH];
  uint64_t ids[WEIR_EXACT_BATCH];
  uint8_t tries[WEIR_EXACT_BATCH];
  bool found[WEIR_EXACT_BATCH];
  size_t n = 0;

  while (n < WEIR_EXACT_BATCH &&
         (flows[n] = weir_fresh_take (&join->fresh, &join->table, now, &tries[n])) != NULL)
    {
      ids[n] = flows[n]->id;
      keys[n] = flows[n]->key;
      n++;
    }
  if (n == 0 || weir_exact_ask (&lookup->exact, keys, n, readings, found) < 0)
    return false;
  for (size_t i = 0; i < n; i++)
    {
      /* Joining one may have removed another. */
      if (!found[i] || !flows[i]->in_use || flows[i]->id != ids[i])
        continue;
      if (take_answer (lookup, join, flows[i], &readings[i], now))
        weir_fresh_add (&join->fresh, flows[i], (uint8_t) (tries[i] + 1), now);
    }
  return true;
}

/* As many as there are, and as the allowance goes for. */
static void
ask_batches (struct weir_lookup *lookup, struct weir_join *join, uint64_t now)
{
  uint64_t before = cpu_ns ();
  bool more = true;

  lookup->lists_left = LISTS_MAX;
  for (unsigned i = 0;
       i < BATCHES_MAX && more && weir_allowance_get_wait (&lookup->allowance, ASK_FLOOR) == 0; i++)
    {
      uint64_t after;

      more = ask_batch (lookup, join, now);
      after = cpu_ns ();
      weir_allowance_spend (&lookup->allowance, after - before);
      before = after;
    }
}

void
weir_lookup_advance (struct weir_lookup *lookup, struct weir_join *join,
                     struct weir_owners_source *owners, uint64_t now)
{
  struct weir_allowance *allowance = &lookup->allowance;
  const bool due = weir_fresh_get_due (&join->fresh) <= now;

  if (!due && !weir_owners_source_is_urgent (owners, &join->owners))
    return;
  weir_allowance_update (allowance, now);
  weir_allowance_spend (allowance, weir_owners_source_take_spent (owners));
  lookup->ask_at = now + weir_allowance_get_wait (allowance, ASK_FLOOR);
  if (due && lookup->ask_at <= now)
    {
      ask_batches (lookup, join, now);
      lookup->ask_at = now + weir_allowance_get_wait (allowance, ASK_FLOOR);
    }
  lookup->walk_at = now + weir_allowance_get_wait (allowance, 0);
  if (lookup->walk_at <= now)
    weir_owners_source_ask_urgent (owners, &join->owners, now);
}

uint64_t
weir_lookup_get_due (const struct weir_lookup *lookup, const struct weir_join *join,
                     const struct weir_owners_source *owners)
{
  uint64_t due = weir_fresh_get_due (&join->fresh), walk;

  if (due < lookup->ask_at)
    due = lookup->ask_at;
  if (!weir_owners_source_is_urgent (owners, &join->owners))
    return due;
  walk = owners->urgent_at > lookup->walk_at ? owners->urgent_at : lookup->walk_at;
  return walk < due ? walk : due;
}
