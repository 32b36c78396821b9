/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-flow.h"

G_BEGIN_DECLS

/* All flows, in order of arrival.  A GListModel of WeirFlow; items-changed only when rows come or
 * go.
 *
 * Signal: tick (WeirFlowStore *) once after every TICK of the engine, when all values are in place.
 * Signal: news (WeirFlowStore *) when flows were added or changed before the tick; nothing is
 * measured then.
 * Rows that have ended stay (dimmed, weir_flow_is_closed) for closed-seconds. */
#define WEIR_TYPE_FLOW_STORE (weir_flow_store_get_type ())
G_DECLARE_FINAL_TYPE (WeirFlowStore, weir_flow_store, WEIR, FLOW_STORE, GObject)

WeirFlowStore *
weir_flow_store_new (void);

/* How long closed rows stay, in seconds (default 10). */
void
weir_flow_store_set_closed_seconds (WeirFlowStore *self, guint seconds);

/* The session calls these: records since the last tick, then the tick that makes them visible. */
void
weir_flow_store_apply (WeirFlowStore *self, const struct weir_flow_record *record);
void
weir_flow_store_tick (WeirFlowStore *self, const struct weir_tick *tick);
/* Shows before the tick what was applied.  @monotonic: CLOCK_BOOTTIME, ns, of its publication. */
void
weir_flow_store_announce (WeirFlowStore *self, guint64 monotonic);
/* A new engine begins: its first tick replaces everything at once, without an empty moment.  Flows
 * with the same key keep their object and their history. */
void
weir_flow_store_restart (WeirFlowStore *self);

/* The newest tick, or NULL before the first. */
const struct weir_tick *
weir_flow_store_get_last_tick (WeirFlowStore *self);
WeirFlow *
weir_flow_store_lookup (WeirFlowStore *self, guint64 id);

G_END_DECLS
