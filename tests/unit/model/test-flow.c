/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "model-samples.h"
#include "weir-filter.h"
#include "weir-flow.h"

static WeirFlow *
add_flow (WeirFlowStore *store, const struct weir_flow_record *record)
{
  sample_add (store, record);
  sample_do_tick (store, 0);
  return weir_flow_store_lookup (store, record->id);
}

static void
test_texts (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  struct weir_flow_record record = sample_record (1);
  WeirFlow *flow = add_flow (store, &record);

  g_assert_cmpuint (weir_flow_get_id (flow), ==, 1);
  g_assert_cmpstr (weir_flow_get_app_name (flow), ==, "example");
  g_assert_cmpstr (weir_flow_get_app_id (flow), ==, "example");
  g_assert_cmpstr (weir_flow_get_comm (flow), ==, "example");
  g_assert_cmpstr (weir_flow_get_remote (flow), ==, "198.51.100.7:443");
  g_assert_cmpstr (weir_flow_get_local (flow), ==, "192.0.2.1:40001");
  g_assert_cmpstr (weir_flow_get_protocol (flow), ==, "TCP");
  g_assert_cmpstr (weir_flow_get_state_name (flow), ==, "Open");
  g_assert_true (weir_flow_has_ports (flow));
  /* The sample was first seen one second before the first tick, at 10:00:00. */
  g_assert_cmpint (weir_flow_get_first_seen (flow), ==, G_GINT64_CONSTANT (1795255199000000));
  g_assert_cmpint (weir_flow_get_read_at (flow), ==, G_GINT64_CONSTANT (1795255200000000));
}

static gboolean
user_is_root (gpointer data)
{
  static guint number = 1;

  /* Names come into the rows with a tick. */
  sample_do_tick (data, number++);
  return g_strcmp0 (weir_flow_get_user (weir_flow_store_lookup (data, 1)), "root") == 0;
}

