/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-gui"

#include "config.h"

#include "weir-window-private.h"

#include <glib/gi18n.h>

#include "weir-actions.h"
#include "weir-startup-clock.h"
#include "weir-view-button.h"

struct _WeirWindow
{
  AdwApplicationWindow parent_instance;

  AdwToastOverlay *toasts;
  AdwNavigationSplitView *split_view;
  GtkListBox *pages;
  GtkLabel *total;
  GtkMenuButton *view_menu_button;
  WeirViewButton *view_button;
  GtkSearchBar *filter_bar;
  GtkEntry *filter_entry;
  GtkLabel *filter_error;
  WeirConnectionsPage *page;
  GtkWidget *pause_button, *filter_button, *details_button;

  WeirSession *session;
  GSettings *settings;
  gboolean filtering;
};

G_DEFINE_FINAL_TYPE (WeirWindow, weir_window, ADW_TYPE_APPLICATION_WINDOW)

enum
{
  PROP_FILTERING = 1,
  PROP_PAUSED,
  PROP_SHOW_DETAILS,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

/* The mistake is underlined where it is; in words it stands below the entry. */
static void
show_filter_error (WeirWindow *self, const GError *error)
{
  g_autoptr (PangoAttrList) attributes = NULL;
  WeirFilterPlace place;

  if (error != NULL && weir_filter_error_get_place (error, &place))
    {
      PangoAttribute *underline = pango_attr_underline_new (PANGO_UNDERLINE_ERROR);

      underline->start_index = place.start;
      underline->end_index = place.start + place.length;
      attributes = pango_attr_list_new ();
      pango_attr_list_insert (attributes, underline);
    }
  gtk_entry_set_attributes (self->filter_entry, attributes);

  gtk_label_set_text (self->filter_error, error != NULL ? error->message : "");
  gtk_widget_set_visible (GTK_WIDGET (self->filter_error), error != NULL);
  if (error != NULL)
    {
      gtk_widget_add_css_class (GTK_WIDGET (self->filter_entry), "error");
      gtk_accessible_update_state (GTK_ACCESSIBLE (self->filter_entry),
                                   GTK_ACCESSIBLE_STATE_INVALID, GTK_ACCESSIBLE_INVALID_TRUE, -1);
      gtk_accessible_update_relation (GTK_ACCESSIBLE (self->filter_entry),
                                      GTK_ACCESSIBLE_RELATION_ERROR_MESSAGE, self->filter_error,
                                      NULL, -1);
    }
  else
    {
      gtk_widget_remove_css_class (GTK_WIDGET (self->filter_entry), "error");
      gtk_accessible_reset_state (GTK_ACCESSIBLE (self->filter_entry),
                                  GTK_ACCESSIBLE_STATE_INVALID);
      gtk_accessible_reset_relation (GTK_ACCESSIBLE (self->filter_entry),
                                     GTK_ACCESSIBLE_RELATION_ERROR_MESSAGE);
    }
}

static void
on_filter_changed (WeirWindow *self)
{
  g_autoptr (GError) error = NULL;

  weir_connections_page_set_filter (
      self->page, gtk_editable_get_text (GTK_EDITABLE (self->filter_entry)), &error);
  show_filter_error (self, error);
}

static void
on_view_menu_active (WeirWindow *self)
{
  weir_connection_list_set_menu_open (weir_connections_page_get_list (self->page),
                                      gtk_menu_button_get_active (self->view_menu_button));
}

static void
on_page_activated (WeirWindow *self)
{
  adw_navigation_split_view_set_show_content (self->split_view, TRUE);
}

static void
on_total_changed (WeirWindow *self)
{
  g_autofree char *text = NULL;
  guint total;

  g_object_get (self->page, "total", &total, NULL);
  text = g_strdup_printf ("%'u", total);
  gtk_label_set_text (self->total, total > 0 ? text : "");
}

/* The page has these properties; the window repeats them, so that its actions can be made of them.
 */
static void
on_page_notify (WeirWindow *self, GParamSpec *pspec)
{
  if (g_str_equal (pspec->name, "paused"))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PAUSED]);
  else if (g_str_equal (pspec->name, "show-details"))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SHOW_DETAILS]);
  else if (g_str_equal (pspec->name, "total"))
    on_total_changed (self);
}

/* One key, four places to leave; popovers and dialogs take it before it comes here. */
static gboolean
on_escape (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  WeirWindow *self = WEIR_WINDOW (widget);
  gboolean paused;

  if (self->filtering)
    {
      g_object_set (self, "filtering", FALSE, NULL);
      return TRUE;
    }
  if (weir_connections_page_close_sheet (self->page))
    return TRUE;
  g_object_get (self, "paused", &paused, NULL);
  if (paused)
    g_object_set (self, "paused", FALSE, NULL);
  return paused;
}

