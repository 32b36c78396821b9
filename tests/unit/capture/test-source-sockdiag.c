/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <glib.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <unistd.h>

#include "netlink-builder.h"
#include "readings-builder.h"
#include "source-sockdiag.h"

static void
begin_socket (struct builder *builder, guint8 family, guint8 state)
{
  struct inet_diag_msg message = {
    .idiag_family = family,
    .idiag_state = state,
    .id = { .idiag_sport = htons (1234),
            .idiag_dport = htons (443),
            .idiag_if = 3,
            .idiag_cookie = { 0x11, 0x22 } },
    .idiag_uid = 1000,
    .idiag_inode = 4711,
  };

  if (family == AF_INET)
    {
      inet_pton (AF_INET, "192.0.2.1", message.id.idiag_src);
      inet_pton (AF_INET, "198.51.100.7", message.id.idiag_dst);
    }
  else
    {
      inet_pton (AF_INET6, "::ffff:192.0.2.1", message.id.idiag_src);
      inet_pton (AF_INET6, "::ffff:198.51.100.7", message.id.idiag_dst);
    }
  builder_begin (builder, SOCK_DIAG_BY_FAMILY, &message, sizeof message);
}

static int
parse (struct builder *builder, enum weir_sockdiag_event event, struct weir_socket_reading *reading)
{
  *reading = (struct weir_socket_reading) { .protocol = IPPROTO_TCP };
  return weir_sockdiag_parse (builder_header (builder), event, reading);
}

static void
test_identity (void)
{
  static const guint8 families[] = { AF_INET, AF_INET6 };
  struct weir_endpoint local = endpoint ("192.0.2.1", 1234),
                       remote = endpoint ("198.51.100.7", 443);

  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    {
      struct weir_socket_reading reading;
      struct builder builder = { 0 };
      guint64 cgroup = 99;
      guint8 only = 1;

      begin_socket (&builder, families[i], WEIR_TCP_LISTEN);
      builder_attribute (&builder, INET_DIAG_SKV6ONLY, &only, 1);
      builder_attribute (&builder, INET_DIAG_CGROUP_ID, &cgroup, sizeof cgroup);
      g_assert_cmpint (parse (&builder, WEIR_SOCKDIAG_SOCKET, &reading), ==, 0);
      /* However the socket was made: it is IPv4 on the wire, and has one name. */
      g_assert_cmpuint (reading.family, ==, 4);
      g_assert_cmpint (reading.on_v6_socket, ==, families[i] == AF_INET6);
      g_assert_cmpmem (&reading.local.address, 16, local.address, 16);
      g_assert_cmpmem (&reading.remote.address, 16, remote.address, 16);
      g_assert_cmpuint (reading.local.port, ==, 1234);
      g_assert_cmpuint (reading.remote.port, ==, 443);
      g_assert_cmphex (reading.cookie, ==, 0x2200000011);
      g_assert_cmpuint (reading.inode, ==, 4711);
      g_assert_cmpuint (reading.uid, ==, 1000);
      g_assert_cmpuint (reading.ifindex, ==, 3);
      g_assert_true (reading.v6_only);
      g_assert_true (reading.has_cgroup);
      g_assert_cmpuint (reading.cgroup_id, ==, 99);
      g_assert_false (reading.has_bytes);
    }
}

static struct weir_socket_reading
with_info (guint8 state, enum weir_sockdiag_event event, const struct tcp_info *info, gsize size)
{
  struct weir_socket_reading reading;
  struct builder builder = { 0 };

  begin_socket (&builder, AF_INET, state);
  builder_attribute (&builder, INET_DIAG_INFO, info, size);
  g_assert_cmpint (parse (&builder, event, &reading), ==, 0);
  return reading;
}

