/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real connections that end in every order, counted to the byte at both ends from what the real
 * kernel tells. */
#include <errno.h>
#include <glib.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "readings-builder.h"
#include "weir-join.h"

#define UP    5000
#define DOWN  7000
#define EXTRA 300

struct fixture
{
  struct weir_join join;
  struct weir_sockdiag diag;
  int dump, events, listener;
  gboolean polled; /* a dump between any two steps */
  int client, server;
  guint16 client_port, server_port;
  /* What each end's kernel has received. */
  guint64 to_client, to_server;
};

static void
set_loopback (gboolean up)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = up ? IFF_UP : 0 };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (ioctl (fd, SIOCSIFFLAGS, &request), ==, 0);
  close (fd);
}

static void
take (const struct weir_socket_reading *reading, enum weir_sockdiag_event event, void *data)
{
  struct fixture *fixture = data;

  weir_join_socket (&fixture->join, &fixture->join.own, reading, event, S);
}

static void
read_events (void *data)
{
  struct fixture *fixture = data;
  guint64 losses = 0;

  g_assert_cmpint (weir_sockdiag_read_events (fixture->events, 1000, take, fixture, &losses), ==,
                   0);
  g_assert_cmpuint (losses, ==, 0);
}

static void
tick (struct fixture *fixture)
{
  read_events (fixture);
  weir_join_sockets_begin (&fixture->join, &fixture->join.own);
  g_assert_cmpint (weir_sockdiag_start (&fixture->diag), ==, 0);
  while (weir_sockdiag_read (&fixture->diag, 1, read_events, take, fixture) == 0)
    g_usleep (100);
  g_assert_cmpint (fixture->diag.error, ==, 0);
  weir_join_sockets_complete (&fixture->join, &fixture->join.own);
  weir_join_settle (&fixture->join, S);
}

/* Between two steps of a connection: what was sent arrives. */
static void
step (struct fixture *fixture)
{
  g_usleep (15000);
  if (fixture->polled)
    tick (fixture);
}

static void
transfer (int from, int to, gsize n)
{
  g_autofree guint8 *bytes = g_malloc0 (n);

  g_assert_cmpint (send (from, bytes, n, MSG_NOSIGNAL), ==, (gssize) n);
  if (to >= 0)
    g_assert_cmpint (recv (to, bytes, n, MSG_WAITALL), ==, (gssize) n);
}

static void
read_end (int fd)
{
  guint8 byte;

  g_assert_cmpint (recv (fd, &byte, 1, 0), ==, 0);
}

static guint16
get_port (int fd)
{
  struct sockaddr_in address;
  socklen_t size = sizeof address;

  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &size), ==, 0);
  return ntohs (address.sin_port);
}

static void
open_connection (struct fixture *fixture)
{
  struct sockaddr_in address = {
    .sin_family = AF_INET,
    .sin_port = htons (fixture->server_port),
    .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
  };

  fixture->client = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (fixture->client, (const struct sockaddr *) &address, sizeof address),
                   ==, 0);
  fixture->server = accept (fixture->listener, NULL, NULL);
  g_assert_cmpint (fixture->server, >=, 0);
  fixture->client_port = get_port (fixture->client);
  step (fixture);
  transfer (fixture->client, fixture->server, UP);
  transfer (fixture->server, fixture->client, DOWN);
  fixture->to_server = UP;
  fixture->to_client = DOWN;
  step (fixture);
}

/* ---- endings ---- */

static void
end_active (struct fixture *fixture)
{
  close (fixture->client);
  read_end (fixture->server);
  close (fixture->server);
}

static void
end_active_late (struct fixture *fixture)
{
  close (fixture->client);
  step (fixture);
  read_end (fixture->server);
  step (fixture);
  close (fixture->server);
}

static void
end_passive (struct fixture *fixture)
{
  close (fixture->server);
  step (fixture);
  read_end (fixture->client);
  close (fixture->client);
}

/* Who closes second never looked whether the other one had. */
static void
end_unread (struct fixture *fixture)
{
  close (fixture->client);
  step (fixture);
  close (fixture->server);
}

static void
end_simultaneous (struct fixture *fixture)
{
  set_loopback (FALSE);
  close (fixture->client);
  close (fixture->server);
  set_loopback (TRUE);
  /* Both are sent again, and cross each other. */
  g_usleep (700000);
}

static void
end_shut (struct fixture *fixture)
{
  shutdown (fixture->client, SHUT_WR);
  read_end (fixture->server);
  step (fixture);
  transfer (fixture->server, fixture->client, EXTRA);
  fixture->to_client += EXTRA;
  step (fixture);
  close (fixture->server);
  read_end (fixture->client);
  step (fixture);
  close (fixture->client);
}

static void
end_shut_unread (struct fixture *fixture)
{
  shutdown (fixture->client, SHUT_WR);
  step (fixture);
  transfer (fixture->server, fixture->client, EXTRA);
  fixture->to_client += EXTRA;
  close (fixture->server);
  step (fixture);
  close (fixture->client);
}

static void
end_shut_unread_data (struct fixture *fixture)
{
  shutdown (fixture->client, SHUT_WR);
  step (fixture);
  transfer (fixture->server, -1, EXTRA);
  fixture->to_client += EXTRA;
  close (fixture->server);
  step (fixture);
  close (fixture->client);
}

/* Both directions are shut before anything is closed. */
static void
end_shut_both (struct fixture *fixture)
{
  shutdown (fixture->server, SHUT_WR);
  step (fixture);
  read_end (fixture->client);
  shutdown (fixture->client, SHUT_WR);
  step (fixture);
  close (fixture->client);
  step (fixture);
  close (fixture->server);
}

