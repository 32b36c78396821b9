/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which namespaces are known, when one is let go, whose turn it is; the looker's part by hand, that
 * of the kernel for real, in namespaces of this test's own. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "readings-builder.h"
#include "source-namespaces.h"
#include "weir-meter-private.h"

struct fixture
{
  struct weir_join join;
  struct weir_namespaces namespaces;
  struct weir_opened_namespaces opened;
};

/* Sockets of a new namespace: it lives as long as they do. */
static void
open_namespace (struct weir_opened_namespaces *opened, guint32 inode)
{
  struct weir_opened_namespace *item = &opened->items[opened->n++];
  int fds[3], place = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  for (guint i = 0; i < 3; i++)
    {
      fds[i] = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                       i == 2 ? NETLINK_ROUTE : NETLINK_SOCK_DIAG);
      g_assert_cmpint (fds[i], >=, 0);
    }
  g_assert_cmpint (setns (place, CLONE_NEWNET), ==, 0);
  close (place);
  *item = (struct weir_opened_namespace) {
    .inode = inode, .sock_diag = fds[0], .sock_events = fds[1], .route = fds[2], .name = "name"
  };
}

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  memset (fixture, 0, sizeof *fixture);
  g_assert_cmpint (weir_join_init (&fixture->join, 1, true, 1000), ==, 0);
  for (gint i = 0; i < GPOINTER_TO_INT (data); i++)
    open_namespace (&fixture->opened, 100 + (guint32) i);
  weir_namespaces_init (&fixture->namespaces, &fixture->join, &fixture->opened);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  weir_namespaces_clear (&fixture->namespaces);
  weir_join_clear (&fixture->join);
}

static guint32
ask (struct fixture *fixture, guint64 now)
{
  struct weir_looker_request request = { 0 };

  return weir_namespaces_ask (&fixture->namespaces, &request, now) ? request.verb : 0;
}

/* One whole walk, which finds a process of @uid in each of @inodes. */
static void
walk (struct fixture *fixture, guint64 now, guint32 uid, const guint32 *inodes, guint n)
{
  struct weir_looker_answer answer = { .verb = WEIR_LOOKER_NAMESPACES, .uid = uid, .comm = "init" };

  g_assert_cmpuint (ask (fixture, now), ==, WEIR_LOOKER_NAMESPACES);
  for (guint i = 0; i < n; i++)
    {
      answer.value = inodes[i];
      answer.pid = 1000 + inodes[i];
      weir_namespaces_answer (&fixture->namespaces, &answer, now);
    }
  answer = (struct weir_looker_answer) { 0 };
  weir_namespaces_answered (&fixture->namespaces, &answer, now);
}

static void
list (struct fixture *fixture, guint32 inode, guint n_sockets, gboolean believed, guint64 now)
{
  struct weir_looker_answer answer = { .verb = WEIR_LOOKER_SOCKETS,
                                       .value = inode,
                                       .n_sockets = n_sockets };

  g_assert_cmpuint (ask (fixture, now), ==, WEIR_LOOKER_SOCKETS);
  for (guint i = 0; i < n_sockets; i++)
    {
      struct weir_endpoint local = endpoint ("10.0.0.1", (guint16) (5000 + i));
      struct weir_endpoint remote = endpoint ("10.0.0.9", 443);
      struct weir_listed_socket *socket = &answer.sockets[i];

      memcpy (socket->local, local.address, 16);
      memcpy (socket->remote, remote.address, 16);
      socket->local_port = local.port;
      socket->remote_port = remote.port;
      socket->inode = 7000 + i;
      socket->protocol = IPPROTO_TCP;
      socket->state = WEIR_TCP_ESTABLISHED;
    }
  weir_namespaces_answer (&fixture->namespaces, &answer, now);
  answer = (struct weir_looker_answer) { .unreadable = !believed };
  weir_namespaces_answered (&fixture->namespaces, &answer, now);
}

/* For those that want both clocks: no time was slept through. */
static struct weir_moment
at (guint64 now)
{
  return (struct weir_moment) { .awake = now, .boot = now };
}

