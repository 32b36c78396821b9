/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A state of the connection tracking table in the kernel's own word, in small letters and not
 * translated: "syn-sent", "established" ...; NULL when it has no name here. */
const char *
weir_tracking_state_get_word (guint8 protocol, guint8 state);

G_END_DECLS
