/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernel programs tell which flows there are, what they move and whose they are.  What is left for
 * the other sources is what these programs cannot know: what passes through, translation, the round
 * trip time and the state of a connection.  So tables of the kernel are not read as a whole at
 * every tick any more, but as often as costs next to nothing; and the sockets of flows that are
 * shown and moved are asked for one by one. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "weir-meter-private.h"

/* Events that are read before the loop looks at everything else again: about a millisecond. */
#define EVENTS_BUDGET 256
/* Who makes sockets without end gets their events read with at most a tenth of a processor.  What
 * is lost by that the tick finds. */
#define ALLOWANCE_PART  10
#define ALLOWANCE_BURST (200 * WEIR_MS)
/* Flows that moved, and are read at one tick: what is told of them takes a few hundredths of a
 * second.  The rest is read at the next tick, and the cadence says so. */
#define CHANGES_BUDGET 16384
/* How long an event that is being written may take: mostly far less than this. */
#define HELD_UP_WAIT (2 * WEIR_MS)
/* Sockets that are asked for at a tick, in batches. */
#define BATCHES_MAX 4

struct reading
{
  struct weir_meter *meter;
  uint64_t now;
};

static void
take_flow (const struct weir_bpf_reading *flow, enum weir_bpf_news news, void *data)
{
  const struct reading *reading = data;

  weir_join_bpf (&reading->meter->join, flow, news, reading->now);
}

int
weir_meter_begin_bpf (struct weir_meter *meter, const struct weir_meter_setup *setup)
{
  int result;

  if (weir_bpf_source_get_fd (&meter->bpf) < 0)
    return 0;
  weir_allowance_init (&meter->bpf_allowance, ALLOWANCE_PART, ALLOWANCE_BURST);
  result = weir_join_begin_bpf (&meter->join, meter->bpf.opened.n_slots,
                                (meter->config->off & WEIR_OFF_NAMESPACES) != 0);
  if (result < 0)
    return result;
  weir_join_set_netns_cookie (&meter->join, setup->netns, setup->netns_cookie);
  for (uint32_t i = 0; i < setup->namespaces.n; i++)
    weir_join_set_netns_cookie (&meter->join, setup->namespaces.items[i].inode,
                                setup->namespaces.items[i].cookie);
  meter->sockets_governor.share = WEIR_GOVERNOR_LEAST_SHARE;
  weir_meter_choose_share (meter);
  return 0;
}

void
weir_meter_stop_bpf (struct weir_meter *meter)
{
  struct weir_bpf_opened *opened = &meter->bpf.opened;

  if (!weir_meter_has_bpf (meter))
    return;
  opened->state = WEIR_SOURCE_UNAVAILABLE;
  opened->reason = WEIR_REASON_STOPPED;
  opened->error = 0;
  meter->governor.share = meter->sockets_governor.share = 0;
}

bool
weir_meter_has_bpf (const struct weir_meter *meter)
{
  return weir_join_has_bpf (&meter->join) && meter->bpf.opened.state != WEIR_SOURCE_UNAVAILABLE;
}

void
weir_meter_choose_share (struct weir_meter *meter)
{
  const struct weir_join *join = &meter->join;

  if (!weir_meter_has_bpf (meter))
    return;
  if (join->passing > 0)
    meter->governor.share = WEIR_GOVERNOR_SHARE;
  else if (join->n_forwarded > 0 || join->n_moved > 0 || meter->resync_wanted)
    meter->governor.share = WEIR_GOVERNOR_SMALL_SHARE;
  else
    meter->governor.share = WEIR_GOVERNOR_LEAST_SHARE;
}

uint32_t
weir_meter_get_bpf_ticks (const struct weir_meter *meter)
{
  const uint32_t ticks =
      meter->bpf_ticks_now > meter->bpf_ticks ? meter->bpf_ticks_now : meter->bpf_ticks;

  return ticks > 0 ? ticks : 1;
}

void
weir_meter_note_links (struct weir_meter *meter)
{
  uint32_t links[WEIR_INTERFACES_MAX];
  size_t n;

  if (!weir_join_has_bpf (&meter->join))
    return;
  n = weir_interfaces_list_segment_links (&meter->interfaces, links, WEIR_INTERFACES_MAX);
  weir_join_set_segment_links (&meter->join, links, n);
}

bool
weir_meter_read_bpf_events (struct weir_meter *meter, uint64_t now)
{
  struct reading reading = { meter, now };
  struct weir_moment began, ended;
  uint64_t wait;
  bool more;

  if (!weir_join_has_bpf (&meter->join))
    return false;
  meter->read_clocks (&began);
  if (began.awake < meter->bpf_events_at)
    return false;
  weir_allowance_update (&meter->bpf_allowance, began.awake);
  more = weir_bpf_source_read_events (&meter->bpf, EVENTS_BUDGET, take_flow, &reading);
  meter->read_clocks (&ended);
  weir_allowance_spend (&meter->bpf_allowance, ended.cpu - began.cpu);
  wait = weir_allowance_get_wait (&meter->bpf_allowance, 0);
  if (meter->bpf.is_held_up && wait < HELD_UP_WAIT)
    wait = HELD_UP_WAIT;
  meter->bpf_events_at = began.awake + wait;
  return more && wait == 0;
}

uint64_t
weir_meter_get_bpf_events_due (const struct weir_meter *meter, uint64_t awake)
{
  return awake < meter->bpf_events_at ? meter->bpf_events_at : UINT64_MAX;
}

