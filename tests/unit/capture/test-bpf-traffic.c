/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traffic that is known to the byte, in a network of its own, and what the programs tell of it. */
#include <linux/if_packet.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "bpf-stage.h"
#include "weir-addresses.h"

static struct stage stage;
static char bytes[1 << 20];

static uint64_t
get_cookie (int fd)
{
  socklen_t size = sizeof (uint64_t);
  uint64_t cookie;

  g_assert_cmpint (getsockopt (fd, SOL_SOCKET, SO_COOKIE, &cookie, &size), ==, 0);
  return cookie;
}

static void
begin (void)
{
  stage_begin (&stage);
}

/* ---- TCP ---- */

/* Both ends of a connection over @address; all are closed at the end. */
static void
talk_tcp (int family, const char *address, size_t up, size_t down, uint16_t *ret_port,
          uint16_t *ret_client_port)
{
  int listener = stage_socket (family, SOCK_STREAM, 0), client, server;
  uint64_t cookie;

  stage_bind (listener, family == AF_INET ? "0.0.0.0" : "::", 0);
  g_assert_cmpint (listen (listener, 8), ==, 0);
  *ret_port = stage_get_port (listener);
  client = stage_socket (strchr (address, ':') != NULL ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
  cookie = get_cookie (client);
  stage_connect (client, address, *ret_port);
  *ret_client_port = stage_get_port (client);
  server = accept (listener, NULL, NULL);
  g_assert_cmpint (server, >=, 0);
  for (size_t part; up > 0; up -= part)
    {
      part = MIN (up, 50000);
      stage_send (client, bytes, part);
      stage_receive (server, part);
    }
  for (size_t part; down > 0; down -= part)
    {
      part = MIN (down, 50000);
      stage_send (server, bytes, part);
      stage_receive (client, part);
    }
  /* Told of while it is open. */
  stage_read (&stage);
  g_assert_cmpuint (stage_find (&stage, IPPROTO_TCP, 0, *ret_port)->cookie, ==, cookie);
  g_assert_cmpuint (stage.closed, ==, 0);
  stage_part_ways (client, server);
  close (listener);
}

static void
check_tcp (int family, const char *address, uint8_t told_family)
{
  const size_t up = 300000, down = 123456;
  uint16_t port, client_port;
  const struct weir_bpf_reading *client, *server;
  uint64_t before, after;

  begin ();
  before = stage_get_loopback (NULL);
  talk_tcp (family, address, up, down, &port, &client_port);
  after = stage_get_loopback (NULL);
  stage_read (&stage);
  g_assert_cmpuint (stage.readings->len, ==, 2);
  g_assert_cmpuint (stage.born, ==, 2);
  g_assert_cmpuint (stage.closed, ==, 2);

  client = stage_find (&stage, IPPROTO_TCP, client_port, port);
  server = stage_find (&stage, IPPROTO_TCP, port, client_port);
  g_assert_cmpuint (client->tx_payload, ==, up);
  g_assert_cmpuint (client->rx_payload, ==, down);
  g_assert_cmpuint (server->rx_payload, ==, up);
  g_assert_cmpuint (server->tx_payload, ==, down);
  /* Every byte of the loopback is in what was sent, and arrived: the handshake, which the listener
   * had a part in, and the last FIN, too. */
  g_assert_cmpuint (client->tx_bytes + server->tx_bytes, ==, after - before);
  g_assert_cmpuint (client->rx_bytes, ==, server->tx_bytes);
  g_assert_cmpuint (server->rx_bytes, ==, client->tx_bytes);
  g_assert_cmpuint (client->tx_packets, ==, server->rx_packets);
  g_assert_cmpuint (server->tx_packets, ==, client->rx_packets);

  g_assert_cmpuint (client->direction, ==, WEIR_DIRECTION_OUT);
  g_assert_cmpuint (server->direction, ==, WEIR_DIRECTION_IN);
  g_assert_cmpuint (client->family, ==, told_family);
  g_assert_cmpuint (server->family, ==, told_family);
  g_assert_true (client->flags & WEIR_BPF_WHOLE && server->flags & WEIR_BPF_WHOLE);
  g_assert_true (client->flags & WEIR_BPF_CLOSED && server->flags & WEIR_BPF_CLOSED);
  g_assert_cmpuint (client->ifindex, ==, 1);
  g_assert_true (stage_is_me (&client->opener) && stage_is_me (&client->user));
  g_assert_true (stage_is_me (&server->opener) && stage_is_me (&server->user));
  g_assert_cmpmem (client->local.address, 16, server->remote.address, 16);
}

static void
test_tcp (void)
{
  check_tcp (AF_INET, "127.0.0.1", 4);
  check_tcp (AF_INET6, "::1", 6);
}

static void
test_tcp_mapped (void)
{
  check_tcp (AF_INET6, "127.0.0.1", 4);
}

static void
set_mtu (int mtu)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_mtu = mtu };
  int fd = stage_socket (AF_INET, SOCK_DGRAM, 0);

  g_assert_cmpint (ioctl (fd, SIOCSIFMTU, &request), ==, 0);
  close (fd);
}