static void
begin (struct fixture *fixture, guint64 budget, guint64 now)
{
  const struct weir_moment moment = at (now);

  weir_namespaces_start (&fixture->namespaces, budget, FALSE, &moment);
}

static void
read_some (struct fixture *fixture, guint buffers, guint64 now)
{
  const struct weir_moment moment = at (now);

  weir_namespaces_read (&fixture->namespaces, buffers, &moment);
}

/* Reads until nothing runs. */
static void
read_all (struct fixture *fixture, guint64 budget, guint64 now)
{
  struct pollfd polled[WEIR_NAMESPACES_POLLED_MAX];

  begin (fixture, budget, now);
  while (fixture->namespaces.running)
    {
      guint n = weir_namespaces_poll (&fixture->namespaces, polled);

      g_assert_cmpint (poll (polled, n, 2000), >, 0);
      read_some (fixture, 32, now);
      weir_namespaces_spend (&fixture->namespaces, 1);
    }
}

static void
test_read (struct fixture *fixture, gconstpointer data)
{
  read_all (fixture, G_MAXUINT64, S);
  for (guint i = 0; i < 3; i++)
    {
      const struct weir_namespace *namespace = fixture->namespaces.items[i];

      g_assert_cmpint (namespace->error, ==, 0);
      g_assert_true (namespace->netns->sockets_known);
      g_assert_true (namespace->netns->addresses.known);
      g_assert_false (namespace->addresses_stale);
      g_assert_cmpuint (namespace->netns->read_at, ==, S);
    }
  g_assert_false (weir_namespaces_is_incomplete (&fixture->namespaces));
}

/* With next to no time one is read at each tick, and each has its turn. */
static void
test_turns (struct fixture *fixture, gconstpointer data)
{
  for (guint tick = 1; tick <= 3; tick++)
    {
      guint n = 0;

      read_all (fixture, 1, tick * S);
      for (guint i = 0; i < 3; i++)
        n += fixture->namespaces.items[i]->netns->read_at == tick * S;
      g_assert_cmpuint (n, ==, 1);
    }
  for (guint i = 0; i < 3; i++)
    g_assert_true (fixture->namespaces.items[i]->netns->sockets_known);
}

/* How many were read at @now, a tick with a budget of 10 in which what was more is owed; each part
 * of a dump takes @cost. */
static guint
count_read (struct fixture *fixture, guint64 cost, guint64 now)
{
  const struct weir_moment moment = at (now);
  struct pollfd polled[WEIR_NAMESPACES_POLLED_MAX];
  guint n_read = 0;

  weir_namespaces_start (&fixture->namespaces, 10, TRUE, &moment);
  while (fixture->namespaces.running)
    {
      guint n = weir_namespaces_poll (&fixture->namespaces, polled);

      g_assert_cmpint (poll (polled, n, 2000), >, 0);
      weir_namespaces_spend (&fixture->namespaces, cost);
      read_some (fixture, 1, now);
    }
  for (guint i = 0; i < 3; i++)
    n_read += fixture->namespaces.items[i]->netns->read_at == now;
  return n_read;
}

/* What dumps took beyond their time is saved by leaving others out, once all have been read. */
static void
test_debt (struct fixture *fixture, gconstpointer data)
{
  guint n_read = 0, tick = 1;

  /* However little time there is, until each was read twice. */
  for (; tick <= 6; tick++)
    g_assert_cmpuint (count_read (fixture, 100, tick * S), ==, 1);
  fixture->namespaces.debt = 50;
  for (; tick <= 10; tick++)
    g_assert_cmpuint (count_read (fixture, 0, tick * S), ==, 0);
  g_assert_cmpuint (count_read (fixture, 0, tick++ * S), ==, 3);
  /* Each takes more than one tick's time, and all have their turn. */
  for (guint i = 0; i < 40; i++)
    n_read += count_read (fixture, 5, tick++ * S);
  g_assert_cmpuint (n_read, >=, 8);
  g_assert_cmpuint (n_read, <=, 20);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (fixture->namespaces.items[i]->netns->read_at, >, (tick - 12) * S);
}

