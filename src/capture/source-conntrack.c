/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source-conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>

#include "weir-addresses.h"
#include "weir-netlink.h"

static bool
read_address (const struct nf_conntrack *ct, enum nf_conntrack_attr attribute, uint8_t family,
              struct weir_endpoint *ret)
{
  const void *address = nfct_get_attr (ct, attribute);

  if (address == NULL)
    return false;
  if (family == 4)
    weir_address_map_v4 (address, ret->address);
  else
    memcpy (ret->address, address, 16);
  return true;
}

static void
read_port (const struct nf_conntrack *ct, enum nf_conntrack_attr attribute,
           struct weir_endpoint *ret)
{
  if (nfct_attr_is_set (ct, attribute) > 0)
    ret->port = ntohs (nfct_get_attr_u16 (ct, attribute));
}

static bool
read_tuples (const struct nf_conntrack *ct, struct weir_conntrack_reading *reading)
{
  bool v4 = reading->family == 4;

  if (!read_address (ct, v4 ? ATTR_ORIG_IPV4_SRC : ATTR_ORIG_IPV6_SRC, reading->family,
                     &reading->orig_src) ||
      !read_address (ct, v4 ? ATTR_ORIG_IPV4_DST : ATTR_ORIG_IPV6_DST, reading->family,
                     &reading->orig_dst) ||
      !read_address (ct, v4 ? ATTR_REPL_IPV4_SRC : ATTR_REPL_IPV6_SRC, reading->family,
                     &reading->reply_src) ||
      !read_address (ct, v4 ? ATTR_REPL_IPV4_DST : ATTR_REPL_IPV6_DST, reading->family,
                     &reading->reply_dst))
    return false;

  switch (reading->protocol)
    {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
    case IPPROTO_DCCP:
      read_port (ct, ATTR_ORIG_PORT_SRC, &reading->orig_src);
      read_port (ct, ATTR_ORIG_PORT_DST, &reading->orig_dst);
      read_port (ct, ATTR_REPL_PORT_SRC, &reading->reply_src);
      read_port (ct, ATTR_REPL_PORT_DST, &reading->reply_dst);
      break;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      if (nfct_attr_is_set (ct, ATTR_ICMP_ID) > 0)
        reading->discriminator = ntohs (nfct_get_attr_u16 (ct, ATTR_ICMP_ID));
      break;
    default:
      break;
    }
  return true;
}

static void
read_counters (const struct nf_conntrack *ct, struct weir_conntrack_reading *reading)
{
  /* There are counters only in entries that were made while accounting was on. */
  reading->has_counters = nfct_attr_is_set (ct, ATTR_ORIG_COUNTER_BYTES) > 0 &&
                          nfct_attr_is_set (ct, ATTR_ORIG_COUNTER_PACKETS) > 0 &&
                          nfct_attr_is_set (ct, ATTR_REPL_COUNTER_BYTES) > 0 &&
                          nfct_attr_is_set (ct, ATTR_REPL_COUNTER_PACKETS) > 0;
  if (!reading->has_counters)
    return;
  reading->orig_bytes = nfct_get_attr_u64 (ct, ATTR_ORIG_COUNTER_BYTES);
  reading->orig_packets = nfct_get_attr_u64 (ct, ATTR_ORIG_COUNTER_PACKETS);
  reading->reply_bytes = nfct_get_attr_u64 (ct, ATTR_REPL_COUNTER_BYTES);
  reading->reply_packets = nfct_get_attr_u64 (ct, ATTR_REPL_COUNTER_PACKETS);
}

