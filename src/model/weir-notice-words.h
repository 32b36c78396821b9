/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-wire.h"

#include <glib.h>

G_BEGIN_DECLS

/* What an administrator should know, in a sentence for people; what it quotes is made safe to show.
 * Owned by the caller. */
char *
weir_notice_words_get (const struct weir_notice *notice);

/* The same for all @n_notices of them, a line each. */
char *
weir_notice_words_get_all (const struct weir_notice *notices, guint n_notices);

G_END_DECLS
