/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-app-icons.h"
#include "weir-text-cache.h"

G_BEGIN_DECLS

/* What all cells of one view have in common. */
#define WEIR_TYPE_CELL_STYLE (weir_cell_style_get_type ())
G_DECLARE_FINAL_TYPE (WeirCellStyle, weir_cell_style, WEIR, CELL_STYLE, GObject)

/* @widget gives font, theme and scale and must outlive the object. */
WeirCellStyle *
weir_cell_style_new (GtkWidget *widget);
WeirTextCache *
weir_cell_style_get_texts (WeirCellStyle *self);
WeirAppIcons *
weir_cell_style_get_icons (WeirCellStyle *self);
/* Scratch space for texts that a column makes; used by one cell at a time. */
GString *
weir_cell_style_get_scratch (WeirCellStyle *self);

/* The largest rates, with which the bars compare; 0 for none. */
void
weir_cell_style_set_maxima (WeirCellStyle *self, double rx, double tx);
void
weir_cell_style_get_maxima (WeirCellStyle *self, double *ret_rx, double *ret_tx);
void
weir_cell_style_set_bar_colors (WeirCellStyle *self, const GdkRGBA *rx, const GdkRGBA *tx);
void
weir_cell_style_get_bar_colors (WeirCellStyle *self, GdkRGBA *ret_rx, GdkRGBA *ret_tx);

G_END_DECLS
