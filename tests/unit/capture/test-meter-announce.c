/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the meter tells of flows that are new, and when it looks again at those that it held back.
 */
#include "weir-meter-private.h"

#include "readings-builder.h"

#define MS    WEIR_MS
#define START (1000 * MS)

struct fixture
{
  struct weir_meter *meter;
  guint n_flows;
};

/* What the clocks say, and what of the processor's time each look at them shows more. */
static struct weir_moment clocks;
static uint64_t cost;

static void
read_clocks (struct weir_moment *ret_now)
{
  clocks.cpu += cost;
  *ret_now = clocks;
}

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  struct weir_meter *meter = g_new0 (struct weir_meter, 1);

  fixture->meter = meter;
  clocks = (struct weir_moment) { .awake = START, .boot = START };
  cost = 0;
  meter->read_clocks = read_clocks;
  g_assert_cmpint (weir_join_init (&meter->join, 1, true, WEIR_FLOWS_MAX), ==, 0);
  own_addresses (&meter->join.own.addresses, (const char *const[]) { "10.0.0.1", NULL });
  weir_publisher_init (&meter->publisher, WEIR_ROWS_DEFAULT);
  meter->publisher.last_tick = START;
  weir_client_init (&meter->client, -1, START);
  meter->client.started = true;
  meter->client.announce_ms = 10;
  weir_meter_init_announce (meter);
  meter->announce.seen_id = meter->join.table.next_id;
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  weir_client_clear (&fixture->meter->client);
  weir_publisher_clear (&fixture->meter->publisher);
  weir_join_clear (&fixture->meter->join);
  g_free (fixture->meter);
}

/* One that nobody is known to own. */
static void
begin_flow (struct fixture *fixture)
{
  const struct weir_conntrack_reading reading =
      conntrack_reading ("10.0.0.1", (guint16) (1000 + fixture->n_flows++), "198.51.100.7", 443);

  weir_join_conntrack (&fixture->meter->join, &reading, WEIR_CONNTRACK_NEW, clocks.boot);
}

/* How long it is until there is something to do, in ms; -1: there is nothing. */
static int
get_wait (struct fixture *fixture)
{
  const uint64_t due = weir_meter_get_announce_due (fixture->meter, clocks.awake);

  if (due == UINT64_MAX)
    return -1;
  return due > clocks.awake ? (int) ((due - clocks.awake) / MS) : 0;
}

/* Lets @ms go by; whether anything was told then. */
static gboolean
announce (struct fixture *fixture, guint ms)
{
  struct weir_writer *writer = weir_client_get_writer (&fixture->meter->client);
  gboolean told;

  clocks.awake += ms * MS;
  clocks.boot = clocks.awake;
  g_assert_cmpint (weir_meter_announce (fixture->meter, &clocks), ==, 0);
  told = writer->size > 0;
  writer->size = 0;
  return told;
}

/* A flow whose owner is looked for is told of when that is known, or after its time. */
static void
test_held_back (struct fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (get_wait (fixture), ==, -1);
  begin_flow (fixture);
  g_assert_cmpint (get_wait (fixture), ==, 0);
  g_assert_false (announce (fixture, 0));
  g_assert_cmpint (get_wait (fixture), ==, 10);
  /* Who asks at every turn does not make it look at every turn. */
  fixture->meter->join.owners.news++;
  g_assert_cmpint (get_wait (fixture), ==, 1);
  g_assert_false (announce (fixture, 1));
  g_assert_cmpint (get_wait (fixture), ==, 10);
  begin_flow (fixture);
  g_assert_cmpint (get_wait (fixture), ==, 1);
  g_assert_false (announce (fixture, 1));
  g_assert_true (announce (fixture, 10));
}

/* However much there is to tell: not more often than was wished. */
static void
test_wish (struct fixture *fixture, gconstpointer data)
{
  begin_flow (fixture);
  g_assert_false (announce (fixture, 0));
  g_assert_true (announce (fixture, 10));
  begin_flow (fixture);
  fixture->meter->join.owners.news++;
  g_assert_cmpint (get_wait (fixture), ==, 10);
  fixture->meter->client.announce_ms = 0;
  g_assert_cmpint (get_wait (fixture), ==, -1);
}

/* Whatever is news: looking costs no more than a tenth of a processor, and a fifth of a second. */
static void
test_allowance (struct fixture *fixture, gconstpointer data)
{
  guint n = 0;

  cost = 20 * MS;
  for (guint ms = 0; ms < 3000; ms++)
    {
      const uint64_t before = clocks.cpu;

      fixture->meter->client.renewed = clocks.awake;
      begin_flow (fixture);
      announce (fixture, 1);
      n += clocks.cpu != before;
    }
  g_assert_cmpuint (n, >, 20);
  g_assert_cmpuint (n, <, 30);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/meter-announce/" name, struct fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("held-back", test_held_back);
  ADD ("wish", test_wish);
  ADD ("allowance", test_allowance);
  return g_test_run ();
}
