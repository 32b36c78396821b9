/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-chart-layer.h"

#define LINE_WIDTH   1.5f
#define AREA_OPACITY 0.22f

struct _WeirChartLayer
{
  GtkWidget parent_instance;

  GskPath *line;
  GskPath *area;
  GskStroke *stroke;
};

G_DEFINE_FINAL_TYPE (WeirChartLayer, weir_chart_layer, GTK_TYPE_WIDGET)

static void
weir_chart_layer_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  WeirChartLayer *self = WEIR_CHART_LAYER (widget);
  GdkRGBA color, tint;

  if (self->line == NULL)
    return;
  gtk_widget_get_color (widget, &color);
  tint = color;
  tint.alpha *= AREA_OPACITY;
  gtk_snapshot_push_clip (
      snapshot, &GRAPHENE_RECT_INIT (0, -LINE_WIDTH, (float) gtk_widget_get_width (widget),
                                     (float) gtk_widget_get_height (widget) + 2 * LINE_WIDTH));
  gtk_snapshot_append_fill (snapshot, self->area, GSK_FILL_RULE_WINDING, &tint);
  gtk_snapshot_append_stroke (snapshot, self->line, self->stroke, &color);
  gtk_snapshot_pop (snapshot);
}

static void
weir_chart_layer_dispose (GObject *object)
{
  WeirChartLayer *self = WEIR_CHART_LAYER (object);

  g_clear_pointer (&self->line, gsk_path_unref);
  g_clear_pointer (&self->area, gsk_path_unref);
  g_clear_pointer (&self->stroke, gsk_stroke_free);
  G_OBJECT_CLASS (weir_chart_layer_parent_class)->dispose (object);
}

static void
weir_chart_layer_class_init (WeirChartLayerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = weir_chart_layer_dispose;
  GTK_WIDGET_CLASS (klass)->snapshot = weir_chart_layer_snapshot;
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (klass), GTK_ACCESSIBLE_ROLE_PRESENTATION);
}

static void
weir_chart_layer_init (WeirChartLayer *self)
{
  self->stroke = gsk_stroke_new (LINE_WIDTH);
  gsk_stroke_set_line_join (self->stroke, GSK_LINE_JOIN_ROUND);
}

GtkWidget *
weir_chart_layer_new (const char *css_class)
{
  const char *classes[] = { css_class, NULL };

  return g_object_new (WEIR_TYPE_CHART_LAYER, "css-classes", classes, "can-target", FALSE, NULL);
}

void
weir_chart_layer_take_paths (WeirChartLayer *self, GskPath *line, GskPath *area)
{
  g_return_if_fail (WEIR_IS_CHART_LAYER (self));
  g_return_if_fail ((line == NULL) == (area == NULL));

  g_clear_pointer (&self->line, gsk_path_unref);
  g_clear_pointer (&self->area, gsk_path_unref);
  self->line = line;
  self->area = area;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
