/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-wire.h"

G_BEGIN_DECLS

/* The front end's end of a proved connection to an engine.  Made by WeirListener.
 *
 * Signals, all emitted in the main context that accepted the connection:
 *   frame  (WeirChannel *, const struct weir_frame *)   valid only during the emission
 *   closed (WeirChannel *, GError * or NULL)             exactly once; NULL is a clean end of file
 *
 * Reading never blocks; at most a bounded number of frames is dispatched before other sources of
 * the main loop get their turn. */
#define WEIR_TYPE_CHANNEL (weir_channel_get_type ())
G_DECLARE_FINAL_TYPE (WeirChannel, weir_channel, WEIR, CHANNEL, GObject)

/* What the engine said in its HELLO (nonce already wiped). */
const struct weir_hello *
weir_channel_get_hello (WeirChannel *self);

/* Begins to emit frames: connect the signals first. */
void
weir_channel_start (WeirChannel *self);

/* Queued and sent without blocking; a peer that does not read its requests gets the channel closed.
 */
void
weir_channel_send_start (WeirChannel *self, const struct weir_wish *wish);
void
weir_channel_send_interval (WeirChannel *self, const struct weir_wish *wish);
void
weir_channel_send_details_of (WeirChannel *self, const struct weir_details_request *request);
void
weir_channel_send_stop (WeirChannel *self);

/* Closes the socket, which ends the engine.  Emits nothing afterwards. */
void
weir_channel_close (WeirChannel *self);

G_END_DECLS
