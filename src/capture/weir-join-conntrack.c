/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How an entry of the connection tracking table becomes rows.
 *
 * An entry knows the first packet as it was sent (orig) and what an answer looks like (reply); they
 * differ by translation.  If this namespace sent the first packet, the row is what its socket sees:
 * orig.src to orig.dst.  If it received it, its socket sees reply.src to reply.dst.  If both, there
 * are two sockets and two rows, with the same bytes the other way round.  If neither, the flow
 * passes through.
 *
 * Who sent and who received is told by addresses; and by sockets, which may have foreign ones
 * (transparent proxies, IP_FREEBIND). */
#include "weir-join.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <string.h>

/* What passed through is looked at as often as what moves for so many more dumps. */
#define PASSING_DUMPS 16

/* One row of an entry. */
struct view
{
  struct weir_flow_key key;
  struct weir_endpoint nat_local, nat_remote;
  bool reversed; /* the local end received the first packet */
  bool wanted;
  struct weir_flow *flow;
};

/* The row of a view.  The same addresses in another zone are another flow: the first one has the
 * plain key, by which its socket finds it, and the others have their zone in theirs. */
static void
find_flow (struct weir_join *join, const struct weir_conntrack_reading *reading, struct view *view)
{
  struct weir_flow *plain = weir_flow_table_find (&join->table, &view->key);
  bool taken;

  view->flow = plain;
  if (plain != NULL && plain->flags & WEIR_FLOW_HAD_CONNTRACK && plain->ct_zone == reading->zone)
    return;
  taken = plain != NULL && plain->flags & WEIR_FLOW_HAS_CONNTRACK;
  if (!taken && !join->has_zones)
    return;
  view->key.has_zone = 1;
  view->key.zone = reading->zone;
  view->flow = weir_flow_table_find (&join->table, &view->key);
  if (view->flow != NULL || taken)
    return;
  view->key.has_zone = 0;
  view->key.zone = 0;
  view->flow = plain;
}

static void
make_view (struct weir_join *join, const struct weir_conntrack_reading *reading, bool reversed,
           struct view *ret_view)
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
  find_flow (join, reading, ret_view);
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

  /* What an earlier entry was translated to is told no more. */
  if (!translated && !(flow->flags & WEIR_FLOW_HAS_NAT))
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

