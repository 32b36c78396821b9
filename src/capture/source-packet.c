/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source-packet.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "weir-netlink.h"

static void
read_info (const void *data, size_t size, struct weir_socket_reading *reading)
{
  struct packet_diag_info info;

  if (size < sizeof info)
    return;
  memcpy (&info, data, sizeof info);
  reading->ifindex = info.pdi_index;
}

static void
read_memberships (const uint8_t *data, size_t size, struct weir_socket_reading *reading)
{
  struct packet_diag_mclist membership;

  for (; size >= sizeof membership; data += sizeof membership, size -= sizeof membership)
    {
      memcpy (&membership, data, sizeof membership);
      if (membership.pdmc_type == PACKET_MR_PROMISC)
        reading->is_promiscuous = true;
    }
}

int
weir_packet_parse (const struct nlmsghdr *message, struct weir_socket_reading *ret_reading)
{
  struct weir_socket_reading reading = { .kind = WEIR_SOCKET_PACKET };
  struct weir_attributes attributes;
  struct packet_diag_msg packet;
  const void *payload = weir_netlink_payload (message, sizeof packet), *data;
  uint16_t type;
  size_t size;

  if (payload == NULL || message->nlmsg_type != SOCK_DIAG_BY_FAMILY)
    return -EPROTO;
  memcpy (&packet, payload, sizeof packet);
  if (packet.pdiag_family != AF_PACKET)
    return -EPROTO;
  /* In host order here, other than everywhere else about packet sockets. */
  reading.ethertype = packet.pdiag_num;
  reading.inode = packet.pdiag_ino;
  reading.cookie = (uint64_t) packet.pdiag_cookie[1] << 32 | packet.pdiag_cookie[0];

  weir_attributes_init (&attributes, message, sizeof packet);
  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      if (type == PACKET_DIAG_INFO)
        read_info (data, size, &reading);
      else if (type == PACKET_DIAG_MCLIST)
        read_memberships (data, size, &reading);
      else if (type == PACKET_DIAG_UID && size >= sizeof reading.uid)
        memcpy (&reading.uid, data, sizeof reading.uid);
    }
  *ret_reading = reading;
  return 0;
}
