/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which addresses are this network namespace's own: what tells local from remote, and forwarded
 * from both.  IPv4 addresses are kept as v4-mapped IPv6 addresses, here and everywhere in the
 * engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Machines with more addresses exist only as mistakes; beyond it the rest is not known as own,
 * which is counted. */
#define WEIR_ADDRESSES_MAX 65536

void
weir_address_map_v4 (const void *v4, uint8_t ret_address[16]);
bool
weir_address_is_v4 (const uint8_t address[16]);
/* 0.0.0.0 or :: */
bool
weir_address_is_any (const uint8_t address[16]);
bool
weir_address_is_loopback (const uint8_t address[16]);

struct weir_address_list
{
  uint8_t (*items)[16];
  size_t n, capacity;
};

struct weir_addresses
{
  struct weir_address_list own;
  struct weir_address_list broadcast;
  /* What is being read; it becomes the above when the reading is complete. */
  struct weir_address_list next_own;
  struct weir_address_list next_broadcast;
  bool known;       /* at least one reading was complete */
  uint32_t version; /* changes with what is known */
  uint64_t refused; /* addresses that found no room */
};

void
weir_addresses_init (struct weir_addresses *addresses);
void
weir_addresses_clear (struct weir_addresses *addresses);

/* One reading: begin, add any number, complete. */
void
weir_addresses_begin (struct weir_addresses *addresses);
void
weir_addresses_add (struct weir_addresses *addresses, const uint8_t address[16]);
void
weir_addresses_add_broadcast (struct weir_addresses *addresses, const uint8_t address[16]);
void
weir_addresses_complete (struct weir_addresses *addresses);

/* Own unicast addresses; 127.0.0.0/8 and ::1 always, multicast and broadcast never. */
bool
weir_addresses_is_local (const struct weir_addresses *addresses, const uint8_t address[16]);
/* Multicast, or broadcast on one of the own networks: delivered to any number of receivers. */
bool
weir_addresses_is_group (const struct weir_addresses *addresses, const uint8_t address[16]);
