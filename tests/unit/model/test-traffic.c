/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model-samples.h"
#include "weir-flow-store-private.h"
#include "weir-traffic.h"

#define COUNTED (WEIR_INTERFACE_UP | WEIR_INTERFACE_COUNTED)

/* Inode of the samples' network namespace. */
#define OWN 4026531840

typedef struct
{
  WeirFlowStore *store;
  WeirTraffic *traffic;
  struct weir_interface_record interfaces[2];
  WeirSample sample;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->store = weir_flow_store_new ();
  fixture->traffic = weir_traffic_new ();
  fixture->interfaces[0] = (struct weir_interface_record) {
    .index = 2, .flags = COUNTED, .has_rates = true, .rx_rate = 90000, .tx_rate = 10000
  };
  fixture->interfaces[1] = (struct weir_interface_record) {
    .index = 1,
    .flags = WEIR_INTERFACE_UP | WEIR_INTERFACE_LOOPBACK,
    .has_rates = true,
    .rx_rate = 5000000,
    .tx_rate = 5000000,
  };
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  weir_traffic_free (fixture->traffic);
  g_object_unref (fixture->store);
}

static gboolean
add_tick (Fixture *fixture, guint number)
{
  struct weir_tick tick = sample_tick (number);

  weir_flow_store_tick (fixture->store, &tick);
  return weir_traffic_add (fixture->traffic, fixture->interfaces, 2,
                           weir_flow_store_get_rows (fixture->store), &tick, OWN, &fixture->sample);
}

/* A flow whose IP packets, without their number, were counted at @rate. */
static void
add_flow (Fixture *fixture, guint64 id, guint64 rate, guint8 direction, gboolean known)
{
  struct weir_flow_record record = sample_record (id);

  record.bytes_source = WEIR_SOURCE_BPF;
  record.has_packets = false;
  record.rx_rate = rate;
  record.direction = direction;
  if (!known)
    record.groups &= ~WEIR_FLOW_OWNER;
  sample_add (fixture->store, &record);
}

static void
run (Fixture *fixture, guint first, guint last)
{
  for (guint number = first; number <= last; number++)
    add_tick (fixture, number);
}

static void
test_sample (Fixture *fixture, gconstpointer data)
{
  g_assert_true (add_tick (fixture, 5));
  g_assert_cmpfloat (fixture->sample.rx, ==, 90000);
  g_assert_cmpfloat (fixture->sample.tx, ==, 10000);
  g_assert_cmpuint (fixture->sample.interval, ==, 1000000000);
  g_assert_cmpuint (fixture->sample.time, ==, sample_tick (5).monotonic);
}

static void
test_counters_bridge_engines (Fixture *fixture, gconstpointer data)
{
  /* A first tick of a first engine: nothing to compare with. */
  fixture->interfaces[0].has_rates = fixture->interfaces[1].has_rates = false;
  fixture->interfaces[0].rx_bytes = 1000000;
  g_assert_false (add_tick (fixture, 0));

  /* The next engine's first tick, two seconds later. */
  fixture->interfaces[0].rx_bytes = 1006000;
  fixture->interfaces[0].tx_bytes = 400;
  fixture->interfaces[1].rx_bytes = 99999;
  struct weir_tick tick = sample_tick (2);
  tick.interval = 0;
  g_assert_true (weir_traffic_add (fixture->traffic, fixture->interfaces, 2,
                                   weir_flow_store_get_rows (fixture->store), &tick, OWN,
                                   &fixture->sample));
  g_assert_cmpfloat (fixture->sample.rx, ==, 3000);
  g_assert_cmpfloat (fixture->sample.tx, ==, 200);
  g_assert_cmpuint (fixture->sample.interval, ==, 2000000000);

  /* Too soon after it for a rate that means anything. */
  fixture->interfaces[0].rx_bytes += 5000;
  tick.monotonic += 100000000;
  g_assert_false (weir_traffic_add (fixture->traffic, fixture->interfaces, 2,
                                    weir_flow_store_get_rows (fixture->store), &tick, OWN,
                                    &fixture->sample));

  /* Counters that shrink are no traffic. */
  fixture->interfaces[0].rx_bytes = 5;
  tick = sample_tick (4);
  tick.interval = 0;
  g_assert_false (weir_traffic_add (fixture->traffic, fixture->interfaces, 2,
                                    weir_flow_store_get_rows (fixture->store), &tick, OWN,
                                    &fixture->sample));
}

