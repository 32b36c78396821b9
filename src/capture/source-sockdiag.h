/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source: sock_diag(7), the sockets of this network namespace.
 *
 * Gives every TCP and UDP socket of all users, TCP's own byte counters, round trip time and
 * retransmits, and the control group; and an event with the last figures of every TCP socket that
 * is destroyed.  Needs nothing. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir-readings.h"

enum weir_sockdiag_event
{
  WEIR_SOCKDIAG_SOCKET,    /* one socket of a dump */
  WEIR_SOCKDIAG_DESTROYED, /* a TCP socket that is no more */
};

typedef void (*weir_socket_func) (const struct weir_socket_reading *reading,
                                  enum weir_sockdiag_event event, void *data);

/* Reads one message of a dump or of the destroy groups.  0, or -EPROTO: not a socket as we know
 * them. */
int
weir_sockdiag_parse (const struct nlmsghdr *message, enum weir_sockdiag_event event,
                     struct weir_socket_reading *ret_reading);

/* A series of dumps on one socket: TCP and UDP, IPv4 and IPv6, one after the other. */
struct weir_sockdiag
{
  int fd;
  bool running;
  unsigned step;
  uint32_t sequence;
  bool interrupted, repeated;
  int error; /* errno of the last series, 0 if it went well */
};

#define WEIR_SOCKDIAG_STEPS 4

void
weir_sockdiag_init (struct weir_sockdiag *diag, int fd);

/* Asks for the first dump.  0 or a negative errno. */
int
weir_sockdiag_start (struct weir_sockdiag *diag);

/* Reads what there is, at most @budget buffers.  Returns 1 when the series has ended (look at
 * @error), 0 when more is to come.  @before: as in weir_conntrack_read. */
int
weir_sockdiag_read (struct weir_sockdiag *diag, unsigned budget, void (*before) (void *data),
                    weir_socket_func func, void *data);

/* Reads destroy events from @fd, at most @budget buffers.  Adds lost buffers to *@losses; returns 1
 * when the budget was used up, else 0 or a negative errno. */
int
weir_sockdiag_read_events (int fd, unsigned budget, weir_socket_func func, void *data,
                           uint64_t *losses);