/* Large packets are cut behind where they are counted: how many segments they are, and what headers
 * that costs, is told beside the bytes. */
static void
test_tcp_segments (void)
{
  const size_t size = 800000, header = 20 + 32;
  const struct weir_bpf_reading *client, *server;
  uint64_t before, after, packets_before, packets_after, segments;
  uint16_t port, client_port;

  set_mtu (1500);
  begin ();
  before = stage_get_loopback (&packets_before);
  talk_tcp (AF_INET, "127.0.0.1", size, 0, &port, &client_port);
  after = stage_get_loopback (&packets_after);
  set_mtu (65536);
  stage_read (&stage);
  client = stage_find (&stage, IPPROTO_TCP, client_port, port);
  server = stage_find (&stage, IPPROTO_TCP, port, client_port);
  g_assert_cmpuint (client->tx_payload, ==, size);
  g_assert_cmpuint (client->tx_bytes + server->tx_bytes, ==, after - before);
  segments = client->tx_packets + server->tx_packets;
  g_assert_cmpuint (client->tx_packets, >=, size / 1448);
  g_assert_cmpuint (segments, >, packets_after - packets_before);
  g_assert_cmpuint (client->tx_extra, ==, (segments - (packets_after - packets_before)) * header);
  g_assert_cmpuint (client->rx_extra + server->tx_extra, ==, 0);
}

/* ---- UDP ---- */

#define PEERS 20

static void
test_udp_peers (void)
{
  int sender = stage_socket (AF_INET, SOCK_DGRAM, 0), peers[PEERS];

  begin ();
  stage_bind (sender, "0.0.0.0", 0);
  for (unsigned i = 0; i < PEERS; i++)
    {
      peers[i] = stage_socket (AF_INET, SOCK_DGRAM, 0);
      stage_bind (peers[i], "127.0.0.2", 0);
    }
  for (unsigned round = 0; round < 3; round++)
    for (unsigned i = 0; i < PEERS; i++)
      stage_send_to (sender, bytes, 100 + i, "127.0.0.2", stage_get_port (peers[i]));
  for (unsigned i = 0; i < PEERS; i++)
    stage_send_to (peers[i], bytes, 7, "127.0.0.1", stage_get_port (sender));
  stage_read (&stage);
  g_assert_cmpuint (stage.readings->len, ==, 2 * PEERS);
  for (unsigned i = 0; i < PEERS; i++)
    {
      const uint16_t port = stage_get_port (peers[i]);
      const struct weir_bpf_reading *flow =
          stage_find (&stage, IPPROTO_UDP, stage_get_port (sender), port);

      g_assert_cmpuint (flow->tx_payload, ==, 3 * (100 + i));
      g_assert_cmpuint (flow->tx_bytes, ==, 3 * (128 + i));
      g_assert_cmpuint (flow->tx_packets, ==, 3);
      g_assert_cmpuint (flow->rx_bytes, ==, 35);
      g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_OUT);
      g_assert_cmpuint (flow->cookie, ==, get_cookie (sender));
      flow = stage_find (&stage, IPPROTO_UDP, port, stage_get_port (sender));
      g_assert_cmpuint (flow->rx_bytes, ==, 3 * (128 + i));
      g_assert_cmpuint (flow->direction, ==, WEIR_DIRECTION_IN);
      close (peers[i]);
    }
  close (sender);
  stage_read (&stage);
  g_assert_cmpuint (stage.closed, ==, 2 * PEERS);
}