static void
test_bytes (void)
{
  struct tcp_info info = {
    .tcpi_bytes_sent = 1500,
    .tcpi_bytes_retrans = 500,
    .tcpi_bytes_acked = 1001,
    .tcpi_bytes_received = 77,
    .tcpi_rtt = 12000,
    .tcpi_total_retrans = 2,
  };
  struct weir_socket_reading reading =
      with_info (WEIR_TCP_ESTABLISHED, WEIR_SOCKDIAG_SOCKET, &info, sizeof info);

  g_assert_true (reading.has_bytes);
  g_assert_cmpuint (reading.tx_bytes, ==, 1000);
  g_assert_cmpuint (reading.rx_bytes, ==, 77);
  g_assert_cmpuint (reading.rtt_us, ==, 12000);
  g_assert_cmpuint (reading.retransmits, ==, 2);
  g_assert_false (reading.fin_counted);
  g_assert_false (reading.fin_may_count);

  g_assert_true (
      with_info (WEIR_TCP_CLOSE_WAIT, WEIR_SOCKDIAG_SOCKET, &info, sizeof info).fin_counted);
  g_assert_true (
      with_info (WEIR_TCP_LAST_ACK, WEIR_SOCKDIAG_SOCKET, &info, sizeof info).fin_counted);
  g_assert_false (
      with_info (WEIR_TCP_FIN_WAIT2, WEIR_SOCKDIAG_SOCKET, &info, sizeof info).fin_counted);
  g_assert_true (
      with_info (WEIR_TCP_CLOSE, WEIR_SOCKDIAG_DESTROYED, &info, sizeof info).fin_may_count);
  /* Reset: its own FIN was never acknowledged. */
  info.tcpi_bytes_acked = 1000;
  g_assert_false (
      with_info (WEIR_TCP_CLOSE, WEIR_SOCKDIAG_DESTROYED, &info, sizeof info).fin_may_count);
}

static void
test_direction (void)
{
  struct tcp_info info = { .tcpi_bytes_sent = 100, .tcpi_bytes_acked = 101 };

  g_assert_cmpuint (
      with_info (WEIR_TCP_ESTABLISHED, WEIR_SOCKDIAG_SOCKET, &info, sizeof info).direction, ==,
      WEIR_DIRECTION_OUT);
  info.tcpi_bytes_acked = 100;
  g_assert_cmpuint (
      with_info (WEIR_TCP_ESTABLISHED, WEIR_SOCKDIAG_SOCKET, &info, sizeof info).direction, ==,
      WEIR_DIRECTION_IN);
  /* With something on its way nothing can be concluded, nor after a FIN of our own. */
  info.tcpi_unacked = 1;
  g_assert_cmpuint (
      with_info (WEIR_TCP_ESTABLISHED, WEIR_SOCKDIAG_SOCKET, &info, sizeof info).direction, ==,
      WEIR_DIRECTION_UNKNOWN);
  info.tcpi_unacked = 0;
  g_assert_cmpuint (
      with_info (WEIR_TCP_FIN_WAIT2, WEIR_SOCKDIAG_SOCKET, &info, sizeof info).direction, ==,
      WEIR_DIRECTION_UNKNOWN);
  info.tcpi_bytes_acked = 90;
  g_assert_cmpuint (
      with_info (WEIR_TCP_ESTABLISHED, WEIR_SOCKDIAG_SOCKET, &info, sizeof info).direction, ==,
      WEIR_DIRECTION_UNKNOWN);
}

/* Older kernels have a shorter struct, newer ones a longer one. */
static void
test_info_sizes (void)
{
  struct
  {
    struct tcp_info info;
    guint8 more[64];
  } large = { .info = { .tcpi_bytes_sent = 5, .tcpi_bytes_received = 6, .tcpi_rtt = 7 } };
  struct weir_socket_reading reading;

  memset (large.more, 0xff, sizeof large.more);
  reading = with_info (WEIR_TCP_ESTABLISHED, WEIR_SOCKDIAG_SOCKET, &large.info, sizeof large);
  g_assert_true (reading.has_bytes);
  g_assert_cmpuint (reading.rx_bytes, ==, 6);

  reading = with_info (WEIR_TCP_ESTABLISHED, WEIR_SOCKDIAG_SOCKET, &large.info,
                       offsetof (struct tcp_info, tcpi_bytes_sent));
  g_assert_false (reading.has_bytes);
  g_assert_true (reading.has_times);
  g_assert_cmpuint (reading.rtt_us, ==, 7);

  /* Half a field is no field. */
  reading = with_info (WEIR_TCP_ESTABLISHED, WEIR_SOCKDIAG_SOCKET, &large.info,
                       offsetof (struct tcp_info, tcpi_bytes_retrans) + 4);
  g_assert_false (reading.has_bytes);
  reading = with_info (WEIR_TCP_ESTABLISHED, WEIR_SOCKDIAG_SOCKET, &large.info, 0);
  g_assert_false (reading.has_times);
}

