/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-publisher.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S  UINT64_C (1000000000)
#define NS_PER_MS UINT64_C (1000000)

/* After this time nobody asks for the owner of a new flow any more until the next dump. */
#define OWNER_PATIENCE (250 * NS_PER_MS)

/* How often all flows are looked at, when there are many more than rows. */
#define LOOK_INTERVAL (30 * NS_PER_S)

struct weir_candidate
{
  uint64_t rank;
  struct weir_flow *flow;
};

/* Flows that have ended and wait to be told of, as a multiple of the rows, and at the most: more
 * would take the room of flows that live. */
#define WAITING_PER_ROW 8
#define WAITING_MAX     WEIR_ROWS_MAX

/* What one flow did since the last tick. */
struct progress
{
  bool has_bytes;
  bool is_fresh; /* its figures were read for this tick */
  bool has_rates;
  uint64_t rx_bytes, tx_bytes;
  uint64_t rx_delta, tx_delta;
  uint64_t rx_rate, tx_rate;
};

struct round
{
  struct weir_publisher *publisher;
  struct weir_join *join;
  struct weir_flows_writer *flows;
  struct weir_tick *tick;
  uint64_t now;
  uint8_t marks;   /* of the flows that are looked at */
  uint32_t n_late; /* flows that became rows only to end */
  uint32_t n_waiting;
  /* Speed of what is not published, as far as it was measured for this tick */
  uint64_t others_rx_rate[WEIR_N_SOURCES], others_tx_rate[WEIR_N_SOURCES];
};

void
weir_publisher_init (struct weir_publisher *publisher, uint32_t rows_max)
{
  *publisher = (struct weir_publisher) { .rows_max = rows_max };
}

void
weir_publisher_clear (struct weir_publisher *publisher)
{
  free (publisher->candidates);
  weir_publisher_init (publisher, publisher->rows_max);
}

static uint64_t
per_second (uint64_t bytes, uint64_t interval)
{
  return (uint64_t) ((double) bytes * NS_PER_S / (double) interval + 0.5);
}

static struct progress
measure (const struct round *round, const struct weir_flow *flow)
{
  const struct weir_publisher *publisher = round->publisher;
  bool ended = flow->flags & WEIR_FLOW_IS_ENDED;
  struct progress progress = { 0 };
  uint64_t read_at, shown_at;

  progress.has_bytes = weir_flow_get_bytes (flow, &progress.rx_bytes, &progress.tx_bytes);
  if (!progress.has_bytes)
    return progress;
  read_at = publisher->read_at[flow->bytes_source];
  shown_at = publisher->shown_at[flow->bytes_source];
  if (flow->key.netns != round->join->own.inode && flow->bytes_source != WEIR_SOURCE_BPF)
    {
      /* Sockets of other namespaces have each their own time at which they were read. */
      const struct weir_netns *netns = weir_join_get_netns (round->join, flow->key.netns);

      read_at = netns->read_at;
      shown_at = netns->shown_at;
    }
  /* Last figures come by an event, whether or not there was a reading, too. */
  progress.is_fresh = ended || read_at > shown_at;
  if (!progress.is_fresh)
    return progress;
  if (progress.rx_bytes > flow->shown_rx_bytes)
    progress.rx_delta = progress.rx_bytes - flow->shown_rx_bytes;
  if (progress.tx_bytes > flow->shown_tx_bytes)
    progress.tx_delta = progress.tx_bytes - flow->shown_tx_bytes;
  if (read_at <= shown_at)
    read_at = round->now;
  /* Bytes from before the first reading have no interval to belong to. */
  if (shown_at == 0 || read_at <= shown_at || flow->flags & WEIR_FLOW_NO_RATE)
    return progress;
  progress.has_rates = true;
  progress.rx_rate = per_second (progress.rx_delta, read_at - shown_at);
  progress.tx_rate = per_second (progress.tx_delta, read_at - shown_at);
  return progress;
}

/* ---- choosing ---- */

/* Classes of rank, above which sizes never reach. */
#define MOVED (UINT64_C (1) << 63)
#define OPEN  (UINT64_C (1) << 62)

#define KEPT_WITHOUT_NEWS (WEIR_FLOW_IS_PUBLISHED | WEIR_FLOW_RATE_SHOWN)

