/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "join-fixture.h"

static const char *const OWN[] = { "192.0.2.1", NULL };

static struct weir_socket_reading
with_bytes (guint64 rx, guint64 tx)
{
  struct weir_socket_reading reading = socket_reading ("192.0.2.1", 4000, "198.51.100.7", 443);

  reading.has_bytes = true;
  reading.has_times = true;
  reading.rx_bytes = rx;
  reading.tx_bytes = tx;
  return reading;
}

static struct weir_flow *
find (struct fixture *fixture)
{
  return find_flow (&fixture->join, IPPROTO_TCP, "192.0.2.1", 4000, "198.51.100.7", 443);
}

static void
test_bytes (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading reading = with_bytes (100, 50);
  struct weir_flow *flow;

  read_sockets (&fixture->join, &reading, 1, S);
  weir_join_settle (&fixture->join, S);
  flow = find (fixture);
  g_assert_nonnull (flow);
  g_assert_cmpuint (flow->bytes_source, ==, WEIR_SOURCE_SOCKDIAG);
  g_assert_cmpuint (flow->tcp_rx_bytes, ==, 100);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_OPEN);
  /* In the first reading of all: it may have moved its bytes at any time before. */
  g_assert_true (flow->flags & WEIR_FLOW_NO_RATE);

  /* With the peer's FIN, which the kernel counts. */
  reading = with_bytes (201, 50);
  reading.state = WEIR_TCP_CLOSE_WAIT;
  reading.fin_counted = true;
  read_sockets (&fixture->join, &reading, 1, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_cmpuint (flow->tcp_rx_bytes, ==, 200);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_CLOSING);
}

static void
test_udp_has_no_bytes (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading reading = socket_reading ("192.0.2.1", 4000, "198.51.100.7", 53);
  struct weir_flow *flow;
  guint64 rx, tx;

  reading.protocol = IPPROTO_UDP;
  read_sockets (&fixture->join, &reading, 1, S);
  weir_join_settle (&fixture->join, S);
  flow = find_flow (&fixture->join, IPPROTO_UDP, "192.0.2.1", 4000, "198.51.100.7", 53);
  g_assert_nonnull (flow);
  g_assert_false (weir_flow_get_bytes (flow, &rx, &tx));
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_OPEN);
}

static void
test_what_is_no_flow (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading readings[] = {
    socket_reading ("0.0.0.0", 80, "0.0.0.0", 0),   /* listens */
    socket_reading ("0.0.0.0", 53, "0.0.0.0", 0),   /* UDP without a peer */
    socket_reading ("0.0.0.0", 0, "0.0.0.0", 0),    /* nowhere yet */
    socket_reading ("192.0.2.1", 99, "0.0.0.0", 0), /* only bound */
  };

  readings[0].state = WEIR_TCP_LISTEN;
  readings[1].protocol = IPPROTO_UDP;
  readings[1].state = WEIR_TCP_CLOSE;
  readings[2].state = WEIR_TCP_CLOSE;
  readings[3].state = 13;
  read_sockets (&fixture->join, readings, G_N_ELEMENTS (readings), S);
  g_assert_cmpuint (count_flows (&fixture->join), ==, 0);
  g_assert_cmpuint (fixture->join.own.sockets.n, ==, 2);
}

