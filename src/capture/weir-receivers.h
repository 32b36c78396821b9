/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can receive without being a flow: listeners, UDP sockets without a peer, raw, ping and
 * packet sockets; and what of them the front end does not know yet.
 *
 * One is known by inode and cookie together, within its network namespace. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weir-addresses.h"
#include "weir-hash.h"
#include "weir-owners.h"
#include "weir-readings.h"
#include "weir-wire.h"

/* Places that sockets with ports leave to raw, ping and packet sockets: everybody can make very
 * many of the first, so they could hide the others. */
#define WEIR_RECEIVERS_RESERVED 512

struct weir_receiver
{
  uint64_t id, cookie;
  uint64_t first_seen; /* CLOCK_BOOTTIME, ns; 0: it was there before the engine */
  uint64_t cgroup_id;
  uint8_t address[16];
  uint32_t netns, inode, uid, ifindex;
  uint32_t queue, backlog;
  uint32_t owner; /* number in weir_owners, 0: none */
  uint32_t round; /* of the last dump that showed it */
  uint32_t next;  /* number, 0: none */
  uint16_t port, protocol;
  uint8_t kind; /* enum weir_socket_kind */
  uint8_t family;
  uint8_t owner_how, owner_missing, owner_version;
  bool v6_only, is_promiscuous, has_queue;
  bool in_use, is_dirty, is_published, is_gone;
};

struct weir_receivers
{
  struct weir_receiver *items;
  uint32_t n_slots, capacity, first_free;
  uint32_t *buckets;
  struct weir_hash_key hash_key;
  uint32_t n, n_ports; /* that are there: all, and those with ports */
  uint64_t next_id;
  struct weir_receivers_summary shown;
  bool was_shown;
};

int
weir_receivers_init (struct weir_receivers *receivers);
void
weir_receivers_clear (struct weir_receivers *receivers);

/* A dump of namespace @netns, the @round th, shows a socket whose owner is number @owner.  @now: 0
 * when it may be older than the engine.  False: there is no room for it. */
bool
weir_receivers_see (struct weir_receivers *receivers, uint32_t netns, uint32_t round,
                    const struct weir_socket_reading *reading, uint32_t owner, uint64_t now);
/* Those of @netns that no dump since @round has shown are gone. */
void
weir_receivers_sweep (struct weir_receivers *receivers, uint32_t netns, uint32_t round);

/* The dump that runs, the @round th of @netns, cannot tell which of this kind and family are gone:
 * all stay, and so do their owners. */
void
weir_receivers_keep (struct weir_receivers *receivers, const struct weir_owners *owners,
                     uint32_t netns, enum weir_socket_kind kind, uint8_t family, uint32_t round);

/* The packet socket of @netns with that cookie, as the last dump showed it; NULL: it did not. */
const struct weir_receiver *
weir_receivers_find_packet (const struct weir_receivers *receivers, uint32_t netns,
                            uint64_t cookie);

/* Writes what is new as LISTENERS.  @not_listed: sockets that found no room. */
void
weir_receivers_publish (struct weir_receivers *receivers, const struct weir_owners *owners,
                        uint32_t not_listed, struct weir_writer *writer);
