/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A plain tile with a white symbol on it: the picture of a program without one of its own. */
#define WEIR_TYPE_TILE (weir_tile_get_type ())
G_DECLARE_FINAL_TYPE (WeirTile, weir_tile, WEIR, TILE, GObject)

GdkPaintable *
weir_tile_new (GtkSymbolicPaintable *symbol, int size);

G_END_DECLS