/* Whoever makes events without end does not end all dumps by that, nor does one dump for long. */
static void
test_debt_is_bounded (struct fixture *fixture, gconstpointer data)
{
  guint tick = 1;

  for (; tick <= 6; tick++)
    count_read (fixture, 0, tick * S);
  weir_namespaces_spend_on_events (&fixture->namespaces, 1000000);
  g_assert_cmpuint (count_read (fixture, 0, tick++ * S), ==, 3);
  weir_namespaces_spend (&fixture->namespaces, 1000000);
  for (guint i = 0; i < 119; i++)
    g_assert_cmpuint (count_read (fixture, 0, tick++ * S), ==, 0);
  g_assert_cmpuint (count_read (fixture, 0, tick++ * S), ==, 0);
  g_assert_cmpuint (count_read (fixture, 0, tick++ * S), ==, 3);
}

/* Reads on until sockets are what is read of the one whose turn it is. */
static void
read_addresses (struct fixture *fixture, guint64 now)
{
  struct pollfd polled[WEIR_NAMESPACES_POLLED_MAX];

  while (fixture->namespaces.step == WEIR_NAMESPACES_ADDRESSES)
    {
      guint n = weir_namespaces_poll (&fixture->namespaces, polled);

      g_assert_cmpint (poll (polled, n, 2000), >, 0);
      read_some (fixture, 32, now);
    }
}

/* A dump that does not come to its end, be it that it has something to say at all times or that it
 * says nothing, keeps nobody waiting, costs little, and ends when it does. */
static void
check_endless (struct fixture *fixture, gboolean says_something)
{
  struct weir_namespace *slow, *other;

  begin (fixture, G_MAXUINT64, S);
  read_addresses (fixture, S);
  slow = fixture->namespaces.items[fixture->namespaces.turn];
  other = fixture->namespaces.items[1 - fixture->namespaces.turn];
  begin (fixture, G_MAXUINT64, 4 * S);
  read_some (fixture, 0, 5 * S);
  g_assert_true (fixture->namespaces.items[fixture->namespaces.turn] == slow);
  g_assert_cmpint (slow->error, ==, 0);
  if (says_something)
    read_some (fixture, 0, 6 * S);
  else
    begin (fixture, G_MAXUINT64, 6 * S);
  g_assert_cmpint (slow->error, ==, ETIMEDOUT);
  g_assert_true (weir_namespaces_is_incomplete (&fixture->namespaces));
  if (says_something)
    {
      /* It has had its turn in this tick, and the other one has it now. */
      g_assert_true (fixture->namespaces.running);
      g_assert_true (fixture->namespaces.items[fixture->namespaces.turn] == other);
    }
  read_all (fixture, G_MAXUINT64, 7 * S);
  for (guint i = 8; i < 60; i += 10)
    {
      const guint32 before = slow->diag.sequence;

      read_all (fixture, G_MAXUINT64, i * S);
      g_assert_cmpuint (other->netns->read_at, ==, i * S);
      g_assert_cmpint (slow->error, ==, ETIMEDOUT);
      /* No other dump was asked for. */
      g_assert_cmpuint (slow->diag.sequence, ==, before);
    }
  read_all (fixture, G_MAXUINT64, 70 * S);
  g_assert_cmpint (slow->error, ==, 0);
  g_assert_cmpuint (slow->netns->read_at, ==, 70 * S);
  g_assert_false (weir_namespaces_is_incomplete (&fixture->namespaces));
}

static void
test_endless (struct fixture *fixture, gconstpointer data)
{
  check_endless (fixture, TRUE);
}

static void
test_silent (struct fixture *fixture, gconstpointer data)
{
  check_endless (fixture, FALSE);
}

static void
let_time_pass (struct weir_moment *ret_now)
{
  static guint64 cpu;

  *ret_now = (struct weir_moment) { .cpu = cpu += 10 };
}