static uint64_t
rank (const struct round *round, const struct weir_flow *flow)
{
  struct progress progress = measure (round, flow);
  uint64_t moved = progress.rx_delta + progress.tx_delta;
  uint64_t size = progress.rx_bytes + progress.tx_bytes;

  if (moved > 0)
    return MOVED | (moved & (MOVED - 1));
  /* No news is no standstill: what moved at the last reading keeps its row until the next one. */
  if (progress.has_bytes && !progress.is_fresh &&
      (flow->flags & KEPT_WITHOUT_NEWS) == KEPT_WITHOUT_NEWS)
    return MOVED;
  /* The lowest bit keeps rows of the same size from taking turns. */
  return (flow->state != WEIR_FLOW_STATE_CLOSED ? OPEN : 0) | (size & (OPEN / 2 - 1)) << 1 |
         (flow->flags & WEIR_FLOW_IS_PUBLISHED ? 1 : 0);
}

/* Moves the @n largest to the front, in no order (Hoare's quickselect). */
static void
select_largest (struct weir_candidate *items, uint32_t total, uint32_t n)
{
  uint32_t low = 0, high = total;

  while (high - low > 1)
    {
      uint64_t a = items[low].rank, b = items[low + (high - low) / 2].rank,
               c = items[high - 1].rank;
      uint64_t pivot = a > b ? (b > c ? b : (a > c ? c : a)) : (a > c ? a : (b > c ? c : b));
      uint32_t larger = low, at = low, smaller = high;

      while (at < smaller)
        {
          struct weir_candidate item = items[at];

          if (item.rank > pivot)
            {
              items[at++] = items[larger];
              items[larger++] = item;
            }
          else if (item.rank < pivot)
            {
              items[at] = items[--smaller];
              items[smaller] = item;
            }
          else
            at++;
        }
      if (n < larger)
        high = larger;
      else if (n > smaller)
        low = smaller;
      else
        return;
    }
}

static int
collect (const struct round *round, uint32_t *ret_n)
{
  struct weir_publisher *publisher = round->publisher;
  struct weir_flow_table *table = &round->join->table;
  bool all = table->n_flows <= publisher->rows_max;
  struct weir_flow *flow;
  uint32_t slot = 0, n = 0;

  if (table->n_flows > publisher->capacity)
    {
      struct weir_candidate *candidates =
          reallocarray (publisher->candidates, table->n_flows, sizeof *candidates);

      if (candidates == NULL)
        return -ENOMEM;
      publisher->candidates = candidates;
      publisher->capacity = table->n_flows;
    }
  while ((flow = weir_flow_table_next_marked (table, &slot, round->marks)) != NULL)
    {
      flow->flags &= ~(uint32_t) WEIR_FLOW_IS_CHOSEN;
      /* What has ended takes no place away. */
      if (flow->flags & WEIR_FLOW_IS_ENDED)
        continue;
      publisher->candidates[n++] =
          (struct weir_candidate) { .rank = all ? 0 : rank (round, flow), .flow = flow };
    }
  *ret_n = n;
  return 0;
}

static int
choose (const struct round *round)
{
  struct weir_publisher *publisher = round->publisher;
  uint32_t n = 0;
  int result = collect (round, &n);

  if (result < 0)
    return result;
  if (n > publisher->rows_max)
    {
      select_largest (publisher->candidates, n, publisher->rows_max);
      n = publisher->rows_max;
    }
  for (uint32_t i = 0; i < n; i++)
    publisher->candidates[i].flow->flags |= WEIR_FLOW_IS_CHOSEN;
  return 0;
}

/* ---- writing ---- */

static void
fill_key (struct weir_flow_record *record, const struct weir_flow *flow)
{
  record->family = flow->key.family;
  record->protocol = flow->key.protocol;
  record->netns = flow->key.netns;
  record->first_seen = flow->first_seen;
  /* Frames have no ends. */
  if (flow->key.family == 0)
    return;
  memcpy (record->local.address, flow->key.local, 16);
  record->local.port = flow->key.local_port;
  memcpy (record->remote.address, flow->key.remote, 16);
  record->remote.port = flow->key.remote_port;
}

