/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model-samples.h"
#include "weir-flow-private.h"
#include "weir-flow-store.h"

/* A mirror of the list that knows only what items-changed says. */
typedef struct
{
  GPtrArray *rows;
  guint n_changes;
  guint n_ticks;
  guint n_news;
} Mirror;

static void
on_items_changed (GListModel *model, guint position, guint removed, guint added, Mirror *mirror)
{
  mirror->n_changes++;
  g_assert_cmpuint (position + removed, <=, mirror->rows->len);
  if (removed > 0)
    g_ptr_array_remove_range (mirror->rows, position, removed);
  for (guint i = 0; i < added; i++)
    g_ptr_array_insert (mirror->rows, position + i, g_list_model_get_item (model, position + i));
  g_assert_cmpuint (mirror->rows->len, ==, g_list_model_get_n_items (model));
}

static void
on_tick (WeirFlowStore *store, Mirror *mirror)
{
  mirror->n_ticks++;
}

static void
on_news (WeirFlowStore *store, Mirror *mirror)
{
  mirror->n_news++;
}

static WeirFlowStore *
make_store (Mirror *mirror)
{
  WeirFlowStore *store = weir_flow_store_new ();

  *mirror = (Mirror) { g_ptr_array_new_with_free_func (g_object_unref), 0, 0, 0 };
  g_signal_connect (store, "items-changed", G_CALLBACK (on_items_changed), mirror);
  g_signal_connect (store, "tick", G_CALLBACK (on_tick), mirror);
  g_signal_connect (store, "news", G_CALLBACK (on_news), mirror);
  return store;
}

static void
assert_mirrored (WeirFlowStore *store, Mirror *mirror)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (store));

  g_assert_cmpuint (mirror->rows->len, ==, n);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (WeirFlow) flow = g_list_model_get_item (G_LIST_MODEL (store), i);
      g_assert_true (mirror->rows->pdata[i] == flow);
    }
}

static void
add_flows (WeirFlowStore *store, guint64 first, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      struct weir_flow_record record = sample_record (first + i);
      sample_add (store, &record);
    }
}

static void
end_flow (WeirFlowStore *store, guint64 id)
{
  struct weir_flow_record ended = sample_ended (id);

  sample_add (store, &ended);
}

static void
test_rows_come_with_the_tick (void)
{
  Mirror mirror;
  g_autoptr (WeirFlowStore) store = make_store (&mirror);

  g_assert_null (weir_flow_store_get_last_tick (store));
  add_flows (store, 1, 100);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (store)), ==, 0);
  sample_do_tick (store, 0);
  assert_mirrored (store, &mirror);
  g_assert_cmpuint (mirror.rows->len, ==, 100);
  g_assert_cmpuint (mirror.n_changes, ==, 1);
  g_assert_cmpuint (mirror.n_ticks, ==, 1);
  g_assert_cmpuint (weir_flow_store_get_last_tick (store)->sequence, ==, 0);

  /* New values are no new rows. */
  struct weir_flow_record bytes = sample_bytes (7, 10, 10);
  sample_add (store, &bytes);
  sample_do_tick (store, 1);
  g_assert_cmpuint (mirror.n_changes, ==, 1);
  g_assert_cmpuint (mirror.n_ticks, ==, 2);
  g_ptr_array_unref (mirror.rows);
}

static void
test_ended_rows_stay (void)
{
  Mirror mirror;
  g_autoptr (WeirFlowStore) store = make_store (&mirror);

  weir_flow_store_set_closed_seconds (store, 3);
  add_flows (store, 1, 10);
  sample_do_tick (store, 0);
  end_flow (store, 3);
  end_flow (store, 4);
  end_flow (store, 8);
  sample_do_tick (store, 1);
  g_assert_cmpuint (mirror.rows->len, ==, 10);
  g_assert_true (weir_flow_is_closed (weir_flow_store_lookup (store, 4)));
  g_assert_false (weir_flow_is_closed (weir_flow_store_lookup (store, 5)));
  sample_do_tick (store, 3);
  g_assert_cmpuint (mirror.rows->len, ==, 10);
  mirror.n_changes = 0;
  sample_do_tick (store, 4);
  assert_mirrored (store, &mirror);
  g_assert_cmpuint (mirror.rows->len, ==, 7);
  /* Two gaps, two signals. */
  g_assert_cmpuint (mirror.n_changes, ==, 2);
  g_assert_null (weir_flow_store_lookup (store, 4));
  g_assert_nonnull (weir_flow_store_lookup (store, 5));
  g_ptr_array_unref (mirror.rows);
}

