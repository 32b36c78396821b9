/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of the filter language: parser, help texts, the table in docs/filter.md and the tests
 * follow from one table. */
#pragma once

#include "weir-filter-value.h"
#include "weir-flow.h"

G_BEGIN_DECLS

typedef enum
{
  WEIR_FILTER_KEY_TEXT,     /* a part of it with `:`, all of it with `=` */
  WEIR_FILTER_KEY_WORD,     /* one of some words of ours */
  WEIR_FILTER_KEY_ENDPOINT, /* text; an address or a network is compared as such */
  WEIR_FILTER_KEY_ADDRESS,  /* an address or a network */
  WEIR_FILTER_KEY_INTEGER,
  WEIR_FILTER_KEY_SIZE,
  WEIR_FILTER_KEY_DURATION,
} WeirFilterKeyKind;

typedef struct
{
  const char *name;
  WeirFilterKeyKind kind;
  const char *description; /* for people, to be translated */
  const char *example;     /* a whole filter */
  /* Offers what @flow knows. */
  void (*probe) (WeirFlow *flow, WeirFilterProbe *probe);
  const char *const *words; /* WORD: what it can be, NULL-terminated; NULL: see is_word */
  gboolean (*is_word) (const char *text);
  guint32 max; /* INTEGER */
  double unit; /* DURATION: seconds that a number alone stands for */
} WeirFilterKey;

extern const WeirFilterKey weir_filter_keys[];
extern const guint weir_filter_n_keys;

/* Upper and lower case are the same; NULL: there is none. */
const WeirFilterKey *
weir_filter_key_find (const char *name, gsize length);
/* <, >, <= and >= mean something. */
gboolean
weir_filter_key_has_order (const WeirFilterKey *key);
/* "app, comm, pid ...": free it. */
char *
weir_filter_key_list (void);

G_END_DECLS
