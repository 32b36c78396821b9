/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "join-fixture.h"

static const char *const OWN[] = { "192.0.2.1", "10.0.0.1", "2001:db8::1", NULL };

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
  assert_row (
      &fixture->join, IPPROTO_TCP,
      &(struct row) { "203.0.113.9", 1, "198.51.100.7", 443, WEIR_DIRECTION_OUT, 300, 1000 });
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
  assert_row (
      &fixture->join, IPPROTO_TCP,
      &(struct row) { "203.0.113.9", 1, "198.51.100.7", 443, WEIR_DIRECTION_OUT, 600, 2000 });
}

/* What was counted in an entry that was set to zero, or made anew, is handed on as well: once. */
static void
test_address_comes_late_to_counted (struct fixture *fixture, gconstpointer data)
{
  static const char *const more[] = { "192.0.2.1", "203.0.113.9", "203.0.113.10", NULL };
  struct weir_conntrack_reading out = conntrack_reading ("203.0.113.9", 1, "198.51.100.7", 53);
  struct weir_conntrack_reading in = conntrack_reading ("198.51.100.7", 2, "203.0.113.9", 53);
  struct weir_conntrack_reading both = conntrack_reading ("203.0.113.9", 3, "203.0.113.10", 53);
  struct weir_conntrack_reading *all[] = { &out, &in, &both };

  for (guint i = 0; i < 3; i++)
    {
      all[i]->protocol = IPPROTO_UDP;
      all[i]->has_state = false;
      all[i]->id = 7 + i;
      count (all[i], 1000, 300);
      weir_join_conntrack (&fixture->join, all[i], WEIR_CONNTRACK_NEW, S);
      count (all[i], 100, 200);
      weir_join_conntrack (&fixture->join, all[i], WEIR_CONNTRACK_ENTRY, S);
    }
  own_addresses (&fixture->join.own.addresses, more);
  for (guint round = 1; round < 4; round++)
    {
      const guint64 orig = 1000 + 100 * round, reply = 300 + 200 * round;

      for (guint i = 0; i < 3 && round > 1; i++)
        {
          count (all[i], 100 * round, 200 * round);
          weir_join_conntrack (&fixture->join, all[i],
                               round == 3 ? WEIR_CONNTRACK_DESTROY : WEIR_CONNTRACK_ENTRY, S);
        }
      if (round < 3)
        weir_join_settle (&fixture->join, S);
      g_assert_cmpuint (count_flows (&fixture->join), ==, 4);
      assert_row (
          &fixture->join, IPPROTO_UDP,
          &(struct row) { "203.0.113.9", 1, "198.51.100.7", 53, WEIR_DIRECTION_OUT, reply, orig });
      assert_row (
          &fixture->join, IPPROTO_UDP,
          &(struct row) { "203.0.113.9", 53, "198.51.100.7", 2, WEIR_DIRECTION_IN, orig, reply });
      assert_row (&fixture->join, IPPROTO_UDP,
                  &(struct row) { "203.0.113.9", 3, "203.0.113.10", 53, WEIR_DIRECTION_LOCAL, reply,
                                  orig });
      assert_row (&fixture->join, IPPROTO_UDP,
                  &(struct row) { "203.0.113.10", 53, "203.0.113.9", 3, WEIR_DIRECTION_LOCAL, orig,
                                  reply });
    }
}

/* Rows that replace another go on not believing a dump that is older than their entry. */
static void
test_address_comes_late_to_reborn (struct fixture *fixture, gconstpointer data)
{
  static const char *const more[] = { "192.0.2.1", "203.0.113.9", NULL };
  struct weir_conntrack_reading reading = conntrack_reading ("203.0.113.9", 1, "198.51.100.7", 53);

  reading.protocol = IPPROTO_UDP;
  reading.has_state = false;
  weir_join_conntrack_begin (&fixture->join);
  count (&reading, 1000, 300);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, S);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, S);
  count (&reading, 0, 0);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, S);
  own_addresses (&fixture->join.own.addresses, more);
  weir_join_settle (&fixture->join, S);
  count (&reading, 1000, 300);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_ENTRY, S);
  weir_join_settle (&fixture->join, S);
  g_assert_cmpuint (count_flows (&fixture->join), ==, 1);
  assert_row (
      &fixture->join, IPPROTO_UDP,
      &(struct row) { "203.0.113.9", 1, "198.51.100.7", 53, WEIR_DIRECTION_OUT, 300, 1000 });
}

