/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source-interfaces.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/cache.h>
#include <netlink/msg.h>
#include <netlink/object.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "weir-netlink.h"

#define NS_PER_S UINT64_C (1000000000)

void
weir_interfaces_init (struct weir_interfaces *interfaces, int fd, struct weir_addresses *addresses)
{
  *interfaces = (struct weir_interfaces) { .fd = fd, .addresses = addresses };
  weir_wireless_init (&interfaces->wireless, -1);
}

void
weir_interfaces_set_wireless (struct weir_interfaces *interfaces, int fd)
{
  weir_wireless_init (&interfaces->wireless, fd);
}

void
weir_interfaces_clear (struct weir_interfaces *interfaces)
{
  free (interfaces->links);
  free (interfaces->next);
  weir_interfaces_init (interfaces, -1, NULL);
}

/* ---- reading ---- */

static struct weir_link *
find_link (struct weir_link *links, size_t n, uint32_t index)
{
  for (size_t i = 0; i < n; i++)
    {
      if (links[i].record.index == index)
        return &links[i];
    }
  return NULL;
}

static struct weir_link *
add_link (struct weir_interfaces *interfaces)
{
  if (interfaces->n_next == interfaces->next_capacity)
    {
      size_t capacity = interfaces->next_capacity > 0 ? interfaces->next_capacity * 2 : 8;
      struct weir_link *links = NULL;

      if (capacity <= WEIR_INTERFACES_MAX)
        links = reallocarray (interfaces->next, capacity, sizeof *links);
      if (links == NULL)
        return NULL;
      interfaces->next = links;
      interfaces->next_capacity = capacity;
    }
  memset (&interfaces->next[interfaces->n_next], 0, sizeof *interfaces->next);
  return &interfaces->next[interfaces->n_next++];
}

static bool
is_on_bus (const struct nlmsghdr *message, const char *name)
{
  const struct nlattr *bus = nlmsg_find_attr ((struct nlmsghdr *) message,
                                              sizeof (struct ifinfomsg), IFLA_PARENT_DEV_BUS_NAME);

  return bus != NULL && nla_strcmp (bus, name) == 0;
}

static void
read_link (struct weir_interfaces *interfaces, struct rtnl_link *object)
{
  uint32_t index = (uint32_t) rtnl_link_get_ifindex (object);
  struct weir_interface_record *record;
  const char *name, *kind;
  struct weir_link *link;
  int32_t netnsid;

  if (find_link (interfaces->next, interfaces->n_next, index) != NULL)
    return;
  link = add_link (interfaces);
  if (link == NULL)
    return;
  record = &link->record;
  record->index = index;
  name = rtnl_link_get_name (object);
  kind = rtnl_link_get_type (object);
  strncpy (record->name, name != NULL ? name : "", sizeof record->name - 1);
  strncpy (record->kind, kind != NULL ? kind : "", sizeof record->kind - 1);
  if (rtnl_link_get_flags (object) & IFF_UP)
    record->flags |= WEIR_INTERFACE_UP;
  if (rtnl_link_get_flags (object) & IFF_LOOPBACK)
    record->flags |= WEIR_INTERFACE_LOOPBACK;
  record->mtu = rtnl_link_get_mtu (object);
  record->rx_bytes = rtnl_link_get_stat (object, RTNL_LINK_RX_BYTES);
  record->tx_bytes = rtnl_link_get_stat (object, RTNL_LINK_TX_BYTES);
  record->rx_packets = rtnl_link_get_stat (object, RTNL_LINK_RX_PACKETS);
  record->tx_packets = rtnl_link_get_stat (object, RTNL_LINK_TX_PACKETS);
  record->rx_errors = rtnl_link_get_stat (object, RTNL_LINK_RX_ERRORS);
  record->tx_errors = rtnl_link_get_stat (object, RTNL_LINK_TX_ERRORS);
  record->rx_dropped = rtnl_link_get_stat (object, RTNL_LINK_RX_DROPPED);
  record->tx_dropped = rtnl_link_get_stat (object, RTNL_LINK_TX_DROPPED);
  record->link_type = (uint16_t) rtnl_link_get_arptype (object);
  record->master = (uint32_t) rtnl_link_get_master (object);
  /* Numbers of another namespace are those of other interfaces here. */
  if (rtnl_link_get_link_netnsid (object, &netnsid) == 0)
    record->flags |= WEIR_INTERFACE_PEER_ELSEWHERE;
  else
    record->lower = (uint32_t) rtnl_link_get_link (object);
  link->has_device = nlmsg_find_attr ((struct nlmsghdr *) interfaces->message,
                                      sizeof (struct ifinfomsg), IFLA_PARENT_DEV_NAME) != NULL;
  link->is_virtio = is_on_bus (interfaces->message, "virtio");
  weir_link_classify (link);
}

