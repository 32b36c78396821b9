/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Received (above) and sent (below a common base line) over the last minute.  Time runs from left
 * to right in every language.  Repaints only in weir_chart_update(), when resized and when
 * restyled. */
#define WEIR_TYPE_CHART (weir_chart_get_type ())
G_DECLARE_FINAL_TYPE (WeirChart, weir_chart, WEIR, CHART, GtkWidget)

GtkWidget *
weir_chart_new (void);
void
weir_chart_clear (WeirChart *self);
/* @time in nanoseconds; rates in bytes per second, negative when absent. */
void
weir_chart_push (WeirChart *self, gint64 time, double rx, double tx);
/* Call once after the samples of a tick. */
void
weir_chart_update (WeirChart *self);
/* What a screen reader says about the picture. */
const char *
weir_chart_get_summary (WeirChart *self);

G_END_DECLS
