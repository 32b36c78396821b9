/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-socket-index.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

void
weir_socket_index_init (struct weir_socket_index *index)
{
  *index = (struct weir_socket_index) { 0 };
}

void
weir_socket_index_clear (struct weir_socket_index *index)
{
  free (index->items);
  free (index->next);
  weir_socket_index_init (index);
}

void
weir_socket_index_begin (struct weir_socket_index *index)
{
  index->n_next = 0;
  memset (index->next_has_raw, 0, sizeof index->next_has_raw);
}

static bool
make_room (struct weir_socket_index *index)
{
  size_t capacity = index->next_capacity > 0 ? index->next_capacity * 2 : 64;
  struct weir_bound_socket *items = NULL;

  if (index->n_next < index->next_capacity)
    return true;
  if (capacity <= WEIR_SOCKET_INDEX_MAX)
    items = reallocarray (index->next, capacity, sizeof *items);
  if (items == NULL)
    return false;
  index->next = items;
  index->next_capacity = capacity;
  return true;
}

void
weir_socket_index_add (struct weir_socket_index *index, const struct weir_socket_reading *reading)
{
  if (reading->kind == WEIR_SOCKET_RAW)
    {
      index->next_has_raw[reading->protocol] = true;
      return;
    }
  if (!make_room (index))
    {
      index->refused++;
      return;
    }
  index->next[index->n_next] = (struct weir_bound_socket) {
    .protocol = reading->protocol,
    .v6_only = reading->v6_only,
    .listening = reading->state == WEIR_TCP_LISTEN,
    .port = reading->local.port,
    .uid = reading->uid,
    .cookie = reading->cookie,
    .inode = reading->inode,
    .ifindex = reading->ifindex,
    .cgroup_id = reading->has_cgroup ? reading->cgroup_id : 0,
  };
  memcpy (index->next[index->n_next].address, reading->local.address, 16);
  index->n_next++;
}

static int
compare_ports (const struct weir_bound_socket *one, const struct weir_bound_socket *other)
{
  if (one->port != other->port)
    return one->port < other->port ? -1 : 1;
  return (int) one->protocol - (int) other->protocol;
}

/* By what a flow asks for; sockets that are alike lie side by side. */
static int
compare_places (const struct weir_bound_socket *one, const struct weir_bound_socket *other)
{
  int ports = compare_ports (one, other);

  if (ports != 0)
    return ports;
  if (one->v6_only != other->v6_only)
    return (int) one->v6_only - (int) other->v6_only;
  return memcmp (one->address, other->address, sizeof one->address);
}

static int
compare (const void *a, const void *b)
{
  const struct weir_bound_socket *one = a, *other = b;
  int places = compare_places (one, other);

  if (places != 0)
    return places;
  if (one->inode != other->inode)
    return one->inode < other->inode ? -1 : 1;
  return (one->cookie > other->cookie) - (one->cookie < other->cookie);
}

/* What was there already keeps the time at which it was first seen. */
static void
set_since (struct weir_bound_socket *items, size_t n, const struct weir_socket_index *old)
{
  size_t at = 0;

  for (size_t i = 0; i < n; i++)
    {
      while (at < old->n && compare (&old->items[at], &items[i]) < 0)
        at++;
      items[i].since = at < old->n && compare (&old->items[at], &items[i]) == 0
                           ? old->items[at].since
                           : old->whole_at;
    }
}

/* Any number of sockets can share a place, and finding them must not take longer for it: the first
 * knows what there is to know about those that follow. */
static void
sum_up_alike (struct weir_bound_socket *items, size_t n)
{
  struct weir_bound_socket *first = items;

  for (size_t i = 0; i < n; i++)
    {
      if (i == 0 || compare_places (first, &items[i]) != 0)
        {
          first = &items[i];
          first->alike_since = first->since;
        }
      first->n_alike++;
      first->has_device |= items[i].ifindex != 0;
      first->has_mixed_cgroups |= items[i].cgroup_id != first->cgroup_id;
      if (items[i].since < first->alike_since)
        first->alike_since = items[i].since;
    }
}

