/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "bpf-readings.h"

#define INODE 4026532000U

/* A connection that process @pid made in the namespace with @cookie. */
static void
make (struct weir_join *join, guint16 port, guint64 cookie, guint32 pid, guint64 now)
{
  struct weir_bpf_reading reading = bpf_reading (port, port);

  reading.netns_cookie = cookie;
  reading.opener = reading.user = process (pid, 1000, "program");
  reading.born = now;
  move (&reading, 10, 20);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, now);
}

static guint32
netns_of (struct weir_join *join, guint16 port)
{
  return flow_at (join, port)->key.netns;
}

/* Asks for all, gets the one answer, and looks what follows. */
static void
tell (struct weir_join *join, guint32 netns, guint32 pid, guint64 start_time, guint64 now)
{
  collect_processes (join, now);
  answer_process (join, netns, pid, start_time, "program", now);
  weir_join_settle (join, now);
}

static void
test_told (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_flow *flow;
  struct weir_flow_key key;
  guint64 id;

  make (join, 1, OTHER_NETNS, 7, 2 * S);
  make (join, 2, OTHER_NETNS, 8, 2 * S);
  make (join, 3, OTHER_NETNS + 1, 9, 2 * S);
  make (join, 4, OWN_NETNS, 7, 2 * S);
  weir_join_settle (join, 2 * S);
  flow = flow_at (join, 1);
  g_assert_true (weir_netns_is_unknown (flow->key.netns));
  id = flow->id;
  flow->dirty = 0;
  tell (join, INODE, 7, 100, 3 * S);

  /* The same rows, under another key; others stay what they are. */
  g_assert_cmpuint (netns_of (join, 1), ==, INODE);
  g_assert_cmpuint (netns_of (join, 2), ==, INODE);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 3)));
  g_assert_cmpuint (netns_of (join, 4), ==, 1);
  g_assert_cmpuint (flow_at (join, 1)->id, ==, id);
  g_assert_true (flow->dirty & WEIR_FLOW_KEY);
  assert_bytes (flow, 10, 20);
  key = flow->key;
  g_assert_true (weir_flow_table_find (&join->table, &key) == flow);

  make (join, 5, OTHER_NETNS, 10, 4 * S);
  g_assert_cmpuint (netns_of (join, 5), ==, INODE);
}

/* The first that was believed stays. */
static void
test_contradicted (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;

  make (join, 1, OTHER_NETNS, 7, 2 * S);
  tell (join, INODE, 7, 100, 3 * S);
  make (join, 2, OTHER_NETNS, 8, 3 * S);
  tell (join, INODE + 1, 8, 100, 4 * S);
  g_assert_cmpuint (netns_of (join, 1), ==, INODE);
  g_assert_cmpuint (netns_of (join, 2), ==, INODE);

  /* Nor has one namespace two cookies, until it is gone. */
  make (join, 3, OTHER_NETNS + 1, 9, 5 * S);
  tell (join, INODE, 9, 100, 6 * S);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 3)));
  weir_join_remove_netns (join, weir_join_add_netns (join, INODE));
  make (join, 4, OTHER_NETNS + 1, 10, 7 * S);
  tell (join, INODE, 10, 100, 8 * S);
  g_assert_cmpuint (netns_of (join, 3), ==, INODE);
  make (join, 5, OTHER_NETNS, 11, 9 * S);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 5)));
}

static void
test_own (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;

  make (join, 1, OTHER_NETNS, 7, 2 * S);
  tell (join, 1, 7, 100, 3 * S);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 1)));
  /* Another one can still tell. */
  make (join, 2, OTHER_NETNS, 8, 3 * S);
  tell (join, INODE, 8, 100, 4 * S);
  g_assert_cmpuint (netns_of (join, 1), ==, INODE);
}

/* What the engine's sockets say is no process's to change. */
static void
test_fixed (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;

  weir_join_set_netns_cookie (join, INODE, OTHER_NETNS);
  make (join, 1, OTHER_NETNS, 7, 2 * S);
  tell (join, INODE + 1, 7, 100, 3 * S);
  g_assert_cmpuint (netns_of (join, 1), ==, INODE);
  make (join, 2, OTHER_NETNS + 1, 8, 3 * S);
  tell (join, INODE, 8, 100, 4 * S);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 2)));
}

