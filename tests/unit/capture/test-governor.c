/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "weir-governor.h"

#define MS UINT64_C (1000000)
#define S  (1000 * MS)

/* Ticks for @seconds, each dump at @cost; returns the share of a processor that dumps took. */
static double
run (struct weir_governor *governor, guint64 interval, guint64 cost, guint seconds,
     guint *ret_n_dumps)
{
  guint64 now = 1000 * S, end = now + seconds * S, spent = 0;
  guint n = 0;

  for (guint tick = 0; now < end; now += interval, tick++)
    {
      /* Timers are a little late, and now and then early against the last one. */
      guint64 awake = now + tick % 3 * 2 * MS;

      if (!weir_governor_allows (governor, interval, awake))
        continue;
      weir_governor_begin (governor, awake);
      weir_governor_spend (governor, cost / 4);
      weir_governor_spend (governor, cost - cost / 4);
      weir_governor_finish (governor);
      spent += cost;
      n++;
    }
  *ret_n_dumps = n;
  return (double) spent / (double) (seconds * S);
}

static void
test_cheap (void)
{
  struct weir_governor governor = { 0 };
  guint n;

  run (&governor, S, 20 * MS, 100, &n);
  g_assert_cmpuint (n, ==, 100);
  g_assert_cmpuint (weir_governor_get_interval (&governor, S), ==, S);
}

/* Whatever a dump costs and however often it is wished: it stays below 5 %, and is not left out for
 * longer than that takes. */
static void
test_share (void)
{
  static const guint64 intervals[] = { 250 * MS, S, 5 * S };
  static const guint64 costs[] = { 11 * MS, 47 * MS, 60 * MS, 199 * MS, 450 * MS, 2 * S };

  for (guint i = 0; i < G_N_ELEMENTS (intervals); i++)
    {
      for (guint j = 0; j < G_N_ELEMENTS (costs); j++)
        {
          struct weir_governor governor = { 0 };
          guint64 interval = intervals[i], between;
          guint n;
          double share = run (&governor, interval, costs[j], 2000, &n);

          g_assert_cmpfloat (share, <, 0.05);
          between = weir_governor_get_interval (&governor, interval);
          g_assert_cmpuint (between % interval, ==, 0);
          g_assert_cmpuint (between, <=, costs[j] * WEIR_GOVERNOR_SHARE + interval);
          g_assert_cmpuint (n, >=, 2000 * S / between - 1);
        }
    }
}

static void
test_turns (void)
{
  struct weir_governor governor = { 0 };
  guint64 now = 1000 * S;

  g_assert_true (weir_governor_allows (&governor, S, now));
  weir_governor_begin (&governor, now);
  weir_governor_spend (&governor, 200 * MS);
  weir_governor_finish (&governor);
  g_assert_cmpuint (weir_governor_get_interval (&governor, S), ==, 5 * S);
  g_assert_false (weir_governor_allows (&governor, S, now + 4 * S));
  g_assert_true (weir_governor_allows (&governor, S, now + 5 * S));
  /* What is spent while none runs is not a dump's. */
  weir_governor_spend (&governor, 10 * S);
  weir_governor_finish (&governor);
  g_assert_cmpuint (weir_governor_get_interval (&governor, S), ==, 5 * S);
  /* A table that shrank is believed after a while, one that grew at once. */
  for (guint i = 0; i < 20; i++)
    {
      weir_governor_begin (&governor, now);
      weir_governor_spend (&governor, MS);
      weir_governor_finish (&governor);
      if (i == 0)
        g_assert_cmpuint (weir_governor_get_interval (&governor, S), >, 3 * S);
    }
  g_assert_cmpuint (weir_governor_get_interval (&governor, S), ==, S);
  weir_governor_begin (&governor, now);
  weir_governor_spend (&governor, 400 * MS);
  weir_governor_finish (&governor);
  g_assert_cmpuint (weir_governor_get_interval (&governor, S), ==, 10 * S);
}

/* A dump out of turn is as dear as any. */
static void
test_affordable (void)
{
  struct weir_governor governor = { 0 };

  g_assert_cmpuint (weir_governor_get_affordable (&governor), ==, 0);
  weir_governor_begin (&governor, 1000 * S);
  weir_governor_spend (&governor, 10 * MS);
  /* Its cost is not all known yet, but it was not less. */
  g_assert_cmpuint (weir_governor_get_affordable (&governor), ==, 1000 * S + 250 * MS);
  weir_governor_spend (&governor, 10 * MS);
  weir_governor_finish (&governor);
  g_assert_cmpuint (weir_governor_get_affordable (&governor), ==, 1000 * S + 500 * MS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/governor/cheap", test_cheap);
  g_test_add_func ("/governor/share", test_share);
  g_test_add_func ("/governor/turns", test_turns);
  g_test_add_func ("/governor/affordable", test_affordable);
  return g_test_run ();
}
