/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The form of the messages: linux/netfilter/nfnetlink_conntrack.h, and in the kernel's sources
 * ctnetlink_fill_info() and ctnetlink_conntrack_event().  All numbers are in network order. */
#include "weir-conntrack-parse.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>

#include "weir-addresses.h"
#include "weir-netlink.h"

/* What was found of a tuple. */
enum part
{
  SOURCE = 1 << 0,
  DESTINATION = 1 << 1,
  PROTOCOL = 1 << 2,
};
#define WHOLE (SOURCE | DESTINATION | PROTOCOL)

struct tuple
{
  struct weir_endpoint *source, *destination;
  uint32_t discriminator;
  uint16_t zone;
  uint8_t protocol;
  uint8_t found; /* enum part */
};

/* Values lie on 4 bytes at best, wherever the message came from. */
static bool
take_u8 (const void *data, size_t size, uint8_t *ret)
{
  if (size != sizeof *ret)
    return false;
  memcpy (ret, data, sizeof *ret);
  return true;
}

static bool
take_u16 (const void *data, size_t size, uint16_t *ret)
{
  if (size != sizeof *ret)
    return false;
  memcpy (ret, data, sizeof *ret);
  *ret = ntohs (*ret);
  return true;
}

static bool
take_u32 (const void *data, size_t size, uint32_t *ret)
{
  if (size != sizeof *ret)
    return false;
  memcpy (ret, data, sizeof *ret);
  *ret = ntohl (*ret);
  return true;
}

static bool
take_u64 (const void *data, size_t size, uint64_t *ret)
{
  if (size != sizeof *ret)
    return false;
  memcpy (ret, data, sizeof *ret);
  *ret = be64toh (*ret);
  return true;
}

static void
read_addresses (struct weir_attributes attributes, uint8_t family, struct tuple *tuple)
{
  const uint16_t source = family == 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC;
  const uint16_t destination = family == 4 ? CTA_IP_V4_DST : CTA_IP_V6_DST;
  const void *data;
  uint16_t type;
  size_t size;

  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      struct weir_endpoint *endpoint;

      if (size != (family == 4 ? 4 : 16) || (type != source && type != destination))
        continue;
      endpoint = type == source ? tuple->source : tuple->destination;
      tuple->found |= type == source ? SOURCE : DESTINATION;
      if (family == 4)
        weir_address_map_v4 (data, endpoint->address);
      else
        memcpy (endpoint->address, data, 16);
    }
}

/* Puts what the numbers of a tuple mean for its protocol where it belongs. */
static void
set_numbers (struct tuple *tuple, const uint16_t ports[2], uint16_t icmp_id, const uint8_t icmp[2])
{
  switch (tuple->protocol)
    {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
    case IPPROTO_DCCP:
      tuple->source->port = ports[0];
      tuple->destination->port = ports[1];
      break;
    case IPPROTO_GRE:
      /* Keys of PPTP calls, in the places of ports; other tunnels have none. */
      tuple->discriminator = (uint32_t) ports[0] << 16 | ports[1];
      break;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      tuple->discriminator = (uint32_t) icmp[1] << 24 | (uint32_t) icmp[0] << 16 | icmp_id;
      break;
    default:
      break;
    }
}

static void
read_protocol (struct weir_attributes attributes, struct tuple *tuple)
{
  uint16_t ports[2] = { 0 }, icmp_id = 0;
  uint8_t icmp[2] = { 0 }; /* type and code */
  const void *data;
  uint16_t type;
  size_t size;

  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      switch (type)
        {
        case CTA_PROTO_NUM:
          if (take_u8 (data, size, &tuple->protocol))
            tuple->found |= PROTOCOL;
          break;
        case CTA_PROTO_SRC_PORT:
          (void) take_u16 (data, size, &ports[0]);
          break;
        case CTA_PROTO_DST_PORT:
          (void) take_u16 (data, size, &ports[1]);
          break;
        case CTA_PROTO_ICMP_ID:
        case CTA_PROTO_ICMPV6_ID:
          (void) take_u16 (data, size, &icmp_id);
          break;
        case CTA_PROTO_ICMP_TYPE:
        case CTA_PROTO_ICMPV6_TYPE:
          (void) take_u8 (data, size, &icmp[0]);
          break;
        case CTA_PROTO_ICMP_CODE:
        case CTA_PROTO_ICMPV6_CODE:
          (void) take_u8 (data, size, &icmp[1]);
          break;
        default:
          break;
        }
    }
  set_numbers (tuple, ports, icmp_id, icmp);
}

static void
read_tuple (struct weir_attributes attributes, uint8_t family, struct tuple *tuple)
{
  const void *data;
  uint16_t type;
  size_t size;

  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      switch (type)
        {
        case CTA_TUPLE_IP:
          read_addresses (weir_attributes_nested (data, size), family, tuple);
          break;
        case CTA_TUPLE_PROTO:
          read_protocol (weir_attributes_nested (data, size), tuple);
          break;
        case CTA_TUPLE_ZONE:
          (void) take_u16 (data, size, &tuple->zone);
          break;
        default:
          break;
        }
    }
}

/* Whether both figures were there: there are none in entries that were made while accounting was
 * off.  (The 32-bit forms have not been sent since Linux 2.6.) */
