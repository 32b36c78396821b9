/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-history.h"

static void
on_changed (WeirHistory *history, guint *n)
{
  (*n)++;
}

static void
test_ring (void)
{
  g_autoptr (WeirHistory) history = weir_history_new (3);
  guint n_changed = 0;

  g_signal_connect (history, "changed", G_CALLBACK (on_changed), &n_changed);
  g_assert_cmpuint (weir_history_get_n_samples (history), ==, 0);
  for (guint i = 1; i <= 5; i++)
    weir_history_add (history, &(WeirSample) { .time = i, .rx = i * 10, .tx = i, .interval = 1 });
  g_assert_cmpuint (n_changed, ==, 5);
  g_assert_cmpuint (weir_history_get_n_samples (history), ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      const WeirSample *sample = weir_history_get_sample (history, i);
      g_assert_cmpuint (sample->time, ==, i + 3);
      g_assert_cmpfloat (sample->rx, ==, (i + 3) * 10);
    }
  weir_history_clear (history);
  g_assert_cmpuint (n_changed, ==, 6);
  g_assert_cmpuint (weir_history_get_n_samples (history), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/history/ring", test_ring);
  return g_test_run ();
}
