/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "readings-builder.h"
#include "weir-join.h"

static const char *const OWN[] = { "192.0.2.1", "10.0.0.1", "2001:db8::1", NULL };

struct fixture
{
  struct weir_join join;
};

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (weir_join_init (&fixture->join, 1, true, 1000), ==, 0);
  own_addresses (&fixture->join.own.addresses, OWN);
  read_sockets (&fixture->join, NULL, 0, S);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  weir_join_clear (&fixture->join);
}

struct row
{
  const char *local;
  guint16 local_port;
  const char *remote;
  guint16 remote_port;
  enum weir_direction direction;
  guint64 rx, tx;
  /* NULL: not translated */
  const char *nat_local;
  guint16 nat_local_port;
  const char *nat_remote;
  guint16 nat_remote_port;
};

static void
assert_endpoint (const struct weir_endpoint *found, const char *address, guint16 port)
{
  struct weir_endpoint expected = endpoint (address, port);

  g_assert_cmpmem (found->address, 16, expected.address, 16);
  g_assert_cmpuint (found->port, ==, port);
}

static void
assert_row (struct fixture *fixture, const struct row *row)
{
  struct weir_flow *flow = find_flow (&fixture->join, IPPROTO_TCP, row->local, row->local_port,
                                      row->remote, row->remote_port);
  guint64 rx, tx;

  g_assert_nonnull (flow);
  g_assert_cmpuint (flow->direction, ==, row->direction);
  g_assert_true (weir_flow_get_bytes (flow, &rx, &tx));
  g_assert_cmpuint (rx, ==, row->rx);
  g_assert_cmpuint (tx, ==, row->tx);
  g_assert_cmpint ((flow->flags & WEIR_FLOW_HAS_NAT) != 0, ==, row->nat_local != NULL);
  if (row->nat_local == NULL)
    return;
  assert_endpoint (&flow->extra->nat_local, row->nat_local, row->nat_local_port);
  assert_endpoint (&flow->extra->nat_remote, row->nat_remote, row->nat_remote_port);
}

/* Each case: who sent the first packet, what an answer looks like, and the rows that must come out
 * of 1000 bytes forth and 300 back. */
