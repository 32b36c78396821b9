/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model-samples.h"

#include <arpa/inet.h>
#include <string.h>

#define SECOND G_GUINT64_CONSTANT (1000000000)
/* 2026-11-21 10:00:00 UTC, on a computer that was started 1000 s before. */
#define START_REALTIME (G_GUINT64_CONSTANT (1795255200) * SECOND)
#define START_BOOTTIME (1000 * SECOND)

void
sample_set_v4 (struct weir_endpoint *endpoint, const char *address, guint16 port)
{
  memset (endpoint->address, 0, 10);
  memset (endpoint->address + 10, 0xff, 2);
  g_assert_cmpint (inet_pton (AF_INET, address, endpoint->address + 12), ==, 1);
  endpoint->port = port;
}

void
sample_set_v6 (struct weir_endpoint *endpoint, const char *address, guint16 port)
{
  g_assert_cmpint (inet_pton (AF_INET6, address, endpoint->address), ==, 1);
  endpoint->port = port;
}

struct weir_flow_record
sample_record (guint64 id)
{
  struct weir_flow_record record = {
    .id = id,
    .change = WEIR_FLOW_ADDED,
    .groups = WEIR_FLOW_KEY | WEIR_FLOW_STATE | WEIR_FLOW_BYTES | WEIR_FLOW_TCP | WEIR_FLOW_OWNER,
    .family = 4,
    .protocol = IPPROTO_TCP,
    .netns = 4026531840,
    .first_seen = START_BOOTTIME - SECOND,
    .state = WEIR_FLOW_STATE_OPEN,
    .direction = WEIR_DIRECTION_OUT,
    .sources = 1 << WEIR_SOURCE_SOCKDIAG,
    .ifindex = 2,
    .bytes_source = WEIR_SOURCE_SOCKDIAG,
    .has_bytes = true,
    .has_packets = true,
    .has_rates = true,
    .rx_bytes = 1000 * id,
    .tx_bytes = 100 * id,
    .rx_packets = 10 * id,
    .tx_packets = 5 * id,
    .rtt_us = 12400,
    .retransmits = 3,
    .owner_how = WEIR_OWNER_TUPLE,
    .pid = 1000 + id,
    .start_time = 5000,
    .has_uid = true,
    .uid = 0,
    .comm = "example",
    .cgroup = "/user.slice/user-1000.slice/session-3.scope",
  };

  sample_set_v4 (&record.local, "192.0.2.1", 40000 + id);
  sample_set_v4 (&record.remote, "198.51.100.7", 443);
  return record;
}

struct weir_flow_record
sample_bytes (guint64 id, guint64 rx_rate, guint64 tx_rate)
{
  return (struct weir_flow_record) {
    .id = id,
    .change = WEIR_FLOW_CHANGED,
    .groups = WEIR_FLOW_BYTES,
    .bytes_source = WEIR_SOURCE_SOCKDIAG,
    .has_bytes = true,
    .has_rates = true,
    .rx_bytes = 1000 * id + rx_rate,
    .tx_bytes = 100 * id + tx_rate,
    .rx_rate = rx_rate,
    .tx_rate = tx_rate,
  };
}

struct weir_flow_record
sample_ended (guint64 id)
{
  struct weir_flow_record record = sample_bytes (id, 0, 0);

  record.change = WEIR_FLOW_ENDED;
  record.groups |= WEIR_FLOW_STATE;
  record.state = WEIR_FLOW_STATE_CLOSED;
  return record;
}

struct weir_tick
sample_tick (guint number)
{
  return (struct weir_tick) {
    .sequence = number,
    .monotonic = START_BOOTTIME + number * SECOND,
    .realtime = START_REALTIME + number * SECOND,
    .interval = number > 0 ? SECOND : 0,
  };
}

void
sample_add (WeirFlowStore *store, const struct weir_flow_record *record)
{
  weir_flow_store_apply (store, record);
}

void
sample_do_tick (WeirFlowStore *store, guint number)
{
  struct weir_tick tick = sample_tick (number);

  weir_flow_store_tick (store, &tick);
}

static gboolean
on_too_late (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

void
sample_wait (gboolean (*done) (gpointer data), gpointer data)
{
  gboolean too_late = FALSE;
  guint timer = g_timeout_add_seconds (10, on_too_late, &too_late);

  while (!done (data) && !too_late)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (done (data));
  if (!too_late)
    g_source_remove (timer);
}
