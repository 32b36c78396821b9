/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets that are not flows themselves but own some: listeners, UDP sockets without a peer, and
 * those for pings, whose port is the identifier in ICMP's header.
 * Rebuilt by every complete dump. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir-addresses.h"
#include "weir-readings.h"

/* 64 bytes each; beyond it the owners of some flows stay unknown, which is counted. */
#define WEIR_SOCKET_INDEX_MAX 65536

struct weir_bound_socket
{
  uint8_t protocol;
  bool v6_only;
  bool listening;
  bool is_shared;         /* others are bound alike ... */
  bool has_mixed_cgroups; /* ... and not all of them are of one control group */
  uint16_t port;
  uint32_t uid;
  uint8_t address[16];
  uint64_t cookie;
  uint32_t inode;
  uint32_t ifindex;
  uint64_t cgroup_id;
};

struct weir_socket_index
{
  struct weir_bound_socket *items, *next;
  size_t n, n_next, capacity, next_capacity;
  uint64_t refused; /* sockets that found no room */
  /* Of which protocols there are raw sockets: any of those may send what it likes. */
  bool has_raw[256], next_has_raw[256];
};

void
weir_socket_index_init (struct weir_socket_index *index);
void
weir_socket_index_clear (struct weir_socket_index *index);

/* One dump: begin, add any number, complete; that returns whether anything is different from the
 * last time. */
void
weir_socket_index_begin (struct weir_socket_index *index);
void
weir_socket_index_add (struct weir_socket_index *index, const struct weir_socket_reading *reading);
bool
weir_socket_index_complete (struct weir_socket_index *index);

/* Whether a program may have sent packets of @protocol by itself. */
bool
weir_socket_index_has_raw (const struct weir_socket_index *index, uint8_t protocol);

/* Who gets what arrives at @local.  The socket that is bound most exactly wins; *@ret_ambiguous is
 * set when several are bound alike (SO_REUSEPORT): the first of them is returned, and nothing about
 * it but what they share may be believed.  A wildcard socket only owns addresses of this
 * namespace.  NULL: nobody. */
const struct weir_bound_socket *
weir_socket_index_find (const struct weir_socket_index *index,
                        const struct weir_addresses *addresses, uint8_t protocol,
                        const struct weir_endpoint *local, bool *ret_ambiguous,
                        bool *ret_same_cgroup);
