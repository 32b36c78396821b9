/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-wire.h"

#include <glib.h>

G_BEGIN_DECLS

/* What the engine says of its sources, in words for people.  Borrowed; a number that this version
 * does not know is "—". */
const char *
weir_source_words_get_name (guint8 source);
const char *
weir_source_words_get_state (guint8 state);
/* Why the source is not, or not wholly, active; NULL: there is no reason. */
const char *
weir_source_words_get_reason (guint16 reason);
/* What the person can do about it; NULL: nothing. */
const char *
weir_source_words_get_advice (guint16 reason);
/* Whether what the system said (error and said of struct weir_source_status) tells more than the
 * reason does. */
gboolean
weir_source_words_has_cause (guint16 reason);
/* How often the sources are read, when that is not what was asked for; NULL: it is.  To be freed.
 */
char *
weir_source_words_make_cadence (enum weir_cadence cadence, guint interval_ms);

G_END_DECLS
