/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-cell.h"

#include <adwaita.h>

#include "../model/model-samples.h"
#include "weir-application.h"

/* A column of cells that show the same slot. */
typedef struct
{
  GtkWidget *window;
  GtkWidget *box;
  WeirFlowStore *store;
  WeirSlotModel *model;
  WeirCellStyle *style;
  guint n_ticks;
} Fixture;

static gboolean
is_mapped (gpointer widget)
{
  return gtk_widget_get_mapped (widget) && gtk_widget_get_width (widget) > 0;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (1);

  fixture->window = gtk_window_new ();
  fixture->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  gtk_window_set_child (GTK_WINDOW (fixture->window), fixture->box);
  fixture->store = weir_flow_store_new ();
  fixture->model = weir_slot_model_new (fixture->store);
  fixture->style = weir_cell_style_new (fixture->box);
  sample_add (fixture->store, &record);
  sample_do_tick (fixture->store, ++fixture->n_ticks);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  gtk_window_destroy (GTK_WINDOW (fixture->window));
  g_object_unref (fixture->style);
  g_object_unref (fixture->model);
  g_object_unref (fixture->store);
}

static WeirCell *
add_cell (Fixture *fixture, const char *column)
{
  GtkWidget *cell = weir_cell_new (weir_columns_find (column), fixture->style);
  g_autoptr (WeirSlot) slot = g_list_model_get_item (G_LIST_MODEL (fixture->model), 0);

  gtk_box_append (GTK_BOX (fixture->box), cell);
  weir_cell_set_slot (WEIR_CELL (cell), slot);
  return WEIR_CELL (cell);
}

static void
show (Fixture *fixture, WeirCell *cell)
{
  gtk_window_present (GTK_WINDOW (fixture->window));
  sample_wait (is_mapped, cell);
}

static void
change_rate (Fixture *fixture, guint64 rx, guint64 tx)
{
  struct weir_flow_record record = sample_bytes (1, rx, tx);

  sample_add (fixture->store, &record);
  sample_do_tick (fixture->store, ++fixture->n_ticks);
}

static void
test_text (Fixture *fixture, gconstpointer data)
{
  WeirCell *cell = add_cell (fixture, "received");

  show (fixture, cell);
  change_rate (fixture, 4800000, 0);
  weir_cell_refresh (cell);
  g_assert_cmpstr (weir_cell_get_text (cell), ==, "4.8\302\240MB/s");
  gtk_test_accessible_assert_role (GTK_ACCESSIBLE (cell), GTK_ACCESSIBLE_ROLE_LABEL);
  gtk_test_accessible_assert_property (GTK_ACCESSIBLE (cell), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       "4.8\302\240MB/s");
}

static void
test_two_lines (Fixture *fixture, gconstpointer data)
{
  WeirCell *cell = add_cell (fixture, "connection");

  show (fixture, cell);
  gtk_test_accessible_assert_property (GTK_ACCESSIBLE (cell), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       "example, 198.51.100.7:443");
}

static void
measure (WeirCell *cell, int *ret_width, int *ret_height)
{
  gtk_widget_measure (GTK_WIDGET (cell), GTK_ORIENTATION_HORIZONTAL, -1, NULL, ret_width, NULL,
                      NULL);
  gtk_widget_measure (GTK_WIDGET (cell), GTK_ORIENTATION_VERTICAL, -1, NULL, ret_height, NULL,
                      NULL);
}

/* A changed text must never make the list lay itself out again. */
static void
test_constant_size (Fixture *fixture, gconstpointer data)
{
  WeirCell *cell = add_cell (fixture, "received");
  int width, height, other_width, other_height;

  show (fixture, cell);
  measure (cell, &width, &height);
  change_rate (fixture, 123456789, 0);
  weir_cell_refresh (cell);
  measure (cell, &other_width, &other_height);
  g_assert_cmpint (width, ==, other_width);
  g_assert_cmpint (height, ==, other_height);
}

/* Off the screen nothing is done; what is missed is made up for when the cell is mapped. */
static void
test_unmapped (Fixture *fixture, gconstpointer data)
{
  WeirCell *cell = add_cell (fixture, "received");
  g_autofree char *before = g_strdup (weir_cell_get_text (cell));

  change_rate (fixture, 4800000, 0);
  weir_cell_refresh (cell);
  g_assert_cmpstr (weir_cell_get_text (cell), ==, before);
  show (fixture, cell);
  g_assert_cmpstr (weir_cell_get_text (cell), ==, "4.8\302\240MB/s");
}

static char *
draw (WeirCell *cell)
{
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gsize size;

  while (g_main_context_iteration (NULL, FALSE))
    ;
  GTK_WIDGET_GET_CLASS (cell)->snapshot (GTK_WIDGET (cell), snapshot);
  node = gtk_snapshot_to_node (snapshot);
  g_assert_nonnull (node);
  bytes = gsk_render_node_serialize (node);
  return g_bytes_unref_to_data (g_steal_pointer (&bytes), &size);
}

static void
test_bar (Fixture *fixture, gconstpointer data)
{
  const GdkRGBA red = { 1, 0, 0, 1 };
  WeirCell *cell = add_cell (fixture, "received");
  g_autofree char *with = NULL, *without = NULL;

  weir_cell_style_set_bar_colors (fixture->style, &red, &red);
  show (fixture, cell);
  change_rate (fixture, 1000, 0);
  weir_cell_style_set_maxima (fixture->style, 2000, 0);
  weir_cell_refresh (cell);
  with = draw (cell);
  /* One per cent of the largest and less says nothing. */
  weir_cell_style_set_maxima (fixture->style, 100000, 0);
  weir_cell_refresh (cell);
  without = draw (cell);
  g_assert_nonnull (strstr (with, "rgba(255,0,0,0.6)"));
  g_assert_null (strstr (without, "rgba(255,0,0,0.6)"));
}

/* A cell that shows nobody's connection takes no picture of an application. */
static void
test_unknown (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (2);
  WeirAppIcons *icons = weir_cell_style_get_icons (fixture->style);
  WeirFlow *flow;

  record.groups = WEIR_FLOW_KEY;
  sample_add (fixture->store, &record);
  sample_do_tick (fixture->store, ++fixture->n_ticks);
  flow = weir_flow_store_lookup (fixture->store, 2);
  g_assert_null (weir_app_icons_get_name (icons, flow));
  g_assert_true (GTK_IS_SYMBOLIC_PAINTABLE (weir_app_icons_get_paintable (icons, flow, 20)));
  flow = weir_flow_store_lookup (fixture->store, 1);
  g_assert_false (GTK_IS_SYMBOLIC_PAINTABLE (weir_app_icons_get_paintable (icons, flow, 20)));
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  weir_gui_init ();
  adw_init ();
  ADD ("/cell/text", test_text);
  ADD ("/cell/two-lines", test_two_lines);
  ADD ("/cell/constant-size", test_constant_size);
  ADD ("/cell/unmapped", test_unmapped);
  ADD ("/cell/bar", test_bar);
  ADD ("/cell/unknown", test_unknown);
  return g_test_run ();
}