/* Somebody else has the number of the process by now. */
static void
test_reused_pid (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;

  make (join, 1, OTHER_NETNS, 7, 2 * S);
  tell (join, INODE, 7, 201, 3 * S);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 1)));
}

/* The process that has the number is younger than the socket that it is said to have made, which
 * was seen late. */
static void
test_younger (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (1, 1);

  reading.netns_cookie = OTHER_NETNS;
  move (&reading, 10, 20);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_CHANGED, 9 * S);
  tell (join, INODE, 7, 500, 9 * S);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 1)));
}

/* It was asked for before it made the socket, and may have been elsewhere then. */
static void
test_asked_before (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;

  make (join, 1, OWN_NETNS, 7, 2 * S);
  g_assert_cmpuint (collect_processes (join, 2 * S), ==, 1);
  make (join, 2, OTHER_NETNS, 7, 2 * S);
  answer_process (join, INODE, 7, 100, "program", 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 2)));
  make (join, 3, OTHER_NETNS, 7, 2 * S + S / 10);
  weir_join_settle (join, 3 * S);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 2)));

  /* So it is asked again, at once. */
  tell (join, INODE, 7, 100, 3 * S);
  g_assert_cmpuint (netns_of (join, 2), ==, INODE);
}

/* Who opened a port was asked about then, and is not told of when the answer is under way. */
static void
test_asked_after (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (2, 2);

  make (join, 1, OWN_NETNS, 7, 2 * S);
  g_assert_cmpuint (collect_processes (join, 2 * S + 1), ==, 1);
  reading.netns_cookie = OTHER_NETNS;
  reading.opener = reading.user = process (7, 1000, "program");
  reading.born = 2 * S;
  move (&reading, 10, 20);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S + 1);
  weir_join_settle (join, 2 * S + 1);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 2)));
  answer_process (join, INODE, 7, 100, "program", 2 * S + 1);
  weir_join_settle (join, 2 * S + 1);
  g_assert_cmpuint (netns_of (join, 2), ==, INODE);
}

/* Nothing is known of who was not answered for. */
static void
test_not_answered (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;

  /* ... this time: where it was before says nothing. */
  make (join, 3, OWN_NETNS, 7, 2 * S - S / 10);
  tell (join, INODE, 7, 100, 2 * S - S / 10);
  make (join, 1, OTHER_NETNS, 7, 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_cmpuint (collect_processes (join, 2 * S + 1), ==, 1);
  weir_owners_processes_answered (&join->owners);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (collect_processes (join, 4 * S), ==, 0);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 1)));
  make (join, 2, OTHER_NETNS, 8, 4 * S);
  tell (join, INODE, 8, 100, 5 * S);
  g_assert_cmpuint (netns_of (join, 1), ==, INODE);
}

