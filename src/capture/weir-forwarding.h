/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether this computer passes on packets of others: rtnetlink(7), RTM_GETNETCONF
 * (inet_netconf_dump_devconf() and inet6_netconf_dump_devconf() of the kernel), which needs
 * nothing.  A flow that passes through has no socket, so only connection tracking sees it.
 *
 * The socket is a member of the groups that tell of changes; what they say is only taken as a
 * reason to ask for all of it again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct weir_forwarding
{
  int fd;
  bool running, again; /* a question is under way; something changed since it was asked */
  uint8_t family;      /* that it is about */
  bool found;          /* an interface that forwards, so far */
  uint32_t sequence;
  uint64_t asked; /* CLOCK_MONOTONIC, ns, when the last one began; 0: never */
  bool known;     /* all of it was read once */
  bool on;        /* ... and forwarding is on: for some interface, or all, or those to come */
};

/* @fd: NETLINK_ROUTE, in RTNLGRP_IPV4_NETCONF and RTNLGRP_IPV6_NETCONF; -1: it is never known. */
void
weir_forwarding_init (struct weir_forwarding *forwarding, int fd);
/* Asks, if it is time to: once, and after each change, but not more than once in a second.  To be
 * called now and then. */
void
weir_forwarding_ask (struct weir_forwarding *forwarding, uint64_t awake);
/* Reads what there is. */
void
weir_forwarding_read (struct weir_forwarding *forwarding);
