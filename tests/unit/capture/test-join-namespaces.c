/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same addresses and ports mean something else in every network namespace. */
#include <glib.h>
#include <string.h>

#include "readings-builder.h"
#include "weir-join.h"

struct fixture
{
  struct weir_join join;
  struct weir_netns *one, *two;
};

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (weir_join_init (&fixture->join, 1, true, 1000), ==, 0);
  own_addresses (&fixture->join.own.addresses, (const char *const[]) { "192.0.2.1", NULL });
  fixture->one = weir_join_add_netns (&fixture->join, 11);
  fixture->two = weir_join_add_netns (&fixture->join, 12);
  g_assert_nonnull (fixture->one);
  g_assert_nonnull (fixture->two);
  own_addresses (&fixture->one->addresses, (const char *const[]) { "10.0.0.1", NULL });
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  weir_join_clear (&fixture->join);
}

static struct weir_flow *
flow_in (struct fixture *fixture, guint32 netns, guint16 local_port)
{
  struct weir_flow *flow;

  for (guint32 slot = 0; (flow = weir_flow_table_next (&fixture->join.table, &slot)) != NULL;)
    {
      if (flow->key.netns == netns && flow->key.local_port == local_port &&
          !(flow->flags & WEIR_FLOW_IS_ENDED))
        return flow;
    }
  return NULL;
}

static guint32
owner_inode (struct fixture *fixture, const struct weir_flow *flow)
{
  const struct weir_owner *owner = weir_owners_get (&fixture->join.owners, flow->owner);

  return owner != NULL ? owner->inode : 0;
}

/* One tuple in three namespaces: three rows, each with the owner and the bytes of its own socket.
 */
static void
test_same_tuple (struct fixture *fixture, gconstpointer data)
{
  struct weir_netns *all[] = { &fixture->join.own, fixture->one, fixture->two };
  struct weir_socket_reading socket = socket_reading ("127.0.0.1", 40000, "127.0.0.1", 80);

  socket.has_bytes = true;
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      socket.inode = socket.cookie = 100 + i;
      socket.tx_bytes = 1000 * (i + 1);
      read_sockets_of (&fixture->join, all[i], &socket, 1, S);
    }
  weir_join_settle (&fixture->join, S);
  g_assert_cmpuint (count_flows (&fixture->join), ==, 3);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      struct weir_flow *flow = flow_in (fixture, all[i]->inode, 40000);

      g_assert_cmpuint (flow->tcp_tx_bytes, ==, 1000 * (i + 1));
      g_assert_cmpuint (owner_inode (fixture, flow), ==, 100 + i);
      g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_LOCAL);
    }
}

/* A wildcard listener owns what arrives at addresses of its own namespace, and nothing else. */
static void
test_wildcards (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading sockets[] = {
    socket_reading ("0.0.0.0", 80, "0.0.0.0", 0),
    socket_reading ("10.0.0.1", 80, "10.0.0.9", 5000), /* not accepted yet */
  };
  struct weir_flow *flow;

  sockets[0].state = WEIR_TCP_LISTEN;
  sockets[0].inode = 50;
  sockets[0].cookie = 50;
  sockets[1].inode = 0;
  sockets[1].cookie = 51;
  /* The listener is in one namespace, the connection in another. */
  read_sockets_of (&fixture->join, &fixture->join.own, sockets, 1, S);
  read_sockets_of (&fixture->join, fixture->two, sockets, 1, S);
  read_sockets_of (&fixture->join, fixture->one, &sockets[1], 1, S);
  weir_join_settle (&fixture->join, S);
  flow = flow_in (fixture, 11, 80);
  g_assert_cmpuint (owner_inode (fixture, flow), ==, 0);
  g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_UNKNOWN);

  /* Both in the same, which has the address ... */
  read_sockets_of (&fixture->join, fixture->one, sockets, 2, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_cmpuint (owner_inode (fixture, flow), ==, 50);
  g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_IN);

  /* ... or does not. */
  read_sockets_of (&fixture->join, fixture->two, sockets, 2, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_cmpuint (owner_inode (fixture, flow_in (fixture, 12, 80)), ==, 0);
}