static void
add_escape (WeirWindow *self)
{
  GtkEventController *shortcuts = gtk_shortcut_controller_new ();

  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (shortcuts),
      gtk_shortcut_new (gtk_keyval_trigger_new (GDK_KEY_Escape, 0),
                        gtk_callback_action_new (on_escape, NULL, NULL)));
  gtk_widget_add_controller (GTK_WIDGET (self), shortcuts);
}

/* A letter that nobody else wanted begins a filter, or goes on with it.  GtkSearchBar's own key
 * capture is made for a GtkSearchEntry or a GtkText: with a GtkEntry it asks for a signal that
 * there is none of. */
static gboolean
on_key_pressed (WeirWindow *self, guint keyval, guint keycode, GdkModifierType state,
                GtkEventControllerKey *keys)
{
  gunichar letter = gdk_keyval_to_unicode (keyval);

  if (letter == 0 || !g_unichar_isgraph (letter) ||
      (state & (GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SUPER_MASK | GDK_META_MASK)))
    return GDK_EVENT_PROPAGATE;
  g_object_set (self, "filtering", TRUE, NULL);
  gtk_entry_grab_focus_without_selecting (self->filter_entry);
  return gtk_event_controller_key_forward (
      keys, GTK_WIDGET (gtk_editable_get_delegate (GTK_EDITABLE (self->filter_entry))));
}

static void
add_type_to_filter (WeirWindow *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();

  g_signal_connect_object (keys, "key-pressed", G_CALLBACK (on_key_pressed), self,
                           G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
}

static void
on_after_paint (GdkFrameClock *clock, gpointer data)
{
  WeirWindow *self = WEIR_WINDOW (data);

  weir_startup_clock_reached (WEIR_STARTUP_FRAME);
  if (g_list_model_get_n_items (G_LIST_MODEL (weir_connections_page_get_model (self->page))) == 0)
    return;
  weir_startup_clock_reached (WEIR_STARTUP_ROWS);
  g_signal_handlers_disconnect_by_func (clock, on_after_paint, data);
}

static void
weir_window_realize (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (weir_window_parent_class)->realize (widget);
  g_signal_connect_object (gtk_widget_get_frame_clock (widget), "after-paint",
                           G_CALLBACK (on_after_paint), widget, G_CONNECT_DEFAULT);
}

/* Received has the accent colour; where that is purple, sent takes another one. */
static void
on_accent_changed (WeirWindow *self)
{
  AdwAccentColor accent = adw_style_manager_get_accent_color (adw_style_manager_get_default ());

  if (accent == ADW_ACCENT_COLOR_PURPLE || accent == ADW_ACCENT_COLOR_PINK)
    gtk_widget_add_css_class (GTK_WIDGET (self), "purple-accent");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self), "purple-accent");
}

static void
on_suspended (WeirWindow *self)
{
  weir_session_set_visible (self->session, !gtk_window_is_suspended (GTK_WINDOW (self)));
}

static void
make_view_menu (WeirWindow *self)
{
  WeirConnectionList *list = weir_connections_page_get_list (self->page);
  g_autoptr (GMenu) menu = g_menu_new ();

  g_menu_append_section (menu, _ ("Columns"), weir_connection_list_get_column_menu (list));
  gtk_menu_button_set_menu_model (self->view_menu_button, G_MENU_MODEL (menu));
  gtk_widget_insert_action_group (GTK_WIDGET (self->toasts), "columns",
                                  weir_connection_list_get_column_actions (list));
}

static void
set_filtering (WeirWindow *self, gboolean filtering)
{
  if (filtering == self->filtering)
    return;
  self->filtering = filtering;
  if (!filtering)
    weir_connection_list_grab_focus (weir_connections_page_get_list (self->page));
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FILTERING]);
}

static void
weir_window_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeirWindow *self = WEIR_WINDOW (object);

  if (id == PROP_FILTERING)
    g_value_set_boolean (value, self->filtering);
  else if (id == PROP_PAUSED || id == PROP_SHOW_DETAILS)
    g_object_get_property (G_OBJECT (self->page), pspec->name, value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
weir_window_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WeirWindow *self = WEIR_WINDOW (object);

  if (id == PROP_FILTERING)
    set_filtering (self, g_value_get_boolean (value));
  else if (id == PROP_PAUSED || id == PROP_SHOW_DETAILS)
    g_object_set_property (G_OBJECT (self->page), pspec->name, value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
weir_window_dispose (GObject *object)
{
  WeirWindow *self = WEIR_WINDOW (object);

  g_clear_object (&self->session);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (weir_window_parent_class)->dispose (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, toasts);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, split_view);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, pages);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, total);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, view_menu_button);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, view_button);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, filter_bar);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, filter_entry);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, filter_error);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, page);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, pause_button);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, filter_button);
  gtk_widget_class_bind_template_child (widget_class, WeirWindow, details_button);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_view_menu_active);
  gtk_widget_class_bind_template_callback (widget_class, on_page_activated);
}

