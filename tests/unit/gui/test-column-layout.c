/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-column-layout.h"

#include "weir-columns.h"

static GSettings *settings;

/* Of this test; they outlive the layouts on them. */
static GPtrArray *views;

static GtkColumnView *
make_view (void)
{
  GtkColumnView *view = GTK_COLUMN_VIEW (g_object_ref_sink (gtk_column_view_new (NULL)));
  guint n_columns;
  const WeirColumn *table = weir_columns_get (&n_columns);

  for (guint i = 0; i < n_columns; i++)
    {
      g_autoptr (GtkColumnViewColumn) column = gtk_column_view_column_new (table[i].title, NULL);

      gtk_column_view_column_set_id (column, table[i].id);
      gtk_column_view_append_column (view, column);
    }
  g_ptr_array_add (views, view);
  return view;
}

/* The ids of the columns that are visible, in their order. */
static char *
list_visible (GtkColumnView *view)
{
  GListModel *columns = gtk_column_view_get_columns (view);
  GString *ids = g_string_new (NULL);

  for (guint i = 0; i < g_list_model_get_n_items (columns); i++)
    {
      g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, i);

      if (gtk_column_view_column_get_visible (column))
        g_string_append_printf (ids, "%s ", gtk_column_view_column_get_id (column));
    }
  return g_string_free (ids, FALSE);
}

static void
assert_visible (GtkColumnView *view, const char *expected)
{
  g_autofree char *found = list_visible (view);

  g_assert_cmpstr (found, ==, expected);
}

static void
test_defaults (void)
{
  GtkColumnView *view = make_view ();
  g_autoptr (WeirColumnLayout) layout = NULL;

  g_settings_reset (settings, "columns");
  layout = weir_column_layout_new (view, settings);
  assert_visible (view, "app remote protocol received sent total ");
}

static void
test_room (void)
{
  GtkColumnView *view = make_view ();
  g_autoptr (WeirColumnLayout) layout = weir_column_layout_new (view, settings);

  weir_column_layout_set_room (layout, FALSE, TRUE);
  assert_visible (view, "app remote protocol received total ");
  weir_column_layout_set_room (layout, TRUE, FALSE);
  assert_visible (view, "connection rate ");
  weir_column_layout_set_room (layout, FALSE, FALSE);
  assert_visible (view, "app remote protocol received sent total ");
}

static void
test_toggle_and_keep (void)
{
  GtkColumnView *view = make_view (), *next_view = make_view ();
  WeirColumnLayout *layout = weir_column_layout_new (view, settings);
  GActionGroup *actions = weir_column_layout_get_actions (layout);

  g_action_group_change_action_state (actions, "protocol", g_variant_new_boolean (FALSE));
  g_action_group_change_action_state (actions, "user", g_variant_new_boolean (TRUE));
  assert_visible (view, "app user remote received sent total ");
  /* What there is no room for is still wanted. */
  weir_column_layout_set_room (layout, TRUE, FALSE);
  g_object_unref (layout);

  layout = weir_column_layout_new (next_view, settings);
  assert_visible (next_view, "app user remote received sent total ");
  g_object_unref (layout);
  g_settings_reset (settings, "columns");
}

static void
test_order_and_width (void)
{
  GtkColumnView *view = make_view ();
  g_autoptr (WeirColumnLayout) layout = NULL;
  g_autoptr (GtkColumnViewColumn) first = NULL;

  g_settings_set_value (
      settings, "columns",
      g_variant_new_parsed ("[('total', 111, true), ('app', 222, true), ('nonsense', 5, true), "
                            "('rate', 10, true), ('sent', 100000, false)]"));
  layout = weir_column_layout_new (view, settings);
  first = g_list_model_get_item (gtk_column_view_get_columns (view), 0);
  g_assert_cmpstr (gtk_column_view_column_get_id (first), ==, "total");
  g_assert_cmpint (gtk_column_view_column_get_fixed_width (first), ==, 111);
  assert_visible (view, "total app remote protocol received ");
  g_settings_reset (settings, "columns");
}

/* Without it nobody knows what a row is. */
static void
test_app_stays (void)
{
  GtkColumnView *view = make_view ();
  g_autoptr (WeirColumnLayout) layout = NULL;

  g_settings_set_value (settings, "columns", g_variant_new_parsed ("[('app', 100, false)]"));
  layout = weir_column_layout_new (view, settings);
  assert_visible (view, "app remote protocol received sent total ");
  g_assert_false (g_action_group_has_action (weir_column_layout_get_actions (layout), "app"));
  g_settings_reset (settings, "columns");
}

static void
test_menu (void)
{
  GtkColumnView *view = make_view ();
  g_autoptr (WeirColumnLayout) layout = weir_column_layout_new (view, settings);
  GMenuModel *menu = weir_column_layout_get_menu (layout);
  int n_items = g_menu_model_get_n_items (menu);

  g_assert_cmpint (n_items, >=, 10);
  for (int i = 0; i < n_items; i++)
    {
      g_autofree char *action = NULL;

      g_assert_true (
          g_menu_model_get_item_attribute (menu, i, G_MENU_ATTRIBUTE_ACTION, "s", &action));
      g_assert_true (g_str_has_prefix (action, "columns."));
      g_assert_true (g_action_group_has_action (weir_column_layout_get_actions (layout),
                                                action + strlen ("columns.")));
    }
}

int
main (int argc, char **argv)
{
  int result;

  gtk_test_init (&argc, &argv, NULL);
  views = g_ptr_array_new_with_free_func (g_object_unref);
  settings = g_settings_new ("io.github.weir.Weir");
  g_test_add_func ("/column-layout/defaults", test_defaults);
  g_test_add_func ("/column-layout/room", test_room);
  g_test_add_func ("/column-layout/toggle-and-keep", test_toggle_and_keep);
  g_test_add_func ("/column-layout/order-and-width", test_order_and_width);
  g_test_add_func ("/column-layout/app-stays", test_app_stays);
  g_test_add_func ("/column-layout/menu", test_menu);
  result = g_test_run ();
  g_ptr_array_unref (views);
  g_object_unref (settings);
  return result;
}