static void
fill_owner (struct weir_flow_record *record, const struct round *round,
            const struct weir_flow *flow)
{
  const struct weir_owner *owner = weir_owners_get (&round->join->owners, flow->owner);

  record->owner_how = flow->owner_how;
  record->owner_missing = flow->owner_missing;
  record->has_uid = flow->flags & WEIR_FLOW_HAS_UID;
  record->uid = flow->uid;
  record->cgroup_id = flow->cgroup_id;
  record->pid = 0;
  record->start_time = 0;
  memset (record->comm, 0, sizeof record->comm);
  record->cgroup[0] = '\0';
  if (owner == NULL || flow->owner_how == WEIR_OWNER_NONE)
    return;
  if (flow->owner_how != WEIR_OWNER_CGROUP)
    {
      record->pid = owner->pid;
      record->start_time = owner->start_time;
      memcpy (record->comm, owner->comm, sizeof record->comm);
    }
  strncpy (record->cgroup, weir_owners_get_cgroup (&round->join->owners, owner), WEIR_STRING_MAX);
}

static void
fill_bytes (struct weir_flow_record *record, const struct weir_flow *flow,
            const struct progress *progress)
{
  record->bytes_source = flow->bytes_source;
  record->has_bytes = true;
  record->rx_bytes = progress->rx_bytes;
  record->tx_bytes = progress->tx_bytes;
  record->has_packets = weir_flow_get_packets (flow, &record->rx_packets, &record->tx_packets);
  record->has_rates = progress->has_rates;
  record->rx_rate = progress->rx_rate;
  record->tx_rate = progress->tx_rate;
}

static void
fill_conntrack (struct weir_flow_record *record, const struct weir_flow *flow)
{
  record->zone = flow->ct_zone;
  record->zone_direction = flow->ct_zone_direction;
  record->has_mark = flow->flags & WEIR_FLOW_HAS_MARK;
  record->mark = flow->ct_mark;
  record->has_tracking_state = flow->ct_state != 0;
  record->tracking_state = flow->ct_state;
  record->answered = flow->flags & WEIR_FLOW_SEEN_REPLY;
}

static void
fill_opener (struct weir_flow_record *record, const struct round *round,
             const struct weir_flow *flow)
{
  const struct weir_owner *opener =
      weir_owners_get (&round->join->owners, weir_flow_get_bpf (flow)->opener);

  if (opener == NULL)
    return;
  record->opener_pid = opener->pid;
  record->opener_start_time = opener->start_time;
  record->opener_uid = opener->uid;
  memcpy (record->opener_comm, opener->comm, sizeof record->opener_comm);
}

static void
write_record (const struct round *round, struct weir_flow *flow, enum weir_flow_change change,
              uint32_t groups, const struct progress *progress)
{
  struct weir_flow_record record;

  /* All but the path, of which only the beginning matters. */
  memset (&record, 0, offsetof (struct weir_flow_record, cgroup) + 1);
  record.cgroup[WEIR_STRING_MAX] = '\0';
  record.id = flow->id;
  record.change = (uint8_t) change;
  record.groups = groups;
  if (groups & WEIR_FLOW_KEY)
    fill_key (&record, flow);
  if (groups & WEIR_FLOW_STATE)
    {
      record.state = flow->state;
      record.direction = flow->direction;
      record.ifindex = flow->ifindex;
      if (flow->flags & WEIR_FLOW_HAD_SOCKET)
        record.sources |= 1u << WEIR_SOURCE_SOCKDIAG;
      if (flow->flags & WEIR_FLOW_HAD_CONNTRACK)
        record.sources |= 1u << WEIR_SOURCE_CONNTRACK;
      if (weir_flow_get_bpf (flow) != NULL)
        record.sources |= 1u << WEIR_SOURCE_BPF;
    }
  if (groups & WEIR_FLOW_BYTES)
    fill_bytes (&record, flow, progress);
  if (groups & WEIR_FLOW_TCP)
    {
      record.rtt_us = flow->rtt_us;
      record.retransmits = flow->retransmits;
    }
  if (groups & WEIR_FLOW_OWNER)
    fill_owner (&record, round, flow);
  if (groups & WEIR_FLOW_NAT)
    {
      record.nat_local = flow->extra->nat_local;
      record.nat_remote = flow->extra->nat_remote;
    }
  if (groups & WEIR_FLOW_CONNTRACK)
    fill_conntrack (&record, flow);
  if (groups & WEIR_FLOW_OPENER)
    fill_opener (&record, round, flow);
  weir_flows_writer_add (round->flows, &record);
}

