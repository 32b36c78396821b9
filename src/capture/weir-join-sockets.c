/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-join.h"

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <string.h>

void
weir_join_sockets_begin (struct weir_join *join, struct weir_netns *netns)
{
  /* A series that was not complete proves nothing about what it did not show. */
  if (netns->dumping)
    weir_join_give_up_endings (join, netns);
  else
    netns->round_before = netns->round;
  netns->round = ++join->socket_round;
  netns->dumping = true;
  netns->not_listed_now = 0;
  netns->n_sockets_now = 0;
  weir_socket_index_begin (&netns->sockets);
}

static void
make_key (const struct weir_netns *netns, const struct weir_socket_reading *reading,
          struct weir_flow_key *ret_key)
{
  memset (ret_key, 0, sizeof *ret_key);
  memcpy (ret_key->local, reading->local.address, 16);
  memcpy (ret_key->remote, reading->remote.address, 16);
  ret_key->local_port = reading->local.port;
  ret_key->remote_port = reading->remote.port;
  ret_key->netns = netns->inode;
  ret_key->protocol = reading->protocol;
  ret_key->family = reading->family;
}

/* The remains of a TCP socket: no process, no counters any more. */
static bool
is_remains (const struct weir_socket_reading *reading)
{
  return reading->protocol == IPPROTO_TCP && reading->inode == 0 && !reading->has_times &&
         (reading->state == WEIR_TCP_TIME_WAIT || reading->state == WEIR_TCP_FIN_WAIT2);
}

void
weir_flow_set_tcp_bytes (struct weir_flow *flow, uint64_t rx, uint64_t tx)
{
  bool grew = rx > flow->tcp_rx_bytes || tx > flow->tcp_tx_bytes;

  /* The kernel never counts down: less is an older reading, which has nothing to say. */
  if (rx > flow->tcp_rx_bytes)
    flow->tcp_rx_bytes = rx;
  if (tx > flow->tcp_tx_bytes)
    flow->tcp_tx_bytes = tx;
  flow->flags |= WEIR_FLOW_HAS_TCP_BYTES;
  if (grew && flow->flags & WEIR_FLOW_HAS_COUNTERS && !(flow->flags & WEIR_FLOW_HAS_CONNTRACK))
    flow->flags |= WEIR_FLOW_TCP_MOVED_ON;
}

static void
set_times (struct weir_flow *flow, const struct weir_socket_reading *reading)
{
  if (!reading->has_times)
    return;
  if (!(flow->flags & WEIR_FLOW_HAS_TCP_TIMES) || flow->rtt_us != reading->rtt_us ||
      flow->retransmits != reading->retransmits)
    flow->dirty |= WEIR_FLOW_TCP;
  flow->flags |= WEIR_FLOW_HAS_TCP_TIMES;
  flow->rtt_us = reading->rtt_us;
  flow->retransmits = reading->retransmits;
}

static void
set_identity (struct weir_join *join, const struct weir_netns *netns, struct weir_flow *flow,
              const struct weir_socket_reading *reading, uint64_t now)
{
  /* What it is bound to; what it goes through is known better. */
  if (reading->ifindex != flow->ifindex && !flow->has_bpf)
    {
      flow->dirty |= WEIR_FLOW_STATE;
      flow->ifindex = reading->ifindex;
    }
  /* Without an inode the kernel says uid 0, which then means nothing. */
  if (reading->inode == 0)
    return;
  if (!(flow->flags & WEIR_FLOW_HAS_UID) || flow->uid != reading->uid ||
      (reading->has_cgroup && flow->cgroup_id != reading->cgroup_id))
    flow->dirty |= WEIR_FLOW_OWNER;
  weir_flow_set_flags (flow, WEIR_FLOW_HAS_UID | WEIR_FLOW_OWNER_IS_EXACT,
                       WEIR_FLOW_OWNER_IS_SHARED);
  flow->uid = reading->uid;
  if (reading->has_cgroup)
    flow->cgroup_id = reading->cgroup_id;
  if (!weir_join_has_process (join, flow))
    weir_join_set_owner (join, flow,
                         weir_join_need_owner (join, netns, reading->inode, reading->cookie,
                                               reading->has_cgroup ? reading->cgroup_id : 0, now));
}

