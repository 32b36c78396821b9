/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Splits a whole file as a spreadsheet does that takes @separator for the end of a cell: an array
 * of rows, each an array of cells.  Quotation marks count at the beginning of a cell. */
GPtrArray *
csv_read (const char *text, char separator);

G_END_DECLS
