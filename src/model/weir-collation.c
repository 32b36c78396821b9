/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-collation.h"

#include <string.h>

struct _WeirTerm
{
  guint refs; /* 0: dead, waits in the ranked list for the next settling */
  guint32 rank;
  WeirCollation collation;
  char *key;
  char *text;
};

typedef struct
{
  GHashTable *by_text; /* living terms; the key is the term's text */
  GPtrArray *ranked;   /* sorted, living and dead */
  GPtrArray *fresh;    /* not ranked yet */
  guint n_dead;
} Table;

static Table tables[WEIR_N_COLLATIONS];

static Table *
get_table (WeirCollation collation)
{
  Table *table = &tables[collation];

  if (table->by_text == NULL)
    {
      table->by_text = g_hash_table_new (g_str_hash, g_str_equal);
      table->ranked = g_ptr_array_new ();
      table->fresh = g_ptr_array_new ();
    }
  return table;
}

static void
term_free (WeirTerm *term)
{
  g_free (term->key);
  g_free (term->text);
  g_free (term);
}

WeirTerm *
weir_term_new (WeirCollation collation, const char *text, const char *key)
{
  Table *table = get_table (collation);
  WeirTerm *term = g_hash_table_lookup (table->by_text, text);

  if (term != NULL)
    return weir_term_ref (term);

  term = g_new0 (WeirTerm, 1);
  term->refs = 1;
  term->collation = collation;
  term->text = g_strdup (text);
  term->key = key != NULL ? g_strdup (key) : g_utf8_collate_key (text, -1);
  g_hash_table_insert (table->by_text, term->text, term);
  g_ptr_array_add (table->fresh, term);
  return term;
}

WeirTerm *
weir_term_ref (WeirTerm *term)
{
  term->refs++;
  return term;
}

void
weir_term_unref (WeirTerm *term)
{
  g_return_if_fail (term->refs > 0);

  if (--term->refs > 0)
    return;
  Table *table = get_table (term->collation);
  g_hash_table_remove (table->by_text, term->text);
  table->n_dead++;
}

/* Equal keys of different texts are told apart by the text, so that the order is the same each
 * time. */
static int
compare_terms (gconstpointer a, gconstpointer b)
{
  const WeirTerm *left = *(WeirTerm *const *) a, *right = *(WeirTerm *const *) b;
  int order = strcmp (left->key, right->key);

  return order != 0 ? order : strcmp (left->text, right->text);
}

void
weir_collation_settle (WeirCollation collation)
{
  Table *table = get_table (collation);

  /* The dead do no harm to the order of the living: sweep them when it is worth a walk. */
  if (table->fresh->len == 0 && table->n_dead * 4 <= table->ranked->len)
    return;

  g_ptr_array_sort (table->fresh, compare_terms);
  GPtrArray *merged = g_ptr_array_sized_new (table->ranked->len + table->fresh->len);
  guint from_ranked = 0, from_fresh = 0;
  while (from_ranked < table->ranked->len || from_fresh < table->fresh->len)
    {
      gpointer *ranked = table->ranked->pdata + from_ranked;
      gpointer *fresh = table->fresh->pdata + from_fresh;
      WeirTerm *term;
      if (from_fresh == table->fresh->len ||
          (from_ranked < table->ranked->len && compare_terms (ranked, fresh) < 0))
        {
          term = *ranked;
          from_ranked++;
        }
      else
        {
          term = *fresh;
          from_fresh++;
        }
      if (term->refs == 0)
        {
          term_free (term);
          continue;
        }
      term->rank = merged->len;
      g_ptr_array_add (merged, term);
    }
  g_ptr_array_unref (table->ranked);
  table->ranked = merged;
  g_ptr_array_set_size (table->fresh, 0);
  table->n_dead = 0;
}

guint32
weir_term_get_rank (const WeirTerm *term)
{
  return term->rank;
}

guint
weir_collation_get_n_terms (WeirCollation collation)
{
  return g_hash_table_size (get_table (collation)->by_text);
}
