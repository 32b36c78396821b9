/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For the parts of the filter language. */
#pragma once

#include "weir-filter.h"

G_BEGIN_DECLS

/* Sets @error with the place from @start to @end (bytes) in @text. */
void
weir_filter_error_set (GError **error, WeirFilterError code, const char *text, gsize start,
                       gsize end, const char *format, ...) G_GNUC_PRINTF (6, 7);

G_END_DECLS
