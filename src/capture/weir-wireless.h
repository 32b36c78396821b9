/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which interfaces are wireless: rtnetlink does not say, nl80211 does.  Needs nothing.
 *
 * Answers of generic netlink are there when sendto(2) returns or are made while they are read, so
 * that this needs no place in the loop; it is asked only when hardware appears. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Indexes that are kept; more wireless interfaces than this are called physical. */
#define WEIR_WIRELESS_MAX 64

struct weir_wireless
{
  int fd;          /* NETLINK_GENERIC, or -1: nobody is asked */
  uint16_t family; /* number of nl80211, 0: not known, or not loaded */
  uint32_t sequence;
  uint32_t indexes[WEIR_WIRELESS_MAX];
  size_t n;
};

void
weir_wireless_init (struct weir_wireless *wireless, int fd);
/* Asks anew.  0, or a negative errno: what was known is then forgotten. */
int
weir_wireless_read (struct weir_wireless *wireless);
bool
weir_wireless_has (const struct weir_wireless *wireless, uint32_t index);

/* One answer each: of the list of families, and of the list of interfaces. */
void
weir_wireless_take_family (struct weir_wireless *wireless, const struct nlmsghdr *message);
void
weir_wireless_take_interface (struct weir_wireless *wireless, const struct nlmsghdr *message);