/* The row stays, and the other end begins this time. */
static void
test_other_end_begins (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading in = conntrack_reading ("198.51.100.7", 9, "192.0.2.1", 53);
  struct weir_conntrack_reading out = conntrack_reading ("192.0.2.1", 53, "198.51.100.7", 9);

  in.protocol = out.protocol = IPPROTO_UDP;
  in.has_state = out.has_state = false;
  /* Translated only the first time. */
  in.orig_dst.port = 5300;
  out.id = 8;
  count (&in, 1000, 300);
  weir_join_conntrack (&fixture->join, &in, WEIR_CONNTRACK_NEW, S);
  weir_join_conntrack (&fixture->join, &in, WEIR_CONNTRACK_DESTROY, S);
  count (&out, 50, 60);
  weir_join_conntrack (&fixture->join, &out, WEIR_CONNTRACK_NEW, S);
  weir_join_settle (&fixture->join, S);
  assert_row (&fixture->join, IPPROTO_UDP,
              &(struct row) { "192.0.2.1", 53, "198.51.100.7", 9, WEIR_DIRECTION_OUT, 1060, 350,
                              "192.0.2.1", 53, "198.51.100.7", 9 });
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

static struct weir_flow *
find_in_zone (struct weir_join *join, guint16 zone)
{
  struct weir_flow *flow;

  for (guint32 slot = 0; (flow = weir_flow_table_next (&join->table, &slot)) != NULL;)
    {
      if (flow->flags & WEIR_FLOW_HAD_CONNTRACK && flow->ct_zone == zone &&
          !(flow->flags & WEIR_FLOW_IS_ENDED))
        return flow;
    }
  return NULL;
}

/* The same addresses in several zones: each has its own row, in whatever order they are told. */
static void
test_zones (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading readings[3];

  for (guint i = 0; i < 3; i++)
    {
      readings[i] = conntrack_reading ("10.0.0.2", 1, "198.51.100.7", 443);
      readings[i].zone = (guint16) (65535 * i);
      readings[i].id = 8 + i;
    }
  for (guint round = 1; round < 6; round++)
    {
      for (guint i = 0; i < 3; i++)
        count (&readings[i], 1000 * round + i, 300 * round + i);
      /* The first round begins with zone 65535. */
      read_entries (&fixture->join, round % 2 ? readings + 1 : readings, 2, round * S);
      g_assert_cmpuint (fixture->join.n_forwarded, ==, 2);
      g_assert_cmpuint (fixture->join.passing, >, 0);
      for (guint i = 0; i < 3; i++)
        weir_join_conntrack (&fixture->join, &readings[i], WEIR_CONNTRACK_ENTRY, round * S);
      weir_join_settle (&fixture->join, round * S);
      g_assert_cmpuint (count_flows (&fixture->join), ==, 3);
      for (guint i = 0; i < 3; i++)
        {
          struct weir_flow *flow = find_in_zone (&fixture->join, readings[i].zone);

          g_assert_nonnull (flow);
          g_assert_cmpuint (flow->ct_tx_bytes, ==, 1000 * round + i);
          g_assert_cmpuint (flow->ct_rx_bytes, ==, 300 * round + i);
          g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_FORWARDED);
        }
    }

  /* The end of one, and even its row's, is none of another's. */
  for (guint i = 0; i < 3; i++)
    {
      struct weir_flow *flow = find_in_zone (&fixture->join, readings[(i + 1) % 3].zone);

      count (&readings[(i + 1) % 3], 9000 + i, 9000);
      weir_join_conntrack (&fixture->join, &readings[(i + 1) % 3], WEIR_CONNTRACK_DESTROY, 7 * S);
      weir_join_settle (&fixture->join, 7 * S);
      g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
      g_assert_cmpuint (flow->ct_tx_bytes, ==, 9000 + i);
      weir_join_remove (&fixture->join, flow);
      g_assert_cmpuint (count_flows (&fixture->join), ==, 2 - i);
      count (&readings[0], 8000, 8000);
      if (i < 2)
        weir_join_conntrack (&fixture->join, &readings[0], WEIR_CONNTRACK_ENTRY, 7 * S);
      g_assert_cmpuint (count_flows (&fixture->join), ==, 2 - i);
    }
}

/* A socket has no zone: it goes with the entry that was there first, and with whatever follows it.
 */
static void
test_zone_and_socket (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_conntrack_reading first = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_conntrack_reading second = first;
  struct weir_flow *flow;

  first.zone = 5;
  second.id = 8;
  count (&first, 100, 100);
  count (&second, 200, 200);
  weir_join_conntrack (&fixture->join, &first, WEIR_CONNTRACK_NEW, S);
  weir_join_conntrack (&fixture->join, &second, WEIR_CONNTRACK_NEW, S);
  read_sockets (&fixture->join, &socket, 1, S);
  weir_join_settle (&fixture->join, S);
  g_assert_cmpuint (count_flows (&fixture->join), ==, 2);
  flow = find_in_zone (&fixture->join, 5);
  g_assert_true (flow->flags & WEIR_FLOW_HAS_SOCKET);
  g_assert_false (find_in_zone (&fixture->join, 0)->flags & WEIR_FLOW_HAS_SOCKET);
  g_assert_cmpuint (find_in_zone (&fixture->join, 0)->direction, ==, WEIR_DIRECTION_OUT);

  /* A socket that was known first is joined by the first entry of whatever zone. */
  socket = socket_reading ("192.0.2.1", 2, "198.51.100.7", 443);
  socket.cookie = 2;
  read_sockets (&fixture->join, &socket, 1, 2 * S);
  first = conntrack_reading ("192.0.2.1", 2, "198.51.100.7", 443);
  first.zone = 6;
  weir_join_conntrack (&fixture->join, &first, WEIR_CONNTRACK_NEW, 2 * S);
  flow = find_in_zone (&fixture->join, 6);
  g_assert_true (flow->flags & WEIR_FLOW_HAS_SOCKET);
  g_assert_cmpuint (flow->key.has_zone, ==, 0);
}