static const struct
{
  const char *name;
  const char *addresses[4]; /* orig source and destination, reply source and destination */
  guint16 ports[4];
  guint n_rows;
  struct row rows[2];
} cases[] = {
  { "out",
    { "192.0.2.1", "198.51.100.7", "198.51.100.7", "192.0.2.1" },
    { 4000, 443, 443, 4000 },
    1,
    { { "192.0.2.1", 4000, "198.51.100.7", 443, WEIR_DIRECTION_OUT, 300, 1000 } } },
  { "in",
    { "198.51.100.7", "192.0.2.1", "192.0.2.1", "198.51.100.7" },
    { 4000, 22, 22, 4000 },
    1,
    { { "192.0.2.1", 22, "198.51.100.7", 4000, WEIR_DIRECTION_IN, 1000, 300 } } },
  { "in by IPv6",
    { "2001:db8::9", "2001:db8::1", "2001:db8::1", "2001:db8::9" },
    { 4000, 22, 22, 4000 },
    1,
    { { "2001:db8::1", 22, "2001:db8::9", 4000, WEIR_DIRECTION_IN, 1000, 300 } } },
  { "loopback",
    { "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1" },
    { 4000, 80, 80, 4000 },
    2,
    { { "127.0.0.1", 4000, "127.0.0.1", 80, WEIR_DIRECTION_LOCAL, 300, 1000 },
      { "127.0.0.1", 80, "127.0.0.1", 4000, WEIR_DIRECTION_LOCAL, 1000, 300 } } },
  { "between own addresses",
    { "192.0.2.1", "10.0.0.1", "10.0.0.1", "192.0.2.1" },
    { 4000, 80, 80, 4000 },
    2,
    { { "192.0.2.1", 4000, "10.0.0.1", 80, WEIR_DIRECTION_LOCAL, 300, 1000 },
      { "10.0.0.1", 80, "192.0.2.1", 4000, WEIR_DIRECTION_LOCAL, 1000, 300 } } },
  { "a socket connected to itself",
    { "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1" },
    { 4000, 4000, 4000, 4000 },
    1,
    { { "127.0.0.1", 4000, "127.0.0.1", 4000, WEIR_DIRECTION_LOCAL, 300, 1000 } } },
  { "forwarded",
    { "10.0.0.2", "198.51.100.7", "198.51.100.7", "10.0.0.2" },
    { 4000, 443, 443, 4000 },
    1,
    { { "10.0.0.2", 4000, "198.51.100.7", 443, WEIR_DIRECTION_FORWARDED, 300, 1000 } } },
  { "forwarded, masqueraded as us",
    { "10.0.0.2", "198.51.100.7", "198.51.100.7", "192.0.2.1" },
    { 4000, 443, 443, 50000 },
    1,
    { { "10.0.0.2", 4000, "198.51.100.7", 443, WEIR_DIRECTION_FORWARDED, 300, 1000, "192.0.2.1",
        50000, "198.51.100.7", 443 } } },
  { "forwarded, addressed to us",
    { "198.51.100.7", "192.0.2.1", "10.0.0.2", "198.51.100.7" },
    { 4000, 8080, 80, 4000 },
    1,
    { { "198.51.100.7", 4000, "192.0.2.1", 8080, WEIR_DIRECTION_FORWARDED, 300, 1000,
        "198.51.100.7", 4000, "10.0.0.2", 80 } } },
  { "out, to another destination",
    { "192.0.2.1", "10.96.0.1", "10.0.0.2", "192.0.2.1" },
    { 4000, 443, 6443, 4000 },
    1,
    { { "192.0.2.1", 4000, "10.96.0.1", 443, WEIR_DIRECTION_OUT, 300, 1000, "192.0.2.1", 4000,
        "10.0.0.2", 6443 } } },
  { "in, redirected to another port",
    { "198.51.100.7", "192.0.2.1", "192.0.2.1", "198.51.100.7" },
    { 4000, 80, 8080, 4000 },
    1,
    { { "192.0.2.1", 8080, "198.51.100.7", 4000, WEIR_DIRECTION_IN, 1000, 300, "192.0.2.1", 80,
        "198.51.100.7", 4000 } } },
  { "multicast received",
    { "192.0.2.9", "224.0.0.251", "224.0.0.251", "192.0.2.9" },
    { 5353, 5353, 5353, 5353 },
    1,
    { { "224.0.0.251", 5353, "192.0.2.9", 5353, WEIR_DIRECTION_IN, 1000, 300 } } },
  { "multicast sent",
    { "192.0.2.1", "224.0.0.251", "224.0.0.251", "192.0.2.1" },
    { 5353, 5353, 5353, 5353 },
    1,
    { { "192.0.2.1", 5353, "224.0.0.251", 5353, WEIR_DIRECTION_OUT, 300, 1000 } } },
};

static void
test_orientation (struct fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      struct weir_conntrack_reading reading = conntrack_reading (
          cases[i].addresses[0], cases[i].ports[0], cases[i].addresses[1], cases[i].ports[1]);
      struct fixture another;

      g_test_message ("%s", cases[i].name);
      reading.reply_src = endpoint (cases[i].addresses[2], cases[i].ports[2]);
      reading.reply_dst = endpoint (cases[i].addresses[3], cases[i].ports[3]);
      count (&reading, 1000, 300);
      set_up (&another, NULL);
      read_entries (&another.join, &reading, 1, S);
      weir_join_settle (&another.join, S);
      g_assert_cmpuint (count_flows (&another.join), ==, cases[i].n_rows);
      for (guint row = 0; row < cases[i].n_rows; row++)
        assert_row (&another, &cases[i].rows[row]);

      /* The end has the last figures, for every row. */
      count (&reading, 5000, 3000);
      weir_join_conntrack (&another.join, &reading, WEIR_CONNTRACK_DESTROY, 2 * S);
      weir_join_settle (&another.join, 2 * S);
      g_assert_cmpuint (count_flows (&another.join), ==, cases[i].n_rows);
      for (guint32 slot = 0, row = 0; row < cases[i].n_rows; row++)
        {
          struct weir_flow *flow = weir_flow_table_next (&another.join.table, &slot);

          g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
          g_assert_cmpuint (flow->ct_rx_bytes + flow->ct_tx_bytes, ==, 8000);
        }
      tear_down (&another, NULL);
    }
}

