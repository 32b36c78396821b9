/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-collation.h"

static void
test_ranks (void)
{
  g_autoptr (WeirTerm) pear = weir_term_new (WEIR_COLLATION_TEXT, "pear", NULL);
  g_autoptr (WeirTerm) apple = weir_term_new (WEIR_COLLATION_TEXT, "apple", NULL);
  g_autoptr (WeirTerm) again = weir_term_new (WEIR_COLLATION_TEXT, "apple", NULL);

  g_assert_true (again == apple);
  weir_collation_settle (WEIR_COLLATION_TEXT);
  g_assert_cmpuint (weir_term_get_rank (apple), <, weir_term_get_rank (pear));

  /* A word between two that have ranks already. */
  g_autoptr (WeirTerm) fig = weir_term_new (WEIR_COLLATION_TEXT, "fig", NULL);
  weir_collation_settle (WEIR_COLLATION_TEXT);
  g_assert_cmpuint (weir_term_get_rank (apple), <, weir_term_get_rank (fig));
  g_assert_cmpuint (weir_term_get_rank (fig), <, weir_term_get_rank (pear));
}

static void
test_keys (void)
{
  g_autoptr (WeirTerm) ten = weir_term_new (WEIR_COLLATION_BYTES, "10.0.0.10", "0a00000a");
  g_autoptr (WeirTerm) nine = weir_term_new (WEIR_COLLATION_BYTES, "10.0.0.9", "0a000009");

  weir_collation_settle (WEIR_COLLATION_BYTES);
  g_assert_cmpuint (weir_term_get_rank (nine), <, weir_term_get_rank (ten));
}

static void
test_terms_are_let_go (void)
{
  guint before = weir_collation_get_n_terms (WEIR_COLLATION_TEXT);
  WeirTerm *terms[100];

  for (int i = 0; i < 100; i++)
    {
      g_autofree char *text = g_strdup_printf ("word %03d", i);
      terms[i] = weir_term_new (WEIR_COLLATION_TEXT, text, NULL);
    }
  weir_collation_settle (WEIR_COLLATION_TEXT);
  g_assert_cmpuint (weir_collation_get_n_terms (WEIR_COLLATION_TEXT), ==, before + 100);
  for (int i = 0; i < 100; i += 2)
    weir_term_unref (terms[i]);
  g_assert_cmpuint (weir_collation_get_n_terms (WEIR_COLLATION_TEXT), ==, before + 50);

  /* The dead do not come back, and the living keep their order. */
  g_autoptr (WeirTerm) revived = weir_term_new (WEIR_COLLATION_TEXT, "word 050", NULL);
  weir_collation_settle (WEIR_COLLATION_TEXT);
  g_assert_cmpuint (weir_term_get_rank (terms[49]), <, weir_term_get_rank (revived));
  g_assert_cmpuint (weir_term_get_rank (revived), <, weir_term_get_rank (terms[51]));
  for (int i = 1; i < 100; i += 2)
    weir_term_unref (terms[i]);
  g_assert_cmpuint (weir_collation_get_n_terms (WEIR_COLLATION_TEXT), ==, before + 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/collation/ranks", test_ranks);
  g_test_add_func ("/collation/keys", test_keys);
  g_test_add_func ("/collation/terms-are-let-go", test_terms_are_let_go);
  return g_test_run ();
}
