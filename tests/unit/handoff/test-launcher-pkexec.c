/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the one launcher that elevates does on a machine where nobody could authorise it: the rest
 * needs a polkit of its own and is tested end to end. */
#include "config.h"

#include "weir-launcher-private.h"

#include <sys/wait.h>
#include <unistd.h>

#include "handoff-fixture.h"

struct result
{
  gboolean done;
  GError *error;
  int wait_status;
};

static gboolean
skipped (void)
{
  if (access (WEIR_ENGINE_PATH, X_OK) < 0)
    g_test_skip ("Weir is not installed");
  else if (access ("/run/dbus/system_bus_socket", F_OK) == 0)
    g_test_skip ("a system bus is running");
  else if (!weir_launcher_check_not_sandboxed (NULL))
    g_test_skip ("inside a sandbox");
  else
    return FALSE;
  return TRUE;
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  struct result *checked = data;

  g_assert_false (weir_launcher_check_finish (WEIR_LAUNCHER (source), result, &checked->error));
  checked->done = TRUE;
}

static void
test_no_bus (void)
{
  g_autoptr (WeirLauncher) launcher = weir_launcher_pkexec_new ();
  struct result result = { FALSE };

  if (skipped ())
    return;
  /* A bus of one's own does not count. */
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/tmp/my-own-bus", TRUE);
  weir_launcher_check_async (launcher, NULL, on_checked, &result);
  fixture_wait (&result.done);
  g_unsetenv ("DBUS_SYSTEM_BUS_ADDRESS");
  g_assert_error (result.error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_NO_POLKIT);
  g_clear_error (&result.error);
}

static void
on_exited (WeirChild *child, int wait_status, gpointer data)
{
  struct result *result = data;

  result->wait_status = wait_status;
  result->done = TRUE;
}

static void
try_without_polkit (WeirLauncher *launcher)
{
  g_autoptr (WeirChild) child = NULL;
  g_autoptr (GError) error = NULL, explained = NULL;
  struct result result = { FALSE };

  child = weir_launcher_launch (launcher, "/nonexistent/handoff", &error);
  g_assert_no_error (error);
  /* Whoever we are, what comes must be root. */
  g_assert_cmpuint (weir_child_get_expected_uid (child), ==, 0);
  g_signal_connect (child, "exited", G_CALLBACK (on_exited), &result);
  fixture_wait (&result.done);
  g_assert_true (WIFEXITED (result.wait_status));
  g_assert_cmpint (WEXITSTATUS (result.wait_status), ==, 127);
  explained = weir_launcher_explain (launcher, child, result.wait_status);
  g_assert_error (explained, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_NO_POLKIT);
}

static void
test_no_polkit (void)
{
  g_autoptr (WeirLauncher) plain = weir_launcher_pkexec_new ();
  g_autoptr (WeirLauncher) counting = weir_launcher_pkexec_new_for_accounting ();

  if (skipped ())
    return;
  try_without_polkit (plain);
  try_without_polkit (counting);
}

static void
test_sandbox (void)
{
  g_autoptr (WeirLauncher) launcher = weir_launcher_pkexec_new ();
  g_autoptr (GError) error = NULL;
  struct result result = { FALSE };

  g_setenv ("SNAP", "/snap/weir/1", TRUE);
  weir_launcher_check_async (launcher, NULL, on_checked, &result);
  fixture_wait (&result.done);
  g_assert_error (result.error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_SANDBOX);
  g_clear_error (&result.error);
  /* Looked at again at the very moment of launching. */
  g_assert_null (weir_launcher_launch (launcher, "/nonexistent/handoff", &error));
  g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_SANDBOX);
  g_unsetenv ("SNAP");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/launcher-pkexec/no-bus", test_no_bus);
  g_test_add_func ("/handoff/launcher-pkexec/no-polkit", test_no_polkit);
  g_test_add_func ("/handoff/launcher-pkexec/sandbox", test_sandbox);
  return g_test_run ();
}
