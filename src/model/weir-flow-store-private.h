/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-flow-store.h"

G_BEGIN_DECLS

/* The rows themselves, in order of arrival, for views that walk all of them.  Borrowed. */
GPtrArray *
weir_flow_store_get_rows (WeirFlowStore *self);
/* How many ticks and news there were; flow->changed is one of them. */
guint64
weir_flow_store_get_update_number (WeirFlowStore *self);
/* What the signal "news" is about; empty otherwise.  Borrowed. */
GPtrArray *
weir_flow_store_get_news (WeirFlowStore *self);
/* How many rows have left since the store was made. */
guint64
weir_flow_store_get_n_removed (WeirFlowStore *self);

G_END_DECLS
