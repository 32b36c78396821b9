/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-launcher.h"
#include "weir-wire.h"

G_BEGIN_DECLS

/* One life of one engine: handoff, launch, connection, end.
 *
 * Signals:
 *   ready (WeirSessionEngine *)                         connected and proved
 *   frame (WeirSessionEngine *, const struct weir_frame *)  valid during the emission
 *   failed (WeirSessionEngine *, GError *)              once, unless it was stopped before; never
 *                                                       while weir_session_engine_new() runs
 *   gone (WeirSessionEngine *)                          after weir_session_engine_stop(): its
 * process has ended, or does not end in time */
#define WEIR_TYPE_SESSION_ENGINE (weir_session_engine_get_type ())
G_DECLARE_FINAL_TYPE (WeirSessionEngine, weir_session_engine, WEIR, SESSION_ENGINE, GObject)

/* Launches.  @asks_person: a password may have to be typed, so it is waited for without end; the
 * deadline for what follows begins when the engine has connected. */
WeirSessionEngine *
weir_session_engine_new (WeirLauncher *launcher, const char *runtime_dir, gboolean asks_person,
                         GError **error);
/* What the engine may see, as it said itself; limited before it is ready. */
enum weir_view
weir_session_engine_get_view (WeirSessionEngine *self);
/* Says what is wished for, which also renews the leash.  Does nothing before it is ready. */
void
weir_session_engine_send_wish (WeirSessionEngine *self, const struct weir_wish *wish);
/* Asks about a process. */
void
weir_session_engine_send_details_of (WeirSessionEngine *self,
                                     const struct weir_details_request *request);
/* The first TICK came: the deadline is met. */
void
weir_session_engine_set_alive (WeirSessionEngine *self);
/* What it sent made no sense: ends it and emits failed. */
void
weir_session_engine_fail_protocol (WeirSessionEngine *self);
void
weir_session_engine_stop (WeirSessionEngine *self);

/* Words for an engine that said what is wrong. */
GError *
weir_session_engine_word_error (const struct weir_error *error);

G_END_DECLS