/* Whether anything moved since it was read last. */
static bool
set_counters (struct weir_flow *flow, const struct weir_conntrack_reading *reading, bool reversed)
{
  uint64_t rx = reversed ? reading->orig_bytes : reading->reply_bytes;
  uint64_t tx = reversed ? reading->reply_bytes : reading->orig_bytes;
  uint64_t rx_packets = reversed ? reading->orig_packets : reading->reply_packets;
  uint64_t tx_packets = reversed ? reading->reply_packets : reading->orig_packets;
  const uint64_t rx_before = flow->ct_rx_packets, tx_before = flow->ct_tx_packets;
  const bool was_read = flow->flags & WEIR_FLOW_HAS_COUNTERS;
  const struct weir_flow_extra *extra = flow->extra;

  if (!reading->has_counters)
    {
      /* The entry was made anew while accounting was off: what was counted before stands still. */
      if (flow->flags & WEIR_FLOW_HAS_COUNTERS && flow->flags & WEIR_FLOW_HAS_TCP_BYTES)
        flow->flags |= WEIR_FLOW_TCP_MOVED_ON;
      return false;
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
  return was_read && (flow->ct_rx_packets != rx_before || flow->ct_tx_packets != tx_before);
}

/* Whether @flow, which has or had another entry, and @reading are one and the same connection. */
static bool
is_another_connection (const struct weir_flow *flow, const struct weir_conntrack_reading *reading)
{
  /* Of two that have the same addresses kernel programs know which is which, and knew it first. */
  if (reading->protocol != IPPROTO_TCP || flow->has_bpf)
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
  /* An end of which no beginning was heard since: it is the earlier connection's. */
  if (flow != NULL && flow->has_bpf && event == WEIR_CONNTRACK_DESTROY)
    return NULL;
  if (flow != NULL && flow->flags & WEIR_FLOW_HAD_CONNTRACK)
    {
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
  join->has_zones |= flow->key.has_zone;
  flow->ct_id = reading->id;
  flow->ct_zone = reading->zone;
  flow->ct_zone_direction = reading->zone_direction & 3;
  flow->ct_state = 0;
  flow->dirty |= WEIR_FLOW_CONNTRACK;
  /* The end that began last time need not be the one that begins now. */
  weir_flow_set_flags (flow, 0, WEIR_FLOW_IS_FRESH | WEIR_FLOW_IS_REBORN | WEIR_FLOW_REVERSED);
  weir_flow_set_flags (
      flow, WEIR_FLOW_HAD_CONNTRACK | (view->reversed ? WEIR_FLOW_REVERSED : 0) | learnt, 0);
  set_nat (flow, view);
  return flow;
}

/* What moves only now and then is not forgotten between two dumps. */
static void
note_passing (struct weir_join *join, const struct weir_flow *flow)
{
  if (flow->direction == WEIR_DIRECTION_FORWARDED)
    join->passing = PASSING_DUMPS;
}

static void
apply (struct weir_join *join, struct weir_flow *flow, const struct weir_conntrack_reading *reading,
       enum weir_conntrack_event event)
{
  const uint32_t learnt = (reading->has_mark ? WEIR_FLOW_HAS_MARK : 0) |
                          (reading->status & IPS_SEEN_REPLY ? WEIR_FLOW_SEEN_REPLY : 0);

  if (set_counters (flow, reading, flow->flags & WEIR_FLOW_REVERSED))
    {
      flow->has_moved = true;
      if (event == WEIR_CONNTRACK_ENTRY && weir_flow_get_bpf (flow) == NULL)
        {
          join->n_moved_now++;
          note_passing (join, flow);
        }
    }
  if (event == WEIR_CONNTRACK_ENTRY)
    join->n_forwarded_now += flow->direction == WEIR_DIRECTION_FORWARDED;
  if ((reading->has_state && flow->ct_state != reading->state) ||
      (reading->has_mark && flow->ct_mark != reading->mark) || learnt & ~flow->flags)
    flow->dirty |= WEIR_FLOW_CONNTRACK;
  /* Whoever answered is there. */
  if (learnt & ~flow->flags & WEIR_FLOW_SEEN_REPLY)
    flow->flags &= ~(uint32_t) WEIR_FLOW_OWNER_IS_NOBODY;
  flow->flags |= learnt;
  if (reading->has_state)
    flow->ct_state = reading->state;
  if (reading->has_mark)
    flow->ct_mark = reading->mark;
  if (event == WEIR_CONNTRACK_DESTROY)
    weir_flow_set_flags (flow, 0, WEIR_FLOW_HAS_CONNTRACK);
  else
    {
      flow->ct_round = join->conntrack_round;
      weir_flow_set_flags (flow, WEIR_FLOW_HAS_CONNTRACK, 0);
    }
}

/* ---- which rows an entry has ---- */

struct ends
{
  bool sent, received; /* the first packet, by this computer */
};

static struct ends
get_ends (const struct weir_join *join, const struct weir_conntrack_reading *reading)
{
  const struct weir_addresses *addresses = &join->own.addresses;
  struct ends ends;

  ends.sent = weir_addresses_is_local (addresses, reading->orig_src.address);
  ends.received = weir_addresses_is_local (addresses, reading->reply_src.address) ||
                  (!ends.sent && weir_addresses_is_group (addresses, reading->orig_dst.address));
  return ends;
}

static enum weir_direction
get_direction (struct ends ends, const struct weir_conntrack_reading *reading)
{
  if (ends.sent && ends.received)
    return WEIR_DIRECTION_LOCAL;
  if (ends.sent)
    return WEIR_DIRECTION_OUT;
  if (!ends.received)
    return WEIR_DIRECTION_FORWARDED;
  /* From somebody who had no address yet (DHCP): that may have been this computer. */
  return weir_address_is_any (reading->orig_src.address) ? WEIR_DIRECTION_UNKNOWN
                                                         : WEIR_DIRECTION_IN;
}

static bool
has_socket (const struct view *view)
{
  return view->flow != NULL && (view->flow->flags & WEIR_FLOW_HAS_SOCKET || view->flow->has_bpf);
}

/* Looks up the rows that the entry has, or will have.  Returns whether it has them already: once
 * bound always bound, for addresses come and go, and the flow stays what it is. */
static bool
find_views (struct weir_join *join, const struct weir_conntrack_reading *reading,
            enum weir_conntrack_event event, struct ends *ends, struct view views[2])
{
  unsigned first = ends->received && !ends->sent ? 1 : 0;
  bool bound[2] = { false };

  make_view (join, reading, first == 1, &views[first]);
  bound[first] = is_bound (&views[first], reading, event);
  /* Only entries of local flows have two rows; this spares a dump of the table half its work. */
  if (bound[first] && views[first].flow->direction != WEIR_DIRECTION_LOCAL)
    {
      views[first].wanted = true;
      views[1 - first].wanted = false;
      return true;
    }
  make_view (join, reading, first == 0, &views[1 - first]);
  bound[1 - first] = is_bound (&views[1 - first], reading, event);
  if (!ends->sent && !ends->received)
    {
      ends->sent = has_socket (&views[0]);
      ends->received = has_socket (&views[1]);
    }
  if (bound[0] || bound[1])
    {
      views[0].wanted = bound[0];
      views[1].wanted = bound[1];
    }
  else
    {
      views[0].wanted = ends->sent || !ends->received;
      views[1].wanted = ends->received;
    }
  /* A socket that is connected to itself is one row. */
  if (views[0].wanted && memcmp (&views[0].key, &views[1].key, sizeof views[0].key) == 0)
    views[1].wanted = false;
  return bound[0] || bound[1];
}

/* ---- the short way ----
 *
 * The kernel walks its table in the same order each time, so mostly the next entry of a dump is the
 * one that came next in the last dump, too.  Then its flow is known without looking for it, and
 * when there is no news in the entry either, nothing else has to look at it. */

/* Whether @flow is one of the entry's rows, and may take what a dump says. */
static bool
is_expected (const struct weir_join *join, const struct weir_flow *flow,
             const struct weir_conntrack_reading *reading)
{
  const bool reversed = flow->flags & WEIR_FLOW_REVERSED;
  const struct weir_endpoint *local = reversed ? &reading->reply_src : &reading->orig_src;
  const struct weir_endpoint *remote = reversed ? &reading->reply_dst : &reading->orig_dst;

  return flow->ct_id == reading->id && flow->ct_zone == reading->zone &&
         flow->flags & WEIR_FLOW_HAS_CONNTRACK && !(flow->flags & WEIR_FLOW_IS_REBORN) &&
         flow->key.netns == join->own.inode && flow->key.protocol == reading->protocol &&
         flow->key.family == reading->family && flow->key.discriminator == reading->discriminator &&
         same_endpoint (local, flow->key.local, flow->key.local_port) &&
         same_endpoint (remote, flow->key.remote, flow->key.remote_port);
}

static void
apply_expected (struct weir_join *join, struct weir_flow *flow,
                const struct weir_conntrack_reading *reading)
{
  const uint64_t rx_bytes = flow->ct_rx_bytes, tx_bytes = flow->ct_tx_bytes;
  const uint32_t flags = flow->flags;
  const uint8_t state = flow->ct_state, dirty = flow->dirty;

  apply (join, flow, reading, WEIR_CONNTRACK_ENTRY);
  if (flow->ct_rx_bytes != rx_bytes || flow->ct_tx_bytes != tx_bytes || flow->flags != flags ||
      flow->ct_state != state || flow->dirty != dirty)
    weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
}

static void
go_on_from (struct weir_join *join, struct weir_flow *flow)
{
  struct weir_flow *last = weir_flow_table_get (&join->table, join->dump_at);

  if (last == NULL)
    join->dump_first = flow->number;
  else if (last->next_in_dump != flow->number)
    last->next_in_dump = flow->number;
  join->dump_at = flow->number;
}

/* False: the entry has to be joined the long way. */
static bool
join_expected (struct weir_join *join, const struct weir_conntrack_reading *reading)
{
  const struct weir_flow *last = weir_flow_table_get (&join->table, join->dump_at);
  struct weir_flow *one, *other = NULL;

  one = weir_flow_table_get (&join->table, last != NULL ? last->next_in_dump : join->dump_first);
  if (one == NULL || !is_expected (join, one, reading))
    return false;
  /* Both ends are here: it has two rows. */
  if (one->direction == WEIR_DIRECTION_LOCAL)
    {
      other = weir_flow_table_get (&join->table, one->next_in_dump);
      if (other == NULL || ((one->flags ^ other->flags) & WEIR_FLOW_REVERSED) == 0 ||
          !is_expected (join, other, reading))
        return false;
    }
  apply_expected (join, one, reading);
  go_on_from (join, one);
  if (other != NULL)
    {
      apply_expected (join, other, reading);
      go_on_from (join, other);
    }
  return true;
}

/* Whether sock_diag can be asked for one socket of the flow's kind. */
static bool
has_sockets (const struct weir_flow *flow)
{
  return flow->key.protocol == IPPROTO_TCP || flow->key.protocol == IPPROTO_UDP;
}

static void
join_searched (struct weir_join *join, const struct weir_conntrack_reading *reading,
               enum weir_conntrack_event event, uint64_t now)
{
  struct ends ends = get_ends (join, reading);
  struct view views[2];
  bool bound;

  bound = find_views (join, reading, event, &ends, views);

  for (unsigned i = 0; i < 2; i++)
    {
      struct weir_flow *flow;

      if (!views[i].wanted)
        continue;
      flow = views[i].flow;
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
          weir_flow_set_direction (flow, get_direction (ends, reading));
          note_passing (join, flow);
        }
      apply (join, flow, reading, event);
      if (event == WEIR_CONNTRACK_ENTRY)
        go_on_from (join, flow);
      if (event == WEIR_CONNTRACK_NEW && has_sockets (flow) && (ends.sent || ends.received))
        weir_fresh_add (&join->fresh, flow, 0, now);
    }
}

void
weir_join_conntrack (struct weir_join *join, const struct weir_conntrack_reading *reading,
                     enum weir_conntrack_event event, uint64_t now)
{
  if (event == WEIR_CONNTRACK_UPDATE)
    return;
  if (event == WEIR_CONNTRACK_ENTRY)
    {
      join->n_entries_now++;
      if (join_expected (join, reading))
        return;
    }
  join_searched (join, reading, event, now);
}

/* ---- when more is known ---- */

/* What a row has to hand on to those that replace it. */
struct past
{
  uint32_t flags, ct_round;
  /* Of earlier entries, seen from the end that sent the first packet */
  uint64_t orig_bytes, orig_packets, reply_bytes, reply_packets;
};

static struct past
remember (const struct weir_flow *flow)
{
  const struct weir_flow_extra *extra = flow->extra;
  struct past past = { .flags = flow->flags, .ct_round = flow->ct_round };

  if (extra == NULL)
    return past;
  past.orig_bytes = extra->base_tx_bytes;
  past.orig_packets = extra->base_tx_packets;
  past.reply_bytes = extra->base_rx_bytes;
  past.reply_packets = extra->base_rx_packets;
  return past;
}

static void
add_past (struct weir_flow *flow, const struct past *past)
{
  const bool reversed = flow->flags & WEIR_FLOW_REVERSED;
  struct weir_flow_extra *extra = weir_flow_need_extra (flow);

  if (extra == NULL)
    return;
  extra->base_rx_bytes += reversed ? past->orig_bytes : past->reply_bytes;
  extra->base_tx_bytes += reversed ? past->reply_bytes : past->orig_bytes;
  extra->base_rx_packets += reversed ? past->orig_packets : past->reply_packets;
  extra->base_tx_packets += reversed ? past->reply_packets : past->orig_packets;
  flow->ct_rx_bytes += reversed ? past->orig_bytes : past->reply_bytes;
  flow->ct_tx_bytes += reversed ? past->reply_bytes : past->orig_bytes;
  flow->ct_rx_packets += reversed ? past->orig_packets : past->reply_packets;
  flow->ct_tx_packets += reversed ? past->reply_packets : past->orig_packets;
}

/* The rows of an entry go on where the one that they replace has ended. */
static void
hand_on (struct weir_join *join, const struct weir_conntrack_reading *reading,
         const struct past *past)
{
  struct view view;

  for (unsigned i = 0; i < 2; i++)
    {
      make_view (join, reading, i == 1, &view);
      /* A socket that is connected to itself is one row. */
      if (!is_bound (&view, reading, WEIR_CONNTRACK_ENTRY) ||
          (view.flow->flags & WEIR_FLOW_REVERSED) != (view.reversed ? WEIR_FLOW_REVERSED : 0))
        continue;
      if (past->orig_bytes | past->reply_bytes | past->orig_packets | past->reply_packets)
        add_past (view.flow, past);
      view.flow->ct_round = past->ct_round;
      /* Whether dumps may still show an entry that was there before. */
      view.flow->flags &= ~(uint32_t) (WEIR_FLOW_IS_FRESH | WEIR_FLOW_IS_REBORN);
      view.flow->flags |=
          past->flags & (WEIR_FLOW_IS_FRESH | WEIR_FLOW_IS_REBORN | WEIR_FLOW_NO_RATE);
    }
}

/* The entry as it was told last: without what was counted in earlier ones. */
static void
recall (const struct weir_flow *flow, struct weir_conntrack_reading *ret_reading)
{
  const struct weir_flow_extra *extra = flow->flags & WEIR_FLOW_HAS_NAT ? flow->extra : NULL;
  const struct past past = remember (flow);
  struct weir_conntrack_reading reading = {
    .protocol = flow->key.protocol,
    .family = flow->key.family,
    .discriminator = flow->key.discriminator,
    .zone = flow->ct_zone,
    .zone_direction = flow->ct_zone_direction,
    .id = flow->ct_id,
    .status = flow->flags & WEIR_FLOW_SEEN_REPLY ? IPS_SEEN_REPLY : 0,
    .has_mark = flow->flags & WEIR_FLOW_HAS_MARK,
    .mark = flow->ct_mark,
    .has_counters = flow->flags & WEIR_FLOW_HAS_COUNTERS,
    .orig_bytes = flow->ct_tx_bytes - past.orig_bytes,
    .orig_packets = flow->ct_tx_packets - past.orig_packets,
    .reply_bytes = flow->ct_rx_bytes - past.reply_bytes,
    .reply_packets = flow->ct_rx_packets - past.reply_packets,
    .has_state = flow->ct_state != 0,
    .state = flow->ct_state,
  };

  memcpy (reading.orig_src.address, flow->key.local, 16);
  reading.orig_src.port = flow->key.local_port;
  memcpy (reading.orig_dst.address, flow->key.remote, 16);
  reading.orig_dst.port = flow->key.remote_port;
  reading.reply_src = extra != NULL ? extra->nat_remote : reading.orig_dst;
  reading.reply_dst = extra != NULL ? extra->nat_local : reading.orig_src;
  *ret_reading = reading;
}

void
weir_join_reorient (struct weir_join *join, struct weir_flow *flow)
{
  struct weir_conntrack_reading reading;
  uint64_t first_seen = flow->first_seen;
  struct past past;
  struct view receiver;
  struct ends ends;

  if (flow->direction != WEIR_DIRECTION_FORWARDED)
    return;
  /* The same row: its socket found it by its key. */
  if (flow->flags & (WEIR_FLOW_HAS_SOCKET | WEIR_FLOW_SOCKET_DESTROYED) ||
      weir_flow_get_bpf (flow) != NULL)
    {
      weir_flow_set_direction (flow, WEIR_DIRECTION_OUT);
      return;
    }
  if (flow->flags & (WEIR_FLOW_WAS_SEEN | WEIR_FLOW_IS_PUBLISHED))
    return;
  recall (flow, &reading);
  ends = get_ends (join, &reading);
  if (!ends.sent && !ends.received)
    {
      make_view (join, &reading, true, &receiver);
      if (!has_socket (&receiver))
        return;
    }
  past = remember (flow);
  weir_join_remove (join, flow);
  weir_join_conntrack (join, &reading, WEIR_CONNTRACK_NEW, first_seen);
  hand_on (join, &reading, &past);
  if (!(past.flags & WEIR_FLOW_HAS_CONNTRACK))
    weir_join_conntrack (join, &reading, WEIR_CONNTRACK_DESTROY, first_seen);
}

/* ---- dumps ---- */

void
weir_join_conntrack_begin (struct weir_join *join)
{
  join->conntrack_round++;
  join->conntrack_dumping = true;
  join->n_entries_now = 0;
  join->n_moved_now = join->n_forwarded_now = 0;
  join->dump_at = 0;
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
  join->n_moved = join->n_moved_now;
  join->n_forwarded = join->n_forwarded_now;
  join->passing -= join->passing > 0;
  while ((flow = weir_flow_table_next (&join->table, &slot)) != NULL)
    {
      if (flow->flags & WEIR_FLOW_HAS_CONNTRACK && join->conntrack_round - flow->ct_round >= 2)
        {
          weir_flow_set_flags (flow, 0, WEIR_FLOW_HAS_CONNTRACK);
          weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
        }
    }
}

void
weir_join_leave_conntrack (struct weir_join *join)
{
  struct weir_flow *flow;
  uint32_t slot = 0;

  join->conntrack_dumping = false;
  while ((flow = weir_flow_table_next (&join->table, &slot)) != NULL)
    {
      if (!(flow->flags & WEIR_FLOW_HAS_CONNTRACK))
        continue;
      weir_flow_set_flags (flow, 0, WEIR_FLOW_HAS_CONNTRACK);
      /* One whose socket has ended has ended, whatever the kernel remembers of it. */
      flow->is_unwatched =
          !(flow->flags & (WEIR_FLOW_HAS_SOCKET | WEIR_FLOW_HAD_SOCKET)) && !flow->has_bpf;
      weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
    }
}
