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
}

void
weir_socket_index_add (struct weir_socket_index *index, const struct weir_socket_reading *reading)
{
  if (index->n_next == index->next_capacity)
    {
      size_t capacity = index->next_capacity > 0 ? index->next_capacity * 2 : 64;
      struct weir_bound_socket *items;

      if (capacity > WEIR_SOCKET_INDEX_MAX)
        return;
      items = reallocarray (index->next, capacity, sizeof *items);
      if (items == NULL)
        return;
      index->next = items;
      index->next_capacity = capacity;
    }
  index->next[index->n_next] = (struct weir_bound_socket) {
    .protocol = reading->protocol,
    .v6_only = reading->v6_only,
    .listening = reading->protocol == IPPROTO_TCP && reading->state == WEIR_TCP_LISTEN,
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
compare (const void *a, const void *b)
{
  const struct weir_bound_socket *one = a, *other = b;

  if (one->port != other->port)
    return one->port < other->port ? -1 : 1;
  return (int) one->protocol - (int) other->protocol;
}

void
weir_socket_index_complete (struct weir_socket_index *index)
{
  struct weir_socket_index old = *index;

  if (index->n_next > 1)
    qsort (index->next, index->n_next, sizeof *index->next, compare);
  index->items = old.next;
  index->capacity = old.next_capacity;
  index->n = old.n_next;
  index->next = old.items;
  index->next_capacity = old.capacity;
  index->n_next = 0;
}

/* How exactly @socket is bound to @address; 0: it is not. */
static unsigned
exactness (const struct weir_bound_socket *socket, const uint8_t address[16], bool own)
{
  bool v4 = weir_address_is_v4 (address);

  if (memcmp (socket->address, address, 16) == 0)
    return 3;
  if (!own || !weir_address_is_any (socket->address))
    return 0;
  if (weir_address_is_v4 (socket->address) == v4)
    return 2;
  /* A dual-stack wildcard also takes what comes by IPv4, unless somebody is bound for that. */
  return v4 && !socket->v6_only ? 1 : 0;
}

const struct weir_bound_socket *
weir_socket_index_find (const struct weir_socket_index *index,
                        const struct weir_addresses *addresses, uint8_t protocol,
                        const struct weir_endpoint *local, bool *ret_ambiguous,
                        bool *ret_same_cgroup)
{
  const struct weir_bound_socket *found = NULL;
  bool own = weir_addresses_is_local (addresses, local->address);
  bool ambiguous = false, same_cgroup = true;
  unsigned best = 0;
  size_t low = 0, high = index->n;

  while (low < high)
    {
      size_t middle = low + (high - low) / 2;

      if (index->items[middle].port < local->port)
        low = middle + 1;
      else
        high = middle;
    }
  for (size_t i = low; i < index->n && index->items[i].port == local->port; i++)
    {
      const struct weir_bound_socket *socket = &index->items[i];
      unsigned exact = socket->protocol == protocol ? exactness (socket, local->address, own) : 0;

      if (exact == 0 || exact < best)
        continue;
      if (exact > best)
        {
          best = exact;
          found = socket;
          ambiguous = false;
          same_cgroup = true;
        }
      else if (socket->inode != found->inode)
        {
          ambiguous = true;
          same_cgroup = same_cgroup && socket->cgroup_id == found->cgroup_id;
        }
    }
  *ret_ambiguous = ambiguous;
  *ret_same_cgroup = same_cgroup;
  return found;
}
