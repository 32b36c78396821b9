/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-connection-list.h"

#include <glib/gi18n.h>

#include "weir-actions.h"
#include "weir-cell.h"
#include "weir-cell-style.h"
#include "weir-column-layout.h"
#include "weir-columns.h"
#include "weir-order-hold.h"

struct _WeirConnectionList
{
  AdwBin parent_instance;

  GtkColumnView *view;
  GMenuModel *row_menu;
  GtkWidget *row_popover;

  WeirSlotModel *model;
  GtkSingleSelection *selection;
  GSettings *settings;
  WeirCellStyle *style;
  WeirColumnLayout *layout;
  WeirOrderHold *order_hold;
  PangoFontDescription *font;

  GPtrArray *cells;   /* every WeirCell that exists, mapped or not; not owned */
  WeirFlow *selected; /* what the person has selected, also while its row is filtered away */
  gboolean
      updating; /* the model changes: what happens to the selection is not the person's doing */
  gboolean sorting;
};

G_DEFINE_FINAL_TYPE (WeirConnectionList, weir_connection_list, ADW_TYPE_BIN)

enum
{
  ACTIVATED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- cells ---- */

static void
on_setup (WeirConnectionList *self, GtkColumnViewCell *item, GtkSignalListItemFactory *factory)
{
  const WeirColumn *column = g_object_get_data (G_OBJECT (factory), "column");
  GtkWidget *cell = weir_cell_new (column, self->style);

  g_ptr_array_add (self->cells, cell);
  gtk_column_view_cell_set_child (item, cell);
}

static void
on_teardown (WeirConnectionList *self, GtkColumnViewCell *item, GtkSignalListItemFactory *factory)
{
  g_ptr_array_remove_fast (self->cells, gtk_column_view_cell_get_child (item));
  gtk_column_view_cell_set_child (item, NULL);
}

static void
on_bind (WeirConnectionList *self, GtkColumnViewCell *item, GtkSignalListItemFactory *factory)
{
  weir_cell_set_slot (WEIR_CELL (gtk_column_view_cell_get_child (item)),
                      gtk_column_view_cell_get_item (item));
}

static void
on_unbind (WeirConnectionList *self, GtkColumnViewCell *item, GtkSignalListItemFactory *factory)
{
  weir_cell_set_slot (WEIR_CELL (gtk_column_view_cell_get_child (item)), NULL);
}

static void
refresh_cells (WeirConnectionList *self)
{
  double max_rx, max_tx;

  weir_slot_model_get_maxima (self->model, &max_rx, &max_tx);
  weir_cell_style_set_maxima (self->style, max_rx, max_tx);
  for (guint i = 0; i < self->cells->len; i++)
    weir_cell_refresh (g_ptr_array_index (self->cells, i));
}

/* ---- selection: follows the flow, not the place ---- */

static void
on_model_changing (WeirConnectionList *self)
{
  self->updating = TRUE;
}

static void
on_selected (WeirConnectionList *self)
{
  if (!self->updating)
    g_set_object (&self->selected, weir_connection_list_get_selected (self));
}

static void
on_refreshed (WeirConnectionList *self)
{
  guint position = GTK_INVALID_LIST_POSITION;

  self->updating = TRUE;
  /* The flow keeps its object when another engine takes over, but not its number. */
  if (self->selected != NULL)
    position = weir_slot_model_find (self->model, weir_flow_get_id (self->selected));
  gtk_single_selection_set_selected (self->selection, position);
  self->updating = FALSE;
  refresh_cells (self);
}

/* ---- sorting ---- */

static void
on_sorter_changed (WeirConnectionList *self)
{
  GtkColumnViewSorter *sorter = GTK_COLUMN_VIEW_SORTER (gtk_column_view_get_sorter (self->view));
  GtkColumnViewColumn *column = gtk_column_view_sorter_get_primary_sort_column (sorter);
  gboolean descending =
      gtk_column_view_sorter_get_primary_sort_order (sorter) == GTK_SORT_DESCENDING;
  g_autofree char *old_id = g_settings_get_string (self->settings, "sort-column");
  const WeirColumn *entry =
      column != NULL ? weir_columns_find (gtk_column_view_column_get_id (column)) : NULL;

  if (entry == NULL || self->sorting)
    return;
  /* Who clicks on a figure wants to see the largest. */
  if ((entry->kind == WEIR_CELL_NUMBER || entry->kind == WEIR_CELL_RATES) && !descending &&
      g_strcmp0 (old_id, entry->id) != 0)
    {
      self->sorting = TRUE;
      gtk_column_view_sort_by_column (self->view, column, GTK_SORT_DESCENDING);
      self->sorting = FALSE;
      descending = TRUE;
    }
  g_settings_set_string (self->settings, "sort-column", entry->id);
  g_settings_set_boolean (self->settings, "sort-descending", descending);
  weir_slot_model_set_sort (self->model, entry->sort, descending);
}

static void
restore_sort (WeirConnectionList *self)
{
  GListModel *columns = gtk_column_view_get_columns (self->view);
  g_autofree char *id = g_settings_get_string (self->settings, "sort-column");
  gboolean descending = g_settings_get_boolean (self->settings, "sort-descending");
  const WeirColumn *entry = weir_columns_find (id);

  if (entry == NULL)
    entry = weir_columns_find ("received");
  for (guint i = 0; i < g_list_model_get_n_items (columns); i++)
    {
      g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, i);

      if (g_strcmp0 (gtk_column_view_column_get_id (column), entry->id) == 0)
        gtk_column_view_sort_by_column (self->view, column,
                                        descending ? GTK_SORT_DESCENDING : GTK_SORT_ASCENDING);
    }
}

