/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-tile.h"

struct _WeirTile
{
  GObject parent_instance;

  GtkSymbolicPaintable *symbol;
  int size;
};

static void
paintable_init (GdkPaintableInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeirTile, weir_tile, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (GDK_TYPE_PAINTABLE, paintable_init))

/* dark 1 and dark 2 of GNOME's palette: the same in both styles, like the icons of applications. */
static const GskColorStop stops[] = {
  { 0, { 0.467f, 0.463f, 0.482f, 1 } },
  { 1, { 0.369f, 0.361f, 0.392f, 1 } },
};

static void
weir_tile_snapshot (GdkPaintable *paintable, GdkSnapshot *snapshot, double width, double height)
{
  WeirTile *self = WEIR_TILE (paintable);
  const GdkRGBA white = { 1, 1, 1, 1 };
  graphene_rect_t bounds = GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height);
  float inset = (float) width * 0.2f;
  GskRoundedRect outline;

  gsk_rounded_rect_init_from_rect (&outline, &bounds, (float) width * 0.27f);
  gtk_snapshot_push_rounded_clip (snapshot, &outline);
  gtk_snapshot_append_linear_gradient (snapshot, &bounds, &GRAPHENE_POINT_INIT (0, 0),
                                       &GRAPHENE_POINT_INIT (0, (float) height), stops,
                                       G_N_ELEMENTS (stops));
  gtk_snapshot_pop (snapshot);
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (inset, inset));
  gtk_symbolic_paintable_snapshot_symbolic (self->symbol, snapshot, width - 2 * inset,
                                            height - 2 * inset, &white, 1);
  gtk_snapshot_restore (snapshot);
}

static GdkPaintableFlags
weir_tile_get_flags (GdkPaintable *paintable)
{
  return GDK_PAINTABLE_STATIC_CONTENTS | GDK_PAINTABLE_STATIC_SIZE;
}

static int
weir_tile_get_intrinsic_size (GdkPaintable *paintable)
{
  return WEIR_TILE (paintable)->size;
}

static void
paintable_init (GdkPaintableInterface *iface)
{
  iface->snapshot = weir_tile_snapshot;
  iface->get_flags = weir_tile_get_flags;
  iface->get_intrinsic_width = weir_tile_get_intrinsic_size;
  iface->get_intrinsic_height = weir_tile_get_intrinsic_size;
}

static void
weir_tile_dispose (GObject *object)
{
  g_clear_object (&WEIR_TILE (object)->symbol);
  G_OBJECT_CLASS (weir_tile_parent_class)->dispose (object);
}

static void
weir_tile_class_init (WeirTileClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = weir_tile_dispose;
}

static void
weir_tile_init (WeirTile *self)
{
}

GdkPaintable *
weir_tile_new (GtkSymbolicPaintable *symbol, int size)
{
  WeirTile *self = g_object_new (WEIR_TYPE_TILE, NULL);

  self->symbol = g_object_ref (symbol);
  self->size = size;
  return GDK_PAINTABLE (self);
}
