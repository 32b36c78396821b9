/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-launcher-private.h"

#include <errno.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>

#include "weir-listener.h"

struct _WeirLauncherDirect
{
  GObject parent_instance;
  gboolean accounting;
};

static void
launcher_iface_init (WeirLauncherInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeirLauncherDirect, weir_launcher_direct, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEIR_TYPE_LAUNCHER, launcher_iface_init))

static void
check_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  if (access (WEIR_ENGINE_PATH, X_OK) < 0)
    g_task_return_new_error (task, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_MISSING,
                             _ ("The measuring program “%s” is missing: %s. Reinstall Weir."),
                             WEIR_ENGINE_PATH, g_strerror (errno));
  else
    g_task_return_boolean (task, TRUE);
}

static void
direct_check_async (WeirLauncher *launcher, GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (launcher, cancellable, callback, user_data);

  g_task_set_source_tag (task, direct_check_async);
  g_task_run_in_thread (task, check_in_thread);
}

static gboolean
direct_check_finish (WeirLauncher *launcher, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, launcher), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static WeirChild *
direct_launch (WeirLauncher *launcher, const char *directory, GError **error)
{
  const char *argv[] = { WEIR_ENGINE_PATH,
                         WEIR_LAUNCHER_DIRECT (launcher)->accounting
                             ? WEIR_LAUNCHER_HANDOFF_ACCOUNTING
                             : WEIR_LAUNCHER_HANDOFF,
                         directory, NULL };
  g_auto (GStrv) current = g_get_environ ();
  g_auto (GStrv) environment = weir_launcher_build_environment ((const char *const *) current);

  return weir_child_spawn (argv, (const char *const *) environment, geteuid (), error);
}

static GError *
direct_explain (WeirLauncher *launcher, WeirChild *child, int wait_status)
{
  return weir_launcher_explain_engine (wait_status, weir_child_get_stderr (child));
}

static void
launcher_iface_init (WeirLauncherInterface *iface)
{
  iface->check_async = direct_check_async;
  iface->check_finish = direct_check_finish;
  iface->launch = direct_launch;
  iface->explain = direct_explain;
}

static void
weir_launcher_direct_class_init (WeirLauncherDirectClass *class)
{
}

static void
weir_launcher_direct_init (WeirLauncherDirect *self)
{
}

WeirLauncher *
weir_launcher_direct_new (void)
{
  return g_object_new (WEIR_TYPE_LAUNCHER_DIRECT, NULL);
}

WeirLauncher *
weir_launcher_direct_new_for_accounting (void)
{
  WeirLauncherDirect *self = WEIR_LAUNCHER_DIRECT (weir_launcher_direct_new ());

  self->accounting = TRUE;
  return WEIR_LAUNCHER (self);
}
