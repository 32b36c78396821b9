/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts what passes the interfaces of this network namespace, apart from everything that the
 * engine relies on: a packet socket looks at the headers of each packet.
 *
 * Prints "ready", counts until standard input ends, and then prints one line of JSON for each way
 * between two ends, and one with what was missed:
 *
 *   {"protocol":6,"from":["10.80.0.1",40000],"to":["10.80.0.2",9000],"packets":12,"bytes":3456,"payload":2800}
 *   {"missed":0}
 *
 * `packets` are those of a wire: what the kernel handles as one, to be cut later (GSO), is as many
 * as it will be, and `bytes` those of them with their IP headers, without those of frames.
 * `payload` is what follows the header of TCP or UDP, or the IP header.  Each packet counts once,
 * whether it is seen leaving, coming, or both (loopback). */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Headers, whatever their options. */
#define SNAP  192
#define BATCH 128

/* What waits while this process does not run; more than any run of the benchmark brings at once. */
#define BUFFER (256 << 20)

#define SLOTS (1u << 18)

struct key
{
  uint8_t protocol, family;
  uint16_t ports[2];
  struct in6_addr ends[2];
};

struct sum
{
  uint64_t packets, bytes, uncut, payload;
};

struct slot
{
  bool used;
  struct key key;
  struct sum leaving, coming;
};

static struct slot slots[SLOTS];

_Noreturn static void
die (const char *what)
{
  fprintf (stderr, "weir-count: %s: %s\n", what, strerror (errno));
  exit (1);
}

static struct slot *
find_slot (const struct key *key)
{
  const uint8_t *bytes = (const void *) key;
  uint32_t hash = 2166136261u;

  for (size_t i = 0; i < sizeof *key; i++)
    hash = (hash ^ bytes[i]) * 16777619u;
  for (uint32_t i = 0; i < SLOTS; i++)
    {
      struct slot *slot = &slots[(hash + i) % SLOTS];

      if (!slot->used)
        {
          slot->used = true;
          slot->key = *key;
        }
      if (memcmp (&slot->key, key, sizeof *key) == 0)
        return slot;
    }
  errno = ENOSPC;
  die ("table");
}

/* Reads the IP header; its length, or 0.  @ret_total is what follows the frame's header. */
static size_t
read_ip (const uint8_t *data, size_t n, struct key *key, size_t *ret_total)
{
  struct ip6_hdr six;
  struct iphdr four;

  if (n < sizeof four)
    return 0;
  memcpy (&four, data, sizeof four);
  if (four.version == 4)
    {
      key->family = AF_INET;
      key->protocol = four.protocol;
      memcpy (&key->ends[0], &four.saddr, sizeof four.saddr);
      memcpy (&key->ends[1], &four.daddr, sizeof four.daddr);
      *ret_total = ntohs (four.tot_len);
      return four.ihl * 4u;
    }
  if (four.version != 6 || n < sizeof six)
    return 0;
  memcpy (&six, data, sizeof six);
  key->family = AF_INET6;
  key->protocol = six.ip6_nxt;
  key->ends[0] = six.ip6_src;
  key->ends[1] = six.ip6_dst;
  *ret_total = sizeof six + ntohs (six.ip6_plen);
  return sizeof six;
}

/* The length of the header that follows the one of IP. */
static size_t
read_transport (const uint8_t *data, size_t n, struct key *key)
{
  struct tcphdr tcp;

  if (key->protocol != IPPROTO_TCP && key->protocol != IPPROTO_UDP)
    return 0;
  if (n < sizeof (struct udphdr))
    return 0;
  memcpy (key->ports, data, sizeof key->ports);
  if (key->protocol == IPPROTO_UDP)
    return sizeof (struct udphdr);
  if (n < sizeof tcp)
    return 0;
  memcpy (&tcp, data, sizeof tcp);
  return tcp.doff * 4u;
}

