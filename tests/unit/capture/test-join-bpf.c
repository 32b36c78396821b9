/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "bpf-readings.h"

/* ---- life ---- */

static void
test_life (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (3, 1);
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *flow;

  read_sockets (join, NULL, 0, S);
  move (&reading, 0, 60);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  flow = flow_at (join, 1);
  assert_bytes (flow, 0, 60);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_OPENING);
  g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_OUT);
  g_assert_cmpuint (flow->key.netns, ==, 1);

  /* A dump may miss it, and it is there all the same. */
  move (&reading, 5000, 100);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_CHANGED, 3 * S);
  read_sockets (join, NULL, 0, 3 * S);
  for (guint i = 3; i < 9; i++)
    weir_join_settle (join, i * S);
  assert_bytes (flow_at (join, 1), 5000, 160);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_OPEN);

  /* Closed by its program, and not by the kernel yet: its last words count. */
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_CLOSED, 9 * S);
  weir_join_settle (join, 9 * S);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_CLOSING);
  move (&reading, 40, 40);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_CHANGED, 10 * S);
  socket.cookie = reading.cookie;
  socket.inode = 0;
  socket.state = WEIR_TCP_CLOSE;
  weir_join_socket (join, &join->own, &socket, WEIR_SOCKDIAG_DESTROYED, 10 * S);
  weir_join_settle (join, 10 * S);
  g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
  assert_bytes (flow, 5040, 200);

  /* What remains of it is no other row; nor is what comes late, which is counted. */
  weir_join_remove (join, flow);
  socket.state = WEIR_TCP_TIME_WAIT;
  read_sockets (join, &socket, 1, 11 * S);
  weir_join_socket (join, &join->own, &socket, WEIR_SOCKDIAG_DESTROYED, 11 * S);
  reading.flags |= WEIR_BPF_CLOSED;
  move (&reading, 7, 8);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_CHANGED, 11 * S);
  g_assert_cmpuint (count_flows (join), ==, 0);
  g_assert_cmpuint (join->bpf.late_rx_bytes, ==, 7);
  g_assert_cmpuint (join->bpf.late_tx_bytes, ==, 8);
}

/* What packet sockets put on interfaces has no ends: their sockets tell it apart, and who has them
 * tells the list of packet sockets where the kernel does not. */
static void
test_frames (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_socket_reading packet = { .kind = WEIR_SOCKET_PACKET, .inode = 50, .uid = 1000 };
  struct weir_flow *flow;
  guint32 slot = 0, n = 0;

  for (guint32 i = 0; i < 3; i++)
    {
      struct weir_bpf_reading reading = { .slot = i,
                                          .generation = 1,
                                          .flags = WEIR_BPF_FRAMES | WEIR_BPF_FIRST_TX,
                                          .cookie = 70 + i / 2,
                                          .discriminator = 2 + i % 2,
                                          .ifindex = 2 + i % 2,
                                          .born = 2 * S };

      move (&reading, 0, 1000 * (i + 1));
      if (i < 2)
        reading.user = process (7, 1000, "program");
      weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
    }
  packet.cookie = 71;
  weir_join_sockets_begin (join, &join->own);
  weir_join_socket (join, &join->own, &packet, WEIR_SOCKDIAG_SOCKET, 2 * S);
  weir_join_sockets_complete (join, &join->own);
  weir_join_settle (join, 2 * S);
  answer_all (join, 2 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (count_flows (join), ==, 3);
  while ((flow = weir_flow_table_next (&join->table, &slot)) != NULL)
    {
      g_assert_cmpuint (flow->key.family, ==, 0);
      g_assert_cmpuint (flow->key.netns, ==, 1);
      g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_OUT);
      assert_bytes (flow, 0, 1000 * ++n);
      g_assert_cmpuint (pid_of (join, flow), ==, n < 3 ? 7 : 50);
      g_assert_cmpuint (flow->owner_how, ==, n < 3 ? WEIR_OWNER_BORN : WEIR_OWNER_TUPLE);
      g_assert_cmpuint (flow->uid, ==, n < 3 ? 0 : 1000);
    }
  /* Somebody else's, or nobody's. */
  weir_join_sockets_begin (join, &join->own);
  weir_join_sockets_complete (join, &join->own);
  g_assert_null (weir_receivers_find_packet (&join->receivers, 1, 70));
}