/* Where the addresses are not known, the other end's socket tells that a flow does not leave. */
static void
test_both_ends (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading sockets[] = {
    socket_reading ("10.0.0.5", 40000, "10.0.0.6", 80),
    socket_reading ("10.0.0.6", 80, "10.0.0.5", 40000),
  };

  sockets[1].inode = sockets[1].cookie = 2;
  read_sockets_of (&fixture->join, fixture->two, sockets, 2, S);
  read_sockets_of (&fixture->join, fixture->one, &sockets[0], 1, S);
  weir_join_settle (&fixture->join, S);
  g_assert_cmpuint (flow_in (fixture, 12, 80)->direction, ==, WEIR_DIRECTION_LOCAL);
  g_assert_cmpuint (flow_in (fixture, 12, 40000)->direction, ==, WEIR_DIRECTION_LOCAL);
  g_assert_cmpuint (flow_in (fixture, 11, 40000)->direction, ==, WEIR_DIRECTION_UNKNOWN);
}

/* Namespaces are read at different speeds: what one does not show yet is not gone in another. */
static void
test_rounds (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading slow = socket_reading ("10.0.0.1", 1, "10.0.0.9", 443);
  struct weir_flow *flow;
  guint32 number;

  read_sockets_of (&fixture->join, fixture->one, &slow, 1, S);
  flow = flow_in (fixture, 11, 1);
  number = flow->owner;
  for (guint i = 0; i < 5; i++)
    read_sockets (&fixture->join, NULL, 0, 2 * S);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_true (flow->flags & WEIR_FLOW_HAS_SOCKET);
  g_assert_cmpuint (weir_owners_get (&fixture->join.owners, number)->ask_at, !=, 0);

  /* Two of its own in a row end it. */
  read_sockets_of (&fixture->join, fixture->one, NULL, 0, 3 * S);
  g_assert_true (flow->flags & WEIR_FLOW_HAS_SOCKET);
  read_sockets_of (&fixture->join, fixture->one, NULL, 0, 4 * S);
  g_assert_false (flow->flags & WEIR_FLOW_HAS_SOCKET);
  g_assert_cmpuint (weir_owners_get (&fixture->join.owners, number)->ask_at, ==, 0);
}

/* A namespace that is no more takes its flows along, and leaves those of others alone. */
static void
test_removal (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading socket = socket_reading ("127.0.0.1", 40000, "127.0.0.1", 80);

  read_sockets_of (&fixture->join, fixture->one, &socket, 1, S);
  socket.inode = socket.cookie = 2;
  read_sockets_of (&fixture->join, fixture->two, &socket, 1, S);
  weir_join_settle (&fixture->join, S);
  weir_join_remove_netns (&fixture->join, fixture->one);
  weir_join_settle (&fixture->join, 2 * S);
  g_assert_null (flow_in (fixture, 11, 40000));
  g_assert_nonnull (flow_in (fixture, 12, 40000));
  g_assert_cmpuint (fixture->join.n_others, ==, 1);
  g_assert_true (weir_join_get_netns (&fixture->join, 12) == fixture->two);
  g_assert_cmpuint (weir_join_get_netns (&fixture->join, 11)->inode, ==, 0);
}

static guint
count_owners (const struct fixture *fixture, guint32 inode)
{
  guint n = 0;

  for (guint32 i = 0; i < fixture->join.owners.n_slots; i++)
    n += fixture->join.owners.items[i].in_use && fixture->join.owners.items[i].inode == inode;
  return n;
}