static void
weir_window_class_init (WeirWindowClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = weir_window_get_property;
  object_class->set_property = weir_window_set_property;
  object_class->dispose = weir_window_dispose;
  widget_class->realize = weir_window_realize;
  properties[PROP_FILTERING] = g_param_spec_boolean ("filtering", NULL, NULL, FALSE, flags);
  properties[PROP_PAUSED] = g_param_spec_boolean ("paused", NULL, NULL, FALSE, flags);
  properties[PROP_SHOW_DETAILS] = g_param_spec_boolean ("show-details", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  g_type_ensure (WEIR_TYPE_VIEW_BUTTON);
  g_type_ensure (WEIR_TYPE_CONNECTIONS_PAGE);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/weir/Weir/weir-window.ui");
  bind_children (widget_class);
}

static void
weir_window_init (WeirWindow *self)
{
  AdwStyleManager *style = adw_style_manager_get_default ();

  gtk_widget_init_template (GTK_WIDGET (self));
  weir_actions_add (G_ACTION_MAP (self), "win", G_OBJECT (self));
  add_escape (self);
  gtk_search_bar_connect_entry (self->filter_bar, GTK_EDITABLE (self->filter_entry));
  add_type_to_filter (self);
  gtk_list_box_select_row (self->pages, gtk_list_box_get_row_at_index (self->pages, 0));
  g_signal_connect_object (style, "notify::accent-color", G_CALLBACK (on_accent_changed), self,
                           G_CONNECT_SWAPPED);
  on_accent_changed (self);
}

WeirWindow *
weir_window_new (GtkApplication *application, WeirSession *session, GSettings *settings)
{
  WeirWindow *self = g_object_new (WEIR_TYPE_WINDOW, "application", application, NULL);

  self->session = g_object_ref (session);
  self->settings = g_object_ref (settings);
  g_settings_bind (settings, "window-width", self, "default-width", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (settings, "window-height", self, "default-height", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (settings, "window-maximized", self, "maximized", G_SETTINGS_BIND_DEFAULT);

  g_signal_connect_object (self->page, "notify", G_CALLBACK (on_page_notify), self,
                           G_CONNECT_SWAPPED);
  weir_connections_page_set_session (self->page, session, settings);
  weir_view_button_set_session (self->view_button, session);
  weir_window_add_view_actions (self, GTK_WIDGET (self->toasts));
  make_view_menu (self);
  on_total_changed (self);
  g_signal_connect (self, "notify::suspended", G_CALLBACK (on_suspended), NULL);
  weir_connection_list_grab_focus (weir_connections_page_get_list (self->page));
  return self;
}

WeirSession *
weir_window_get_session (WeirWindow *self)
{
  g_return_val_if_fail (WEIR_IS_WINDOW (self), NULL);
  return self->session;
}

WeirConnectionsPage *
weir_window_get_page (WeirWindow *self)
{
  g_return_val_if_fail (WEIR_IS_WINDOW (self), NULL);
  return self->page;
}

void
weir_window_go_live (gpointer owner, GVariant *parameter)
{
  g_object_set (owner, "paused", FALSE, NULL);
}

void
weir_window_clear_filter (gpointer owner, GVariant *parameter)
{
  g_object_set (owner, "filtering", FALSE, NULL);
}

void
weir_window_say (WeirWindow *self, const char *text, const char *button, const char *action,
                 GVariant *target)
{
  AdwToast *toast;

  g_return_if_fail (WEIR_IS_WINDOW (self));

  toast = g_object_new (ADW_TYPE_TOAST, "use-markup", FALSE, "title", text, NULL);
  if (button != NULL)
    {
      adw_toast_set_button_label (toast, button);
      adw_toast_set_action_name (toast, action);
      adw_toast_set_action_target_value (toast, target);
    }
  adw_toast_overlay_add_toast (self->toasts, toast);
}

void
weir_window_explain (WeirWindow *self, const char *heading, const char *body)
{
  AdwDialog *dialog;

  g_return_if_fail (WEIR_IS_WINDOW (self));

  dialog = adw_alert_dialog_new (heading, body);
  adw_alert_dialog_add_response (ADW_ALERT_DIALOG (dialog), "close", _ ("_Close"));
  adw_dialog_present (dialog, GTK_WIDGET (self));
}
