/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gi18n.h>

#include "weir-listener.h"
#include "weir-window-private.h"

/* The actions that change what can be seen: why they are not the window's own is in the header. */

static void
on_unlock (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  weir_session_unlock (weir_window_get_session (data));
}

static void
on_count (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  weir_session_unlock_counting (weir_window_get_session (data));
}

static void
on_return (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  weir_session_return_to_limited (weir_window_get_session (data));
}

static void
on_restart (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  weir_session_start (weir_window_get_session (data));
}

static void
on_shown_in_files (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WeirWindow) self = data;
  g_autoptr (GError) error = NULL;

  if (!gtk_file_launcher_open_containing_folder_finish (GTK_FILE_LAUNCHER (source), result,
                                                        &error) &&
      !g_error_matches (error, GTK_DIALOG_ERROR, GTK_DIALOG_ERROR_DISMISSED))
    weir_window_say (self, _ ("The folder could not be opened"), NULL, NULL, NULL);
}

static void
on_show_in_files (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  g_autoptr (GFile) file = g_file_new_for_uri (g_variant_get_string (parameter, NULL));
  g_autoptr (GtkFileLauncher) launcher = gtk_file_launcher_new (file);

  gtk_file_launcher_open_containing_folder (launcher, data, NULL, on_shown_in_files,
                                            g_object_ref (data));
}

static void
on_unlock_failed (WeirWindow *self, const GError *error)
{
  gboolean count = weir_session_get_asked_to_count (weir_window_get_session (self));

  if (g_error_matches (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_DISMISSED))
    {
      if (!count)
        weir_connections_page_suppress_banner (weir_window_get_page (self));
      weir_window_say (self, _ ("Authentication was dismissed"), NULL, NULL, NULL);
      return;
    }
  weir_window_explain (self, count ? _ ("Bytes Cannot Be Counted") : _ ("Full View Not Available"),
                       error->message);
}

static void
update_enabled (WeirWindow *self)
{
  WeirSession *session = weir_window_get_session (self);
  GSimpleActionGroup *group = g_object_get_data (G_OBJECT (self), "weir-view-actions");
  WeirSessionState state = weir_session_get_state (session);
  gboolean full = weir_session_get_view (session) == WEIR_VIEW_FULL;
  GAction *unlock = g_action_map_lookup_action (G_ACTION_MAP (group), "unlock");
  GAction *count = g_action_map_lookup_action (G_ACTION_MAP (group), "count");
  GAction *back = g_action_map_lookup_action (G_ACTION_MAP (group), "return");

  g_simple_action_set_enabled (G_SIMPLE_ACTION (unlock),
                               !full && weir_session_get_can_unlock (session) &&
                                   state != WEIR_SESSION_AUTHORISING);
  g_simple_action_set_enabled (G_SIMPLE_ACTION (count), weir_session_get_can_count (session));
  g_simple_action_set_enabled (G_SIMPLE_ACTION (back), full);
}

void
weir_window_add_view_actions (WeirWindow *self, GtkWidget *inside)
{
  static const char *const watched[] = { "notify::state", "notify::view", "notify::can-unlock",
                                         "sources-changed" };
  const GActionEntry entries[] = {
    { "unlock", on_unlock, NULL, NULL, NULL },
    { "count", on_count, NULL, NULL, NULL },
    { "return", on_return, NULL, NULL, NULL },
    { "restart", on_restart, NULL, NULL, NULL },
    { "show-in-files", on_show_in_files, "s", NULL, NULL },
  };
  WeirSession *session = weir_window_get_session (self);
  GSimpleActionGroup *group = g_simple_action_group_new ();

  g_action_map_add_action_entries (G_ACTION_MAP (group), entries, G_N_ELEMENTS (entries), self);
  gtk_widget_insert_action_group (inside, "view", G_ACTION_GROUP (group));
  g_object_set_data_full (G_OBJECT (self), "weir-view-actions", group, g_object_unref);
  for (guint i = 0; i < G_N_ELEMENTS (watched); i++)
    g_signal_connect_object (session, watched[i], G_CALLBACK (update_enabled), self,
                             G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "unlock-failed", G_CALLBACK (on_unlock_failed), self,
                           G_CONNECT_SWAPPED);
  update_enabled (self);
}
