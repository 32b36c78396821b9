/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the join remembers of the kernel programs' slots, and of the network namespaces that they
 * name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source-bpf.h"
#include "weir-named-sockets.h"

/* Network namespaces by cookie; beyond it the one that was needed longest ago is forgotten, and
 * should it come back it is called another one. */
#define WEIR_COOKIES_MAX 512

struct weir_cookie
{
  uint64_t cookie;
  uint32_t inode; /* or weir_netns_is_unknown() */
  uint32_t used;  /* counts look-ups */
  bool is_fixed;  /* told by the kernel, of a socket of ours */
  /* Who made a socket there, and is waited for to say which it is: number of the owner, 0 nobody */
  uint32_t maker, maker_pid;
  uint64_t born; /* CLOCK_BOOTTIME, ns: when that socket was made */
};

/* What of a slot is in its flow. */
struct weir_bpf_part
{
  uint64_t flow_id;
  uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
  uint64_t rx_payload, tx_payload, rx_extra, tx_extra;
  uint32_t generation;
  uint32_t flow; /* its number, 0: none */
  uint32_t opener_pid, user_pid;
  bool is_used, is_open;
};

struct weir_join_bpf
{
  struct weir_bpf_part *parts; /* NULL: there are no kernel programs */
  uint32_t n_parts;
  struct weir_named_sockets *named; /* NULL as well */
  struct weir_cookie cookies[WEIR_COOKIES_MAX];
  uint32_t n_cookies, last_cookie, look_ups;
  uint32_t next_unknown;
  uint32_t *segment_links; /* sorted */
  size_t n_segment_links;
  bool links_known;
  bool own_only;    /* other network namespaces are left out */
  uint32_t idle_at; /* slot of the flow table where looking for what stood still goes on */
  /* Of slots whose flows had ended */
  uint64_t late_rx_bytes, late_tx_bytes;
};
