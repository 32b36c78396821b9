/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib-object.h>

#include "weir-app-identity.h"
#include "weir-wire.h"

G_BEGIN_DECLS

/* One flow: one row.  Owned by a WeirFlowStore, updated in place, no per-property notification (see
 * WeirFlowStore::tick).  All strings are safe for display: invalid UTF-8, control and bidi
 * characters were replaced when they arrived; none may be given to a widget as markup. A figure
 * that was not measured is absent: use the has_ accessors or get WEIR_ABSENT. */
#define WEIR_TYPE_FLOW (weir_flow_get_type ())
G_DECLARE_FINAL_TYPE (WeirFlow, weir_flow, WEIR, FLOW, GObject)

#define WEIR_ABSENT (-1.0)
/* Samples of history that each flow keeps, one a tick. */
#define WEIR_FLOW_HISTORY 60

guint64
weir_flow_get_id (WeirFlow *self);
/* The newest state of all fields; strings in it are raw: for display use the accessors below. */
const struct weir_flow_record *
weir_flow_get_record (WeirFlow *self);

/* Application identity: Flatpak or Snap id, else what the scope or unit says, else the program.
 * NULL when nobody knows; a front end then shows "Unknown App". */
const char *
weir_flow_get_app_name (WeirFlow *self);
/* Key to find an icon or a desktop entry with (an app id, a unit or a program name), or NULL. */
const char *
weir_flow_get_app_id (WeirFlow *self);
WeirAppKind
weir_flow_get_app_kind (WeirFlow *self);
/* Innermost unit of systemd that is no slice, or NULL. */
const char *
weir_flow_get_unit (WeirFlow *self);
/* All containers around the process, outermost first: "LXC web/Docker 0123456789ab", or NULL. */
const char *
weir_flow_get_container (WeirFlow *self);
const char *
weir_flow_get_comm (WeirFlow *self);
/* Name of the uid, or its number; NULL when the uid is not known. */
const char *
weir_flow_get_user (WeirFlow *self);
/* "198.51.100.7:443", "[2001:db8::1]:443"; without the port where the protocol has none. */
const char *
weir_flow_get_remote (WeirFlow *self);
const char *
weir_flow_get_local (WeirFlow *self);
/* "TCP", "UDP", "ICMP" ... or the number. */
const char *
weir_flow_get_protocol (WeirFlow *self);

gboolean
weir_flow_is_closed (WeirFlow *self);
/* "Open", "Closed" ..., translated; NULL when not known. */
const char *
weir_flow_get_state_name (WeirFlow *self);
/* Whether local and remote have ports. */
gboolean
weir_flow_has_ports (WeirFlow *self);
/* Microseconds since 1970, UTC: when the flow was first seen (-1: not known), and when its figures
 * were read. */
gint64
weir_flow_get_first_seen (WeirFlow *self);
gint64
weir_flow_get_read_at (WeirFlow *self);

/* Bytes per second, smoothed over three seconds for sorting; WEIR_ABSENT when not measured. */
double
weir_flow_get_rx_rate (WeirFlow *self);
double
weir_flow_get_tx_rate (WeirFlow *self);
double
weir_flow_get_smooth_rx_rate (WeirFlow *self);
double
weir_flow_get_smooth_tx_rate (WeirFlow *self);
/* Cumulative bytes; WEIR_ABSENT when not measured. */
double
weir_flow_get_rx_bytes (WeirFlow *self);
double
weir_flow_get_tx_bytes (WeirFlow *self);
double
weir_flow_get_total (WeirFlow *self);

/* The last samples of both rates, oldest first; WEIR_ABSENT where there is none.  Returns how many.
 */
guint
weir_flow_copy_history (WeirFlow *self, float ret_rx[WEIR_FLOW_HISTORY],
                        float ret_tx[WEIR_FLOW_HISTORY]);

/* Everything that plain filter words match against, folded for case. */
const char *
weir_flow_get_search_text (WeirFlow *self);

/* Folds text in the same way, for looking for it in the above. */
char *
weir_flow_fold_text (const char *text);

G_END_DECLS
