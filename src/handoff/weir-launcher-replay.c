/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-launcher.h"

#include <sys/wait.h>

#include <glib/gi18n-lib.h>

#include "weir-listener.h"
#include "weir-player.h"

/* The whole recording is held in memory while it plays. */
#define RECORDING_MAX (256 * 1024 * 1024)

struct _WeirLauncherReplay
{
  GObject parent_instance;

  GFile *recording;
  double speed;
};

static void
launcher_iface_init (WeirLauncherInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeirLauncherReplay, weir_launcher_replay, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEIR_TYPE_LAUNCHER, launcher_iface_init))

static void
on_info (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFileInfo) info = g_file_query_info_finish (G_FILE (source), result, &error);

  if (info == NULL)
    g_task_return_new_error (task, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_MISSING,
                             _ ("The recording cannot be opened: %s"), error->message);
  else if (g_file_info_get_file_type (info) != G_FILE_TYPE_REGULAR ||
           g_file_info_get_size (info) > RECORDING_MAX)
    g_task_return_new_error (task, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_FAILED,
                             _ ("The recording is not a file, or too large."));
  else
    g_task_return_boolean (task, TRUE);
}

static void
replay_check_async (WeirLauncher *launcher, GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  GTask *task = g_task_new (launcher, cancellable, callback, user_data);

  g_task_set_source_tag (task, replay_check_async);
  g_file_query_info_async (WEIR_LAUNCHER_REPLAY (launcher)->recording,
                           G_FILE_ATTRIBUTE_STANDARD_TYPE "," G_FILE_ATTRIBUTE_STANDARD_SIZE,
                           G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT, cancellable, on_info, task);
}

static gboolean
replay_check_finish (WeirLauncher *launcher, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, launcher), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static WeirChild *
replay_launch (WeirLauncher *launcher, const char *directory, GError **error)
{
  WeirLauncherReplay *self = WEIR_LAUNCHER_REPLAY (launcher);
  WeirChild *child = weir_child_new_self ();

  weir_player_start (self->recording, directory, self->speed, child);
  return child;
}

static GError *
replay_explain (WeirLauncher *launcher, WeirChild *child, int wait_status)
{
  switch (WEXITSTATUS (wait_status))
    {
    case WEIR_PLAYER_DONE:
      return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE,
                          _ ("The recording has ended."));
    case WEIR_PLAYER_UNREADABLE:
      return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_FAILED,
                          _ ("The recording is damaged, or was made by another version of Weir."));
    default:
      return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_FAILED,
                          _ ("The recording could not be played."));
    }
}

static void
launcher_iface_init (WeirLauncherInterface *iface)
{
  iface->check_async = replay_check_async;
  iface->check_finish = replay_check_finish;
  iface->launch = replay_launch;
  iface->explain = replay_explain;
}

static void
weir_launcher_replay_finalize (GObject *object)
{
  g_object_unref (WEIR_LAUNCHER_REPLAY (object)->recording);
  G_OBJECT_CLASS (weir_launcher_replay_parent_class)->finalize (object);
}

static void
weir_launcher_replay_class_init (WeirLauncherReplayClass *class)
{
  G_OBJECT_CLASS (class)->finalize = weir_launcher_replay_finalize;
}

static void
weir_launcher_replay_init (WeirLauncherReplay *self)
{
}

WeirLauncher *
weir_launcher_replay_new (GFile *recording, double speed)
{
  WeirLauncherReplay *self;

  g_return_val_if_fail (G_IS_FILE (recording), NULL);
  g_return_val_if_fail (speed >= 0, NULL);
  self = g_object_new (WEIR_TYPE_LAUNCHER_REPLAY, NULL);
  self->recording = g_object_ref (recording);
  self->speed = speed;
  return WEIR_LAUNCHER (self);
}
