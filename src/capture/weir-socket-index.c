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

/* By what a flow asks for; sockets that are alike lie side by side. */
static int
compare_places (const struct weir_bound_socket *one, const struct weir_bound_socket *other)
{
  if (one->port != other->port)
    return one->port < other->port ? -1 : 1;
  if (one->protocol != other->protocol)
    return (int) one->protocol - (int) other->protocol;
  if (one->v6_only != other->v6_only)
    return (int) one->v6_only - (int) other->v6_only;
  return memcmp (one->address, other->address, sizeof one->address);
}

static int
compare (const void *a, const void *b)
{
  const struct weir_bound_socket *one = a, *other = b;
  int places = compare_places (one, other);

  if (places != 0 || one->inode == other->inode)
    return places;
  return one->inode < other->inode ? -1 : 1;
}

/* Leaves one of all that are bound alike, which knows whether there were others: any number of
 * sockets can share a place, and finding one must not take longer for it. */
static size_t
merge_alike (struct weir_bound_socket *items, size_t n)
{
  size_t n_left = 0;

  for (size_t i = 0; i < n; i++)
    {
      struct weir_bound_socket *first = &items[n_left > 0 ? n_left - 1 : 0];

      if (n_left == 0 || compare_places (first, &items[i]) != 0)
        items[n_left++] = items[i];
      else if (first->inode != items[i].inode)
        {
          first->is_shared = true;
          if (first->cgroup_id != items[i].cgroup_id)
            first->has_mixed_cgroups = true;
        }
    }
  return n_left;
}

static bool
is_same (const struct weir_bound_socket *one, const struct weir_bound_socket *other)
{
  return compare_places (one, other) == 0 && one->cookie == other->cookie &&
         one->inode == other->inode && one->listening == other->listening &&
         one->is_shared == other->is_shared && one->has_mixed_cgroups == other->has_mixed_cgroups &&
         one->cgroup_id == other->cgroup_id;
}

bool
weir_socket_index_complete (struct weir_socket_index *index)
{
  struct weir_socket_index old = *index;

  if (index->n_next > 1)
    qsort (index->next, index->n_next, sizeof *index->next, compare);
  index->items = old.next;
  index->capacity = old.next_capacity;
  index->n = merge_alike (old.next, old.n_next);
  index->next = old.items;
  index->next_capacity = old.capacity;
  index->n_next = 0;
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
  const struct weir_bound_socket *found;
  bool ambiguous, same_cgroup;
};

static void
look_at (struct search *search, const uint8_t address[16], bool v6_only)
{
  const struct weir_bound_socket *items = search->index->items;
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
  if (low == search->index->n || compare_places (&items[low], &search->place) != 0)
    return;
  search->ambiguous = search->found != NULL || items[low].is_shared;
  search->same_cgroup = !items[low].has_mixed_cgroups &&
                        (search->found == NULL ||
                         (search->same_cgroup && search->found->cgroup_id == items[low].cgroup_id));
  if (search->found == NULL)
    search->found = &items[low];
}

const struct weir_bound_socket *
weir_socket_index_find (const struct weir_socket_index *index,
                        const struct weir_addresses *addresses, uint8_t protocol,
                        const struct weir_endpoint *local, bool *ret_ambiguous,
                        bool *ret_same_cgroup)
{
  static const uint8_t any_v4[16] = { [10] = 0xff, [11] = 0xff }, any_v6[16] = { 0 };
  struct search search = {
    .index = index,
    .place = { .protocol = protocol, .port = local->port },
    .same_cgroup = true,
  };

  look_at (&search, local->address, false);
  look_at (&search, local->address, true);
  if (search.found == NULL && weir_addresses_is_local (addresses, local->address))
    {
      if (weir_address_is_v4 (local->address))
        {
          look_at (&search, any_v4, false);
          /* A dual-stack wildcard also takes what comes by IPv4, unless somebody is bound for that.
           */
          if (search.found == NULL)
            look_at (&search, any_v6, false);
        }
      else
        {
          look_at (&search, any_v6, false);
          look_at (&search, any_v6, true);
        }
    }
  *ret_ambiguous = search.ambiguous;
  *ret_same_cgroup = search.same_cgroup;
  return search.found;
}
