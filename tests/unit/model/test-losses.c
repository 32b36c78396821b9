/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-losses.h"

static void
check (gint64 events, gint64 refused, gint64 coalesced)
{
  WeirLosses losses = weir_losses_get ();

  g_assert_cmpint (losses.events, ==, events);
  g_assert_cmpint (losses.refused, ==, refused);
  g_assert_cmpint (losses.coalesced, ==, coalesced);
}

static void
test_all (void)
{
  struct weir_source_status sources[] = { { .losses = 3 }, { .losses = 0 }, { .losses = 4 } };
  const struct weir_tick tick = { .flows_refused = 5, .coalesced = 6 };

  /* Nothing is known is not nothing was lost. */
  check (-1, -1, -1);
  weir_losses_set_sources (sources, G_N_ELEMENTS (sources));
  check (7, -1, -1);
  weir_losses_set_tick (&tick);
  check (7, 5, 6);
  weir_losses_set_sources (NULL, 0);
  check (0, 5, 6);
  sources[0].losses = G_MAXUINT64;
  weir_losses_set_sources (sources, G_N_ELEMENTS (sources));
  check (G_MAXINT64, 5, 6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/losses/all", test_all);
  return g_test_run ();
}
