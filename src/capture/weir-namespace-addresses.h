/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The addresses of a network namespace, read from a rtnetlink socket that is told of changes. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "weir-addresses.h"

/* Adds what one message says.  Anything but an address is left alone. */
void
weir_namespace_addresses_message (struct weir_addresses *addresses, const struct nlmsghdr *message);

/* Reads away what was told; true when something has changed, or may have. */
bool
weir_namespace_addresses_changed (int fd);

/* Asks for all of them.  0 or a negative errno. */
int
weir_namespace_addresses_ask (int fd, uint32_t sequence, struct weir_addresses *addresses);
/* Reads what there is.  1 when that was the end, 0 when more is to come, or a negative errno:
 * -EINTR when they changed meanwhile, so that all has to be asked for again. */
int
weir_namespace_addresses_read (int fd, uint32_t sequence, struct weir_addresses *addresses);