static bool
read_entry (const struct nf_conntrack *ct, struct weir_conntrack_reading *reading)
{
  switch (nfct_get_attr_u8 (ct, ATTR_ORIG_L3PROTO))
    {
    case AF_INET:
      reading->family = 4;
      break;
    case AF_INET6:
      reading->family = 6;
      break;
    default:
      return false;
    }
  if (nfct_attr_is_set (ct, ATTR_ORIG_L4PROTO) <= 0 || nfct_attr_is_set (ct, ATTR_ID) <= 0)
    return false;
  reading->protocol = nfct_get_attr_u8 (ct, ATTR_ORIG_L4PROTO);
  reading->id = nfct_get_attr_u32 (ct, ATTR_ID);
  if (nfct_attr_is_set (ct, ATTR_ZONE) > 0)
    reading->zone = nfct_get_attr_u16 (ct, ATTR_ZONE);
  if (!read_tuples (ct, reading))
    return false;
  read_counters (ct, reading);
  reading->has_state = nfct_attr_is_set (ct, ATTR_TCP_STATE) > 0;
  if (reading->has_state)
    reading->state = nfct_get_attr_u8 (ct, ATTR_TCP_STATE);
  reading->seen_reply = nfct_attr_is_set (ct, ATTR_STATUS) > 0 &&
                        (nfct_get_attr_u32 (ct, ATTR_STATUS) & IPS_SEEN_REPLY) != 0;
  return true;
}

int
weir_conntrack_parse (const struct nlmsghdr *message, struct weir_conntrack_reading *ret_reading)
{
  struct weir_conntrack_reading reading = { 0 };
  struct nf_conntrack *ct;
  bool good;

  if (NFNL_SUBSYS_ID (message->nlmsg_type) != NFNL_SUBSYS_CTNETLINK ||
      weir_netlink_payload (message, sizeof (struct nfgenmsg)) == NULL)
    return -EPROTO;
  ct = nfct_new ();
  if (ct == NULL)
    return -ENOMEM;
  good = nfct_nlmsg_parse (message, ct) >= 0 && read_entry (ct, &reading);
  nfct_destroy (ct);
  if (!good)
    return -EPROTO;
  *ret_reading = reading;
  return 0;
}

int
weir_conntrack_read (struct weir_conntrack_dump *dump, unsigned budget, void (*before) (void *data),
                     weir_conntrack_func func, void *data)
{
  static _Alignas (struct nlmsghdr) uint8_t buffer[WEIR_NETLINK_BUFFER];

  for (; budget > 0; budget--)
    {
      const struct nlmsghdr *message;
      const uint8_t *at = buffer;
      int n = weir_netlink_receive (dump->fd, buffer, sizeof buffer);

      if (n == 0)
        return 0;
      if (n == -EAGAIN)
        continue;
      if (n < 0)
        {
          dump->error = -n;
          dump->running = false;
          return 1;
        }
      before (data);
      while ((message = weir_netlink_next (&at, buffer + n)) != NULL)
        {
          struct weir_conntrack_reading reading;

          /* Left over from a dump that was given up. */
          if (message->nlmsg_seq != dump->sequence)
            continue;
          if (message->nlmsg_flags & NLM_F_DUMP_INTR)
            dump->interrupted = true;
          if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
            {
              dump->error = weir_netlink_error (message);
              dump->running = false;
              return 1;
            }
          if (weir_conntrack_parse (message, &reading) == 0)
            func (&reading, WEIR_CONNTRACK_ENTRY, data);
        }
    }
  return 0;
}

static enum weir_conntrack_event
event_of (const struct nlmsghdr *message)
{
  if (NFNL_MSG_TYPE (message->nlmsg_type) == IPCTNL_MSG_CT_DELETE)
    return WEIR_CONNTRACK_DESTROY;
  return message->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL) ? WEIR_CONNTRACK_NEW
                                                            : WEIR_CONNTRACK_UPDATE;
}

struct listener
{
  weir_conntrack_func func;
  void *data;
};

static void
take_event (const struct nlmsghdr *message, void *data)
{
  const struct listener *listener = data;
  struct weir_conntrack_reading reading;

  if (weir_conntrack_parse (message, &reading) == 0)
    listener->func (&reading, event_of (message), listener->data);
}

int
weir_conntrack_read_events (int fd, unsigned budget, weir_conntrack_func func, void *data,
                            uint64_t *losses)
{
  struct listener listener = { func, data };

  return weir_netlink_read_events (fd, budget, take_event, &listener, losses);
}
