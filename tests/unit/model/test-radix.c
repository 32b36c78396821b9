/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-radix.h"

static void
assert_sorted_stably (const WeirKey *keys, guint n)
{
  for (guint i = 1; i < n; i++)
    {
      g_assert_cmpuint (keys[i - 1].key, <=, keys[i].key);
      if (keys[i - 1].key == keys[i].key)
        g_assert_cmpuint (keys[i - 1].index, <, keys[i].index);
    }
}

static void
test_sort (void)
{
  /* Few values (ties), many values, and all of 64 bits. */
  const guint64 ranges[] = { 3, 1000, G_MAXUINT64 };

  for (gsize range = 0; range < G_N_ELEMENTS (ranges); range++)
    {
      g_autofree WeirKey *keys = g_new (WeirKey, 5000);
      g_autofree WeirKey *scratch = g_new (WeirKey, 5000);
      guint64 sum = 0, sorted_sum = 0;
      for (guint i = 0; i < 5000; i++)
        {
          guint64 random = (guint64) g_test_rand_int () << 32 | (guint32) g_test_rand_int ();
          keys[i] = (WeirKey) { random % ranges[range], i };
          sum += keys[i].key ^ i;
        }
      weir_radix_sort (keys, scratch, 5000);
      assert_sorted_stably (keys, 5000);
      for (guint i = 0; i < 5000; i++)
        sorted_sum += keys[i].key ^ keys[i].index;
      g_assert_cmpuint (sorted_sum, ==, sum);
    }
  weir_radix_sort (NULL, NULL, 0);
}

static void
test_doubles (void)
{
  const double values[] = { -1e300, -2, -1, -1e-300, 0, 1e-300, 0.5, 1, 2, 1e9, 1e300 };

  for (gsize i = 1; i < G_N_ELEMENTS (values); i++)
    {
      g_assert_cmpuint (weir_key_from_double (values[i - 1], FALSE), <,
                        weir_key_from_double (values[i], FALSE));
      g_assert_cmpuint (weir_key_from_double (values[i - 1], TRUE), >,
                        weir_key_from_double (values[i], TRUE));
      g_assert_cmpuint (weir_key_from_double (values[i], TRUE), <, WEIR_KEY_ABSENT);
    }
}

static void
test_integers (void)
{
  g_assert_cmpuint (weir_key_from_uint64 (7, FALSE), <, weir_key_from_uint64 (8, FALSE));
  g_assert_cmpuint (weir_key_from_uint64 (7, TRUE), >, weir_key_from_uint64 (8, TRUE));
  g_assert_cmpuint (weir_key_from_uint64 (0, TRUE), >, weir_key_from_uint64 (1, TRUE));
  g_assert_cmpuint (weir_key_from_uint64 (0, TRUE), <, WEIR_KEY_ABSENT);
  g_assert_cmpuint (weir_key_from_uint64 (G_MAXUINT64, FALSE), <, WEIR_KEY_ABSENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/radix/sort", test_sort);
  g_test_add_func ("/radix/doubles", test_doubles);
  g_test_add_func ("/radix/integers", test_integers);
  return g_test_run ();
}