static bool
copy_address (struct nl_addr *from, uint8_t ret_address[16])
{
  if (from == NULL)
    return false;
  if (nl_addr_get_family (from) == AF_INET && nl_addr_get_len (from) == 4)
    weir_address_map_v4 (nl_addr_get_binary_addr (from), ret_address);
  else if (nl_addr_get_family (from) == AF_INET6 && nl_addr_get_len (from) == 16)
    memcpy (ret_address, nl_addr_get_binary_addr (from), 16);
  else
    return false;
  return true;
}

/* The last address of a network is its broadcast address whether or not the interface was given
 * one: fib_add_ifaddr() in the kernel's net/ipv4/fib_frontend.c. */
static void
add_last_address (struct weir_addresses *addresses, const uint8_t address[16], int prefix_length)
{
  uint8_t last[16];

  if (!weir_address_is_v4 (address) || weir_address_is_loopback (address) || prefix_length <= 0 ||
      prefix_length >= 31)
    return;
  memcpy (last, address, sizeof last);
  for (int bit = prefix_length; bit < 32; bit++)
    last[12 + bit / 8] |= (uint8_t) (0x80 >> bit % 8);
  weir_addresses_add_broadcast (addresses, last);
}

static void
read_address (struct weir_interfaces *interfaces, struct rtnl_addr *object)
{
  struct weir_link *link =
      find_link (interfaces->next, interfaces->n_next, (uint32_t) rtnl_addr_get_ifindex (object));
  struct weir_interface_address *address;
  uint8_t bytes[16];

  if (copy_address (rtnl_addr_get_broadcast (object), bytes))
    weir_addresses_add_broadcast (interfaces->addresses, bytes);
  if (!copy_address (rtnl_addr_get_local (object), bytes))
    return;
  weir_addresses_add (interfaces->addresses, bytes);
  add_last_address (interfaces->addresses, bytes, rtnl_addr_get_prefixlen (object));
  if (link == NULL || link->record.n_addresses == WEIR_INTERFACE_ADDRESSES_MAX)
    return;
  address = &link->record.addresses[link->record.n_addresses++];
  address->family = weir_address_is_v4 (bytes) ? 4 : 6;
  address->prefix_length = (uint8_t) rtnl_addr_get_prefixlen (object);
  memcpy (address->address, bytes, 16);
}

static void
read_object (struct nl_object *object, void *data)
{
  if (strcmp (nl_object_get_type (object), "route/link") == 0)
    read_link (data, (struct rtnl_link *) object);
  else if (strcmp (nl_object_get_type (object), "route/addr") == 0)
    read_address (data, (struct rtnl_addr *) object);
}

void
weir_interfaces_begin (struct weir_interfaces *interfaces)
{
  interfaces->n_next = 0;
  weir_addresses_begin (interfaces->addresses);
}