static void
reset (int fd)
{
  const struct linger at_once = { .l_onoff = 1 };

  g_assert_cmpint (setsockopt (fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), ==, 0);
  close (fd);
}

static void
end_reset_by_client (struct fixture *fixture)
{
  reset (fixture->client);
  step (fixture);
  close (fixture->server);
}

static void
end_reset_by_server (struct fixture *fixture)
{
  reset (fixture->server);
  step (fixture);
  close (fixture->client);
}

/* close(2) with something unread resets. */
static void
end_unread_data (struct fixture *fixture)
{
  transfer (fixture->client, -1, EXTRA);
  fixture->to_server += EXTRA;
  step (fixture);
  close (fixture->server);
  step (fixture);
  close (fixture->client);
}

static void
end_killed (struct fixture *fixture)
{
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      close (fixture->server);
      for (;;)
        pause ();
    }
  close (fixture->client);
  step (fixture);
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  read_end (fixture->server);
  step (fixture);
  close (fixture->server);
}

/* ---- what came of it ---- */

static struct weir_flow *
find_end (struct fixture *fixture, guint16 local, guint16 remote)
{
  struct weir_flow *flow, *found = NULL;

  for (guint32 slot = 0; (flow = weir_flow_table_next (&fixture->join.table, &slot)) != NULL;)
    {
      if (flow->key.local_port != local || flow->key.remote_port != remote)
        continue;
      g_assert_null (found);
      found = flow;
    }
  return found;
}

static void
assert_bytes (struct weir_flow *found, guint64 rx, guint64 tx)
{
  g_assert_nonnull (found);
  g_assert_false (found->flags & WEIR_FLOW_AWAITS_DUMP);
  g_assert_cmpuint (found->state, ==, WEIR_FLOW_STATE_CLOSED);
  g_assert_cmpuint (found->tcp_rx_bytes, ==, rx);
  g_assert_cmpuint (found->tcp_tx_bytes, ==, tx);
}

static void
set_up (struct fixture *fixture)
{
  const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
  static const int groups[] = { SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY };
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };

  g_assert_cmpint (weir_join_init (&fixture->join, 1, true, 1000), ==, 0);
  fixture->dump = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  fixture->events = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  /* What has no address of its own gets no events. */
  g_assert_cmpint (bind (fixture->events, (const struct sockaddr *) &any, sizeof any), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    g_assert_cmpint (setsockopt (fixture->events, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
                                 sizeof groups[i]),
                     ==, 0);
  weir_sockdiag_init (&fixture->diag, fixture->dump);
  fixture->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (fixture->listener, (const struct sockaddr *) &address, sizeof address), ==,
                   0);
  g_assert_cmpint (listen (fixture->listener, 5), ==, 0);
  fixture->server_port = get_port (fixture->listener);
  tick (fixture);
}

static void
tear_down (struct fixture *fixture)
{
  close (fixture->listener);
  close (fixture->dump);
  close (fixture->events);
  weir_join_clear (&fixture->join);
}

struct ending
{
  const char *name;
  void (*end) (struct fixture *fixture);
  gboolean only_polled; /* without a dump in between it looks like another */
  /* Who resets by SO_LINGER disconnects first: the kernel forgets peer and figures of that end. */
  gboolean client_forgets, server_forgets;
};

static const struct ending endings[] = {
  { "active", end_active },
  { "active-late", end_active_late },
  { "passive", end_passive },
  { "unread", end_unread },
  { "simultaneous", end_simultaneous },
  { "shut", end_shut, TRUE },
  { "shut-unread", end_shut_unread },
  { "shut-unread-data", end_shut_unread_data },
  { "shut-both", end_shut_both, TRUE },
  { "reset-by-client", end_reset_by_client, FALSE, TRUE, FALSE },
  { "reset-by-server", end_reset_by_server, FALSE, FALSE, TRUE },
  { "unread-data", end_unread_data },
  { "killed", end_killed },
};

static void
run_ending (const struct ending *ending, gboolean polled)
{
  struct fixture fixture = { .polled = polled };
  struct weir_flow *client, *server;

  set_up (&fixture);
  open_connection (&fixture);
  ending->end (&fixture);
  g_usleep (30000);
  for (guint i = 0; i < 3; i++)
    tick (&fixture);
  client = find_end (&fixture, fixture.client_port, fixture.server_port);
  server = find_end (&fixture, fixture.server_port, fixture.client_port);
  if (ending->client_forgets && !polled)
    g_assert_null (client);
  else
    assert_bytes (client, fixture.to_client, fixture.to_server);
  if (ending->server_forgets && !polled)
    g_assert_null (server);
  else
    assert_bytes (server, fixture.to_server, fixture.to_client);
  tear_down (&fixture);
}

static void
test_polled (gconstpointer data)
{
  run_ending (data, TRUE);
}

static void
test_unseen (gconstpointer data)
{
  run_ending (data, FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Nobody else's connections, and a loopback that may be taken down. */
  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  set_loopback (TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      g_autofree char *polled = g_strdup_printf ("/join-endings/%s/polled", endings[i].name);
      g_autofree char *unseen = g_strdup_printf ("/join-endings/%s/unseen", endings[i].name);

      g_test_add_data_func (polled, &endings[i], test_polled);
      if (!endings[i].only_polled)
        g_test_add_data_func (unseen, &endings[i], test_unseen);
    }
  return g_test_run ();
}
