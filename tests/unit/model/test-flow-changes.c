/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model-samples.h"
#include "weir-flow-changes.h"

static void
add_id (WeirFlow *flow, gpointer data)
{
  g_string_append_printf (data, "%" G_GUINT64_FORMAT "%s ", weir_flow_get_id (flow),
                          weir_flow_is_closed (flow) ? "!" : "");
}

static void
assert_changed (WeirFlowStore *store, const char *expected)
{
  g_autoptr (GString) ids = g_string_new (NULL);

  weir_flow_store_foreach_changed (store, add_id, ids);
  g_assert_cmpstr (ids->str, ==, expected);
}

static void
test_changes (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();

  assert_changed (store, "");
  for (guint i = 1; i <= 3; i++)
    {
      struct weir_flow_record record = sample_record (i);
      sample_add (store, &record);
    }
  assert_changed (store, "");
  sample_do_tick (store, 0);
  assert_changed (store, "1 2 3 ");
  sample_do_tick (store, 1);
  assert_changed (store, "");

  struct weir_flow_record moved = sample_bytes (2, 10, 0), ended = sample_ended (3);
  sample_add (store, &moved);
  sample_add (store, &ended);
  sample_do_tick (store, 2);
  assert_changed (store, "2 3! ");

  /* Begun and ended between two ticks. */
  struct weir_flow_record born = sample_record (4), died = sample_ended (4);
  sample_add (store, &born);
  sample_add (store, &died);
  sample_do_tick (store, 3);
  assert_changed (store, "4! ");
}

static void
on_news (WeirFlowStore *store, GString *ids)
{
  weir_flow_store_foreach_news (store, add_id, ids);
  g_string_append (ids, "; ");
}

/* What was told before the tick is told again only when it changed. */
static void
test_news (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  g_autoptr (GString) ids = g_string_new (NULL);

  g_signal_connect (store, "news", G_CALLBACK (on_news), ids);
  for (guint i = 1; i <= 5; i++)
    {
      struct weir_flow_record record = sample_record (i);
      sample_add (store, &record);
      if (i == 2)
        sample_do_tick (store, 0);
      if (i == 4)
        weir_flow_store_announce (store, sample_tick (0).monotonic + 1);
    }
  struct weir_flow_record owned = sample_record (3), moved = sample_bytes (4, 10, 0);
  owned.change = WEIR_FLOW_CHANGED;
  owned.groups = WEIR_FLOW_OWNER;
  sample_add (store, &owned);
  sample_add (store, &owned);
  weir_flow_store_announce (store, sample_tick (0).monotonic + 2);
  weir_flow_store_announce (store, sample_tick (0).monotonic + 3);
  g_assert_cmpstr (ids->str, ==, "3 4 ; 5 3 ; ; ");
  sample_add (store, &moved);
  sample_do_tick (store, 1);
  assert_changed (store, "4 ");
  g_string_truncate (ids, 0);
  weir_flow_store_foreach_news (store, add_id, ids);
  g_assert_cmpstr (ids->str, ==, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow-changes/changes", test_changes);
  g_test_add_func ("/flow-changes/news", test_news);
  return g_test_run ();
}
