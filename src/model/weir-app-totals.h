/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-filter.h"

G_BEGIN_DECLS

/* What the flows of one application add up to.  Sums leave out what was not measured, and are
 * WEIR_ABSENT when nothing was. */
typedef struct
{
  char *name;        /* safe for display; NULL: flows of no known application */
  guint connections; /* that have not ended */
  double rx_bytes, tx_bytes;
  double rx_rate, tx_rate;
} WeirAppTotal;

/* @flows: WeirFlow items; @filter may be NULL.  WeirAppTotal, largest total first; free it. */
GPtrArray *
weir_app_totals_new (GListModel *flows, WeirFilter *filter);

G_END_DECLS