/* Once told it is told that it is so no more, too. */
static bool
has_opener (const struct weir_flow *flow)
{
  const struct weir_flow_bpf *bpf = weir_flow_get_bpf (flow);

  return bpf != NULL && (bpf->opener != 0 || flow->dirty & WEIR_FLOW_OPENER);
}

static uint32_t
available (const struct weir_flow *flow, const struct progress *progress)
{
  return WEIR_FLOW_KEY | WEIR_FLOW_STATE | WEIR_FLOW_OWNER |
         (progress->has_bytes ? WEIR_FLOW_BYTES : 0) |
         (flow->flags & WEIR_FLOW_HAS_TCP_TIMES ? WEIR_FLOW_TCP : 0) |
         (flow->flags & WEIR_FLOW_HAS_NAT ? WEIR_FLOW_NAT : 0) |
         (flow->flags & WEIR_FLOW_HAD_CONNTRACK ? WEIR_FLOW_CONNTRACK : 0) |
         (has_opener (flow) ? WEIR_FLOW_OPENER : 0);
}

/* The groups of a row that the front end does not know yet. */
static uint32_t
changed (const struct weir_flow *flow, const struct progress *progress)
{
  uint32_t groups = flow->dirty;

  /* It was only announced: this is what an added row would say. */
  if (!(flow->flags & WEIR_FLOW_WAS_SEEN))
    groups |= WEIR_FLOW_BYTES;
  else if (progress->is_fresh)
    {
      if (progress->rx_bytes != flow->shown_rx_bytes ||
          progress->tx_bytes != flow->shown_tx_bytes || flow->flags & WEIR_FLOW_RATE_SHOWN)
        groups |= WEIR_FLOW_BYTES;
    }
  /* Figures without a new reading would look like a speed of zero. */
  else
    groups &= ~(uint32_t) WEIR_FLOW_BYTES;
  return groups & available (flow, progress);
}

static void
write_row (const struct round *round, struct weir_flow *flow, const struct progress *progress)
{
  uint32_t groups;

  if (!(flow->flags & WEIR_FLOW_IS_PUBLISHED))
    {
      groups = available (flow, progress);
      write_record (round, flow, WEIR_FLOW_ADDED, groups, progress);
    }
  else
    {
      groups = changed (flow, progress);
      if (groups != 0)
        write_record (round, flow, WEIR_FLOW_CHANGED, groups, progress);
    }
  flow->flags |= WEIR_FLOW_IS_PUBLISHED;
  flow->dirty &= ~groups;
  if (!(groups & WEIR_FLOW_BYTES))
    return;
  if (progress->has_rates && progress->rx_rate == 0 && progress->tx_rate == 0)
    flow->flags &= ~(uint32_t) WEIR_FLOW_RATE_SHOWN;
  else
    flow->flags |= WEIR_FLOW_RATE_SHOWN;
}

static void
count_rate_of_other (struct round *round, const struct weir_flow *flow,
                     const struct progress *progress)
{
  if (!progress->has_rates)
    return;
  round->others_rx_rate[flow->bytes_source] += progress->rx_rate;
  round->others_tx_rate[flow->bytes_source] += progress->tx_rate;
}

/* What is counted among the others' bytes is always what @shown_ says. */
static void
count_as_other (struct round *round, const struct weir_flow *flow)
{
  round->publisher->others_rx_bytes += flow->shown_rx_bytes;
  round->publisher->others_tx_bytes += flow->shown_tx_bytes;
}

/* Takes back what was counted at an earlier tick. */
static void
uncount_as_other (struct round *round, const struct weir_flow *flow)
{
  if (round->marks == WEIR_MARK_IN_USE || !(flow->flags & WEIR_FLOW_WAS_SEEN) ||
      flow->flags & WEIR_FLOW_IS_PUBLISHED)
    return;
  round->publisher->others_rx_bytes -= flow->shown_rx_bytes;
  round->publisher->others_tx_bytes -= flow->shown_tx_bytes;
}

/* A source that was not read for this tick has the speed of its last reading, and of what ended
 * since. */
