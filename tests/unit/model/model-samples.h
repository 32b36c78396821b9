/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records and ticks for tests: documentation addresses, example names. */
#pragma once

#include "weir-flow-store.h"

/* A TCP flow 192.0.2.1:(40000 + id) → 198.51.100.7:443, open, seen one second ago, with figures,
 * owned by "example" (pid 1000 + id). */
struct weir_flow_record
sample_record (guint64 id);
/* The same flow as the engine tells a change of bytes and rates. */
struct weir_flow_record
sample_bytes (guint64 id, guint64 rx_rate, guint64 tx_rate);
struct weir_flow_record
sample_ended (guint64 id);
void
sample_set_v4 (struct weir_endpoint *endpoint, const char *address, guint16 port);
void
sample_set_v6 (struct weir_endpoint *endpoint, const char *address, guint16 port);

/* The @number th tick of an engine that ticks once a second. */
struct weir_tick
sample_tick (guint number);
void
sample_add (WeirFlowStore *store, const struct weir_flow_record *record);
void
sample_do_tick (WeirFlowStore *store, guint number);

/* Runs the main loop until @done says so; a failure after ten seconds. */
void
sample_wait (gboolean (*done) (gpointer data), gpointer data);
