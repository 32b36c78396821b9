/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake-launcher.h"

#include <sys/wait.h>
#include <unistd.h>

#include "weir-listener.h"

struct _FakeLauncher
{
  GObject parent;
  char *script;
  char *impossible;
  guint n_launched;
  pid_t pid;
};

static void
fake_launcher_launcher_init (WeirLauncherInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeLauncher, fake_launcher, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEIR_TYPE_LAUNCHER,
                                                      fake_launcher_launcher_init))

static void
fake_check_async (WeirLauncher *launcher, GCancellable *cancellable, GAsyncReadyCallback callback,
                  gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (launcher, cancellable, callback, user_data);

  if (FAKE_LAUNCHER (launcher)->impossible != NULL)
    g_task_return_new_error (task, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_UNSAFE, "%s",
                             FAKE_LAUNCHER (launcher)->impossible);
  else
    g_task_return_boolean (task, TRUE);
}

static gboolean
fake_check_finish (WeirLauncher *launcher, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static WeirChild *
fake_launch (WeirLauncher *launcher, const char *directory, GError **error)
{
  FakeLauncher *self = FAKE_LAUNCHER (launcher);
  g_autofree char *program = g_test_build_filename (G_TEST_BUILT, "model", "fake-engine", NULL);
  const char *argv[] = { program, self->script, directory, NULL };
  const char *environment[] = { NULL };
  WeirChild *child = weir_child_spawn (argv, environment, getuid (), error);

  self->n_launched++;
  self->pid = child != NULL ? weir_child_get_pid (child) : 0;
  return child;
}

static GError *
fake_explain (WeirLauncher *launcher, WeirChild *child, int wait_status)
{
  int code = WIFEXITED (wait_status) ? WEXITSTATUS (wait_status) : 0;

  if (code == 126)
    return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_DISMISSED, "dismissed");
  if (code == 127)
    return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_DENIED, "denied");
  if (WIFSIGNALED (wait_status))
    return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE, "signal %d",
                        WTERMSIG (wait_status));
  return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE, "code %d", code);
}

static void
fake_launcher_launcher_init (WeirLauncherInterface *interface)
{
  interface->check_async = fake_check_async;
  interface->check_finish = fake_check_finish;
  interface->launch = fake_launch;
  interface->explain = fake_explain;
}

static void
fake_launcher_finalize (GObject *object)
{
  g_free (FAKE_LAUNCHER (object)->script);
  g_free (FAKE_LAUNCHER (object)->impossible);
  G_OBJECT_CLASS (fake_launcher_parent_class)->finalize (object);
}

static void
fake_launcher_class_init (FakeLauncherClass *class)
{
  G_OBJECT_CLASS (class)->finalize = fake_launcher_finalize;
}

static void
fake_launcher_init (FakeLauncher *self)
{
}

FakeLauncher *
fake_launcher_new (const char *script)
{
  FakeLauncher *self = g_object_new (FAKE_TYPE_LAUNCHER, NULL);

  self->script = g_strdup (script);
  return self;
}

void
fake_launcher_set_script (FakeLauncher *self, const char *script)
{
  g_set_str (&self->script, script);
}

void
fake_launcher_set_impossible (FakeLauncher *self, const char *reason)
{
  g_set_str (&self->impossible, reason);
}

guint
fake_launcher_get_n_launched (FakeLauncher *self)
{
  return self->n_launched;
}

pid_t
fake_launcher_get_pid (FakeLauncher *self)
{
  return self->pid;
}
