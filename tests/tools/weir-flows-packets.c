/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packets without a transport protocol of the kernel's: raw sockets, and frames. */
#include "weir-flows.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* For experiments (RFC 3692): nobody else uses it. */
#define PROTOCOL_RAW 253

/* Of each process. */
#define PACKETS 20

/* Where the first peer of each kind is, counted from options.peers. */
enum
{
  FIRST_RAW = 1000,
  FIRST_ICMP = 2000,
  FIRST_PACKET = 3000,
};

/* The one of the internet (RFC 1071), of an even number of bytes. */
static uint16_t
checksum (const void *data, size_t n)
{
  uint32_t sum = 0;

  for (size_t i = 0; i < n; i += 2)
    {
      uint16_t word;

      memcpy (&word, (const char *) data + i, sizeof word);
      sum += word;
    }
  sum = (sum >> 16) + (sum & 0xffff);
  return (uint16_t) ~(sum + (sum >> 16));
}

static int
open_raw (int protocol, unsigned peer, struct flow *flow)
{
  int fd = open_socket (AF_INET, SOCK_RAW, protocol);

  flow->remote = peer_endpoint (peer, 0);
  flow->local = make_endpoint (options.here, 0);
  flow->opened = now ();
  must (connect (fd, (const struct sockaddr *) &flow->remote.address, flow->remote.size),
        "connect");
  return fd;
}

/* So many packets of @n bytes, each of which is answered by one as long. */
static void
exchange_packets (int fd, struct flow *flow, const void *data, size_t n)
{
  uint8_t answer[DATAGRAM_MAX + 60];

  for (unsigned i = 0; i < PACKETS; i++)
    {
      must ((int) send (fd, data, n, 0), "send");
      /* It comes with its IP header. */
      if (recv (fd, answer, sizeof answer, 0) != (ssize_t) (n + sizeof (struct iphdr)))
        die ("answer");
    }
  flow->packets_sent = flow->packets_received = PACKETS;
}

static void
raw (unsigned number)
{
  static const char data[DATAGRAM_MAX];
  double began = now ();
  struct flow flow = { .protocol = "253" };
  int fd = open_raw (PROTOCOL_RAW, FIRST_RAW + number, &flow);

  exchange_packets (fd, &flow, data, options.up);
  flow.sent = flow.received = (uint64_t) PACKETS * options.up;
  live_on (began);
  close (fd);
  tell (&flow);
}

void
make_raw (void)
{
  /* One after the other: before it is connected, each gets what the others get. */
  spawn_served ("flows-raw", raw, options.count, 1, PROTOCOL_RAW);
}

/* The payload of an echo is what follows its header. */
static void
echo (unsigned number)
{
  _Alignas (struct icmphdr) char data[DATAGRAM_MAX] = { 0 };
  struct icmphdr *header = (void *) data;
  double began = now ();
  struct flow flow = { .protocol = "ICMP" };
  int fd = open_raw (IPPROTO_ICMP, FIRST_ICMP + number, &flow);

  header->type = ICMP_ECHO;
  header->un.echo.id = htons ((uint16_t) getpid ());
  header->checksum = checksum (data, sizeof *header + options.up);
  exchange_packets (fd, &flow, data, sizeof *header + options.up);
  flow.sent = flow.received = (uint64_t) PACKETS * options.up;
  live_on (began);
  close (fd);
  tell (&flow);
}

void
make_icmp (void)
{
  spawn_served ("flows-icmp", echo, options.count, 0, 0);
}

/* A datagram with all of its headers below the frame's; its length. */
static size_t
build_datagram (void *data, const struct flow *flow, size_t payload)
{
  const struct sockaddr_in *local = (const void *) &flow->local.address;
  const struct sockaddr_in *remote = (const void *) &flow->remote.address;
  struct iphdr ip = {
    .version = 4,
    .ihl = 5,
    .tot_len = htons ((uint16_t) (sizeof (struct iphdr) + sizeof (struct udphdr) + payload)),
    .ttl = 64,
    .protocol = IPPROTO_UDP,
    .saddr = local->sin_addr.s_addr,
    .daddr = remote->sin_addr.s_addr,
  };
  const struct udphdr udp = {
    .source = local->sin_port,
    .dest = remote->sin_port,
    .len = htons ((uint16_t) (sizeof udp + payload)),
  };

  ip.check = checksum (&ip, sizeof ip);
  memset (data, 0, sizeof ip + sizeof udp + payload);
  memcpy (data, &ip, sizeof ip);
  memcpy ((char *) data + sizeof ip, &udp, sizeof udp);
  return sizeof ip + sizeof udp + payload;
}

/* Frames have no ends: nothing but their size tells those of one process from those of another. */
static void
inject (unsigned number)
{
  char data[DATAGRAM_MAX + 60];
  struct sockaddr_ll to = { .sll_family = AF_PACKET,
                            .sll_protocol = htons (ETH_P_IP),
                            .sll_halen = ETH_ALEN };
  double began = now ();
  struct flow flow = { .protocol = "Frames" };
  int fd = must (socket (AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "packet socket");
  unsigned char *mac = to.sll_addr;
  size_t n;

  if (sscanf (options.mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4,
              mac + 5) != 6)
    die (options.mac);
  to.sll_ifindex = (int) if_nametoindex (options.device);
  flow.local = make_endpoint (options.here, 20000 + number);
  flow.remote = peer_endpoint (FIRST_PACKET + number, options.port);
  flow.opened = now ();
  n = build_datagram (data, &flow, options.up + number);
  for (unsigned i = 0; i < PACKETS; i++)
    must ((int) sendto (fd, data, n, 0, (const struct sockaddr *) &to, sizeof to), "send");
  flow.sent = PACKETS * (ETH_HLEN + n);
  flow.packets_sent = PACKETS;
  live_on (began);
  close (fd);
  tell (&flow);
}

void
make_packet (void)
{
  spawn_served ("flows-packet", inject, options.count, 0, 0);
}
