/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a term compares with, and the comparing. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  WEIR_FILTER_HAS, /* `:` */
  WEIR_FILTER_IS,  /* `=` */
  WEIR_FILTER_IS_NOT,
  WEIR_FILTER_OVER,
  WEIR_FILTER_UNDER,
  WEIR_FILTER_AT_LEAST,
  WEIR_FILTER_AT_MOST,
} WeirFilterOperator;

typedef enum
{
  WEIR_FILTER_BARE, /* * and ? are wild */
  WEIR_FILTER_QUOTED,
  WEIR_FILTER_REGEX,
} WeirFilterStyle;

typedef enum
{
  WEIR_FILTER_VALUE_TEXT,
  WEIR_FILTER_VALUE_GLOB,
  WEIR_FILTER_VALUE_REGEX,
  WEIR_FILTER_VALUE_NUMBER,
  WEIR_FILTER_VALUE_NETWORK,
} WeirFilterValueKind;

typedef struct
{
  WeirFilterValueKind kind;
  char *text;     /* folded; of a glob, too */
  gboolean whole; /* the text is all of what it is compared with, not a part */
  GRegex *regex;
  guint n_exhausted; /* times that the expression needed too many steps */
  double number;
  guint8 address[16]; /* IPv4: v4-mapped */
  guint prefix;       /* bits, of all 128 */
} WeirFilterValue;

void
weir_filter_value_clear (WeirFilterValue *value);

/* Each makes a value of text, or returns FALSE and leaves @value as it is. */
void
weir_filter_value_init_text (WeirFilterValue *value, const char *text, WeirFilterStyle style,
                             gboolean whole);
gboolean
weir_filter_value_init_regex (WeirFilterValue *value, const char *pattern, GError **error);
/* "10.0.0.0/8", "2001:db8::/32"; without a prefix one address, "[::1]" included. */
gboolean
weir_filter_value_init_network (WeirFilterValue *value, const char *text);
/* Digits only, at most @max. */
gboolean
weir_filter_value_init_integer (WeirFilterValue *value, const char *text, guint64 max);
/* "1.5Mi": bytes, or bytes per second. */
gboolean
weir_filter_value_init_size (WeirFilterValue *value, const char *text);
/* "90s", "1.5h": seconds; a number alone is taken @unit times. */
gboolean
weir_filter_value_init_duration (WeirFilterValue *value, const char *text, double unit);

/* One comparison under way: a key offers all that it knows of a flow. */
typedef struct
{
  WeirFilterValue *value;
  WeirFilterOperator op;
  gboolean present; /* there was something to compare with */
  gboolean matched;
} WeirFilterProbe;

/* Whether it is worth the while to make one. */
gboolean
weir_filter_probe_wants_text (const WeirFilterProbe *probe);
/* NULL: not known. */
void
weir_filter_probe_text (WeirFilterProbe *probe, const char *text);
void
weir_filter_probe_number (WeirFilterProbe *probe, double number);
/* Compared as text where the value is a pattern. */
void
weir_filter_probe_integer (WeirFilterProbe *probe, guint64 number);
void
weir_filter_probe_address (WeirFilterProbe *probe, const guint8 address[16]);
gboolean
weir_filter_probe_get_answer (const WeirFilterProbe *probe);

/* Whether @text matches a regex value. */
gboolean
weir_filter_value_match_regex (WeirFilterValue *value, const char *text);
gboolean
weir_filter_value_has_given_up (const WeirFilterValue *value);

G_END_DECLS