/* What moved and is in no flow.  Where connection tracking counts, it has flows of that, and where
 * not, none of these bytes are anywhere else.  Frames of packet sockets and copies are none of a
 * connection's; what a listener saw is when the connection is there. */
static void
count_rest (struct weir_meter *meter)
{
  static const enum weir_bpf_sum_kind kinds[] = { WEIR_BPF_SUM_NO_ROOM, WEIR_BPF_SUM_LATE,
                                                  WEIR_BPF_SUM_NO_SOCKET };
  const struct weir_bpf_totals *totals = &meter->bpf_totals;
  const struct weir_bpf_sum *folded = &totals->sums[WEIR_BPF_SUM_FOLDED];
  const struct weir_bpf_sum *seen = &totals->sums[WEIR_BPF_SUM_HANDSHAKES];
  uint64_t rx = meter->join.bpf.late_rx_bytes + totals->unread.rx_bytes;
  uint64_t tx = meter->join.bpf.late_tx_bytes + totals->unread.tx_bytes;

  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    {
      rx += totals->sums[kinds[i]].rx_bytes;
      tx += totals->sums[kinds[i]].tx_bytes;
    }
  /* What was seen before the last tick and is in no flow by now will not be. */
  if (meter->handshakes.rx_bytes > folded->rx_bytes)
    rx += meter->handshakes.rx_bytes - folded->rx_bytes;
  if (meter->handshakes.tx_bytes > folded->tx_bytes)
    tx += meter->handshakes.tx_bytes - folded->tx_bytes;
  meter->handshakes = *seen;
  weir_publisher_set_rest (&meter->publisher, rx, tx, meter->accounting == 1);
}

uint64_t
weir_meter_get_bpf_losses (const struct weir_meter *meter)
{
  const uint64_t *counts = meter->bpf_totals.counts;

  return counts[WEIR_BPF_COUNT_NO_ROOM] + counts[WEIR_BPF_COUNT_NO_MEMORY] +
         counts[WEIR_BPF_COUNT_RING_FULL] + meter->bpf_totals.bad_events;
}

void
weir_meter_read_bpf (struct weir_meter *meter, uint64_t now)
{
  struct reading reading = { meter, now };

  if (!weir_join_has_bpf (&meter->join))
    return;
  meter->bpf_ticks_now++;
  if (weir_bpf_source_read_changes (&meter->bpf, CHANGES_BUDGET, take_flow, &reading))
    {
      meter->publisher.read_at[WEIR_SOURCE_BPF] = now;
      meter->bpf_ticks = meter->bpf_ticks_now;
      meter->bpf_ticks_now = 0;
      weir_bpf_source_get_totals (&meter->bpf, &meter->bpf_totals);
      count_rest (meter);
    }
  weir_owners_sweep_processes (&meter->join.owners, now);
}

/* ---- the sockets of the engine's own namespace ---- */

bool
weir_meter_wants_sockets (const struct weir_meter *meter, uint64_t awake)
{
  /* Who is looked for before the right to look is given up has to be there still. */
  const bool is_naming = meter->posture.began != 0 && !meter->posture.lookers_decided &&
                         weir_owners_count_sought (&meter->join.owners) > 0;

  return !weir_meter_has_bpf (meter) || meter->join.own.n_complete < 2 || is_naming ||
         weir_governor_allows (&meter->sockets_governor,
                               weir_client_get_interval (&meter->client, awake), awake);
}

static bool
is_to_be_asked (const struct weir_meter *meter, const struct weir_flow *flow)
{
  const struct weir_flow_bpf *bpf = weir_flow_get_bpf (flow);

  return bpf != NULL && bpf->is_moving && bpf->n_open > 0 && flow->key.protocol == IPPROTO_TCP &&
         flow->key.netns == meter->join.own.inode && !(flow->flags & WEIR_FLOW_IS_ENDED);
}

/* Whether there may be more. */
static bool
ask_batch (struct weir_meter *meter, uint64_t now)
{
  struct weir_socket_reading readings[WEIR_EXACT_BATCH];
  struct weir_flow_key keys[WEIR_EXACT_BATCH];
  bool found[WEIR_EXACT_BATCH];
  struct weir_flow *flow;
  size_t n = 0;

  while (n < WEIR_EXACT_BATCH &&
         (flow = weir_flow_table_next_marked (&meter->join.table, &meter->refreshed_slot,
                                              WEIR_MARK_ROW)) != NULL)
    {
      if (!is_to_be_asked (meter, flow))
        continue;
      flow->extra->bpf->is_moving = false;
      keys[n++] = flow->key;
    }
  if (n == 0 || weir_exact_ask (&meter->lookup.exact, keys, n, readings, found) < 0)
    return false;
  for (size_t i = 0; i < n; i++)
    {
      /* Not who is bound to the same port, nor what remains. */
      if (found[i] && readings[i].remote.port != 0 && readings[i].has_times)
        weir_join_socket (&meter->join, &meter->join.own, &readings[i], WEIR_SOCKDIAG_SOCKET, now);
    }
  return n == WEIR_EXACT_BATCH;
}

void
weir_meter_refresh_sockets (struct weir_meter *meter, uint64_t now)
{
  if (!weir_meter_has_bpf (meter))
    return;
  for (unsigned i = 0; i < BATCHES_MAX; i++)
    {
      if (ask_batch (meter, now))
        continue;
      /* Once round. */
      meter->refreshed_slot = 0;
      return;
    }
}
