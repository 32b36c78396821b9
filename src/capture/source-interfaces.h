/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source: rtnetlink(7), the network interfaces, their counters and addresses.  Read by libnl-route.
 * Needs nothing. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir-addresses.h"
#include "weir-links.h"
#include "weir-wireless.h"
#include "weir-wire.h"

struct weir_interfaces
{
  int fd;
  bool running;
  bool reading_addresses;
  uint32_t sequence;
  bool interrupted, repeated;
  int error;                      /* errno of the last reading, 0 if it went well */
  const struct nlmsghdr *message; /* that is being read */
  struct weir_link *links, *next; /* of the last whole reading; of the one that runs */
  size_t n, n_next, capacity, next_capacity;
  struct weir_addresses *addresses;
  struct weir_wireless wireless;
  uint64_t read_at, shown_at; /* CLOCK_BOOTTIME, ns */
};

void
weir_interfaces_init (struct weir_interfaces *interfaces, int fd, struct weir_addresses *addresses);
/* @fd: NETLINK_GENERIC, to ask which are wireless; without it they are called physical. */
void
weir_interfaces_set_wireless (struct weir_interfaces *interfaces, int fd);
void
weir_interfaces_clear (struct weir_interfaces *interfaces);

/* Asks for the links; their addresses follow.  0 or a negative errno. */
int
weir_interfaces_start (struct weir_interfaces *interfaces);
/* Reads what there is.  Returns 1 when the reading has ended (look at @error), 0 when more is to
 * come. */
int
weir_interfaces_read (struct weir_interfaces *interfaces, uint64_t now);

/* Finds those of the last whole reading that count what is on the wire, one frame for each segment:
 * their indices, at most @max.  Others count what the network layer hands them, which may be many
 * segments in one piece.  Returns how many there are. */
size_t
weir_interfaces_list_segment_links (const struct weir_interfaces *interfaces, uint32_t *ret_links,
                                    size_t max);

/* One reading by hand: begin, any number of messages, complete. */
void
weir_interfaces_begin (struct weir_interfaces *interfaces);
void
weir_interfaces_message (struct weir_interfaces *interfaces, const struct nlmsghdr *message);
void
weir_interfaces_complete (struct weir_interfaces *interfaces, uint64_t now);

/* Writes the INTERFACES frame; rates are those since the last one. */
void
weir_interfaces_publish (struct weir_interfaces *interfaces, struct weir_writer *writer);
