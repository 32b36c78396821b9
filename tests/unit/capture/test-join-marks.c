/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settling looks only at flows that are marked.  Two joins get the same readings, at random, and
 * all flows of one of them are marked each time: they must always say the same. */
#include <glib.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include "readings-builder.h"

#define PLACES 24
#define ROUNDS 400

enum
{
  MARKED,     /* as the readings mark them */
  EVERYTHING, /* all of them, every time */
  N_JOINS,
};

struct world
{
  struct weir_join joins[N_JOINS];
  guint64 now;
  guint64 sent[PLACES];
  gboolean tracked[PLACES], open[PLACES], bound[PLACES];
  guint32 ids[PLACES];
  gboolean has_second_address;
};

#define FOR_EACH_JOIN(world, join)                                                                 \
  for (struct weir_join *join = (world)->joins; join < (world)->joins + N_JOINS; join++)

static guint8
protocol_of (guint place)
{
  return place % 3 == 0 ? IPPROTO_UDP : IPPROTO_TCP;
}

/* A third comes from outside, a third goes there, a third passes through; the latter are this
 * computer's own while it has its second address. */
static struct weir_conntrack_reading
entry_at (const struct world *world, guint place)
{
  static const char *const sources[] = { "10.0.0.1", "198.51.100.9", "10.0.0.2" };
  static const char *const destinations[] = { "198.51.100.7", "10.0.0.1", "198.51.100.8" };
  struct weir_conntrack_reading reading =
      conntrack_reading (sources[place / 2 % 3], (guint16) (2000 + place),
                         destinations[place / 2 % 3], (guint16) (53 + place % 4));

  reading.protocol = protocol_of (place);
  reading.has_state = reading.protocol == IPPROTO_TCP;
  reading.state = reading.has_state ? TCP_CONNTRACK_ESTABLISHED : 0;
  reading.id = world->ids[place];
  count (&reading, world->sent[place], world->sent[place] / 3);
  return reading;
}

static struct weir_socket_reading
socket_at (const struct world *world, guint place)
{
  const struct weir_conntrack_reading entry = entry_at (world, place);
  const gboolean received = place / 2 % 3 == 1;
  struct weir_socket_reading reading = socket_reading ("10.0.0.1", 1, "10.0.0.1", 1);

  reading.local = received ? entry.orig_dst : entry.orig_src;
  reading.remote = received ? entry.orig_src : entry.orig_dst;
  reading.protocol = entry.protocol;
  reading.cookie = 1000 + place + world->ids[place] * 100;
  reading.inode = (guint32) reading.cookie;
  reading.has_bytes = reading.has_times = reading.protocol == IPPROTO_TCP;
  reading.tx_bytes = world->sent[place] / 2;
  return reading;
}

static struct weir_socket_reading
server_at (guint port)
{
  struct weir_socket_reading reading =
      socket_reading ("0.0.0.0", (guint16) (53 + port), "0.0.0.0", 0);

  reading.protocol = port % 2 == 0 ? IPPROTO_UDP : IPPROTO_TCP;
  reading.state = reading.protocol == IPPROTO_UDP ? WEIR_TCP_CLOSE : WEIR_TCP_LISTEN;
  reading.cookie = reading.inode = 90000 + port;
  return reading;
}

static void
dump_entries (struct world *world)
{
  FOR_EACH_JOIN (world, join)
  {
    weir_join_conntrack_begin (join);
    for (guint place = 0; place < PLACES; place++)
      {
        struct weir_conntrack_reading reading = entry_at (world, place);

        if (world->tracked[place])
          weir_join_conntrack (join, &reading, WEIR_CONNTRACK_ENTRY, world->now);
      }
    weir_join_conntrack_end (join, true);
  }
}

static void
dump_sockets (struct world *world)
{
  FOR_EACH_JOIN (world, join)
  {
    struct weir_socket_reading reading;

    weir_join_sockets_begin (join, &join->own);
    for (guint place = 0; place < PLACES; place++)
      {
        reading = socket_at (world, place);
        if (world->open[place])
          weir_join_socket (join, &join->own, &reading, WEIR_SOCKDIAG_SOCKET, world->now);
        reading = server_at (place % 4);
        if (place < 4 && world->bound[place])
          weir_join_socket (join, &join->own, &reading, WEIR_SOCKDIAG_SOCKET, world->now);
      }
    weir_join_sockets_complete (join, &join->own);
  }
}

static void
say_event (struct world *world, guint place, enum weir_conntrack_event event)
{
  struct weir_conntrack_reading reading = entry_at (world, place);

  FOR_EACH_JOIN (world, join) weir_join_conntrack (join, &reading, event, world->now);
}