/* Connected, and to somebody else all the same; then connected to him. */
static void
test_udp_connected (void)
{
  int one = stage_socket (AF_INET6, SOCK_DGRAM, 0), other = stage_socket (AF_INET6, SOCK_DGRAM, 0),
      sender = stage_socket (AF_INET6, SOCK_DGRAM, 0);
  const struct weir_bpf_reading *flow;

  begin ();
  stage_bind (one, "::1", 0);
  stage_bind (other, "::1", 0);
  stage_connect (sender, "::1", stage_get_port (one));
  stage_send (sender, bytes, 10);
  stage_send_to (sender, bytes, 20, "::1", stage_get_port (other));
  stage_send (sender, bytes, 10);
  stage_connect (sender, "::1", stage_get_port (other));
  stage_send (sender, bytes, 1000);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_UDP, stage_get_port (sender), stage_get_port (one));
  g_assert_cmpuint (flow->tx_bytes, ==, 2 * (48 + 10));
  g_assert_cmpuint (flow->tx_payload, ==, 20);
  g_assert_true (flow->flags & WEIR_BPF_CONNECTED);
  flow = stage_find (&stage, IPPROTO_UDP, stage_get_port (sender), stage_get_port (other));
  g_assert_cmpuint (flow->tx_bytes, ==, 48 + 20 + 48 + 1000);
  g_assert_cmpuint (flow->tx_packets, ==, 2);
  close (one);
  close (other);
  close (sender);
}

/* One send of 40 datagrams, which the kernel cuts: 40 packets, and 39 headers more. */
static void
test_udp_segments (void)
{
  int receiver = stage_socket (AF_INET, SOCK_DGRAM, 0),
      sender = stage_socket (AF_INET, SOCK_DGRAM, 0);
  const int size = 1000;
  const struct weir_bpf_reading *flow;

  begin ();
  stage_bind (receiver, "127.0.0.1", 0);
  stage_connect (sender, "127.0.0.1", stage_get_port (receiver));
  g_assert_cmpint (setsockopt (sender, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size), ==, 0);
  stage_send (sender, bytes, (size_t) size * 40);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_UDP, stage_get_port (sender), stage_get_port (receiver));
  g_assert_cmpuint (flow->tx_packets, ==, 40);
  g_assert_cmpuint (flow->tx_payload, ==, 40000);
  g_assert_cmpuint (flow->tx_bytes + flow->tx_extra, ==, 40 * 1028);
  close (receiver);
  close (sender);
}

/* ---- other protocols ---- */