/* Between two ticks: it is born and closed in one reading, and its end comes before or after. */
static void
test_short (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading udp = bpf_reading (1, 1), other = bpf_reading (2, 2);
  struct weir_flow *flow;

  udp.protocol = IPPROTO_UDP;
  udp.flags |= WEIR_BPF_CLOSED;
  move (&udp, 0, 29);
  weir_join_bpf (join, &udp, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_bpf (join, &udp, WEIR_BPF_NEWS_CLOSED, 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_cmpuint (count_flows (join), ==, 1);
  flow = weir_flow_table_get (&join->table, 1);
  g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
  assert_bytes (flow, 0, 29);
  weir_join_remove (join, flow);

  /* Nobody tells of sockets of other namespaces that they are destroyed. */
  other.netns_cookie = OTHER_NETNS;
  other.flags |= WEIR_BPF_CLOSED;
  move (&other, 100, 100);
  weir_join_bpf (join, &other, WEIR_BPF_NEWS_BORN, 3 * S);
  weir_join_settle (join, 3 * S);
  flow = flow_at (join, 2);
  g_assert_false (flow->flags & WEIR_FLOW_IS_ENDED);
  weir_join_settle (join, 8 * S);
  g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
}

/* Programs are not told of sockets that nobody had, and that go with their listener: the kernel
 * says that they are destroyed. */
static void
test_never_closed (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (3, 1), late = bpf_reading (4, 2);
  const struct weir_bpf_reading ended = { .slot = 3, .generation = 1 };
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *flow;

  move (&reading, 100, 100);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  flow = flow_at (join, 1);
  socket.inode = 0;
  socket.state = WEIR_TCP_CLOSE;
  /* Another connection between the same ends: not this one. */
  socket.cookie = reading.cookie + 1;
  weir_join_socket (join, &join->own, &socket, WEIR_SOCKDIAG_DESTROYED, 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_false (flow->flags & WEIR_FLOW_IS_ENDED);
  socket.cookie = reading.cookie;
  weir_join_socket (join, &join->own, &socket, WEIR_SOCKDIAG_DESTROYED, 4 * S);
  weir_join_settle (join, 4 * S);
  g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_CLOSED);
  assert_bytes (flow, 100, 100);
  /* That its slot is another flow's says nothing more. */
  weir_join_bpf (join, &ended, WEIR_BPF_NEWS_ENDED, 5 * S);
  g_assert_cmpuint (weir_flow_get_bpf (flow)->n_open, ==, 0);

  /* The end is heard first. */
  socket.local.port = 2;
  socket.cookie = late.cookie;
  weir_join_socket (join, &join->own, &socket, WEIR_SOCKDIAG_DESTROYED, 6 * S);
  move (&late, 10, 10);
  weir_join_bpf (join, &late, WEIR_BPF_NEWS_BORN, 6 * S);
  flow = flow_at (join, 2);
  weir_join_settle (join, 6 * S);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_CLOSED);
  read_sockets (join, NULL, 0, 7 * S);
  weir_join_settle (join, 7 * S);
  g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
  assert_bytes (flow, 10, 10);
}

/* ... or nobody says so: two whole dumps do not show one that was there. */
static void
test_not_shown (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (3, 1);
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *flow;

  move (&reading, 100, 100);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  socket.cookie = reading.cookie;
  read_sockets (join, &socket, 1, 3 * S);
  read_sockets (join, NULL, 0, 4 * S);
  weir_join_settle (join, 4 * S);
  flow = flow_at (join, 1);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_OPEN);
  read_sockets (join, NULL, 0, 5 * S);
  weir_join_settle (join, 5 * S);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_CLOSING);
  g_assert_false (flow->flags & WEIR_FLOW_IS_ENDED);
  weir_join_settle (join, 8 * S);
  g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
}