static void
count (const uint8_t *data, size_t n, bool leaving)
{
  struct virtio_net_hdr offload;
  struct key key = { 0 };
  const size_t frame = sizeof offload + ETH_HLEN;
  size_t total, ip, transport, pieces = 1;
  struct slot *slot;
  struct sum *sum;

  if (n < frame)
    return;
  memcpy (&offload, data, sizeof offload);
  ip = read_ip (data + frame, n - frame, &key, &total);
  if (ip == 0 || n < frame + ip || total < ip)
    return;
  transport = read_transport (data + frame + ip, n - frame - ip, &key);
  if (total < ip + transport)
    return;
  if (offload.gso_type != VIRTIO_NET_HDR_GSO_NONE && offload.gso_size > 0 && total > ip + transport)
    pieces = (total - ip - transport + offload.gso_size - 1) / offload.gso_size;
  slot = find_slot (&key);
  sum = leaving ? &slot->leaving : &slot->coming;
  sum->packets += pieces;
  sum->bytes += total + (pieces - 1) * (ip + transport);
  sum->uncut += total;
  sum->payload += total - ip - transport;
}

static int
open_tap (void)
{
  struct sock_filter keep = { BPF_RET | BPF_K, 0, 0, SNAP };
  const struct sock_fprog filter = { 1, &keep };
  const int on = 1, buffer = BUFFER;
  /* Bound to nothing until the filter is in place. */
  int fd = socket (AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  const struct sockaddr_ll all = { .sll_family = AF_PACKET, .sll_protocol = htons (ETH_P_ALL) };

  if (fd < 0 || setsockopt (fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0 ||
      setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0 ||
      setsockopt (fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
      bind (fd, (const struct sockaddr *) &all, sizeof all) < 0)
    die ("packet socket");
  return fd;
}

/* All that waits now. */
static void
read_tap (int fd)
{
  static uint8_t data[BATCH][SNAP + sizeof (struct virtio_net_hdr)];
  static struct sockaddr_ll froms[BATCH];
  static struct iovec pieces[BATCH];
  static struct mmsghdr messages[BATCH];
  int n;

  do
    {
      for (unsigned i = 0; i < BATCH; i++)
        {
          pieces[i] = (struct iovec) { .iov_base = data[i], .iov_len = sizeof data[i] };
          messages[i].msg_hdr = (struct msghdr) { .msg_name = &froms[i],
                                                  .msg_namelen = sizeof froms[i],
                                                  .msg_iov = &pieces[i],
                                                  .msg_iovlen = 1 };
        }
      n = recvmmsg (fd, messages, BATCH, MSG_DONTWAIT, NULL);
      if (n < 0 && errno != EAGAIN)
        die ("packets");
      for (int i = 0; i < n; i++)
        count (data[i], messages[i].msg_len, froms[i].sll_pkttype == PACKET_OUTGOING);
    }
  while (n == BATCH);
}

static void
print_slot (const struct slot *slot)
{
  const struct sum *sum = slot->leaving.packets > 0 ? &slot->leaving : &slot->coming;
  char ends[2][INET6_ADDRSTRLEN];

  for (unsigned i = 0; i < 2; i++)
    inet_ntop (slot->key.family, &slot->key.ends[i], ends[i], sizeof ends[i]);
  printf ("{\"protocol\":%u,\"from\":[\"%s\",%u],\"to\":[\"%s\",%u],\"packets\":%llu,"
          "\"bytes\":%llu,\"uncut\":%llu,\"payload\":%llu}\n",
          slot->key.protocol, ends[0], ntohs (slot->key.ports[0]), ends[1],
          ntohs (slot->key.ports[1]), (unsigned long long) sum->packets,
          (unsigned long long) sum->bytes, (unsigned long long) sum->uncut,
          (unsigned long long) sum->payload);
}

int
main (void)
{
  int fd = open_tap ();
  struct pollfd ready[2] = { { .fd = fd, .events = POLLIN },
                             { .fd = STDIN_FILENO, .events = POLLIN } };
  struct tpacket_stats missed;
  socklen_t size = sizeof missed;

  puts ("ready");
  fflush (stdout);
  while (ready[1].revents == 0)
    {
      if (poll (ready, 2, -1) < 0)
        die ("poll");
      read_tap (fd);
    }
  if (getsockopt (fd, SOL_PACKET, PACKET_STATISTICS, &missed, &size) < 0)
    die ("statistics");
  for (uint32_t i = 0; i < SLOTS; i++)
    {
      if (slots[i].used)
        print_slot (&slots[i]);
    }
  printf ("{\"missed\":%u}\n", missed.tp_drops);
  return fflush (stdout) == 0 ? 0 : 1;
}
