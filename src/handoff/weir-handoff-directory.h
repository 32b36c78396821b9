/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directory of one handoff: a listening socket and a nonce.  Private to this folder. */
#pragma once

#include <glib.h>

#include "weir-limits.h"

G_BEGIN_DECLS

typedef struct _WeirHandoffDirectory WeirHandoffDirectory;

/* As weir_listener_new(). */
WeirHandoffDirectory *
weir_handoff_directory_new (const char *runtime_dir, GError **error);
/* Retires it, too. */
void
weir_handoff_directory_free (WeirHandoffDirectory *self);

/* Closes the socket, unlinks both files and the directory, wipes the nonce.  One nonce, one use. */
void
weir_handoff_directory_retire (WeirHandoffDirectory *self);
gboolean
weir_handoff_directory_is_retired (WeirHandoffDirectory *self);

/* Canonical, without symbolic links. */
const char *
weir_handoff_directory_get_path (WeirHandoffDirectory *self);
/* The listening socket, non-blocking; -1 when retired. */
int
weir_handoff_directory_get_socket (WeirHandoffDirectory *self);
/* Always false when retired.  Takes the same time wherever the difference is. */
gboolean
weir_handoff_directory_check_nonce (WeirHandoffDirectory *self, const guint8 *nonce);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeirHandoffDirectory, weir_handoff_directory_free)

G_END_DECLS
