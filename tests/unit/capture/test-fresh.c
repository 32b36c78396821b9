/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "readings-builder.h"

#define MS UINT64_C (1000000)

/* An announced connection between two sockets of this computer, and one that passes through. */
static void
announce (struct weir_join *join, const char *source, guint16 port, const char *destination,
          guint64 now)
{
  struct weir_conntrack_reading reading = conntrack_reading (source, port, destination, 80);

  reading.id = port;
  weir_join_conntrack (join, &reading, WEIR_CONNTRACK_NEW, now);
}

static struct weir_join *
make_join (void)
{
  struct weir_join *join = g_new0 (struct weir_join, 1);

  g_assert_cmpint (weir_join_init (join, 1, true, WEIR_FLOWS_MAX), ==, 0);
  own_addresses (&join->own.addresses, (const char *const[]) { "10.0.0.1", NULL });
  return join;
}

static void
free_join (struct weir_join *join)
{
  weir_join_clear (join);
  g_free (join);
}

static guint
take_all (struct weir_join *join, guint64 now)
{
  guint8 try;
  guint n = 0;

  while (weir_fresh_take (&join->fresh, &join->table, now, &try) != NULL)
    n++;
  return n;
}

static void
test_announced (void)
{
  struct weir_join *join = make_join ();

  g_assert_cmpuint (weir_fresh_get_due (&join->fresh), ==, UINT64_MAX);
  announce (join, "10.0.0.1", 1000, "198.51.100.7", S);
  g_assert_cmpuint (weir_fresh_get_due (&join->fresh), ==, S);
  g_assert_cmpuint (take_all (join, S), ==, 1);
  /* Both ends are here. */
  announce (join, "127.0.0.1", 1001, "127.0.0.1", S);
  g_assert_cmpuint (take_all (join, S), ==, 2);
  /* Nobody here has a socket of it. */
  announce (join, "198.51.100.7", 1002, "198.51.100.8", S);
  g_assert_cmpuint (take_all (join, S), ==, 0);
  free_join (join);
}

/* Asked for again later and later, and at last no more. */
static void
test_again (void)
{
  struct weir_join *join = make_join ();
  guint64 now = S;
  guint asked = 0;
  guint8 try;

  announce (join, "198.51.100.7", 1000, "10.0.0.1", now);
  while (weir_fresh_get_due (&join->fresh) != UINT64_MAX)
    {
      struct weir_flow *flow;

      g_assert_null (weir_fresh_take (&join->fresh, &join->table, now - 1, &try));
      flow = weir_fresh_take (&join->fresh, &join->table, now, &try);
      g_assert_nonnull (flow);
      g_assert_cmpuint (try, ==, asked++);
      weir_fresh_add (&join->fresh, flow, (guint8) (try + 1), now);
      if (weir_fresh_get_due (&join->fresh) != UINT64_MAX)
        {
          g_assert_cmpuint (weir_fresh_get_due (&join->fresh), >, now);
          now = weir_fresh_get_due (&join->fresh);
        }
    }
  g_assert_cmpuint (asked, ==, WEIR_FRESH_TRIES);
  g_assert_cmpuint (now, <, S + 200 * MS);
  free_join (join);
}

/* Who has ended, whose socket is known, and who waited too long is not asked for. */
static void
test_not_worth_it (void)
{
  struct weir_socket_reading socket = socket_reading ("10.0.0.1", 1001, "198.51.100.7", 80);
  struct weir_conntrack_reading ended = conntrack_reading ("10.0.0.1", 1000, "198.51.100.7", 80);
  struct weir_join *join = make_join ();

  announce (join, "10.0.0.1", 1000, "198.51.100.7", S);
  ended.id = 1000;
  weir_join_conntrack (join, &ended, WEIR_CONNTRACK_DESTROY, S);
  weir_join_settle (join, S);
  announce (join, "10.0.0.1", 1001, "198.51.100.7", S);
  weir_join_socket (join, &join->own, &socket, WEIR_SOCKDIAG_SOCKET, S);
  g_assert_cmpuint (take_all (join, S), ==, 0);
  g_assert_cmpuint (join->fresh.dropped, ==, 0);
  announce (join, "10.0.0.1", 1002, "198.51.100.7", S);
  g_assert_cmpuint (take_all (join, 2 * S), ==, 0);
  g_assert_cmpuint (join->fresh.dropped, ==, 1);
  free_join (join);
}

/* More than there is room for: the newest stay. */
static void
test_flood (void)
{
  struct weir_join *join = make_join ();

  for (guint i = 0; i < WEIR_FRESH_MAX + 100; i++)
    announce (join, "10.0.0.1", (guint16) (1000 + i), "198.51.100.7", S);
  g_assert_cmpuint (join->fresh.dropped, ==, 100);
  g_assert_cmpuint (take_all (join, S), ==, WEIR_FRESH_MAX);
  free_join (join);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fresh/announced", test_announced);
  g_test_add_func ("/fresh/again", test_again);
  g_test_add_func ("/fresh/not-worth-it", test_not_worth_it);
  g_test_add_func ("/fresh/flood", test_flood);
  return g_test_run ();
}
