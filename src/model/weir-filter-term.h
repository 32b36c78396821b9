/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a term's words to the value that its key is compared with. */
#pragma once

#include "weir-filter-lexer.h"

G_BEGIN_DECLS

/* @text: the whole filter; FALSE when key, operator and value do not go together. */
gboolean
weir_filter_term_init (WeirFilterValue *value, const char *text, const WeirFilterToken *token,
                       GError **error);
/* The expression that stands from @start to the token's end. */
gboolean
weir_filter_term_init_regex (WeirFilterValue *value, const char *text, gsize start,
                             const WeirFilterToken *token, GError **error);

G_END_DECLS
