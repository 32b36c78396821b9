/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One flow is one row: what all sources know about one connection as seen from one end.
 *
 * Memory: a flow takes 224 bytes (asserted in the source file); with both hash tables that is 59
 * MiB for WEIR_FLOWS_MAX flows and less than 1 MiB for 4096.  Only flows behind a translation,
 * those whose counters began anew, and those that kernel programs count take another 80 bytes, and
 * the last ones 120 more.  Slots are reused, never given back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir-hash.h"
#include "weir-wire.h"

/* Compared and hashed as bytes: zero it before filling it in. */
struct weir_flow_key
{
  uint8_t local[16], remote[16];
  uint16_t local_port, remote_port;
  uint32_t netns;
  /* Of protocols without ports: as in struct weir_conntrack_reading; of frames: the interface */
  uint32_t discriminator;
  uint16_t zone; /* with has_zone */
  uint8_t protocol;
  uint8_t family : 7; /* 4 or 6; 0: frames, and @remote begins with the cookie of their socket */
  /* Another flow, of another zone of conntrack, has the same key without this. */
  uint8_t has_zone : 1;
};

enum weir_flow_flag
{
  /* Who knows the flow now */
  WEIR_FLOW_HAS_CONNTRACK = 1 << 0,
  WEIR_FLOW_HAS_SOCKET = 1 << 1,   /* includes the remains in TIME_WAIT */
  WEIR_FLOW_IN_TIME_WAIT = 1 << 2, /* only the remains of its socket are left */
  /* What was learnt so far */
  WEIR_FLOW_HAD_CONNTRACK = 1 << 3,
  WEIR_FLOW_HAD_SOCKET = 1 << 4,
  WEIR_FLOW_HAS_UID = 1 << 5,
  WEIR_FLOW_HAS_TCP_BYTES = 1 << 6,
  WEIR_FLOW_HAS_TCP_TIMES = 1 << 7,
  WEIR_FLOW_HAS_COUNTERS = 1 << 8, /* conntrack counted it, or part of it */
  WEIR_FLOW_FIN_RECEIVED = 1 << 9,
  WEIR_FLOW_SOCKET_DESTROYED = 1 << 10, /* the kernel said so; what a dump still shows is stale */
  WEIR_FLOW_REVERSED = 1 << 11,         /* conntrack's first packet came from the remote end */
  WEIR_FLOW_IS_FRESH = 1 << 12, /* its conntrack entry was learnt from an event, not from a dump */
  /* ... for addresses that another entry had before: dumps may still show that one. */
  WEIR_FLOW_IS_REBORN = 1 << 24,
  WEIR_FLOW_HAS_NAT = 1 << 13,
  WEIR_FLOW_SEEN_REPLY = 1 << 14,
  /* Publication */
  WEIR_FLOW_NO_RATE = 1 << 15, /* in the next tick its bytes are no measure of speed */
  WEIR_FLOW_IS_PUBLISHED = 1 << 16,
  WEIR_FLOW_RATE_SHOWN = 1 << 17,     /* the last published rate was not zero, or absent */
  WEIR_FLOW_IS_ENDED = 1 << 18,       /* no source knows it any more; waits for publication */
  WEIR_FLOW_WAS_SEEN = 1 << 19,       /* took part in a tick: its bytes so far are in @shown_ */
  WEIR_FLOW_OWNER_IS_EXACT = 1 << 21, /* @owner is the flow's own socket, not one that serves it */
  /* Several sockets serve the flow, and @owner is that of one of them: weir_join_choose_shared().
   */
  WEIR_FLOW_OWNER_IS_SHARED = 1 << 23,
  /* No socket of the last dump serves the flow: not to be searched for until the next one. */
  WEIR_FLOW_OWNER_IS_NOBODY = 1 << 25,
  WEIR_FLOW_IS_CHOSEN = 1 << 20, /* scratch of the publisher: among this tick's rows */
  /* TCP counted on when conntrack no longer did: its figures are the better ones now. */
  WEIR_FLOW_TCP_MOVED_ON = 1 << 22,
  WEIR_FLOW_HAS_MARK = 1 << 26, /* conntrack told one, which may be 0 */
  /* Whether a FIN is among the last bytes of the socket; see weir-join-endings.c. */
  WEIR_FLOW_FIN_UNDECIDED = 1 << 27, /* the next dump tells */
  WEIR_FLOW_FIN_QUEUED = 1 << 28,    /* ... something was never read */
  WEIR_FLOW_OWN_FIN_MAYBE = 1 << 29, /* ... it is not known whether it had sent a FIN itself */
  WEIR_FLOW_SHUT_BY_OWNER = 1 << 30, /* a dump showed it shut in one direction, and open */
};
/* Its socket was destroyed, and what remains of it may show up in the next dump: until then the
 * flow stays, or the remains would be another one.  (Too large for an enumerator.) */
