/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-actions.h"

#include <glib/gi18n.h>

#include "weir-application-private.h"
#include "weir-window-private.h"

static const WeirAction actions[] = {
  { "win.filter", N_ ("Filter"), WEIR_SECTION_GENERAL, { "<Control>f" }, .property = "filtering" },
  { "win.pause",
    N_ ("Pause Updates"),
    WEIR_SECTION_GENERAL,
    { "<Control>p" },
    .property = "paused" },
  { "win.details",
    N_ ("Show Details"),
    WEIR_SECTION_GENERAL,
    { "F9" },
    .property = "show-details" },
  { "win.export",
    N_ ("Export"),
    WEIR_SECTION_GENERAL,
    { "<Control>e" },
    .activate = weir_window_export },
  { "", N_ ("Main Menu"), WEIR_SECTION_GENERAL, { "F10" } },
  { "app.shortcuts",
    N_ ("Keyboard Shortcuts"),
    WEIR_SECTION_GENERAL,
    { "<Control>question" },
    .activate = weir_application_show_shortcuts },
  { "app.about",
    N_ ("About Weir"),
    WEIR_SECTION_NONE,
    { NULL },
    .activate = weir_application_show_about },
  { "win.export-to",
    N_ ("Export to a File"),
    WEIR_SECTION_NONE,
    { NULL },
    .activate = weir_window_export_to,
    .parameter_type = "s" },
  { "win.live", N_ ("Back to Live"), WEIR_SECTION_NONE, { NULL }, .activate = weir_window_go_live },
  { "win.clear-filter",
    N_ ("Clear Filter"),
    WEIR_SECTION_NONE,
    { NULL },
    .activate = weir_window_clear_filter },

  { "list.details", N_ ("Details of the Selected Row"), WEIR_SECTION_LIST, { "<Control>d" } },
  { "list.copy-row", N_ ("Copy Row"), WEIR_SECTION_LIST, { "<Control>c" } },
  { "list.copy-remote", N_ ("Copy Remote Address"), WEIR_SECTION_LIST, { "<Control><Shift>c" } },
  { "list.copy-local", N_ ("Copy Local Address"), WEIR_SECTION_NONE, { NULL } },
  { "", N_ ("Menu of the Selected Row"), WEIR_SECTION_LIST, { "<Shift>F10", "Menu" } },

  { "view.unlock", N_ ("Unlock Full View"), WEIR_SECTION_NONE, { NULL } },
  { "view.return", N_ ("Return to Limited View"), WEIR_SECTION_NONE, { NULL } },
  { "view.restart", N_ ("Restart Measuring"), WEIR_SECTION_NONE, { NULL } },
  { "view.show-in-files",
    N_ ("Show in Files"),
    WEIR_SECTION_NONE,
    { NULL },
    .parameter_type = "s" },

  { "window.close", N_ ("Close Window"), WEIR_SECTION_WINDOW, { "<Control>w" } },
  { "app.quit",
    N_ ("Quit"),
    WEIR_SECTION_WINDOW,
    { "<Control>q" },
    .activate = weir_application_quit },
};

static const char *const section_titles[WEIR_N_SECTIONS] = {
  [WEIR_SECTION_GENERAL] = N_ ("General"),
  [WEIR_SECTION_LIST] = N_ ("Connections"),
  [WEIR_SECTION_WINDOW] = N_ ("Window"),
};

/* The part of @name after "@scope.", or NULL when it belongs elsewhere. */
static const char *
get_local_name (const char *name, const char *scope)
{
  gsize length = strlen (scope);

  return g_str_has_prefix (name, scope) && name[length] == '.' ? name + length + 1 : NULL;
}

typedef struct
{
  const WeirAction *action;
  GObject *owner; /* outlives its actions */
} Activation;

static void
on_activate (GSimpleAction *simple, GVariant *parameter, gpointer data)
{
  Activation *activation = data;

  activation->action->activate (activation->owner, parameter);
}

static void
free_activation (gpointer data, GClosure *closure)
{
  g_free (data);
}

static GAction *
make_action (const WeirAction *entry, const char *name, GObject *owner)
{
  g_autoptr (GVariantType) type =
      entry->parameter_type != NULL ? g_variant_type_new (entry->parameter_type) : NULL;
  GSimpleAction *simple;
  Activation *activation;

  if (entry->property != NULL)
    return G_ACTION (g_property_action_new (name, owner, entry->property));
  simple = g_simple_action_new (name, type);
  activation = g_new0 (Activation, 1);
  activation->action = entry;
  activation->owner = owner;
  g_signal_connect_data (simple, "activate", G_CALLBACK (on_activate), activation, free_activation,
                         G_CONNECT_DEFAULT);
  return G_ACTION (simple);
}

const WeirAction *
weir_actions_get (guint *ret_n)
{
  *ret_n = G_N_ELEMENTS (actions);
  return actions;
}

const char *
weir_actions_get_section_title (WeirActionSection section)
{
  g_return_val_if_fail (section < WEIR_N_SECTIONS, NULL);
  return _ (section_titles[section]);
}

void
weir_actions_add (GActionMap *map, const char *scope, GObject *owner)
{
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    {
      const char *name = get_local_name (actions[i].name, scope);
      g_autoptr (GAction) action = NULL;

      if (name == NULL)
        continue;
      action = make_action (&actions[i], name, owner);
      g_action_map_add_action (map, action);
    }
}

void
weir_actions_set_accels (GtkApplication *application)
{
  static const char *const scopes[] = { "app", "win", "window" };

  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    for (guint j = 0; j < G_N_ELEMENTS (scopes); j++)
      if (get_local_name (actions[i].name, scopes[j]) != NULL)
        gtk_application_set_accels_for_action (application, actions[i].name,
                                               (const char *const *) actions[i].accels);
}

void
weir_actions_add_local_shortcuts (GtkShortcutController *controller, const char *scope)
{
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    {
      if (get_local_name (actions[i].name, scope) == NULL)
        continue;
      for (guint j = 0; j < G_N_ELEMENTS (actions[i].accels) && actions[i].accels[j] != NULL; j++)
        gtk_shortcut_controller_add_shortcut (
            controller, gtk_shortcut_new (gtk_shortcut_trigger_parse_string (actions[i].accels[j]),
                                          gtk_named_action_new (actions[i].name)));
    }
}
