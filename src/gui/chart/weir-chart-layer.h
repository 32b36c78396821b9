/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* One line with the tinted area below it, in the colour that the style sheets give to this widget:
 * that is how the dark and the high contrast style change a chart without a line of code. */
#define WEIR_TYPE_CHART_LAYER (weir_chart_layer_get_type ())
G_DECLARE_FINAL_TYPE (WeirChartLayer, weir_chart_layer, WEIR, CHART_LAYER, GtkWidget)

GtkWidget *
weir_chart_layer_new (const char *css_class);
/* In the widget's own pixels; both are taken and may be NULL. */
void
weir_chart_layer_take_paths (WeirChartLayer *self, GskPath *line, GskPath *area);

G_END_DECLS