static void
set_socket_direction (struct weir_flow *flow, const struct weir_socket_reading *reading)
{
  if (flow->flags & WEIR_FLOW_HAD_CONNTRACK || flow->direction != WEIR_DIRECTION_UNKNOWN ||
      reading->protocol != IPPROTO_TCP)
    return;
  if (reading->state == WEIR_TCP_SYN_SENT)
    weir_flow_set_direction (flow, WEIR_DIRECTION_OUT);
  else if (reading->state == WEIR_TCP_SYN_RECV || reading->state == WEIR_TCP_NEW_SYN_RECV)
    weir_flow_set_direction (flow, WEIR_DIRECTION_IN);
  else if (reading->direction != WEIR_DIRECTION_UNKNOWN)
    weir_flow_set_direction (flow, reading->direction);
}

/* Whose the earlier socket was says nothing about the one that has its addresses now. */
static void
forget_identity (struct weir_join *join, struct weir_flow *flow)
{
  weir_join_set_owner (join, flow, 0);
  if (flow->flags & WEIR_FLOW_HAS_UID)
    flow->dirty |= WEIR_FLOW_OWNER;
  weir_flow_set_flags (flow, 0,
                       WEIR_FLOW_HAS_UID | WEIR_FLOW_OWNER_IS_EXACT | WEIR_FLOW_OWNER_IS_SHARED |
                           WEIR_FLOW_OWNER_IS_NOBODY);
  flow->uid = 0;
  flow->cgroup_id = 0;
}

/* A flow whose key a socket with another cookie has now.  False: leave the socket for later. */
static bool
change_socket (struct weir_join *join, struct weir_flow **flow, bool remains)
{
  if (!((*flow)->flags & WEIR_FLOW_HAS_CONNTRACK))
    {
      weir_join_retire (join, *flow);
      *flow = NULL;
      return true;
    }
  /* The entry still is the old connection's: the event that ends it, and the one that begins the
   * new one, are on their way. */
  if ((*flow)->ct_state >= TCP_CONNTRACK_FIN_WAIT && (*flow)->ct_state <= TCP_CONNTRACK_CLOSE)
    return false;
  /* Remains have a number of their own, and most likely are those of the socket that was there. */
  if (remains)
    return true;
  weir_flow_set_flags (*flow, 0,
                       WEIR_FLOW_SOCKET_DESTROYED | WEIR_FLOW_HAS_TCP_BYTES |
                           WEIR_FLOW_FIN_RECEIVED | WEIR_FLOW_IN_TIME_WAIT);
  weir_flow_forget_ending (*flow);
  (*flow)->tcp_rx_bytes = 0;
  (*flow)->tcp_tx_bytes = 0;
  forget_identity (join, *flow);
  return true;
}

/* Whether kernel programs saw each socket of the namespace being made that nobody knew yet: what
 * moved in one that is no flow of theirs is among their totals, or among the late bytes. */
static bool
is_counted_elsewhere (const struct weir_join *join, const struct weir_netns *netns)
{
  return weir_join_has_bpf (join) && netns->n_complete == 2;
}

/* Whether one of both is none of the kernel's. */
static bool
is_listed_once (const struct weir_flow *flow, const struct weir_socket_reading *reading)
{
  return ((flow->cookie ^ reading->cookie) & WEIR_LISTED_COOKIE) != 0;
}

static bool
is_other_socket (const struct weir_flow *flow, const struct weir_socket_reading *reading)
{
  return flow->cookie != 0 && flow->cookie != reading->cookie && !is_listed_once (flow, reading);
}

static bool
is_better_cookie (const struct weir_flow *flow, const struct weir_socket_reading *reading)
{
  return !is_listed_once (flow, reading) || flow->cookie & WEIR_LISTED_COOKIE;
}