static void
add_up_others (struct round *round)
{
  struct weir_publisher *publisher = round->publisher;

  for (unsigned source = 0; source < WEIR_N_SOURCES; source++)
    {
      if (publisher->read_at[source] > publisher->shown_at[source])
        publisher->others_rx_rate[source] = publisher->others_tx_rate[source] = 0;
      round->tick->others_rx_rate +=
          publisher->others_rx_rate[source] + round->others_rx_rate[source];
      round->tick->others_tx_rate +=
          publisher->others_tx_rate[source] + round->others_tx_rate[source];
      if (publisher->read_at[source] <= publisher->shown_at[source])
        continue;
      publisher->others_rx_rate[source] = round->others_rx_rate[source];
      publisher->others_tx_rate[source] = round->others_tx_rate[source];
    }
  round->tick->others_rx_bytes =
      publisher->others_rx_bytes + publisher->folded_rx_bytes + publisher->rest_rx_bytes;
  round->tick->others_tx_bytes =
      publisher->others_tx_bytes + publisher->folded_tx_bytes + publisher->rest_tx_bytes;
}

void
weir_publisher_set_rest (struct weir_publisher *publisher, uint64_t rx_bytes, uint64_t tx_bytes,
                         bool elsewhere)
{
  if (!elsewhere && rx_bytes > publisher->rest_rx_known)
    publisher->rest_rx_bytes += rx_bytes - publisher->rest_rx_known;
  if (!elsewhere && tx_bytes > publisher->rest_tx_known)
    publisher->rest_tx_bytes += tx_bytes - publisher->rest_tx_known;
  /* What was missed for a moment is not new a second time. */
  if (rx_bytes > publisher->rest_rx_known)
    publisher->rest_rx_known = rx_bytes;
  if (tx_bytes > publisher->rest_tx_known)
    publisher->rest_tx_known = tx_bytes;
}

static void
finish_flow (struct round *round, struct weir_flow *flow, const struct progress *progress)
{
  struct weir_publisher *publisher = round->publisher;

  if (flow->flags & WEIR_FLOW_IS_PUBLISHED && !flow->is_unwatched)
    write_record (round, flow, WEIR_FLOW_ENDED,
                  (WEIR_FLOW_STATE | WEIR_FLOW_BYTES | WEIR_FLOW_TCP | flow->dirty) &
                      available (flow, progress),
                  progress);
  else
    {
      /* Nobody knows that it has ended: it gives its row away. */
      if (flow->flags & WEIR_FLOW_IS_PUBLISHED)
        write_record (round, flow, WEIR_FLOW_ENDED, 0, progress);
      /* No row, and too many others were neither. */
      publisher->folded_rx_bytes += progress->rx_bytes;
      publisher->folded_tx_bytes += progress->tx_bytes;
      count_rate_of_other (round, flow, progress);
    }
  weir_join_remove (round->join, flow);
}

/* Whether a flow that has ended and is no row is told of all the same, as a row that begins and
 * ends: it may have lived between two ticks, and this is the last chance. */
static bool
is_told_late (struct round *round, const struct weir_flow *flow)
{
  return flow->flags & WEIR_FLOW_IS_ENDED && !(flow->flags & WEIR_FLOW_IS_PUBLISHED) &&
         !flow->is_unwatched && round->n_late++ < round->publisher->rows_max;
}

/* Whether a flow that has ended, and that no row was left for, waits for the next tick. */
static bool
waits (struct round *round, const struct weir_flow *flow)
{
  return flow->flags & WEIR_FLOW_IS_ENDED && !(flow->flags & WEIR_FLOW_IS_PUBLISHED) &&
         round->publisher->tells_all && round->n_waiting < WAITING_MAX &&
         round->n_waiting++ < WAITING_PER_ROW * round->publisher->rows_max;
}

/* Whether the flow has said all that it has to say, until somebody looks it up again. */
static bool
is_told (const struct weir_flow *flow, const struct progress *progress)
{
  /* One that nobody knows any more waits for the end of a dump, and for its own. */
  if (!(flow->flags & (WEIR_FLOW_HAS_SOCKET | WEIR_FLOW_HAS_CONNTRACK)) && !flow->has_bpf)
    return false;
  return progress->is_fresh || !progress->has_bytes;
}