/* Notes until when others shared the ports of those that are there now. */
static void
note_who_left (struct weir_socket_index *index, const struct weir_socket_index *old,
               uint64_t began_at)
{
  struct weir_bound_socket *items = index->items;
  size_t at, first = 0;

  for (size_t i = 0; i < old->n;)
    {
      const struct weir_bound_socket *port = &old->items[i];
      uint64_t left_at = port->left_at;

      while (first < index->n && compare_ports (&items[first], port) < 0)
        first++;
      for (at = first; i < old->n && compare_ports (&old->items[i], port) == 0; i++)
        {
          while (at < index->n && compare (&items[at], &old->items[i]) < 0)
            at++;
          if (at == index->n || compare (&items[at], &old->items[i]) != 0)
            left_at = began_at;
        }
      for (; first < index->n && compare_ports (&items[first], port) == 0; first++)
        items[first].left_at = left_at;
    }
}

static bool
is_same (const struct weir_bound_socket *one, const struct weir_bound_socket *other)
{
  return compare (one, other) == 0 && one->listening == other->listening &&
         one->ifindex == other->ifindex && one->cgroup_id == other->cgroup_id;
}

bool
weir_socket_index_complete (struct weir_socket_index *index, uint64_t began_at)
{
  struct weir_socket_index old = *index;

  if (index->n_next > 1)
    qsort (index->next, index->n_next, sizeof *index->next, compare);
  index->items = old.next;
  index->capacity = old.next_capacity;
  index->n = old.n_next;
  set_since (index->items, index->n, &old);
  sum_up_alike (index->items, index->n);
  note_who_left (index, &old, began_at);
  index->next = old.items;
  index->next_capacity = old.capacity;
  index->n_next = 0;
  index->whole_at = began_at;
  memcpy (index->has_raw, old.next_has_raw, sizeof index->has_raw);
  if (index->n != old.n || memcmp (index->has_raw, old.has_raw, sizeof index->has_raw) != 0)
    return true;
  for (size_t i = 0; i < index->n; i++)
    {
      if (!is_same (&index->items[i], &old.items[i]))
        return true;
    }
  return false;
}

bool
weir_socket_index_has_raw (const struct weir_socket_index *index, uint8_t protocol)
{
  return index->has_raw[protocol] || index->has_raw[IPPROTO_RAW];
}

struct search
{
  const struct weir_socket_index *index;
  struct weir_bound_socket place;
  struct weir_servers servers;
};

static void
look_at (struct search *search, const uint8_t address[16], bool v6_only, bool only_with_device)
{
  struct weir_bound_socket *items = search->index->items, *found;
  struct weir_servers *servers = &search->servers;
  size_t low = 0, high = search->index->n;

  memcpy (search->place.address, address, sizeof search->place.address);
  search->place.v6_only = v6_only;
  while (low < high)
    {
      size_t middle = low + (high - low) / 2;

      if (compare_places (&items[middle], &search->place) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  found = &items[low];
  if (low == search->index->n || compare_places (found, &search->place) != 0 ||
      (only_with_device && !found->has_device))
    return;
  servers->other_place |= servers->first != NULL;
  servers->ambiguous |= servers->other_place || found->n_alike > 1;
  if (servers->first == NULL)
    servers->first = found;
  servers->has_device |= found->has_device;
  servers->same_cgroup &=
      !found->has_mixed_cgroups && found->cgroup_id == servers->first->cgroup_id;
  if (found->alike_since < servers->since)
    servers->since = found->alike_since;
  servers->left_at = found->left_at;
}

/* Whoever is bound to a device comes before those that are not, as far as it was that device. */
static bool
is_decided (const struct weir_servers *servers)
{
  return servers->first != NULL && !servers->has_device;
}

struct weir_servers
weir_socket_index_find (const struct weir_socket_index *index,
                        const struct weir_addresses *addresses, uint8_t protocol,
                        const struct weir_endpoint *local)
{
  static const uint8_t any_v4[16] = { [10] = 0xff, [11] = 0xff }, any_v6[16] = { 0 };
  struct search search = {
    .index = index,
    .place = { .protocol = protocol, .port = local->port },
    .servers = { .same_cgroup = true, .since = UINT64_MAX },
  };

  look_at (&search, local->address, false, false);
  look_at (&search, local->address, true, false);
  if (!is_decided (&search.servers) && weir_addresses_is_local (addresses, local->address))
    {
      if (weir_address_is_v4 (local->address))
        {
          look_at (&search, any_v4, false, false);
          /* A dual-stack wildcard also takes what comes by IPv4, unless somebody is bound for that;
           * but a device counts for more. */
          look_at (&search, any_v6, false, is_decided (&search.servers));
        }
      else
        {
          look_at (&search, any_v6, false, false);
          look_at (&search, any_v6, true, false);
        }
    }
  return search.servers;
}