#define WEIR_FLOW_AWAITS_DUMP (UINT32_C (1) << 31)

/* Kept beside the flows, a byte for each: of very many flows only few have anything to do in a
 * tick, and looking at all the others would be most of the work. */
enum weir_flow_mark
{
  WEIR_MARK_IN_USE = 1 << 0,
  /* Somebody looked it up, so that it may have changed: it has to be settled and told of. */
  WEIR_MARK_TOUCHED = 1 << 1,
  WEIR_MARK_SOCKET = 1 << 2, /* has a socket, or had one when that was last looked at */
  WEIR_MARK_OWNED = 1 << 3,  /* has an owner, of whom there may be news */
  WEIR_MARK_ROW = 1 << 4,    /* the same as WEIR_FLOW_IS_PUBLISHED */
  /* Since the last tick, and there may be something to tell of it before the next one. */
  WEIR_MARK_NEW = 1 << 5,
  /* With @has_bpf: all its sockets are closed; it ends when nothing moves for a while */
  WEIR_MARK_CLOSED = 1 << 6,
  WEIR_MARK_IDLE = 1 << 7,
};

/* What kernel programs know of the flow: the sum of all its sockets', and of all slots that these
 * had one after the other. */
struct weir_flow_bpf
{
  /* As in struct weir_bpf_reading */
  uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
  uint64_t rx_payload, tx_payload, rx_extra, tx_extra;
  /* What another source had counted before they did, in its own measure, or when the socket was
   * gone
   */
  uint64_t base_rx_bytes, base_tx_bytes, base_rx_packets, base_tx_packets;
  uint64_t moved_at; /* CLOCK_BOOTTIME, ns: when it moved, or was closed, last */
  uint32_t opener; /* number in weir_owners of who made its socket, 0: who uses it, or not known */
  uint32_t n_open; /* slots whose sockets are open */
  uint8_t links;   /* enum weir_flow_links */
  bool is_whole : 1;   /* they were there before its first packet */
  bool has_base : 1;   /* ... or what was before is known */
  bool was_closed : 1; /* at least one socket of it */
  bool is_kernels : 1; /* no program made its socket */
  bool is_moving : 1;  /* since its socket was asked for times and state */
};

/* How the interfaces count which the flow's packets pass. */
enum weir_flow_links
{
  WEIR_LINKS_NOT_KNOWN,
  WEIR_LINKS_AGGREGATES, /* many segments as one frame, as between two processes */
  WEIR_LINKS_SEGMENTS,   /* what is on the wire */
};

/* Rarely needed, hence apart. */
struct weir_flow_extra
{
  struct weir_endpoint nat_local, nat_remote;
  /* What conntrack counted in entries of this flow that are gone */
  uint64_t base_rx_bytes, base_tx_bytes, base_rx_packets, base_tx_packets;
  struct weir_flow_bpf *bpf; /* NULL: kernel programs never saw it */
};

struct weir_flow
{
  struct weir_flow_key key;
  uint32_t next_by_key; /* number of a flow, 0: none */
  uint32_t ct_mark;     /* with WEIR_FLOW_HAS_MARK */
  uint64_t id;
  uint64_t first_seen;

  /* conntrack: cumulative, from the local end's point of view */
  uint64_t ct_rx_bytes, ct_tx_bytes, ct_rx_packets, ct_tx_packets;
  uint32_t ct_id;
  uint32_t ct_round;

  /* socket */
  uint64_t cookie;
  uint64_t tcp_rx_bytes, tcp_tx_bytes;
  uint32_t rtt_us, retransmits;
  uint64_t cgroup_id;
  uint32_t next_by_cookie; /* number of a flow, 0: none */
  uint32_t uid;
  uint32_t ifindex;
  uint32_t socket_round;
  uint32_t owner; /* number in weir_owners, 0: none */
  uint32_t flags; /* enum weir_flow_flag */

  /* publication: the bytes of the last tick that was published */
  uint64_t shown_rx_bytes, shown_tx_bytes;
  struct weir_flow_extra *extra;

  uint8_t state;        /* enum weir_flow_state */
  uint8_t direction;    /* enum weir_direction */
  uint8_t bytes_source; /* enum weir_source */
  uint8_t dirty;        /* enum weir_flow_group: what the front end does not know yet */
  uint8_t ct_state;     /* of TCP, SCTP and DCCP as the kernel numbers it, 0: none */
  uint8_t socket_state; /* TCP_ESTABLISHED ... */
  uint8_t owner_how, owner_missing;
  uint8_t owner_version; /* of the weir_owner when it was last looked at */
  uint8_t in_use : 1;
  uint8_t ct_zone_direction : 2; /* enum weir_zone_direction */
  uint8_t has_bpf : 1;           /* as the _HAS_ flags: kernel programs know a socket of it */
  /* Has a socket, and kernel programs that saw that being made did not have room for it: what it
   * moves is among their totals. */
  uint8_t is_elsewhere : 1;
  uint8_t has_moved : 1;    /* connection tracking counted more than there was at first */
  uint8_t is_unwatched : 1; /* it may go on, and nobody can tell any more */
  uint16_t ct_zone;
  uint32_t number;       /* its slot + 1 */
  uint32_t next_in_dump; /* number of the flow that followed in the last dump of conntrack, or 0 */
};