static void
remember (struct round *round, struct weir_flow *flow, const struct progress *progress)
{
  struct weir_flow_table *table = &round->join->table;

  if (progress->is_fresh || !(flow->flags & WEIR_FLOW_WAS_SEEN))
    {
      flow->shown_rx_bytes = progress->rx_bytes;
      flow->shown_tx_bytes = progress->tx_bytes;
    }
  if (progress->is_fresh)
    flow->flags &= ~(uint32_t) WEIR_FLOW_NO_RATE;
  flow->flags |= WEIR_FLOW_WAS_SEEN;
  weir_flow_table_unmark (table, flow, WEIR_MARK_NEW);
  if (is_told (flow, progress))
    weir_flow_table_unmark (table, flow, WEIR_MARK_TOUCHED);
  if (flow->flags & WEIR_FLOW_IS_PUBLISHED)
    weir_flow_table_mark (table, flow, WEIR_MARK_ROW);
  else
    weir_flow_table_unmark (table, flow, WEIR_MARK_ROW);
}

static void
publish_flow (struct round *round, struct weir_flow *flow)
{
  bool chosen = flow->flags & WEIR_FLOW_IS_CHOSEN || is_told_late (round, flow);
  bool ended = flow->flags & WEIR_FLOW_IS_ENDED && (chosen || !waits (round, flow));
  struct progress progress = measure (round, flow);

  uncount_as_other (round, flow);
  if (chosen)
    {
      round->tick->flows_published += !ended;
      write_row (round, flow, &progress);
    }
  if (ended)
    {
      finish_flow (round, flow, &progress);
      return;
    }
  if (!chosen)
    {
      if (flow->flags & WEIR_FLOW_IS_PUBLISHED)
        write_record (round, flow, WEIR_FLOW_ENDED, 0, &progress);
      flow->flags &= ~(uint32_t) WEIR_FLOW_IS_PUBLISHED;
      count_rate_of_other (round, flow, &progress);
    }
  remember (round, flow, &progress);
  if (!chosen)
    count_as_other (round, flow);
}

/* Between two dumps of a table that is too large to be shown whole, only rows and what was looked
 * up can have changed, and so it is where nobody reads that table; the others stand still, and may
 * have the places that others leave when all are looked at: after a dump, and every so often. */
static uint8_t
choose_marks (const struct weir_publisher *publisher, const struct weir_join *join, uint64_t now)
{
  if (join->table.n_flows <= publisher->rows_max || publisher->looked_at == 0 ||
      now - publisher->looked_at >= LOOK_INTERVAL ||
      (!publisher->events_only &&
       publisher->read_at[WEIR_SOURCE_CONNTRACK] > publisher->shown_at[WEIR_SOURCE_CONNTRACK]))
    return WEIR_MARK_IN_USE;
  return WEIR_MARK_TOUCHED | WEIR_MARK_ROW;
}

int
weir_publisher_publish (struct weir_publisher *publisher, struct weir_join *join, uint64_t now,
                        struct weir_writer *writer, struct weir_tick *ret_tick)
{
  struct weir_tick tick = { 0 };
  struct round round = {
    .publisher = publisher,
    .join = join,
    .tick = &tick,
    .now = now,
    .marks = choose_marks (publisher, join, now),
  };
  struct weir_flow *flow;
  uint32_t slot = 0;
  int result;

  result = choose (&round);
  if (result < 0)
    return result;
  round.flows = weir_flows_writer_new (writer);
  if (round.flows == NULL)
    return -ENOMEM;
  if (round.marks == WEIR_MARK_IN_USE)
    {
      publisher->looked_at = now;
      publisher->others_rx_bytes = publisher->others_tx_bytes = 0;
    }
  while ((flow = weir_flow_table_next_marked (&join->table, &slot, round.marks)) != NULL)
    publish_flow (&round, flow);
  weir_flows_writer_finish (round.flows);
  /* What has ended is gone now. */
  tick.flows_tracked = join->table.n_flows;
  add_up_others (&round);

  tick.sequence = ++publisher->sequence;
  tick.monotonic = now;
  tick.interval = publisher->last_tick != 0 ? now - publisher->last_tick : 0;
  tick.flows_refused = join->table.refused;
  publisher->last_tick = now;
  publisher->n_rows = tick.flows_published;
  memcpy (publisher->shown_at, publisher->read_at, sizeof publisher->shown_at);
  for (unsigned i = 0; i < join->n_others; i++)
    join->others[i]->shown_at = join->others[i]->read_at;
  *ret_tick = tick;
  return 0;
}