/* ---- the menu of a row, and what it does ---- */

static void
on_details (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  WeirFlow *flow = weir_connection_list_get_selected (data);

  if (flow != NULL)
    g_signal_emit (data, signals[ACTIVATED], 0, flow);
}

static void
copy (WeirConnectionList *self, const char *text)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text);
}

static void
on_copy_remote (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  WeirFlow *flow = weir_connection_list_get_selected (data);

  if (flow != NULL)
    copy (data, weir_flow_get_remote (flow));
}

static void
on_copy_local (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  WeirFlow *flow = weir_connection_list_get_selected (data);

  if (flow != NULL)
    copy (data, weir_flow_get_local (flow));
}

/* What the row shows, one column after the other, separated by tabs. */
static void
on_copy_row (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  WeirConnectionList *self = data;
  WeirFlow *flow = weir_connection_list_get_selected (self);
  GListModel *columns = gtk_column_view_get_columns (self->view);
  g_autoptr (GString) row = g_string_new (NULL);

  if (flow == NULL)
    return;
  for (guint i = 0; i < g_list_model_get_n_items (columns); i++)
    {
      g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, i);
      const WeirColumn *entry = weir_columns_find (gtk_column_view_column_get_id (column));
      GString *scratch = weir_cell_style_get_scratch (self->style);

      if (!gtk_column_view_column_get_visible (column))
        continue;
      g_string_append_printf (row, "%s%s", row->len ? "\t" : "",
                              entry->text (flow, weir_cell_style_get_icons (self->style), scratch));
      if (entry->second != NULL)
        g_string_append_printf (
            row, "\t%s", entry->second (flow, weir_cell_style_get_icons (self->style), scratch));
    }
  copy (self, row->str);
}

static void
on_menu_closed (WeirConnectionList *self)
{
  weir_order_hold_set_menu_open (self->order_hold, FALSE);
}

static void
show_row_menu (WeirConnectionList *self, double x, double y)
{
  if (self->row_popover == NULL)
    {
      self->row_popover = gtk_popover_menu_new_from_model (self->row_menu);
      gtk_widget_set_parent (self->row_popover, GTK_WIDGET (self));
      gtk_popover_set_has_arrow (GTK_POPOVER (self->row_popover), FALSE);
      gtk_widget_set_halign (self->row_popover, GTK_ALIGN_START);
      g_signal_connect_object (self->row_popover, "closed", G_CALLBACK (on_menu_closed), self,
                               G_CONNECT_SWAPPED);
    }
  gtk_popover_set_pointing_to (GTK_POPOVER (self->row_popover),
                               &(GdkRectangle) { (int) x, (int) y, 1, 1 });
  weir_order_hold_set_menu_open (self->order_hold, TRUE);
  gtk_popover_popup (GTK_POPOVER (self->row_popover));
}