/* An address that came up a moment ago: the event was there first. */
static void
test_address_comes_late (struct fixture *fixture, gconstpointer data)
{
  static const char *const more[] = { "192.0.2.1", "203.0.113.9", NULL };
  struct weir_conntrack_reading out = conntrack_reading ("203.0.113.9", 1, "198.51.100.7", 443);
  struct weir_conntrack_reading in = conntrack_reading ("198.51.100.7", 2, "203.0.113.9", 22);
  struct weir_conntrack_reading through = conntrack_reading ("10.0.0.2", 3, "198.51.100.7", 443);

  in.id = 8;
  through.id = 9;
  count (&out, 1000, 300);
  count (&in, 50, 60);
  weir_join_conntrack (&fixture->join, &out, WEIR_CONNTRACK_NEW, S);
  weir_join_conntrack (&fixture->join, &in, WEIR_CONNTRACK_NEW, S);
  weir_join_conntrack (&fixture->join, &in, WEIR_CONNTRACK_DESTROY, S);
  weir_join_conntrack (&fixture->join, &through, WEIR_CONNTRACK_NEW, S);
  own_addresses (&fixture->join.own.addresses, more);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_cmpuint (count_flows (&fixture->join), ==, 3);
  assert_row (fixture, &(struct row) { "203.0.113.9", 1, "198.51.100.7", 443, WEIR_DIRECTION_OUT,
                                       300, 1000 });
  for (guint32 slot = 0, ended = 0; ended == 0;)
    {
      struct weir_flow *flow = weir_flow_table_next (&fixture->join.table, &slot);

      g_assert_nonnull (flow);
      if (!(flow->flags & WEIR_FLOW_IS_ENDED))
        continue;
      ended++;
      g_assert_cmpuint (flow->key.local_port, ==, 22);
      g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_IN);
      g_assert_cmpuint (flow->ct_rx_bytes, ==, 50);
    }

  /* And when it goes away again, the flow stays what it is. */
  own_addresses (&fixture->join.own.addresses, OWN);
  count (&out, 2000, 600);
  read_entries (&fixture->join, &out, 1, 3 * S);
  weir_join_settle (&fixture->join, 3 * S);
  assert_row (fixture, &(struct row) { "203.0.113.9", 1, "198.51.100.7", 443, WEIR_DIRECTION_OUT,
                                       600, 2000 });
}

static void
test_reset (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 53);
  struct weir_flow *flow;

  reading.protocol = IPPROTO_UDP;
  reading.has_state = false;
  count (&reading, 1000, 300);
  read_entries (&fixture->join, &reading, 1, S);
  flow = find_flow (&fixture->join, IPPROTO_UDP, "192.0.2.1", 1, "198.51.100.7", 53);
  /* Set to zero by somebody: what was counted stays counted. */
  count (&reading, 100, 30);
  read_entries (&fixture->join, &reading, 1, 2 * S);
  g_assert_cmpuint (flow->ct_tx_bytes, ==, 1100);
  g_assert_cmpuint (flow->ct_rx_bytes, ==, 330);
  count (&reading, 200, 60);
  read_entries (&fixture->join, &reading, 1, 3 * S);
  g_assert_cmpuint (flow->ct_tx_bytes, ==, 1200);
  /* Timed out and there again, under the same id, while nobody knew of its end yet. */
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, 4 * S);
  count (&reading, 10, 10);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, 4 * S);
  weir_join_settle (&fixture->join, 4 * S);
  g_assert_true (find_flow (&fixture->join, IPPROTO_UDP, "192.0.2.1", 1, "198.51.100.7", 53) ==
                 flow);
  g_assert_cmpuint (flow->ct_tx_bytes, ==, 1210);
  g_assert_cmpuint (flow->ct_tx_packets, ==, 12);
}

/* A dump is made piece by piece: it may still show what an event has ended meanwhile. */
static void
test_dump_after_event (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_conntrack_reading last = reading;

  count (&reading, 1000, 300);
  count (&last, 1500, 400);
  read_entries (&fixture->join, &reading, 1, S);
  weir_join_conntrack_begin (&fixture->join);
  weir_join_conntrack (&fixture->join, &last, WEIR_CONNTRACK_DESTROY, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_ENTRY, 2 * S);
  weir_join_conntrack_end (&fixture->join, true);
  weir_join_settle (&fixture->join, 3 * S);
  g_assert_cmpuint (count_flows (&fixture->join), ==, 1);
  g_assert_null (find_flow (&fixture->join, IPPROTO_TCP, "192.0.2.1", 1, "198.51.100.7", 443));
}

