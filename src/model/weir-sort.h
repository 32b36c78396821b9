/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-radix.h"
#include "weir-slot-model.h"

G_BEGIN_DECLS

/* What a column sorts by, as numbers: a smaller key comes first.  The collations that the column
 * needs must be settled by weir_sort_prepare() after the last change of a flow. */
guint64
weir_sort_get_key (WeirFlow *flow, WeirSort sort, gboolean descending);
void
weir_sort_prepare (WeirFlow *const *flows, guint n_flows, WeirSort sort);

G_END_DECLS
