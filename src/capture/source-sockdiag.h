/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source: sock_diag(7), the sockets of a network namespace.
 *
 * Gives every socket of TCP, UDP, UDP-Lite, SCTP and DCCP of all users, raw and packet sockets,
 * TCP's own byte counters, round trip time and retransmits, and the control group; and an event
 * with the last figures of every TCP socket that is destroyed.  Needs nothing.  Sockets for pings
 * are in no kernel's sock_diag, raw ones not in every kernel's: see weir-proc-sockets.h. */
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

/* The dumps of a series, one after the other. */
enum weir_sockdiag_step
{
  WEIR_SOCKDIAG_TCP, /* IPv4 and IPv6 at once */
  WEIR_SOCKDIAG_UDP,
  WEIR_SOCKDIAG_UDP6,
  WEIR_SOCKDIAG_UDPLITE,
  WEIR_SOCKDIAG_UDPLITE6,
  WEIR_SOCKDIAG_SCTP,
  WEIR_SOCKDIAG_SCTP6,
  WEIR_SOCKDIAG_DCCP,
  WEIR_SOCKDIAG_DCCP6,
  WEIR_SOCKDIAG_RAW,
  WEIR_SOCKDIAG_RAW6,
  WEIR_SOCKDIAG_PACKET,
  WEIR_SOCKDIAG_STEPS
};

/* Series of dumps on one socket. */
struct weir_sockdiag
{
  int fd;
  bool running;
  unsigned step;
  uint32_t sequence;
  bool interrupted, repeated;
  int error; /* errno of the last series, 0 if it went well */
  /* errno of each step when it was asked for the last time: what this kernel lacks or refuses
   * beyond TCP and UDP is no error of the series. */
  int step_errors[WEIR_SOCKDIAG_STEPS];
  uint32_t series; /* that have begun */
};

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
