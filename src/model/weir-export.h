/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-slot-model.h"

G_BEGIN_DECLS

/* As in docs/export.md. */
typedef enum
{
  /* RFC 4180, UTF-8, CRLF, header row, C locale numbers, ISO 8601 UTC times, text cells that no
   * spreadsheet takes for a formula. */
  WEIR_EXPORT_CSV,
  WEIR_EXPORT_JSON,   /* one array of objects, one object a line */
  WEIR_EXPORT_NDJSON, /* one object a line */
} WeirExportFormat;

/* One text cell of CSV, quoted where needed and made harmless; numbers do not come through here. */
void
weir_export_append_text_cell (GString *csv, const char *text);
/* Controls of C0 and C1, DEL, line separators, and what turns the reading direction. */
gboolean
weir_export_is_control (gunichar c);

/* Writes the rows of @model (WeirSlot or WeirFlow items) as they are at the time of the call to a
 * temporary file beside @file and renames it: a failure leaves an old file whole.  The rows are
 * copied on the calling thread, the file is written in another. */
void
weir_export_async (GListModel *model, WeirExportFormat format, GFile *file,
                   GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
/* The same for rows that were collected; takes a reference, and nobody may change them any more. */
void
weir_export_rows_async (GPtrArray *rows, WeirExportFormat format, GFile *file,
                        GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data);
/* Number of rows written, or -1. */
gssize
weir_export_finish (GAsyncResult *result, GError **error);

void
weir_export_csv_async (GListModel *model, GFile *file, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data);
gssize
weir_export_csv_finish (GAsyncResult *result, GError **error);

G_END_DECLS
