/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <glib.h>
#include <linux/if_ether.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
  g_assert_cmpuint (reading.acked_beyond, ==, 1);

  g_assert_true (
      with_info (WEIR_TCP_CLOSE_WAIT, WEIR_SOCKDIAG_SOCKET, &info, sizeof info).fin_counted);
  g_assert_true (
      with_info (WEIR_TCP_LAST_ACK, WEIR_SOCKDIAG_SOCKET, &info, sizeof info).fin_counted);
  g_assert_false (
      with_info (WEIR_TCP_FIN_WAIT2, WEIR_SOCKDIAG_SOCKET, &info, sizeof info).fin_counted);
  /* SYN and FIN; neither; fewer than were sent. */
  info.tcpi_bytes_acked = 1002;
  g_assert_cmpuint (
      with_info (WEIR_TCP_CLOSE, WEIR_SOCKDIAG_DESTROYED, &info, sizeof info).acked_beyond, ==, 2);
  info.tcpi_bytes_acked = 1000;
  g_assert_cmpuint (
      with_info (WEIR_TCP_CLOSE, WEIR_SOCKDIAG_DESTROYED, &info, sizeof info).acked_beyond, ==, 0);
  info.tcpi_bytes_acked = 990;
  g_assert_cmpuint (
      with_info (WEIR_TCP_CLOSE, WEIR_SOCKDIAG_DESTROYED, &info, sizeof info).acked_beyond, ==, 0);
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

/* What the port is of others, the protocol is of a raw socket. */
static void
test_raw (void)
{
  struct inet_diag_msg message = { .idiag_family = AF_INET6,
                                   .idiag_state = WEIR_TCP_CLOSE,
                                   .id = { .idiag_sport = htons (IPPROTO_ICMPV6) },
                                   .idiag_inode = 5 };
  struct weir_socket_reading reading = { .protocol = IPPROTO_RAW };
  struct builder builder = { 0 };
  guint8 protocol = IPPROTO_ESP;

  builder_begin (&builder, SOCK_DIAG_BY_FAMILY, &message, sizeof message);
  g_assert_cmpint (weir_sockdiag_parse (builder_header (&builder), WEIR_SOCKDIAG_SOCKET, &reading),
                   ==, 0);
  g_assert_cmpuint (reading.kind, ==, WEIR_SOCKET_RAW);
  g_assert_cmpuint (reading.protocol, ==, IPPROTO_ICMPV6);
  g_assert_cmpuint (reading.local.port, ==, 0);

  reading.protocol = IPPROTO_RAW;
  builder_attribute (&builder, INET_DIAG_PROTOCOL, &protocol, 1);
  g_assert_cmpint (weir_sockdiag_parse (builder_header (&builder), WEIR_SOCKDIAG_SOCKET, &reading),
                   ==, 0);
  g_assert_cmpuint (reading.protocol, ==, IPPROTO_ESP);
}

