/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "join-fixture.h"

static const char *const OWN[] = { "192.0.2.1", NULL };

/* The best source wins; a step from one to another is no speed. */
static void
test_best_bytes (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_conntrack_reading entry = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *flow;

  socket.has_bytes = true;
  socket.tx_bytes = 1000;
  read_sockets (&fixture->join, &socket, 1, S);
  weir_join_settle (&fixture->join, S);
  flow = weir_flow_table_find_cookie (&fixture->join.table, 1);
  g_assert_cmpuint (flow->bytes_source, ==, WEIR_SOURCE_SOCKDIAG);
  flow->flags = (flow->flags | WEIR_FLOW_WAS_SEEN) & ~(guint32) WEIR_FLOW_NO_RATE;

  /* Known to conntrack, not counted by it. */
  entry.has_counters = false;
  read_entries (&fixture->join, &entry, 1, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_cmpuint (flow->bytes_source, ==, WEIR_SOURCE_SOCKDIAG);
  g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_OUT);
  g_assert_false (flow->flags & WEIR_FLOW_NO_RATE);

  entry.has_counters = true;
  count (&entry, 1040, 100);
  read_entries (&fixture->join, &entry, 1, 3 * S);
  weir_join_settle (&fixture->join, 3 * S);
  g_assert_cmpuint (flow->bytes_source, ==, WEIR_SOURCE_CONNTRACK);
  g_assert_true (flow->flags & WEIR_FLOW_NO_RATE);

  /* Conntrack forgets it, and its count stays as long as TCP stands still. */
  weir_join_conntrack (&fixture->join, &entry, WEIR_CONNTRACK_DESTROY, 4 * S);
  read_sockets (&fixture->join, &socket, 1, 4 * S);
  weir_join_settle (&fixture->join, 4 * S);
  g_assert_cmpuint (flow->bytes_source, ==, WEIR_SOURCE_CONNTRACK);
  socket.tx_bytes = 2000;
  read_sockets (&fixture->join, &socket, 1, 5 * S);
  weir_join_settle (&fixture->join, 5 * S);
  g_assert_cmpuint (flow->bytes_source, ==, WEIR_SOURCE_SOCKDIAG);
}

static void
test_states (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_conntrack_reading entry = conntrack_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *flow;

  read_sockets (&fixture->join, &socket, 1, S);
  read_entries (&fixture->join, &entry, 1, S);
  weir_join_settle (&fixture->join, S);
  flow = weir_flow_table_find_cookie (&fixture->join.table, 1);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_OPEN);

  /* The socket is gone and conntrack remembers: closed, and not ended. */
  socket.state = WEIR_TCP_CLOSE;
  weir_join_socket (&fixture->join, &fixture->join.own, &socket, WEIR_SOCKDIAG_DESTROYED, 2 * S);
  entry.state = 7; /* TIME_WAIT */
  read_entries (&fixture->join, &entry, 1, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_CLOSED);
  g_assert_false (flow->flags & WEIR_FLOW_IS_ENDED);
  weir_join_conntrack (&fixture->join, &entry, WEIR_CONNTRACK_DESTROY, 3 * S);
  read_sockets (&fixture->join, NULL, 0, 3 * S);
  weir_join_settle (&fixture->join, 3 * S);
  g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
}

static void
test_owner_by_tuple (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *flow;

  socket.inode = 77;
  socket.has_cgroup = true;
  socket.cgroup_id = 5;
  read_sockets (&fixture->join, &socket, 1, S);
  weir_join_settle (&fixture->join, S);
  flow = weir_flow_table_find_cookie (&fixture->join.table, 1);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_NONE);
  g_assert_cmpuint (flow->owner_missing, ==, WEIR_MISSING_NOT_YET);
  g_assert_true (flow->flags & WEIR_FLOW_HAS_UID);
  flow->dirty = 0;
  answer_all (&fixture->join, S);
  weir_join_settle (&fixture->join, S);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_TUPLE);
  g_assert_cmpuint (pid_of (&fixture->join, flow), ==, 77);
  g_assert_true (flow->dirty & WEIR_FLOW_OWNER);

  /* In TIME_WAIT there is no process any more, but there was. */
  socket.state = WEIR_TCP_TIME_WAIT;
  socket.inode = 0;
  socket.uid = 0;
  read_sockets (&fixture->join, &socket, 1, 2 * S);
  read_sockets (&fixture->join, &socket, 1, 3 * S);
  weir_join_settle (&fixture->join, 3 * S);
  g_assert_cmpuint (pid_of (&fixture->join, flow), ==, 77);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_TUPLE);
  g_assert_cmpuint (flow->uid, ==, 1000);
}

