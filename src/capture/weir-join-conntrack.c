/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How an entry of the connection tracking table becomes rows.
 *
 * An entry knows the first packet as it was sent (orig) and what an answer looks like (reply); they
 * differ by translation.  If this namespace sent the first packet, the row is what its socket sees:
 * orig.src to orig.dst.  If it received it, its socket sees reply.src to reply.dst.  If both, there
 * are two sockets and two rows, with the same bytes the other way round.  If neither, the flow
 * passes through. */
#include "weir-join.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <string.h>

/* One row of an entry. */
struct view
{
  struct weir_flow_key key;
  struct weir_endpoint nat_local, nat_remote;
  bool reversed; /* the local end received the first packet */
  bool wanted;
  struct weir_flow *flow;
};

static void
make_view (const struct weir_join *join, const struct weir_conntrack_reading *reading,
           bool reversed, struct view *ret_view)
{
  const struct weir_endpoint *local = reversed ? &reading->reply_src : &reading->orig_src;
  const struct weir_endpoint *remote = reversed ? &reading->reply_dst : &reading->orig_dst;

  memset (ret_view, 0, sizeof *ret_view);
  memcpy (ret_view->key.local, local->address, 16);
  memcpy (ret_view->key.remote, remote->address, 16);
  ret_view->key.local_port = local->port;
  ret_view->key.remote_port = remote->port;
  ret_view->key.netns = join->own.inode;
  ret_view->key.discriminator = reading->discriminator;
  ret_view->key.protocol = reading->protocol;
  ret_view->key.family = reading->family;
  ret_view->nat_local = reversed ? reading->orig_dst : reading->reply_dst;
  ret_view->nat_remote = reversed ? reading->orig_src : reading->reply_src;
  ret_view->reversed = reversed;
  ret_view->flow = weir_flow_table_find (&join->table, &ret_view->key);
}

/* The kernel makes an entry's id from its place in memory and its addresses: the next entry for the
 * same addresses may well get the same one, but not while the first is there. */
static bool
is_bound (const struct view *view, const struct weir_conntrack_reading *reading,
          enum weir_conntrack_event event)
{
  return view->flow != NULL && view->flow->flags & WEIR_FLOW_HAD_CONNTRACK &&
         view->flow->ct_id == reading->id && view->flow->ct_zone == reading->zone &&
         (event != WEIR_CONNTRACK_NEW || view->flow->flags & WEIR_FLOW_HAS_CONNTRACK);
}

static bool
same_endpoint (const struct weir_endpoint *endpoint, const uint8_t address[16], uint16_t port)
{
  return endpoint->port == port && memcmp (endpoint->address, address, 16) == 0;
}

static void
set_nat (struct weir_flow *flow, const struct view *view)
{
  bool translated = !same_endpoint (&view->nat_local, view->key.local, view->key.local_port) ||
                    !same_endpoint (&view->nat_remote, view->key.remote, view->key.remote_port);
  struct weir_flow_extra *extra;

  if (!translated)
    return;
  extra = weir_flow_need_extra (flow);
  if (extra == NULL)
    return;
  extra->nat_local = view->nat_local;
  extra->nat_remote = view->nat_remote;
  flow->flags |= WEIR_FLOW_HAS_NAT;
  flow->dirty |= WEIR_FLOW_NAT;
}

/* What was counted so far stays, and what comes is counted on top of it. */
static void
begin_anew (struct weir_flow *flow)
{
  struct weir_flow_extra *extra = weir_flow_need_extra (flow);

  if (extra == NULL)
    return;
  extra->base_rx_bytes = flow->ct_rx_bytes;
  extra->base_tx_bytes = flow->ct_tx_bytes;
  extra->base_rx_packets = flow->ct_rx_packets;
  extra->base_tx_packets = flow->ct_tx_packets;
}

