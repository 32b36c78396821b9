/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real sockets of this network namespace, asked for one by one. */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "readings-builder.h"
#include "source-exact.h"

struct fixture
{
  struct weir_exact exact;
};

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 4 /* NETLINK_SOCK_DIAG */);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (bind (fd, (const struct sockaddr *) &any, sizeof any), ==, 0);
  weir_exact_init (&fixture->exact, fd);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  close (fixture->exact.fd);
}

static struct weir_flow_key
make_key (guint8 protocol, const char *local, guint16 local_port, const char *remote,
          guint16 remote_port)
{
  struct weir_endpoint l = endpoint (local, local_port), r = endpoint (remote, remote_port);
  struct weir_flow_key key = { .protocol = protocol,
                               .local_port = local_port,
                               .remote_port = remote_port };

  memcpy (key.local, l.address, 16);
  memcpy (key.remote, r.address, 16);
  key.family = weir_address_is_v4 (key.local) ? 4 : 6;
  return key;
}

static guint32
inode_of (int fd)
{
  struct stat info;

  g_assert_cmpint (fstat (fd, &info), ==, 0);
  return (guint32) info.st_ino;
}

static guint16
port_of (int fd)
{
  struct sockaddr_in6 name;
  socklen_t size = sizeof name;

  /* The port is at the same place for both families. */
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &name, &size), ==, 0);
  return ntohs (name.sin6_port);
}

/* A socket bound to an address as IPv6 sees it, of family @family. */
static int
make_bound (int family, int kind, const char *address)
{
  int fd = socket (family, kind | SOCK_CLOEXEC, 0), off = 0;

  if (family == AF_INET6)
    {
      struct sockaddr_in6 name = { .sin6_family = AF_INET6 };

      g_assert_cmpint (setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), ==, 0);
      g_assert_cmpint (inet_pton (AF_INET6, address, &name.sin6_addr), ==, 1);
      g_assert_cmpint (bind (fd, (const struct sockaddr *) &name, sizeof name), ==, 0);
    }
  else
    {
      struct sockaddr_in name = { .sin_family = AF_INET };

      g_assert_cmpint (inet_pton (AF_INET, address, &name.sin_addr), ==, 1);
      g_assert_cmpint (bind (fd, (const struct sockaddr *) &name, sizeof name), ==, 0);
    }
  if (kind == SOCK_STREAM)
    g_assert_cmpint (listen (fd, 4), ==, 0);
  return fd;
}

static int
make_connected (int family, int kind, const char *address, guint16 port)
{
  int fd = socket (family, kind | SOCK_CLOEXEC, 0);

  if (family == AF_INET6)
    {
      struct sockaddr_in6 name = { .sin6_family = AF_INET6, .sin6_port = htons (port) };

      g_assert_cmpint (inet_pton (AF_INET6, address, &name.sin6_addr), ==, 1);
      g_assert_cmpint (connect (fd, (const struct sockaddr *) &name, sizeof name), ==, 0);
    }
  else
    {
      struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons (port) };

      g_assert_cmpint (inet_pton (AF_INET, address, &name.sin_addr), ==, 1);
      g_assert_cmpint (connect (fd, (const struct sockaddr *) &name, sizeof name), ==, 0);
    }
  return fd;
}

static const struct
{
  int server_family, client_family;
  const char *server, *to, *packets; /* address of the server in packets */
} pairs[] = {
  { AF_INET, AF_INET, "127.0.0.1", "127.0.0.1", "127.0.0.1" },
  { AF_INET, AF_INET, "0.0.0.0", "127.0.0.1", "127.0.0.1" },
  { AF_INET6, AF_INET6, "::1", "::1", "::1" },
  { AF_INET6, AF_INET6, "::", "::1", "::1" },
  /* Dual-stack sockets that speak IPv4, at either end. */
  { AF_INET6, AF_INET, "::", "127.0.0.1", "127.0.0.1" },
  { AF_INET, AF_INET6, "127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1" },
  { AF_INET6, AF_INET6, "::ffff:127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1" },
};

