/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text in columns of a terminal. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Cells of a terminal that @text takes. */
guint
weir_cli_text_get_width (const char *text);
/* Appends @text in exactly @width cells: filled with spaces, or cut with an ellipsis. */
void
weir_cli_text_append (GString *to, const char *text, guint width, gboolean at_end);

typedef struct
{
  const char *title;
  gboolean at_end; /* figures */
} WeirCliColumn;

/* A table as wide as it needs to be.  @rows: GPtrArray of char ** with @n_columns cells each. */
char *
weir_cli_text_make_table (const WeirCliColumn *columns, guint n_columns, GPtrArray *rows);

/* For standard output, in the character set of the locale; what it has not becomes "?". */
GString *
weir_cli_text_to_locale (const char *text);

G_END_DECLS
