/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-shortcuts.h"

#include "weir-actions.h"
#include "weir-application.h"
#include "widgets.h"

/* Every entry of the table that belongs into the dialog is in it. */
static void
test_complete (void)
{
  GtkWidget *window = adw_window_new ();
  AdwDialog *dialog = weir_shortcuts_new ();
  guint n_actions, n_listed = 0;
  const WeirAction *actions = weir_actions_get (&n_actions);

  adw_window_set_content (ADW_WINDOW (window), gtk_label_new ("content"));
  gtk_window_set_default_size (GTK_WINDOW (window), 600, 1500);
  gtk_window_present (GTK_WINDOW (window));
  adw_dialog_present (dialog, window);
  run_for (400);
  for (guint i = 0; i < n_actions; i++)
    if (actions[i].section < WEIR_N_SECTIONS)
      {
        g_test_message ("%s", actions[i].title);
        wait_for_text (GTK_WIDGET (dialog), actions[i].title);
        n_listed++;
      }
  g_assert_cmpuint (n_listed, >, 8);
  wait_for_text (GTK_WIDGET (dialog), "Ctrl");
  wait_for_text (GTK_WIDGET (dialog), "F9");
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  weir_gui_init ();
  adw_init ();
  g_test_add_func ("/shortcuts/complete", test_complete);
  return g_test_run ();
}
