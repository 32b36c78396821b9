/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib-object.h>

#include "weir-exposure.h"
#include "weir-wire.h"

G_BEGIN_DECLS

/* A socket that can receive without being a flow: a listener, a UDP socket without a peer, a raw,
 * ping or packet socket.  Owned by a WeirReceiverStore and updated in place (see its signal
 * "changed").  All strings are safe for display; none may be given to a widget as markup. */
#define WEIR_TYPE_RECEIVER (weir_receiver_get_type ())
G_DECLARE_FINAL_TYPE (WeirReceiver, weir_receiver, WEIR, RECEIVER, GObject)

/* The newest state of all fields; strings in it are raw. */
const struct weir_receiver_record *
weir_receiver_get_record (WeirReceiver *self);

/* "TCP", "UDP", "ICMP (raw)", "ARP (packets)" ... */
const char *
weir_receiver_get_protocol (WeirReceiver *self);
/* "127.0.0.1:22", "*:22" for every address, "*" where there are no ports. */
const char *
weir_receiver_get_local (WeirReceiver *self);
/* NULL where nobody knows. */
const char *
weir_receiver_get_app_name (WeirReceiver *self);
const char *
weir_receiver_get_comm (WeirReceiver *self);
/* Name of the uid, or its number. */
const char *
weir_receiver_get_user (WeirReceiver *self);
WeirExposure
weir_receiver_get_exposure (WeirReceiver *self);
/* Microseconds since 1970, UTC, when it was first seen; -1: it was there before anybody looked. */
gint64
weir_receiver_get_since (WeirReceiver *self);

G_END_DECLS