/* Selects the row at a place of this widget. */
static gboolean
select_at (WeirConnectionList *self, double x, double y)
{
  GtkWidget *widget = gtk_widget_pick (GTK_WIDGET (self), x, y, GTK_PICK_DEFAULT);
  WeirSlot *slot = NULL;
  guint position;

  while (widget != NULL && slot == NULL && widget != GTK_WIDGET (self))
    {
      GtkWidget *child = gtk_widget_get_first_child (widget);

      if (WEIR_IS_CELL (widget))
        slot = weir_cell_get_slot (WEIR_CELL (widget));
      else if (WEIR_IS_CELL (child))
        slot = weir_cell_get_slot (WEIR_CELL (child));
      widget = gtk_widget_get_parent (widget);
    }
  if (slot == NULL || weir_slot_get_flow (slot) == NULL)
    return FALSE;
  position = weir_slot_model_find (self->model, weir_flow_get_id (weir_slot_get_flow (slot)));
  gtk_single_selection_set_selected (self->selection, position);
  return position != GTK_INVALID_LIST_POSITION;
}

static void
on_secondary_click (WeirConnectionList *self, int n_press, double x, double y, GtkGesture *gesture)
{
  if (!select_at (self, x, y))
    return;
  gtk_gesture_set_state (gesture, GTK_EVENT_SEQUENCE_CLAIMED);
  show_row_menu (self, x, y);
}

static void
on_long_press (WeirConnectionList *self, double x, double y, GtkGesture *gesture)
{
  on_secondary_click (self, 1, x, y, gesture);
}

/* The key for menus: below the row that has the focus. */
static gboolean
on_menu_key (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  WeirConnectionList *self = WEIR_CONNECTION_LIST (widget);
  GtkWidget *focus = gtk_root_get_focus (gtk_widget_get_root (widget));
  graphene_rect_t bounds;

  if (weir_connection_list_get_selected (self) == NULL || focus == NULL ||
      !gtk_widget_is_ancestor (focus, widget) ||
      !gtk_widget_compute_bounds (focus, widget, &bounds))
    return FALSE;
  show_row_menu (self, bounds.origin.x + 24, bounds.origin.y + bounds.size.height);
  return TRUE;
}

static void
on_activate (WeirConnectionList *self, guint position)
{
  g_autoptr (WeirSlot) slot = g_list_model_get_item (G_LIST_MODEL (self->model), position);

  if (slot != NULL && weir_slot_get_flow (slot) != NULL)
    g_signal_emit (self, signals[ACTIVATED], 0, weir_slot_get_flow (slot));
}

static void
add_row_actions (WeirConnectionList *self)
{
  const GActionEntry entries[] = {
    { "details", on_details, NULL, NULL, NULL },
    { "copy-remote", on_copy_remote, NULL, NULL, NULL },
    { "copy-local", on_copy_local, NULL, NULL, NULL },
    { "copy-row", on_copy_row, NULL, NULL, NULL },
  };
  g_autoptr (GSimpleActionGroup) group = g_simple_action_group_new ();
  GtkGesture *click = gtk_gesture_click_new (), *press = gtk_gesture_long_press_new ();
  GtkEventController *shortcuts = gtk_shortcut_controller_new ();

  g_action_map_add_action_entries (G_ACTION_MAP (group), entries, G_N_ELEMENTS (entries), self);
  gtk_widget_insert_action_group (GTK_WIDGET (self), "list", G_ACTION_GROUP (group));

  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (click), GDK_BUTTON_SECONDARY);
  g_signal_connect_object (click, "pressed", G_CALLBACK (on_secondary_click), self,
                           G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_gesture_single_set_touch_only (GTK_GESTURE_SINGLE (press), TRUE);
  g_signal_connect_object (press, "pressed", G_CALLBACK (on_long_press), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (press));

  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (shortcuts),
      gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Menu|<Shift>F10"),
                        gtk_callback_action_new (on_menu_key, NULL, NULL)));
  weir_actions_add_local_shortcuts (GTK_SHORTCUT_CONTROLLER (shortcuts), "list");
  gtk_widget_add_controller (GTK_WIDGET (self), shortcuts);
}

/* ---- construction ---- */

/* How much larger than usual text is: the widths of the table are for usual text. */
static double
get_text_scale (WeirConnectionList *self)
{
  int dpi;

  g_object_get (gtk_widget_get_settings (GTK_WIDGET (self)), "gtk-xft-dpi", &dpi, NULL);
  return dpi > 0 ? MAX (1, dpi / (96.0 * PANGO_SCALE)) : 1;
}

