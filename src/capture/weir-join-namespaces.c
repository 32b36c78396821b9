/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "weir-join.h"

const struct weir_netns *
weir_join_get_netns (struct weir_join *join, uint32_t inode)
{
  static const struct weir_netns nowhere;

  if (inode == join->own.inode)
    return &join->own;
  /* Flows of one namespace were mostly made by one dump, and lie side by side. */
  if (join->last_other < join->n_others && join->others[join->last_other]->inode == inode)
    return join->others[join->last_other];
  for (unsigned i = 0; i < join->n_others; i++)
    {
      if (join->others[i]->inode != inode)
        continue;
      join->last_other = i;
      return join->others[i];
    }
  return &nowhere;
}

struct weir_netns *
weir_join_add_netns (struct weir_join *join, uint32_t inode)
{
  struct weir_netns *netns;

  if (join->n_others == WEIR_OTHER_NETNS_MAX)
    return NULL;
  netns = calloc (1, sizeof *netns);
  if (netns == NULL)
    return NULL;
  netns->inode = inode;
  netns->round = join->socket_round;
  netns->round_before = join->socket_round;
  weir_addresses_init (&netns->addresses);
  weir_socket_index_init (&netns->sockets);
  join->others[join->n_others++] = netns;
  join->n_changes++;
  return netns;
}

void
weir_join_remove_netns (struct weir_join *join, struct weir_netns *netns)
{
  struct weir_flow *flow;
  uint32_t slot = 0;

  weir_join_give_up_endings (join, netns);
  join->n_changes++;
  while ((flow = weir_flow_table_next (&join->table, &slot)) != NULL)
    {
      if (flow->key.netns == netns->inode)
        {
          weir_flow_set_flags (flow, 0, WEIR_FLOW_HAS_SOCKET | WEIR_FLOW_IN_TIME_WAIT);
          weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
        }
    }
  weir_receivers_sweep (&join->receivers, netns->inode, join->socket_round + 1);
  weir_owners_sweep (&join->owners, netns->inode, join->socket_round + 1);
  weir_owners_leave_netns (&join->owners, netns->inode);
  weir_join_forget_namespace (join, netns->inode);
  for (unsigned i = 0; i < join->n_others; i++)
    {
      if (join->others[i] == netns)
        join->others[i] = join->others[--join->n_others];
    }
  weir_addresses_clear (&netns->addresses);
  weir_socket_index_clear (&netns->sockets);
  free (netns);
}

uint32_t
weir_join_need_owner (struct weir_join *join, const struct weir_netns *netns, uint32_t inode,
                      uint64_t cookie, uint64_t cgroup_id, uint64_t now)
{
  uint32_t number = weir_owners_need (&join->owners, inode, cookie, cgroup_id, netns->round, now);

  if (number != 0 && netns != &join->own)
    weir_owners_get (&join->owners, number)->netns = netns->inode;
  if (weir_join_has_bpf (join))
    weir_named_sockets_show (join->bpf.named, &join->owners, cookie, number);
  return number;
}

struct weir_flow_key
weir_flow_key_from_other_end (const struct weir_flow_key *key)
{
  struct weir_flow_key other = *key;

  memcpy (other.local, key->remote, sizeof other.local);
  memcpy (other.remote, key->local, sizeof other.remote);
  other.local_port = key->remote_port;
  other.remote_port = key->local_port;
  return other;
}

static void
claim (struct weir_join *join, const struct weir_flow_key *key)
{
  struct weir_flow *flow = weir_flow_table_find (&join->table, key);

  if (flow == NULL || flow->direction != WEIR_DIRECTION_FORWARDED ||
      flow->owner_missing == WEIR_MISSING_OTHER_NAMESPACE)
    return;
  flow->owner_missing = WEIR_MISSING_OTHER_NAMESPACE;
  flow->dirty |= WEIR_FLOW_OWNER;
}

void
weir_join_claim_forwarded (struct weir_join *join, const struct weir_netns *netns,
                           const struct weir_flow_key *key)
{
  struct weir_flow_key sent = *key, received;

  if (netns == &join->own || weir_address_is_loopback (key->local) ||
      (netns->addresses.known && !weir_addresses_is_local (&netns->addresses, key->local)))
    return;
  /* The row of what passes through has the end that began on its left side, as that saw it. */
  sent.netns = join->own.inode;
  received = weir_flow_key_from_other_end (&sent);
  claim (join, &sent);
  claim (join, &received);
}
