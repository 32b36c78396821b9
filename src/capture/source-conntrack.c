/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source-conntrack.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "weir-conntrack-parse.h"
#include "weir-netlink.h"

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
