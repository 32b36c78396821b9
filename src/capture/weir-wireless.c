/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-wireless.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/nl80211.h>
#include <string.h>
#include <sys/socket.h>

#include "weir-netlink.h"

/* Buffers of one answer: some thirty families, or as many interfaces, fit into two. */
#define BUDGET 64

typedef void (*take_func) (struct weir_wireless *wireless, const struct nlmsghdr *message);

void
weir_wireless_init (struct weir_wireless *wireless, int fd)
{
  *wireless = (struct weir_wireless) { .fd = fd };
}

void
weir_wireless_take_family (struct weir_wireless *wireless, const struct nlmsghdr *message)
{
  struct weir_attributes attributes;
  bool is_it = false;
  uint16_t type, number = 0;
  const void *data;
  size_t size;

  weir_attributes_init (&attributes, message, GENL_HDRLEN);
  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      if (type == CTRL_ATTR_FAMILY_NAME)
        is_it = size == sizeof NL80211_GENL_NAME && memcmp (data, NL80211_GENL_NAME, size) == 0;
      else if (type == CTRL_ATTR_FAMILY_ID && size == sizeof number)
        memcpy (&number, data, sizeof number);
    }
  if (is_it)
    wireless->family = number;
}

void
weir_wireless_take_interface (struct weir_wireless *wireless, const struct nlmsghdr *message)
{
  struct weir_attributes attributes;
  uint16_t type;
  const void *data;
  size_t size;

  weir_attributes_init (&attributes, message, GENL_HDRLEN);
  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      if (type != NL80211_ATTR_IFINDEX || size != sizeof wireless->indexes[0] ||
          wireless->n == WEIR_WIRELESS_MAX)
        continue;
      memcpy (&wireless->indexes[wireless->n++], data, size);
      return;
    }
}

static int
take_answers (struct weir_wireless *wireless, take_func take)
{
  static _Alignas (struct nlmsghdr) uint8_t buffer[WEIR_NETLINK_BUFFER];

  for (unsigned i = 0; i < BUDGET; i++)
    {
      const struct nlmsghdr *message;
      const uint8_t *at = buffer;
      int n = weir_netlink_receive (wireless->fd, buffer, sizeof buffer);

      if (n == -EAGAIN)
        continue;
      if (n <= 0)
        return n < 0 ? n : -EPROTO;
      while ((message = weir_netlink_next (&at, buffer + n)) != NULL)
        {
          if (message->nlmsg_seq != wireless->sequence)
            continue;
          if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
            return -weir_netlink_error (message);
          take (wireless, message);
        }
    }
  return -EOVERFLOW;
}

static int
ask (struct weir_wireless *wireless, uint16_t family, uint8_t command, take_func take)
{
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  struct
  {
    struct nlmsghdr header;
    struct genlmsghdr body;
  } request = {
    .header = { .nlmsg_len = sizeof request,
                .nlmsg_type = family,
                .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                .nlmsg_seq = ++wireless->sequence },
    .body = { .cmd = command, .version = 1 },
  };

  if (sendto (wireless->fd, &request, sizeof request, MSG_DONTWAIT | MSG_NOSIGNAL,
              (const struct sockaddr *) &kernel, sizeof kernel) < 0)
    return -errno;
  return take_answers (wireless, take);
}

int
weir_wireless_read (struct weir_wireless *wireless)
{
  int result = 0;

  wireless->n = 0;
  if (wireless->fd < 0)
    return 0;
  /* All families are listed: asking for one by its name would load its module, on machines that
   * have no use for it. */
  if (wireless->family == 0)
    result = ask (wireless, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, weir_wireless_take_family);
  if (result < 0 || wireless->family == 0)
    return result;
  result =
      ask (wireless, wireless->family, NL80211_CMD_GET_INTERFACE, weir_wireless_take_interface);
  if (result < 0)
    {
      /* Its module may have been unloaded: it gets another number when it comes back. */
      wireless->family = 0;
      wireless->n = 0;
    }
  return result;
}

bool
weir_wireless_has (const struct weir_wireless *wireless, uint32_t index)
{
  for (size_t i = 0; i < wireless->n; i++)
    {
      if (wireless->indexes[i] == index)
        return true;
    }
  return false;
}
