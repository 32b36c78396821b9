/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-flow-store.h"

G_BEGIN_DECLS

typedef void (*WeirFlowFunc) (WeirFlow *flow, gpointer user_data);

/* Calls @func for each flow that the newest tick has added, changed or ended, in order of arrival.
 * Meant for handlers of WeirFlowStore::tick: rows that left with the tick are not among them, but
 * those that end stay for a while. */
void
weir_flow_store_foreach_changed (WeirFlowStore *self, WeirFlowFunc func, gpointer user_data);

/* Calls @func for each flow that was added or changed before the tick, in the order in which the
 * engine told.  Only for handlers of WeirFlowStore::news.  At the tick those are among the changed
 * ones only when it has more to tell of them. */
void
weir_flow_store_foreach_news (WeirFlowStore *self, WeirFlowFunc func, gpointer user_data);

G_END_DECLS
