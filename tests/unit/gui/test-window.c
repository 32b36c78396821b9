/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-window.h"

#include "../model/fake-launcher.h"
#include "../model/model-samples.h"
#include "weir-actions.h"
#include "weir-application.h"
#include "weir-connection-list.h"
#include "weir-connections-page.h"
#include "weir-view-button.h"
#include "widgets.h"

#define FIRST_FIGURE "4.8\302\240MB/s"

/* A window on a session whose engines are a test's own; rows are put into its store by hand where
 * the engine says nothing. */
typedef struct
{
  AdwApplication *application;
  char *directory;
  FakeLauncher *limited;
  FakeLauncher *full;
  FakeLauncher *counting;
  WeirSession *session;
  GSettings *settings;
  WeirWindow *window;
  guint n_ticks;
  gint64 made_at;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const char *reason = data;

  fixture->application =
      g_object_new (ADW_TYPE_APPLICATION, "application-id", "io.github.weir.Weir.Test", "flags",
                    G_APPLICATION_NON_UNIQUE, "resource-base-path", "/io/github/weir/Weir", NULL);
  g_assert_true (g_application_register (G_APPLICATION (fixture->application), NULL, NULL));
  fixture->directory = g_dir_make_tmp ("weir-test-XXXXXX", NULL);
  fixture->limited = fake_launcher_new ("limited");
  fixture->full = fake_launcher_new ("full");
  fake_launcher_set_impossible (fixture->full, reason);
  fixture->session = weir_session_new (WEIR_LAUNCHER (fixture->limited),
                                       WEIR_LAUNCHER (fixture->full), fixture->directory);
  fixture->counting = fake_launcher_new ("full-counted");
  weir_session_set_counting_launcher (fixture->session, WEIR_LAUNCHER (fixture->counting));
  weir_session_set_interval (fixture->session, 250);
  fixture->settings = g_settings_new ("io.github.weir.Weir");
  fixture->window =
      weir_window_new (GTK_APPLICATION (fixture->application), fixture->session, fixture->settings);
  gtk_window_present (GTK_WINDOW (fixture->window));
  run_for (200);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  gtk_window_destroy (GTK_WINDOW (fixture->window));
  weir_session_stop (fixture->session);
  run_for (100);
  g_object_unref (fixture->session);
  g_object_unref (fixture->limited);
  g_object_unref (fixture->full);
  g_object_unref (fixture->counting);
  g_object_unref (fixture->settings);
  g_object_unref (fixture->application);
  g_free (fixture->directory);
}

static WeirFlowStore *
get_store (Fixture *fixture)
{
  return weir_session_get_flows (fixture->session);
}

static void
tick (Fixture *fixture)
{
  sample_do_tick (get_store (fixture), ++fixture->n_ticks);
  run_for (50);
}

static void
add_rows (Fixture *fixture, guint n)
{
  for (guint i = 1; i <= n; i++)
    {
      struct weir_flow_record record = sample_record (i);

      if (i == 2)
        g_strlcpy (record.comm, "other", sizeof record.comm);
      record.rx_rate = i == 1 ? 4800000 : 1000 * i;
      sample_add (get_store (fixture), &record);
    }
  tick (fixture);
}

static gboolean
is_running (gpointer session)
{
  return weir_session_get_state (session) == WEIR_SESSION_RUNNING;
}

static gboolean
is_failed (gpointer session)
{
  return weir_session_get_state (session) == WEIR_SESSION_FAILED;
}

static gboolean
is_full (gpointer session)
{
  return weir_session_get_view (session) == WEIR_VIEW_FULL && is_running (session);
}

static gboolean
is_limited (gpointer session)
{
  return weir_session_get_view (session) == WEIR_VIEW_LIMITED && is_running (session);
}

static gboolean
can_unlock (gpointer session)
{
  return weir_session_get_can_unlock (session);
}

static GtkWidget *
get_popover (Fixture *fixture)
{
  GtkWidget *button = find_type (GTK_WIDGET (fixture->window), WEIR_TYPE_VIEW_BUTTON);

  return find_type (button, GTK_TYPE_POPOVER);
}

