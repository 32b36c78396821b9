/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-forwarding.h"

#include <errno.h>
#include <linux/netconf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "weir-netlink.h"

#define PAUSE UINT64_C (1000000000)
/* Buffers that are read at a time: interfaces may be made and taken away without end. */
#define BUDGET 32

void
weir_forwarding_init (struct weir_forwarding *forwarding, int fd)
{
  *forwarding = (struct weir_forwarding) { .fd = fd, .again = fd >= 0 };
}

static void
ask_for (struct weir_forwarding *forwarding, uint8_t family)
{
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  const struct
  {
    struct nlmsghdr header;
    struct netconfmsg body;
  } request = {
    .header = {
      .nlmsg_len = NLMSG_LENGTH (sizeof (struct netconfmsg)),
      .nlmsg_type = RTM_GETNETCONF,
      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
      .nlmsg_seq = ++forwarding->sequence,
    },
    .body = { .ncm_family = family },
  };

  forwarding->family = family;
  forwarding->running = sendto (forwarding->fd, &request, request.header.nlmsg_len,
                                MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *) &kernel,
                                sizeof kernel) == (ssize_t) request.header.nlmsg_len;
  forwarding->again |= !forwarding->running;
}

void
weir_forwarding_ask (struct weir_forwarding *forwarding, uint64_t awake)
{
  if (forwarding->fd < 0 || forwarding->running || !forwarding->again ||
      (forwarding->asked != 0 && awake - forwarding->asked < PAUSE))
    return;
  forwarding->asked = awake;
  forwarding->again = false;
  forwarding->found = false;
  ask_for (forwarding, AF_INET);
}

static bool
is_on (const struct nlmsghdr *message)
{
  const struct netconfmsg *body = weir_netlink_payload (message, sizeof *body);
  struct weir_attributes attributes;
  const void *data;
  uint16_t type;
  size_t size;
  int32_t value = 0;

  if (message->nlmsg_type != RTM_NEWNETCONF || body == NULL)
    return false;
  weir_attributes_init (&attributes, message, sizeof *body);
  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      if (type == NETCONFA_FORWARDING && size == sizeof value)
        memcpy (&value, data, sizeof value);
    }
  return value > 0;
}

/* A kernel without IPv6 refuses the second question: nothing of that is passed on. */
static void
finish (struct weir_forwarding *forwarding, int error)
{
  /* What changed meanwhile may be missing, and is asked for again. */
  if (forwarding->again)
    {
      forwarding->running = false;
      return;
    }
  if (forwarding->family == AF_INET && error == 0)
    {
      ask_for (forwarding, AF_INET6);
      return;
    }
  forwarding->running = false;
  if (error != 0 && (forwarding->family == AF_INET || error != EOPNOTSUPP))
    {
      forwarding->again = true;
      return;
    }
  forwarding->known = true;
  forwarding->on = forwarding->found;
}

static void
take (struct weir_forwarding *forwarding, const struct nlmsghdr *message)
{
  if (message->nlmsg_seq != forwarding->sequence || !forwarding->running)
    {
      /* Events have the number 0, or that of who changed something. */
      forwarding->again = true;
      return;
    }
  if (message->nlmsg_flags & NLM_F_DUMP_INTR)
    forwarding->again = true;
  if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
    finish (forwarding, weir_netlink_error (message));
  else
    forwarding->found |= is_on (message);
}

void
weir_forwarding_read (struct weir_forwarding *forwarding)
{
  static _Alignas (struct nlmsghdr) uint8_t buffer[WEIR_NETLINK_BUFFER];

  for (unsigned i = 0; i < BUDGET && forwarding->fd >= 0; i++)
    {
      const struct nlmsghdr *message;
      const uint8_t *at = buffer;
      int n = weir_netlink_receive (forwarding->fd, buffer, sizeof buffer);

      if (n == 0)
        return;
      if (n == -EAGAIN)
        continue;
      if (n < 0)
        {
          /* What was lost may have been a part of the answer. */
          forwarding->running = false;
          forwarding->again = true;
          return;
        }
      while ((message = weir_netlink_next (&at, buffer + n)) != NULL)
        take (forwarding, message);
    }
}
