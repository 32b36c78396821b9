/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To whom a flow without a socket of its own is lent, and to whom not. */
#include <linux/netfilter/nf_conntrack_common.h>

#include "join-fixture.h"

static const char *const OWN[] = { "192.0.2.1", NULL };

#define ETH 2

static struct weir_socket_reading
bound (const char *address, guint32 inode, guint32 ifindex)
{
  struct weir_socket_reading reading = socket_reading (address, 53, "0.0.0.0", 0);

  reading.protocol = IPPROTO_UDP;
  reading.state = WEIR_TCP_CLOSE;
  reading.inode = reading.cookie = inode;
  reading.ifindex = ifindex;
  return reading;
}

static struct weir_conntrack_reading
asked_by (guint16 port)
{
  struct weir_conntrack_reading reading = conntrack_reading ("198.51.100.7", port, "192.0.2.1", 53);

  reading.protocol = IPPROTO_UDP;
  reading.has_state = false;
  reading.id = port;
  return reading;
}

static void
begin (struct fixture *fixture, guint16 port, guint64 now)
{
  const struct weir_conntrack_reading reading = asked_by (port);

  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, now);
}

/* As a tick does, at which all answers come at once. */
static void
tick (struct fixture *fixture, const struct weir_socket_reading *readings, gsize n, guint64 now)
{
  read_sockets (&fixture->join, readings, n, now);
  weir_join_settle (&fixture->join, now);
  answer_all (&fixture->join, now);
  weir_join_settle (&fixture->join, now);
}

#define NOBODY WEIR_OWNER_NONE, WEIR_MISSING_GONE, 0
#define HIDDEN WEIR_OWNER_NONE, WEIR_MISSING_NOT_FOUND, 0
#define SERVER WEIR_OWNER_LISTENER, WEIR_MISSING_NOTHING

static void
assert_flow (struct fixture *fixture, guint16 port, guint8 how, guint8 missing, guint32 pid)
{
  const struct weir_flow *flow =
      find_flow (&fixture->join, IPPROTO_UDP, "192.0.2.1", 53, "198.51.100.7", port);

  g_assert_nonnull (flow);
  g_assert_cmpuint (flow->owner_how, ==, how);
  g_assert_cmpuint (flow->owner_missing, ==, missing);
  if (how == WEIR_OWNER_LISTENER)
    g_assert_cmpuint (pid_of (&fixture->join, flow), ==, pid);
  g_assert_cmpint ((flow->flags & WEIR_FLOW_HAS_UID) != 0, ==, pid != 0);
}

/* Whoever is bound after the flow began was not meant. */
static void
test_younger (struct fixture *fixture, gconstpointer data)
{
  const struct weir_socket_reading server = bound ("0.0.0.0", 10, 0);

  tick (fixture, NULL, 0, S);
  begin (fixture, 1, 2 * S);
  tick (fixture, NULL, 0, 3 * S);
  assert_flow (fixture, 1, NOBODY);
  /* Begun, and cut short. */
  weir_join_sockets_begin (&fixture->join, &fixture->join.own);
  fixture->join.own.asked_at = 4 * S;
  begin (fixture, 2, 4 * S);
  tick (fixture, &server, 1, 5 * S);
  begin (fixture, 3, 6 * S);
  tick (fixture, &server, 1, 7 * S);
  for (guint i = 0; i < 3; i++)
    {
      assert_flow (fixture, 1, NOBODY);
      /* It may have been bound by then. */
      assert_flow (fixture, 2, SERVER, 10);
      assert_flow (fixture, 3, SERVER, 10);
      tick (fixture, &server, 1, (8 + i) * S);
    }
  /* The port passes to somebody else, whatever number his socket has. */
  begin (fixture, 4, 11 * S);
  tick (fixture, NULL, 0, 12 * S);
  tick (fixture, &server, 1, 13 * S);
  assert_flow (fixture, 4, NOBODY);
}

