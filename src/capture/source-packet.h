/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source: packet_diag, a part of sock_diag(7): packet sockets (packet(7)).
 *
 * They get copies of what other sockets get, and send what no firewall rule for addresses sees, so
 * they belong to what is exposed.  Needs nothing; only their filters would need CAP_NET_ADMIN. */
#pragma once

#include <linux/netlink.h>
#include <linux/packet_diag.h>

#include "weir-readings.h"

/* What to ask the kernel for: interface and flags, and memberships, which tell who is promiscuous.
 */
#define WEIR_PACKET_SHOW (PACKET_SHOW_INFO | PACKET_SHOW_MCLIST)

/* Reads one message of a dump.  0, or -EPROTO: not a packet socket as we know them. */
int
weir_packet_parse (const struct nlmsghdr *message, struct weir_socket_reading *ret_reading);
