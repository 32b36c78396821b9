/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-cell-style.h"

struct _WeirCellStyle
{
  GObject parent_instance;

  WeirTextCache *texts;
  WeirAppIcons *icons;
  GString *scratch;
  double max_rx, max_tx;
  GdkRGBA rx_color, tx_color;
};

G_DEFINE_FINAL_TYPE (WeirCellStyle, weir_cell_style, G_TYPE_OBJECT)

static void
weir_cell_style_finalize (GObject *object)
{
  WeirCellStyle *self = WEIR_CELL_STYLE (object);

  g_clear_pointer (&self->texts, weir_text_cache_free);
  g_clear_object (&self->icons);
  g_string_free (self->scratch, TRUE);
  G_OBJECT_CLASS (weir_cell_style_parent_class)->finalize (object);
}

static void
weir_cell_style_class_init (WeirCellStyleClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weir_cell_style_finalize;
}

static void
weir_cell_style_init (WeirCellStyle *self)
{
  self->scratch = g_string_new (NULL);
}

WeirCellStyle *
weir_cell_style_new (GtkWidget *widget)
{
  WeirCellStyle *self = g_object_new (WEIR_TYPE_CELL_STYLE, NULL);

  self->texts = weir_text_cache_new (widget);
  self->icons = weir_app_icons_new (widget);
  return self;
}

WeirTextCache *
weir_cell_style_get_texts (WeirCellStyle *self)
{
  return self->texts;
}

WeirAppIcons *
weir_cell_style_get_icons (WeirCellStyle *self)
{
  return self->icons;
}

GString *
weir_cell_style_get_scratch (WeirCellStyle *self)
{
  return self->scratch;
}

void
weir_cell_style_set_maxima (WeirCellStyle *self, double rx, double tx)
{
  self->max_rx = rx;
  self->max_tx = tx;
}

void
weir_cell_style_get_maxima (WeirCellStyle *self, double *ret_rx, double *ret_tx)
{
  *ret_rx = self->max_rx;
  *ret_tx = self->max_tx;
}

void
weir_cell_style_set_bar_colors (WeirCellStyle *self, const GdkRGBA *rx, const GdkRGBA *tx)
{
  self->rx_color = *rx;
  self->tx_color = *tx;
}

void
weir_cell_style_get_bar_colors (WeirCellStyle *self, GdkRGBA *ret_rx, GdkRGBA *ret_tx)
{
  *ret_rx = self->rx_color;
  *ret_tx = self->tx_color;
}
