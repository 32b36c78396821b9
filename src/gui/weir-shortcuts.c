/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-shortcuts.h"

#include <glib/gi18n.h>

#include "weir-actions.h"

static GtkWidget *
make_key_cap (const char *text)
{
  GtkWidget *cap = gtk_label_new (text);

  gtk_widget_add_css_class (cap, "weir-key");
  return cap;
}

/* One cap for every key of the combination, so that each is read as a key. */
static GtkWidget *
make_keys (const char *accel)
{
  static const struct
  {
    GdkModifierType mask;
    const char *name;
  } modifiers[] = {
    { GDK_CONTROL_MASK, NC_ ("keyboard key", "Ctrl") },
    { GDK_ALT_MASK, NC_ ("keyboard key", "Alt") },
    { GDK_SHIFT_MASK, NC_ ("keyboard key", "Shift") },
  };
  GtkWidget *keys = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 4);
  g_autofree char *key = NULL;
  guint keyval;
  GdkModifierType state;

  gtk_widget_set_valign (keys, GTK_ALIGN_CENTER);
  if (!gtk_accelerator_parse (accel, &keyval, &state))
    return keys;
  for (guint i = 0; i < G_N_ELEMENTS (modifiers); i++)
    if (state & modifiers[i].mask)
      gtk_box_append (GTK_BOX (keys),
                      make_key_cap (g_dpgettext2 (NULL, "keyboard key", modifiers[i].name)));
  key = gtk_accelerator_get_label (keyval, 0);
  gtk_box_append (GTK_BOX (keys), make_key_cap (key));
  return keys;
}

static GtkWidget *
make_row (const WeirAction *action)
{
  GtkWidget *row = adw_action_row_new ();
  guint keyval;
  GdkModifierType state;

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _ (action->title));
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), make_keys (action->accels[0]));
  if (gtk_accelerator_parse (action->accels[0], &keyval, &state))
    {
      g_autofree char *label = gtk_accelerator_get_label (keyval, state);

      gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                      label, -1);
    }
  return row;
}

AdwDialog *
weir_shortcuts_new (void)
{
  AdwDialog *dialog = adw_dialog_new ();
  GtkWidget *view = adw_toolbar_view_new (), *page = adw_preferences_page_new ();
  guint n_actions;
  const WeirAction *actions = weir_actions_get (&n_actions);

  for (WeirActionSection section = 0; section < WEIR_N_SECTIONS; section++)
    {
      GtkWidget *group = adw_preferences_group_new ();

      adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (group),
                                       weir_actions_get_section_title (section));
      for (guint i = 0; i < n_actions; i++)
        if (actions[i].section == section)
          adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), make_row (&actions[i]));
      adw_preferences_page_add (ADW_PREFERENCES_PAGE (page), ADW_PREFERENCES_GROUP (group));
    }
  adw_toolbar_view_add_top_bar (ADW_TOOLBAR_VIEW (view), adw_header_bar_new ());
  adw_toolbar_view_set_content (ADW_TOOLBAR_VIEW (view), page);
  adw_dialog_set_title (dialog, _ ("Keyboard Shortcuts"));
  adw_dialog_set_content_width (dialog, 480);
  adw_dialog_set_content_height (dialog, 620);
  adw_dialog_set_child (dialog, view);
  return dialog;
}
