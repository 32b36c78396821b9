/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-cell.h"

#include <math.h>

#define MINIMUM_WIDTH   40
#define ICON_SIZE       20
#define ICON_SIZE_LARGE 28
#define ICON_SPACING    8
#define LINE_SPACING    2
#define LINE_MARGIN     4
#define DIMMED          0.55f
/* Between one and the other: the caption below a name. */
#define SECONDARY 0.7f

#define BAR_HEIGHT  3.0f
#define BAR_OPACITY 0.6f
/* A bar that is shorter than this share of the largest says nothing. */
#define BAR_LEAST 0.01

struct _WeirCell
{
  GtkWidget parent_instance;

  const WeirColumn *column;
  WeirCellStyle *style;
  WeirSlot *slot;

  /* What is on the screen. */
  char *text;
  char *second;
  GdkPaintable *icon;
  float bar; /* share of the width */
  gboolean closed;
  gboolean unknown;
};

G_DEFINE_FINAL_TYPE (WeirCell, weir_cell, GTK_TYPE_WIDGET)

static gboolean
has_icon (WeirCell *self)
{
  return self->column->kind == WEIR_CELL_APP || self->column->kind == WEIR_CELL_CONNECTION;
}

static int
get_icon_size (WeirCell *self)
{
  return self->column->kind == WEIR_CELL_CONNECTION ? ICON_SIZE_LARGE : ICON_SIZE;
}

static WeirText
get_text_kind (WeirCell *self)
{
  switch (self->column->kind)
    {
    case WEIR_CELL_ADDRESS:
      return WEIR_TEXT_ADDRESS;
    case WEIR_CELL_NUMBER:
    case WEIR_CELL_RATES:
      return WEIR_TEXT_NUMBER;
    case WEIR_CELL_TEXT:
    case WEIR_CELL_APP:
    case WEIR_CELL_CONNECTION:
    default:
      return WEIR_TEXT_BODY;
    }
}

static WeirText
get_second_kind (WeirCell *self)
{
  return self->column->kind == WEIR_CELL_RATES ? WEIR_TEXT_CAPTION_NUMBER
                                               : WEIR_TEXT_CAPTION_ADDRESS;
}

static gboolean
is_at_end (WeirCell *self)
{
  return self->column->kind == WEIR_CELL_NUMBER || self->column->kind == WEIR_CELL_RATES;
}

static void
append_bar (WeirCell *self, GtkSnapshot *snapshot, float width, float height, gboolean right)
{
  GdkRGBA rx, tx, *color;
  float length = MAX (2, roundf (self->bar * width));
  GskRoundedRect outline;

  weir_cell_style_get_bar_colors (self->style, &rx, &tx);
  color = self->column->bar == WEIR_BAR_RX ? &rx : &tx;
  color->alpha *= BAR_OPACITY;
  gsk_rounded_rect_init_from_rect (
      &outline, &GRAPHENE_RECT_INIT (right ? width - length : 0, height + 1, length, BAR_HEIGHT),
      BAR_HEIGHT / 2);
  gtk_snapshot_push_rounded_clip (snapshot, &outline);
  gtk_snapshot_append_color (snapshot, color, &outline.bounds);
  gtk_snapshot_pop (snapshot);
}

static void
append_icon (WeirCell *self, GtkSnapshot *snapshot, float x, float height, const GdkRGBA *color)
{
  int size = get_icon_size (self);

  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (x, roundf ((height - (float) size) / 2)));
  if (self->closed)
    gtk_snapshot_push_opacity (snapshot, DIMMED);
  if (GTK_IS_SYMBOLIC_PAINTABLE (self->icon))
    gtk_symbolic_paintable_snapshot_symbolic (GTK_SYMBOLIC_PAINTABLE (self->icon), snapshot, size,
                                              size, color, 1);
  else
    gdk_paintable_snapshot (self->icon, snapshot, size, size);
  if (self->closed)
    gtk_snapshot_pop (snapshot);
  gtk_snapshot_restore (snapshot);
}

static void
append_line (WeirCell *self, GtkSnapshot *snapshot, WeirText kind, const char *text, int x, int y,
             int width, gboolean right, const GdkRGBA *color)
{
  int text_width;
  PangoLayout *layout =
      weir_text_cache_get (weir_cell_style_get_texts (self->style), kind, text, width, &text_width);
  /* A layout that was shortened in a right-to-left language stands at the right edge of its width.
   */
  int offset = pango_layout_get_width (layout) > 0 ? 0 : right ? width - text_width : 0;

  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT ((float) (x + offset), (float) y));
  gtk_snapshot_append_layout (snapshot, layout, color);
  gtk_snapshot_restore (snapshot);
}

static void
weir_cell_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  WeirCell *self = WEIR_CELL (widget);
  WeirTextCache *texts = weir_cell_style_get_texts (self->style);
  int width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget), x = 0, y;
  gboolean rtl = gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL,
           right = rtl != is_at_end (self);
  int line = weir_text_cache_get_line_height (texts, get_text_kind (self));
  GdkRGBA color, secondary;

  if (self->text == NULL)
    return;
  gtk_widget_get_color (widget, &color);
  if (self->closed)
    color.alpha *= DIMMED;
  secondary = color;
  secondary.alpha *= SECONDARY;
  if (self->unknown)
    color.alpha *= SECONDARY;

  if (self->bar > 0)
    append_bar (self, snapshot, (float) width, (float) height, right);
  if (self->icon != NULL)
    {
      int spacing = self->column->kind == WEIR_CELL_CONNECTION ? 12 : ICON_SPACING;

      append_icon (self, snapshot, (float) (rtl ? width - get_icon_size (self) : 0), (float) height,
                   &color);
      width -= get_icon_size (self) + spacing;
      x = rtl ? 0 : get_icon_size (self) + spacing;
    }
  if (width <= 0)
    return;
  if (self->second != NULL)
    {
      int second_line = weir_text_cache_get_line_height (texts, get_second_kind (self));

      y = (height - line - LINE_SPACING - second_line) / 2;
      append_line (self, snapshot, get_second_kind (self), self->second, x, y + line + LINE_SPACING,
                   width, right, &secondary);
    }
  else
    y = (height - line) / 2;
  append_line (self, snapshot, get_text_kind (self), self->text, x, y, width, right, &color);
}