static gboolean
is_button_with (GtkWidget *widget, gpointer label)
{
  return GTK_IS_BUTTON (widget) &&
         g_strcmp0 (gtk_button_get_label (GTK_BUTTON (widget)), label) == 0;
}

static gboolean
is_banner (GtkWidget *widget, gpointer data)
{
  return ADW_IS_BANNER (widget);
}

static void
test_starting (Fixture *fixture, gconstpointer data)
{
  wait_for_text (GTK_WIDGET (fixture->window), "Starting…");
  /* A spinner that flashes up is worse than none. */
  g_assert_cmpint (g_get_monotonic_time () - fixture->made_at, >=, 300 * G_TIME_SPAN_MILLISECOND);
}

static void
test_rows (Fixture *fixture, gconstpointer data)
{
  weir_session_start (fixture->session);
  sample_wait (is_running, fixture->session);
  wait_for_no_text (GTK_WIDGET (fixture->window), "Starting…");
  g_assert_nonnull (find_type (GTK_WIDGET (fixture->window), GTK_TYPE_COLUMN_VIEW));
}

static void
test_counts_and_filter (Fixture *fixture, gconstpointer data)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);
  GtkEditable *entry = GTK_EDITABLE (find_type (window, GTK_TYPE_ENTRY));

  add_rows (fixture, 5);
  wait_for_text (window, "5");
  g_object_set (window, "filtering", TRUE, NULL);
  gtk_editable_set_text (entry, "other");
  run_for (100);
  wait_for_text (window, "1 of 5");
  gtk_editable_set_text (entry, "nothing like this");
  run_for (400);
  wait_for_text (window, "No Results Found");
  g_action_group_activate_action (G_ACTION_GROUP (window), "clear-filter", NULL);
  wait_for_no_text (window, "No Results Found");
  g_assert_cmpstr (gtk_editable_get_text (entry), ==, "");
  wait_for_text (window, "5");
}

static void
test_filter_mistake (Fixture *fixture, gconstpointer data)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);
  GtkWidget *entry = find_type (window, GTK_TYPE_ENTRY);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeirFilter) filter = NULL;

  add_rows (fixture, 5);
  wait_for_text (window, "5");
  g_object_set (window, "filtering", TRUE, NULL);
  gtk_editable_set_text (GTK_EDITABLE (entry), "other");
  wait_for_text (window, "1 of 5");

  /* The last valid filter stays, and the mistake is shown in words and at its place. */
  gtk_editable_insert_text (GTK_EDITABLE (entry), " port>web", -1, &(int) { 5 });
  filter = weir_filter_new ("other port>web", &error);
  g_assert_null (filter);
  wait_for_text (window, error->message);
  g_assert_true (gtk_widget_has_css_class (entry, "error"));
  g_assert_nonnull (gtk_entry_get_attributes (GTK_ENTRY (entry)));
  g_assert_true (shows_text (window, "1 of 5"));

  gtk_editable_set_text (GTK_EDITABLE (entry), "");
  wait_for_no_text (window, error->message);
  g_assert_false (gtk_widget_has_css_class (entry, "error"));
  g_assert_null (gtk_entry_get_attributes (GTK_ENTRY (entry)));
}

static void
test_pause (Fixture *fixture, gconstpointer data)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);
  struct weir_flow_record change = sample_bytes (1, 1, 1);

  add_rows (fixture, 3);
  g_action_group_change_action_state (G_ACTION_GROUP (window), "pause",
                                      g_variant_new_boolean (TRUE));
  sample_add (get_store (fixture), &change);
  tick (fixture);
  run_for (500);
  g_assert_nonnull (find_widget (window, is_button_with, (gpointer) "Back to Live"));
  g_assert_true (weir_slot_model_get_waiting (weir_connections_page_get_model (
                     WEIR_CONNECTIONS_PAGE (find_type (window, WEIR_TYPE_CONNECTIONS_PAGE)))) > 0);
  g_action_group_activate_action (G_ACTION_GROUP (window), "live", NULL);
  g_assert_true (g_variant_get_boolean (
                     g_action_group_get_action_state (G_ACTION_GROUP (window), "pause")) == FALSE);
}