/* A connection that was made from a port is not that of whoever listens there afterwards. */
static void
test_owner_of_sent (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading server = socket_reading ("0.0.0.0", 80, "0.0.0.0", 0);
  struct weir_conntrack_reading entries[] = {
    conntrack_reading ("192.0.2.1", 80, "198.51.100.7", 9),
    conntrack_reading ("198.51.100.8", 9, "192.0.2.1", 80),
  };
  struct weir_flow *flow;

  server.state = WEIR_TCP_LISTEN;
  server.inode = 56;
  entries[0].protocol = entries[1].protocol = IPPROTO_TCP;
  entries[1].id = 8;
  read_sockets (&fixture->join, &server, 1, S);
  read_entries (&fixture->join, entries, 2, S);
  answer_all (&fixture->join, S);
  weir_join_settle (&fixture->join, S);

  flow = find_flow (&fixture->join, IPPROTO_TCP, "192.0.2.1", 80, "198.51.100.7", 9);
  g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_OUT);
  g_assert_cmpuint (flow->owner, ==, 0);
  flow = find_flow (&fixture->join, IPPROTO_TCP, "192.0.2.1", 80, "198.51.100.8", 9);
  g_assert_cmpuint (pid_of (&fixture->join, flow), ==, 56);
}

static void
test_owner_by_listener (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading server = socket_reading ("0.0.0.0", 53, "0.0.0.0", 0);
  struct weir_conntrack_reading in = conntrack_reading ("198.51.100.7", 9, "192.0.2.1", 53);
  struct weir_conntrack_reading through = conntrack_reading ("10.0.0.2", 53, "198.51.100.7", 53);
  struct weir_conntrack_reading icmp = conntrack_reading ("198.51.100.7", 0, "192.0.2.1", 0);
  struct weir_conntrack_reading all[3];
  struct weir_flow *flow;

  server.protocol = IPPROTO_UDP;
  server.state = WEIR_TCP_CLOSE;
  server.inode = 55;
  server.uid = 101;
  in.protocol = through.protocol = IPPROTO_UDP;
  icmp.protocol = IPPROTO_ICMP;
  through.id = 8;
  icmp.id = 9;
  all[0] = in;
  all[1] = through;
  all[2] = icmp;
  read_sockets (&fixture->join, &server, 1, S);
  read_entries (&fixture->join, all, 3, S);
  answer_all (&fixture->join, S);
  weir_join_settle (&fixture->join, S);

  flow = find_flow (&fixture->join, IPPROTO_UDP, "192.0.2.1", 53, "198.51.100.7", 9);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_LISTENER);
  g_assert_cmpuint (pid_of (&fixture->join, flow), ==, 55);
  g_assert_cmpuint (flow->uid, ==, 101);
  /* The server on our port 53 has nothing to do with what passes through to another's. */
  flow = find_flow (&fixture->join, IPPROTO_UDP, "10.0.0.2", 53, "198.51.100.7", 53);
  g_assert_cmpuint (flow->owner, ==, 0);
  g_assert_cmpuint (flow->owner_missing, ==, WEIR_MISSING_FORWARDED);
  g_assert_false (flow->flags & WEIR_FLOW_HAS_UID);
  flow = find_flow (&fixture->join, IPPROTO_ICMP, "192.0.2.1", 0, "198.51.100.7", 0);
  g_assert_cmpuint (flow->owner_missing, ==, WEIR_MISSING_KERNEL);

  /* The server ends; the flow, still tracked, was its. */
  for (guint round = 2; round < 5; round++)
    {
      read_sockets (&fixture->join, NULL, 0, round * S);
      read_entries (&fixture->join, all, 3, round * S);
      weir_join_settle (&fixture->join, round * S);
    }
  flow = find_flow (&fixture->join, IPPROTO_UDP, "192.0.2.1", 53, "198.51.100.7", 9);
  g_assert_cmpuint (pid_of (&fixture->join, flow), ==, 55);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_CLOSED);
}