static void
join_seen (struct weir_join *join, const struct weir_netns *netns,
           const struct weir_socket_reading *reading, uint64_t now)
{
  bool remains = is_remains (reading);
  struct weir_flow_key key;
  struct weir_flow *flow;

  make_key (netns, reading, &key);
  weir_join_claim_forwarded (join, netns, &key);
  flow = weir_flow_table_find (&join->table, &key);
  if (flow == NULL && netns != &join->own)
    flow = weir_join_adopt_listed (join, &key, reading);
  /* What remains of a connection that kernel programs count says nothing more of it. */
  if (flow != NULL && remains && weir_flow_get_bpf (flow) != NULL)
    return;
  if (flow != NULL && flow->cookie == reading->cookie && !remains &&
      flow->flags & WEIR_FLOW_SOCKET_DESTROYED)
    return;
  if (flow != NULL && is_other_socket (flow, reading) && reading->protocol == IPPROTO_TCP &&
      !(remains && flow->flags & WEIR_FLOW_SOCKET_DESTROYED) &&
      !change_socket (join, &flow, remains))
    return;
  if (flow == NULL)
    {
      const bool is_counted = is_counted_elsewhere (join, netns);

      if (remains && is_counted)
        return;
      flow = weir_flow_table_add (&join->table, &key, now);
      if (flow == NULL)
        return;
      flow->is_elsewhere = is_counted;
      if (weir_join_is_baseline (join, netns->sockets_known))
        flow->flags |= WEIR_FLOW_NO_RATE;
    }
  /* Remains of a socket that nobody had asked for get a cookie of their own. */
  if (flow->cookie == 0 || (!remains && is_better_cookie (flow, reading)))
    weir_flow_table_set_cookie (&join->table, flow, reading->cookie);
  weir_flow_set_flags (
      flow, WEIR_FLOW_HAS_SOCKET | WEIR_FLOW_HAD_SOCKET | (remains ? WEIR_FLOW_IN_TIME_WAIT : 0),
      remains ? 0 : WEIR_FLOW_IN_TIME_WAIT);
  weir_flow_table_mark (&join->table, flow, WEIR_MARK_SOCKET);
  flow->socket_round = netns->round;
  flow->socket_state = reading->state;
  if (remains)
    return;
  if (reading->inode != 0 &&
      (reading->state == WEIR_TCP_FIN_WAIT1 || reading->state == WEIR_TCP_FIN_WAIT2))
    flow->flags |= WEIR_FLOW_SHUT_BY_OWNER;
  if (reading->has_bytes)
    {
      if (reading->fin_counted)
        flow->flags |= WEIR_FLOW_FIN_RECEIVED;
      weir_flow_set_tcp_bytes (flow,
                               reading->rx_bytes - (reading->fin_counted && reading->rx_bytes > 0),
                               reading->tx_bytes);
    }
  set_times (flow, reading);
  set_identity (join, netns, flow, reading, now);
  set_socket_direction (flow, reading);
}

static void
join_destroyed (struct weir_join *join, const struct weir_netns *netns,
                const struct weir_socket_reading *reading, uint64_t now)
{
  struct weir_flow *flow = weir_flow_table_find_cookie (&join->table, reading->cookie);

  if (flow == NULL)
    {
      struct weir_flow_key key;

      /* Listeners, sockets that were never connected, and those that were disconnected. */
      if (reading->remote.port == 0 || reading->local.port == 0 ||
          weir_address_is_any (reading->local.address))
        return;
      make_key (netns, reading, &key);
      weir_join_claim_forwarded (join, netns, &key);
      flow = weir_flow_table_find (&join->table, &key);
      /* The key is another connection's meanwhile. */
      if (flow != NULL && flow->cookie != 0)
        return;
      if (flow == NULL && is_counted_elsewhere (join, netns))
        return;
      if (flow == NULL)
        {
          flow = weir_flow_table_add (&join->table, &key, now);
          if (flow == NULL)
            return;
          if (weir_join_is_baseline (join, netns->sockets_known))
            flow->flags |= WEIR_FLOW_NO_RATE;
        }
      weir_flow_table_set_cookie (&join->table, flow, reading->cookie);
    }
  weir_join_end_socket (join, netns, flow, reading);
  set_times (flow, reading);
  weir_flow_set_flags (flow, WEIR_FLOW_HAD_SOCKET | WEIR_FLOW_SOCKET_DESTROYED,
                       WEIR_FLOW_HAS_SOCKET | WEIR_FLOW_IN_TIME_WAIT);
}

