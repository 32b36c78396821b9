/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-column-layout.h"

#include <glib/gi18n.h>

#include "weir-columns.h"

#define KEY "columns"
/* Dragging an edge changes the width at every step: store it when the hand rests. */
#define SAVE_DELAY_MS 400
/* The column without which nobody knows what a row is. */
#define ALWAYS_VISIBLE "app"

struct _WeirColumnLayout
{
  GObject parent_instance;

  GtkColumnView *view;
  GSettings *settings;
  GSimpleActionGroup *actions;
  GMenu *menu;
  GHashTable *hidden; /* ids that the person does not want to see; a set */
  gboolean narrow, medium;
  gboolean loading;
  guint save_source;
};

G_DEFINE_FINAL_TYPE (WeirColumnLayout, weir_column_layout, G_TYPE_OBJECT)

static GtkColumnViewColumn *
find_column (WeirColumnLayout *self, const char *id)
{
  GListModel *columns = gtk_column_view_get_columns (self->view);

  for (guint i = 0; i < g_list_model_get_n_items (columns); i++)
    {
      g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, i);

      if (g_strcmp0 (gtk_column_view_column_get_id (column), id) == 0)
        return column; /* the view keeps it */
    }
  return NULL;
}

static void
apply_visibility (WeirColumnLayout *self)
{
  guint n_columns;
  const WeirColumn *table = weir_columns_get (&n_columns);

  for (guint i = 0; i < n_columns; i++)
    {
      gboolean wanted =
          !g_hash_table_contains (self->hidden, table[i].id) && !(self->medium && table[i].spare);
      GtkColumnViewColumn *column = find_column (self, table[i].id);

      gtk_column_view_column_set_visible (column, self->narrow ? table[i].narrow
                                                               : wanted && !table[i].narrow);
    }
}

static gboolean
save (gpointer data)
{
  WeirColumnLayout *self = data;
  GListModel *columns = gtk_column_view_get_columns (self->view);
  GVariantBuilder builder;

  self->save_source = 0;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sib)"));
  for (guint i = 0; i < g_list_model_get_n_items (columns); i++)
    {
      g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, i);
      const char *id = gtk_column_view_column_get_id (column);

      if (!weir_columns_find (id)->narrow)
        g_variant_builder_add (&builder, "(sib)", id,
                               gtk_column_view_column_get_fixed_width (column),
                               !g_hash_table_contains (self->hidden, id));
    }
  g_settings_set_value (self->settings, KEY, g_variant_builder_end (&builder));
  return G_SOURCE_REMOVE;
}

static void
save_soon (WeirColumnLayout *self)
{
  if (self->loading)
    return;
  g_clear_handle_id (&self->save_source, g_source_remove);
  self->save_source = g_timeout_add (SAVE_DELAY_MS, save, self);
}

static void
set_hidden (WeirColumnLayout *self, const char *id, gboolean hidden)
{
  if (hidden)
    g_hash_table_add (self->hidden, (char *) id);
  else
    g_hash_table_remove (self->hidden, id);
}

static void
load (WeirColumnLayout *self)
{
  g_autoptr (GVariant) stored = g_settings_get_value (self->settings, KEY);
  GVariantIter iter;
  const char *id;
  int width;
  gboolean visible;
  guint position = 0;

  g_variant_iter_init (&iter, stored);
  while (g_variant_iter_next (&iter, "(&sib)", &id, &width, &visible))
    {
      const WeirColumn *entry = weir_columns_find (id);
      GtkColumnViewColumn *column;

      /* Settings may come from another version. */
      if (entry == NULL || entry->narrow)
        continue;
      column = find_column (self, id);
      if (width >= -1 && width < G_MAXINT16)
        gtk_column_view_column_set_fixed_width (column, width);
      gtk_column_view_insert_column (self->view, position++, column);
      set_hidden (self, entry->id, !visible && g_strcmp0 (id, ALWAYS_VISIBLE) != 0);
    }
}