static void
set_counters (struct weir_flow *flow, const struct weir_conntrack_reading *reading, bool reversed)
{
  uint64_t rx = reversed ? reading->orig_bytes : reading->reply_bytes;
  uint64_t tx = reversed ? reading->reply_bytes : reading->orig_bytes;
  uint64_t rx_packets = reversed ? reading->orig_packets : reading->reply_packets;
  uint64_t tx_packets = reversed ? reading->reply_packets : reading->orig_packets;
  const struct weir_flow_extra *extra = flow->extra;

  if (!reading->has_counters)
    {
      /* The entry was made anew while accounting was off: what was counted before stands still. */
      if (flow->flags & WEIR_FLOW_HAS_COUNTERS && flow->flags & WEIR_FLOW_HAS_TCP_BYTES)
        flow->flags |= WEIR_FLOW_TCP_MOVED_ON;
      return;
    }
  /* `conntrack -L -z` and the like set counters to zero. */
  if (rx + (extra ? extra->base_rx_bytes : 0) < flow->ct_rx_bytes ||
      tx + (extra ? extra->base_tx_bytes : 0) < flow->ct_tx_bytes)
    {
      begin_anew (flow);
      extra = flow->extra;
    }
  flow->ct_rx_bytes = rx + (extra ? extra->base_rx_bytes : 0);
  flow->ct_tx_bytes = tx + (extra ? extra->base_tx_bytes : 0);
  flow->ct_rx_packets = rx_packets + (extra ? extra->base_rx_packets : 0);
  flow->ct_tx_packets = tx_packets + (extra ? extra->base_tx_packets : 0);
  weir_flow_set_flags (flow, WEIR_FLOW_HAS_COUNTERS, WEIR_FLOW_TCP_MOVED_ON);
}

/* Whether @flow, which has or had another entry, and @reading are one and the same connection. */
static bool
is_another_connection (const struct weir_flow *flow, const struct weir_conntrack_reading *reading)
{
  if (reading->protocol != IPPROTO_TCP)
    return false;
  if (reading->has_state &&
      (reading->state == TCP_CONNTRACK_SYN_SENT || reading->state == TCP_CONNTRACK_SYN_RECV))
    return true;
  return flow->flags & WEIR_FLOW_HAD_SOCKET &&
         (!(flow->flags & WEIR_FLOW_HAS_SOCKET) || flow->flags & WEIR_FLOW_IN_TIME_WAIT);
}

/* Finds or makes the flow of a view that is not bound to the entry yet.  NULL: not to be joined. */
static struct weir_flow *
bind_flow (struct weir_join *join, const struct view *view,
           const struct weir_conntrack_reading *reading, enum weir_conntrack_event event,
           uint64_t now)
{
  struct weir_flow *flow = view->flow;
  uint32_t learnt = 0;

  if (event == WEIR_CONNTRACK_NEW)
    learnt = WEIR_FLOW_IS_FRESH;
  if (flow != NULL && flow->flags & WEIR_FLOW_HAD_CONNTRACK)
    {
      bool alive = flow->flags & WEIR_FLOW_HAS_CONNTRACK;

      /* The same addresses in another zone are another flow, but they would be the same row. */
      if (alive && flow->ct_zone != reading->zone)
        return NULL;
      /* An end that is older than what the flow is bound to now. */
      if (event == WEIR_CONNTRACK_DESTROY)
        return NULL;
      /* An event told of a newer entry than this dump does. */
      if (event == WEIR_CONNTRACK_ENTRY && flow->flags & WEIR_FLOW_IS_FRESH &&
          flow->ct_round == join->conntrack_round)
        return NULL;
      if (event == WEIR_CONNTRACK_NEW)
        learnt |= WEIR_FLOW_IS_REBORN;
      if (is_another_connection (flow, reading))
        {
          weir_join_retire (join, flow);
          flow = NULL;
        }
      else
        begin_anew (flow);
    }
  if (flow == NULL)
    {
      flow = weir_flow_table_add_without_socket (&join->table, &view->key, now);
      if (flow == NULL)
        return NULL;
      /* An end without a beginning began before we looked. */
      if (event != WEIR_CONNTRACK_NEW && weir_join_is_baseline (join, join->conntrack_known))
        flow->flags |= WEIR_FLOW_NO_RATE;
    }
  flow->ct_id = reading->id;
  flow->ct_zone = reading->zone;
  weir_flow_set_flags (flow, 0, WEIR_FLOW_IS_FRESH | WEIR_FLOW_IS_REBORN);
  weir_flow_set_flags (
      flow, WEIR_FLOW_HAD_CONNTRACK | (view->reversed ? WEIR_FLOW_REVERSED : 0) | learnt, 0);
  set_nat (flow, view);
  return flow;
}