static void
test_raw (void)
{
  int sender = stage_socket (AF_INET, SOCK_RAW, 253),
      receiver = stage_socket (AF_INET, SOCK_RAW, 253);
  const struct weir_bpf_reading *sent = NULL, *got = NULL;

  begin ();
  stage_bind (receiver, "127.0.0.3", 0);
  stage_connect (sender, "127.0.0.3", 0);
  stage_send (sender, bytes, 500);
  stage_read (&stage);
  g_assert_cmpuint (stage.readings->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    *(stage_nth (&stage, i)->tx_bytes > 0 ? &sent : &got) = stage_nth (&stage, i);
  g_assert_true (sent != NULL && got != NULL);
  g_assert_cmpuint (sent->protocol, ==, 253);
  g_assert_cmpuint (sent->tx_bytes, ==, 520);
  g_assert_cmpuint (sent->tx_payload, ==, 500);
  g_assert_cmpuint (got->rx_bytes, ==, 520);
  g_assert_true (got->flags & WEIR_BPF_RAW);
  g_assert_cmpuint (got->cookie, ==, get_cookie (receiver));
  g_assert_true (stage_is_me (&got->opener));
  close (sender);
  close (receiver);
}

/* A raw socket asks and the kernel answers; another raw socket, which gets copies of both, did
 * neither. */
static void
test_ping (void)
{
  int pinger = stage_socket (AF_INET, SOCK_RAW, IPPROTO_ICMP),
      listener = stage_socket (AF_INET, SOCK_RAW, IPPROTO_ICMP);
  struct icmphdr echo = { .type = ICMP_ECHO, .un.echo.id = htons (4711) };
  const struct weir_bpf_reading *pinged = NULL, *kernel = NULL;
  struct weir_bpf_totals before, after;
  char packet[64] = "";

  begin ();
  weir_bpf_source_get_totals (&stage.source, &before);
  memcpy (packet, &echo, sizeof echo);
  ((struct icmphdr *) packet)->checksum = (uint16_t) ~(htons (ICMP_ECHO << 8) + htons (4711));
  stage_send_to (pinger, packet, sizeof packet, "127.0.0.1", 0);
  stage_receive (listener, 84);
  stage_read (&stage);
  weir_bpf_source_get_totals (&stage.source, &after);
  for (guint i = 0; i < stage.readings->len; i++)
    *(stage_nth (&stage, i)->flags & WEIR_BPF_KERNEL ? &kernel : &pinged) = stage_nth (&stage, i);
  g_assert_cmpuint (stage.readings->len, ==, 2);
  g_assert_true (pinged != NULL && kernel != NULL);
  g_assert_cmphex (pinged->discriminator, ==, 4711 | ICMP_ECHO << 16);
  g_assert_cmphex (kernel->discriminator, ==, 4711 | ICMP_ECHO << 16);
  g_assert_cmpuint (pinged->cookie, ==, get_cookie (pinger));
  g_assert_cmpuint (pinged->tx_bytes, ==, 84);
  g_assert_cmpuint (pinged->rx_bytes, ==, 84);
  g_assert_cmpuint (pinged->rx_payload, ==, 56);
  g_assert_cmpuint (kernel->tx_bytes, ==, 84);
  g_assert_cmpuint (kernel->opener.pid, ==, 0);
  /* The request as the pinger's own copy, and both as the listener's. */
  g_assert_cmpuint (after.sums[WEIR_BPF_SUM_COPIES].rx_bytes -
                        before.sums[WEIR_BPF_SUM_COPIES].rx_bytes,
                    >=, 2 * 84);
  close (pinger);
  close (listener);
}

/* What passes no firewall rule for addresses, and no control group. */
static void
test_frames (void)
{
  int fd = stage_socket (AF_PACKET, SOCK_RAW, 0);
  const struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = 1 };
  const struct weir_bpf_reading *flow = NULL;

  begin ();
  g_assert_cmpuint (stage.source.opened.n_interfaces, ==, 1);
  /* Whose namespace it is is not told. */
  stage.netns = 0;
  for (unsigned i = 0; i < 10; i++)
    g_assert_cmpint (sendto (fd, bytes, 200, 0, (const struct sockaddr *) &to, sizeof to), ==, 200);
  stage_read (&stage);
  for (guint i = 0; i < stage.readings->len; i++)
    if (stage_nth (&stage, i)->cookie == get_cookie (fd))
      flow = stage_nth (&stage, i);
  g_assert_nonnull (flow);
  g_assert_true (flow->flags & WEIR_BPF_FRAMES);
  g_assert_cmpuint (flow->tx_bytes, ==, 2000);
  g_assert_cmpuint (flow->tx_packets, ==, 10);
  g_assert_cmpuint (flow->ifindex, ==, 1);
  g_assert_cmpuint (flow->family, ==, 0);
  g_assert_cmpuint (flow->local.port, ==, 0);
  g_assert_true (stage_is_me (&flow->user));
  g_assert_cmpuint (flow->user.pid, !=, 0);
  stage.netns = stage_get_netns ();
  close (fd);
}