static void
test_tcp (struct fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      int listener = make_bound (pairs[i].server_family, SOCK_STREAM, pairs[i].server);
      int client =
          make_connected (pairs[i].client_family, SOCK_STREAM, pairs[i].to, port_of (listener));
      const char *address = pairs[i].packets;
      const struct weir_flow_key keys[] = {
        make_key (IPPROTO_TCP, address, port_of (client), address, port_of (listener)),
        make_key (IPPROTO_TCP, address, port_of (listener), address, port_of (client)),
        /* What arrives from elsewhere is the listener's. */
        make_key (IPPROTO_TCP, address, port_of (listener), address, 1),
        make_key (IPPROTO_TCP, address, 1, address, 1),
      };
      struct weir_socket_reading readings[4];
      bool found[4];
      int accepted;

      g_assert_cmpint (weir_exact_ask (&fixture->exact, keys, 4, readings, found), ==, 0);
      g_assert_true (found[0] && found[1] && found[2]);
      g_assert_false (found[3]);
      g_assert_cmpuint (readings[0].inode, ==, inode_of (client));
      g_assert_cmpuint (readings[0].remote.port, ==, port_of (listener));
      g_assert_cmpuint (readings[0].state, ==, WEIR_TCP_ESTABLISHED);
      g_assert_cmpuint (readings[0].cookie, !=, 0);
      g_assert_cmpmem (readings[0].local.address, 16, keys[0].local, 16);
      /* Nobody has accepted it. */
      g_assert_cmpuint (readings[1].inode, ==, 0);
      g_assert_cmpuint (readings[2].inode, ==, inode_of (listener));
      g_assert_cmpuint (readings[2].state, ==, WEIR_TCP_LISTEN);

      accepted = accept (listener, NULL, NULL);
      g_assert_cmpint (weir_exact_ask (&fixture->exact, &keys[1], 1, readings, found), ==, 0);
      g_assert_true (found[0]);
      g_assert_cmpuint (readings[0].inode, ==, inode_of (accepted));
      close (accepted);
      close (client);
      close (listener);
    }
}

static void
test_udp (struct fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      int server = make_bound (pairs[i].server_family, SOCK_DGRAM, pairs[i].server);
      int client =
          make_connected (pairs[i].client_family, SOCK_DGRAM, pairs[i].to, port_of (server));
      const char *address = pairs[i].packets;
      const struct weir_flow_key keys[] = {
        make_key (IPPROTO_UDP, address, port_of (client), address, port_of (server)),
        make_key (IPPROTO_UDP, address, port_of (server), address, port_of (client)),
        make_key (IPPROTO_UDP, address, 1, address, port_of (client)),
      };
      struct weir_socket_reading readings[3];
      bool found[3];

      g_assert_cmpint (weir_exact_ask (&fixture->exact, keys, 3, readings, found), ==, 0);
      g_assert_true (found[0] && found[1]);
      g_assert_false (found[2]);
      g_assert_cmpuint (readings[0].inode, ==, inode_of (client));
      g_assert_cmpuint (readings[0].remote.port, ==, port_of (server));
      g_assert_cmpuint (readings[1].inode, ==, inode_of (server));
      g_assert_cmpuint (readings[1].remote.port, ==, 0);
      close (client);
      close (server);
    }
}