/* What a namespace leaves behind would fill the table of owners in the end. */
static void
test_leftovers (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading socket = socket_reading ("127.0.0.1", 40000, "127.0.0.1", 80);
  struct weir_flow *flow;

  socket.inode = socket.cookie = 7;
  read_sockets_of (&fixture->join, fixture->one, &socket, 1, S);
  weir_join_settle (&fixture->join, S);
  g_assert_cmpuint (count_owners (fixture, 7), ==, 1);
  weir_join_remove_netns (&fixture->join, fixture->one);
  weir_join_settle (&fixture->join, 2 * S);
  for (guint32 slot = 0; (flow = weir_flow_table_next (&fixture->join.table, &slot)) != NULL;)
    weir_join_remove (&fixture->join, flow);
  for (guint round = 3; round < 6; round++)
    read_sockets_of (&fixture->join, &fixture->join.own, NULL, 0, round * S);
  g_assert_cmpuint (count_owners (fixture, 7), ==, 0);
}

/* What passes through, with and without a translation, is claimed by the end that knows it by the
 * same addresses, before and after it is over; and by nobody else. */
static void
test_claims (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading entries[] = {
    conntrack_reading ("10.0.0.1", 1, "198.51.100.7", 443),
    conntrack_reading ("198.51.100.7", 2, "10.0.0.1", 80),
    conntrack_reading ("10.0.0.1", 3, "198.51.100.7", 443),
    conntrack_reading ("10.0.0.2", 4, "198.51.100.7", 443),
    conntrack_reading ("10.0.0.1", 5, "198.51.100.7", 443),
  };
  struct weir_socket_reading sockets[] = {
    socket_reading ("10.0.0.1", 1, "198.51.100.7", 443),
    socket_reading ("10.0.0.1", 80, "198.51.100.7", 2),
    socket_reading ("10.0.0.1", 3, "198.51.100.7", 443),
    /* An address that the namespace does not have */
    socket_reading ("10.0.0.2", 4, "198.51.100.7", 443),
  };

  entries[0].reply_dst = endpoint ("192.0.2.1", 5000);
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    {
      entries[i].id = 10 + i;
      weir_join_conntrack (&fixture->join, &entries[i], WEIR_CONNTRACK_NEW, S);
    }
  for (guint i = 0; i < G_N_ELEMENTS (sockets); i++)
    sockets[i].inode = sockets[i].cookie = 100 + i;
  weir_join_settle (&fixture->join, S);
  read_sockets_of (&fixture->join, fixture->one, sockets, 2, 2 * S);
  weir_join_socket (&fixture->join, fixture->one, &sockets[2], WEIR_SOCKDIAG_DESTROYED, 2 * S);
  read_sockets_of (&fixture->join, fixture->one, &sockets[3], 1, 3 * S);
  for (guint round = 3; round < 5; round++)
    {
      weir_join_settle (&fixture->join, round * S);
      for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
        {
          const struct weir_flow *flow = flow_in (fixture, 1, entries[i].orig_src.port);

          g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_FORWARDED);
          g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_NONE);
          g_assert_cmpuint (flow->owner_missing, ==,
                            i < 3 ? WEIR_MISSING_OTHER_NAMESPACE : WEIR_MISSING_FORWARDED);
          g_assert_true (flow->dirty & WEIR_FLOW_OWNER);
        }
      read_entries (&fixture->join, entries, G_N_ELEMENTS (entries), (round + 1) * S);
    }
}

static void
test_room (struct fixture *fixture, gconstpointer data)
{
  for (guint32 i = fixture->join.n_others; i < WEIR_OTHER_NETNS_MAX; i++)
    g_assert_nonnull (weir_join_add_netns (&fixture->join, 100 + i));
  g_assert_null (weir_join_add_netns (&fixture->join, 1000));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
  g_test_add ("/join-namespaces/" name, struct fixture, NULL, set_up, function, tear_down)
  ADD ("same-tuple", test_same_tuple);
  ADD ("wildcards", test_wildcards);
  ADD ("both-ends", test_both_ends);
  ADD ("rounds", test_rounds);
  ADD ("removal", test_removal);
  ADD ("leftovers", test_leftovers);
  ADD ("claims", test_claims);
  ADD ("room", test_room);
#undef ADD
  return g_test_run ();
}