/* Not accepted yet: it is the listener's; accepted: it is whose it is. */
static void
test_owner_accepts (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading both[] = { socket_reading ("0.0.0.0", 80, "0.0.0.0", 0),
                                        socket_reading ("192.0.2.1", 80, "198.51.100.7", 9) };
  struct weir_flow *flow;

  both[0].state = WEIR_TCP_LISTEN;
  both[0].inode = 50;
  both[0].cookie = 50;
  both[1].inode = 0;
  both[1].uid = 0;
  read_sockets (&fixture->join, both, 2, S);
  answer_all (&fixture->join, S);
  weir_join_settle (&fixture->join, S);
  flow = weir_flow_table_find_cookie (&fixture->join.table, 1);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_LISTENER);
  g_assert_cmpuint (pid_of (&fixture->join, flow), ==, 50);
  both[1].inode = 60;
  both[1].uid = 1001;
  read_sockets (&fixture->join, both, 2, 2 * S);
  answer_all (&fixture->join, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_TUPLE);
  g_assert_cmpuint (pid_of (&fixture->join, flow), ==, 60);
  g_assert_cmpuint (flow->uid, ==, 1001);
}

/* Not accepted yet, and several listen alike: whose it is cannot be known, but it is somebody's. */
static void
test_owner_not_accepted (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading all[] = { socket_reading ("0.0.0.0", 80, "0.0.0.0", 0),
                                       socket_reading ("0.0.0.0", 80, "0.0.0.0", 0),
                                       socket_reading ("192.0.2.1", 80, "198.51.100.7", 9) };
  struct weir_flow *flow;

  for (guint i = 0; i < 2; i++)
    {
      all[i].state = WEIR_TCP_LISTEN;
      all[i].inode = 50 + i;
      all[i].cookie = 50 + i;
      all[i].has_cgroup = true;
      all[i].cgroup_id = 200 + i;
    }
  all[2].inode = 0;
  all[2].uid = 0;
  read_sockets (&fixture->join, all, 3, S);
  weir_join_settle (&fixture->join, S);
  answer_all (&fixture->join, S);
  weir_join_settle (&fixture->join, S);
  flow = weir_flow_table_find_cookie (&fixture->join.table, 1);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_NONE);
  g_assert_cmpuint (flow->owner_missing, ==, WEIR_MISSING_NOT_FOUND);
  g_assert_false (flow->flags & WEIR_FLOW_HAS_UID);

  /* One of them is closed. */
  all[1] = all[2];
  read_sockets (&fixture->join, all, 2, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_LISTENER);
  g_assert_cmpuint (pid_of (&fixture->join, flow), ==, 50);
}

/* A socket that no process shows: anybody can bring that about, and it is never the kernel's. */
static void
test_owner_hides (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  guint64 values[WEIR_LOOKER_BATCH];
  struct weir_flow *flow;
  guint asked = 0;

  socket.has_cgroup = true;
  socket.cgroup_id = 5;
  for (guint64 now = S; now < 100 * S; now += S)
    {
      struct weir_looker_answer nobody = { .verb = WEIR_LOOKER_OWNERS, .value = 100 };
      struct weir_looker_answer path = { .verb = WEIR_LOOKER_CGROUPS,
                                         .value = 5,
                                         .cgroup = "/a.service" };

      read_sockets (&fixture->join, &socket, 1, now);
      asked += collect_owners (&fixture->join.owners, now, values);
      weir_owners_answer (&fixture->join.owners, &nobody, now);
      if (weir_owners_collect_cgroups (&fixture->join.owners, now, values) > 0)
        weir_owners_answer (&fixture->join.owners, &path, now);
      weir_join_settle (&fixture->join, now);
    }
  g_assert_cmpuint (asked, ==, 6);
  flow = weir_flow_table_find_cookie (&fixture->join.table, 1);
  g_assert_cmpuint (flow->owner_missing, ==, WEIR_MISSING_NOT_FOUND);
  /* What the kernel says about the socket stays. */
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_CGROUP);
  g_assert_true (flow->flags & WEIR_FLOW_HAS_UID);
  g_assert_cmpuint (flow->uid, ==, 1000);
}

