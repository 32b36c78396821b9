/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "chart/weir-chart.h"

G_BEGIN_DECLS

/* Both rates as figures, and a chart of the last minute.
 *
 * Property: strip (gboolean) whether the figures stand beside the chart, for a low and wide place.
 */
#define WEIR_TYPE_TRAFFIC_CARD (weir_traffic_card_get_type ())
G_DECLARE_FINAL_TYPE (WeirTrafficCard, weir_traffic_card, WEIR, TRAFFIC_CARD, AdwBin)

WeirChart *
weir_traffic_card_get_chart (WeirTrafficCard *self);
/* Negative when absent. */
void
weir_traffic_card_set_rates (WeirTrafficCard *self, double rx, double tx);
/* The colours of both directions as the style sheets have them. */
void
weir_traffic_card_get_colors (WeirTrafficCard *self, GdkRGBA *ret_rx, GdkRGBA *ret_tx);

G_END_DECLS
