/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flows without a socket of their own: to whom of those who are bound to their local end they may
 * be lent.  What is not certain is not said.
 *
 * - Whoever was bound after the flow began was not meant; nor is it certain who was, when somebody
 *   has left the port since then.
 * - A socket that is bound to a device takes only what comes by that one (net/ipv4/udp.c,
 *   compute_score), and no source tells by which device packets came; but answers, and what was
 *   sent first, came from one of those who are bound to the port.
 * - Of several that are bound alike anyone may be meant, for the kernel chooses by a hash, or the
 *   last one: only what all of them have in common is said, at best their process. */
#include "weir-join.h"

#include <netinet/in.h>
#include <string.h>

/* Sockets that are bound alike and looked at one by one: a service has a few for each processor. */
#define SHARED_MAX 256

/* The kernel answers requests; sending them takes a program. */
bool
weir_flow_is_sent_icmp (const struct weir_flow *flow)
{
  return (flow->key.protocol == IPPROTO_ICMP || flow->key.protocol == IPPROTO_ICMPV6) &&
         !(flow->flags & WEIR_FLOW_REVERSED);
}

/* The number of who holds @bound; 0: it is the kernel's, or there is no room. */
static uint32_t
need_owner_of (struct weir_join *join, const struct weir_flow *flow,
               const struct weir_bound_socket *bound, uint64_t now)
{
  const struct weir_netns *netns = weir_join_get_netns (join, flow->key.netns);

  if (bound->inode == 0)
    return 0;
  return weir_join_need_owner (join, netns, bound->inode, bound->cookie, bound->cgroup_id, now);
}

static void
set_owner_of (struct weir_join *join, struct weir_flow *flow, const struct weir_bound_socket *bound,
              uint64_t now)
{
  const uint32_t owner = need_owner_of (join, flow, bound, now);

  if (owner != 0)
    weir_join_set_owner (join, flow, owner);
}

void
weir_join_set_server (struct weir_join *join, struct weir_flow *flow,
                      const struct weir_bound_socket *bound, uint64_t now)
{
  weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
  flow->flags &= ~(uint32_t) WEIR_FLOW_OWNER_IS_SHARED;
  set_owner_of (join, flow, bound, now);
  /* A socket of the kernel's own has nobody's uid. */
  if (bound->inode != 0 && !(flow->flags & WEIR_FLOW_HAS_UID))
    {
      flow->flags |= WEIR_FLOW_HAS_UID;
      flow->uid = bound->uid;
      flow->dirty |= WEIR_FLOW_OWNER;
    }
  if (flow->cgroup_id == 0)
    flow->cgroup_id = bound->cgroup_id;
}

/* A socket for pings sends nothing but echoes, and writes its own port into them as the identifier.
 */
bool
weir_flow_is_sent_echo (const struct weir_flow *flow)
{
  const uint32_t echo = flow->key.protocol == IPPROTO_ICMP ? 8 : 128;

  return weir_flow_is_sent_icmp (flow) && flow->key.discriminator >> 16 == echo;
}

bool
weir_flow_is_sent (const struct weir_flow *flow)
{
  if (flow->flags & WEIR_FLOW_HAD_CONNTRACK)
    return !(flow->flags & WEIR_FLOW_REVERSED);
  return flow->direction == WEIR_DIRECTION_OUT;
}

bool
weir_flow_can_be_served (const struct weir_flow *flow, const struct weir_servers *servers)
{
  const bool has_socket = flow->key.protocol == IPPROTO_TCP && flow->flags & WEIR_FLOW_HAS_SOCKET;

  /* It began when none of them was there, or may have been somebody's who is there no more; unless
   * it waits to be accepted, which it does no longer than its listener lives. */
  if (flow->first_seen < servers->since || (flow->first_seen < servers->left_at && !has_socket))
    return false;
  /* Without a table entry or a socket of its own a TCP flow is none of a listener's. */
  if (flow->key.protocol == IPPROTO_TCP && (!servers->first->listening || weir_flow_is_sent (flow)))
    return false;
  if (!servers->has_device)
    return true;
  /* A socket that was not accepted yet is bound like its listener. */
  if (flow->key.protocol == IPPROTO_TCP)
    return has_socket && (servers->ambiguous || flow->ifindex == servers->first->ifindex);
  /* By which device packets came nobody tells; but whoever sends from here is one of them. */
  return !(flow->flags & WEIR_FLOW_REVERSED) || flow->flags & WEIR_FLOW_SEEN_REPLY;
}

