/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Which installed application a key (a desktop id, a program's name) means.  Immutable once made,
 * so that a thread can make it. */
typedef struct _WeirAppIndex WeirAppIndex;

/* Of GAppInfo. */
WeirAppIndex *
weir_app_index_new (GList *applications);
void
weir_app_index_free (WeirAppIndex *self);
/* Borrowed, or NULL.  A program's name counts only where it says which application it is: not when
 * two applications start it, and not when it is an interpreter or a launcher. */
GAppInfo *
weir_app_index_find (WeirAppIndex *self, const char *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeirAppIndex, weir_app_index_free)

G_END_DECLS