void
weir_interfaces_message (struct weir_interfaces *interfaces, const struct nlmsghdr *message)
{
  struct nl_msg *copy;

  if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_NEWADDR)
    return;
  copy = nlmsg_convert ((struct nlmsghdr *) message);
  if (copy == NULL)
    return;
  nlmsg_set_proto (copy, NETLINK_ROUTE);
  interfaces->message = message;
  /* What libnl cannot parse is left out. */
  (void) nl_msg_parse (copy, read_object, interfaces);
  interfaces->message = NULL;
  nlmsg_free (copy);
}

/* Asked only when there is hardware that was not there before: a card stays what it is. */
static void
find_wireless (struct weir_interfaces *interfaces)
{
  bool asks = false;

  for (size_t i = 0; i < interfaces->n_next && !asks; i++)
    {
      const struct weir_interface_record *record = &interfaces->next[i].record;
      const struct weir_link *before = find_link (interfaces->links, interfaces->n, record->index);

      asks = record->type == WEIR_INTERFACE_TYPE_PHYSICAL &&
             (before == NULL || strcmp (before->record.name, record->name) != 0);
    }
  /* Who cannot be told apart is called physical, which is true as well. */
  if (asks)
    (void) weir_wireless_read (&interfaces->wireless);
  for (size_t i = 0; i < interfaces->n_next; i++)
    {
      struct weir_interface_record *record = &interfaces->next[i].record;

      if (record->type == WEIR_INTERFACE_TYPE_PHYSICAL &&
          weir_wireless_has (&interfaces->wireless, record->index))
        record->type = WEIR_INTERFACE_TYPE_WIRELESS;
    }
}

void
weir_interfaces_complete (struct weir_interfaces *interfaces, uint64_t now)
{
  struct weir_link *links = interfaces->next;
  size_t capacity = interfaces->next_capacity;

  find_wireless (interfaces);
  weir_links_choose_counted (links, interfaces->n_next);
  for (size_t i = 0; i < interfaces->n_next; i++)
    {
      const struct weir_link *before =
          find_link (interfaces->links, interfaces->n, links[i].record.index);

      if (before == NULL || strcmp (before->record.name, links[i].record.name) != 0)
        continue;
      links[i].was_shown = before->was_shown;
      links[i].shown_rx_bytes = before->shown_rx_bytes;
      links[i].shown_tx_bytes = before->shown_tx_bytes;
    }
  interfaces->next = interfaces->links;
  interfaces->next_capacity = interfaces->capacity;
  interfaces->links = links;
  interfaces->capacity = capacity;
  interfaces->n = interfaces->n_next;
  interfaces->n_next = 0;
  interfaces->read_at = now;
  weir_addresses_complete (interfaces->addresses);
}

/* ---- asking ---- */

static int
ask (struct weir_interfaces *interfaces)
{
  struct
  {
    struct nlmsghdr header;
    union
    {
      struct ifinfomsg link;
      struct ifaddrmsg address;
    } body;
  } request = {
    .header = {
      .nlmsg_len = interfaces->reading_addresses ? NLMSG_LENGTH (sizeof (struct ifaddrmsg))
                                                 : NLMSG_LENGTH (sizeof (struct ifinfomsg)),
      .nlmsg_type = interfaces->reading_addresses ? RTM_GETADDR : RTM_GETLINK,
      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
      .nlmsg_seq = ++interfaces->sequence,
    },
  };
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

  interfaces->interrupted = false;
  if (sendto (interfaces->fd, &request, request.header.nlmsg_len, MSG_DONTWAIT | MSG_NOSIGNAL,
              (const struct sockaddr *) &kernel, sizeof kernel) < 0)
    return -errno;
  return 0;
}

static int
start (struct weir_interfaces *interfaces)
{
  int result;

  weir_interfaces_begin (interfaces);
  interfaces->reading_addresses = false;
  interfaces->error = 0;
  result = ask (interfaces);
  interfaces->running = result == 0;
  if (result < 0)
    interfaces->error = -result;
  return result;
}

int
weir_interfaces_start (struct weir_interfaces *interfaces)
{
  interfaces->repeated = false;
  return start (interfaces);
}

