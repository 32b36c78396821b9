/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the session share: weir-session.c decides what is wanted,
 * weir-session-engines.c which engine speaks, weir-session-frames.c understands what it says. */
#pragma once

#include "weir-session-engine.h"
#include "weir-session.h"
#include "weir-traffic.h"

G_BEGIN_DECLS

/* More sources and processes than this version knows are skipped. */
#define WEIR_SESSION_SOURCES_MAX   16
#define WEIR_SESSION_PROCESSES_MAX 8

/* Questions about processes (weir-session-details.c). */
typedef struct _WeirSessionDetails WeirSessionDetails;

struct _WeirSession
{
  GObject parent;

  WeirLauncher *limited;
  WeirLauncher *full;     /* or NULL */
  WeirLauncher *counting; /* or NULL */
  WeirLauncher *wanted;   /* full or counting: the one that was asked for last */
  char *runtime_dir;      /* or NULL: from the environment */

  WeirSessionEngine *current; /* whose figures are shown: it has ticked */
  WeirSessionEngine *next;    /* launched, has not ticked */
  GPtrArray *queue;           /* frames of next */
  gsize queue_size;
  GPtrArray *leaving; /* told to stop, not gone yet */

  WeirSessionState state;
  enum weir_view view;
  GError *failure;
  gboolean unlocking;    /* next is, or will be, the full engine */
  gboolean wants_unlock; /* as soon as next has become current */
  GCancellable *checking;
  WeirLauncher *checked; /* full or counting: whom @checking is about */
  gboolean can_unlock;
  char *unlock_reason;

  guint interval_ms;
  guint announce_ms; /* 0: flows that are new are told of at the next tick */
  guint rows;        /* that are asked for; 0: as many as the engine publishes unasked */
  gboolean visible;
  guint beat;
  guint beat_ms;
  gint64 beat_at, renewed_at, ticked_at; /* µs, CLOCK_MONOTONIC */
  gboolean stalled;
  gboolean gap;        /* the next tick ends a time in which nothing was measured */
  gint64 suspended_us; /* time that CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC */

  WeirFlowStore *flows;
  WeirReceiverStore *receivers;
  WeirHistory *history;
  WeirTraffic *traffic;
  WeirLedger *ledger;
  struct weir_source_status sources[WEIR_SESSION_SOURCES_MAX];
  gsize n_sources;
  gboolean counts; /* as the sources said last */
  struct weir_process_status processes[WEIR_SESSION_PROCESSES_MAX];
  gsize n_processes;
  struct weir_notice notices[WEIR_NOTICES_MAX];
  gsize n_notices;
  WeirSessionDetails *details;
  GArray *namespaces; /* struct weir_namespace_record */
  guint32 namespaces_left_out;
  GArray *interfaces; /* struct weir_interface_record */
};

/* FALSE when the frame is malformed. */
gboolean
weir_session_take_frame (WeirSession *self, const struct weir_frame *frame);
/* Another engine speaks: what the last one had to tell of itself does not hold any more. */
void
weir_session_forget_notices (WeirSession *self);
/* A tick has been taken. */
void
weir_session_ticked (WeirSession *self);
/* Emits the signal that belongs to a message. */
void
weir_session_emit (WeirSession *self, enum weir_message message);

/* ---- weir-session-details.c ---- */

WeirSessionDetails *
weir_session_details_new (WeirSession *session);
void
weir_session_details_free (WeirSessionDetails *self);
/* FALSE when the frame is malformed. */
gboolean
weir_session_details_take (WeirSessionDetails *self, const struct weir_frame *frame);
/* The engine that was asked does not speak any more: all questions fail, and no answer holds. */
void
weir_session_details_restart (WeirSessionDetails *self);

/* ---- weir-session.c ---- */

/* Asks for @launcher's view: full or counting. */
void
weir_session_ask_for (WeirSession *self, WeirLauncher *launcher);

/* After any change of engines, flags or the failure. */
void
weir_session_update_state (WeirSession *self);
void
weir_session_set_view (WeirSession *self, enum weir_view view);
/* NULL: none.  Copied. */
void
weir_session_set_failure (WeirSession *self, const GError *error);
void
weir_session_report_unlock_failure (WeirSession *self, const GError *error);

/* ---- weir-session-engines.c ---- */

guint
weir_session_get_asked_interval (WeirSession *self);
void
weir_session_ask_for_interval (WeirSession *self);
/* Replaces the next engine; FALSE and @error when it cannot be launched. */
gboolean
weir_session_launch (WeirSession *self, WeirLauncher *launcher, gboolean asks_person,
                     GError **error);
/* The next engine is not to be had. */
void
weir_session_next_failed (WeirSession *self, const GError *error);
/* Tells the engine to stop, if there is one, and forgets it. */
void
weir_session_retire (WeirSession *self, WeirSessionEngine **engine);
/* Forgets what the next engine has said. */
void
weir_session_clear_queue (WeirSession *self);

G_END_DECLS