static void
test_many_gaps_are_one_signal (void)
{
  Mirror mirror;
  g_autoptr (WeirFlowStore) store = make_store (&mirror);

  weir_flow_store_set_closed_seconds (store, 0);
  add_flows (store, 1, 1000);
  sample_do_tick (store, 0);
  mirror.n_changes = 0;
  for (guint64 id = 11; id <= 1000; id += 2)
    end_flow (store, id);
  sample_do_tick (store, 1);
  assert_mirrored (store, &mirror);
  g_assert_cmpuint (mirror.rows->len, ==, 505);
  g_assert_cmpuint (mirror.n_changes, ==, 1);
  g_ptr_array_unref (mirror.rows);
}

static void
test_odd_records (void)
{
  Mirror mirror;
  g_autoptr (WeirFlowStore) store = make_store (&mirror);
  struct weir_flow_record changed = sample_bytes (5, 1, 1), whole = sample_record (6);

  /* Nobody said what 5 is, and 9 came and went between two ticks. */
  sample_add (store, &changed);
  end_flow (store, 5);
  whole.change = WEIR_FLOW_ENDED;
  sample_add (store, &whole);
  sample_do_tick (store, 0);
  g_assert_cmpuint (mirror.rows->len, ==, 1);
  g_assert_true (weir_flow_is_closed (mirror.rows->pdata[0]));

  /* It is told as alive again. */
  whole.change = WEIR_FLOW_ADDED;
  sample_add (store, &whole);
  sample_do_tick (store, 1);
  g_assert_false (weir_flow_is_closed (mirror.rows->pdata[0]));
  g_ptr_array_unref (mirror.rows);
}

static void
test_restart (void)
{
  Mirror mirror;
  g_autoptr (WeirFlowStore) store = make_store (&mirror);
  float rx[WEIR_FLOW_HISTORY], tx[WEIR_FLOW_HISTORY];

  add_flows (store, 1, 3);
  sample_do_tick (store, 0);
  struct weir_flow_record bytes = sample_bytes (2, 700, 70);
  sample_add (store, &bytes);
  sample_do_tick (store, 1);
  g_autoptr (WeirFlow) kept = g_object_ref (weir_flow_store_lookup (store, 2));

  /* The new engine knows flow 2 as number 50, has lost 1 and 3, and found another one. */
  weir_flow_store_restart (store);
  struct weir_flow_record same = sample_record (2), other = sample_record (60);
  same.id = 50;
  same.groups &= ~WEIR_FLOW_TCP;
  sample_add (store, &same);
  sample_add (store, &other);
  /* Nothing has happened yet for those who look. */
  g_assert_cmpuint (mirror.rows->len, ==, 3);
  sample_do_tick (store, 2);
  assert_mirrored (store, &mirror);
  g_assert_cmpuint (mirror.rows->len, ==, 2);
  g_assert_true (weir_flow_store_lookup (store, 50) == kept);
  g_assert_null (weir_flow_store_lookup (store, 2));
  g_assert_cmpuint (weir_flow_get_id (kept), ==, 50);
  g_assert_cmpuint (weir_flow_copy_history (kept, rx, tx), ==, 3);
  g_assert_cmpfloat (rx[1], ==, 700);
  /* What the new engine did not say is not known any more. */
  g_assert_false (weir_flow_get_record (kept)->groups & WEIR_FLOW_TCP);
  g_ptr_array_unref (mirror.rows);
}

static void
test_folded_rows_leave_at_once (void)
{
  Mirror mirror;
  g_autoptr (WeirFlowStore) store = make_store (&mirror);
  struct weir_flow_record folded = { .id = 2, .change = WEIR_FLOW_ENDED };

  add_flows (store, 1, 3);
  sample_do_tick (store, 0);
  sample_add (store, &folded);
  sample_do_tick (store, 1);
  assert_mirrored (store, &mirror);
  g_assert_cmpuint (mirror.rows->len, ==, 2);
  g_assert_null (weir_flow_store_lookup (store, 2));

  /* It moves again. */
  add_flows (store, 2, 1);
  sample_do_tick (store, 2);
  assert_mirrored (store, &mirror);
  g_assert_cmpuint (mirror.rows->len, ==, 3);
  g_assert_false (weir_flow_is_closed (weir_flow_store_lookup (store, 2)));
  g_ptr_array_unref (mirror.rows);
}

