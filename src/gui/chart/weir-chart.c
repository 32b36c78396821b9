/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-chart.h"

#include <math.h>

#include <glib/gi18n.h>

#include "weir-chart-axis.h"
#include "weir-chart-layer.h"
#include "weir-chart-series.h"
#include "weir-format.h"

#define SPAN_NS (60 * G_GINT64_CONSTANT (1000000000))
/* A minute at the shortest interval that a front end may ask for, and some more. */
#define CAPACITY 300
/* A line with more detail than this cannot be told from one with less, and costs more to paint. */
#define PIXELS_PER_POINT 4
/* Below this rate the axis no longer shrinks, so that a few packets do not look like a storm. */
#define FLOOR_RATE 1000.0

#define LABEL_SCALE  0.78
#define LABEL_MARGIN 2
#define GRID_OPACITY 0.12f
#define BASE_OPACITY 0.3f
#define TEXT_OPACITY 0.6f

enum
{
  SIDE_RX,
  SIDE_TX,
  N_SIDES
};

enum
{
  LABEL_TOP,
  LABEL_BOTTOM,
  LABEL_OLDEST,
  LABEL_NEWEST,
  N_LABELS
};

struct _WeirChart
{
  GtkWidget parent_instance;

  WeirChartSeries *series[N_SIDES];
  GtkWidget *layers[N_SIDES];
  WeirChartAxis axis;
  PangoLayout *labels[N_LABELS];
  char *summary;
};

G_DEFINE_FINAL_TYPE (WeirChart, weir_chart, GTK_TYPE_WIDGET)

static int
get_label_height (WeirChart *self)
{
  int height;

  pango_layout_get_pixel_size (self->labels[LABEL_NEWEST], NULL, &height);
  return height;
}

/* The height that the lines have: without the row of times below them. */
static int
get_plot_height (WeirChart *self)
{
  return MAX (1,
              gtk_widget_get_height (GTK_WIDGET (self)) - get_label_height (self) - LABEL_MARGIN);
}

/* One side's points as a line, and as the area between the line and the base. */
static void
build_paths (WeirChart *self, int side, const WeirChartPoint *points, guint n_points, float width)
{
  GskPathBuilder *line = gsk_path_builder_new (), *area = gsk_path_builder_new ();
  float base = self->axis.base, last_x = 0;

  for (guint i = 0; i < n_points; i++)
    {
      float x = points[i].position * width;
      float y = side == SIDE_RX ? weir_chart_axis_up (&self->axis, points[i].value)
                                : weir_chart_axis_down (&self->axis, points[i].value);

      if (i == 0 || points[i].begins)
        {
          if (i > 0)
            {
              gsk_path_builder_line_to (area, last_x, base);
              gsk_path_builder_close (area);
            }
          gsk_path_builder_move_to (line, x, y);
          gsk_path_builder_move_to (area, x, base);
        }
      else
        gsk_path_builder_line_to (line, x, y);
      gsk_path_builder_line_to (area, x, y);
      last_x = x;
    }
  if (n_points > 0)
    {
      gsk_path_builder_line_to (area, last_x, base);
      gsk_path_builder_close (area);
    }
  weir_chart_layer_take_paths (WEIR_CHART_LAYER (self->layers[side]),
                               gsk_path_builder_free_to_path (line),
                               gsk_path_builder_free_to_path (area));
}

static void
set_label (WeirChart *self, int label, const char *text)
{
  if (g_strcmp0 (pango_layout_get_text (self->labels[label]), text) != 0)
    pango_layout_set_text (self->labels[label], text, -1);
}

