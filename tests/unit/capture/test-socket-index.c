/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "readings-builder.h"
#include "weir-socket-index.h"

static const char *const OWN[] = { "192.0.2.1", "2001:db8::1", NULL };

struct bound
{
  guint8 protocol;
  const char *address;
  guint16 port;
  gboolean v6_only;
  guint32 inode;
  guint64 cgroup;
};

static void
fill (struct weir_socket_index *index, const struct bound *sockets, gsize n)
{
  weir_socket_index_begin (index);
  for (gsize i = 0; i < n; i++)
    {
      struct weir_socket_reading reading =
          socket_reading (sockets[i].address, sockets[i].port, "::", 0);

      reading.protocol = sockets[i].protocol;
      reading.state = sockets[i].protocol == IPPROTO_TCP ? WEIR_TCP_LISTEN : WEIR_TCP_CLOSE;
      reading.inode = sockets[i].inode;
      reading.v6_only = sockets[i].v6_only;
      reading.has_cgroup = sockets[i].cgroup != 0;
      reading.cgroup_id = sockets[i].cgroup;
      weir_socket_index_add (index, &reading);
    }
  weir_socket_index_complete (index, 0);
}

static guint32
find (struct weir_socket_index *index, guint8 protocol, const char *address, guint16 port)
{
  struct weir_endpoint local = endpoint (address, port);
  struct weir_addresses addresses;
  struct weir_servers servers;

  weir_addresses_init (&addresses);
  own_addresses (&addresses, OWN);
  servers = weir_socket_index_find (index, &addresses, protocol, &local);
  weir_addresses_clear (&addresses);
  if (servers.first == NULL)
    return 0;
  /* Told apart by signs that no inode has. */
  return servers.ambiguous ? (servers.same_cgroup ? 1000000 : 2000000) : servers.first->inode;
}

static void
test_exactness (void)
{
  static const struct bound sockets[] = {
    { IPPROTO_UDP, "0.0.0.0", 53, FALSE, 1 },    { IPPROTO_UDP, "127.0.0.53", 53, FALSE, 2 },
    { IPPROTO_UDP, "::", 53, TRUE, 3 },          { IPPROTO_TCP, "::", 53, FALSE, 4 },
    { IPPROTO_TCP, "::", 80, FALSE, 5 },         { IPPROTO_TCP, "0.0.0.0", 80, FALSE, 6 },
    { IPPROTO_TCP, "192.0.2.1", 443, FALSE, 7 }, { IPPROTO_UDP, "::", 123, TRUE, 8 },
  };
  struct weir_socket_index index;

  weir_socket_index_init (&index);
  fill (&index, sockets, G_N_ELEMENTS (sockets));
  g_assert_cmpuint (find (&index, IPPROTO_UDP, "127.0.0.53", 53), ==, 2);
  g_assert_cmpuint (find (&index, IPPROTO_UDP, "192.0.2.1", 53), ==, 1);
  g_assert_cmpuint (find (&index, IPPROTO_UDP, "2001:db8::1", 53), ==, 3);
  /* Dual-stack, where nobody is bound for IPv4. */
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "192.0.2.1", 53), ==, 4);
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "192.0.2.1", 80), ==, 6);
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "2001:db8::1", 80), ==, 5);
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "192.0.2.1", 443), ==, 7);
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "127.0.0.1", 443), ==, 0);
  g_assert_cmpuint (find (&index, IPPROTO_UDP, "192.0.2.1", 123), ==, 0);
  g_assert_cmpuint (find (&index, IPPROTO_UDP, "192.0.2.1", 54), ==, 0);
  weir_socket_index_clear (&index);
}

/* A wildcard socket owns nothing that is not this namespace's: forwarded flows have no owner here.
 */
static void
test_not_borrowed (void)
{
  static const struct bound sockets[] = {
    { IPPROTO_UDP, "0.0.0.0", 53, FALSE, 1 },
    { IPPROTO_UDP, "::", 53, FALSE, 2 },
  };
  struct weir_socket_index index;

  weir_socket_index_init (&index);
  fill (&index, sockets, G_N_ELEMENTS (sockets));
  g_assert_cmpuint (find (&index, IPPROTO_UDP, "192.0.2.2", 53), ==, 0);
  g_assert_cmpuint (find (&index, IPPROTO_UDP, "2001:db8::2", 53), ==, 0);
  g_assert_cmpuint (find (&index, IPPROTO_UDP, "224.0.0.251", 53), ==, 0);
  weir_socket_index_clear (&index);
}

static void
test_ambiguous (void)
{
  static const struct bound sockets[] = {
    { IPPROTO_UDP, "0.0.0.0", 5353, FALSE, 1, 7 }, { IPPROTO_UDP, "0.0.0.0", 5353, FALSE, 2, 8 },
    { IPPROTO_TCP, "0.0.0.0", 80, FALSE, 3, 9 },   { IPPROTO_TCP, "0.0.0.0", 80, FALSE, 4, 9 },
    { IPPROTO_TCP, "127.0.0.1", 80, FALSE, 5, 1 },
  };
  struct weir_socket_index index;

  weir_socket_index_init (&index);
  fill (&index, sockets, G_N_ELEMENTS (sockets));
  g_assert_cmpuint (find (&index, IPPROTO_UDP, "192.0.2.1", 5353), ==, 2000000);
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "192.0.2.1", 80), ==, 1000000);
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "127.0.0.1", 80), ==, 5);
  weir_socket_index_clear (&index);
}

/* Sockets on one port in any number: those that share a place are one, and those without room are
 * counted. */
static void
test_many (void)
{
  struct weir_socket_index index;

  weir_socket_index_init (&index);
  weir_socket_index_begin (&index);
  for (guint i = 0; i < WEIR_SOCKET_INDEX_MAX + 5; i++)
    {
      struct weir_socket_reading reading = socket_reading ("0.0.0.0", 80, "::", 0);

      if (i == 1000)
        reading.local = endpoint ("127.0.0.9", 80);
      reading.state = WEIR_TCP_LISTEN;
      reading.inode = 1 + i;
      weir_socket_index_add (&index, &reading);
    }
  weir_socket_index_complete (&index, 0);
  g_assert_cmpuint (index.refused, ==, 5);
  g_assert_cmpuint (index.n, ==, WEIR_SOCKET_INDEX_MAX);
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "192.0.2.1", 80), ==, 1000000);
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "127.0.0.9", 80), ==, 1001);
  weir_socket_index_clear (&index);
}

/* What is being read does not count before it is complete, and then it is all that counts. */
static void
test_replace (void)
{
  static const struct bound first[] = { { IPPROTO_TCP, "::", 80, FALSE, 1 } };
  static const struct bound second[] = { { IPPROTO_TCP, "::", 81, FALSE, 2 } };
  struct weir_socket_index index;

  weir_socket_index_init (&index);
  fill (&index, first, 1);
  weir_socket_index_begin (&index);
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "127.0.0.1", 80), ==, 1);
  fill (&index, second, 1);
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "127.0.0.1", 80), ==, 0);
  g_assert_cmpuint (find (&index, IPPROTO_TCP, "127.0.0.1", 81), ==, 2);
  weir_socket_index_clear (&index);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/socket-index/exactness", test_exactness);
  g_test_add_func ("/socket-index/not-borrowed", test_not_borrowed);
  g_test_add_func ("/socket-index/ambiguous", test_ambiguous);
  g_test_add_func ("/socket-index/many", test_many);
  g_test_add_func ("/socket-index/replace", test_replace);
  return g_test_run ();
}