/* One in so many places is kept for flows with a socket: anybody who sends packets can make the
 * others. */
#define WEIR_FLOWS_RESERVED 8

#define WEIR_FLOWS_PER_CHUNK 1024
#define WEIR_FLOW_CHUNKS     (WEIR_FLOWS_MAX / WEIR_FLOWS_PER_CHUNK)

struct weir_flow_table
{
  struct weir_flow *chunks[WEIR_FLOW_CHUNKS];
  uint8_t *marks;   /* enum weir_flow_mark of each slot */
  uint32_t n_slots; /* slots that were ever used */
  uint32_t n_flows; /* slots in use */
  uint32_t max;
  uint32_t first_free; /* number, chained by next_by_key */
  uint32_t *by_key, *by_cookie;
  uint32_t n_buckets; /* of each, a power of two */
  struct weir_hash_key hash_key;
  uint64_t next_id;
  uint64_t refused; /* flows that found no room */
};

/* @max: at most WEIR_FLOWS_MAX.  Returns 0 or a negative errno. */
int
weir_flow_table_init (struct weir_flow_table *table, uint32_t max);
void
weir_flow_table_clear (struct weir_flow_table *table);

/* Whatever is found, or made, is marked as touched. */
struct weir_flow *
weir_flow_table_find (const struct weir_flow_table *table, const struct weir_flow_key *key);
struct weir_flow *
weir_flow_table_find_cookie (const struct weir_flow_table *table, uint64_t cookie);

/* A new flow under @key, which no flow has; NULL (and counted) when there is no room. */
struct weir_flow *
weir_flow_table_add (struct weir_flow_table *table, const struct weir_flow_key *key, uint64_t now);
/* The same for a flow that no socket is known of; it may not use the places that are reserved. */
struct weir_flow *
weir_flow_table_add_without_socket (struct weir_flow_table *table, const struct weir_flow_key *key,
                                    uint64_t now);
/* Takes the flow out of both indexes, so that its key is free for another; it stays in the table.
 */
void
weir_flow_table_unlink (struct weir_flow_table *table, struct weir_flow *flow);
/* Also unlinks. */
void
weir_flow_table_remove (struct weir_flow_table *table, struct weir_flow *flow);

/* Files the flow under another key, which no flow has. */
void
weir_flow_table_rekey (struct weir_flow_table *table, struct weir_flow *flow,
                       const struct weir_flow_key *key);
/* 0 takes the cookie away. */
void
weir_flow_table_set_cookie (struct weir_flow_table *table, struct weir_flow *flow, uint64_t cookie);

/* The flow's extra, made when it has none; NULL: out of memory. */
struct weir_flow_extra *
weir_flow_need_extra (struct weir_flow *flow);

/* NULL: kernel programs never saw the flow. */
static inline struct weir_flow_bpf *
weir_flow_get_bpf (const struct weir_flow *flow)
{
  return flow->extra != NULL ? flow->extra->bpf : NULL;
}
/* Made when there is none; NULL: out of memory. */
struct weir_flow_bpf *
weir_flow_need_bpf (struct weir_flow *flow);

/* Every flow in use from slot *@slot on; begins with 0.  Flows may be removed meanwhile. */
struct weir_flow *
weir_flow_table_next (const struct weir_flow_table *table, uint32_t *slot);

/* The same for those that have one of @marks. */
struct weir_flow *
weir_flow_table_next_marked (const struct weir_flow_table *table, uint32_t *slot, uint8_t marks);
/* The flow with this number, not touched; NULL: there is none (any more). */
struct weir_flow *
weir_flow_table_get (const struct weir_flow_table *table, uint32_t number);
void
weir_flow_table_mark (struct weir_flow_table *table, const struct weir_flow *flow, uint8_t marks);
void
weir_flow_table_unmark (struct weir_flow_table *table, const struct weir_flow *flow, uint8_t marks);
bool
weir_flow_table_is_marked (const struct weir_flow_table *table, const struct weir_flow *flow,
                           uint8_t marks);

/* What the best source counted.  False: nobody did, which is not the same as 0. */
bool
weir_flow_get_bytes (const struct weir_flow *flow, uint64_t *ret_rx, uint64_t *ret_tx);
/* The same of packets. */
bool
weir_flow_get_packets (const struct weir_flow *flow, uint64_t *ret_rx, uint64_t *ret_tx);
