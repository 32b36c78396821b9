/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "model-samples.h"
#include "weir-slot-model.h"

typedef struct
{
  WeirFlowStore *store;
  WeirSlotModel *model;
  guint n_refreshed;
  guint n_changes;
  guint n_items; /* as items-changed tells */
} Fixture;

static void
on_refreshed (WeirSlotModel *model, Fixture *fixture)
{
  fixture->n_refreshed++;
}

/* Only the tail may change. */
static void
on_items_changed (GListModel *model, guint position, guint removed, guint added, Fixture *fixture)
{
  fixture->n_changes++;
  g_assert_cmpuint (position + removed, ==, fixture->n_items);
  g_assert_true (removed == 0 || added == 0);
  fixture->n_items += added - removed;
  g_assert_cmpuint (fixture->n_items, ==, g_list_model_get_n_items (model));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->store = weir_flow_store_new ();
  fixture->model = weir_slot_model_new (fixture->store);
  g_signal_connect (fixture->model, "refreshed", G_CALLBACK (on_refreshed), fixture);
  g_signal_connect (fixture->model, "items-changed", G_CALLBACK (on_items_changed), fixture);
  weir_flow_store_set_closed_seconds (fixture->store, 2);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->model);
  g_object_unref (fixture->store);
}

/* The numbers of the flows in the slots, as "3 1 2". */
static void
assert_order (Fixture *fixture, const char *expected)
{
  g_autoptr (GString) order = g_string_new (NULL);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (fixture->model)); i++)
    {
      g_autoptr (WeirSlot) slot = g_list_model_get_item (G_LIST_MODEL (fixture->model), i);
      guint64 id = weir_flow_get_id (weir_slot_get_flow (slot));
      g_string_append_printf (order, i > 0 ? " %" G_GUINT64_FORMAT : "%" G_GUINT64_FORMAT, id);
      g_assert_cmpuint (weir_slot_model_find (fixture->model, id), ==, i);
    }
  g_assert_cmpstr (order->str, ==, expected);
}

static void
add_rate (Fixture *fixture, guint64 id, guint64 rx_rate)
{
  struct weir_flow_record bytes = sample_bytes (id, rx_rate, rx_rate / 2);

  sample_add (fixture->store, &bytes);
}

static void
add_flows (Fixture *fixture, guint64 first, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      struct weir_flow_record record = sample_record (first + i);
      sample_add (fixture->store, &record);
    }
}

static void
test_values (Fixture *fixture, gconstpointer data)
{
  add_flows (fixture, 1, 4);
  sample_do_tick (fixture->store, 0);
  assert_order (fixture, "1 2 3 4");
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_RX_RATE, TRUE);
  assert_order (fixture, "1 2 3 4");

  g_autoptr (WeirSlot) first = g_list_model_get_item (G_LIST_MODEL (fixture->model), 0);
  fixture->n_changes = fixture->n_refreshed = 0;
  add_rate (fixture, 3, 3000);
  add_rate (fixture, 2, 100);
  sample_do_tick (fixture->store, 1);
  assert_order (fixture, "3 2 1 4");
  /* The slot is where it was and shows another flow; nobody was told to rebuild anything. */
  g_assert_cmpuint (fixture->n_changes, ==, 0);
  g_assert_cmpuint (fixture->n_refreshed, ==, 1);
  g_assert_cmpuint (weir_flow_get_id (weir_slot_get_flow (first)), ==, 3);

  double rx, tx;
  weir_slot_model_get_maxima (fixture->model, &rx, &tx);
  g_assert_cmpfloat (rx, ==, 3000);
  g_assert_cmpfloat (tx, ==, 1500);
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_RX_RATE, FALSE);
  assert_order (fixture, "1 4 2 3");
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_TOTAL, TRUE);
  assert_order (fixture, "3 4 2 1");
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_ARRIVAL, TRUE);
  assert_order (fixture, "4 3 2 1");
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 99), ==, G_MAXUINT);
}

static void
test_absent_is_last (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record nothing = sample_record (2);

  nothing.groups = WEIR_FLOW_KEY;
  add_flows (fixture, 1, 1);
  sample_add (fixture->store, &nothing);
  add_flows (fixture, 3, 1);
  sample_do_tick (fixture->store, 0);
  for (WeirSort sort = 0; sort < WEIR_N_SORTS; sort++)
    {
      /* These are known of every flow. */
      if (sort == WEIR_SORT_REMOTE || sort == WEIR_SORT_LOCAL || sort == WEIR_SORT_PROTOCOL ||
          sort == WEIR_SORT_ARRIVAL)
        continue;
      weir_slot_model_set_sort (fixture->model, sort, FALSE);
      assert_order (fixture, "1 3 2");
      weir_slot_model_set_sort (fixture->model, sort, TRUE);
      g_assert_cmpuint (weir_slot_model_find (fixture->model, 2), ==, 2);
    }
}