/* Who was given a socket says nothing of where it was made; who made it does. */
static void
test_handed_on (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (1, 1);

  reading.netns_cookie = OTHER_NETNS;
  reading.opener = process (5, 0, "opener");
  reading.user = process (7, 1000, "program");
  move (&reading, 10, 20);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  tell (join, INODE + 1, 7, 100, 3 * S);
  g_assert_true (weir_netns_is_unknown (netns_of (join, 1)));
  answer_process (join, INODE, 5, 100, "opener", 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (netns_of (join, 1), ==, INODE);
}

/* Connections 1 and 2 become known where the ends of 1 were listed for a socket with @cookie. */
static void
check_listed (struct weir_join *join, guint64 cookie)
{
  struct weir_netns *netns = weir_join_add_netns (join, INODE);
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  struct weir_flow *flow;
  guint32 slot = 0, n_counted = 0, n_same = 0;
  guint64 rx, tx;

  make (join, 1, OTHER_NETNS, 7, 2 * S);
  make (join, 2, OTHER_NETNS, 7, 2 * S);
  weir_join_sockets_begin (join, netns);
  socket.cookie = cookie;
  socket.uid = 9;
  weir_join_socket (join, netns, &socket, WEIR_SOCKDIAG_SOCKET, 2 * S);
  weir_join_sockets_complete (join, netns);
  weir_join_settle (join, 2 * S);
  tell (join, INODE, 7, 100, 3 * S);
  g_assert_cmpuint (count_flows (join), ==, 3);
  while ((flow = weir_flow_table_next (&join->table, &slot)) != NULL)
    {
      n_same += flow->key.netns == INODE && flow->key.local_port == 1 &&
                !(flow->flags & WEIR_FLOW_IS_ENDED);
      if (flow->bytes_source == WEIR_SOURCE_BPF)
        {
          n_counted++;
          assert_bytes (flow, 10, 20);
        }
      else if (flow->flags & WEIR_FLOW_IS_ENDED)
        g_assert_false (weir_flow_get_bytes (flow, &rx, &tx));
    }
  g_assert_cmpuint (n_counted, ==, 2);
  g_assert_cmpuint (n_same, ==, 1);
  g_assert_cmpuint (netns_of (join, 2), ==, INODE);
  weir_join_sockets_begin (join, netns);
  weir_join_socket (join, netns, &socket, WEIR_SOCKDIAG_SOCKET, 4 * S);
  weir_join_sockets_complete (join, netns);
  weir_join_settle (join, 4 * S);
}

/* A list of sockets told of the same connection, which is one row from then on. */
static void
check_same (struct weir_join *join, guint64 cookie)
{
  struct weir_flow_key key;
  struct weir_flow *flow;

  check_listed (join, cookie);
  key = flow_at (join, 2)->key;
  key.local_port = 1;
  flow = weir_flow_table_find (&join->table, &key);
  g_assert_nonnull (flow);
  g_assert_true (flow->flags & WEIR_FLOW_HAS_SOCKET);
  assert_bytes (flow, 10, 20);
}

static void
test_listed (struct fixture *fixture, gconstpointer data)
{
  check_same (&fixture->join, 1001);
}

/* ... as /proc does it. */
static void
test_listed_by_proc (struct fixture *fixture, gconstpointer data)
{
  check_same (&fixture->join, WEIR_LISTED_COOKIE | 100);
}

/* Who made it has no number in the engine's pid namespace: the list of its namespace's sockets
 * tells. */
static void
test_adopted (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_netns *netns = weir_join_add_netns (join, INODE);
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);
  guint32 uids[] = { 1001, 1000, 1000 };

  socket.cookie = WEIR_LISTED_COOKIE | 100;
  for (guint16 port = 1; port < 4; port++)
    {
      struct weir_bpf_reading reading = bpf_reading (port, port < 3 ? port : 1);

      reading.netns_cookie = port < 3 ? OTHER_NETNS : OTHER_NETNS + 1;
      reading.opener.pid = reading.user.pid = 0;
      move (&reading, 10, 20);
      weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
    }
  /* Another user's; and then two that can be it. */
  for (guint i = 0; i < 2; i++)
    {
      socket.uid = uids[i];
      weir_join_sockets_begin (join, netns);
      weir_join_socket (join, netns, &socket, WEIR_SOCKDIAG_SOCKET, 2 * S);
      weir_join_sockets_complete (join, netns);
      g_assert_true (weir_netns_is_unknown (netns_of (join, 2)));
    }
  socket.local.port = 2;
  weir_join_sockets_begin (join, netns);
  weir_join_socket (join, netns, &socket, WEIR_SOCKDIAG_SOCKET, 3 * S);
  weir_join_sockets_complete (join, netns);
  g_assert_cmpuint (netns_of (join, 2), ==, INODE);
  answer_all (join, 3 * S);
  weir_join_settle (join, 3 * S);
  assert_bytes (flow_at (join, 2), 10, 20);
  g_assert_cmpuint (pid_of (join, flow_at (join, 2)), ==, socket.inode);
}

/* Of another one: neither row is lost, and no byte counts twice. */
static void
test_already_there (struct fixture *fixture, gconstpointer data)
{
  check_listed (&fixture->join, 5000);
}

int
main (int argc, char **argv)
{
  static const struct named_test tests[] = {
    { "told", test_told },
    { "contradicted", test_contradicted },
    { "own", test_own },
    { "fixed", test_fixed },
    { "reused-pid", test_reused_pid },
    { "younger", test_younger },
    { "asked-before", test_asked_before },
    { "asked-after", test_asked_after },
    { "not-answered", test_not_answered },
    { "handed-on", test_handed_on },
    { "listed", test_listed },
    { "adopted", test_adopted },
    { "listed-by-proc", test_listed_by_proc },
    { "already-there", test_already_there },
  };

  return run_bpf_tests (argc, argv, "/join/cookies/", tests, G_N_ELEMENTS (tests));
}