/* Rows come before the tick, which measures them as if they had not. */
static void
test_news (void)
{
  Mirror mirror;
  g_autoptr (WeirFlowStore) store = make_store (&mirror);
  struct weir_flow_record early = sample_record (2), bytes = sample_bytes (2, 700, 70);
  const struct weir_tick first = sample_tick (1);

  /* Nothing to show it with yet. */
  add_flows (store, 1, 1);
  weir_flow_store_announce (store, first.monotonic);
  g_assert_cmpuint (mirror.rows->len + mirror.n_news, ==, 0);
  sample_do_tick (store, 1);
  g_assert_cmpuint (mirror.rows->len, ==, 1);

  early.has_rates = false;
  early.first_seen = first.monotonic + 250000000;
  sample_add (store, &early);
  g_assert_cmpuint (mirror.rows->len, ==, 1);
  weir_flow_store_announce (store, first.monotonic + 300000000);
  assert_mirrored (store, &mirror);
  g_assert_cmpuint (mirror.rows->len, ==, 2);
  g_assert_cmpuint (mirror.n_news, ==, 1);
  g_assert_cmpuint (mirror.n_ticks, ==, 1);
  WeirFlow *flow = mirror.rows->pdata[1];
  g_assert_cmpfloat (weir_flow_get_rx_bytes (flow), ==, early.rx_bytes);
  g_assert_cmpfloat (weir_flow_get_rx_rate (flow), ==, WEIR_ABSENT);
  g_assert_cmpint (flow->first_seen, ==, (gint64) (first.realtime / 1000) + 250000);
  g_assert_cmpint (flow->read_at, ==, (gint64) (first.realtime / 1000) + 300000);

  bytes.has_packets = true;
  bytes.rx_packets = early.rx_packets;
  bytes.tx_packets = early.tx_packets;
  sample_add (store, &bytes);
  sample_do_tick (store, 2);
  g_assert_cmpuint (mirror.n_news, ==, 1);
  g_assert_cmpuint (mirror.rows->len, ==, 2);
  g_assert_cmpfloat (weir_flow_get_rx_rate (flow), ==, 700);
  /* Since the tick before, not since the news. */
  g_assert_cmpuint (flow->packets_moved, ==, early.rx_packets + early.tx_packets);

  /* Another engine's news wait until its first tick replaces all. */
  weir_flow_store_restart (store);
  early.id = 9;
  early.local.port++;
  sample_add (store, &early);
  weir_flow_store_announce (store, first.monotonic + 3000000000);
  g_assert_cmpuint (mirror.n_news, ==, 1);
  g_assert_cmpuint (mirror.rows->len, ==, 2);
  sample_do_tick (store, 3);
  assert_mirrored (store, &mirror);
  g_assert_cmpuint (mirror.rows->len, ==, 1);
  g_ptr_array_unref (mirror.rows);
}

static void
test_restart_bridges_rates (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  struct weir_flow_record record = sample_record (1);
  struct weir_tick first = sample_tick (1);

  record.rx_rate = 500;
  sample_add (store, &record);
  sample_do_tick (store, 0);
  WeirFlow *flow = weir_flow_store_lookup (store, 1);

  weir_flow_store_restart (store);
  record.has_rates = false;
  sample_add (store, &record);
  first.interval = 0;
  weir_flow_store_tick (store, &first);
  g_assert_cmpfloat (weir_flow_get_rx_rate (flow), ==, 500);
  /* For that long and no longer. */
  sample_do_tick (store, 2);
  g_assert_cmpfloat (weir_flow_get_rx_rate (flow), ==, WEIR_ABSENT);
}

static void
test_restart_reuses_numbers (void)
{
  Mirror mirror;
  g_autoptr (WeirFlowStore) store = make_store (&mirror);

  add_flows (store, 1, 4);
  end_flow (store, 4);
  sample_do_tick (store, 0);
  weir_flow_store_restart (store);
  /* Numbers begin anew and mean other flows: 1 is what 2 was, 2 is new. */
  struct weir_flow_record first = sample_record (2), second = sample_record (9);
  first.id = 1;
  second.id = 2;
  sample_add (store, &first);
  sample_add (store, &second);
  sample_do_tick (store, 1);
  assert_mirrored (store, &mirror);
  g_assert_cmpuint (mirror.rows->len, ==, 2);
  g_assert_cmpstr (weir_flow_get_local (weir_flow_store_lookup (store, 1)), ==, "192.0.2.1:40002");
  g_assert_cmpstr (weir_flow_get_local (weir_flow_store_lookup (store, 2)), ==, "192.0.2.1:40009");
  g_ptr_array_unref (mirror.rows);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow-store/rows-come-with-the-tick", test_rows_come_with_the_tick);
  g_test_add_func ("/flow-store/ended-rows-stay", test_ended_rows_stay);
  g_test_add_func ("/flow-store/many-gaps-are-one-signal", test_many_gaps_are_one_signal);
  g_test_add_func ("/flow-store/odd-records", test_odd_records);
  g_test_add_func ("/flow-store/folded-rows-leave-at-once", test_folded_rows_leave_at_once);
  g_test_add_func ("/flow-store/news", test_news);
  g_test_add_func ("/flow-store/restart", test_restart);
  g_test_add_func ("/flow-store/restart-bridges-rates", test_restart_bridges_rates);
  g_test_add_func ("/flow-store/restart-reuses-numbers", test_restart_reuses_numbers);
  return g_test_run ();
}
