/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads messages of ctnetlink where they lie: entries of a dump and events, which have one form.
 *
 * Nothing is allocated, no length is believed, nested attributes end where the outer one does.  An
 * attribute that is unknown, or has another size than the kernel gives it, is left out. */
#pragma once

#include <linux/netlink.h>

#include "weir-readings.h"

/* 0, or -EPROTO: not an entry as we know them.  An entry has both tuples, of one family and one
 * protocol, and an id; all else may be missing. */
int
weir_conntrack_parse (const struct nlmsghdr *message, struct weir_conntrack_reading *ret_reading);
