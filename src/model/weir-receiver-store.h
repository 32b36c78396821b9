/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-receiver.h"

G_BEGIN_DECLS

/* All sockets that can receive without being flows, in order of arrival.  A GListModel of
 * WeirReceiver; items-changed only when some come or go.
 *
 * Signal: changed (WeirReceiverStore *) after a tick of the engine that brought anything new, when
 * all values are in place. */
#define WEIR_TYPE_RECEIVER_STORE (weir_receiver_store_get_type ())
G_DECLARE_FINAL_TYPE (WeirReceiverStore, weir_receiver_store, WEIR, RECEIVER_STORE, GObject)

WeirReceiverStore *
weir_receiver_store_new (void);

/* The session calls these: what the engine said since its last tick, then the tick that makes it
 * visible. */
void
weir_receiver_store_apply (WeirReceiverStore *self, const struct weir_receiver_record *record);
void
weir_receiver_store_set_summary (WeirReceiverStore *self,
                                 const struct weir_receivers_summary *summary);
void
weir_receiver_store_tick (WeirReceiverStore *self, const struct weir_tick *tick);
/* A new engine begins: what it says replaces everything, without an empty moment; the same sockets
 * keep their objects, and what was known about their age. */
void
weir_receiver_store_restart (WeirReceiverStore *self);

/* Whether the engine has listed its sockets; until then nothing says that there are none. */
gboolean
weir_receiver_store_is_known (WeirReceiverStore *self);
/* Sockets that are not among the items, because there are too many. */
guint
weir_receiver_store_get_n_not_listed (WeirReceiverStore *self);

G_END_DECLS