static void
test_selection_follows (Fixture *fixture, gconstpointer data)
{
  WeirConnectionList *list =
      WEIR_CONNECTION_LIST (find_type (GTK_WIDGET (fixture->window), WEIR_TYPE_CONNECTION_LIST));
  GtkColumnView *view = GTK_COLUMN_VIEW (find_type (GTK_WIDGET (list), GTK_TYPE_COLUMN_VIEW));
  GtkSelectionModel *selection = gtk_column_view_get_model (view);
  struct weir_flow_record change = sample_bytes (3, 90000000, 1);

  add_rows (fixture, 5);
  gtk_selection_model_select_item (selection, 2, TRUE);
  /* Some row that is not the first; it becomes the first. */
  g_assert_nonnull (weir_connection_list_get_selected (list));
  change.id = weir_flow_get_id (weir_connection_list_get_selected (list));
  sample_add (get_store (fixture), &change);
  for (int i = 0; i < 5; i++)
    tick (fixture);
  g_assert_cmpuint (weir_flow_get_id (weir_connection_list_get_selected (list)), ==, change.id);
  g_assert_true (gtk_selection_model_is_selected (selection, 0));
}

static void
test_details (Fixture *fixture, gconstpointer data)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);
  GtkWidget *view = find_type (window, GTK_TYPE_COLUMN_VIEW);

  add_rows (fixture, 2);
  g_action_group_change_action_state (G_ACTION_GROUP (window), "details",
                                      g_variant_new_boolean (TRUE));
  run_for (500);
  wait_for_text (window, "No Connection Chosen");
  g_signal_emit_by_name (view, "activate", 0);
  run_for (500);
  wait_for_text (window, FIRST_FIGURE);
  wait_for_text (window, "How It Was Found");
}

/* What a window has is on the session bus; what elevates must not be. */
static void
test_actions (Fixture *fixture, gconstpointer data)
{
  g_auto (GStrv) names = g_action_group_list_actions (G_ACTION_GROUP (fixture->window));
  guint n_actions;
  const WeirAction *actions = weir_actions_get (&n_actions);
  GtkWidget *inside = find_type (GTK_WIDGET (fixture->window), WEIR_TYPE_VIEW_BUTTON);

  for (guint i = 0; names[i] != NULL; i++)
    {
      g_assert_null (strstr (names[i], "unlock"));
      g_assert_null (strstr (names[i], "return"));
      g_assert_null (strstr (names[i], "restart"));
      g_assert_null (strstr (names[i], "count"));
    }
  for (guint i = 0; i < n_actions; i++)
    if (g_str_has_prefix (actions[i].name, "win."))
      g_assert_true (g_action_group_has_action (G_ACTION_GROUP (fixture->window),
                                                actions[i].name + strlen ("win.")));
  g_assert_false (g_action_group_has_action (G_ACTION_GROUP (fixture->window), "view.unlock"));
  /* Where it is, it can be used. */
  weir_session_start (fixture->session);
  sample_wait (is_running, fixture->session);
  sample_wait (can_unlock, fixture->session);
  g_assert_true (gtk_widget_activate_action (inside, "view.unlock", NULL));
  sample_wait (is_full, fixture->session);
}

static void
test_view_button (Fixture *fixture, gconstpointer data)
{
  GtkWidget *popover = get_popover (fixture), *act;

  weir_session_start (fixture->session);
  sample_wait (is_running, fixture->session);
  sample_wait (can_unlock, fixture->session);
  act = find_widget (popover, is_button_with, (gpointer) "Unlock Full View…");
  g_assert_nonnull (act);
  g_assert_true (gtk_widget_is_sensitive (act));
  g_signal_emit_by_name (act, "clicked");
  sample_wait (is_full, fixture->session);
  wait_for_text (GTK_WIDGET (fixture->window), "Full View");
  act = find_widget (popover, is_button_with, (gpointer) "Return to Limited View");
  g_assert_nonnull (act);
  g_signal_emit_by_name (act, "clicked");
  sample_wait (is_limited, fixture->session);
  wait_for_text (GTK_WIDGET (fixture->window), "Limited View");
}

