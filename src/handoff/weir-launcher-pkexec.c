/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one way to more rights.  Nothing here depends on a variable, a setting or an argument: path,
 * both actions and bus are constants, and the directory is the only thing that changes from start
 * to start. */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-launcher-private.h"

#include <glib/gi18n-lib.h>

#include "weir-listener.h"

/* The address that pkexec itself uses, since it forgets its environment; DBUS_SYSTEM_BUS_ADDRESS
 * could show us another polkit than the one that will be asked. */
#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"

/* polkit is started when it is called, which takes its time on a machine that has just booted. */
#define POLKIT_TIMEOUT_MS 10000

/* Where distributions put it; the second is that of NixOS. */
static const char *const pkexec_places[] = {
  "/usr/bin/pkexec",
  "/run/wrappers/bin/pkexec",
  NULL,
};

struct _WeirLauncherPkexec
{
  GObject parent_instance;
  gboolean accounting;
};

static void
launcher_iface_init (WeirLauncherInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeirLauncherPkexec, weir_launcher_pkexec, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEIR_TYPE_LAUNCHER, launcher_iface_init))

/* What can change between the check and the click; the place of pkexec, or NULL. */
static const char *
check_files (GError **error)
{
  if (!weir_launcher_check_not_sandboxed (error) ||
      !weir_launcher_check_file_safe (WEIR_ENGINE_PATH, error))
    return NULL;
  return weir_launcher_find_setuid (pkexec_places, error);
}

static const char *
get_argument (WeirLauncherPkexec *self)
{
  return self->accounting ? WEIR_LAUNCHER_HANDOFF_ACCOUNTING : WEIR_LAUNCHER_HANDOFF;
}

static gboolean
check_polkit (WeirLauncherPkexec *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GDBusConnection) bus = NULL;
  g_autoptr (GVariant) reply = NULL, actions = NULL;
  g_autoptr (GError) local_error = NULL;

  bus = g_dbus_connection_new_for_address_sync (SYSTEM_BUS,
                                                G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                    G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                NULL, cancellable, &local_error);
  if (bus != NULL)
    {
      g_dbus_connection_set_exit_on_close (bus, FALSE);
      reply = g_dbus_connection_call_sync (
          bus, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
          "org.freedesktop.PolicyKit1.Authority", "EnumerateActions", g_variant_new ("(s)", "C"),
          G_VARIANT_TYPE ("(a(ssssssuuua{ss}))"), G_DBUS_CALL_FLAGS_NONE, POLKIT_TIMEOUT_MS,
          cancellable, &local_error);
    }
  if (reply == NULL)
    {
      if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
      g_dbus_error_strip_remote_error (local_error);
      g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_NO_POLKIT,
                   _ ("The system's authorisation service (polkit) does not answer: %s"),
                   local_error->message);
      return FALSE;
    }
  actions = g_variant_get_child_value (reply, 0);
  return weir_launcher_check_action (
      actions, self->accounting ? WEIR_ACTION_CAPTURE_ACCOUNTING : WEIR_ACTION_CAPTURE,
      WEIR_ENGINE_PATH, get_argument (self), error);
}

static void
check_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (check_files (&error) != NULL && check_polkit (source, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
pkexec_check_async (WeirLauncher *launcher, GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (launcher, cancellable, callback, user_data);

  g_task_set_source_tag (task, pkexec_check_async);
  g_task_run_in_thread (task, check_in_thread);
}

static gboolean
pkexec_check_finish (WeirLauncher *launcher, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, launcher), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static WeirChild *
pkexec_launch (WeirLauncher *launcher, const char *directory, GError **error)
{
  g_auto (GStrv) current = g_get_environ ();
  g_auto (GStrv) environment = weir_launcher_build_environment ((const char *const *) current);
  const char *pkexec = check_files (error);
  /* Without its own agent pkexec never asks on a terminal that a window was started from.  It execs
   * the engine, which therefore has the number that is spawned here. */
  const char *argv[] = { pkexec,           "--disable-internal-agent",
                         WEIR_ENGINE_PATH, get_argument (WEIR_LAUNCHER_PKEXEC (launcher)),
                         directory,        NULL };

  if (pkexec == NULL)
    return NULL;
  return weir_child_spawn (argv, (const char *const *) environment, 0, error);
}

static GError *
pkexec_explain (WeirLauncher *launcher, WeirChild *child, int wait_status)
{
  return weir_launcher_explain_pkexec (wait_status, weir_child_get_stderr (child));
}

static void
launcher_iface_init (WeirLauncherInterface *iface)
{
  iface->check_async = pkexec_check_async;
  iface->check_finish = pkexec_check_finish;
  iface->launch = pkexec_launch;
  iface->explain = pkexec_explain;
}

static void
weir_launcher_pkexec_class_init (WeirLauncherPkexecClass *class)
{
}

static void
weir_launcher_pkexec_init (WeirLauncherPkexec *self)
{
}

WeirLauncher *
weir_launcher_pkexec_new (void)
{
  return g_object_new (WEIR_TYPE_LAUNCHER_PKEXEC, NULL);
}

WeirLauncher *
weir_launcher_pkexec_new_for_accounting (void)
{
  WeirLauncherPkexec *self = WEIR_LAUNCHER_PKEXEC (weir_launcher_pkexec_new ());

  self->accounting = TRUE;
  return WEIR_LAUNCHER (self);
}
