/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a packet says of itself.  Anybody may have made it: a field is read only where it is, and
 * what is not there is 0. */
#pragma once

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "weir-bpf-maps.h"

/* Extension headers of IPv6 that are passed; who sends more is counted without ports. */
#define EXTENSIONS_MAX 6

/* The kernel's headers with these need a C library's (assigned numbers of the IANA; RFC 792, RFC
 * 4443, RFC 8200). */
#define NEXT_HOP_BY_HOP   0
#define NEXT_ROUTING      43
#define NEXT_FRAGMENT     44
#define NEXT_AUTH         51
#define NEXT_DESTINATION  60
#define NEXT_MOBILITY     135
#define PROTOCOL_TCP      6
#define PROTOCOL_UDP      17
#define PROTOCOL_DCCP     33
#define PROTOCOL_ICMP     1
#define PROTOCOL_ICMPV6   58
#define PROTOCOL_SCTP     132
#define PROTOCOL_UDPLITE  136
#define TYPE_STREAM       1
#define TYPE_DATAGRAM     2
#define TYPE_RAW          3
#define STATE_LISTEN      10
#define FAMILY_PACKET     17
#define UDP_HEADER        8
#define ICMP_HEADER       8
#define SCTP_HEADER       12
#define TCP_OFFSET_OFFSET 12
#define ECHO_REPLY        0
#define ECHO_REQUEST      8
#define TIMESTAMP_REQUEST 13
#define MASK_REPLY        18
#define ECHO_REQUEST_V6   128
#define ECHO_REPLY_V6     129

struct packet
{
  uint32_t size;      /* from the network header on */
  uint32_t segments;  /* that it is made of */
  uint32_t transport; /* where that header begins; 0: not known, or not in this packet */
  uint32_t headers;   /* up to the payload */
  uint8_t family;
  uint8_t protocol;
  bool tx; /* is sent */
};

/* Both are much the same length, in units of 4 or 8 bytes, except the fragment's. */
static __always_inline uint32_t
find_extension (struct __sk_buff *skb, uint8_t *next, uint32_t at)
{
  uint8_t begin[4] = {};

  if (bpf_skb_load_bytes (skb, at, begin, sizeof begin) < 0)
    return 0;
  switch (*next)
    {
    case NEXT_HOP_BY_HOP:
    case NEXT_ROUTING:
    case NEXT_DESTINATION:
    case NEXT_MOBILITY:
      *next = begin[0];
      return at + (begin[1] + 1) * 8;
    case NEXT_FRAGMENT:
      *next = begin[0];
      /* Only the first one has what follows. */
      return (begin[2] << 8 | begin[3]) & 0xfff8 ? 0 : at + 8;
    case NEXT_AUTH:
      *next = begin[0];
      return at + (begin[1] + 2) * 4;
    default:
      return 0;
    }
}

static __always_inline bool
is_extension (uint8_t next)
{
  return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_DESTINATION ||
         next == NEXT_FRAGMENT || next == NEXT_AUTH || next == NEXT_MOBILITY;
}

/* The protocol that follows, and above its eight bits where it begins, or 0. */
APART uint64_t
pass_extensions (struct __sk_buff *skb, uint32_t protocol)
{
  uint32_t at = sizeof (struct ipv6hdr);
  uint8_t next = protocol;

  for (int i = 0; i < EXTENSIONS_MAX && at && is_extension (next); i++)
    at = find_extension (skb, &next, at);
  return is_extension (next) ? next : (uint64_t) at << 8 | next;
}

static __always_inline void
read_ipv4 (struct __sk_buff *skb, struct packet *packet)
{
  const struct iphdr *header = (void *) (long) skb->data;

  if ((void *) (header + 1) > (void *) (long) skb->data_end)
    return;
  packet->family = 4;
  packet->protocol = header->protocol;
  packet->headers = header->ihl * 4;
  if (header->ihl >= 5 && !(header->frag_off & bpf_htons (0x1fff)))
    packet->transport = packet->headers;
}

static __always_inline void
read_ipv6 (struct __sk_buff *skb, struct packet *packet)
{
  const struct ipv6hdr *header = (void *) (long) skb->data;
  uint64_t passed;

  if ((void *) (header + 1) > (void *) (long) skb->data_end)
    return;
  packet->family = 6;
  packet->protocol = header->nexthdr;
  packet->transport = sizeof *header;
  if (is_extension (packet->protocol))
    {
      passed = pass_extensions (skb, packet->protocol);
      packet->transport = passed >> 8;
      packet->protocol = passed;
    }
  packet->headers = packet->transport ? packet->transport : sizeof *header;
}

static __always_inline uint32_t
get_transport_size (struct __sk_buff *skb, const struct packet *packet)
{
  uint8_t offset = 0;

  switch (packet->protocol)
    {
    case PROTOCOL_TCP:
      if (bpf_skb_load_bytes (skb, packet->transport + TCP_OFFSET_OFFSET, &offset, 1) < 0)
        return 0;
      return (offset >> 4) * 4;
    case PROTOCOL_UDP:
    case PROTOCOL_UDPLITE:
      return UDP_HEADER;
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
      return ICMP_HEADER;
    case PROTOCOL_SCTP:
      return SCTP_HEADER;
    default:
      return 0;
    }
}

