/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The installed engine, started as this user. */
#include "config.h"

#include "weir-launcher.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handoff-fixture.h"

struct fixture
{
  WeirLauncher *launcher;
  WeirChild *child;
  gboolean checked, exited;
  int wait_status;
};

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  fixture->launcher = weir_launcher_direct_new ();
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  if (fixture->child != NULL)
    g_assert_finalize_object (fixture->child);
  /* The thread of a check may still be about to let go of it. */
  g_object_unref (fixture->launcher);
}

static gboolean
skipped (void)
{
  if (access (WEIR_ENGINE_PATH, X_OK) == 0)
    return FALSE;
  g_test_skip ("Weir is not installed");
  return TRUE;
}

static void
on_exited (WeirChild *child, int wait_status, gpointer data)
{
  struct fixture *fixture = data;

  fixture->exited = TRUE;
  fixture->wait_status = wait_status;
}

static void
launch (struct fixture *fixture, const char *directory)
{
  g_autoptr (GError) error = NULL;

  fixture->child = weir_launcher_launch (fixture->launcher, directory, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (weir_child_get_expected_uid (fixture->child), ==, geteuid ());
  g_signal_connect (fixture->child, "exited", G_CALLBACK (on_exited), fixture);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  struct fixture *fixture = data;
  g_autoptr (GError) error = NULL;

  g_assert_true (weir_launcher_check_finish (WEIR_LAUNCHER (source), result, &error));
  g_assert_no_error (error);
  fixture->checked = TRUE;
}

static void
test_check (struct fixture *fixture, gconstpointer data)
{
  if (skipped ())
    return;
  weir_launcher_check_async (fixture->launcher, NULL, on_checked, fixture);
  fixture_wait (&fixture->checked);
}

/* The whole way, until closing the socket ends the engine. */
static void
test_handoff (struct fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct fixture_accept accept = { FALSE };
  WeirListener *listener;
  char *runtime;
  gint64 closed;

  if (skipped ())
    return;
  runtime = fixture_make_dir ();
  listener = weir_listener_new (runtime, &error);
  g_assert_no_error (error);
  launch (fixture, weir_listener_get_directory (listener));
  weir_listener_accept_async (listener, fixture->child, NULL, fixture_on_accept, &accept);
  fixture_wait (&accept.done);
  g_assert_no_error (accept.error);
  g_assert_cmpstr (weir_channel_get_hello (accept.channel)->engine_version, ==, WEIR_VERSION);
  weir_channel_start (accept.channel);
  weir_channel_send_start (accept.channel, &(struct weir_wish) { .interval_ms = 1000 });
  fixture_run (100);
  g_assert_false (fixture->exited);

  closed = g_get_monotonic_time ();
  weir_channel_close (accept.channel);
  fixture_wait (&fixture->exited);
  g_assert_cmpint (g_get_monotonic_time () - closed, <, G_USEC_PER_SEC);
  g_assert_true (WIFEXITED (fixture->wait_status));
  g_assert_cmpint (WEXITSTATUS (fixture->wait_status), ==, WEIR_EXIT_DONE);
  fixture_accept_clear (&accept);
  g_assert_finalize_object (listener);
  fixture_remove_dir (runtime);
}

static void
test_no_directory (struct fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  if (skipped ())
    return;
  launch (fixture, "/nonexistent/handoff");
  fixture_wait (&fixture->exited);
  g_assert_true (WIFEXITED (fixture->wait_status));
  g_assert_cmpint (WEXITSTATUS (fixture->wait_status), ==, WEIR_EXIT_HANDOFF);
  error = weir_launcher_explain (fixture->launcher, fixture->child, fixture->wait_status);
  g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                                            \
  g_test_add ("/handoff/launcher-direct/" name, struct fixture, NULL, set_up, func, tear_down)
  ADD ("check", test_check);
  ADD ("handoff", test_handoff);
  ADD ("no-directory", test_no_directory);
#undef ADD
  return g_test_run ();
}