static void
test_share (Fixture *fixture, gconstpointer data)
{
  /* 100 kB/s at the interface: 50 of a known app, 30 of nobody known, 10 of a local flow. */
  add_flow (fixture, 1, 50000, WEIR_DIRECTION_OUT, TRUE);
  add_flow (fixture, 2, 30000, WEIR_DIRECTION_OUT, FALSE);
  add_flow (fixture, 3, 10000, WEIR_DIRECTION_LOCAL, TRUE);
  run (fixture, 1, 4);
  g_assert_cmpfloat (weir_traffic_get_unknown_share (fixture->traffic), ==, WEIR_ABSENT);
  run (fixture, 5, 20);
  g_assert_cmpfloat_with_epsilon (weir_traffic_get_unknown_share (fixture->traffic), 0.5, 0.01);
}

/* What a container does is not seen at our interfaces as its own. */
static void
test_other_namespaces (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (2);

  add_flow (fixture, 1, 50000, WEIR_DIRECTION_OUT, TRUE);
  record.netns = OWN + 1;
  record.rx_rate = 50000;
  sample_add (fixture->store, &record);
  run (fixture, 1, 20);
  g_assert_cmpfloat_with_epsilon (weir_traffic_get_unknown_share (fixture->traffic), 0.5, 0.01);
}

static void
test_headers_are_not_unknown (Fixture *fixture, gconstpointer data)
{
  /* A socket's payload: 93 kB in segments, the rest at the interface are headers. */
  struct weir_flow_record record = sample_record (1);
  record.rx_rate = 93000;
  record.has_packets = false;
  sample_add (fixture->store, &record);
  run (fixture, 1, 20);
  g_assert_cmpfloat (weir_traffic_get_unknown_share (fixture->traffic), ==, 0);
}

static void
test_packets_tell_the_headers (Fixture *fixture, gconstpointer data)
{
  /* Small segments: 500 a second with 134 bytes of payload and 66 of headers are all there is. */
  struct weir_flow_record record = sample_record (1);

  for (guint number = 1; number <= 20; number++)
    {
      record.rx_rate = 67000;
      record.rx_packets = 500 * number;
      record.tx_packets = 0;
      sample_add (fixture->store, &record);
      add_tick (fixture, number);
    }
  g_assert_cmpfloat (weir_traffic_get_unknown_share (fixture->traffic), ==, 0);
}

static void
test_too_little (Fixture *fixture, gconstpointer data)
{
  fixture->interfaces[0].rx_rate = 100;
  fixture->interfaces[0].tx_rate = 0;
  run (fixture, 1, 50);
  g_assert_cmpfloat (weir_traffic_get_unknown_share (fixture->traffic), ==, WEIR_ABSENT);
}

static void
test_only_the_last_minute (Fixture *fixture, gconstpointer data)
{
  run (fixture, 1, 30);
  g_assert_cmpfloat (weir_traffic_get_unknown_share (fixture->traffic), ==, 1);
  add_flow (fixture, 1, 99500, WEIR_DIRECTION_OUT, TRUE);
  run (fixture, 31, 60);
  g_assert_cmpfloat_with_epsilon (weir_traffic_get_unknown_share (fixture->traffic), 0.5, 0.02);
  run (fixture, 61, 100);
  g_assert_cmpfloat (weir_traffic_get_unknown_share (fixture->traffic), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
  g_test_add ("/traffic/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("sample", test_sample);
  ADD ("counters-bridge-engines", test_counters_bridge_engines);
  ADD ("share", test_share);
  ADD ("other-namespaces", test_other_namespaces);
  ADD ("headers-are-not-unknown", test_headers_are_not_unknown);
  ADD ("packets-tell-the-headers", test_packets_tell_the_headers);
  ADD ("too-little", test_too_little);
  ADD ("only-the-last-minute", test_only_the_last_minute);
  return g_test_run ();
}