/* What the first reading shows may have been there at any time. */
static void
test_first (struct fixture *fixture, gconstpointer data)
{
  const struct weir_socket_reading server = bound ("0.0.0.0", 10, 0);

  begin (fixture, 1, S);
  tick (fixture, &server, 1, 2 * S);
  assert_flow (fixture, 1, SERVER, 10);
}

/* Two, and one leaves before it is known which of them it was; wherever on the port that was. */
static void
test_left (struct fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 2; i++)
    {
      const struct weir_socket_reading two[] = { bound ("0.0.0.0", 10, 0),
                                                 bound (i == 0 ? "0.0.0.0" : "192.0.2.1", 11, 0) };
      struct fixture another;

      set_up (&another, OWN);
      tick (&another, two, 2, S);
      begin (&another, 1, 2 * S);
      tick (&another, two, 1, 3 * S);
      begin (&another, 2, 4 * S);
      tick (&another, two, 1, 5 * S);
      assert_flow (&another, 1, HIDDEN);
      assert_flow (&another, 2, SERVER, 10);
      tear_down (&another, NULL);
    }
}

/* Answers for sockets 10 and more: every two of them belong to one process. */
static void
answer_in_pairs (struct fixture *fixture, guint64 now)
{
  guint64 values[WEIR_LOOKER_BATCH];
  guint32 n = collect_owners (&fixture->join.owners, now, values);

  for (guint32 i = 0; i < n; i++)
    {
      struct weir_looker_answer answer = {
        .verb = WEIR_LOOKER_OWNERS,
        .value = values[i],
        .pid = (guint32) values[i] / 2,
        .start_time = 1,
      };

      weir_owners_answer (&fixture->join.owners, &answer, now);
    }
  weir_owners_answered (&fixture->join.owners, 0, now);
  weir_join_settle (&fixture->join, now);
}