static void
weir_cell_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                   int *natural, int *minimum_baseline, int *natural_baseline)
{
  WeirCell *self = WEIR_CELL (widget);
  WeirTextCache *texts = weir_cell_style_get_texts (self->style);
  int size;

  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    {
      *minimum = *natural = MINIMUM_WIDTH;
      return;
    }
  size = weir_text_cache_get_line_height (texts, get_text_kind (self));
  if (self->column->second != NULL)
    size += LINE_SPACING + weir_text_cache_get_line_height (texts, get_second_kind (self)) +
            2 * LINE_MARGIN;
  if (has_icon (self))
    size = MAX (size, get_icon_size (self));
  *minimum = *natural = size;
}

static gboolean
update_bar (WeirCell *self, WeirFlow *flow)
{
  double max_rx, max_tx, rate = 0, maximum = 0, share;
  float bar;

  weir_cell_style_get_maxima (self->style, &max_rx, &max_tx);
  if (self->column->bar == WEIR_BAR_RX)
    {
      rate = weir_flow_get_rx_rate (flow);
      maximum = max_rx;
    }
  else if (self->column->bar == WEIR_BAR_TX)
    {
      rate = weir_flow_get_tx_rate (flow);
      maximum = max_tx;
    }
  share = maximum > 0 && rate > 0 ? MIN (1, rate / maximum) : 0;
  bar = share > BAR_LEAST && !self->closed ? (float) share : 0;
  if (bar == self->bar)
    return FALSE;
  self->bar = bar;
  return TRUE;
}

static void
update_name (WeirCell *self)
{
  g_autofree char *both =
      self->second != NULL ? g_strdup_printf ("%s, %s", self->text, self->second) : NULL;

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  both != NULL ? both : self->text, -1);
}

static void
take_over (WeirCell *self)
{
  WeirFlow *flow = self->slot != NULL ? weir_slot_get_flow (self->slot) : NULL;
  WeirAppIcons *icons = weir_cell_style_get_icons (self->style);
  GString *scratch = weir_cell_style_get_scratch (self->style);
  gboolean changed, closed, unknown, renamed;
  GdkPaintable *icon = NULL;

  if (flow == NULL)
    return;
  renamed = g_set_str (&self->text, self->column->text (flow, icons, scratch));
  if (self->column->second != NULL)
    renamed |= g_set_str (&self->second, self->column->second (flow, icons, scratch));
  changed = renamed;

  closed = weir_flow_is_closed (flow);
  changed |= closed != self->closed;
  self->closed = closed;
  changed |= update_bar (self, flow);
  if (has_icon (self))
    {
      icon = weir_app_icons_get_paintable (icons, flow, get_icon_size (self));
      changed |= g_set_object (&self->icon, icon);
      unknown = weir_flow_get_app_name (flow) == NULL;
      changed |= unknown != self->unknown;
      self->unknown = unknown;
    }

  if (renamed)
    update_name (self);
  if (changed)
    gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
weir_cell_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (weir_cell_parent_class)->map (widget);
  take_over (WEIR_CELL (widget));
}

static void
weir_cell_dispose (GObject *object)
{
  WeirCell *self = WEIR_CELL (object);

  g_clear_object (&self->slot);
  g_clear_object (&self->icon);
  G_OBJECT_CLASS (weir_cell_parent_class)->dispose (object);
}

static void
weir_cell_finalize (GObject *object)
{
  WeirCell *self = WEIR_CELL (object);

  g_clear_object (&self->style);
  g_free (self->text);
  g_free (self->second);
  G_OBJECT_CLASS (weir_cell_parent_class)->finalize (object);
}

static void
weir_cell_class_init (WeirCellClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = weir_cell_dispose;
  G_OBJECT_CLASS (klass)->finalize = weir_cell_finalize;
  widget_class->measure = weir_cell_measure;
  widget_class->snapshot = weir_cell_snapshot;
  widget_class->map = weir_cell_map;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_LABEL);
  gtk_widget_class_set_css_name (widget_class, "label");
}

static void
weir_cell_init (WeirCell *self)
{
}

GtkWidget *
weir_cell_new (const WeirColumn *column, WeirCellStyle *style)
{
  WeirCell *self = g_object_new (WEIR_TYPE_CELL, NULL);

  self->column = column;
  self->style = g_object_ref (style);
  return GTK_WIDGET (self);
}

void
weir_cell_set_slot (WeirCell *self, WeirSlot *slot)
{
  g_return_if_fail (WEIR_IS_CELL (self));

  if (g_set_object (&self->slot, slot) && slot != NULL)
    take_over (self);
}

WeirSlot *
weir_cell_get_slot (WeirCell *self)
{
  g_return_val_if_fail (WEIR_IS_CELL (self), NULL);
  return self->slot;
}

void
weir_cell_refresh (WeirCell *self)
{
  g_return_if_fail (WEIR_IS_CELL (self));

  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    take_over (self);
}

const char *
weir_cell_get_text (WeirCell *self)
{
  g_return_val_if_fail (WEIR_IS_CELL (self), NULL);
  return self->text;
}
