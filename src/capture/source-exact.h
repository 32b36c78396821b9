/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source: sock_diag(7), asked for the socket that belongs to certain addresses.
 *
 * A dump walks the kernel's whole tables; this is the look-up that a packet would get, a few
 * microseconds each.  The kernel answers before sendto(2) returns, so that nothing ever waits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir-flow-table.h"
#include "weir-readings.h"
#include "weir-socket-index.h"

/* Questions of one batch: the answers, of a kilobyte each at most, have to fit into the buffer of
 * the socket. */
#define WEIR_EXACT_BATCH 64

struct weir_exact
{
  int fd; /* NETLINK_SOCK_DIAG, of its own: answers must not mix with those of a dump; -1: none */
  uint32_t sequence;
};

void
weir_exact_init (struct weir_exact *exact, int fd);

/* Asks for the sockets of @keys (TCP and UDP), @n of them at most WEIR_EXACT_BATCH.  *@ret_found
 * says which were answered.  What is found may be the very socket, or one that is bound to the
 * local end (remote.port is 0 then): the kernel does not ask whether a local address is one.
 * 0, or a negative errno: then nothing was found. */
int
weir_exact_ask (struct weir_exact *exact, const struct weir_flow_key *keys, size_t n,
                struct weir_socket_reading *ret_readings, bool *ret_found);

/* Fills @index with all sockets that are bound to @port and have no peer. */
int
weir_exact_list_bound (struct weir_exact *exact, uint8_t protocol, uint16_t port,
                       struct weir_socket_index *index);
