/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-about.h"

#include "../model/fake-launcher.h"
#include "../model/model-samples.h"

static gboolean
is_running (gpointer session)
{
  return weir_session_get_state (session) == WEIR_SESSION_RUNNING;
}

/* What is sent with a report says nothing about whom the person talks to. */
static void
test_debug_info (void)
{
  g_autofree char *directory = g_dir_make_tmp ("weir-test-XXXXXX", NULL), *info = NULL;
  g_autoptr (FakeLauncher) limited = fake_launcher_new ("limited");
  g_autoptr (WeirSession) session = weir_session_new (WEIR_LAUNCHER (limited), NULL, directory);
  struct weir_flow_record record = sample_record (77);

  weir_session_start (session);
  sample_wait (is_running, session);
  sample_add (weir_session_get_flows (session), &record);
  sample_do_tick (weir_session_get_flows (session), 5);
  info = weir_about_make_debug_info (session);
  g_test_message ("%s", info);
  g_assert_nonnull (strstr (info, "Weir 0."));
  g_assert_nonnull (strstr (info, "GTK 4."));
  g_assert_nonnull (strstr (info, "State: running"));
  g_assert_nonnull (strstr (info, "View: limited"));
  g_assert_nonnull (strstr (info, "Sources:"));
  g_assert_nonnull (strstr (info, "programs, Permission denied), lost 0: R2 is"));
  g_assert_nonnull (strstr (info, " no pointer"));
  g_assert_null (strstr (info, "\033"));
  g_assert_null (strstr (info, "198.51.100"));
  g_assert_null (strstr (info, "192.0.2"));
  g_assert_null (strstr (info, "2001:db8"));
  g_assert_null (strstr (info, "example"));
  weir_session_stop (session);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/about/debug-info", test_debug_info);
  return g_test_run ();
}