static void
apply (struct weir_join *join, struct weir_flow *flow, const struct weir_conntrack_reading *reading,
       enum weir_conntrack_event event)
{
  set_counters (flow, reading, flow->flags & WEIR_FLOW_REVERSED);
  if (reading->has_state)
    flow->ct_state = reading->state;
  if (reading->status & IPS_SEEN_REPLY)
    flow->flags |= WEIR_FLOW_SEEN_REPLY;
  if (event == WEIR_CONNTRACK_DESTROY)
    weir_flow_set_flags (flow, 0, WEIR_FLOW_HAS_CONNTRACK);
  else
    {
      flow->ct_round = join->conntrack_round;
      weir_flow_set_flags (flow, WEIR_FLOW_HAS_CONNTRACK, 0);
    }
}

void
weir_join_conntrack (struct weir_join *join, const struct weir_conntrack_reading *reading,
                     enum weir_conntrack_event event, uint64_t now)
{
  bool sent = weir_addresses_is_local (&join->own.addresses, reading->orig_src.address);
  bool received =
      weir_addresses_is_local (&join->own.addresses, reading->reply_src.address) ||
      (!sent && weir_addresses_is_group (&join->own.addresses, reading->orig_dst.address));
  struct view views[2];
  bool bound;

  if (event == WEIR_CONNTRACK_UPDATE)
    return;
  if (event == WEIR_CONNTRACK_ENTRY)
    join->n_entries_now++;
  make_view (join, reading, false, &views[0]);
  make_view (join, reading, true, &views[1]);
  /* Once bound always bound: addresses come and go, the flow stays what it is. */
  bound = is_bound (&views[0], reading, event) || is_bound (&views[1], reading, event);
  views[0].wanted = bound ? is_bound (&views[0], reading, event) : sent || !received;
  views[1].wanted = bound ? is_bound (&views[1], reading, event) : received;
  /* A socket that is connected to itself is one row. */
  if (views[0].wanted && memcmp (&views[0].key, &views[1].key, sizeof views[0].key) == 0)
    views[1].wanted = false;

  for (unsigned i = 0; i < 2; i++)
    {
      struct weir_flow *flow = views[i].flow;

      if (!views[i].wanted)
        continue;
      if (bound)
        {
          /* The dump is older than the event which ended this very entry, or made it anew. */
          if (event == WEIR_CONNTRACK_ENTRY &&
              (!(flow->flags & WEIR_FLOW_HAS_CONNTRACK) ||
               (flow->flags & WEIR_FLOW_IS_REBORN && flow->ct_round == join->conntrack_round)))
            continue;
        }
      else
        {
          flow = bind_flow (join, &views[i], reading, event, now);
          if (flow == NULL)
            continue;
          weir_flow_set_direction (flow, sent && received ? WEIR_DIRECTION_LOCAL
                                         : sent           ? WEIR_DIRECTION_OUT
                                         : received       ? WEIR_DIRECTION_IN
                                                          : WEIR_DIRECTION_FORWARDED);
        }
      apply (join, flow, reading, event);
    }
}

void
weir_join_set_no_rate (struct weir_join *join, const struct weir_conntrack_reading *reading,
                       bool no_rate)
{
  struct view view;

  if (!no_rate)
    return;
  for (unsigned i = 0; i < 2; i++)
    {
      make_view (join, reading, i == 1, &view);
      if (is_bound (&view, reading, WEIR_CONNTRACK_ENTRY))
        view.flow->flags |= WEIR_FLOW_NO_RATE;
    }
}

void
weir_join_conntrack_begin (struct weir_join *join)
{
  join->conntrack_round++;
  join->conntrack_dumping = true;
  join->n_entries_now = 0;
}

void
weir_join_conntrack_end (struct weir_join *join, bool complete)
{
  struct weir_flow *flow;
  uint32_t slot = 0;

  join->conntrack_dumping = false;
  if (!complete)
    return;
  join->conntrack_known = true;
  join->n_entries = join->n_entries_now;
  while ((flow = weir_flow_table_next (&join->table, &slot)) != NULL)
    {
      if (flow->flags & WEIR_FLOW_HAS_CONNTRACK && join->conntrack_round - flow->ct_round >= 2)
        weir_flow_set_flags (flow, 0, WEIR_FLOW_HAS_CONNTRACK);
    }
}
