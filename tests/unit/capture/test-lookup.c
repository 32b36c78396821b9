/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one turn may ask the kernel for, with real sockets of this network namespace. */
#include <glib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "readings-builder.h"
#include "weir-lookup.h"

#define N_SOCKETS 10

struct fixture
{
  struct weir_join join;
  struct weir_lookup lookup;
  struct weir_owners_source owners;
};

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 4 /* NETLINK_SOCK_DIAG */);
  const struct sockaddr kernel = { .sa_family = AF_NETLINK };

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (connect (fd, &kernel, 12), ==, 0);
  g_assert_cmpint (weir_join_init (&fixture->join, 1, true, WEIR_FLOWS_MAX), ==, 0);
  own_addresses (&fixture->join.own.addresses, (const char *const[]) { "127.0.0.1", NULL });
  weir_lookup_init (&fixture->lookup, fd);
  weir_owners_source_init (&fixture->owners, -1);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  close (fixture->lookup.exact.fd);
  weir_lookup_clear (&fixture->lookup);
  weir_join_clear (&fixture->join);
}

/* A datagram to @port of ours, as connection tracking announces it. */
static void
announce (struct fixture *fixture, guint16 from, guint16 port, guint64 now)
{
  struct weir_conntrack_reading reading = conntrack_reading ("10.9.9.9", from, "127.0.0.1", port);

  reading.protocol = IPPROTO_UDP;
  reading.id = 65536u * from + port;
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, now);
}

/* Servers that no dump has shown yet: to see who else is bound to their ports takes a list for
 * each, and there are few lists in a turn. */
static void
test_lists (struct fixture *fixture, gconstpointer data)
{
  int fds[N_SOCKETS];

  for (guint i = 0; i < N_SOCKETS; i++)
    {
      struct sockaddr_in name = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
      socklen_t size = sizeof name;

      fds[i] = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      g_assert_cmpint (bind (fds[i], (struct sockaddr *) &name, sizeof name), ==, 0);
      g_assert_cmpint (getsockname (fds[i], (struct sockaddr *) &name, &size), ==, 0);
      announce (fixture, 5000, ntohs (name.sin_port), S);
    }
  weir_lookup_advance (&fixture->lookup, &fixture->join, &fixture->owners, S);
  /* A question for each, and two families in each of four lists. */
  g_assert_cmpuint (fixture->lookup.exact.sequence, ==, N_SOCKETS + 2 * 4);
  for (guint i = 0; i < N_SOCKETS; i++)
    close (fds[i]);
}

/* Each batch is charged before the next one is asked for. */
static void
test_charged (struct fixture *fixture, gconstpointer data)
{
  struct weir_allowance *allowance = &fixture->lookup.allowance;

  for (guint16 i = 0; i < 3 * WEIR_EXACT_BATCH; i++)
    announce (fixture, (guint16) (6000 + i), 1, S);
  weir_allowance_update (allowance, S);
  /* Less than any batch takes. */
  allowance->left = 1 - (gint64) allowance->burst / 2;
  weir_lookup_advance (&fixture->lookup, &fixture->join, &fixture->owners, S);
  g_assert_cmpuint (fixture->lookup.exact.sequence, ==, WEIR_EXACT_BATCH);
  g_assert_cmpuint (fixture->lookup.ask_at, >, S);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
  g_test_add ("/lookup/" name, struct fixture, NULL, set_up, function, tear_down)
  ADD ("lists", test_lists);
  ADD ("charged", test_charged);
#undef ADD
  return g_test_run ();
}