/* ---- another network ---- */

static void
test_other_namespace (void)
{
  struct stage *all = &stage;
  unsigned found = 0;
  uint16_t port;
  pid_t pid;
  int ends[2], status;

  begin ();
  g_assert_cmpint (pipe (ends), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      uint64_t cookie;
      int receiver, sender;

      stage_isolate ();
      cookie = stage_get_netns ();
      receiver = stage_socket (AF_INET, SOCK_DGRAM, 0);
      sender = stage_socket (AF_INET, SOCK_DGRAM, 0);
      stage_bind (receiver, "127.0.0.1", 0);
      port = stage_get_port (receiver);
      stage_send_to (sender, "hello", 5, "127.0.0.1", port);
      _exit (write (ends[1], &cookie, sizeof cookie) == sizeof cookie ? 0 : 1);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpint (read (ends[0], &all->netns, sizeof all->netns), ==, sizeof all->netns);
  stage_read (all);
  for (guint i = 0; i < all->readings->len; i++)
    {
      g_assert_cmpuint (stage_nth (all, i)->tx_bytes + stage_nth (all, i)->rx_bytes, ==, 33);
      g_assert_true (stage_is_me (&stage_nth (all, i)->opener));
      found++;
    }
  g_assert_cmpuint (found, ==, 2);
  all->netns = stage_get_netns ();
  close (ends[0]);
  close (ends[1]);
}

/* ---- memory ---- */

static void
test_not_writable (void)
{
  const struct weir_bpf_opened *opened = &stage.source.opened;
  const size_t page = (size_t) sysconf (_SC_PAGESIZE);
  const void *tables[] = { opened->slots,
                           opened->changes,
                           opened->statistics,
                           opened->control,
                           (const void *) (uintptr_t) opened->ring_produced,
                           opened->ring_data };

  for (size_t i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      g_assert_cmpint (mprotect ((void *) (uintptr_t) tables[i], page, PROT_READ | PROT_WRITE), ==,
                       -1);
      g_assert_cmpint (errno, ==, EACCES);
    }
}

/* No child has the mappings. */
static void
test_not_inherited (void)
{
  unsigned char there;
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      const struct weir_bpf_opened *opened = &stage.source.opened;

      _exit (mincore ((void *) (uintptr_t) opened->slots, 1, &there) == 0 ||
             mincore ((void *) (uintptr_t) opened->ring_data, 1, &there) == 0);
    }
  stage_await (pid);
}

int
main (int argc, char **argv)
{
  int code;

  g_test_init (&argc, &argv, NULL);
  stage_isolate ();
  /* So large that slots are not used again, however late this gets to read. */
  stage_open (&stage, WEIR_BPF_FLOWS_DEFAULT);
  g_test_add_func ("/bpf/traffic/tcp", test_tcp);
  g_test_add_func ("/bpf/traffic/tcp-mapped", test_tcp_mapped);
  g_test_add_func ("/bpf/traffic/tcp-segments", test_tcp_segments);
  g_test_add_func ("/bpf/traffic/udp-peers", test_udp_peers);
  g_test_add_func ("/bpf/traffic/udp-connected", test_udp_connected);
  g_test_add_func ("/bpf/traffic/udp-segments", test_udp_segments);
  g_test_add_func ("/bpf/traffic/raw", test_raw);
  g_test_add_func ("/bpf/traffic/ping", test_ping);
  g_test_add_func ("/bpf/traffic/frames", test_frames);
  g_test_add_func ("/bpf/traffic/other-namespace", test_other_namespace);
  g_test_add_func ("/bpf/traffic/not-writable", test_not_writable);
  g_test_add_func ("/bpf/traffic/not-inherited", test_not_inherited);
  code = g_test_run ();
  stage_close (&stage);
  return code;
}
