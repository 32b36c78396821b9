/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "model-samples.h"
#include "weir-cli-screen.h"
#include "weir-cli-text.h"

typedef struct
{
  WeirFlowStore *store;
  WeirSlotModel *view;
  WeirCliScreen screen;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->store = weir_flow_store_new ();
  for (guint i = 1; i <= 30; i++)
    {
      struct weir_flow_record record = sample_record (i);
      record.rx_rate = 1000 * i;
      g_strlcpy (record.cgroup, "/", sizeof record.cgroup);
      g_snprintf (record.comm, sizeof record.comm, "program-%u", i);
      sample_add (fixture->store, &record);
    }
  sample_do_tick (fixture->store, 0);
  fixture->view = weir_slot_model_new (fixture->store);
  weir_slot_model_set_sort (fixture->view, WEIR_SORT_RX_RATE, TRUE);
  fixture->screen = (WeirCliScreen) { .columns = 120,
                                      .rows = 24,
                                      .colours = TRUE,
                                      .view = fixture->view,
                                      .sort = WEIR_SORT_RX_RATE,
                                      .view_name = "Limited View",
                                      .rx_rate = 5000,
                                      .tx_rate = WEIR_ABSENT,
                                      .filter = "" };
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->view);
  g_object_unref (fixture->store);
}

/* The lines of a picture without their escape sequences. */
static char **
make_lines (Fixture *fixture)
{
  g_autofree char *picture = weir_cli_screen_make (&fixture->screen);
  g_autoptr (GRegex) escapes = g_regex_new ("\x1b\\[[0-9;?]*[A-Za-z]", 0, 0, NULL);
  g_autofree char *plain = g_regex_replace_literal (escapes, picture, -1, 0, "", 0, NULL);

  g_assert_true (g_str_has_prefix (picture, "\x1b[H"));
  g_assert_null (strchr (plain, '\x1b'));
  return g_strsplit (plain, "\r\n", -1);
}

/* Exactly as wide and as high as the terminal: nothing wraps, nothing scrolls. */
static void
test_sizes (Fixture *fixture, gconstpointer data)
{
  static const guint sizes[][2] = { { 80, 24 }, { 200, 50 }, { 120, 5 }, { 60, 4 },
                                    { 56, 3 },  { 40, 10 },  { 10, 3 },  { 1, 1 } };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      fixture->screen.columns = sizes[i][0];
      fixture->screen.rows = sizes[i][1];
      g_auto (GStrv) lines = make_lines (fixture);
      g_assert_cmpuint (g_strv_length (lines), ==, sizes[i][1]);
      for (guint line = 0; lines[line] != NULL; line++)
        g_assert_cmpuint (weir_cli_text_get_width (lines[line]), ==, sizes[i][0]);
    }
}

static void
test_content (Fixture *fixture, gconstpointer data)
{
  g_auto (GStrv) lines = make_lines (fixture);

  g_assert_nonnull (strstr (lines[0], "Limited View · 30 of 30 · received 5.0\u00a0kB/s, sent —"));
  g_assert_nonnull (strstr (lines[1], "Received*"));
  g_assert_true (g_str_has_prefix (lines[2], "program-30"));
  g_assert_nonnull (strstr (lines[2], "198.51.100.7:443"));
  g_assert_nonnull (strstr (lines[2], "30.0\u00a0kB/s"));
  g_assert_true (g_str_has_prefix (lines[3], "program-29"));
  g_assert_nonnull (strstr (lines[23], "q quit"));

  fixture->screen.offset = 10;
  fixture->screen.paused = TRUE;
  g_auto (GStrv) scrolled = make_lines (fixture);
  g_assert_true (g_str_has_prefix (scrolled[2], "program-20"));
  g_assert_nonnull (strstr (scrolled[0], "paused"));
}

/* What matters most stays when it is narrow. */
static void
test_narrow (Fixture *fixture, gconstpointer data)
{
  fixture->screen.columns = 60;
  g_auto (GStrv) lines = make_lines (fixture);

  g_assert_nonnull (strstr (lines[1], "App"));
  g_assert_nonnull (strstr (lines[1], "Remote"));
  g_assert_nonnull (strstr (lines[1], "Received"));
  g_assert_null (strstr (lines[1], "Local"));
  g_assert_null (strstr (lines[1], "User"));
}

static void
test_entry (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) mistake = NULL;

  fixture->screen.entry = "comm:program-1*";
  g_auto (GStrv) typing = make_lines (fixture);
  g_assert_true (g_str_has_prefix (typing[23], "/comm:program-1*_ "));

  g_assert_null (weir_filter_new ("tcp port:x y", &mistake));
  fixture->screen.entry = "tcp port:x y";
  fixture->screen.mistake = mistake;
  g_auto (GStrv) wrong = make_lines (fixture);
  g_assert_true (g_str_has_prefix (wrong[23], "/tcp port:x y_  Expected a number"));
  g_autofree char *picture = weir_cli_screen_make (&fixture->screen);
  g_assert_nonnull (strstr (picture, "/tcp port:\x1b[4m\x1b[31mx\x1b[m y"));

  fixture->screen.colours = FALSE;
  g_autofree char *plain = weir_cli_screen_make (&fixture->screen);
  g_assert_nonnull (strstr (plain, "/tcp port:\x1b[4mx\x1b[m y"));
  g_assert_null (strstr (plain, "\x1b[31m"));

  fixture->screen.columns = 12;
  g_auto (GStrv) narrow = make_lines (fixture);
  g_assert_true (g_str_has_prefix (narrow[23], "Expected a "));
}

static void
test_no_rows (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeirFilter) none = weir_filter_new ("nobody", NULL);

  weir_slot_model_set_filter (fixture->view, none);
  fixture->screen.filter = "nobody";
  g_auto (GStrv) lines = make_lines (fixture);
  g_assert_nonnull (strstr (lines[0], "0 of 30"));
  g_assert_nonnull (strstr (lines[0], "nobody"));
  g_assert_true (g_str_has_prefix (lines[2], "No connection matches."));
  fixture->screen.waiting = TRUE;
  g_auto (GStrv) waiting = make_lines (fixture);
  g_assert_true (g_str_has_prefix (waiting[2], "Measuring…"));
}

/* Names from outside move no cursor and colour nothing. */
static void
test_hostile_names (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (99);

  record.rx_rate = 1000000;
  g_strlcpy (record.comm, "\x1b[2J\r\n\xc2\x9b\xe2\x80\xae\xff", sizeof record.comm);
  g_strlcpy (record.cgroup, "/", sizeof record.cgroup);
  sample_add (fixture->store, &record);
  sample_do_tick (fixture->store, 1);
  g_auto (GStrv) lines = make_lines (fixture);
  g_assert_cmpuint (g_strv_length (lines), ==, 24);
  g_assert_true (g_str_has_prefix (lines[2], "\ufffd[2J\ufffd\ufffd\ufffd\ufffd"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
  g_test_add ("/cli-screen/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("sizes", test_sizes);
  ADD ("content", test_content);
  ADD ("narrow", test_narrow);
  ADD ("entry", test_entry);
  ADD ("no-rows", test_no_rows);
  ADD ("hostile-names", test_hostile_names);
  return g_test_run ();
}