static void
on_toggled (GSimpleAction *action, GVariant *state, gpointer data)
{
  WeirColumnLayout *self = data;
  const WeirColumn *entry = weir_columns_find (g_action_get_name (G_ACTION (action)));

  g_simple_action_set_state (action, state);
  set_hidden (self, entry->id, !g_variant_get_boolean (state));
  apply_visibility (self);
  save_soon (self);
}

static void
make_actions (WeirColumnLayout *self)
{
  guint n_columns;
  const WeirColumn *table = weir_columns_get (&n_columns);

  for (guint i = 0; i < n_columns; i++)
    {
      g_autoptr (GSimpleAction) action = NULL;
      g_autofree char *name = g_strconcat ("columns.", table[i].id, NULL);

      if (table[i].narrow || g_str_equal (table[i].id, ALWAYS_VISIBLE))
        continue;
      action = g_simple_action_new_stateful (
          table[i].id, NULL,
          g_variant_new_boolean (!g_hash_table_contains (self->hidden, table[i].id)));
      g_signal_connect_object (action, "change-state", G_CALLBACK (on_toggled), self,
                               G_CONNECT_DEFAULT);
      g_action_map_add_action (G_ACTION_MAP (self->actions), G_ACTION (action));
      g_menu_append (self->menu, _ (table[i].title), name);
    }
}

static void
weir_column_layout_dispose (GObject *object)
{
  WeirColumnLayout *self = WEIR_COLUMN_LAYOUT (object);

  if (self->save_source != 0)
    {
      g_clear_handle_id (&self->save_source, g_source_remove);
      save (self);
    }
  g_clear_object (&self->settings);
  g_clear_object (&self->actions);
  g_clear_object (&self->menu);
  g_clear_pointer (&self->hidden, g_hash_table_unref);
  G_OBJECT_CLASS (weir_column_layout_parent_class)->dispose (object);
}

static void
weir_column_layout_class_init (WeirColumnLayoutClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = weir_column_layout_dispose;
}

static void
weir_column_layout_init (WeirColumnLayout *self)
{
  guint n_columns;
  const WeirColumn *table = weir_columns_get (&n_columns);

  self->actions = g_simple_action_group_new ();
  self->menu = g_menu_new ();
  self->hidden = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < n_columns; i++)
    if (!table[i].visible && !table[i].narrow)
      set_hidden (self, table[i].id, TRUE);
}

WeirColumnLayout *
weir_column_layout_new (GtkColumnView *view, GSettings *settings)
{
  WeirColumnLayout *self = g_object_new (WEIR_TYPE_COLUMN_LAYOUT, NULL);
  GListModel *columns = gtk_column_view_get_columns (view);

  self->view = view;
  self->settings = g_object_ref (settings);
  self->loading = TRUE;
  load (self);
  apply_visibility (self);
  self->loading = FALSE;
  make_actions (self);
  for (guint i = 0; i < g_list_model_get_n_items (columns); i++)
    {
      g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, i);

      g_signal_connect_object (column, "notify::fixed-width", G_CALLBACK (save_soon), self,
                               G_CONNECT_SWAPPED);
    }
  g_signal_connect_object (columns, "items-changed", G_CALLBACK (save_soon), self,
                           G_CONNECT_SWAPPED);
  return self;
}

void
weir_column_layout_set_room (WeirColumnLayout *self, gboolean narrow, gboolean medium)
{
  g_return_if_fail (WEIR_IS_COLUMN_LAYOUT (self));

  self->narrow = narrow;
  self->medium = medium;
  apply_visibility (self);
}

GActionGroup *
weir_column_layout_get_actions (WeirColumnLayout *self)
{
  g_return_val_if_fail (WEIR_IS_COLUMN_LAYOUT (self), NULL);
  return G_ACTION_GROUP (self->actions);
}

GMenuModel *
weir_column_layout_get_menu (WeirColumnLayout *self)
{
  g_return_val_if_fail (WEIR_IS_COLUMN_LAYOUT (self), NULL);
  return G_MENU_MODEL (self->menu);
}
