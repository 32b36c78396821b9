/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The schema of docs/export.md: header, cells and the check of that document follow from one table.
 */
#pragma once

#include <gio/gio.h>

#include "weir-cgroup.h"
#include "weir-flow.h"
#include "weir-losses.h"

G_BEGIN_DECLS

/* Raised when a column changes its name, meaning or place, or goes; new columns come at the end. */
#define WEIR_EXPORT_SCHEMA 1

/* What a row is made from, apart from the flow, so that it can be written in another thread. */
typedef struct
{
  struct weir_flow_record record;
  char *app;
  char *app_id;
  char *user;
  char *interface;
  char *netns_name;
  WeirAppKind app_kind;
  WeirCgroup cgroup;
  WeirLosses losses;
  double rx_rate, tx_rate; /* a row that has ended does not move, whatever its last record says */
  gint64 first_seen;       /* µs since 1970, -1: not known */
  gint64 read_at;
  gboolean closed;
} WeirExportRow;

WeirExportRow *
weir_export_row_new (WeirFlow *flow);
void
weir_export_row_free (WeirExportRow *row);

typedef enum
{
  WEIR_EXPORT_NUMBER, /* digits, at most one point */
  WEIR_EXPORT_TEXT,   /* from outside: made harmless */
  WEIR_EXPORT_WORD,   /* one of a few words of ours */
  WEIR_EXPORT_TIME,   /* ISO 8601, UTC */
} WeirExportKind;

/* Appends the content of a cell to the empty @cell; nothing: absent. */
typedef void (*WeirExportFunc) (const WeirExportRow *row, GString *cell);

typedef struct
{
  const char *name;
  WeirExportKind kind;
  WeirExportFunc append;
} WeirExportColumn;

extern const WeirExportColumn weir_export_columns[];
extern const guint weir_export_n_columns;

/* As it stands in docs/export.md. */
const char *
weir_export_kind_get_name (WeirExportKind kind);

G_END_DECLS