/* No dump ever showed it, and nobody told of its end: two that began after it end it. */
static void
test_never_shown (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (3, 1), raw = bpf_reading (4, 2);
  struct weir_bpf_reading refused = bpf_reading (5, 3);
  struct weir_flow *flows[3];

  raw.flags = WEIR_BPF_RAW | WEIR_BPF_WHOLE;
  refused.flags = WEIR_BPF_KERNEL;
  move (&reading, 100, 100);
  move (&raw, 100, 100);
  move (&refused, 0, 100);
  read_sockets (join, NULL, 0, S);
  weir_join_sockets_begin (join, &join->own);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_bpf (join, &raw, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_bpf (join, &refused, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_sockets_complete (join, &join->own);
  for (guint16 i = 0; i < 3; i++)
    flows[i] = flow_at (join, i + 1);
  read_sockets (join, NULL, 0, 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (flows[0]->state, ==, WEIR_FLOW_STATE_OPEN);
  read_sockets (join, NULL, 0, 4 * S);
  weir_join_settle (join, 4 * S);
  g_assert_cmpuint (flows[0]->state, ==, WEIR_FLOW_STATE_CLOSING);
  weir_join_settle (join, 8 * S);
  g_assert_true (flows[0]->flags & WEIR_FLOW_IS_ENDED);
  /* These are no connection's: they end when nothing moves. */
  g_assert_false (flows[1]->flags & WEIR_FLOW_IS_ENDED);
  g_assert_false (flows[2]->flags & WEIR_FLOW_IS_ENDED);
  weir_join_settle (join, 200 * S);
  g_assert_true (flows[1]->flags & WEIR_FLOW_IS_ENDED);
  g_assert_true (flows[2]->flags & WEIR_FLOW_IS_ENDED);
}

static void
test_idle (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading udp = bpf_reading (1, 1), tcp = bpf_reading (2, 2);
  struct weir_flow *flow;

  udp.protocol = IPPROTO_UDP;
  udp.flags = WEIR_BPF_WHOLE;
  move (&udp, 0, 100);
  move (&tcp, 0, 100);
  weir_join_bpf (join, &udp, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_bpf (join, &tcp, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 121 * S);
  g_assert_cmpuint (count_flows (join), ==, 2);
  flow = find_flow (join, IPPROTO_UDP, "192.0.2.1", 1, "198.51.100.7", 443);
  weir_join_settle (join, 123 * S);
  g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
  g_assert_false (flow_at (join, 2)->flags & WEIR_FLOW_IS_ENDED);
  weir_join_remove (join, flow);

  /* It goes on: another flow, without what the first one had. */
  move (&udp, 5, 0);
  weir_join_bpf (join, &udp, WEIR_BPF_NEWS_CHANGED, 200 * S);
  weir_join_settle (join, 200 * S);
  assert_bytes (find_flow (join, IPPROTO_UDP, "192.0.2.1", 1, "198.51.100.7", 443), 5, 0);
}

/* ---- slots ---- */

/* A slot is another flow's, with or without a word about that. */
static void
test_reused (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading first = bpf_reading (5, 1), second = bpf_reading (5, 2);

  move (&first, 100, 200);
  move (&second, 3, 4);
  second.generation = 2;
  weir_join_bpf (join, &first, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_bpf (join, &second, WEIR_BPF_NEWS_BORN, 3 * S);
  weir_join_settle (join, 3 * S);
  assert_bytes (flow_at (join, 1), 100, 200);
  assert_bytes (flow_at (join, 2), 3, 4);

  /* What is older than that says nothing. */
  first.slot = N_SLOTS;
  weir_join_bpf (join, &first, WEIR_BPF_NEWS_CHANGED, 4 * S);
  g_assert_cmpuint (count_flows (join), ==, 2);
}

static void
test_continued (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (5, 1), next = bpf_reading (6, 1);
  const struct weir_bpf_reading ended = { .slot = 5, .generation = 1 };
  struct weir_flow *flow;

  move (&reading, 100, 200);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  flow = flow_at (join, 1);
  weir_join_bpf (join, &ended, WEIR_BPF_NEWS_ENDED, 40 * S);
  weir_join_settle (join, 40 * S);
  g_assert_false (flow->flags & WEIR_FLOW_IS_ENDED);

  move (&next, 10, 20);
  next.flags |= WEIR_BPF_CONTINUED;
  weir_join_bpf (join, &next, WEIR_BPF_NEWS_BORN, 50 * S);
  weir_join_settle (join, 50 * S);
  g_assert_true (flow_at (join, 1) == flow);
  assert_bytes (flow, 110, 220);
  weir_join_settle (join, 300 * S);
  g_assert_false (flow->flags & WEIR_FLOW_IS_ENDED);
}

static void
test_two_sockets (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading one = bpf_reading (5, 1), two = bpf_reading (6, 1);
  struct weir_flow *flow;

  one.protocol = two.protocol = IPPROTO_UDP;
  two.cookie++;
  move (&one, 100, 200);
  move (&two, 10, 20);
  weir_join_bpf (join, &one, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_bpf (join, &two, WEIR_BPF_NEWS_BORN, 2 * S);
  move (&one, 1, 2);
  weir_join_bpf (join, &one, WEIR_BPF_NEWS_CHANGED, 3 * S);
  weir_join_bpf (join, &one, WEIR_BPF_NEWS_CHANGED, 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (count_flows (join), ==, 1);
  flow = find_flow (join, IPPROTO_UDP, "192.0.2.1", 1, "198.51.100.7", 443);
  assert_bytes (flow, 111, 222);
  weir_join_bpf (join, &one, WEIR_BPF_NEWS_CLOSED, 4 * S);
  weir_join_settle (join, 4 * S);
  g_assert_false (flow->flags & WEIR_FLOW_IS_ENDED);
  weir_join_bpf (join, &two, WEIR_BPF_NEWS_CLOSED, 5 * S);
  weir_join_settle (join, 5 * S);
  g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
}

/* TCP gives addresses that were used to another connection. */
static void
test_same_addresses (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading first = bpf_reading (5, 1), second = bpf_reading (6, 1);
  struct weir_conntrack_reading entry = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *old, *flow;

  count (&entry, 200, 100);
  move (&first, 100, 200);
  weir_join_bpf (join, &first, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_conntrack (join, &entry, WEIR_CONNTRACK_NEW, 2 * S);
  weir_join_settle (join, 2 * S);
  old = flow_at (join, 1);
  weir_join_bpf (join, &first, WEIR_BPF_NEWS_CLOSED, 3 * S);

  second.cookie++;
  move (&second, 1, 2);
  weir_join_bpf (join, &second, WEIR_BPF_NEWS_BORN, 4 * S);
  /* What the events of the table say comes after, and in this order. */
  weir_join_conntrack (join, &entry, WEIR_CONNTRACK_DESTROY, 4 * S);
  entry.id++;
  entry.state = 1; /* SYN_SENT */
  count (&entry, 2, 1);
  weir_join_conntrack (join, &entry, WEIR_CONNTRACK_NEW, 4 * S);
  weir_join_settle (join, 4 * S);
  g_assert_true (old->flags & WEIR_FLOW_IS_ENDED);
  assert_bytes (old, 100, 200);
  flow = flow_at (join, 1);
  g_assert_true (flow != old);
  assert_bytes (flow, 1, 2);
  g_assert_cmpuint (count_flows (join), ==, 2);
  g_assert_true (flow->flags & WEIR_FLOW_HAS_CONNTRACK);
}

/* ---- bytes ---- */

/* Whatever else counts, a byte counts once. */
static void
test_best_bytes (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (5, 1);
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_conntrack_reading entry = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *flow;
  guint64 rx, tx;

  move (&reading, 1000, 2000);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  socket.cookie = reading.cookie;
  socket.has_bytes = true;
  socket.rx_bytes = 900;
  socket.tx_bytes = 1900;
  read_sockets (join, &socket, 1, 2 * S);
  count (&entry, 2000, 1000);
  read_entries (join, &entry, 1, 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_cmpuint (count_flows (join), ==, 1);
  flow = flow_at (join, 1);
  assert_bytes (flow, 1000, 2000);
  g_assert_true (weir_flow_get_packets (flow, &rx, &tx));
  g_assert_cmpuint (rx, ==, 1);
  g_assert_cmpuint (tx, ==, 2);
  flow->flags |= WEIR_FLOW_WAS_SEEN;
  count (&entry, 9000, 9000);
  read_entries (join, &entry, 1, 3 * S);
  weir_join_settle (join, 3 * S);
  assert_bytes (flow, 1000, 2000);
  g_assert_false (flow->flags & WEIR_FLOW_NO_RATE);
}

/* A connection that is older than the programs goes on from where the other source's figure was,
 * without a jump. */
static void
test_base_of_conntrack (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (5, 1);
  struct weir_conntrack_reading entry = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *flow;

  count (&entry, 5000, 70000);
  read_entries (join, &entry, 1, S);
  weir_join_settle (join, S);
  flow = flow_at (join, 1);
  g_assert_cmpuint (flow->bytes_source, ==, WEIR_SOURCE_CONNTRACK);
  flow->flags = (flow->flags | WEIR_FLOW_WAS_SEEN) & ~(guint32) WEIR_FLOW_NO_RATE;

  reading.flags = 0;
  move (&reading, 300, 40);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  count (&entry, 5040, 70300);
  read_entries (join, &entry, 1, 2 * S);
  weir_join_settle (join, 2 * S);
  assert_bytes (flow, 70300, 5040);
  g_assert_false (flow->flags & WEIR_FLOW_NO_RATE);

  move (&reading, 1000, 0);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_CHANGED, 3 * S);
  count (&entry, 0, 0);
  read_entries (join, &entry, 1, 3 * S);
  weir_join_settle (join, 3 * S);
  assert_bytes (flow, 71300, 5040);
}

/* The last packets after close(2) have no socket: what connection tracking counts more then is
 * theirs, as long as it can be. */
static void
test_remains (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;

  for (guint16 i = 0; i < 2; i++)
    {
      const guint64 more = i == 0 ? 52 : 5000;
      struct weir_bpf_reading reading = bpf_reading (i, i + 1);
      struct weir_conntrack_reading entry =
          conntrack_reading ("192.0.2.1", i + 1, "198.51.100.7", 443);
      struct weir_flow *flow;
      guint64 rx, tx;

      entry.id = i + 1;
      move (&reading, 3000, 600);
      weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
      weir_join_conntrack (join, &entry, WEIR_CONNTRACK_NEW, 2 * S);
      count (&entry, 600 + more, 3000 + more);
      weir_join_conntrack (join, &entry, WEIR_CONNTRACK_ENTRY, 2 * S);
      weir_join_settle (join, 2 * S);
      flow = flow_at (join, i + 1);
      /* While it is open, whatever it may be. */
      assert_bytes (flow, 3000, 600);
      weir_join_bpf (join, &reading, WEIR_BPF_NEWS_CLOSED, 3 * S);
      weir_join_conntrack (join, &entry, WEIR_CONNTRACK_DESTROY, 4 * S);
      weir_join_settle (join, 4 * S);
      assert_bytes (flow, 3000 + (i == 0 ? 52 : 0), 600 + (i == 0 ? 52 : 0));
      g_assert_true (weir_flow_get_packets (flow, &rx, &tx));
      g_assert_cmpuint (rx, ==, i == 0 ? 30 : 2);
    }
}

/* TCP counts no headers, so it is compared with what is behind them. */
static void
test_base_of_tcp (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (5, 1);
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *flow;

  reading.flags = 0;
  move (&reading, 1000, 0);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, S);
  weir_join_settle (join, S);
  flow = flow_at (join, 1);
  assert_bytes (flow, 1000, 0);
  flow->flags |= WEIR_FLOW_WAS_SEEN;

  socket.cookie = reading.cookie;
  socket.has_bytes = true;
  socket.rx_bytes = 8960;
  socket.tx_bytes = 500;
  read_sockets (join, &socket, 1, 2 * S);
  weir_join_settle (join, 2 * S);
  assert_bytes (flow, 9000, 500);
  /* What was before the programs is no speed. */
  g_assert_true (flow->flags & WEIR_FLOW_NO_RATE);
}

/* What is on the wire, where that is what the interface counts. */
static void
test_segments (struct fixture *fixture, gconstpointer data)
{
  static const guint32 links[] = { 7, 2 };
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading wire = bpf_reading (1, 1), loopback = bpf_reading (2, 2);
  struct weir_bpf_reading elsewhere = bpf_reading (3, 3);

  loopback.ifindex = 1;
  elsewhere.netns_cookie = OTHER_NETNS;
  weir_join_set_segment_links (join, links, 2);
  for (guint i = 0; i < 2; i++)
    {
      move (&wire, 5000, 0);
      move (&loopback, 5000, 0);
      move (&elsewhere, 5000, 0);
      weir_join_bpf (join, &wire, WEIR_BPF_NEWS_BORN, 2 * S);
      weir_join_bpf (join, &loopback, WEIR_BPF_NEWS_BORN, 2 * S);
      weir_join_bpf (join, &elsewhere, WEIR_BPF_NEWS_BORN, 2 * S);
      /* Once chosen it stays so. */
      weir_join_set_segment_links (join, NULL, 0);
    }
  weir_join_settle (join, 2 * S);
  assert_bytes (flow_at (join, 1), 10100, 0);
  assert_bytes (flow_at (join, 2), 10000, 0);
  assert_bytes (flow_at (join, 3), 10000, 0);
}

/* A socket that was made while the programs ran, and that they had no room for. */
static void
test_without_room (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_socket_reading old = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_socket_reading sockets[2];

  old.has_bytes = true;
  old.rx_bytes = 100;
  read_sockets (join, &old, 1, S);
  read_sockets (join, &old, 1, 2 * S);
  sockets[0] = sockets[1] = old;
  sockets[1].local.port = 2;
  sockets[1].cookie = 2;
  read_sockets (join, sockets, 2, 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (flow_at (join, 1)->bytes_source, ==, WEIR_SOURCE_SOCKDIAG);
  g_assert_cmpuint (flow_at (join, 2)->bytes_source, ==, WEIR_SOURCE_NONE);
}

/* ---- namespaces ---- */

static void
test_namespaces (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading own = bpf_reading (1, 1), other = bpf_reading (2, 1);
  struct weir_bpf_reading third = bpf_reading (3, 1), again = bpf_reading (4, 2);
  struct weir_flow *flow;
  guint32 slot = 0, numbers[4] = { 0 }, n = 0;

  other.netns_cookie = again.netns_cookie = OTHER_NETNS;
  third.netns_cookie = OTHER_NETNS + 1;
  move (&own, 1, 1);
  move (&other, 10, 10);
  move (&third, 100, 100);
  move (&again, 1000, 1000);
  weir_join_bpf (join, &own, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_bpf (join, &other, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_bpf (join, &third, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_bpf (join, &again, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_cmpuint (count_flows (join), ==, 4);
  while ((flow = weir_flow_table_next (&join->table, &slot)) != NULL)
    numbers[n++] = flow->key.netns;
  g_assert_cmpuint (numbers[0], ==, 1);
  g_assert_true (weir_netns_is_unknown (numbers[1]));
  g_assert_true (weir_netns_is_unknown (numbers[2]));
  g_assert_cmpuint (numbers[1], !=, numbers[2]);
  g_assert_cmpuint (numbers[1], ==, numbers[3]);
  g_assert_false (weir_netns_is_unknown (4026531840U));
}

/* A socket that is older than the programs, in a namespace that the kernel does not tell: a dump
 * shows it. */
static void
test_untold_namespace (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading known = bpf_reading (1, 1), unknown = bpf_reading (2, 2);
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);

  known.netns_cookie = unknown.netns_cookie = 0;
  known.flags = unknown.flags = 0;
  move (&known, 10, 10);
  move (&unknown, 10, 10);
  weir_join_bpf (join, &known, WEIR_BPF_NEWS_BORN, S);
  weir_join_bpf (join, &unknown, WEIR_BPF_NEWS_BORN, S);
  g_assert_cmpuint (count_flows (join), ==, 0);
  socket.cookie = known.cookie;
  read_sockets (join, &socket, 1, S);
  read_sockets (join, &socket, 1, 2 * S);
  move (&known, 5, 5);
  move (&unknown, 5, 5);
  weir_join_bpf (join, &known, WEIR_BPF_NEWS_CHANGED, 2 * S);
  weir_join_bpf (join, &unknown, WEIR_BPF_NEWS_CHANGED, 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_cmpuint (flow_at (join, 1)->key.netns, ==, 1);
  assert_bytes (flow_at (join, 1), 15, 15);
  g_assert_true (weir_netns_is_unknown (flow_at (join, 2)->key.netns));
  assert_bytes (flow_at (join, 2), 15, 15);
}

static void
test_own_namespace_only (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading own = bpf_reading (1, 1), other = bpf_reading (2, 2);

  join->bpf.own_only = true;
  other.netns_cookie = OTHER_NETNS;
  move (&own, 10, 10);
  move (&other, 10, 10);
  weir_join_bpf (join, &own, WEIR_BPF_NEWS_BORN, S);
  weir_join_bpf (join, &other, WEIR_BPF_NEWS_BORN, S);
  g_assert_nonnull (flow_at (join, 1));
  g_assert_cmpuint (count_flows (join), ==, 1);
  g_assert_cmpuint (join->bpf.late_rx_bytes, ==, 0);
}

/* Very many cookies: those that were used last are remembered, and the own one always. */
static void
test_many_namespaces (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (1, 1);

  for (guint i = 0; i < WEIR_COOKIES_MAX + 100; i++)
    {
      reading.slot = i % N_SLOTS;
      reading.generation = i + 1;
      reading.netns_cookie = 1000 + i;
      weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
    }
  reading.netns_cookie = OWN_NETNS;
  reading.generation++;
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  g_assert_nonnull (flow_at (join, 1));
  g_assert_cmpuint (join->bpf.n_cookies, ==, WEIR_COOKIES_MAX);
  g_assert_cmpuint (weir_flow_table_find_cookie (&join->table, reading.cookie)->key.netns, ==, 1);
}

/* One that is used again and again is remembered, however many others there are in between. */
static void
test_used_namespace (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  const guint32 number = weir_join_need_netns (join, OTHER_NETNS);

  for (guint i = 0; i < 2 * WEIR_COOKIES_MAX; i++)
    {
      g_assert_cmpuint (weir_join_need_netns (join, 1000 + i), !=, number);
      g_assert_cmpuint (weir_join_need_netns (join, OTHER_NETNS), ==, number);
    }
}

/* Of a namespace whose addresses are not known: who is there first learns of the other end, even
 * when nobody has looked it up in between. */
static void
test_other_end (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading first = bpf_reading (1, 1), second = bpf_reading (2, 2);
  struct weir_flow *flow;

  first.netns_cookie = second.netns_cookie = OTHER_NETNS;
  second.local = first.remote;
  second.remote = first.local;
  second.direction = WEIR_DIRECTION_IN;
  weir_join_bpf (join, &first, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  flow = weir_flow_table_get (&join->table, 1);
  g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_OUT);
  g_assert_cmpuint (flow->owner, !=, 0);
  weir_flow_table_unmark (&join->table, flow, WEIR_MARK_TOUCHED);

  weir_join_bpf (join, &second, WEIR_BPF_NEWS_BORN, 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (count_flows (join), ==, 2);
  g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_LOCAL);
  g_assert_true (weir_flow_table_is_marked (&join->table, flow, WEIR_MARK_TOUCHED));
  g_assert_cmpuint (weir_flow_table_get (&join->table, 2)->direction, ==, WEIR_DIRECTION_LOCAL);
}

/* What has an owner is looked at again when there is news of anybody, and only then. */
static void
test_news (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (1, 1);
  struct weir_flow *flow;

  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  flow = weir_flow_table_get (&join->table, 1);
  weir_flow_table_unmark (&join->table, flow, WEIR_MARK_TOUCHED);

  /* Said behind its back: a look would put it right. */
  flow->dirty = 0;
  flow->owner_how = WEIR_OWNER_NONE;
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_NONE);
  weir_owners_note_news (&join->owners, weir_owners_get (&join->owners, flow->owner));
  weir_join_settle (join, 4 * S);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_BORN);
  g_assert_true (weir_flow_table_is_marked (&join->table, flow, WEIR_MARK_TOUCHED));
}

int
main (int argc, char **argv)
{
  static const struct named_test tests[] = {
    { "life", test_life },
    { "frames", test_frames },
    { "short", test_short },
    { "never-closed", test_never_closed },
    { "not-shown", test_not_shown },
    { "never-shown", test_never_shown },
    { "idle", test_idle },
    { "reused", test_reused },
    { "continued", test_continued },
    { "two-sockets", test_two_sockets },
    { "same-addresses", test_same_addresses },
    { "best-bytes", test_best_bytes },
    { "base-of-conntrack", test_base_of_conntrack },
    { "remains", test_remains },
    { "base-of-tcp", test_base_of_tcp },
    { "segments", test_segments },
    { "without-room", test_without_room },
    { "namespaces", test_namespaces },
    { "untold-namespace", test_untold_namespace },
    { "own-namespace-only", test_own_namespace_only },
    { "many-namespaces", test_many_namespaces },
    { "used-namespace", test_used_namespace },
    { "other-end", test_other_end },
    { "news", test_news },
  };

  return run_bpf_tests (argc, argv, "/join/bpf/", tests, G_N_ELEMENTS (tests));
}