static void
rebuild (WeirChart *self)
{
  int width = gtk_widget_get_width (GTK_WIDGET (self));
  guint max_points = MAX (8, width / PIXELS_PER_POINT);
  gint64 to = weir_chart_series_get_newest_time (self->series[SIDE_RX]), from = to - SPAN_NS;
  g_autofree WeirChartPoint *points = g_new (WeirChartPoint, max_points);
  g_autofree char *top = NULL, *bottom = NULL;

  if (width == 0)
    return;
  /* A little air above the highest peak. */
  weir_chart_axis_init (&self->axis,
                        1.05 * weir_chart_series_get_maximum (self->series[SIDE_RX], from),
                        1.05 * weir_chart_series_get_maximum (self->series[SIDE_TX], from),
                        FLOOR_RATE, (float) get_plot_height (self));
  for (int side = 0; side < N_SIDES; side++)
    {
      guint n_points = weir_chart_series_reduce (self->series[side], from, to, max_points, points);

      build_paths (self, side, points, n_points, (float) width);
    }
  top = weir_format_rate (self->axis.top, FALSE);
  bottom = weir_format_rate (self->axis.bottom, FALSE);
  set_label (self, LABEL_TOP, top);
  set_label (self, LABEL_BOTTOM, bottom);
}

static void
make_labels (WeirChart *self)
{
  g_autoptr (PangoAttrList) attributes = pango_attr_list_new ();

  pango_attr_list_insert (attributes, pango_attr_scale_new (LABEL_SCALE));
  pango_attr_list_insert (attributes, pango_attr_font_features_new ("tnum=1"));
  for (int i = 0; i < N_LABELS; i++)
    {
      g_set_object (&self->labels[i], NULL);
      self->labels[i] = gtk_widget_create_pango_layout (GTK_WIDGET (self), NULL);
      pango_layout_set_attributes (self->labels[i], attributes);
    }
  /* Translators: the left end of a chart's axis of time: sixty seconds ago. */
  set_label (self, LABEL_OLDEST, _ ("−60 s"));
  /* Translators: the right end of a chart's axis of time. */
  set_label (self, LABEL_NEWEST, _ ("now"));
}

static void
append_label (WeirChart *self, GtkSnapshot *snapshot, int label, float x, float y,
              const GdkRGBA *color)
{
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (x, y));
  gtk_snapshot_append_layout (snapshot, self->labels[label], color);
  gtk_snapshot_restore (snapshot);
}

static void
weir_chart_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  WeirChart *self = WEIR_CHART (widget);
  float width = (float) gtk_widget_get_width (widget), height = (float) get_plot_height (self);
  float base = self->axis.base;
  GdkRGBA grid, line, text;
  int newest_width;

  gtk_widget_get_color (widget, &grid);
  line = text = grid;
  grid.alpha *= GRID_OPACITY;
  line.alpha *= BASE_OPACITY;
  text.alpha *= TEXT_OPACITY;

  gtk_snapshot_append_color (snapshot, &grid, &GRAPHENE_RECT_INIT (0, 0, width, 1));
  gtk_snapshot_append_color (snapshot, &grid, &GRAPHENE_RECT_INIT (0, roundf (base / 2), width, 1));
  gtk_snapshot_append_color (snapshot, &grid, &GRAPHENE_RECT_INIT (0, height - 1, width, 1));
  for (int side = 0; side < N_SIDES; side++)
    gtk_widget_snapshot_child (widget, self->layers[side], snapshot);
  gtk_snapshot_append_color (snapshot, &line, &GRAPHENE_RECT_INIT (0, base, width, 1));

  append_label (self, snapshot, LABEL_TOP, 0, LABEL_MARGIN, &text);
  if (height - base > 2.0f * (float) get_label_height (self))
    append_label (self, snapshot, LABEL_BOTTOM, 0,
                  height - (float) get_label_height (self) - LABEL_MARGIN, &text);
  append_label (self, snapshot, LABEL_OLDEST, 0, height + LABEL_MARGIN, &text);
  pango_layout_get_pixel_size (self->labels[LABEL_NEWEST], &newest_width, NULL);
  append_label (self, snapshot, LABEL_NEWEST, width - (float) newest_width, height + LABEL_MARGIN,
                &text);
}

static void
weir_chart_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  WeirChart *self = WEIR_CHART (widget);

  for (int side = 0; side < N_SIDES; side++)
    gtk_widget_size_allocate (self->layers[side],
                              &(GtkAllocation) { 0, 0, width, get_plot_height (self) }, -1);
  rebuild (self);
}

