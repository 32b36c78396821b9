/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Interned strings that know their rank among all others, so that sorting rows by text is sorting
 * by a number.  A collation key is made once for each new string; ranks are brought up to date once
 * before a sort.  Main thread only. */
typedef struct _WeirTerm WeirTerm;

typedef enum
{
  WEIR_COLLATION_TEXT,  /* as people of this locale order words */
  WEIR_COLLATION_BYTES, /* by the key that is given: for addresses */
  WEIR_N_COLLATIONS,
} WeirCollation;

/* A reference; the same string gives the same term.  @key: what orders it, NULL for
 * WEIR_COLLATION_TEXT. */
WeirTerm *
weir_term_new (WeirCollation collation, const char *text, const char *key);
WeirTerm *
weir_term_ref (WeirTerm *term);
void
weir_term_unref (WeirTerm *term);

/* Ranks of all terms that exist now; they hold until the next call. */
void
weir_collation_settle (WeirCollation collation);
guint32
weir_term_get_rank (const WeirTerm *term);
/* How many there are, for tests. */
guint
weir_collation_get_n_terms (WeirCollation collation);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeirTerm, weir_term_unref)

G_END_DECLS