/* Several sockets of one process are that process's; once there is one of another's, nobody's. */
static void
test_one_process (struct fixture *fixture, gconstpointer data)
{
  const struct weir_socket_reading all[] = { bound ("0.0.0.0", 10, 0), bound ("0.0.0.0", 11, 0),
                                             bound ("0.0.0.0", 12, 0), bound ("0.0.0.0", 13, 0) };

  begin (fixture, 1, S);
  read_sockets (&fixture->join, all, 2, S);
  weir_join_settle (&fixture->join, S);
  assert_flow (fixture, 1, WEIR_OWNER_NONE, WEIR_MISSING_NOT_YET, 0);
  answer_in_pairs (fixture, S);
  assert_flow (fixture, 1, SERVER, 5);
  /* One of them is closed: it is the same process still. */
  read_sockets (&fixture->join, all + 1, 1, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  assert_flow (fixture, 1, SERVER, 5);
  begin (fixture, 2, 3 * S);
  read_sockets (&fixture->join, all, 3, 3 * S);
  weir_join_settle (&fixture->join, 3 * S);
  answer_in_pairs (fixture, 3 * S);
  assert_flow (fixture, 2, HIDDEN);
  /* Of those who are left all are of one, but it may have been him who left. */
  read_sockets (&fixture->join, all, 2, 4 * S);
  weir_join_settle (&fixture->join, 4 * S);
  assert_flow (fixture, 2, HIDDEN);
  begin (fixture, 3, 5 * S);
  read_sockets (&fixture->join, all, 2, 6 * S);
  weir_join_settle (&fixture->join, 6 * S);
  assert_flow (fixture, 3, SERVER, 5);
  read_sockets (&fixture->join, all, 4, 7 * S);
  weir_join_settle (&fixture->join, 7 * S);
  assert_flow (fixture, 3, HIDDEN);
}

/* Whether a socket that is bound to a device could have received it shows in what was sent. */
static void
test_device (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading server = bound ("0.0.0.0", 10, ETH);
  struct weir_conntrack_reading sent = conntrack_reading ("192.0.2.1", 53, "198.51.100.7", 2);
  struct weir_conntrack_reading answered = asked_by (1);

  sent.protocol = IPPROTO_UDP;
  sent.has_state = false;
  begin (fixture, 1, S);
  weir_join_conntrack (&fixture->join, &sent, WEIR_CONNTRACK_NEW, S);
  tick (fixture, &server, 1, S);
  assert_flow (fixture, 1, HIDDEN);
  assert_flow (fixture, 2, SERVER, 10);
  answered.status = IPS_SEEN_REPLY;
  read_entries (&fixture->join, &answered, 1, 2 * S);
  tick (fixture, &server, 1, 2 * S);
  assert_flow (fixture, 1, SERVER, 10);
}

/* Among several that a device would tell apart nobody is chosen. */
static void
test_devices (struct fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *addresses[2];
    guint32 devices[2];
    guint8 how;
    guint32 pid;
  } cases[] = {
    { { "0.0.0.0", "0.0.0.0" }, { ETH, 0 }, WEIR_OWNER_NONE },
    { { "0.0.0.0", "0.0.0.0" }, { ETH, ETH + 1 }, WEIR_OWNER_NONE },
    { { "192.0.2.1", "0.0.0.0" }, { ETH, 0 }, WEIR_OWNER_NONE },
    { { "0.0.0.0", "::" }, { 0, ETH }, WEIR_OWNER_NONE },
    { { "0.0.0.0", "::" }, { ETH, 0 }, WEIR_OWNER_NONE },
    /* The address decides before any device is looked at. */
    { { "192.0.2.1", "0.0.0.0" }, { 0, ETH }, WEIR_OWNER_LISTENER, 10 },
    { { "0.0.0.0", "::" }, { 0, 0 }, WEIR_OWNER_LISTENER, 10 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const struct weir_socket_reading two[] = {
        bound (cases[i].addresses[0], 10, cases[i].devices[0]),
        bound (cases[i].addresses[1], 11, cases[i].devices[1]),
      };
      struct weir_conntrack_reading answered = asked_by (1);
      struct fixture another;

      g_test_message ("case %u", i);
      set_up (&another, OWN);
      answered.status = IPS_SEEN_REPLY;
      weir_join_conntrack (&another.join, &answered, WEIR_CONNTRACK_NEW, S);
      tick (&another, two, 2, S);
      assert_flow (&another, 1, cases[i].how,
                   cases[i].pid != 0 ? WEIR_MISSING_NOTHING : WEIR_MISSING_NOT_FOUND, cases[i].pid);
      tear_down (&another, NULL);
    }
}

/* A connection that waits to be accepted is bound to the device of its listener. */
static void
test_listener_of_device (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading sockets[] = {
    socket_reading ("0.0.0.0", 80, "0.0.0.0", 0),
    socket_reading ("192.0.2.1", 80, "198.51.100.7", 1),
    socket_reading ("192.0.2.1", 80, "198.51.100.7", 2),
  };
  struct weir_conntrack_reading entry = conntrack_reading ("198.51.100.7", 3, "192.0.2.1", 80);
  static const guint32 expected[] = { 50, 0, 0 };

  sockets[0].state = WEIR_TCP_LISTEN;
  sockets[0].inode = 50;
  sockets[0].ifindex = sockets[1].ifindex = ETH;
  sockets[1].inode = sockets[2].inode = 0;
  sockets[1].cookie = 2;
  sockets[2].cookie = 3;
  weir_join_conntrack (&fixture->join, &entry, WEIR_CONNTRACK_NEW, S);
  tick (fixture, sockets, G_N_ELEMENTS (sockets), S);
  for (guint i = 0; i < 3; i++)
    {
      const struct weir_flow *flow = find_flow (&fixture->join, IPPROTO_TCP, "192.0.2.1", 80,
                                                "198.51.100.7", (guint16) (1 + i));

      g_assert_cmpuint (pid_of (&fixture->join, flow), ==, expected[i]);
    }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/join-servers/" name, struct fixture, OWN, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("younger", test_younger);
  ADD ("first", test_first);
  ADD ("left", test_left);
  ADD ("one-process", test_one_process);
  ADD ("device", test_device);
  ADD ("devices", test_devices);
  ADD ("listener-of-device", test_listener_of_device);
  return g_test_run ();
}