/* The same when another connection took the addresses, and the id with them, meanwhile. */
static void
test_dump_after_rebirth (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading old = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_conntrack_reading new = old;
  struct weir_flow *flow;

  count (&old, 1000, 300);
  count (&new, 60, 0);
  new.state = 1; /* SYN_SENT */
  new.has_counters = false;
  read_entries (&fixture->join, &old, 1, S);
  weir_join_conntrack_begin (&fixture->join);
  weir_join_conntrack (&fixture->join, &old, WEIR_CONNTRACK_DESTROY, 2 * S);
  weir_join_conntrack (&fixture->join, &new, WEIR_CONNTRACK_NEW, 2 * S);
  weir_join_conntrack (&fixture->join, &old, WEIR_CONNTRACK_ENTRY, 2 * S);
  weir_join_conntrack_end (&fixture->join, true);
  flow = find_flow (&fixture->join, IPPROTO_TCP, "192.0.2.1", 1, "198.51.100.7", 443);
  g_assert_cmpuint (flow->ct_tx_bytes, ==, 0);
  /* The next dump is about the new one. */
  new.has_counters = true;
  read_entries (&fixture->join, &new, 1, 3 * S);
  g_assert_cmpuint (flow->ct_tx_bytes, ==, 60);
  g_assert_null (flow->extra);
}

static void
test_lost_end (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 443);

  read_entries (&fixture->join, &reading, 1, S);
  read_entries (&fixture->join, NULL, 0, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_nonnull (find_flow (&fixture->join, IPPROTO_TCP, "192.0.2.1", 1, "198.51.100.7", 443));
  /* A dump that was cut short proves nothing. */
  weir_join_conntrack_begin (&fixture->join);
  weir_join_conntrack_end (&fixture->join, false);
  weir_join_settle (&fixture->join, 3 * S);
  g_assert_nonnull (find_flow (&fixture->join, IPPROTO_TCP, "192.0.2.1", 1, "198.51.100.7", 443));
  read_entries (&fixture->join, NULL, 0, 4 * S);
  weir_join_settle (&fixture->join, 4 * S);
  g_assert_null (find_flow (&fixture->join, IPPROTO_TCP, "192.0.2.1", 1, "198.51.100.7", 443));
}

static void
test_another_connection (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *first, *second;

  count (&reading, 1000, 300);
  read_entries (&fixture->join, &reading, 1, S);
  first = find_flow (&fixture->join, IPPROTO_TCP, "192.0.2.1", 1, "198.51.100.7", 443);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, 2 * S);
  reading.state = 1; /* SYN_SENT */
  count (&reading, 60, 0);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, 2 * S);
  second = find_flow (&fixture->join, IPPROTO_TCP, "192.0.2.1", 1, "198.51.100.7", 443);
  g_assert_true (first != second);
  g_assert_true (first->flags & WEIR_FLOW_IS_ENDED);
  g_assert_cmpuint (first->ct_tx_bytes, ==, 1000);
  g_assert_cmpuint (second->ct_tx_bytes, ==, 60);
}

static void
test_icmp (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = conntrack_reading ("192.0.2.1", 0, "198.51.100.7", 0);
  struct weir_flow *flow;

  reading.protocol = IPPROTO_ICMP;
  reading.has_state = false;
  reading.discriminator = 5;
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, S);
  reading.discriminator = 6;
  reading.id = 8;
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, S);
  weir_join_settle (&fixture->join, S);
  g_assert_cmpuint (count_flows (&fixture->join), ==, 2);
  flow = find_flow (&fixture->join, IPPROTO_ICMP, "192.0.2.1", 0, "198.51.100.7", 0);
  g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_OUT);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_OPEN);
}

static void
test_zones (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = conntrack_reading ("10.0.0.2", 1, "198.51.100.7", 443);
  struct weir_conntrack_reading other = reading;

  count (&reading, 1000, 300);
  count (&other, 77, 77);
  other.zone = 5;
  other.id = 8;
  for (guint round = 1; round < 4; round++)
    {
      struct weir_conntrack_reading both[] = { reading, other };

      read_entries (&fixture->join, both, 2, round * S);
      weir_join_settle (&fixture->join, round * S);
      g_assert_cmpuint (count_flows (&fixture->join), ==, 1);
      assert_row (fixture, &(struct row) { "10.0.0.2", 1, "198.51.100.7", 443,
                                           WEIR_DIRECTION_FORWARDED, 300, 1000 });
    }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/join-conntrack/" name, struct fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("orientation", test_orientation);
  ADD ("address-comes-late", test_address_comes_late);
  ADD ("reset", test_reset);
  ADD ("dump-after-event", test_dump_after_event);
  ADD ("dump-after-rebirth", test_dump_after_rebirth);
  ADD ("lost-end", test_lost_end);
  ADD ("another-connection", test_another_connection);
  ADD ("icmp", test_icmp);
  ADD ("zones", test_zones);
  return g_test_run ();
}
