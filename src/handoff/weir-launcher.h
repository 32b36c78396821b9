/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-child.h"

G_BEGIN_DECLS

/* How an engine is started: through pkexec, directly, or not at all (a recording is replayed).
 * Errors are WEIR_HANDOFF_ERROR with messages that a person can act on. */
#define WEIR_TYPE_LAUNCHER (weir_launcher_get_type ())
G_DECLARE_INTERFACE (WeirLauncher, weir_launcher, WEIR, LAUNCHER, GObject)

struct _WeirLauncherInterface
{
  GTypeInterface parent;

  void (*check_async) (WeirLauncher *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data);
  gboolean (*check_finish) (WeirLauncher *self, GAsyncResult *result, GError **error);
  WeirChild *(*launch) (WeirLauncher *self, const char *directory, GError **error);
  GError *(*explain) (WeirLauncher *self, WeirChild *child, int wait_status);
};

/* Whether launching can be offered at all; a failure is the reason to show beside the insensitive
 * button.  Nothing is started and nobody is asked for a password. */
void
weir_launcher_check_async (WeirLauncher *self, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
gboolean
weir_launcher_check_finish (WeirLauncher *self, GAsyncResult *result, GError **error);

/* Starts the engine on a handoff directory.  Must be called on the main thread. */
WeirChild *
weir_launcher_launch (WeirLauncher *self, const char *directory, GError **error);

/* Why an engine ended before (or without) being stopped.  Always an error. */
GError *
weir_launcher_explain (WeirLauncher *self, WeirChild *child, int wait_status);

/* The limited view: runs WEIR_ENGINE_PATH as this user. */
#define WEIR_TYPE_LAUNCHER_DIRECT (weir_launcher_direct_get_type ())
G_DECLARE_FINAL_TYPE (WeirLauncherDirect, weir_launcher_direct, WEIR, LAUNCHER_DIRECT, GObject)
WeirLauncher *
weir_launcher_direct_new (void);
/* For root alone: the full view, and bytes are counted while it lasts. */
WeirLauncher *
weir_launcher_direct_new_for_accounting (void);

/* The full view: `pkexec --disable-internal-agent WEIR_ENGINE_PATH --handoff DIRECTORY`. */
#define WEIR_TYPE_LAUNCHER_PKEXEC (weir_launcher_pkexec_get_type ())
G_DECLARE_FINAL_TYPE (WeirLauncherPkexec, weir_launcher_pkexec, WEIR, LAUNCHER_PKEXEC, GObject)
WeirLauncher *
weir_launcher_pkexec_new (void);
/* The same with `--handoff-accounting`, which is an action of its own: the kernel counts the bytes
 * of every connection while the engine lives. */
WeirLauncher *
weir_launcher_pkexec_new_for_accounting (void);

/* Plays a file of recorded engine frames (PROTOCOL.md, "Recordings") in real time, or @speed times
 * faster; 0 is as fast as possible. */
#define WEIR_TYPE_LAUNCHER_REPLAY (weir_launcher_replay_get_type ())
G_DECLARE_FINAL_TYPE (WeirLauncherReplay, weir_launcher_replay, WEIR, LAUNCHER_REPLAY, GObject)
WeirLauncher *
weir_launcher_replay_new (GFile *recording, double speed);

G_END_DECLS
