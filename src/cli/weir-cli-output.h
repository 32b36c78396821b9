/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Standard output, written by another thread: a reader that pauses (a pager, a terminal that was
 * stopped) must not keep the main loop from the engine, which would leave after a minute. */
typedef struct _WeirCliOutput WeirCliOutput;

/* @closed is called once, in the main context, when nobody reads any more or writing failed. */
WeirCliOutput *
weir_cli_output_new (void (*closed) (gpointer user_data), gpointer user_data);
/* Takes @text. Waits while very much has not been written yet. */
void
weir_cli_output_write (WeirCliOutput *self, GString *text);
/* All that was taken has been written. */
gboolean
weir_cli_output_is_idle (WeirCliOutput *self);
/* Writes what is left and frees it; FALSE when something could not be written. That nobody reads
 * any more is no error. */
gboolean
weir_cli_output_end (WeirCliOutput *self, GError **error);

G_END_DECLS
