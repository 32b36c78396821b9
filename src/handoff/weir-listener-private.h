/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of the listener that tests look at alone. */
#pragma once

#include <sys/socket.h>

#include "weir-listener.h"

G_BEGIN_DECLS

/* Whether credentials are exactly the expected ones.  A number of 0 or less, which is how the
 * kernel shows a process of a namespace that we cannot see into, is nobody's. */
gboolean
weir_listener_credentials_match (const struct ucred *credentials, uid_t uid, pid_t pid);

/* As weir_listener_new(), with another time than WEIR_HELLO_DEADLINE_MS. */
WeirListener *
weir_listener_new_with_deadline (const char *runtime_dir, guint deadline_ms, GError **error);

/* Peers that are connected and have not proved anything yet. */
guint
weir_listener_get_pending (WeirListener *self);

G_END_DECLS
