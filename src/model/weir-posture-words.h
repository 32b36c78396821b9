/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-wire.h"

#include <glib.h>

G_BEGIN_DECLS

/* What the engine's processes may do beyond what everybody may, and why, in sentences for people,
 * one a line without a last newline.  NULL: nothing is known of them.  To be freed. */
char *
weir_posture_words_make (const struct weir_process_status *processes, guint n);
/* Whether it is still to be decided of one of them. */
gboolean
weir_posture_words_is_undecided (const struct weir_process_status *processes, guint n);

G_END_DECLS