static gboolean
is_counting (gpointer session)
{
  return weir_session_get_counts (session);
}

static gboolean
can_count (gpointer session)
{
  return weir_session_get_can_count (session);
}

/* Offered only where bytes are not counted, with words about what it changes. */
static void
test_counting (Fixture *fixture, gconstpointer data)
{
  GtkWidget *popover = get_popover (fixture), *count;
  GtkWidget *button = gtk_widget_get_ancestor (popover, GTK_TYPE_MENU_BUTTON);
  const char *words =
      "The bytes of UDP and forwarded connections are not counted. Weir can have the kernel count "
      "them: that changes a setting of this computer, which is set back when Weir closes, and asks "
      "for authentication each time.";

  fake_launcher_set_script (fixture->full, "full-uncounted");
  weir_session_start (fixture->session);
  sample_wait (is_running, fixture->session);
  sample_wait (can_unlock, fixture->session);
  count = find_widget (popover, is_button_with, (gpointer) "Count Bytes of Every Connection…");
  g_assert_nonnull (count);
  g_assert_false (gtk_widget_get_visible (count));

  weir_session_unlock (fixture->session);
  sample_wait (can_count, fixture->session);
  gtk_menu_button_popup (GTK_MENU_BUTTON (button));
  run_for (300);
  g_assert_true (gtk_widget_get_visible (count));
  g_assert_true (gtk_widget_is_sensitive (count));
  wait_for_text (popover, words);

  g_signal_emit_by_name (count, "clicked");
  sample_wait (is_counting, fixture->session);
  run_for (300);
  g_assert_false (gtk_widget_get_visible (count));
  gtk_menu_button_popup (GTK_MENU_BUTTON (button));
  wait_for_text (popover, "The kernel counts the bytes of every connection that was opened since. "
                          "It stops when Weir closes or returns to the limited view.");
  wait_for_no_text (popover, words);
  g_assert_cmpuint (fake_launcher_get_n_launched (fixture->full), ==, 1);
}

static void
test_counting_refused (Fixture *fixture, gconstpointer data)
{
  fake_launcher_set_script (fixture->full, "full-uncounted");
  fake_launcher_set_script (fixture->counting, "exit-127");
  weir_session_start (fixture->session);
  sample_wait (is_running, fixture->session);
  sample_wait (can_unlock, fixture->session);
  weir_session_unlock (fixture->session);
  sample_wait (can_count, fixture->session);
  weir_session_unlock_counting (fixture->session);
  wait_for_text (GTK_WIDGET (fixture->window), "Bytes Cannot Be Counted");
  g_assert_cmpint (weir_session_get_view (fixture->session), ==, WEIR_VIEW_FULL);
}

static gboolean
has_reason (gpointer session)
{
  return weir_session_get_unlock_reason (session) != NULL;
}

static void
test_not_possible (Fixture *fixture, gconstpointer reason)
{
  GtkWidget *popover = get_popover (fixture);
  GtkWidget *button = gtk_widget_get_ancestor (popover, GTK_TYPE_MENU_BUTTON), *act;

  weir_session_start (fixture->session);
  sample_wait (is_running, fixture->session);
  sample_wait (has_reason, fixture->session);
  gtk_menu_button_popup (GTK_MENU_BUTTON (button));
  run_for (300);
  act = find_widget (popover, is_button_with, (gpointer) "Unlock Full View…");
  g_assert_false (gtk_widget_is_sensitive (act));
  wait_for_text (popover, reason);
}

static gboolean
is_not_authorising (gpointer session)
{
  return weir_session_get_state (session) != WEIR_SESSION_AUTHORISING;
}

