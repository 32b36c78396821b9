/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-export-columns.h"

G_BEGIN_DECLS

/* JSON (RFC 8259) as in docs/export.md: the columns of the table are the members of an object. */

/* A string with its quotation marks: always valid UTF-8, and nothing in it moves a cursor, ends a
 * line or turns the reading direction.  Stops at NUL. */
void
weir_export_append_json_string (GString *json, const char *text);
/* `"schema":1,"time":"2026-…", …` without the braces, so that others can come before or after. */
void
weir_export_append_json_members (GString *json, const WeirExportRow *row);

G_END_DECLS
