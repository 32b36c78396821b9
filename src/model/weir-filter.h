/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-flow.h"

G_BEGIN_DECLS

/* The filter language of docs/filter.md: plain words match anywhere, terms compare one property of
 * a flow, and, or, not and parentheses combine them. */
#define WEIR_TYPE_FILTER (weir_filter_get_type ())
G_DECLARE_FINAL_TYPE (WeirFilter, weir_filter, WEIR, FILTER, GObject)

#define WEIR_FILTER_ERROR (weir_filter_error_quark ())
GQuark
weir_filter_error_quark (void);

typedef enum
{
  WEIR_FILTER_ERROR_SYNTAX,   /* something is missing or out of place */
  WEIR_FILTER_ERROR_KEY,      /* there is no such key */
  WEIR_FILTER_ERROR_OPERATOR, /* the key has no order */
  WEIR_FILTER_ERROR_VALUE,    /* not what the key is compared with */
  WEIR_FILTER_ERROR_REGEX,    /* not a regular expression */
  WEIR_FILTER_ERROR_TOO_LONG, /* or too deeply nested */
} WeirFilterError;

/* Where the mistake is; never empty. */
typedef struct
{
  gsize start, length;           /* bytes */
  glong char_start, char_length; /* characters */
} WeirFilterPlace;

/* NULL and empty text match all.  An error's message says what was expected; see also
 * weir_filter_error_get_place().  Bytes that are not UTF-8 count as U+FFFD. */
WeirFilter *
weir_filter_new (const char *text, GError **error);
gboolean
weir_filter_is_empty (WeirFilter *self);
/* What a flow does not know (a figure that was not measured, an owner that was not found) matches
 * no term, whatever its operator; `not` turns that round like everything else. */
gboolean
weir_filter_match (WeirFilter *self, WeirFlow *flow);
/* A regular expression needed too many steps too often and now matches nothing. */
gboolean
weir_filter_has_given_up (WeirFilter *self);

/* FALSE when @error is not of WEIR_FILTER_ERROR. */
gboolean
weir_filter_error_get_place (const GError *error, WeirFilterPlace *ret_place);

G_END_DECLS
