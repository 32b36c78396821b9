/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-traffic.h"

#include <math.h>

#include "weir-flow-private.h"

#define SECOND      1e9
#define WINDOW      (60 * SECOND)
#define BYTES_MIN   10000.0
#define SECONDS_MIN 5.0
#define SHARE_MIN   0.05
/* A minute at the fastest cadence. */
#define ENTRIES_MAX 240
/* The change to another engine is bridged by the difference of the counters.  They are read a
 * moment apart from the stamp, so over less time than this the quotient would be a spike of chance.
 */
#define BRIDGE_SECONDS_MIN 0.25

/* Bytes of a frame around what a source counts: Ethernet 14, IPv4 20 or IPv6 40, TCP with
 * timestamps 32. */
#define OVERHEAD_ETHERNET 14
#define OVERHEAD_TCP4     (OVERHEAD_ETHERNET + 20 + 32)
#define OVERHEAD_TCP6     (OVERHEAD_ETHERNET + 40 + 32)
/* Where packets are not counted: full segments, with an acknowledgement for each second one. */
#define FACTOR_PAYLOAD 1.07
#define FACTOR_PACKETS 1.01

typedef struct
{
  double time; /* end of the interval, ns */
  double seconds;
  double total;
  double known;
} Entry;

typedef struct
{
  guint32 index;
  guint64 rx, tx;
} Counter;

struct _WeirTraffic
{
  GArray *entries;  /* Entry, oldest first */
  GArray *counters; /* Counter, of the last tick */
  guint64 counted_at;
};

WeirTraffic *
weir_traffic_new (void)
{
  WeirTraffic *self = g_new0 (WeirTraffic, 1);

  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  self->counters = g_array_new (FALSE, FALSE, sizeof (Counter));
  return self;
}

void
weir_traffic_free (WeirTraffic *self)
{
  g_array_unref (self->entries);
  g_array_unref (self->counters);
  g_free (self);
}

static const Counter *
find_counter (WeirTraffic *self, guint32 index)
{
  for (guint i = 0; i < self->counters->len; i++)
    if (g_array_index (self->counters, Counter, i).index == index)
      return &g_array_index (self->counters, Counter, i);
  return NULL;
}

/* An engine's first tick has no rates; the counters are the kernel's and the same for every engine,
 * so what the last engine reported bridges the change. */
static gboolean
measure (WeirTraffic *self, const struct weir_interface_record *interfaces, guint n_interfaces,
         const struct weir_tick *tick, WeirSample *ret_sample)
{
  gboolean known = FALSE;
  double own_seconds = tick->monotonic > self->counted_at && self->counted_at != 0
                           ? (tick->monotonic - self->counted_at) / SECOND
                           : 0;

  *ret_sample = (WeirSample) { .time = tick->monotonic, .interval = tick->interval };
  for (guint i = 0; i < n_interfaces; i++)
    {
      const struct weir_interface_record *interface = &interfaces[i];
      if (!(interface->flags & WEIR_INTERFACE_COUNTED))
        continue;
      const Counter *before = find_counter (self, interface->index);
      if (interface->has_rates)
        {
          known = TRUE;
          ret_sample->rx += interface->rx_rate;
          ret_sample->tx += interface->tx_rate;
        }
      else if (before != NULL && own_seconds >= BRIDGE_SECONDS_MIN &&
               before->rx <= interface->rx_bytes && before->tx <= interface->tx_bytes)
        {
          known = TRUE;
          ret_sample->rx += (interface->rx_bytes - before->rx) / own_seconds;
          ret_sample->tx += (interface->tx_bytes - before->tx) / own_seconds;
        }
    }
  if (ret_sample->interval == 0)
    ret_sample->interval = own_seconds * SECOND;
  return known && ret_sample->interval > 0;
}

static void
remember_counters (WeirTraffic *self, const struct weir_interface_record *interfaces,
                   guint n_interfaces, const struct weir_tick *tick)
{
  g_array_set_size (self->counters, 0);
  for (guint i = 0; i < n_interfaces; i++)
    {
      Counter counter = { interfaces[i].index, interfaces[i].rx_bytes, interfaces[i].tx_bytes };
      if (interfaces[i].flags & WEIR_INTERFACE_COUNTED)
        g_array_append_val (self->counters, counter);
    }
  self->counted_at = tick->monotonic;
}

static double
estimate_frames (WeirFlow *flow, double seconds)
{
  const struct weir_flow_record *record = &flow->record;
  double bytes = (flow->rx_rate + flow->tx_rate) * seconds;
  gboolean payload = record->bytes_source == WEIR_SOURCE_SOCKDIAG;

  if (record->family == 0)
    return bytes;
  if (!record->has_packets || flow->packets_moved == 0)
    return bytes * (payload ? FACTOR_PAYLOAD : FACTOR_PACKETS);
  if (!payload)
    return bytes + (double) flow->packets_moved * OVERHEAD_ETHERNET;
  return bytes +
         (double) flow->packets_moved * (record->family == 4 ? OVERHEAD_TCP4 : OVERHEAD_TCP6);
}

static double
add_known (GPtrArray *rows, double seconds, guint32 netns)
{
  double known = 0;

  for (guint i = 0; i < rows->len; i++)
    {
      WeirFlow *flow = rows->pdata[i];
      if (flow->rx_rate + flow->tx_rate <= 0 || flow->record.direction == WEIR_DIRECTION_LOCAL)
        continue;
      /* What goes on in another namespace need not pass our interfaces, and what does is forwarded
       * here. */
      if (flow->record.netns != netns)
        continue;
      if (weir_flow_get_app_name (flow) != NULL)
        known += estimate_frames (flow, seconds);
    }
  return known;
}

gboolean
weir_traffic_add (WeirTraffic *self, const struct weir_interface_record *interfaces,
                  guint n_interfaces, GPtrArray *rows, const struct weir_tick *tick, guint32 netns,
                  WeirSample *ret_sample)
{
  gboolean known = measure (self, interfaces, n_interfaces, tick, ret_sample);

  remember_counters (self, interfaces, n_interfaces, tick);
  /* Rates of flows are over the engine's interval: its first tick has none to compare. */
  if (known && tick->interval > 0)
    {
      double seconds = tick->interval / SECOND;
      Entry entry = { tick->monotonic, seconds, (ret_sample->rx + ret_sample->tx) * seconds,
                      add_known (rows, seconds, netns) };
      g_array_append_val (self->entries, entry);
    }
  while (self->entries->len > 0 &&
         (self->entries->len > ENTRIES_MAX ||
          g_array_index (self->entries, Entry, 0).time + WINDOW < tick->monotonic))
    g_array_remove_index (self->entries, 0);
  return known;
}

double
weir_traffic_get_unknown_share (WeirTraffic *self)
{
  double seconds = 0, total = 0, known = 0;

  for (guint i = 0; i < self->entries->len; i++)
    {
      const Entry *entry = &g_array_index (self->entries, Entry, i);
      seconds += entry->seconds;
      total += entry->total;
      known += entry->known;
    }
  if (seconds < SECONDS_MIN || total < BYTES_MIN)
    return WEIR_ABSENT;
  double share = 1 - known / total;
  return share < SHARE_MIN ? 0 : share;
}
