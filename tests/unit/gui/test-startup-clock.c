/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-startup-clock.h"

#include <stdio.h>

static GPtrArray *lines;

static void
on_log (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  g_ptr_array_add (lines, g_strdup (message));
}

/* What the headless run reads: the words, and a time that counts from the start of the process. */
static void
test_lines (void)
{
  guint handler;
  int milliseconds = -1;

  lines = g_ptr_array_new_with_free_func (g_free);
  handler = g_log_set_handler ("weir-gui", G_LOG_LEVEL_DEBUG, on_log, NULL);
  g_usleep (30000);
  weir_startup_clock_reached (WEIR_STARTUP_FRAME);
  weir_startup_clock_reached (WEIR_STARTUP_ROWS);
  /* Only the first time counts. */
  weir_startup_clock_reached (WEIR_STARTUP_FRAME);
  g_log_remove_handler ("weir-gui", handler);

  g_assert_cmpuint (lines->len, ==, 2);
  g_assert_cmpint (sscanf (lines->pdata[0], "weir: first frame %d ms", &milliseconds), ==, 1);
  g_assert_cmpint (milliseconds, >=, 20);
  g_assert_cmpint (milliseconds, <, 60000);
  g_assert_true (g_regex_match_simple ("^weir: first rows \\d+ ms$", lines->pdata[1], 0, 0));
  g_ptr_array_unref (lines);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/startup-clock/lines", test_lines);
  return g_test_run ();
}
