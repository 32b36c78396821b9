/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-namespace-addresses.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "weir-netlink.h"

/* Buffers that are read at once. */
#define BUDGET 64

static _Alignas (struct nlmsghdr) uint8_t buffer[WEIR_NETLINK_BUFFER];

static bool
copy (const void *data, size_t size, uint8_t family, uint8_t ret_address[16])
{
  if (family == AF_INET && size == 4)
    weir_address_map_v4 (data, ret_address);
  else if (family == AF_INET6 && size == 16)
    memcpy (ret_address, data, 16);
  else
    return false;
  return true;
}

void
weir_namespace_addresses_message (struct weir_addresses *addresses, const struct nlmsghdr *message)
{
  struct weir_attributes attributes;
  struct ifaddrmsg header;
  const void *payload, *data;
  uint8_t address[16], other[16];
  bool has_local = false, has_address = false;
  uint16_t type;
  size_t size;

  payload = weir_netlink_payload (message, sizeof header);
  if (message->nlmsg_type != RTM_NEWADDR || payload == NULL)
    return;
  memcpy (&header, payload, sizeof header);
  weir_attributes_init (&attributes, message, sizeof header);
  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      if (type == IFA_LOCAL)
        has_local = copy (data, size, header.ifa_family, address);
      else if (type == IFA_ADDRESS)
        has_address = copy (data, size, header.ifa_family, other);
      else if (type == IFA_BROADCAST)
        {
          uint8_t broadcast[16];

          if (copy (data, size, header.ifa_family, broadcast))
            weir_addresses_add_broadcast (addresses, broadcast);
        }
    }
  /* On a link between two points the one is here and the other is there; else both are the same, or
   * only the second is given (IPv6). */
  if (has_local)
    weir_addresses_add (addresses, address);
  else if (has_address)
    weir_addresses_add (addresses, other);
}

bool
weir_namespace_addresses_changed (int fd)
{
  bool changed = false;

  for (unsigned i = 0; i < BUDGET; i++)
    {
      int n = weir_netlink_receive (fd, buffer, sizeof buffer);

      if (n == 0)
        return changed;
      changed = true;
      if (n < 0 && n != -ENOBUFS && n != -EAGAIN)
        return changed;
    }
  return changed;
}

int
weir_namespace_addresses_ask (int fd, uint32_t sequence, struct weir_addresses *addresses)
{
  struct
  {
    struct nlmsghdr header;
    struct ifaddrmsg body;
  } request = {
    .header = {
      .nlmsg_len = NLMSG_LENGTH (sizeof request.body),
      .nlmsg_type = RTM_GETADDR,
      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
      .nlmsg_seq = sequence,
    },
  };
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

  weir_addresses_begin (addresses);
  if (sendto (fd, &request, request.header.nlmsg_len, MSG_DONTWAIT | MSG_NOSIGNAL,
              (const struct sockaddr *) &kernel, sizeof kernel) < 0)
    return -errno;
  return 0;
}

int
weir_namespace_addresses_read (int fd, uint32_t sequence, struct weir_addresses *addresses)
{
  for (unsigned i = 0; i < BUDGET; i++)
    {
      const struct nlmsghdr *message;
      const uint8_t *at = buffer;
      int n = weir_netlink_receive (fd, buffer, sizeof buffer);

      if (n == 0)
        return 0;
      if (n == -EAGAIN)
        continue;
      if (n < 0)
        return n == -ENOBUFS ? -EINTR : n;
      while ((message = weir_netlink_next (&at, buffer + n)) != NULL)
        {
          const bool ends = message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR;

          /* What is told of a change bears the number of whoever made it, which may be ours, but is
           * no part of a dump. */
          if (message->nlmsg_seq != sequence || (!ends && !(message->nlmsg_flags & NLM_F_MULTI)))
            return -EINTR;
          if (message->nlmsg_flags & NLM_F_DUMP_INTR)
            return -EINTR;
          if (ends)
            {
              int error = weir_netlink_error (message);

              if (error != 0)
                return -error;
              weir_addresses_complete (addresses);
              return 1;
            }
          weir_namespace_addresses_message (addresses, message);
        }
    }
  return 0;
}
