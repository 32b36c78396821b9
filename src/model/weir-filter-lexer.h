/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cuts a filter into words, terms and what joins them. */
#pragma once

#include "weir-filter-keys.h"

G_BEGIN_DECLS

typedef enum
{
  WEIR_FILTER_TOKEN_END,
  WEIR_FILTER_TOKEN_OPEN,
  WEIR_FILTER_TOKEN_CLOSE,
  WEIR_FILTER_TOKEN_AND,
  WEIR_FILTER_TOKEN_OR,
  WEIR_FILTER_TOKEN_NOT,
  WEIR_FILTER_TOKEN_WORD, /* plain, quoted or a regular expression, to be found anywhere */
  WEIR_FILTER_TOKEN_TERM, /* key, operator, value */
} WeirFilterTokenKind;

typedef struct
{
  WeirFilterTokenKind kind;
  gsize start, end; /* in the text, bytes */
  WeirFilterStyle style;
  char *text; /* WORD: the word; TERM: the value; without quotes and escapes */
  /* TERM */
  const WeirFilterKey *key;
  WeirFilterOperator op;
  gsize op_start, op_end;
  gsize value_start; /* up to the end */
} WeirFilterToken;

void
weir_filter_token_clear (WeirFilterToken *token);
/* Reads the token at or after *@at in valid UTF-8 and moves *@at behind it. */
gboolean
weir_filter_lexer_next (const char *text, gsize *at, WeirFilterToken *ret_token, GError **error);

G_END_DECLS