static bool
is_stream (uint8_t protocol)
{
  return protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

/* Sockets that are no flows; what is bound to a port may own some. */
static void
take_receiver (struct weir_join *join, struct weir_netns *netns,
               const struct weir_socket_reading *reading, uint64_t now)
{
  uint32_t owner = 0;

  if (reading->kind != WEIR_SOCKET_PACKET)
    weir_socket_index_add (&netns->sockets, reading);
  /* Asked for right away: a flow that it serves may be over before an answer could come. */
  if (reading->inode != 0)
    owner = weir_join_need_owner (join, netns, reading->inode, reading->cookie,
                                  reading->has_cgroup ? reading->cgroup_id : 0, now);
  if (!weir_receivers_see (&join->receivers, netns->inode, netns->round, reading, owner,
                           netns->sockets_known ? now : 0))
    netns->not_listed_now++;
}

void
weir_join_socket (struct weir_join *join, struct weir_netns *netns,
                  const struct weir_socket_reading *reading, enum weir_sockdiag_event event,
                  uint64_t now)
{
  if (event == WEIR_SOCKDIAG_SOCKET && reading->inode != 0)
    netns->n_sockets_now++;
  if (event == WEIR_SOCKDIAG_DESTROYED)
    join_destroyed (join, netns, reading, now);
  else if (reading->kind == WEIR_SOCKET_RAW || reading->kind == WEIR_SOCKET_PACKET)
    take_receiver (join, netns, reading, now);
  else if (reading->local.port == 0)
    return;
  else if (reading->kind == WEIR_SOCKET_PING ||
           (is_stream (reading->protocol) ? reading->state == WEIR_TCP_LISTEN
                                          : reading->remote.port == 0))
    take_receiver (join, netns, reading, now);
  else if (reading->remote.port != 0 && reading->state != WEIR_TCP_CLOSE)
    join_seen (join, netns, reading, now);
}

/* Somebody else may serve its flows now. */
static void
reconsider_owners (struct weir_join *join, const struct weir_netns *netns)
{
  struct weir_flow *flow;
  uint32_t slot = 0;

  while ((flow = weir_flow_table_next (&join->table, &slot)) != NULL)
    {
      if (flow->key.netns != netns->inode || flow->owner != 0 ||
          flow->direction == WEIR_DIRECTION_FORWARDED)
        continue;
      flow->flags &= ~(uint32_t) WEIR_FLOW_OWNER_IS_NOBODY;
      weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
    }
}

void
weir_join_expect_in_dumps (struct weir_join *join, struct weir_flow *flow)
{
  if (flow->key.protocol != IPPROTO_TCP || flow->flags & WEIR_FLOW_HAS_SOCKET)
    return;
  flow->socket_round = join->socket_round;
  weir_flow_table_mark (&join->table, flow, WEIR_MARK_SOCKET);
}

/* Whether dumps show the socket of the flow as long as it lives. */
static bool
is_expected (const struct weir_flow *flow)
{
  return flow->flags & WEIR_FLOW_HAS_SOCKET ||
         (flow->has_bpf && flow->key.protocol == IPPROTO_TCP && flow->extra->bpf->n_open > 0);
}

void
weir_join_sockets_complete (struct weir_join *join, struct weir_netns *netns)
{
  bool others = weir_socket_index_complete (&netns->sockets, netns->asked_at);
  struct weir_flow *flow;
  uint32_t slot = 0;

  netns->not_listed = netns->not_listed_now;
  weir_receivers_sweep (&join->receivers, netns->inode, netns->round_before);
  weir_owners_sweep (&join->owners, netns == &join->own ? 0 : netns->inode, netns->round_before);
  if (others || !netns->sockets_known || netns->addresses.version != netns->addresses_version)
    reconsider_owners (join, netns);
  netns->addresses_version = netns->addresses.version;
  while ((flow = weir_flow_table_next_marked (&join->table, &slot, WEIR_MARK_SOCKET)) != NULL)
    {
      if (flow->key.netns != netns->inode)
        continue;
      weir_join_decide_ending (join, netns, flow);
      if (is_expected (flow) && (int32_t) (netns->round_before - flow->socket_round) > 0)
        {
          weir_flow_set_flags (flow, 0, WEIR_FLOW_HAS_SOCKET | WEIR_FLOW_IN_TIME_WAIT);
          weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
          weir_join_close_parts (join, flow);
        }
      if (!is_expected (flow) && !(flow->flags & WEIR_FLOW_AWAITS_DUMP))
        weir_flow_table_unmark (&join->table, flow, WEIR_MARK_SOCKET);
    }
  join->n_changes++;
  netns->dumping = false;
  netns->sockets_known = true;
  if (netns->n_complete < 2)
    netns->n_complete++;
  netns->n_sockets = netns->n_sockets_now;
  if (netns == &join->own)
    join->refused_before = join->table.refused;
}

void
weir_join_publish_receivers (struct weir_join *join, struct weir_writer *writer)
{
  uint32_t not_listed = join->own.not_listed;

  /* That there are none is not said before it is known. */
  if (!join->own.sockets_known)
    return;
  for (unsigned i = 0; i < join->n_others; i++)
    not_listed += join->others[i]->not_listed;
  weir_receivers_publish (&join->receivers, &join->owners, not_listed, writer);
}
