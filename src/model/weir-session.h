/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-flow-store.h"
#include "weir-history.h"
#include "weir-launcher.h"
#include "weir-ledger.h"
#include "weir-receiver-store.h"

G_BEGIN_DECLS

/* What a front end shows comes from here: one engine at a time, its state, what it measured. */
#define WEIR_TYPE_SESSION (weir_session_get_type ())
G_DECLARE_FINAL_TYPE (WeirSession, weir_session, WEIR, SESSION, GObject)

typedef enum
{
  WEIR_SESSION_IDLE,
  WEIR_SESSION_STARTING,    /* an engine was launched and has not ticked yet */
  WEIR_SESSION_AUTHORISING, /* the full view was asked for; a limited engine may still be running */
  WEIR_SESSION_RUNNING,
  WEIR_SESSION_NOT_ANSWERING, /* three ticks missed: frozen or stuck; recovers by itself */
  WEIR_SESSION_STOPPING,
  WEIR_SESSION_FAILED, /* measuring stopped: weir_session_get_failure() says why */
} WeirSessionState;

/* Properties (all notify):
 *   state        WeirSessionState
 *   view         enum weir_view of the engine whose figures are shown
 *   can-unlock   gboolean: the full view can be offered;
 *   unlock-reason string or NULL: why it cannot
 * Signals:
 *   unlock-failed (WeirSession *, GError *)  the full view was not reached; the view is what it
 * was. WEIR_HANDOFF_ERROR_DISMISSED is no error for the person. sources-changed,
 * interfaces-changed, confinement-changed, notices-changed, namespaces-changed (WeirSession *)
 */
GType
weir_session_state_get_type (void);
#define WEIR_TYPE_SESSION_STATE (weir_session_state_get_type ())

/* @limited and @full are references taken; @full may be NULL (then can-unlock is FALSE).
 * @runtime_dir NULL: from the environment. */
WeirSession *
weir_session_new (WeirLauncher *limited, WeirLauncher *full, const char *runtime_dir);

/* Starts (or, after a failure, restarts) the limited view.  One click recovers from every state. */
void
weir_session_start (WeirSession *self);
/* Asks for the full view; the limited view goes on until the full one has ticked. */
void
weir_session_unlock (WeirSession *self);
/* How the full view is had in which the kernel counts the bytes of every connection, for as long as
 * it lasts; a reference is taken.  Without one it is not offered. */
void
weir_session_set_counting_launcher (WeirSession *self, WeirLauncher *counting);
/* Asks for that view, from the limited or from the full one; otherwise as weir_session_unlock(). */
void
weir_session_unlock_counting (WeirSession *self);
/* Whether the last that was asked for is that view: what an "unlock-failed" is about. */
gboolean
weir_session_get_asked_to_count (WeirSession *self);
/* Whether it can be offered: the full view is shown, connections are tracked, and their bytes are
 * not counted.  Changes with "sources-changed" and the state. */
gboolean
weir_session_get_can_count (WeirSession *self);
/* Whether bytes are counted because this session had it switched on; "sources-changed". */
gboolean
weir_session_get_counts (WeirSession *self);
/* Ends a pending unlock: the launcher's child is ended and the view stays. */
void
weir_session_cancel_unlock (WeirSession *self);
/* Back to the limited view. */
void
weir_session_return_to_limited (WeirSession *self);
/* Ends every engine.  Also done when the last reference goes. */
void
weir_session_stop (WeirSession *self);

WeirSessionState
weir_session_get_state (WeirSession *self);
enum weir_view
weir_session_get_view (WeirSession *self);
gboolean
weir_session_get_can_unlock (WeirSession *self);
const char *
weir_session_get_unlock_reason (WeirSession *self);
/* What went wrong, worded, or NULL unless the state is failed. */
const GError *
weir_session_get_failure (WeirSession *self);

WeirFlowStore *
weir_session_get_flows (WeirSession *self);
/* Listeners and whatever else can receive without being a flow. */
WeirReceiverStore *
weir_session_get_receivers (WeirSession *self);
/* Sum over the interfaces whose bytes enter or leave this computer. */
WeirHistory *
weir_session_get_history (WeirSession *self);
/* Where the bytes of the interfaces went, since the session began to measure. */
WeirLedger *
weir_session_get_ledger (WeirSession *self);
/* Arrays owned by the session, valid until the next change. */
const struct weir_source_status *
weir_session_get_sources (WeirSession *self, guint *ret_n);
const struct weir_process_status *
weir_session_get_confinement (WeirSession *self, guint *ret_n);
/* What the administrator should know (weir-notice-words.h). */
const struct weir_notice *
weir_session_get_notices (WeirSession *self, guint *ret_n);
/* The engine's own first.  @ret_left_out: those that exist besides, as far as is known. */
const struct weir_namespace_record *
weir_session_get_namespaces (WeirSession *self, guint *ret_n, guint32 *ret_left_out);
const struct weir_interface_record *
weir_session_get_interfaces (WeirSession *self, guint *ret_n);

/* How often the sources are read in fact, as the last tick said, and why. */
enum weir_cadence
weir_session_get_cadence (WeirSession *self, guint *ret_interval_ms);

/* Wished cadence; renewed automatically while the session runs and @visible. */
void
weir_session_set_interval (WeirSession *self, guint interval_ms);
/* How often, at most, flows that are new are told of before the next tick ("news" of the flow
 * store); 0, the default: never.  Costs a wake-up each time. */
void
weir_session_set_announce (WeirSession *self, guint announce_ms);
/* How many rows the engine may publish; 0, the default: WEIR_ROWS_DEFAULT.  It has a limit of its
 * own, up to WEIR_ROWS_MAX. */
void
weir_session_set_rows (WeirSession *self, guint rows);
/* A hidden window lets the cadence fall. */
void
weir_session_set_visible (WeirSession *self, gboolean visible);

/* Share (0..1) of the bytes at the counted interfaces in the last minute that belongs to no known
 * app; WEIR_ABSENT while unknown (too little traffic, or too short). */
double
weir_session_get_unknown_share (WeirSession *self);

G_END_DECLS
