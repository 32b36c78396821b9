/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-process-details.h"
#include "weir-session.h"

G_BEGIN_DECLS

/* Asks the engine for the details of the process that was started at @start_time (of a flow's
 * record).  Answers are kept for a while, so that the same question costs nothing; questions wait
 * for each other, and there are no more in a second than the engine takes. */
void
weir_session_get_details_async (WeirSession *self, guint32 pid, guint64 start_time,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
/* A reference, or NULL and an error: no engine, another engine, or no answer in time.  That nothing
 * may be told is an answer, too. */
WeirProcessDetails *
weir_session_get_details_finish (WeirSession *self, GAsyncResult *result, GError **error);

/* The same if it is known already, borrowed; else NULL. */
const WeirProcessDetails *
weir_session_peek_details (WeirSession *self, guint32 pid, guint64 start_time);

G_END_DECLS