static void
unlock_and_wait (Fixture *fixture)
{
  weir_session_start (fixture->session);
  sample_wait (is_running, fixture->session);
  sample_wait (can_unlock, fixture->session);
  weir_session_unlock (fixture->session);
  sample_wait (is_not_authorising, fixture->session);
  run_for (400);
}

static void
test_dismissed (Fixture *fixture, gconstpointer data)
{
  fake_launcher_set_script (fixture->full, "exit-126");
  unlock_and_wait (fixture);
  wait_for_text (GTK_WIDGET (fixture->window), "Authentication was dismissed");
  g_assert_null (find_type (GTK_WIDGET (fixture->window), ADW_TYPE_ALERT_DIALOG));
  g_assert_cmpint (weir_session_get_view (fixture->session), ==, WEIR_VIEW_LIMITED);
}

static void
test_denied (Fixture *fixture, gconstpointer data)
{
  fake_launcher_set_script (fixture->full, "exit-127");
  unlock_and_wait (fixture);
  wait_for_text (GTK_WIDGET (fixture->window), "Full View Not Available");
  wait_for_text (GTK_WIDGET (fixture->window), "denied");
}

static void
test_failed (Fixture *fixture, gconstpointer data)
{
  GtkWidget *window = GTK_WIDGET (fixture->window), *restart;

  fake_launcher_set_script (fixture->limited, "exit-68");
  weir_session_start (fixture->session);
  sample_wait (is_failed, fixture->session);
  run_for (400);
  wait_for_text (window, "Measuring Stopped");
  fake_launcher_set_script (fixture->limited, "limited");
  restart = find_widget (window, is_button_with, (gpointer) "Restart");
  g_signal_emit_by_name (restart, "clicked");
  sample_wait (is_running, fixture->session);
  wait_for_no_text (window, "Measuring Stopped");
}

static gboolean
is_narrow (gpointer page)
{
  gboolean narrow;

  g_object_get (page, "narrow", &narrow, NULL);
  return narrow;
}

static gboolean
is_wide (gpointer page)
{
  return !is_narrow (page);
}

static void
open_first_row (Fixture *fixture)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);

  weir_session_start (fixture->session);
  sample_wait (is_running, fixture->session);
  g_action_group_change_action_state (G_ACTION_GROUP (window), "details",
                                      g_variant_new_boolean (TRUE));
  run_for (500);
  g_signal_emit_by_name (find_type (window, GTK_TYPE_COLUMN_VIEW), "activate", 0);
}

/* What the engine of the test says of every process that it is asked about. */
static void
test_process (Fixture *fixture, gconstpointer data)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);

  open_first_row (fixture);
  wait_for_text (window, "/usr/bin/ex\357\277\275ample");
  wait_for_text (window, "Working Folder");
  wait_for_text (window, "example 'two words' '' --x");
  g_assert_false (shows_text (window, "Not disclosed by this computer's policy"));
}

static void
test_process_refused (Fixture *fixture, gconstpointer data)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);

  fake_launcher_set_script (fixture->limited, "refuses");
  open_first_row (fixture);
  wait_for_text (window, "Not disclosed by this computer's policy");
  g_assert_false (shows_text (window, "Working Folder"));
}

static void
test_notices (Fixture *fixture, gconstpointer data)
{
  const char *mistakes = "The administrator's settings (engine.conf) have mistakes";
  GtkWidget *window = GTK_WIDGET (fixture->window), *button;

  fake_launcher_set_script (fixture->limited, "notices");
  weir_session_start (fixture->session);
  sample_wait (is_running, fixture->session);
  wait_for_text (window, mistakes);
  button = find_widget (window, is_button_with, (gpointer) "Show…");
  g_assert_nonnull (button);
  gtk_widget_activate (button);
  /* Nothing of what it quotes is taken as it is. */
  wait_for_text (window,
                 "engine.conf, line 7: “rows_max=\357\277\275[31mmany” is no value that can "
                 "be used; the default holds.\n"
                 "engine.conf has 2 mistakes more.");
  /* What has been read is not said again. */
  run_for (400);
  g_assert_false (adw_banner_get_revealed (ADW_BANNER (find_widget (window, is_banner, NULL))));
}

