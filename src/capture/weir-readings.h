/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What sources hand to the join: facts as the kernel told them, in host order, not interpreted yet.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weir-wire.h"

/* The kernel's include/net/tcp_states.h; UDP sockets are ESTABLISHED when connected, else CLOSE. */
enum weir_tcp_state
{
  WEIR_TCP_ESTABLISHED = 1,
  WEIR_TCP_SYN_SENT = 2,
  WEIR_TCP_SYN_RECV = 3,
  WEIR_TCP_FIN_WAIT1 = 4,
  WEIR_TCP_FIN_WAIT2 = 5,
  WEIR_TCP_TIME_WAIT = 6,
  WEIR_TCP_CLOSE = 7,
  WEIR_TCP_CLOSE_WAIT = 8,
  WEIR_TCP_LAST_ACK = 9,
  WEIR_TCP_LISTEN = 10,
  WEIR_TCP_CLOSING = 11,
  WEIR_TCP_NEW_SYN_RECV = 12,
};

/* A socket that /proc listed has no cookie.  Its inode is unique as long as it lives, and the
 * kernel's cookies, which count up from 1, never get so large as with this bit. */
#define WEIR_LISTED_COOKIE (UINT64_C (1) << 63)

/* One socket. */
struct weir_socket_reading
{
  uint8_t kind;     /* enum weir_socket_kind */
  uint8_t protocol; /* IPPROTO_*; of a raw socket the one that it was made for */
  uint8_t family;   /* of the packets: 4 for a v4-mapped address; 0 for packet sockets */
  uint8_t state;    /* enum weir_tcp_state */
  bool on_v6_socket;
  bool v6_only;
  struct weir_endpoint local, remote;
  uint64_t cookie;
  uint32_t inode; /* 0: no process can hold it (not accepted yet, closed, or of the kernel) */
  uint32_t uid;   /* meaningful only with an inode */
  uint32_t ifindex;
  bool has_cgroup;
  uint64_t cgroup_id;
  uint32_t queue;   /* received and not read: bytes; of a listener: connections not accepted yet */
  uint32_t backlog; /* of a listener: how many of those there may be */
  /* Packet sockets */
  uint16_t ethertype; /* ETH_P_*, 0: sends only */
  bool is_promiscuous;
  /* TCP */
  bool has_bytes, has_times;
  uint64_t rx_bytes, tx_bytes; /* payload as the kernel counts it; see fin_counted */
  uint32_t rtt_us, retransmits;
  bool fin_counted;     /* the peer's FIN is certainly among the bytes received */
  uint8_t acked_beyond; /* how much more than payload was acknowledged: SYN, FIN, both */
  /* Who connected, where the counters tell: enum weir_direction */
  uint8_t direction;
};

/* One entry of the connection tracking table. */
struct weir_conntrack_reading
{
  uint8_t protocol;
  uint8_t family;                            /* 4 or 6 */
  struct weir_endpoint orig_src, orig_dst;   /* the first packet, as it was sent */
  struct weir_endpoint reply_src, reply_dst; /* what an answer looks like: differs by translation */
  /* ICMP: identifier (bits 0 to 15), type (16 to 23) and code of the first packet.  GRE: the keys
   * of a PPTP call, source and destination.  Else 0. */
  uint32_t discriminator;
  uint16_t zone;          /* 0: the one that needs no name */
  uint8_t zone_direction; /* enum weir_zone_direction */
  uint32_t id;
  uint32_t status; /* enum ip_conntrack_status */
  bool has_mark;   /* false: the kernel has no marks or, in an event, it is 0 */
  uint32_t mark;
  bool has_counters;
  uint64_t orig_bytes, orig_packets, reply_bytes, reply_packets;
  bool has_state;
  uint8_t state; /* enum tcp_conntrack, sctp_conntrack or ct_dccp_states, by protocol */
};