static void
test_hostile (void)
{
  struct tcp_info info = { .tcpi_bytes_retrans = 9, .tcpi_bytes_sent = 1 };
  struct weir_socket_reading reading;
  struct builder builder = { 0 };
  struct inet_diag_msg message = { .idiag_family = 77 };
  guint8 junk[3] = { 1, 2, 3 };

  /* More sent again than sent. */
  reading = with_info (WEIR_TCP_ESTABLISHED, WEIR_SOCKDIAG_SOCKET, &info, sizeof info);
  g_assert_cmpuint (reading.tx_bytes, ==, 0);

  builder_begin (&builder, SOCK_DIAG_BY_FAMILY, &message, sizeof message);
  g_assert_cmpint (parse (&builder, WEIR_SOCKDIAG_SOCKET, &reading), ==, -EPROTO);
  builder_begin (&builder, SOCK_DIAG_BY_FAMILY + 1, &message, sizeof message);
  g_assert_cmpint (parse (&builder, WEIR_SOCKDIAG_SOCKET, &reading), ==, -EPROTO);
  builder_begin (&builder, SOCK_DIAG_BY_FAMILY, &message, sizeof message - 1);
  builder_header (&builder)->nlmsg_len = NLMSG_HDRLEN + sizeof message - 1;
  g_assert_cmpint (parse (&builder, WEIR_SOCKDIAG_SOCKET, &reading), ==, -EPROTO);

  begin_socket (&builder, AF_INET, WEIR_TCP_ESTABLISHED);
  builder_attribute (&builder, INET_DIAG_CGROUP_ID, junk, sizeof junk);
  builder_attribute (&builder, INET_DIAG_SKV6ONLY, junk, 0);
  g_assert_cmpint (parse (&builder, WEIR_SOCKDIAG_SOCKET, &reading), ==, 0);
  g_assert_false (reading.has_cgroup);
  g_assert_false (reading.v6_only);
}

/* Every cut of a whole message, in memory that ends there. */
static void
test_truncated (void)
{
  struct tcp_info info = { .tcpi_bytes_sent = 5 };
  struct builder builder = { 0 };
  gsize whole;

  begin_socket (&builder, AF_INET6, WEIR_TCP_ESTABLISHED);
  builder_attribute (&builder, INET_DIAG_INFO, &info, sizeof info);
  whole = builder.size;
  for (gsize size = NLMSG_HDRLEN; size < whole; size++)
    {
      g_autofree guint8 *copy = g_memdup2 (builder.data, size);
      struct nlmsghdr *message = (struct nlmsghdr *) (void *) copy;
      struct weir_socket_reading reading = { .protocol = IPPROTO_TCP };

      message->nlmsg_len = (guint32) size;
      g_assert_cmpint (weir_sockdiag_parse (message, WEIR_SOCKDIAG_SOCKET, &reading), ==,
                       size < NLMSG_HDRLEN + sizeof (struct inet_diag_msg) ? -EPROTO : 0);
      g_assert_false (reading.has_bytes);
    }
}

struct search
{
  guint16 port;
  guint found;
  guint buffers;
  guint32 inode;
};

static void
search (const struct weir_socket_reading *reading, enum weir_sockdiag_event event, void *data)
{
  struct search *wanted = data;

  if (reading->protocol != IPPROTO_UDP || reading->local.port != wanted->port)
    return;
  wanted->found++;
  wanted->inode = reading->inode;
}

static void
count_buffer (void *data)
{
  ((struct search *) data)->buffers++;
}

/* A whole series on the real kernel. */
static void
test_dump (void)
{
  struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
  socklen_t size = sizeof address;
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  int udp = socket (AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct weir_sockdiag diag;
  struct search wanted = { 0 };

  g_assert_cmpint (bind (udp, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (getsockname (udp, (struct sockaddr *) &address, &size), ==, 0);
  wanted.port = ntohs (address.sin6_port);
  weir_sockdiag_init (&diag, fd);
  g_assert_cmpint (weir_sockdiag_start (&diag), ==, 0);
  while (weir_sockdiag_read (&diag, 1, count_buffer, search, &wanted) == 0)
    ;
  g_assert_cmpint (diag.error, ==, 0);
  g_assert_false (diag.running);
  g_assert_cmpuint (wanted.found, ==, 1);
  g_assert_cmpuint (wanted.buffers, >=, WEIR_SOCKDIAG_STEPS);
  g_assert_cmpuint (wanted.inode, !=, 0);
  close (fd);
  close (udp);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/source-sockdiag/identity", test_identity);
  g_test_add_func ("/source-sockdiag/bytes", test_bytes);
  g_test_add_func ("/source-sockdiag/direction", test_direction);
  g_test_add_func ("/source-sockdiag/info-sizes", test_info_sizes);
  g_test_add_func ("/source-sockdiag/hostile", test_hostile);
  g_test_add_func ("/source-sockdiag/truncated", test_truncated);
  g_test_add_func ("/source-sockdiag/dump", test_dump);
  return g_test_run ();
}