/* What there is to tell besides bytes is told when it changes, and stays known at the end. */
static void
test_mark_and_state (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *flow;

  reading.zone = 3;
  reading.zone_direction = WEIR_ZONE_REPLY;
  reading.state = 1; /* SYN_SENT */
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, S);
  flow = find_in_zone (&fixture->join, 3);
  g_assert_cmpuint (flow->ct_zone_direction, ==, WEIR_ZONE_REPLY);
  g_assert_true (flow->dirty & WEIR_FLOW_CONNTRACK);
  g_assert_false (flow->flags & (WEIR_FLOW_HAS_MARK | WEIR_FLOW_SEEN_REPLY));

  for (guint step = 0; step < 4; step++)
    {
      flow->dirty = 0;
      if (step == 0)
        reading.has_mark = true;
      else if (step == 1)
        reading.mark = 0xcafe;
      else if (step == 2)
        reading.state = 3; /* ESTABLISHED */
      else
        reading.status = 1 << 1; /* IPS_SEEN_REPLY */
      read_entries (&fixture->join, &reading, 1, (step + 2) * S);
      g_assert_true (flow->dirty & WEIR_FLOW_CONNTRACK);
      flow->dirty = 0;
      read_entries (&fixture->join, &reading, 1, (step + 2) * S);
      g_assert_false (flow->dirty & WEIR_FLOW_CONNTRACK);
    }
  g_assert_cmphex (flow->ct_mark, ==, 0xcafe);
  g_assert_cmpuint (flow->ct_state, ==, 3);
  g_assert_true (flow->flags & WEIR_FLOW_HAS_MARK);
  g_assert_true (flow->flags & WEIR_FLOW_SEEN_REPLY);
  /* The kernel leaves a mark of zero out of events. */
  reading.has_mark = false;
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, 9 * S);
  g_assert_cmphex (flow->ct_mark, ==, 0xcafe);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/join-conntrack/" name, struct fixture, OWN, set_up, function, tear_down)

static void
dump_one (struct fixture *fixture, struct weir_conntrack_reading *reading, guint64 orig,
          bool complete)
{
  count (reading, orig, 300);
  weir_join_conntrack_begin (&fixture->join);
  weir_join_conntrack (&fixture->join, reading, WEIR_CONNTRACK_ENTRY, S);
  weir_join_conntrack_end (&fixture->join, complete);
}

/* How many moved, since they were read last, that no kernel program counts. */
static void
test_moved (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = conntrack_reading ("203.0.113.9", 1, "198.51.100.7", 53);
  struct weir_flow *flow;

  dump_one (fixture, &reading, 1000, true);
  g_assert_cmpuint (fixture->join.n_moved, ==, 0);
  dump_one (fixture, &reading, 2000, false);
  g_assert_cmpuint (fixture->join.n_moved, ==, 0);
  dump_one (fixture, &reading, 3000, true);
  g_assert_cmpuint (fixture->join.n_moved, ==, 1);
  dump_one (fixture, &reading, 3000, true);
  g_assert_cmpuint (fixture->join.n_moved, ==, 0);
  flow = find_flow (&fixture->join, IPPROTO_TCP, "203.0.113.9", 1, "198.51.100.7", 53);
  g_assert_nonnull (weir_flow_need_bpf (flow));
  dump_one (fixture, &reading, 4000, true);
  g_assert_cmpuint (fixture->join.n_moved, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("address-comes-late/to-new", test_address_comes_late);
  ADD ("address-comes-late/to-counted", test_address_comes_late_to_counted);
  ADD ("address-comes-late/to-reborn", test_address_comes_late_to_reborn);
  ADD ("other-end-begins", test_other_end_begins);
  ADD ("reset", test_reset);
  ADD ("dump-after-event", test_dump_after_event);
  ADD ("dump-after-rebirth", test_dump_after_rebirth);
  ADD ("lost-end", test_lost_end);
  ADD ("another-connection", test_another_connection);
  ADD ("icmp", test_icmp);
  ADD ("zones", test_zones);
  ADD ("zone-and-socket", test_zone_and_socket);
  ADD ("mark-and-state", test_mark_and_state);
  ADD ("moved", test_moved);
  return g_test_run ();
}