static void
test_texts (Fixture *fixture, gconstpointer data)
{
  const char *names[] = { "pear", "Apple", "fig", "apple" };
  const char *remotes[] = { "10.0.0.10", "10.0.0.9", "9.0.0.1", "100.0.0.1" };

  for (guint i = 0; i < 4; i++)
    {
      struct weir_flow_record record = sample_record (i + 1);
      g_strlcpy (record.comm, names[i], sizeof record.comm);
      sample_set_v4 (&record.remote, remotes[i], 443);
      sample_add (fixture->store, &record);
    }
  sample_do_tick (fixture->store, 0);
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_REMOTE, FALSE);
  assert_order (fixture, "3 2 1 4");
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_LOCAL, TRUE);
  assert_order (fixture, "4 3 2 1");
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_APP, FALSE);
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 3), ==, 2);
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 1), ==, 3);

  /* A new name finds its place among those that were ranked before. */
  struct weir_flow_record record = sample_record (5);
  g_strlcpy (record.comm, "banana", sizeof record.comm);
  sample_add (fixture->store, &record);
  sample_do_tick (fixture->store, 1);
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 5), ==, 2);
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 3), ==, 3);

  weir_slot_model_set_sort (fixture->model, WEIR_SORT_PROTOCOL, TRUE);
  assert_order (fixture, "1 2 3 4 5");
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_PROCESS, TRUE);
  assert_order (fixture, "1 3 5 4 2");
}

static void
test_ties_go_by_number (Fixture *fixture, gconstpointer data)
{
  const guint64 ids[] = { 9, 3, 7, 1, 5 };

  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++)
    add_flows (fixture, ids[i], 1);
  sample_do_tick (fixture->store, 0);
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_RX_RATE, TRUE);
  assert_order (fixture, "1 3 5 7 9");
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_RX_RATE, FALSE);
  assert_order (fixture, "1 3 5 7 9");
}

static void
test_filter (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeirFilter) filter = weir_filter_new (":40002", NULL);

  add_flows (fixture, 1, 4);
  sample_do_tick (fixture->store, 0);
  weir_slot_model_set_filter (fixture->model, filter);
  assert_order (fixture, "2");
  g_assert_cmpuint (weir_slot_model_get_total (fixture->model), ==, 4);
  weir_slot_model_set_filter (fixture->model, NULL);
  assert_order (fixture, "1 2 3 4");
  g_assert_cmpuint (fixture->n_items, ==, 4);
}

static void
test_leaving_slot_is_empty (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeirFilter) nothing = weir_filter_new ("no such thing", NULL);

  add_flows (fixture, 1, 2);
  sample_do_tick (fixture->store, 0);
  g_autoptr (WeirSlot) slot = g_list_model_get_item (G_LIST_MODEL (fixture->model), 1);
  weir_slot_model_set_filter (fixture->model, nothing);
  g_assert_cmpuint (fixture->n_items, ==, 0);
  g_assert_null (weir_slot_get_flow (slot));
}

static void
test_hold (Fixture *fixture, gconstpointer data)
{
  add_flows (fixture, 1, 4);
  sample_do_tick (fixture->store, 0);
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_RX_RATE, TRUE);
  add_rate (fixture, 3, 3000);
  sample_do_tick (fixture->store, 1);
  assert_order (fixture, "3 1 2 4");

  weir_slot_model_set_hold (fixture->model, TRUE);
  add_rate (fixture, 4, 9000);
  add_flows (fixture, 5, 2);
  struct weir_flow_record ended = sample_ended (1);
  sample_add (fixture->store, &ended);
  sample_do_tick (fixture->store, 2);
  assert_order (fixture, "3 1 2 4 5 6");
  sample_do_tick (fixture->store, 4);
  assert_order (fixture, "3 2 4 5 6");
  /* A person who clicks on a header gets that order, once. */
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_ARRIVAL, TRUE);
  assert_order (fixture, "6 5 4 3 2");
  add_flows (fixture, 7, 1);
  sample_do_tick (fixture->store, 5);
  assert_order (fixture, "6 5 4 3 2 7");
  weir_slot_model_set_hold (fixture->model, FALSE);
  assert_order (fixture, "7 6 5 4 3 2");
}

