/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

#include "weir-flow.h"

G_BEGIN_DECLS

/* What the engine says in numbers, in words for people.  Nothing returned here is to be freed
 * unless it is a char *; nothing is markup. */

/* "Open", "Active" (for what has no connections), "Closed" ... or "—". */
const char *
weir_words_flow_state (WeirFlow *flow);
const char *
weir_words_direction (WeirFlow *flow);
/* How the owner was found, or why there is none. */
const char *
weir_words_owner (WeirFlow *flow);
/* "web-process · 4312 · alice": whatever of it is known; NULL when nothing is.  Without the user
 * where somebody else opened the connection, who then has it. */
char *
weir_words_process (WeirFlow *flow);
/* "systemd · 1 · root": who made the socket; NULL when that is who uses it, or is not known. */
char *
weir_words_opener (WeirFlow *flow);

const char *
weir_words_role (guint8 role);

G_END_DECLS
