/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-slot-model.h"

G_BEGIN_DECLS

/* CSV as in docs/export.md: RFC 4180, UTF-8, CRLF, header row, C locale numbers, ISO 8601 UTC
 * times, text cells that no spreadsheet takes for a formula. */

/* One text cell, quoted where needed and made harmless; numbers do not come through here. */
void
weir_export_append_text_cell (GString *csv, const char *text);

/* Writes the rows of @model (WeirSlot or WeirFlow items) as they are at the time of the call to a
 * temporary file beside @file and renames it: a failure leaves an old file whole.  The rows are
 * copied on the calling thread, the file is written in another. */
void
weir_export_csv_async (GListModel *model, GFile *file, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data);
/* Number of rows written, or -1. */
gssize
weir_export_csv_finish (GAsyncResult *result, GError **error);

G_END_DECLS