/* Whoever is root of a namespace can make events without end: they are paid for as well. */
static void
test_events_cost (struct fixture *fixture, gconstpointer data)
{
  g_autofree struct weir_meter *meter = g_new0 (struct weir_meter, 1);

  meter->read_clocks = let_time_pass;
  g_assert_false (weir_meter_read_namespace_events (meter, NULL, 0, S));
  g_assert_cmpuint (meter->namespaces.spent, ==, 10);
}

/* The same of its addresses. */
static void
test_endless_addresses (struct fixture *fixture, gconstpointer data)
{
  struct weir_namespace *slow;

  begin (fixture, G_MAXUINT64, S);
  slow = fixture->namespaces.items[fixture->namespaces.turn];
  g_assert_cmpint (fixture->namespaces.step, ==, WEIR_NAMESPACES_ADDRESSES);
  begin (fixture, G_MAXUINT64, 6 * S);
  g_assert_cmpint (slow->error, ==, ETIMEDOUT);
  g_assert_true (fixture->namespaces.items[fixture->namespaces.turn] != slow);
  read_all (fixture, G_MAXUINT64, 7 * S);
  g_assert_false (slow->netns->addresses.known);
  for (guint i = 70; i < 73; i++)
    read_all (fixture, G_MAXUINT64, i * S);
  g_assert_true (slow->netns->addresses.known);
  g_assert_cmpint (slow->error, ==, 0);
}

/* An opened one that nobody is in is let go after two walks, and its descriptors with it. */
static void
test_let_go (struct fixture *fixture, gconstpointer data)
{
  const guint32 both[] = { 100, 101 };
  const int fd = fixture->opened.items[1].sock_diag;

  read_all (fixture, G_MAXUINT64, S);
  walk (fixture, 10 * S, 0, both, 2);
  walk (fixture, 20 * S, 0, both, 1);
  g_assert_nonnull (weir_namespaces_find (&fixture->namespaces, 101));
  walk (fixture, 30 * S, 0, both, 2);
  walk (fixture, 40 * S, 0, both, 1);
  walk (fixture, 50 * S, 0, both, 1);
  g_assert_null (weir_namespaces_find (&fixture->namespaces, 101));
  g_assert_nonnull (weir_namespaces_find (&fixture->namespaces, 100));
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, -1);
  g_assert_cmpint (errno, ==, EBADF);
  g_assert_cmpuint (fixture->join.n_others, ==, 1);
  read_all (fixture, G_MAXUINT64, 60 * S);
}

/* ... unless there are sockets in it, whose process is elsewhere. */
static void
test_sockets_keep (struct fixture *fixture, gconstpointer data)
{
  struct weir_netns *netns = fixture->namespaces.items[0]->netns;
  struct weir_socket_reading socket = socket_reading ("10.0.0.1", 1, "10.0.0.9", 443);

  read_sockets_of (&fixture->join, netns, &socket, 1, S);
  for (guint i = 1; i < 5; i++)
    walk (fixture, 10 * i * S, 0, NULL, 0);
  g_assert_nonnull (weir_namespaces_find (&fixture->namespaces, 100));
  read_sockets_of (&fixture->join, netns, NULL, 0, 50 * S);
  walk (fixture, 60 * S, 0, NULL, 0);
  g_assert_null (weir_namespaces_find (&fixture->namespaces, 100));
}

/* Reads that end in the middle: what was let go does not come back. */
static void
test_let_go_while_reading (struct fixture *fixture, gconstpointer data)
{
  for (guint i = 1; i < 4; i++)
    {
      begin (fixture, G_MAXUINT64, i * S);
      walk (fixture, 10 * i * S, 0, NULL, 0);
    }
  g_assert_cmpuint (fixture->namespaces.n, ==, 0);
  g_assert_false (fixture->namespaces.running);
  read_some (fixture, 32, 40 * S);
  read_all (fixture, G_MAXUINT64, 50 * S);
}