/* ---- between two ticks ---- */

/* Whether what is known of the owner will stay so.  That a process is gone, or was not found, is
 * not known before somebody has looked; nor is since when one runs that kernel programs named; and
 * who listens may not be who accepts. */
static bool
is_owner_final (const struct round *round, const struct weir_flow *flow)
{
  const struct weir_owner *owner = weir_owners_get (&round->join->owners, flow->owner);

  switch (flow->owner_how)
    {
    case WEIR_OWNER_BORN:
      return owner == NULL || owner->start_time != 0 || owner->is_gone;
    case WEIR_OWNER_NONE:
      return flow->owner_missing == WEIR_MISSING_OTHER_USER ||
             flow->owner_missing == WEIR_MISSING_KERNEL ||
             flow->owner_missing == WEIR_MISSING_OTHER_NAMESPACE ||
             flow->owner_missing == WEIR_MISSING_GIVEN_UP;
    case WEIR_OWNER_LISTENER:
      return flow->key.protocol != IPPROTO_TCP;
    case WEIR_OWNER_CGROUP:
      return flow->flags & WEIR_FLOW_OWNER_IS_SHARED;
    default:
      return true;
    }
}

static void
announce_row (struct round *round, struct weir_flow *flow)
{
  struct progress progress = { 0 };
  const uint8_t missing = flow->owner_missing;
  const bool is_final = is_owner_final (round, flow);

  progress.has_bytes = weir_flow_get_bytes (flow, &progress.rx_bytes, &progress.tx_bytes);
  if (!is_final && flow->owner_how == WEIR_OWNER_NONE)
    flow->owner_missing = WEIR_MISSING_NOT_YET;
  write_row (round, flow, &progress);
  flow->owner_missing = missing;
  /* The tick says what came of it. */
  if (!is_final)
    flow->dirty |= WEIR_FLOW_OWNER;
  weir_flow_table_mark (&round->join->table, flow, WEIR_MARK_ROW);
  round->publisher->n_rows++;
}

/* Whether there may be more to tell of the flow before the tick; @n: records written. */
static bool
announce_flow (struct round *round, struct weir_flow *flow, int *n)
{
  const uint64_t age = round->now - flow->first_seen;
  const bool is_final = is_owner_final (round, flow);

  /* What seems to pass through may turn out to be this computer's own when its addresses and
   * sockets are read, and then it is another row, or two. */
  if (flow->direction == WEIR_DIRECTION_FORWARDED)
    return false;
  if (flow->flags & WEIR_FLOW_IS_PUBLISHED)
    {
      if (!is_final)
        return age < OWNER_PATIENCE;
      if (flow->dirty & WEIR_FLOW_OWNER)
        {
          write_record (round, flow, WEIR_FLOW_CHANGED, WEIR_FLOW_OWNER, NULL);
          flow->dirty &= (uint8_t) ~WEIR_FLOW_OWNER;
          ++*n;
        }
      return false;
    }
  if (round->publisher->n_rows >= round->publisher->rows_max)
    return false;
  if (!is_final && age < WEIR_ANNOUNCE_PATIENCE_MS * NS_PER_MS)
    return true;
  announce_row (round, flow);
  ++*n;
  return !is_final;
}

int
weir_publisher_announce (struct weir_publisher *publisher, struct weir_join *join, uint64_t now,
                         struct weir_writer *writer, bool *ret_waiting)
{
  struct round round = {
    .publisher = publisher,
    .join = join,
    .flows = weir_flows_writer_new (writer),
    .now = now,
  };
  struct weir_flow *flow;
  uint32_t slot = 0;
  int n = 0;

  *ret_waiting = false;
  if (round.flows == NULL)
    return -ENOMEM;
  while ((flow = weir_flow_table_next_marked (&join->table, &slot, WEIR_MARK_NEW)) != NULL)
    {
      if (announce_flow (&round, flow, &n))
        *ret_waiting = true;
      else
        weir_flow_table_unmark (&join->table, flow, WEIR_MARK_NEW);
    }
  weir_flows_writer_finish (round.flows);
  return n;
}