/* Only what no program can bring about is the kernel's own. */
static void
test_owner_kernel (struct fixture *fixture, gconstpointer data)
{
  static const struct
  {
    guint8 protocol;
    gboolean sent;
    guint8 missing;
  } cases[] = {
    { IPPROTO_ICMP, TRUE, WEIR_MISSING_NOT_FOUND },
    { IPPROTO_ICMP, FALSE, WEIR_MISSING_KERNEL },
    { IPPROTO_ICMPV6, TRUE, WEIR_MISSING_NOT_FOUND },
    { IPPROTO_GRE, TRUE, WEIR_MISSING_KERNEL },
    { IPPROTO_UDPLITE, TRUE, WEIR_MISSING_GONE },
    { IPPROTO_SCTP, TRUE, WEIR_MISSING_NOT_FOUND },
    { IPPROTO_ESP, TRUE, WEIR_MISSING_NOT_FOUND },
  };
  struct weir_socket_reading raw = socket_reading ("0.0.0.0", 0, "0.0.0.0", 0);

  /* It may have sent packets of this protocol, so these are not certainly the kernel's. */
  raw.kind = WEIR_SOCKET_RAW;
  raw.protocol = IPPROTO_ESP;
  read_sockets (&fixture->join, &raw, 1, S);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *peer = "198.51.100.7";
      struct weir_conntrack_reading entry = cases[i].sent
                                                ? conntrack_reading ("192.0.2.1", 0, peer, 0)
                                                : conntrack_reading (peer, 0, "192.0.2.1", 0);
      struct weir_flow *flow;

      entry.protocol = cases[i].protocol;
      entry.id = 100 + i;
      entry.discriminator = (guint16) i;
      entry.has_state = false;
      read_entries (&fixture->join, &entry, 1, S);
      weir_join_settle (&fixture->join, S);
      flow = find_flow (&fixture->join, cases[i].protocol, "192.0.2.1", 0, peer, 0);
      g_assert_nonnull (flow);
      g_assert_cmpuint (flow->owner_missing, ==, cases[i].missing);
      weir_join_remove (&fixture->join, flow);
    }
}

/* An echo request belongs to the socket for pings whose port is its identifier, and to no other. */
static void
test_owner_ping (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading ping = socket_reading ("0.0.0.0", 77, "0.0.0.0", 0);
  struct weir_conntrack_reading sent = conntrack_reading ("192.0.2.1", 0, "198.51.100.7", 0);
  struct weir_conntrack_reading received = conntrack_reading ("198.51.100.8", 0, "192.0.2.1", 0);
  struct weir_flow *flow;

  ping.kind = WEIR_SOCKET_PING;
  ping.protocol = sent.protocol = received.protocol = IPPROTO_ICMP;
  sent.has_state = received.has_state = false;
  sent.discriminator = received.discriminator = 8 << 16 | 77;
  received.id = 8;
  read_sockets (&fixture->join, &ping, 1, S);
  weir_join_conntrack (&fixture->join, &sent, WEIR_CONNTRACK_NEW, S);
  weir_join_conntrack (&fixture->join, &received, WEIR_CONNTRACK_NEW, S);
  weir_join_settle (&fixture->join, S);
  answer_all (&fixture->join, S);
  weir_join_settle (&fixture->join, S);
  flow = find_flow (&fixture->join, IPPROTO_ICMP, "192.0.2.1", 0, "198.51.100.7", 0);
  g_assert_cmpuint (pid_of (&fixture->join, flow), ==, 100);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_LISTENER);
  g_assert_cmpuint (flow->state, ==, WEIR_FLOW_STATE_OPEN);
  /* Who asks from outside is answered by the kernel, whatever number was chosen there. */
  flow = find_flow (&fixture->join, IPPROTO_ICMP, "192.0.2.1", 0, "198.51.100.8", 0);
  g_assert_cmpuint (flow->owner, ==, 0);
  g_assert_cmpuint (flow->owner_missing, ==, WEIR_MISSING_KERNEL);

  /* Another number, and what is no echo. */
  for (guint i = 0; i < 2; i++)
    {
      sent.discriminator = i == 0 ? 8 << 16 | 78 : 13 << 16 | 77;
      sent.id = 9 + i;
      weir_join_conntrack (&fixture->join, &sent, WEIR_CONNTRACK_NEW, 2 * S);
      weir_join_settle (&fixture->join, 2 * S);
      for (guint32 slot = 0; (flow = weir_flow_table_next (&fixture->join.table, &slot)) != NULL;)
        {
          if (flow->key.discriminator == sent.discriminator)
            break;
        }
      g_assert_cmpuint (flow->owner, ==, 0);
      g_assert_cmpuint (flow->owner_missing, ==, WEIR_MISSING_NOT_FOUND);
    }
}