/* Those who may serve the flow without being its own socket. */
static struct weir_servers
find_servers (struct weir_join *join, const struct weir_flow *flow)
{
  const struct weir_netns *netns = weir_join_get_netns (join, flow->key.netns);
  struct weir_endpoint local = { .port = flow->key.local_port };

  if (weir_flow_is_sent_echo (flow))
    local.port = (uint16_t) flow->key.discriminator;
  memcpy (local.address, flow->key.local, 16);
  return weir_socket_index_find (&netns->sockets, &netns->addresses, flow->key.protocol, &local);
}

void
weir_join_borrow_owner (struct weir_join *join, struct weir_flow *flow, uint64_t now)
{
  const struct weir_servers servers = find_servers (join, flow);
  const struct weir_bound_socket *bound = servers.first;
  uint8_t missing;

  if (bound == NULL || !weir_flow_can_be_served (flow, &servers))
    {
      /* Who might have been it is there, or nobody is. */
      missing =
          bound != NULL && flow->key.protocol != IPPROTO_TCP && flow->first_seen >= servers.since
              ? WEIR_MISSING_NOT_FOUND
              : WEIR_MISSING_GONE;
      if (flow->owner_missing != missing)
        flow->dirty |= WEIR_FLOW_OWNER;
      flow->owner_missing = missing;
      flow->flags |= WEIR_FLOW_OWNER_IS_NOBODY;
      return;
    }
  if (!servers.ambiguous)
    {
      weir_join_set_server (join, flow, bound, now);
      return;
    }
  set_owner_of (join, flow, bound, now);
  flow->flags |= flow->owner != 0 ? WEIR_FLOW_OWNER_IS_SHARED : WEIR_FLOW_OWNER_IS_NOBODY;
}

/* Whether one process holds all of those who serve the flow, as far as it is known. */
static bool
are_of_one (struct weir_join *join, const struct weir_flow *flow,
            const struct weir_servers *servers, uint64_t now)
{
  struct weir_bound_socket *first = servers->first;
  uint64_t start_time = 0;
  uint32_t pid = 0;

  if (servers->other_place || first->n_alike > SHARED_MAX)
    return false;
  /* The answer is the same for all flows. */
  if (first->judged == join->settled)
    return first->is_of_one;
  first->judged = join->settled;
  first->is_of_one = false;
  for (uint32_t i = 0; i < first->n_alike; i++)
    {
      const struct weir_owner *owner =
          weir_owners_get (&join->owners, need_owner_of (join, flow, &first[i], now));

      if (owner == NULL || owner->pid == 0)
        return false;
      if (i > 0 && (owner->pid != pid || owner->start_time != start_time))
        return false;
      pid = owner->pid;
      start_time = owner->start_time;
    }
  first->is_of_one = true;
  return true;
}

static void
set_shared_uid (struct weir_flow *flow, bool is_known, uint32_t uid)
{
  if (is_known == (bool) (flow->flags & WEIR_FLOW_HAS_UID) && (!is_known || flow->uid == uid))
    return;
  flow->flags &= ~(uint32_t) WEIR_FLOW_HAS_UID;
  flow->flags |= is_known ? WEIR_FLOW_HAS_UID : 0;
  flow->uid = is_known ? uid : 0;
  flow->dirty |= WEIR_FLOW_OWNER;
}

void
weir_join_choose_shared (struct weir_join *join, struct weir_flow *flow, uint64_t now,
                         uint8_t *ret_how, uint8_t *ret_missing)
{
  const struct weir_servers servers = find_servers (join, flow);
  const bool same = servers.first != NULL && weir_flow_can_be_served (flow, &servers);
  const struct weir_owner *owner;
  bool one = flow->owner_how == WEIR_OWNER_LISTENER, group = flow->owner_how == WEIR_OWNER_CGROUP;

  if (same && !servers.ambiguous)
    {
      weir_join_set_server (join, flow, servers.first, now);
      return;
    }
  if (same)
    {
      one = are_of_one (join, flow, &servers, now);
      set_owner_of (join, flow, servers.first, now);
      set_shared_uid (flow, one, servers.first->uid);
      if (flow->cgroup_id == 0 && servers.same_cgroup)
        flow->cgroup_id = servers.first->cgroup_id;
    }
  owner = weir_owners_get (&join->owners, flow->owner);
  if (same)
    group = servers.same_cgroup && *weir_owners_get_cgroup (&join->owners, owner) != '\0';
  *ret_how = one ? WEIR_OWNER_LISTENER : group ? WEIR_OWNER_CGROUP : WEIR_OWNER_NONE;
  *ret_missing = WEIR_MISSING_NOTHING;
  if (*ret_how == WEIR_OWNER_NONE)
    *ret_missing = owner->pid == 0 && owner->missing == WEIR_MISSING_NOT_YET
                       ? WEIR_MISSING_NOT_YET
                       : WEIR_MISSING_NOT_FOUND;
}