static bool
read_counters (struct weir_attributes attributes, uint64_t *bytes, uint64_t *packets)
{
  bool has_bytes = false, has_packets = false;
  const void *data;
  uint16_t type;
  size_t size;

  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      if (type == CTA_COUNTERS_BYTES)
        has_bytes |= take_u64 (data, size, bytes);
      else if (type == CTA_COUNTERS_PACKETS)
        has_packets |= take_u64 (data, size, packets);
    }
  return has_bytes && has_packets;
}

_Static_assert (CTA_PROTOINFO_TCP_STATE == (int) CTA_PROTOINFO_SCTP_STATE &&
                    CTA_PROTOINFO_TCP_STATE == (int) CTA_PROTOINFO_DCCP_STATE,
                "the state of all protocols is read alike");

static void
read_state (struct weir_attributes attributes, struct weir_conntrack_reading *reading)
{
  const void *data;
  uint16_t type;
  size_t size;

  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      struct weir_attributes inner = weir_attributes_nested (data, size);
      bool fits = (type == CTA_PROTOINFO_TCP && reading->protocol == IPPROTO_TCP) ||
                  (type == CTA_PROTOINFO_SCTP && reading->protocol == IPPROTO_SCTP) ||
                  (type == CTA_PROTOINFO_DCCP && reading->protocol == IPPROTO_DCCP);

      while (fits && weir_attributes_next (&inner, &type, &data, &size))
        {
          if (type == CTA_PROTOINFO_TCP_STATE && take_u8 (data, size, &reading->state))
            reading->has_state = true;
        }
    }
}

/* What follows the tuples. */
struct rest
{
  struct weir_attributes state;
  bool has_id, counted_orig, counted_reply;
};

static void
read_attribute (uint16_t type, const void *data, size_t size,
                struct weir_conntrack_reading *reading, struct rest *rest)
{
  switch (type)
    {
    case CTA_STATUS:
      (void) take_u32 (data, size, &reading->status);
      break;
    case CTA_PROTOINFO:
      rest->state = weir_attributes_nested (data, size);
      break;
    case CTA_COUNTERS_ORIG:
      rest->counted_orig = read_counters (weir_attributes_nested (data, size), &reading->orig_bytes,
                                          &reading->orig_packets);
      break;
    case CTA_COUNTERS_REPLY:
      rest->counted_reply = read_counters (weir_attributes_nested (data, size),
                                           &reading->reply_bytes, &reading->reply_packets);
      break;
    case CTA_ID:
      rest->has_id |= take_u32 (data, size, &reading->id);
      break;
    case CTA_MARK:
      reading->has_mark |= take_u32 (data, size, &reading->mark);
      break;
    case CTA_ZONE:
      (void) take_u16 (data, size, &reading->zone);
      break;
    default:
      break;
    }
}

static void
set_zone (struct weir_conntrack_reading *reading, const struct tuple *orig,
          const struct tuple *reply)
{
  if (reading->zone != 0)
    return;
  if (orig->zone != 0)
    {
      reading->zone = orig->zone;
      reading->zone_direction = WEIR_ZONE_ORIG;
    }
  else if (reply->zone != 0)
    {
      reading->zone = reply->zone;
      reading->zone_direction = WEIR_ZONE_REPLY;
    }
}

static uint8_t
get_family (const struct nlmsghdr *message)
{
  const struct nfgenmsg *header = weir_netlink_payload (message, sizeof *header);

  if (header == NULL || NFNL_SUBSYS_ID (message->nlmsg_type) != NFNL_SUBSYS_CTNETLINK)
    return 0;
  return header->nfgen_family == AF_INET ? 4 : header->nfgen_family == AF_INET6 ? 6 : 0;
}

int
weir_conntrack_parse (const struct nlmsghdr *message, struct weir_conntrack_reading *ret_reading)
{
  struct weir_conntrack_reading reading = { .family = get_family (message) };
  struct tuple orig = { &reading.orig_src, &reading.orig_dst };
  struct tuple reply = { &reading.reply_src, &reading.reply_dst };
  struct weir_attributes attributes;
  struct rest rest = { 0 };
  const void *data;
  uint16_t type;
  size_t size;

  if (reading.family == 0)
    return -EPROTO;
  weir_attributes_init (&attributes, message, sizeof (struct nfgenmsg));
  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      if (type == CTA_TUPLE_ORIG)
        read_tuple (weir_attributes_nested (data, size), reading.family, &orig);
      else if (type == CTA_TUPLE_REPLY)
        read_tuple (weir_attributes_nested (data, size), reading.family, &reply);
      else
        read_attribute (type, data, size, &reading, &rest);
    }
  if (orig.found != WHOLE || reply.found != WHOLE || orig.protocol != reply.protocol ||
      !rest.has_id)
    return -EPROTO;

  reading.protocol = orig.protocol;
  reading.discriminator = orig.discriminator;
  reading.has_counters = rest.counted_orig && rest.counted_reply;
  set_zone (&reading, &orig, &reply);
  if (rest.state.at != NULL)
    read_state (rest.state, &reading);
  *ret_reading = reading;
  return 0;
}