static void
add_columns (WeirConnectionList *self)
{
  double scale = get_text_scale (self);
  guint n_columns;
  const WeirColumn *table = weir_columns_get (&n_columns);

  for (guint i = 0; i < n_columns; i++)
    {
      GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
      g_autoptr (GtkColumnViewColumn) column = NULL;
      /* Only there so that the header can be clicked: the slot model does the sorting. */
      g_autoptr (GtkSorter) sorter = GTK_SORTER (gtk_custom_sorter_new (NULL, NULL, NULL));

      g_object_set_data (G_OBJECT (factory), "column", (gpointer) &table[i]);
      g_signal_connect_object (factory, "setup", G_CALLBACK (on_setup), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (factory, "teardown", G_CALLBACK (on_teardown), self,
                               G_CONNECT_SWAPPED);
      g_signal_connect_object (factory, "bind", G_CALLBACK (on_bind), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (factory, "unbind", G_CALLBACK (on_unbind), self, G_CONNECT_SWAPPED);
      column = gtk_column_view_column_new (_ (table[i].title), factory);
      gtk_column_view_column_set_id (column, table[i].id);
      gtk_column_view_column_set_sorter (column, sorter);
      gtk_column_view_column_set_resizable (column, !table[i].narrow);
      gtk_column_view_column_set_expand (column, table[i].width == 0);
      gtk_column_view_column_set_fixed_width (
          column, table[i].width > 0 ? (int) (table[i].width * scale) : -1);
      gtk_column_view_append_column (self->view, column);
    }
}

static void
set_header_menus (WeirConnectionList *self)
{
  GListModel *columns = gtk_column_view_get_columns (self->view);

  for (guint i = 0; i < g_list_model_get_n_items (columns); i++)
    {
      g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, i);

      if (!weir_columns_find (gtk_column_view_column_get_id (column))->narrow)
        gtk_column_view_column_set_header_menu (column, weir_column_layout_get_menu (self->layout));
    }
}

static void
measure_again (WeirConnectionList *self)
{
  weir_text_cache_invalidate (weir_cell_style_get_texts (self->style));
  for (guint i = 0; i < self->cells->len; i++)
    gtk_widget_queue_resize (g_ptr_array_index (self->cells, i));
}

static void
weir_connection_list_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  WeirConnectionList *self = WEIR_CONNECTION_LIST (widget);
  const PangoFontDescription *font;

  GTK_WIDGET_CLASS (weir_connection_list_parent_class)->css_changed (widget, change);
  font = pango_context_get_font_description (gtk_widget_get_pango_context (widget));
  if (self->font != NULL && pango_font_description_equal (self->font, font))
    return;
  g_clear_pointer (&self->font, pango_font_description_free);
  self->font = pango_font_description_copy (font);
  measure_again (self);
}

static void
weir_connection_list_dispose (GObject *object)
{
  WeirConnectionList *self = WEIR_CONNECTION_LIST (object);

  g_clear_pointer (&self->row_popover, gtk_widget_unparent);
  g_clear_object (&self->layout);
  g_clear_object (&self->order_hold);
  if (self->view != NULL)
    gtk_column_view_set_model (self->view, NULL);
  g_clear_object (&self->selection);
  g_clear_object (&self->selected);
  g_clear_object (&self->model);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (weir_connection_list_parent_class)->dispose (object);
}

static void
weir_connection_list_finalize (GObject *object)
{
  WeirConnectionList *self = WEIR_CONNECTION_LIST (object);

  g_clear_object (&self->style);
  g_clear_pointer (&self->font, pango_font_description_free);
  g_ptr_array_unref (self->cells);
  G_OBJECT_CLASS (weir_connection_list_parent_class)->finalize (object);
}

static void
weir_connection_list_class_init (WeirConnectionListClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = weir_connection_list_dispose;
  G_OBJECT_CLASS (klass)->finalize = weir_connection_list_finalize;
  widget_class->css_changed = weir_connection_list_css_changed;
  signals[ACTIVATED] = g_signal_new ("activated", WEIR_TYPE_CONNECTION_LIST, G_SIGNAL_RUN_LAST, 0,
                                     NULL, NULL, NULL, G_TYPE_NONE, 1, WEIR_TYPE_FLOW);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/weir/Weir/weir-connection-list.ui");
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionList, view);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionList, row_menu);
  gtk_widget_class_bind_template_callback (widget_class, on_activate);
}