/* Associations have numbers of their own for their states. */
static void
test_sctp_states (void)
{
  static const struct
  {
    guint8 told;
    gboolean is_endpoint;
    guint8 state;
  } cases[] = {
    { 1, FALSE, WEIR_TCP_SYN_SENT },          { 2, FALSE, WEIR_TCP_SYN_SENT },
    { 3, FALSE, WEIR_TCP_ESTABLISHED },       { 4, FALSE, WEIR_TCP_FIN_WAIT1 },
    { 7, FALSE, WEIR_TCP_FIN_WAIT1 },         { WEIR_TCP_LISTEN, TRUE, WEIR_TCP_LISTEN },
    { WEIR_TCP_CLOSE, TRUE, WEIR_TCP_CLOSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      struct inet_diag_msg message = {
        .idiag_family = AF_INET,
        .idiag_state = cases[i].told,
        .id = { .idiag_sport = htons (9), .idiag_dport = cases[i].is_endpoint ? 0 : htons (7) },
      };
      struct weir_socket_reading reading = { .protocol = IPPROTO_SCTP };
      struct builder builder = { 0 };

      builder_begin (&builder, SOCK_DIAG_BY_FAMILY, &message, sizeof message);
      g_assert_cmpint (
          weir_sockdiag_parse (builder_header (&builder), WEIR_SOCKDIAG_SOCKET, &reading), ==, 0);
      g_assert_cmpuint (reading.state, ==, cases[i].state);
    }
}

/* A socket of our own that the dumps must show exactly once, or not at all. */
struct wanted
{
  int family, type, protocol;
  guint8 kind;
  guint16 port;
  guint32 inode;
  guint found;
};

static void
open_wanted (struct wanted *wanted, int *ret_fd)
{
  struct sockaddr_storage address = { .ss_family = (sa_family_t) wanted->family };
  socklen_t size = sizeof address;
  struct stat info;

  *ret_fd = socket (wanted->family, wanted->type | SOCK_CLOEXEC, wanted->protocol);
  g_assert_cmpint (*ret_fd, >=, 0);
  g_assert_cmpint (fstat (*ret_fd, &info), ==, 0);
  wanted->inode = (guint32) info.st_ino;
  if (wanted->kind != WEIR_SOCKET_PORT)
    return;
  g_assert_cmpint (
      bind (*ret_fd, (struct sockaddr *) &address,
            wanted->family == AF_INET ? sizeof (struct sockaddr_in) : sizeof (struct sockaddr_in6)),
      ==, 0);
  if (wanted->type == SOCK_STREAM)
    g_assert_cmpint (listen (*ret_fd, 7), ==, 0);
  g_assert_cmpint (getsockname (*ret_fd, (struct sockaddr *) &address, &size), ==, 0);
  wanted->port =
      ntohs (wanted->family == AF_INET ? ((struct sockaddr_in *) (void *) &address)->sin_port
                                       : ((struct sockaddr_in6 *) (void *) &address)->sin6_port);
}

struct search
{
  struct wanted *wanted;
  guint n_wanted;
  guint buffers;
};

static void
look (const struct weir_socket_reading *reading, enum weir_sockdiag_event event, void *data)
{
  struct search *search = data;

  for (guint i = 0; i < search->n_wanted; i++)
    {
      struct wanted *wanted = &search->wanted[i];

      if (reading->inode != wanted->inode)
        continue;
      wanted->found++;
      g_assert_cmpuint (reading->kind, ==, wanted->kind);
      g_assert_cmpuint (reading->local.port, ==, wanted->port);
      g_assert_cmpuint (reading->uid, ==, getuid ());
      if (wanted->kind == WEIR_SOCKET_PACKET)
        g_assert_cmpuint (reading->ethertype, ==, ETH_P_ARP);
      else
        g_assert_cmpuint (reading->protocol, ==, wanted->protocol);
      if (wanted->type == SOCK_STREAM)
        g_assert_cmpuint (reading->backlog, ==, 7);
    }
}

static void
count_buffer (void *data)
{
  ((struct search *) data)->buffers++;
}

static void
read_series (struct weir_sockdiag *diag, struct search *search)
{
  search->buffers = 0;
  for (guint i = 0; i < search->n_wanted; i++)
    search->wanted[i].found = 0;
  g_assert_cmpint (weir_sockdiag_start (diag), ==, 0);
  while (weir_sockdiag_read (diag, 1, count_buffer, look, search) == 0)
    ;
  g_assert_cmpint (diag->error, ==, 0);
  g_assert_false (diag->running);
}

/* Whole series on the real kernel: what it has is shown once, and what it has not is not asked for
 * again at once. */
static void
test_dump (void)
{
  struct wanted wanted[] = {
    { AF_INET, SOCK_STREAM, IPPROTO_TCP, WEIR_SOCKET_PORT },
    { AF_INET6, SOCK_STREAM, IPPROTO_TCP, WEIR_SOCKET_PORT },
    { AF_INET, SOCK_DGRAM, IPPROTO_UDP, WEIR_SOCKET_PORT },
    { AF_INET6, SOCK_DGRAM, IPPROTO_UDP, WEIR_SOCKET_PORT },
    { AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, WEIR_SOCKET_PORT },
    { AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE, WEIR_SOCKET_PORT },
    { AF_PACKET, SOCK_RAW, htons (ETH_P_ARP), WEIR_SOCKET_PACKET },
    { AF_INET, SOCK_RAW, IPPROTO_ICMP, WEIR_SOCKET_RAW },
  };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  struct search search = { wanted, G_N_ELEMENTS (wanted), 0 };
  int sockets[G_N_ELEMENTS (wanted)];
  struct weir_sockdiag diag;
  guint lacking = 0, buffers;

  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    open_wanted (&wanted[i], &sockets[i]);
  weir_sockdiag_init (&diag, fd);
  read_series (&diag, &search);
  for (guint i = 0; i < WEIR_SOCKDIAG_STEPS; i++)
    {
      g_assert_true (diag.step_errors[i] == 0 || diag.step_errors[i] == ENOENT);
      lacking += diag.step_errors[i] == ENOENT;
    }
  for (guint i = 0; i < G_N_ELEMENTS (wanted) - 1; i++)
    g_assert_cmpuint (wanted[i].found, ==, 1);
  g_assert_cmpuint (wanted[G_N_ELEMENTS (wanted) - 1].found, ==,
                    diag.step_errors[WEIR_SOCKDIAG_RAW] == 0);
  g_assert_cmpuint (search.buffers, >=, WEIR_SOCKDIAG_STEPS);
  buffers = search.buffers;
  read_series (&diag, &search);
  g_assert_cmpuint (search.buffers, ==, buffers - lacking);
  g_assert_cmpuint (wanted[0].found, ==, 1);

  close (fd);
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    close (sockets[i]);
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
  g_test_add_func ("/source-sockdiag/raw", test_raw);
  g_test_add_func ("/source-sockdiag/sctp-states", test_sctp_states);
  g_test_add_func ("/source-sockdiag/dump", test_dump);
  return g_test_run ();
}
