/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading netlink sockets that somebody else opened: never blocks, believes only the kernel, and
 * hands out only messages and attributes that lie whole inside what was received. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel fills dumps in buffers of at most 32 KiB, or what the reader offers. */
#define WEIR_NETLINK_BUFFER 65536

/* Returns the number of bytes, 0 when there is nothing to read now, or a negative errno:
 * -ENOBUFS when the kernel had to throw messages away.  What did not come from the kernel, or did
 * not fit, is skipped: then -EAGAIN, try again. */
int
weir_netlink_receive (int fd, void *buffer, size_t size);

/* The message at *@at, or NULL at the end (or at the first malformed one); moves *@at behind it. */
const struct nlmsghdr *
weir_netlink_next (const uint8_t **at, const uint8_t *end);

/* The payload of @message if it has at least @size bytes, else NULL. */
const void *
weir_netlink_payload (const struct nlmsghdr *message, size_t size);

struct weir_attributes
{
  const uint8_t *at, *end;
};

/* The attributes that follow @header_size bytes of payload. */
void
weir_attributes_init (struct weir_attributes *attributes, const struct nlmsghdr *message,
                      size_t header_size);
/* Type without its flags, data and size of the next attribute; false at the end. */
bool
weir_attributes_next (struct weir_attributes *attributes, uint16_t *ret_type, const void **ret_data,
                      size_t *ret_size);

/* The errno (positive) of an NLMSG_ERROR or NLMSG_DONE message; 0: it went well. */
int
weir_netlink_error (const struct nlmsghdr *message);