static void
test_frozen (Fixture *fixture, gconstpointer data)
{
  add_flows (fixture, 1, 4);
  sample_do_tick (fixture->store, 0);
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_RX_RATE, TRUE);
  add_rate (fixture, 2, 100);
  sample_do_tick (fixture->store, 1);
  weir_slot_model_set_frozen (fixture->model, TRUE);
  g_assert_cmpuint (weir_slot_model_get_waiting (fixture->model), ==, 0);

  fixture->n_refreshed = 0;
  add_rate (fixture, 2, 5000);
  add_rate (fixture, 3, 9000);
  add_flows (fixture, 5, 1);
  struct weir_flow_record ended = sample_ended (1);
  sample_add (fixture->store, &ended);
  sample_do_tick (fixture->store, 2);
  g_assert_cmpuint (weir_slot_model_get_waiting (fixture->model), ==, 4);
  sample_do_tick (fixture->store, 9);
  g_assert_null (weir_flow_store_lookup (fixture->store, 1));
  g_assert_cmpuint (weir_slot_model_get_waiting (fixture->model), ==, 4);
  g_assert_cmpuint (fixture->n_refreshed, ==, 0);

  /* All is as it was: order, figures, a row that is gone, the history. */
  assert_order (fixture, "2 1 3 4");
  g_autoptr (WeirSlot) slot = g_list_model_get_item (G_LIST_MODEL (fixture->model), 0);
  WeirFlow *flow = weir_slot_get_flow (slot);
  float rx[WEIR_FLOW_HISTORY], tx[WEIR_FLOW_HISTORY];
  double max_rx, max_tx;
  g_assert_cmpfloat (weir_flow_get_rx_rate (flow), ==, 100);
  g_assert_cmpuint (weir_flow_copy_history (flow, rx, tx), ==, 2);
  g_assert_cmpfloat (rx[1], ==, 100);
  weir_slot_model_get_maxima (fixture->model, &max_rx, &max_tx);
  g_assert_cmpfloat (max_rx, ==, 100);
  g_assert_cmpuint (weir_slot_model_get_total (fixture->model), ==, 4);

  /* Filter and sort work on what is frozen. */
  g_autoptr (WeirFilter) filter = weir_filter_new (":4000", NULL);
  weir_slot_model_set_filter (fixture->model, filter);
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_ARRIVAL, TRUE);
  assert_order (fixture, "4 3 2 1");
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_RX_RATE, TRUE);

  weir_slot_model_set_frozen (fixture->model, FALSE);
  g_assert_cmpuint (weir_slot_model_get_waiting (fixture->model), ==, 0);
  assert_order (fixture, "3 2 4 5");
}

static void
test_frozen_keeps_held_order (Fixture *fixture, gconstpointer data)
{
  add_flows (fixture, 1, 3);
  sample_do_tick (fixture->store, 0);
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_RX_RATE, TRUE);
  weir_slot_model_set_hold (fixture->model, TRUE);
  add_rate (fixture, 3, 3000);
  sample_do_tick (fixture->store, 1);
  assert_order (fixture, "1 2 3");
  weir_slot_model_set_frozen (fixture->model, TRUE);
  assert_order (fixture, "1 2 3");
  weir_slot_model_set_frozen (fixture->model, FALSE);
  assert_order (fixture, "3 1 2");
}

static void
test_restart_while_frozen (Fixture *fixture, gconstpointer data)
{
  add_flows (fixture, 1, 2);
  sample_do_tick (fixture->store, 0);
  weir_slot_model_set_frozen (fixture->model, TRUE);
  weir_flow_store_restart (fixture->store);
  struct weir_flow_record record = sample_record (1);
  record.id = 77;
  sample_add (fixture->store, &record);
  sample_do_tick (fixture->store, 1);
  assert_order (fixture, "1 2");
  weir_slot_model_set_frozen (fixture->model, FALSE);
  assert_order (fixture, "77");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
  g_test_add ("/slot-model/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("values", test_values);
  ADD ("absent-is-last", test_absent_is_last);
  ADD ("texts", test_texts);
  ADD ("ties-go-by-number", test_ties_go_by_number);
  ADD ("filter", test_filter);
  ADD ("leaving-slot-is-empty", test_leaving_slot_is_empty);
  ADD ("hold", test_hold);
  ADD ("frozen", test_frozen);
  ADD ("frozen-keeps-held-order", test_frozen_keeps_held_order);
  ADD ("restart-while-frozen", test_restart_while_frozen);
  return g_test_run ();
}