static void
weir_chart_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 80 : 48;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 240 : 96;
}

static void
weir_chart_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS (weir_chart_parent_class)->css_changed (widget, change);
  make_labels (WEIR_CHART (widget));
  rebuild (WEIR_CHART (widget));
}

static void
weir_chart_dispose (GObject *object)
{
  WeirChart *self = WEIR_CHART (object);

  for (int side = 0; side < N_SIDES; side++)
    g_clear_pointer (&self->layers[side], gtk_widget_unparent);
  for (int i = 0; i < N_LABELS; i++)
    g_clear_object (&self->labels[i]);
  G_OBJECT_CLASS (weir_chart_parent_class)->dispose (object);
}

static void
weir_chart_finalize (GObject *object)
{
  WeirChart *self = WEIR_CHART (object);

  for (int side = 0; side < N_SIDES; side++)
    weir_chart_series_free (self->series[side]);
  g_free (self->summary);
  G_OBJECT_CLASS (weir_chart_parent_class)->finalize (object);
}

static void
weir_chart_class_init (WeirChartClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = weir_chart_dispose;
  object_class->finalize = weir_chart_finalize;
  widget_class->snapshot = weir_chart_snapshot;
  widget_class->size_allocate = weir_chart_size_allocate;
  widget_class->measure = weir_chart_measure;
  widget_class->css_changed = weir_chart_css_changed;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "weir-chart");
}

static void
weir_chart_init (WeirChart *self)
{
  static const char *const css_classes[N_SIDES] = { "weir-received", "weir-sent" };

  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  for (int side = 0; side < N_SIDES; side++)
    {
      self->series[side] = weir_chart_series_new (CAPACITY);
      self->layers[side] = weir_chart_layer_new (css_classes[side]);
      gtk_widget_set_parent (self->layers[side], GTK_WIDGET (self));
    }
  make_labels (self);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Received and sent in the last minute"), -1);
}

GtkWidget *
weir_chart_new (void)
{
  return g_object_new (WEIR_TYPE_CHART, NULL);
}

void
weir_chart_clear (WeirChart *self)
{
  g_return_if_fail (WEIR_IS_CHART (self));

  for (int side = 0; side < N_SIDES; side++)
    weir_chart_series_clear (self->series[side]);
}

void
weir_chart_push (WeirChart *self, gint64 time, double rx, double tx)
{
  g_return_if_fail (WEIR_IS_CHART (self));

  weir_chart_series_push (self->series[SIDE_RX], time, rx);
  weir_chart_series_push (self->series[SIDE_TX], time, tx);
}

/* The picture in words, for those who do not see it. */
static void
update_summary (WeirChart *self)
{
  gint64 from = weir_chart_series_get_newest_time (self->series[SIDE_RX]) - SPAN_NS;
  char *figures[N_SIDES], *peaks[N_SIDES];
  g_autofree char *summary = NULL;

  for (int side = 0; side < N_SIDES; side++)
    {
      figures[side] =
          weir_format_rate (weir_chart_series_get_newest_value (self->series[side]), FALSE);
      peaks[side] =
          weir_format_rate (weir_chart_series_get_maximum (self->series[side], from), FALSE);
    }
  /* Translators: the words for a chart: rate now, highest rate; first received, then sent. */
  summary = g_strdup_printf (_ ("Received %s, at most %s; sent %s, at most %s"), figures[SIDE_RX],
                             peaks[SIDE_RX], figures[SIDE_TX], peaks[SIDE_TX]);
  if (g_set_str (&self->summary, summary))
    gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                    summary, -1);
  for (int side = 0; side < N_SIDES; side++)
    {
      g_free (figures[side]);
      g_free (peaks[side]);
    }
}

void
weir_chart_update (WeirChart *self)
{
  g_return_if_fail (WEIR_IS_CHART (self));

  update_summary (self);
  rebuild (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

const char *
weir_chart_get_summary (WeirChart *self)
{
  g_return_val_if_fail (WEIR_IS_CHART (self), NULL);
  return self->summary;
}