static void
test_ends (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading reading = with_bytes (100, 50);

  read_sockets (&fixture->join, &reading, 1, S);
  weir_join_settle (&fixture->join, S);
  /* One dump alone may have missed it. */
  read_sockets (&fixture->join, NULL, 0, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_nonnull (find (fixture));
  read_sockets (&fixture->join, NULL, 0, 3 * S);
  weir_join_settle (&fixture->join, 3 * S);
  g_assert_null (find (fixture));
  /* It waits in the table until that was told. */
  g_assert_cmpuint (count_flows (&fixture->join), ==, 1);
}

/* So do two dumps between which one was begun and given up, and no fewer. */
static void
test_ends_after_failures (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading readings[] = { with_bytes (100, 50),
                                            socket_reading ("0.0.0.0", 53, "0.0.0.0", 0) };

  readings[1].protocol = IPPROTO_UDP;
  readings[1].state = WEIR_TCP_CLOSE;
  readings[1].cookie = 2;
  read_sockets (&fixture->join, readings, 2, S);
  for (guint i = 0; i < 3; i++)
    {
      weir_join_sockets_begin (&fixture->join, &fixture->join.own);
      weir_join_settle (&fixture->join, 2 * S);
    }
  read_sockets (&fixture->join, NULL, 0, 3 * S);
  weir_join_settle (&fixture->join, 3 * S);
  g_assert_nonnull (find (fixture));
  g_assert_cmpuint (fixture->join.receivers.n, ==, 1);
  read_sockets (&fixture->join, NULL, 0, 4 * S);
  weir_join_settle (&fixture->join, 4 * S);
  g_assert_null (find (fixture));
}

static void
destroy (struct fixture *fixture, guint64 rx, guint64 tx, guint8 acked_beyond, guint32 queue)
{
  struct weir_socket_reading reading = with_bytes (rx, tx);

  reading.state = WEIR_TCP_CLOSE;
  reading.inode = 0;
  reading.acked_beyond = acked_beyond;
  reading.queue = queue;
  weir_join_socket (&fixture->join, &fixture->join.own, &reading, WEIR_SOCKDIAG_DESTROYED, 2 * S);
}

static void
test_destroyed (struct fixture *fixture, gconstpointer data)
{
  static const struct
  {
    guint64 rx;
    guint8 acked_beyond;
    guint32 queue;
    guint64 expected;
  } cases[] = {
    { 100, 2, 0, 100 }, /* nothing came since */
    { 101, 2, 1, 100 }, /* only the FIN */
    { 501, 2, 1, 500 }, /* data and the FIN */
    { 500, 0, 0, 500 }, /* a reset */
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      struct weir_socket_reading reading = with_bytes (100, 50), remains = with_bytes (0, 0);
      struct weir_flow *flow;
      struct fixture another;

      set_up (&another, OWN);
      read_sockets (&another.join, &reading, 1, S);
      weir_join_settle (&another.join, S);
      flow = find (&another);
      destroy (&another, cases[i].rx, 70, cases[i].acked_beyond, cases[i].queue);
      g_assert_cmpuint (flow->tcp_rx_bytes, ==, cases[i].expected);
      g_assert_cmpuint (flow->tcp_tx_bytes, ==, 70);
      /* A dump that is older than the event brings nothing back to life ... */
      read_sockets (&another.join, &reading, 1, 2 * S);
      g_assert_false (flow->flags & WEIR_FLOW_HAS_SOCKET);
      /* ... but TIME_WAIT, which has the same cookie, is true. */
      remains.state = WEIR_TCP_TIME_WAIT;
      remains.inode = 0;
      remains.has_bytes = remains.has_times = false;
      read_sockets (&another.join, &remains, 1, 2 * S);
      weir_join_settle (&another.join, 2 * S);
      g_assert_true (find (&another) == flow);
      g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_CLOSED);
      g_assert_cmpuint (flow->tcp_rx_bytes, ==, cases[i].expected);
      /* TIME_WAIT says uid 0, which is nobody's. */
      g_assert_cmpuint (flow->uid, ==, 1000);
      tear_down (&another, NULL);
    }
}

/* Where the last figures alone do not tell, the next whole dump does. */
static void
test_undecided (struct fixture *fixture, gconstpointer data)
{
  static const struct
  {
    guint8 acked_beyond;
    guint32 queue;
    guint8 shut_state; /* that a dump had shown while somebody held it; 0: none */
    guint8 remains;    /* 0: none */
    guint64 expected;
  } cases[] = {
    { 2, 0, 0, 0, 500 },
    { 2, 0, 0, WEIR_TCP_FIN_WAIT2, 501 },
    { 2, 0, 0, WEIR_TCP_TIME_WAIT, 501 },
    { 2, 0, WEIR_TCP_FIN_WAIT2, WEIR_TCP_TIME_WAIT, 500 },
    { 2, 0, WEIR_TCP_FIN_WAIT2, WEIR_TCP_FIN_WAIT2, 501 },
    { 2, 9, 0, WEIR_TCP_TIME_WAIT, 500 },
    { 2, 9, 0, 0, 501 },
    /* Perhaps it was the SYN that was acknowledged. */
    { 1, 0, 0, 0, 501 },
    { 1, 1, 0, WEIR_TCP_TIME_WAIT, 500 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      struct weir_socket_reading reading = with_bytes (100, 50), remains = with_bytes (0, 0);
      struct weir_flow *flow;
      struct fixture another;

      set_up (&another, OWN);
      if (cases[i].shut_state != 0)
        reading.state = cases[i].shut_state;
      read_sockets (&another.join, &reading, 1, S);
      flow = find (&another);
      destroy (&another, 501, 70, cases[i].acked_beyond, cases[i].queue);
      weir_join_settle (&another.join, 2 * S);
      g_assert_true (find (&another) == flow);
      g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_CLOSED);
      g_assert_cmpuint (flow->tcp_rx_bytes, ==, 500);
      remains.state = cases[i].remains;
      remains.inode = 0;
      remains.cookie = 77;
      remains.has_bytes = remains.has_times = false;
      read_sockets (&another.join, &remains, cases[i].remains != 0, 3 * S);
      weir_join_settle (&another.join, 3 * S);
      g_test_message ("case %u", i);
      g_assert_cmpuint (flow->tcp_rx_bytes, ==, cases[i].expected);
      g_assert_cmpint ((flow->flags & WEIR_FLOW_IS_ENDED) != 0, ==, cases[i].remains == 0);
      g_assert_cmpuint (count_flows (&another.join), ==, 1);
      tear_down (&another, NULL);
    }
}

