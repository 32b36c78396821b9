/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "weir-allowance.h"

#define S  UINT64_C (1000000000)
#define MS UINT64_C (1000000)

static void
test_burst (void)
{
  struct weir_allowance allowance;

  weir_allowance_init (&allowance, 20, 200 * MS);
  weir_allowance_update (&allowance, 5 * S);
  g_assert_cmpint (allowance.left, ==, (gint64) (200 * MS));
  g_assert_cmpuint (weir_allowance_get_wait (&allowance, 0), ==, 0);
  weir_allowance_spend (&allowance, 150 * MS);
  g_assert_cmpuint (weir_allowance_get_wait (&allowance, 0), ==, 0);
  weir_allowance_spend (&allowance, 60 * MS);
  /* 10 ms too much take 20 times as long. */
  g_assert_cmpuint (weir_allowance_get_wait (&allowance, 0), ==, 200 * MS + 20);
  g_assert_cmpuint (weir_allowance_get_wait (&allowance, -(gint64) (50 * MS)), ==, 0);
  weir_allowance_update (&allowance, 5 * S + 100 * MS);
  g_assert_cmpuint (weir_allowance_get_wait (&allowance, 0), ==, 100 * MS + 20);
  weir_allowance_update (&allowance, 100000 * S);
  g_assert_cmpint (allowance.left, ==, (gint64) (200 * MS));
}

/* However much is asked for: a twentieth on average. */
static void
test_average (void)
{
  struct weir_allowance allowance;
  guint64 spent = 0;

  weir_allowance_init (&allowance, 20, 200 * MS);
  for (guint64 now = S; now < 101 * S; now += MS)
    {
      weir_allowance_update (&allowance, now);
      if (weir_allowance_get_wait (&allowance, 0) > 0)
        continue;
      weir_allowance_spend (&allowance, 7 * MS);
      spent += 7 * MS;
    }
  g_assert_cmpuint (spent, >=, 5 * S);
  g_assert_cmpuint (spent, <=, 5 * S + 210 * MS);
}

/* A debt has an end. */
static void
test_debt (void)
{
  struct weir_allowance allowance;

  weir_allowance_init (&allowance, 100, 40 * MS);
  weir_allowance_update (&allowance, S);
  weir_allowance_spend (&allowance, 3600 * S);
  weir_allowance_spend (&allowance, G_MAXUINT64);
  g_assert_cmpuint (weir_allowance_get_wait (&allowance, 0), <=, 4 * S + 100);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/allowance/burst", test_burst);
  g_test_add_func ("/allowance/average", test_average);
  g_test_add_func ("/allowance/debt", test_debt);
  return g_test_run ();
}
