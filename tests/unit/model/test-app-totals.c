/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model-samples.h"
#include "weir-app-totals.h"

static void
add_flow (WeirFlowStore *store, guint64 id, const char *comm, guint64 rx, guint64 tx)
{
  struct weir_flow_record record = sample_record (id);

  g_strlcpy (record.comm, comm, sizeof record.comm);
  g_strlcpy (record.cgroup, "", sizeof record.cgroup);
  record.has_bytes = record.has_rates = rx > 0;
  record.rx_bytes = rx;
  record.tx_bytes = tx;
  record.rx_rate = 10;
  sample_add (store, &record);
}

static void
assert_total (GPtrArray *totals, guint i, const char *name, guint connections, double rx, double tx,
              double rx_rate)
{
  const WeirAppTotal *total = totals->pdata[i];

  g_assert_cmpstr (total->name, ==, name);
  g_assert_cmpuint (total->connections, ==, connections);
  g_assert_cmpfloat (total->rx_bytes, ==, rx);
  g_assert_cmpfloat (total->tx_bytes, ==, tx);
  g_assert_cmpfloat (total->rx_rate, ==, rx_rate);
}

static void
test_totals (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  g_autoptr (WeirFilter) filter = weir_filter_new ("comm:small or comm:silent", NULL);
  struct weir_flow_record ended = sample_ended (3);

  add_flow (store, 1, "small", 100, 10);
  add_flow (store, 2, "large", 5000, 1);
  add_flow (store, 3, "large", 7000, 1);
  add_flow (store, 4, "", 300, 1);
  add_flow (store, 5, "silent", 0, 0);
  add_flow (store, 6, "small", 0, 0);
  sample_do_tick (store, 0);
  ended.rx_bytes = 8000;
  ended.tx_bytes = 2;
  sample_add (store, &ended);
  sample_do_tick (store, 1);

  g_autoptr (GPtrArray) all = weir_app_totals_new (G_LIST_MODEL (store), NULL);
  g_assert_cmpuint (all->len, ==, 4);
  /* What has ended is in the totals, but is no connection any more. */
  assert_total (all, 0, "large", 1, 13000, 3, 10);
  assert_total (all, 1, NULL, 1, 300, 1, 10);
  assert_total (all, 2, "small", 2, 100, 10, 10);
  assert_total (all, 3, "silent", 1, WEIR_ABSENT, WEIR_ABSENT, WEIR_ABSENT);

  g_autoptr (GPtrArray) some = weir_app_totals_new (G_LIST_MODEL (store), filter);
  g_assert_cmpuint (some->len, ==, 2);
  assert_total (some, 0, "small", 2, 100, 10, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/app-totals/totals", test_totals);
  return g_test_run ();
}
