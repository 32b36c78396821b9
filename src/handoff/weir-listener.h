/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-channel.h"
#include "weir-child.h"

G_BEGIN_DECLS

/* The front end's side of a handoff (see PROTOCOL.md, "Handoff"): one directory, one nonce, one
 * use. */
#define WEIR_TYPE_LISTENER (weir_listener_get_type ())
G_DECLARE_FINAL_TYPE (WeirListener, weir_listener, WEIR, LISTENER, GObject)

#define WEIR_HANDOFF_ERROR (weir_handoff_error_quark ())
GQuark
weir_handoff_error_quark (void);

typedef enum
{
  WEIR_HANDOFF_ERROR_RUNTIME_DIR, /* none, or not ours alone: message says what to do */
  WEIR_HANDOFF_ERROR_TIMEOUT,     /* the engine ran but did not connect in time */
  WEIR_HANDOFF_ERROR_VERSION,     /* engine and front end are of different versions */
  WEIR_HANDOFF_ERROR_MISSING,     /* no engine at its path */
  WEIR_HANDOFF_ERROR_UNSAFE,      /* somebody else could change the engine: never elevated */
  WEIR_HANDOFF_ERROR_UNKNOWN,     /* polkit does not know our action with this path */
  WEIR_HANDOFF_ERROR_NO_POLKIT,   /* no polkit, no pkexec */
  WEIR_HANDOFF_ERROR_SANDBOX,     /* inside a sandbox pkexec cannot work */
  WEIR_HANDOFF_ERROR_DISMISSED,   /* the person closed the authentication dialog */
  WEIR_HANDOFF_ERROR_DENIED,      /* not authorised */
  WEIR_HANDOFF_ERROR_NO_AGENT,    /* nobody could ask for a password */
  WEIR_HANDOFF_ERROR_ENGINE,      /* the engine ended by itself; the message names why */
  WEIR_HANDOFF_ERROR_FAILED,
} WeirHandoffError;

/* Makes `$XDG_RUNTIME_DIR/weir/handoff-XXXXXX/` with `socket` and `nonce`.  @runtime_dir must be an
 * existing directory (not a symbolic link) that belongs to this user and that nobody else may write
 * or read; NULL takes it from the environment.  There is no fallback to /tmp.
 * Stale handoff directories of processes that are gone are removed on the way. */
WeirListener *
weir_listener_new (const char *runtime_dir, GError **error);

/* The real path of the directory: the one argument the engine gets. */
const char *
weir_listener_get_directory (WeirListener *self);

/* Waits until the engine that was started as @child has connected and proved itself: SO_PEERCRED
 * uid is what @child is expected to run as and its pid is the child's (alive, not reaped), first
 * frame a HELLO with the nonce within WEIR_HELLO_DEADLINE_MS.  Wrong peers are dropped and counted.
 * There is no overall deadline (a person may be typing a password): cancel @cancellable when the
 * child ends. Afterwards, or when it fails, socket and nonce file are gone. */
void
weir_listener_accept_async (WeirListener *self, WeirChild *child, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
WeirChannel *
weir_listener_accept_finish (WeirListener *self, GAsyncResult *result, GError **error);

/* Peers that were dropped because uid, pid, nonce or deadline were wrong. */
guint
weir_listener_get_refused (WeirListener *self);

G_END_DECLS