static __always_inline void
read_packet (struct __sk_buff *skb, struct packet *packet)
{
  packet->size = skb->len;
  packet->segments = skb->gso_segs;
  if (packet->segments == 0)
    packet->segments = 1;
  if (skb->protocol == bpf_htons (ETH_P_IP))
    read_ipv4 (skb, packet);
  else
    read_ipv6 (skb, packet);
  if (packet->transport)
    packet->headers += get_transport_size (skb, packet);
  if (packet->headers > packet->size)
    packet->headers = packet->size;
}

static __always_inline bool
has_ports (uint8_t protocol)
{
  return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_UDPLITE ||
         protocol == PROTOCOL_SCTP || protocol == PROTOCOL_DCCP;
}

/* As conntrack has it: identifier, type, code.  Of an echo, request and answer are the same flow;
 * but a request that arrives is the copy of one that the kernel answers, and has a code of its own.
 */
#define CODE_OF_COPY 0x80
APART uint32_t
get_discriminator (struct __sk_buff *skb, uint32_t transport, uint32_t protocol, uint32_t tx)
{
  uint8_t begin[6] = {};
  uint8_t type, code, request;
  bool named;

  if (!transport || bpf_skb_load_bytes (skb, transport, begin, sizeof begin) < 0)
    return 0;
  type = begin[0];
  code = begin[1];
  request = protocol == PROTOCOL_ICMP ? ECHO_REQUEST : ECHO_REQUEST_V6;
  if (type == request && !tx)
    code |= CODE_OF_COPY;
  if (type == (protocol == PROTOCOL_ICMP ? ECHO_REPLY : ECHO_REPLY_V6))
    type = request;
  named = type == request ||
          (protocol == PROTOCOL_ICMP && type >= TIMESTAMP_REQUEST && type <= MASK_REPLY);
  return (named ? (uint32_t) begin[4] << 8 | begin[5] : 0) | (uint32_t) type << 16 |
         (uint32_t) code << 24;
}

static __always_inline void
get_addresses (struct __sk_buff *skb, const struct packet *packet, struct weir_bpf_key *key)
{
  uint32_t *source = packet->tx ? key->local : key->remote;
  uint32_t *destination = packet->tx ? key->remote : key->local;

  const struct iphdr *v4 = (void *) (long) skb->data;
  const struct ipv6hdr *v6 = (void *) (long) skb->data;

  if (packet->family == 4 && (void *) (v4 + 1) <= (void *) (long) skb->data_end)
    {
      source[0] = v4->saddr;
      destination[0] = v4->daddr;
    }
  else if (packet->family == 6 && (void *) (v6 + 1) <= (void *) (long) skb->data_end)
    {
      __builtin_memcpy (source, &v6->saddr, sizeof v6->saddr);
      __builtin_memcpy (destination, &v6->daddr, sizeof v6->daddr);
    }
}

/* The flow that the packet itself names. */
static __always_inline void
get_packet_key (struct __sk_buff *skb, const struct packet *packet, bool ports,
                struct weir_bpf_key *key)
{
  uint16_t both[2] = {};

  get_addresses (skb, packet, key);
  if (ports && packet->transport && has_ports (packet->protocol))
    (void) bpf_skb_load_bytes (skb, packet->transport, both, sizeof both);
  key->local_port = bpf_ntohs (packet->tx ? both[0] : both[1]);
  key->remote_port = bpf_ntohs (packet->tx ? both[1] : both[0]);
  key->protocol = packet->protocol;
  key->family = packet->family;
  if (packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMPV6)
    key->discriminator = get_discriminator (skb, packet->transport, packet->protocol, packet->tx);
}

/* The flow that its socket is for; only of one that is connected. */
static __always_inline void
get_socket_key (struct bpf_sock *sk, const struct packet *packet, struct weir_bpf_key *key)
{
  if (packet->family == 4)
    {
      key->local[0] = sk->src_ip4;
      key->remote[0] = sk->dst_ip4;
    }
  else
    {
      key->local[0] = sk->src_ip6[0];
      key->local[1] = sk->src_ip6[1];
      key->local[2] = sk->src_ip6[2];
      key->local[3] = sk->src_ip6[3];
      key->remote[0] = sk->dst_ip6[0];
      key->remote[1] = sk->dst_ip6[1];
      key->remote[2] = sk->dst_ip6[2];
      key->remote[3] = sk->dst_ip6[3];
    }
  key->local_port = sk->src_port;
  key->remote_port = bpf_ntohs (sk->dst_port);
  /* Extension headers are the peer's. */
  key->protocol = sk->protocol == PROTOCOL_TCP ? PROTOCOL_TCP : packet->protocol;
  key->family = packet->family;
}