static void
change_something (struct world *world)
{
  guint place = (guint) g_test_rand_int_range (0, PLACES);

  switch (g_test_rand_int_range (0, 7))
    {
    case 0:
    case 1:
      world->sent[place] += 100;
      break;
    case 2:
      if (world->tracked[place])
        say_event (world, place, WEIR_CONNTRACK_DESTROY);
      else
        {
          world->sent[place] = 0;
          world->ids[place]++;
          say_event (world, place, WEIR_CONNTRACK_NEW);
        }
      world->tracked[place] = !world->tracked[place];
      break;
    case 3:
      world->open[place] = !world->open[place];
      break;
    case 4:
      world->bound[place % 4] = !world->bound[place % 4];
      break;
    case 5:
      if (world->open[place])
        {
          struct weir_socket_reading reading = socket_at (world, place);

          FOR_EACH_JOIN (world, join)
          weir_join_socket (join, &join->own, &reading, WEIR_SOCKDIAG_DESTROYED, world->now);
          world->open[place] = FALSE;
        }
      break;
    default:
      if (g_test_rand_int_range (0, 4) > 0)
        break;
      world->has_second_address = !world->has_second_address;
      FOR_EACH_JOIN (world, join)
      own_addresses (&join->own.addresses,
                     (const char *const[]) { "10.0.0.1",
                                             world->has_second_address ? "10.0.0.2" : NULL, NULL });
      break;
    }
}

/* Somebody is found for all sockets but a few. */
static void
answer_owners (struct weir_join *join, guint64 now)
{
  struct weir_looker_request request = { 0 };
  guint32 n = weir_owners_collect (&join->owners, now, &request);

  for (guint32 i = 0; i < n; i++)
    {
      struct weir_looker_answer answer = { .verb = WEIR_LOOKER_OWNERS, .value = request.values[i] };

      if (answer.value % 5 != 0)
        {
          answer.pid = (guint32) answer.value;
          answer.start_time = 1;
          g_strlcpy (answer.comm, "somebody", sizeof answer.comm);
        }
      weir_owners_answer (&join->owners, &answer, now);
    }
  weir_owners_answered (&join->owners, 0, now);
}

/* What the publisher does to flows, without publishing. */
static void
settle (struct weir_join *join, gboolean everything, guint64 now)
{
  struct weir_flow *flow;
  guint32 slot = 0;

  while (everything && (flow = weir_flow_table_next (&join->table, &slot)) != NULL)
    weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
  weir_join_settle (join, now);
  for (slot = 0; (flow = weir_flow_table_next (&join->table, &slot)) != NULL;)
    {
      flow->flags |= WEIR_FLOW_WAS_SEEN;
      if (flow->flags & WEIR_FLOW_IS_ENDED)
        weir_join_remove (join, flow);
      else if (flow->flags & (WEIR_FLOW_HAS_SOCKET | WEIR_FLOW_HAS_CONNTRACK))
        weir_flow_table_unmark (&join->table, flow, WEIR_MARK_TOUCHED);
    }
}

static void
assert_same (struct world *world)
{
  guint32 slot = 0, n = 0;
  struct weir_flow *one;

  g_assert_cmpuint (world->joins[MARKED].table.n_flows, ==, world->joins[EVERYTHING].table.n_flows);
  while ((one = weir_flow_table_next (&world->joins[MARKED].table, &slot)) != NULL)
    {
      const struct weir_flow *other =
          weir_flow_table_get (&world->joins[EVERYTHING].table, one->number);

      g_assert_nonnull (other);
      g_assert_cmpuint (one->id, ==, other->id);
      g_assert_cmpuint (one->state, ==, other->state);
      g_assert_cmpuint (one->direction, ==, other->direction);
      g_assert_cmpuint (one->bytes_source, ==, other->bytes_source);
      g_assert_cmpuint (one->owner, ==, other->owner);
      g_assert_cmpuint (one->owner_how, ==, other->owner_how);
      g_assert_cmpuint (one->owner_missing, ==, other->owner_missing);
      g_assert_cmpuint (one->owner_version, ==, other->owner_version);
      g_assert_cmpuint (one->uid, ==, other->uid);
      g_assert_cmphex (one->flags, ==, other->flags);
      g_assert_cmphex (one->dirty, ==, other->dirty);
      g_assert_cmpuint (one->ct_tx_bytes, ==, other->ct_tx_bytes);
      g_assert_cmpuint (one->tcp_tx_bytes, ==, other->tcp_tx_bytes);
      n++;
    }
  g_assert_cmpuint (n, ==, world->joins[MARKED].table.n_flows);
}

static void
test_marks (void)
{
  static struct world world;
  guint most = 0;

  world.now = 100 * S;
  FOR_EACH_JOIN (&world, join)
  {
    g_assert_cmpint (weir_join_init (join, 1, true, 4096), ==, 0);
    own_addresses (&join->own.addresses, (const char *const[]) { "10.0.0.1", NULL });
  }
  for (guint round = 0; round < ROUNDS; round++)
    {
      world.now += S;
      for (gint i = g_test_rand_int_range (0, 6); i > 0; i--)
        change_something (&world);
      if (g_test_rand_int_range (0, 3) > 0)
        dump_entries (&world);
      if (g_test_rand_int_range (0, 4) > 0)
        dump_sockets (&world);
      FOR_EACH_JOIN (&world, join) answer_owners (join, world.now);
      settle (&world.joins[MARKED], FALSE, world.now);
      settle (&world.joins[EVERYTHING], TRUE, world.now);
      assert_same (&world);
      most = MAX (most, world.joins[MARKED].table.n_flows);
    }
  g_assert_cmpuint (most, >, PLACES / 2);
  FOR_EACH_JOIN (&world, join) weir_join_clear (join);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/join-marks/same", test_marks);
  return g_test_run ();
}