static void
weir_connection_list_init (WeirConnectionList *self)
{
  GtkSettings *settings = gtk_widget_get_settings (GTK_WIDGET (self));

  self->cells = g_ptr_array_new ();
  self->style = weir_cell_style_new (GTK_WIDGET (self));
  gtk_widget_init_template (GTK_WIDGET (self));
  add_columns (self);
  add_row_actions (self);
  g_signal_connect_object (settings, "notify::gtk-xft-dpi", G_CALLBACK (measure_again), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect (self, "notify::scale-factor", G_CALLBACK (measure_again), NULL);
}

void
weir_connection_list_set_model (WeirConnectionList *self, WeirSlotModel *model, GSettings *settings)
{
  g_return_if_fail (WEIR_IS_CONNECTION_LIST (self) && self->model == NULL);

  self->model = g_object_ref (model);
  self->settings = g_object_ref (settings);
  self->layout = weir_column_layout_new (self->view, settings);
  self->order_hold = weir_order_hold_new (GTK_WIDGET (self->view), model);
  set_header_menus (self);

  /* Before the selection connects its own handler: it moves when rows go. */
  g_signal_connect_object (model, "items-changed", G_CALLBACK (on_model_changing), self,
                           G_CONNECT_SWAPPED);
  self->selection = gtk_single_selection_new (NULL);
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  gtk_single_selection_set_model (self->selection, G_LIST_MODEL (model));
  g_signal_connect_object (self->selection, "notify::selected", G_CALLBACK (on_selected), self,
                           G_CONNECT_SWAPPED);
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));

  g_signal_connect_object (gtk_column_view_get_sorter (self->view), "changed",
                           G_CALLBACK (on_sorter_changed), self, G_CONNECT_SWAPPED);
  restore_sort (self);
  g_signal_connect_object (model, "refreshed", G_CALLBACK (on_refreshed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (weir_cell_style_get_icons (self->style), "changed",
                           G_CALLBACK (refresh_cells), self, G_CONNECT_SWAPPED);
}

void
weir_connection_list_set_room (WeirConnectionList *self, gboolean narrow, gboolean medium)
{
  g_return_if_fail (WEIR_IS_CONNECTION_LIST (self));

  weir_column_layout_set_room (self->layout, narrow, medium);
  /* Where there are no keys and no double click, a tap leads to the details. */
  gtk_column_view_set_single_click_activate (self->view, narrow);
}

void
weir_connection_list_set_bar_colors (WeirConnectionList *self, const GdkRGBA *rx, const GdkRGBA *tx)
{
  g_return_if_fail (WEIR_IS_CONNECTION_LIST (self));
  weir_cell_style_set_bar_colors (self->style, rx, tx);
}

void
weir_connection_list_set_menu_open (WeirConnectionList *self, gboolean open)
{
  g_return_if_fail (WEIR_IS_CONNECTION_LIST (self));
  weir_order_hold_set_menu_open (self->order_hold, open);
}

WeirFlow *
weir_connection_list_get_selected (WeirConnectionList *self)
{
  WeirSlot *slot;

  g_return_val_if_fail (WEIR_IS_CONNECTION_LIST (self), NULL);
  slot = gtk_single_selection_get_selected_item (self->selection);
  return slot != NULL ? weir_slot_get_flow (slot) : NULL;
}

void
weir_connection_list_grab_focus (WeirConnectionList *self)
{
  g_return_if_fail (WEIR_IS_CONNECTION_LIST (self));
  gtk_widget_grab_focus (GTK_WIDGET (self->view));
}

GActionGroup *
weir_connection_list_get_column_actions (WeirConnectionList *self)
{
  g_return_val_if_fail (WEIR_IS_CONNECTION_LIST (self), NULL);
  return weir_column_layout_get_actions (self->layout);
}

GMenuModel *
weir_connection_list_get_column_menu (WeirConnectionList *self)
{
  g_return_val_if_fail (WEIR_IS_CONNECTION_LIST (self), NULL);
  return weir_column_layout_get_menu (self->layout);
}

WeirAppIcons *
weir_connection_list_get_icons (WeirConnectionList *self)
{
  g_return_val_if_fail (WEIR_IS_CONNECTION_LIST (self), NULL);
  return weir_cell_style_get_icons (self->style);
}
