/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading netlink sockets that somebody else opened: never blocks, believes only the kernel, and
 * hands out only messages and attributes that lie whole inside what was received. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

typedef void (*weir_message_func) (const struct nlmsghdr *message, void *data);

/* Reads multicast messages from @fd, at most @budget buffers, and hands each to @func.  Adds to
 * *@losses how often the kernel had to throw messages away; returns 1 when the budget was used up,
 * 0 when everything is read, or a negative errno. */
int
weir_netlink_read_events (int fd, unsigned budget, weir_message_func func, void *data,
                          uint64_t *losses);

struct weir_attributes
{
  const uint8_t *at, *end;
};

/* The attributes that follow @header_size bytes of payload. */
void
weir_attributes_init (struct weir_attributes *attributes, const struct nlmsghdr *message,
                      size_t header_size);

/* The attributes that are nested in one of @size bytes at @data. */
static inline struct weir_attributes
weir_attributes_nested (const void *data, size_t size)
{
  return (struct weir_attributes) { data, (const uint8_t *) data + size };
}

/* Type without its flags, data and size of the next attribute; false at the end, and at the first
 * one that does not lie whole inside.  Data is aligned as the message is, which is to 4 bytes.
 *
 * Here, because a dump of the connection tracking table has some forty a row. */
static inline bool
weir_attributes_next (struct weir_attributes *attributes, uint16_t *ret_type, const void **ret_data,
                      size_t *ret_size)
{
  size_t left = (size_t) (attributes->end - attributes->at);
  struct nlattr header;
  size_t aligned;

  if (left < NLA_HDRLEN)
    return false;
  memcpy (&header, attributes->at, sizeof header);
  if (header.nla_len < NLA_HDRLEN || header.nla_len > left)
    return false;
  *ret_type = header.nla_type & NLA_TYPE_MASK;
  *ret_data = attributes->at + NLA_HDRLEN;
  *ret_size = header.nla_len - NLA_HDRLEN;
  aligned = NLA_ALIGN ((size_t) header.nla_len);
  attributes->at = aligned < left ? attributes->at + aligned : attributes->end;
  return true;
}

/* The errno (positive) of an NLMSG_ERROR or NLMSG_DONE message; 0: it went well. */
int
weir_netlink_error (const struct nlmsghdr *message);