static gboolean
keep_awake (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static void
test_user (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  struct weir_flow_record record = sample_record (1);
  WeirFlow *flow = add_flow (store, &record);
  guint timer = g_timeout_add (10, keep_awake, NULL);

  /* The number is shown until the name is there. */
  g_assert_cmpstr (weir_flow_get_user (flow), ==, "0");
  g_assert_nonnull (strstr (weir_flow_get_search_text (flow), "\n0\n"));
  sample_wait (user_is_root, store);
  g_assert_nonnull (strstr (weir_flow_get_search_text (flow), "\nroot\n"));
  g_source_remove (timer);
}

static void
test_nothing_known (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  struct weir_flow_record record = {
    .id = 1, .change = WEIR_FLOW_ADDED, .groups = WEIR_FLOW_KEY, .family = 6, .protocol = 250
  };
  sample_set_v6 (&record.local, "2001:db8::1", 0);
  WeirFlow *flow = add_flow (store, &record);
  float rx[WEIR_FLOW_HISTORY], tx[WEIR_FLOW_HISTORY];

  g_assert_null (weir_flow_get_app_name (flow));
  g_assert_null (weir_flow_get_app_id (flow));
  g_assert_null (weir_flow_get_comm (flow));
  g_assert_null (weir_flow_get_user (flow));
  g_assert_null (weir_flow_get_state_name (flow));
  g_assert_cmpstr (weir_flow_get_protocol (flow), ==, "250");
  g_assert_false (weir_flow_has_ports (flow));
  g_assert_cmpstr (weir_flow_get_local (flow), ==, "2001:db8::1");
  g_assert_cmpstr (weir_flow_get_remote (flow), ==, "*");
  g_assert_cmpint (weir_flow_get_first_seen (flow), ==, -1);
  g_assert_cmpfloat (weir_flow_get_rx_rate (flow), ==, WEIR_ABSENT);
  g_assert_cmpfloat (weir_flow_get_smooth_tx_rate (flow), ==, WEIR_ABSENT);
  g_assert_cmpfloat (weir_flow_get_rx_bytes (flow), ==, WEIR_ABSENT);
  g_assert_cmpfloat (weir_flow_get_total (flow), ==, WEIR_ABSENT);
  g_assert_cmpuint (weir_flow_copy_history (flow, rx, tx), ==, 1);
  g_assert_cmpfloat (rx[0], ==, WEIR_ABSENT);
}

static void
test_frames (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  const struct weir_flow_record record = {
    .id = 1, .change = WEIR_FLOW_ADDED, .groups = WEIR_FLOW_KEY, .netns = 1
  };
  g_autoptr (WeirFilter) wanted = weir_filter_new ("proto:frames", NULL),
                         other = weir_filter_new ("proto:0", NULL);
  WeirFlow *flow = add_flow (store, &record);

  g_assert_cmpstr (weir_flow_get_protocol (flow), ==, "Frames");
  g_assert_cmpstr (weir_flow_get_local (flow), ==, "*");
  g_assert_cmpstr (weir_flow_get_remote (flow), ==, "*");
  g_assert_true (weir_filter_match (wanted, flow));
  g_assert_false (weir_filter_match (other, flow));
}

static void
test_hostile_texts (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  struct weir_flow_record record = sample_record (1);

  /* 16 bytes without a terminator. */
  memcpy (record.comm,
          "\xff<b>\t\xe2\x80\xae"
          "exe\x9bxyz12",
          16);
  WeirFlow *flow = add_flow (store, &record);
  g_assert_cmpstr (weir_flow_get_comm (flow), ==, "\ufffd<b>\ufffd\ufffdexe\ufffdxyz1");
  g_assert_true (g_utf8_validate (weir_flow_get_search_text (flow), -1, NULL));
}

static void
test_groups_merge (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  struct weir_flow_record record = sample_record (1), bytes = sample_bytes (1, 500, 50);
  WeirFlow *flow = add_flow (store, &record);

  sample_add (store, &bytes);
  /* What is shown changes with the tick, not with the record. */
  g_assert_cmpfloat (weir_flow_get_rx_rate (flow), ==, 0);
  sample_do_tick (store, 1);
  g_assert_cmpfloat (weir_flow_get_rx_rate (flow), ==, 500);
  g_assert_cmpfloat (weir_flow_get_total (flow), ==, 1500 + 150);
  /* What the second record did not name is as it was. */
  g_assert_cmpuint (weir_flow_get_record (flow)->rtt_us, ==, 12400);
  g_assert_cmpstr (weir_flow_get_comm (flow), ==, "example");
  g_assert_cmpint (weir_flow_get_app_kind (flow), ==, WEIR_APP_PROGRAM);
  g_assert_cmpstr (weir_flow_get_unit (flow), ==, "session-3.scope");

  struct weir_flow_record owner = { .id = 1,
                                    .change = WEIR_FLOW_CHANGED,
                                    .groups = WEIR_FLOW_OWNER,
                                    .comm = "other",
                                    .cgroup = "/system.slice/new.service" };
  sample_add (store, &owner);
  sample_do_tick (store, 2);
  g_assert_cmpstr (weir_flow_get_comm (flow), ==, "other");
  g_assert_cmpstr (weir_flow_get_app_name (flow), ==, "new");
  g_assert_cmpint (weir_flow_get_app_kind (flow), ==, WEIR_APP_SERVICE);
  g_assert_cmpstr (weir_flow_get_unit (flow), ==, "new.service");
  g_assert_null (weir_flow_get_container (flow));
  g_assert_null (weir_flow_get_user (flow));
  g_assert_nonnull (strstr (weir_flow_get_search_text (flow), "other"));
  g_assert_null (strstr (weir_flow_get_search_text (flow), "example"));

  g_strlcpy (owner.cgroup, "/lxc.payload.web/lxc.payload.db/x.service", sizeof owner.cgroup);
  sample_add (store, &owner);
  sample_do_tick (store, 3);
  g_assert_cmpint (weir_flow_get_app_kind (flow), ==, WEIR_APP_CONTAINER);
  g_assert_cmpstr (weir_flow_get_unit (flow), ==, "x.service");
  g_assert_cmpstr (weir_flow_get_container (flow), ==, "LXC web/LXC db");
  g_assert_nonnull (strstr (weir_flow_get_search_text (flow), "lxc web/lxc db"));

  struct weir_flow_record tracking = { .id = 1,
                                       .change = WEIR_FLOW_CHANGED,
                                       .groups = WEIR_FLOW_CONNTRACK,
                                       .zone = 7,
                                       .zone_direction = WEIR_ZONE_REPLY,
                                       .has_mark = true,
                                       .mark = 5,
                                       .has_tracking_state = true,
                                       .tracking_state = 3,
                                       .answered = true };
  sample_add (store, &tracking);
  sample_add (store, &bytes);
  sample_do_tick (store, 4);
  g_assert_cmpuint (weir_flow_get_record (flow)->zone, ==, 7);
  g_assert_cmpuint (weir_flow_get_record (flow)->zone_direction, ==, WEIR_ZONE_REPLY);
  g_assert_true (weir_flow_get_record (flow)->has_mark);
  g_assert_cmpuint (weir_flow_get_record (flow)->mark, ==, 5);
  g_assert_true (weir_flow_get_record (flow)->has_tracking_state);
  g_assert_cmpuint (weir_flow_get_record (flow)->tracking_state, ==, 3);
  g_assert_true (weir_flow_get_record (flow)->answered);
}

static void
test_smoothing (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  struct weir_flow_record record = sample_record (1), bytes = sample_bytes (1, 1000, 0);
  WeirFlow *flow = add_flow (store, &record);
  double last = 0;

  sample_add (store, &bytes);
  for (guint tick = 1; tick <= 20; tick++)
    {
      sample_do_tick (store, tick);
      g_assert_cmpfloat (weir_flow_get_smooth_rx_rate (flow), >, last);
      last = weir_flow_get_smooth_rx_rate (flow);
      /* After three seconds 1 - 1/e of a step is there. */
      if (tick == 3)
        g_assert_cmpfloat_with_epsilon (last, 632, 1);
    }
  g_assert_cmpfloat_with_epsilon (last, 1000, 5);

  bytes = sample_bytes (1, 0, 0);
  sample_add (store, &bytes);
  for (guint tick = 21; tick <= 50; tick++)
    sample_do_tick (store, tick);
  g_assert_cmpfloat (weir_flow_get_smooth_rx_rate (flow), ==, 0);
}

static void
test_history (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  struct weir_flow_record record = sample_record (1);
  WeirFlow *flow = add_flow (store, &record);
  float rx[WEIR_FLOW_HISTORY], tx[WEIR_FLOW_HISTORY];

  for (guint tick = 1; tick < 5; tick++)
    sample_do_tick (store, tick);
  g_assert_cmpuint (weir_flow_copy_history (flow, rx, tx), ==, 5);
  g_assert_cmpfloat (rx[4], ==, 0);

  for (guint tick = 5; tick < 8; tick++)
    {
      struct weir_flow_record bytes = sample_bytes (1, tick * 100, tick);
      sample_add (store, &bytes);
      sample_do_tick (store, tick);
    }
  g_assert_cmpuint (weir_flow_copy_history (flow, rx, tx), ==, 8);
  g_assert_cmpfloat (rx[4], ==, 0);
  g_assert_cmpfloat (rx[5], ==, 500);
  g_assert_cmpfloat (rx[7], ==, 700);
  g_assert_cmpfloat (tx[7], ==, 7);

  for (guint tick = 8; tick < 100; tick++)
    {
      struct weir_flow_record bytes = sample_bytes (1, tick * 100, tick);
      sample_add (store, &bytes);
      sample_do_tick (store, tick);
    }
  g_assert_cmpuint (weir_flow_copy_history (flow, rx, tx), ==, WEIR_FLOW_HISTORY);
  g_assert_cmpfloat (rx[0], ==, 4000);
  g_assert_cmpfloat (rx[WEIR_FLOW_HISTORY - 1], ==, 9900);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/texts", test_texts);
  g_test_add_func ("/flow/user", test_user);
  g_test_add_func ("/flow/nothing-known", test_nothing_known);
  g_test_add_func ("/flow/frames", test_frames);
  g_test_add_func ("/flow/hostile-texts", test_hostile_texts);
  g_test_add_func ("/flow/groups-merge", test_groups_merge);
  g_test_add_func ("/flow/smoothing", test_smoothing);
  g_test_add_func ("/flow/history", test_history);
  return g_test_run ();
}