/* A new one is listed; its sockets are rows without bytes, and say so by the state of the source.
 */
static void
test_listed (struct fixture *fixture, gconstpointer data)
{
  const guint32 inodes[] = { 1, 200 };
  struct weir_flow *flow;
  guint64 rx, tx;

  walk (fixture, S, 0, inodes, 2);
  g_assert_cmpuint (fixture->namespaces.n, ==, 1);
  g_assert_false (weir_namespaces_is_incomplete (&fixture->namespaces));
  list (fixture, 200, 2, TRUE, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  flow = find_flow (&fixture->join, IPPROTO_TCP, "10.0.0.1", 5000, "10.0.0.9", 443);
  g_assert_nonnull (flow);
  g_assert_cmpuint (flow->key.netns, ==, 200);
  g_assert_false (weir_flow_get_bytes (flow, &rx, &tx));
  g_assert_cmpuint (weir_owners_get (&fixture->join.owners, flow->owner)->inode, ==, 7000);
  g_assert_true (weir_namespaces_is_incomplete (&fixture->namespaces));

  /* What is not to be believed changes nothing; two listings without it end it. */
  g_assert_cmpuint (ask (fixture, 2 * S), ==, 0);
  walk (fixture, 4 * S, 0, inodes, 2);
  list (fixture, 200, 0, FALSE, 4 * S);
  flow = find_flow (&fixture->join, IPPROTO_TCP, "10.0.0.1", 5001, "10.0.0.9", 443);
  g_assert_true (flow->flags & WEIR_FLOW_HAS_SOCKET);
  walk (fixture, 6 * S, 0, inodes, 2);
  list (fixture, 200, 1, TRUE, 6 * S);
  list (fixture, 200, 1, TRUE, 7 * S);
  g_assert_false (flow->flags & WEIR_FLOW_HAS_SOCKET);
  flow = find_flow (&fixture->join, IPPROTO_TCP, "10.0.0.1", 5000, "10.0.0.9", 443);
  g_assert_true (flow->flags & WEIR_FLOW_HAS_SOCKET);
}

/* What our own dump shows is no other namespace's, whatever a process shows of it. */
static void
test_not_own (struct fixture *fixture, gconstpointer data)
{
  const guint32 inodes[] = { 200 };
  struct weir_socket_reading own = socket_reading ("10.0.0.1", 5000, "10.0.0.9", 443);

  own.inode = 7000;
  read_sockets_of (&fixture->join, &fixture->join.own, &own, 1, S);
  walk (fixture, S, 0, inodes, 1);
  list (fixture, 200, 2, TRUE, 2 * S);
  for (guint i = 0; i < 2; i++)
    {
      struct weir_flow *flow;
      guint32 slot = 0, n = 0;

      while ((flow = weir_flow_table_next (&fixture->join.table, &slot)) != NULL)
        n += flow->key.netns == 200 && flow->key.local_port == 5000 + i;
      g_assert_cmpuint (n, ==, i);
    }
}

/* Nobody can fill all places but root; what finds none is counted. */
static void
test_crowd (struct fixture *fixture, gconstpointer data)
{
  guint32 inodes[100];

  for (guint i = 0; i < G_N_ELEMENTS (inodes); i++)
    inodes[i] = 1000 + i;
  walk (fixture, S, 1000, inodes, 100);
  g_assert_cmpuint (fixture->namespaces.n, ==, 16);
  g_assert_cmpuint (fixture->namespaces.n_left_out, ==, 84);
  g_assert_true (weir_namespaces_is_incomplete (&fixture->namespaces));
  for (guint i = 0; i < G_N_ELEMENTS (inodes); i++)
    inodes[i] += 1000;
  walk (fixture, 10 * S, 0, inodes, 100);
  g_assert_cmpuint (fixture->namespaces.n, ==, WEIR_LISTED_NAMESPACES_MAX);
}

/* A request that was expensive is paid for by a pause. */
static void
test_costs (struct fixture *fixture, gconstpointer data)
{
  struct weir_looker_answer answer = { .value = S / 10 };

  g_assert_cmpuint (ask (fixture, S), ==, WEIR_LOOKER_NAMESPACES);
  weir_namespaces_answered (&fixture->namespaces, &answer, S);
  /* 20 ms were saved, 80 ms are owed, and each second brings 20. */
  g_assert_cmpuint (ask (fixture, 4 * S), ==, 0);
  g_assert_cmpuint (ask (fixture, 5 * S - S / 10), ==, 0);
  g_assert_cmpuint (ask (fixture, 5 * S + S / 10), ==, WEIR_LOOKER_NAMESPACES);
}

/* One whole walk that takes @cost; returns when the next one is due. */
static guint64
walk_for (struct fixture *fixture, guint64 now, guint64 cost, guint32 inode)
{
  struct weir_looker_answer answer = { .verb = WEIR_LOOKER_NAMESPACES, .value = inode, .pid = 9 };

  while (ask (fixture, now) == WEIR_LOOKER_SOCKETS)
    {
      answer = (struct weir_looker_answer) { 0 };
      weir_namespaces_answered (&fixture->namespaces, &answer, now);
    }
  answer = (struct weir_looker_answer) {
    .verb = WEIR_LOOKER_NAMESPACES, .value = inode, .pid = 9, .comm = "init"
  };
  g_assert_cmpuint (fixture->namespaces.asked_verb, ==, WEIR_LOOKER_NAMESPACES);
  if (inode != 0)
    weir_namespaces_answer (&fixture->namespaces, &answer, now);
  answer = (struct weir_looker_answer) { .value = cost };
  weir_namespaces_answered (&fixture->namespaces, &answer, now);
  return fixture->namespaces.walk_at;
}

/* Walks that take long are seldom, unless there is something new. */
static void
test_walk_gaps (struct fixture *fixture, gconstpointer data)
{
  const guint64 ms = S / 1000;
  guint64 now = 10 * S, next;

  next = walk_for (fixture, now, ms, 0);
  g_assert_cmpuint (next - now, ==, 2 * S);
  /* Once expensive, and then not. */
  next = walk_for (fixture, now = next, 20 * ms, 0);
  g_assert_cmpuint (next - now, ==, 4 * S);
  next = walk_for (fixture, now = next, ms, 0);
  g_assert_cmpuint (next - now, ==, 2 * S);
  for (guint i = 0; i < 5; i++)
    next = walk_for (fixture, now = next, 15 * ms, 0);
  g_assert_cmpuint (next - now, ==, 15 * S);
  next = walk_for (fixture, now = next, 15 * ms, 300);
  g_assert_cmpuint (next - now, ==, 2 * S);
  for (guint i = 0; i < 8; i++)
    next = walk_for (fixture, now = next, 40 * ms, 300);
  g_assert_cmpuint (next - now, ==, 30 * S);
}

/* Without a looker nobody would tell when to let go. */
static void
test_stop (struct fixture *fixture, gconstpointer data)
{
  weir_namespaces_stop (&fixture->namespaces);
  g_assert_cmpuint (fixture->namespaces.n, ==, 0);
  g_assert_cmpuint (ask (fixture, G_MAXUINT64 - 1), ==, 0);
  g_assert_true (weir_namespaces_is_incomplete (&fixture->namespaces));
}

/* Whose sockets are not shown any more is missing, and goes on to be. */
static void
test_give_up (struct fixture *fixture, gconstpointer data)
{
  const guint32 inodes[] = { 100, 200, 201 };

  read_all (fixture, G_MAXUINT64, S);
  walk (fixture, 2 * S, 0, inodes, 3);
  list (fixture, 200, 2, TRUE, 2 * S);
  list (fixture, 201, 0, TRUE, 2 * S);
  weir_namespaces_give_up (&fixture->namespaces);
  g_assert_cmpuint (fixture->namespaces.n, ==, 1);
  for (guint64 now = 10 * S; now < 40 * S; now += 10 * S)
    {
      g_assert_true (weir_namespaces_is_incomplete (&fixture->namespaces));
      g_assert_cmpuint (fixture->namespaces.n_left_out, ==, 1);
      walk (fixture, now, 0, inodes, 2);
    }
}

/* Before the first walk has ended nobody knows which there are. */
static void
test_give_up_early (struct fixture *fixture, gconstpointer data)
{
  weir_namespaces_give_up (&fixture->namespaces);
  walk (fixture, 2 * S, 0, NULL, 0);
  g_assert_true (weir_namespaces_is_incomplete (&fixture->namespaces));
}

static void
collect (const struct weir_namespace_record *record, void *data)
{
  g_array_append_val ((GArray *) data, *record);
}

static void
test_publish (struct fixture *fixture, gconstpointer data)
{
  const guint32 inodes[] = { 100 };
  g_autoptr (GArray) records = g_array_new (FALSE, FALSE, sizeof (struct weir_namespace_record));
  struct weir_namespace_record *record;
  struct weir_writer writer;
  struct weir_frame frame;
  guint32 left_out;
  size_t size;

  read_all (fixture, G_MAXUINT64, S);
  read_all (fixture, G_MAXUINT64, 2 * S);
  walk (fixture, 2 * S, 0, inodes, 1);
  weir_writer_init (&writer);
  weir_namespaces_publish (&fixture->namespaces, &writer);
  size = writer.size;
  weir_namespaces_publish (&fixture->namespaces, &writer);
  g_assert_cmpuint (writer.size, ==, size); /* nothing new */
  frame = (struct weir_frame) { .type = WEIR_MESSAGE_NAMESPACES,
                                .body = writer.data + WEIR_FRAME_HEADER_SIZE,
                                .size = size - WEIR_FRAME_HEADER_SIZE };
  g_assert_cmpint (weir_read_namespaces (&frame, collect, records, &left_out), ==, 0);
  g_assert_cmpuint (records->len, ==, 2);
  record = &g_array_index (records, struct weir_namespace_record, 0);
  g_assert_cmpuint (record->inode, ==, 1);
  g_assert_cmpuint (record->how, ==, WEIR_NAMESPACE_OWN);
  record++;
  g_assert_cmpuint (record->inode, ==, 100);
  g_assert_cmpuint (record->how, ==, WEIR_NAMESPACE_OPENED);
  g_assert_cmpuint (record->state, ==, WEIR_NAMESPACE_READ);
  g_assert_cmpuint (record->interval_ms, ==, 1000);
  g_assert_cmpuint (record->pid, ==, 1100);
  g_assert_cmpstr (record->comm, ==, "init");
  g_assert_cmpstr (record->name, ==, "name");
  weir_writer_clear (&writer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, n_opened, function)                                                              \
  g_test_add ("/source-namespaces/" name, struct fixture, GINT_TO_POINTER (n_opened), set_up,      \
              function, tear_down)
  ADD ("read", 3, test_read);
  ADD ("turns", 3, test_turns);
  ADD ("debt", 3, test_debt);
  ADD ("debt-is-bounded", 3, test_debt_is_bounded);
  ADD ("endless", 2, test_endless);
  ADD ("silent", 2, test_silent);
  ADD ("endless-addresses", 2, test_endless_addresses);
  ADD ("events-cost", 0, test_events_cost);
  ADD ("let-go", 2, test_let_go);
  ADD ("sockets-keep", 1, test_sockets_keep);
  ADD ("let-go-while-reading", 2, test_let_go_while_reading);
  ADD ("listed", 0, test_listed);
  ADD ("crowd", 0, test_crowd);
  ADD ("costs", 0, test_costs);
  ADD ("walk-gaps", 0, test_walk_gaps);
  ADD ("not-own", 0, test_not_own);
  ADD ("stop", 2, test_stop);
  ADD ("give-up", 1, test_give_up);
  ADD ("give-up-early", 0, test_give_up_early);
  ADD ("publish", 1, test_publish);
#undef ADD
  return g_test_run ();
}