/* Returns 1 when the reading has ended. */
static int
finish_step (struct weir_interfaces *interfaces, int error, uint64_t now)
{
  int result = 0;

  if (error == 0 && interfaces->interrupted && !interfaces->repeated)
    {
      interfaces->repeated = true;
      return start (interfaces) < 0;
    }
  if (error == 0 && !interfaces->reading_addresses)
    {
      interfaces->reading_addresses = true;
      result = ask (interfaces);
      if (result == 0)
        return 0;
    }
  interfaces->running = false;
  interfaces->error = error != 0 ? error : -result;
  if (interfaces->error == 0)
    weir_interfaces_complete (interfaces, now);
  return 1;
}

int
weir_interfaces_read (struct weir_interfaces *interfaces, uint64_t now)
{
  static _Alignas (struct nlmsghdr) uint8_t buffer[WEIR_NETLINK_BUFFER];

  while (interfaces->running)
    {
      const struct nlmsghdr *message;
      const uint8_t *at = buffer;
      int n = weir_netlink_receive (interfaces->fd, buffer, sizeof buffer);

      if (n == 0)
        return 0;
      if (n == -EAGAIN)
        continue;
      if (n < 0)
        return finish_step (interfaces, -n, now);
      while ((message = weir_netlink_next (&at, buffer + n)) != NULL)
        {
          if (message->nlmsg_seq != interfaces->sequence)
            continue;
          if (message->nlmsg_flags & NLM_F_DUMP_INTR)
            interfaces->interrupted = true;
          if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
            {
              if (finish_step (interfaces, weir_netlink_error (message), now) > 0)
                return 1;
              break;
            }
          weir_interfaces_message (interfaces, message);
        }
    }
  return 1;
}

/* ---- publishing ---- */

static void
set_rates (struct weir_link *link, uint64_t interval)
{
  struct weir_interface_record *record = &link->record;

  /* Counters that shrink are those of a driver that began anew. */
  record->has_rates = link->was_shown && interval > 0 && record->rx_bytes >= link->shown_rx_bytes &&
                      record->tx_bytes >= link->shown_tx_bytes;
  if (record->has_rates)
    {
      record->rx_rate =
          (uint64_t) ((double) (record->rx_bytes - link->shown_rx_bytes) * NS_PER_S / interval);
      record->tx_rate =
          (uint64_t) ((double) (record->tx_bytes - link->shown_tx_bytes) * NS_PER_S / interval);
    }
  link->shown_rx_bytes = record->rx_bytes;
  link->shown_tx_bytes = record->tx_bytes;
  link->was_shown = true;
}

void
weir_interfaces_publish (struct weir_interfaces *interfaces, struct weir_writer *writer)
{
  uint64_t interval = interfaces->read_at - interfaces->shown_at;
  struct weir_interface_record *records;

  /* Nothing new was read: what the front end has is all there is. */
  if (interfaces->n == 0 || interfaces->read_at == interfaces->shown_at)
    return;
  records = calloc (interfaces->n, sizeof *records);
  if (records == NULL)
    {
      writer->error = -ENOMEM;
      return;
    }
  for (size_t i = 0; i < interfaces->n; i++)
    {
      set_rates (&interfaces->links[i], interval);
      records[i] = interfaces->links[i].record;
    }
  weir_write_interfaces (writer, records, interfaces->n);
  free (records);
  interfaces->shown_at = interfaces->read_at;
}

size_t
weir_interfaces_list_segment_links (const struct weir_interfaces *interfaces, uint32_t *ret_links,
                                    size_t max)
{
  size_t n = 0;

  for (size_t i = 0; i < interfaces->n && n < max; i++)
    {
      if (weir_links_counts_segments (interfaces->links, interfaces->n, &interfaces->links[i]))
        ret_links[n++] = interfaces->links[i].record.index;
    }
  return n;
}