/* Whoever sends many packets does not push out the flows of this computer's own sockets. */
static void
test_flood (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading own[125];

  weir_join_conntrack_begin (&fixture->join);
  for (guint i = 0; i < 2000; i++)
    {
      struct weir_conntrack_reading entry =
          conntrack_reading ("198.51.100.7", (guint16) (1 + i), "192.0.2.1", 53);

      entry.protocol = IPPROTO_UDP;
      entry.id = i;
      weir_join_conntrack (&fixture->join, &entry, WEIR_CONNTRACK_ENTRY, S);
    }
  weir_join_conntrack_end (&fixture->join, true);
  g_assert_cmpuint (fixture->join.table.n_flows, ==, 875);
  g_assert_cmpuint (fixture->join.table.refused, ==, 1125);
  for (guint i = 0; i < G_N_ELEMENTS (own); i++)
    {
      own[i] = socket_reading ("192.0.2.1", (guint16) (1000 + i), "198.51.100.8", 443);
      own[i].cookie = own[i].inode = 1000 + i;
    }
  read_sockets (&fixture->join, own, G_N_ELEMENTS (own), 2 * S);
  g_assert_cmpuint (fixture->join.table.n_flows, ==, 1000);
  g_assert_cmpuint (fixture->join.table.refused, ==, 1125);
}

static void
test_owner_ambiguous (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading sockets[4];
  struct weir_conntrack_reading entries[] = {
    conntrack_reading ("198.51.100.7", 9, "192.0.2.1", 5353),
    conntrack_reading ("198.51.100.7", 9, "192.0.2.1", 4433),
  };
  struct weir_flow *flow;

  for (guint i = 0; i < 4; i++)
    {
      sockets[i] = socket_reading ("0.0.0.0", i < 2 ? 5353 : 4433, "0.0.0.0", 0);
      sockets[i].protocol = IPPROTO_UDP;
      sockets[i].state = WEIR_TCP_CLOSE;
      sockets[i].inode = 10 + i;
      sockets[i].cookie = 10 + i;
      sockets[i].has_cgroup = true;
      /* The workers of one service share a control group. */
      sockets[i].cgroup_id = i < 2 ? 100 + i : 200;
    }
  entries[0].protocol = entries[1].protocol = IPPROTO_UDP;
  entries[1].id = 8;
  read_sockets (&fixture->join, sockets, 4, S);
  read_entries (&fixture->join, entries, 2, S);
  for (guint round = 1; round < 4; round++)
    {
      weir_join_settle (&fixture->join, round * S);
      answer_all (&fixture->join, S);
      weir_join_settle (&fixture->join, round * S);
      flow = find_flow (&fixture->join, IPPROTO_UDP, "192.0.2.1", 5353, "198.51.100.7", 9);
      g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_NONE);
      flow = find_flow (&fixture->join, IPPROTO_UDP, "192.0.2.1", 4433, "198.51.100.7", 9);
      g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_CGROUP);
      g_assert_false (flow->flags & WEIR_FLOW_HAS_UID);
    }
}

/* The limited view may not look at the process, but the kernel tells everybody the control group.
 */
static void
test_owner_by_cgroup (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_looker_answer nobody = { .verb = WEIR_LOOKER_OWNERS, .value = 100, .unreadable = 4 };
  struct weir_looker_answer path = { .verb = WEIR_LOOKER_CGROUPS,
                                     .value = 5,
                                     .cgroup = "/a.service" };
  guint64 values[WEIR_LOOKER_BATCH];
  struct weir_flow *flow;

  fixture->join.owners.sees_everybody = false;
  socket.has_cgroup = true;
  socket.cgroup_id = 5;
  read_sockets (&fixture->join, &socket, 1, S);
  g_assert_cmpuint (collect_owners (&fixture->join.owners, S, values), ==, 1);
  weir_owners_answer (&fixture->join.owners, &nobody, S);
  g_assert_cmpuint (weir_owners_collect_cgroups (&fixture->join.owners, S, values), ==, 1);
  weir_owners_answer (&fixture->join.owners, &path, S);
  weir_join_settle (&fixture->join, S);
  flow = weir_flow_table_find_cookie (&fixture->join.table, 1);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_CGROUP);
  g_assert_cmpuint (flow->owner_missing, ==, WEIR_MISSING_OTHER_USER);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/join/" name, struct fixture, OWN, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("best-bytes", test_best_bytes);
  ADD ("states", test_states);
  ADD ("owner/by-tuple", test_owner_by_tuple);
  ADD ("owner/by-listener", test_owner_by_listener);
  ADD ("owner/of-sent", test_owner_of_sent);
  ADD ("owner/accepts", test_owner_accepts);
  ADD ("owner/not-accepted", test_owner_not_accepted);
  ADD ("owner/hides", test_owner_hides);
  ADD ("owner/kernel", test_owner_kernel);
  ADD ("owner/ping", test_owner_ping);
  ADD ("flood", test_flood);
  ADD ("owner/ambiguous", test_owner_ambiguous);
  ADD ("owner/by-cgroup", test_owner_by_cgroup);
  return g_test_run ();
}