static void
test_narrow (Fixture *fixture, gconstpointer data)
{
  GtkWidget *page = find_type (GTK_WIDGET (fixture->window), WEIR_TYPE_CONNECTIONS_PAGE);

  add_rows (fixture, 3);
  g_assert_true (is_wide (page));
  gtk_window_set_default_size (GTK_WINDOW (fixture->window), 360, 720);
  sample_wait (is_narrow, page);
  g_assert_cmpint (gtk_widget_get_width (GTK_WIDGET (fixture->window)), <=, 360);
  wait_for_text (page, "Connection");
  /* In a sheet. */
  g_object_set (fixture->window, "show-details", TRUE, NULL);
  wait_for_text (page, "No Connection Chosen");
  g_object_set (fixture->window, "show-details", FALSE, NULL);
  gtk_window_set_default_size (GTK_WINDOW (fixture->window), 1280, 800);
  sample_wait (is_wide, page);
  wait_for_text (page, "Remote Host");
}

static gboolean
lacks_name (GtkWidget *widget, gpointer data)
{
  gboolean iconic =
      (GTK_IS_BUTTON (widget) && gtk_button_get_icon_name (GTK_BUTTON (widget)) != NULL) ||
      (GTK_IS_MENU_BUTTON (widget) &&
       gtk_menu_button_get_icon_name (GTK_MENU_BUTTON (widget)) != NULL);
  GtkWidget *parent = gtk_widget_get_parent (widget);

  if (!iconic || gtk_widget_get_tooltip_text (widget) != NULL)
    return FALSE;
  /* The inner part of a menu button speaks with the tooltip of the whole. */
  return parent == NULL || gtk_widget_get_tooltip_text (parent) == NULL;
}

static void
test_icon_buttons_have_names (Fixture *fixture, gconstpointer data)
{
  static const char *const own[] = { "media-playback-pause-symbolic", "system-search-symbolic",
                                     "sidebar-show-right-symbolic", "view-more-symbolic",
                                     "open-menu-symbolic" };
  GtkWidget *bare = find_widget (GTK_WIDGET (fixture->window), lacks_name, NULL);
  const char *icon = NULL;

  if (GTK_IS_BUTTON (bare))
    icon = gtk_button_get_icon_name (GTK_BUTTON (bare));
  else if (GTK_IS_MENU_BUTTON (bare))
    icon = gtk_menu_button_get_icon_name (GTK_MENU_BUTTON (bare));
  for (guint i = 0; i < G_N_ELEMENTS (own); i++)
    g_assert_cmpstr (icon, !=, own[i]);
}

#define ADD(path, data, function) g_test_add (path, Fixture, data, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  weir_gui_init ();
  ADD ("/window/starting", NULL, test_starting);
  ADD ("/window/rows", NULL, test_rows);
  ADD ("/window/counts-and-filter", NULL, test_counts_and_filter);
  ADD ("/window/filter-mistake", NULL, test_filter_mistake);
  ADD ("/window/pause", NULL, test_pause);
  ADD ("/window/selection-follows", NULL, test_selection_follows);
  ADD ("/window/details", NULL, test_details);
  ADD ("/window/actions", NULL, test_actions);
  ADD ("/window/view-button", NULL, test_view_button);
  ADD ("/window/counting", NULL, test_counting);
  ADD ("/window/counting-refused", NULL, test_counting_refused);
  ADD ("/window/not-possible", "Others can change <i>the engine</i>", test_not_possible);
  ADD ("/window/dismissed", NULL, test_dismissed);
  ADD ("/window/denied", NULL, test_denied);
  ADD ("/window/failed", NULL, test_failed);
  ADD ("/window/process", NULL, test_process);
  ADD ("/window/process-refused", NULL, test_process_refused);
  ADD ("/window/notices", NULL, test_notices);
  ADD ("/window/narrow", NULL, test_narrow);
  ADD ("/window/icon-buttons-have-names", NULL, test_icon_buttons_have_names);
  return g_test_run ();
}
