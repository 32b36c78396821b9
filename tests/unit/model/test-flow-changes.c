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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow-changes/changes", test_changes);
  return g_test_run ();
}
