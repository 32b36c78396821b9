/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kind of thing a network interface is, and at which ones the bytes of this computer are
 * counted.  Pure logic. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir-wire.h"

/* An interface, and what is remembered of it between two readings. */
struct weir_link
{
  struct weir_interface_record record;
  bool has_device; /* a device of a bus is behind it: IFLA_PARENT_DEV_NAME */
  bool is_virtio;  /* ... of a virtual one: IFLA_PARENT_DEV_BUS_NAME */
  /* Reading before the last one that was published */
  uint64_t shown_rx_bytes, shown_tx_bytes;
  bool was_shown;
};

/* Sets the type from what the kernel says; name, flags, link type and lower must be there. */
void
weir_link_classify (struct weir_link *link);

/* Whether what passes @link, one of @links, is counted somewhere in this namespace as it is on the
 * wire: one frame for each segment.  What is handed from one place of the memory to another is
 * counted in pieces that may be many segments. */
bool
weir_links_counts_segments (const struct weir_link *links, size_t n, const struct weir_link *link);

/* Marks the interfaces that are counted: each byte that enters or leaves this network namespace
 * passes exactly one of them. */
void
weir_links_choose_counted (struct weir_link *links, size_t n);