/* A dump that does not come to its end keeps nothing. */
static void
test_given_up (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading reading = with_bytes (100, 50);
  struct weir_flow *flow;

  read_sockets (&fixture->join, &reading, 1, S);
  flow = find (fixture);
  weir_join_sockets_begin (&fixture->join, &fixture->join.own);
  destroy (fixture, 501, 70, 2, 0);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_false (flow->flags & WEIR_FLOW_IS_ENDED);
  weir_join_sockets_begin (&fixture->join, &fixture->join.own);
  weir_join_settle (&fixture->join, 3 * S);
  g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
  g_assert_cmpuint (flow->tcp_rx_bytes, ==, 500);
}

static void
test_born_and_dead (struct fixture *fixture, gconstpointer data)
{
  struct weir_flow *flow;
  guint64 rx, tx;

  read_sockets (&fixture->join, NULL, 0, S);
  destroy (fixture, 1001, 50, 2, 0);
  read_sockets (&fixture->join, NULL, 0, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_cmpuint (count_flows (&fixture->join), ==, 1);
  flow = weir_flow_table_next (&fixture->join.table, &(guint32) { 0 });
  g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
  g_assert_false (flow->flags & WEIR_FLOW_NO_RATE);
  g_assert_true (weir_flow_get_bytes (flow, &rx, &tx));
  g_assert_cmpuint (rx, ==, 1000);
  g_assert_cmpuint (tx, ==, 50);
}

static void
test_destroyed_without_a_flow (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading reading = with_bytes (0, 0);

  /* A listener, and a socket that was disconnected. */
  reading.remote.port = 0;
  weir_join_socket (&fixture->join, &fixture->join.own, &reading, WEIR_SOCKDIAG_DESTROYED, S);
  reading = with_bytes (0, 0);
  reading.local.port = 0;
  weir_join_socket (&fixture->join, &fixture->join.own, &reading, WEIR_SOCKDIAG_DESTROYED, S);
  g_assert_cmpuint (count_flows (&fixture->join), ==, 0);

  /* Disconnected, but it was seen before: the cookie is enough. */
  reading = with_bytes (100, 50);
  read_sockets (&fixture->join, &reading, 1, S);
  reading.remote = reading.local = endpoint ("0.0.0.0", 0);
  reading.rx_bytes = 300;
  weir_join_socket (&fixture->join, &fixture->join.own, &reading, WEIR_SOCKDIAG_DESTROYED, S);
  g_assert_cmpuint (find (fixture)->tcp_rx_bytes, ==, 300);
}

static void
test_same_addresses_again (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading reading = with_bytes (1000, 50);
  struct weir_flow *first, *second;

  read_sockets (&fixture->join, &reading, 1, S);
  weir_join_settle (&fixture->join, S);
  first = find (fixture);
  reading = with_bytes (7, 7);
  reading.cookie = 2;
  read_sockets (&fixture->join, &reading, 1, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  second = find (fixture);
  g_assert_true (first != second);
  g_assert_true (first->flags & WEIR_FLOW_IS_ENDED);
  g_assert_cmpuint (first->tcp_rx_bytes, ==, 1000);
  g_assert_cmpuint (second->tcp_rx_bytes, ==, 7);
  g_assert_false (second->flags & WEIR_FLOW_NO_RATE);
}

/* The entry goes on, and the socket is another one: how the first one ended, and whose it was, says
 * nothing about it. */
static void
test_another_socket (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading entry = conntrack_reading ("192.0.2.1", 4000, "198.51.100.7", 443);
  struct weir_socket_reading reading = with_bytes (100, 50);
  struct weir_flow *flow;

  entry.has_counters = false;
  reading.state = WEIR_TCP_FIN_WAIT2;
  read_entries (&fixture->join, &entry, 1, S);
  read_sockets (&fixture->join, &reading, 1, S);
  destroy (fixture, 501, 70, 2, 9);
  flow = find (fixture);
  g_assert_cmpuint (flow->uid, ==, 1000);
  /* Not accepted yet. */
  reading = with_bytes (7, 7);
  reading.cookie = 2;
  reading.inode = 0;
  read_sockets (&fixture->join, &reading, 1, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_true (find (fixture) == flow);
  g_assert_cmpuint (flow->tcp_rx_bytes, ==, 7);
  g_assert_cmpuint (flow->owner, ==, 0);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_NONE);
  g_assert_false (flow->flags & (WEIR_FLOW_HAS_UID | WEIR_FLOW_OWNER_IS_EXACT));
  /* It ends with data and a FIN that the next dump, without remains, does not take away. */
  reading.rx_bytes = 500;
  reading.state = WEIR_TCP_CLOSE;
  reading.acked_beyond = 2;
  weir_join_socket (&fixture->join, &fixture->join.own, &reading, WEIR_SOCKDIAG_DESTROYED, 3 * S);
  read_sockets (&fixture->join, NULL, 0, 3 * S);
  read_sockets (&fixture->join, NULL, 0, 4 * S);
  g_assert_cmpuint (flow->tcp_rx_bytes, ==, 499);
}

static void
test_direction (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading readings[] = {
    socket_reading ("192.0.2.1", 1, "198.51.100.7", 443),  /* nothing is known */
    socket_reading ("192.0.2.1", 2, "198.51.100.7", 443),  /* connecting */
    socket_reading ("192.0.2.1", 3, "198.51.100.7", 443),  /* being connected to */
    socket_reading ("192.0.2.1", 80, "198.51.100.7", 443), /* there is a listener */
    socket_reading ("192.0.2.1", 5, "192.0.2.1", 6),       /* both ends are here */
    socket_reading ("192.0.2.1", 7, "198.51.100.7", 443),  /* TCP's counters tell */
    socket_reading ("0.0.0.0", 80, "0.0.0.0", 0),
  };
  static const guint expected[] = {
    WEIR_DIRECTION_UNKNOWN, WEIR_DIRECTION_OUT,   WEIR_DIRECTION_IN,
    WEIR_DIRECTION_IN,      WEIR_DIRECTION_LOCAL, WEIR_DIRECTION_OUT
  };

  for (guint i = 0; i < G_N_ELEMENTS (readings); i++)
    readings[i].cookie = i + 1;
  readings[1].state = WEIR_TCP_SYN_SENT;
  readings[2].state = WEIR_TCP_SYN_RECV;
  readings[5].direction = WEIR_DIRECTION_OUT;
  readings[6].state = WEIR_TCP_LISTEN;
  read_sockets (&fixture->join, readings, G_N_ELEMENTS (readings), S);
  weir_join_settle (&fixture->join, S);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      struct weir_flow *flow = weir_flow_table_find_cookie (&fixture->join.table, i + 1);

      g_assert_cmpuint (flow->direction, ==, expected[i]);
    }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/join-sockets/" name, struct fixture, OWN, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("bytes", test_bytes);
  ADD ("udp-has-no-bytes", test_udp_has_no_bytes);
  ADD ("what-is-no-flow", test_what_is_no_flow);
  ADD ("ends", test_ends);
  ADD ("ends/after-failures", test_ends_after_failures);
  ADD ("destroyed", test_destroyed);
  ADD ("born-and-dead", test_born_and_dead);
  ADD ("undecided", test_undecided);
  ADD ("given-up", test_given_up);
  ADD ("destroyed-without-a-flow", test_destroyed_without_a_flow);
  ADD ("same-addresses-again", test_same_addresses_again);
  ADD ("another-socket", test_another_socket);
  ADD ("direction", test_direction);
  return g_test_run ();
}