/* A wildcard socket is found for any address; whoever asks has to know which are its own. */
static void
test_foreign_address (struct fixture *fixture, gconstpointer data)
{
  int server = make_bound (AF_INET, SOCK_DGRAM, "0.0.0.0");
  const struct weir_flow_key key =
      make_key (IPPROTO_UDP, "198.51.100.7", port_of (server), "198.51.100.8", 9);
  struct weir_addresses addresses;
  struct weir_socket_index index;
  struct weir_socket_reading reading;
  struct weir_endpoint local = endpoint ("198.51.100.7", port_of (server));
  struct weir_servers servers;
  bool found;

  weir_addresses_init (&addresses);
  weir_socket_index_init (&index);
  g_assert_cmpint (weir_exact_ask (&fixture->exact, &key, 1, &reading, &found), ==, 0);
  g_assert_true (found);
  g_assert_cmpint (weir_exact_list_bound (&fixture->exact, IPPROTO_UDP, port_of (server), &index),
                   ==, 0);
  g_assert_null (weir_socket_index_find (&index, &addresses, IPPROTO_UDP, &local).first);
  local = endpoint ("127.0.0.1", port_of (server));
  servers = weir_socket_index_find (&index, &addresses, IPPROTO_UDP, &local);
  g_assert_cmpuint (servers.first->inode, ==, inode_of (server));
  g_assert_false (servers.ambiguous);
  weir_socket_index_clear (&index);
  weir_addresses_clear (&addresses);
  close (server);
}

/* Several that are bound alike are told as that. */
static void
test_shared (struct fixture *fixture, gconstpointer data)
{
  struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  struct weir_addresses addresses;
  struct weir_socket_index index;
  struct weir_endpoint local;
  int fds[2], on = 1;

  for (guint i = 0; i < 2; i++)
    {
      fds[i] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      g_assert_cmpint (setsockopt (fds[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), ==, 0);
      g_assert_cmpint (bind (fds[i], (const struct sockaddr *) &name, sizeof name), ==, 0);
      g_assert_cmpint (listen (fds[i], 4), ==, 0);
      name.sin_port = htons (port_of (fds[0]));
    }
  weir_addresses_init (&addresses);
  weir_socket_index_init (&index);
  local = endpoint ("127.0.0.1", port_of (fds[0]));
  g_assert_cmpint (weir_exact_list_bound (&fixture->exact, IPPROTO_TCP, local.port, &index), ==, 0);
  g_assert_true (weir_socket_index_find (&index, &addresses, IPPROTO_TCP, &local).ambiguous);
  weir_socket_index_clear (&index);
  weir_addresses_clear (&addresses);
  close (fds[0]);
  close (fds[1]);
}

/* A whole batch at once, and answers never mix with those of the one before. */
static void
test_batch (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading readings[WEIR_EXACT_BATCH];
  struct weir_flow_key keys[WEIR_EXACT_BATCH + 1];
  bool found[WEIR_EXACT_BATCH + 1];
  int fds[WEIR_EXACT_BATCH];

  for (guint i = 0; i < WEIR_EXACT_BATCH; i++)
    {
      fds[i] = make_connected (AF_INET, SOCK_DGRAM, "127.0.0.1", 9);
      keys[i] = make_key (IPPROTO_UDP, "127.0.0.1", port_of (fds[i]), "127.0.0.1", 9);
    }
  for (guint round = 0; round < 3; round++)
    {
      g_assert_cmpint (weir_exact_ask (&fixture->exact, keys, WEIR_EXACT_BATCH, readings, found),
                       ==, 0);
      for (guint i = 0; i < WEIR_EXACT_BATCH; i++)
        {
          g_assert_cmpint (found[i], ==, i % 2 == 0 || round == 0);
          if (found[i])
            g_assert_cmpuint (readings[i].inode, ==, inode_of (fds[i]));
          if (i % 2 == 1 && round == 0)
            close (fds[i]);
        }
    }
  for (guint i = 0; i < WEIR_EXACT_BATCH; i += 2)
    close (fds[i]);
  keys[WEIR_EXACT_BATCH] = keys[0];
  g_assert_cmpint (weir_exact_ask (&fixture->exact, keys, WEIR_EXACT_BATCH + 1, readings, found), <,
                   0);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/source-exact/" name, struct fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("tcp", test_tcp);
  ADD ("udp", test_udp);
  ADD ("foreign-address", test_foreign_address);
  ADD ("shared", test_shared);
  ADD ("batch", test_batch);
  return g_test_run ();
}
