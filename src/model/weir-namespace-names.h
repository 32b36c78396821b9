/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-wire.h"

#include <glib.h>

G_BEGIN_DECLS

/* What network namespaces are called: flows carry only the inode.  Main thread only. */

/* Replaces all that is known. */
void
weir_namespace_names_set (const struct weir_namespace_record *namespaces, guint n);
/* Safe for display: its name, else that of a process in it; NULL when neither is known.  One
 * of which nothing is known but that it is another one is "another network namespace", in every
 * language: filters and exports have that word. */
const char *
weir_namespace_names_get (guint32 inode);

/* How much is known of one, in a word; what to say of its last reading, or NULL if it went well.
 * Both take any number. */
const char *
weir_namespace_names_get_how (guint8 how);
const char *
weir_namespace_names_get_state (guint8 state);

G_END_DECLS
