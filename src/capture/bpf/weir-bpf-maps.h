/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the programs keep between two packets.  Sizes are set when they are loaded. */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "weir-bpf-layout.h"

#ifndef true
#define bool  _Bool
#define true  1
#define false 0
#endif

/* Set before the programs are loaded; the verifier leaves out what they rule out. */
const volatile uint32_t n_slots = WEIR_BPF_FLOWS_DEFAULT;
const volatile uint64_t idle_epochs = WEIR_BPF_IDLE_NS >> WEIR_BPF_EPOCH_SHIFT;
const volatile uint32_t changes_mask = WEIR_BPF_CHANGES_MIN - 1;
const volatile uint32_t guesses_mask = 0;
const volatile bool knows_netns = false;  /* bpf_get_netns_cookie() about a packet: Linux 6.15 */
const volatile bool knows_sender = false; /* who runs, while a packet is sent: Linux 6.10 */
const volatile bool knows_framer = false; /* the same, while a frame is */
/* The engine's pid namespace, when that is not the initial one: its processes have numbers there
 * that the engine knows, others have none.  Asked for by Linux 6.10; before, nobody has a number.
 */
const volatile uint64_t pid_namespace_device = 0;
const volatile uint64_t pid_namespace_inode = 0;
const volatile bool knows_pid_namespace = false;

/* Bits of @flags of struct notes besides enum weir_bpf_flag. */
enum
{
  NOTES_RELEASED = 1 << 16,  /* what comes now is late */
  NOTES_ELSEWHERE = 1 << 17, /* connected, and sends to others all the same */
  NOTES_MISSED = 1 << 18,    /* moved something while there was no slot */
  NOTES_NAMED = 1 << 19,     /* the meter was told who has it */
};

/* What is known of one socket.  A socket that comes out of accept(2) begins with a copy of its
 * listener's, which is told by the cookie (bpf(2), BPF_F_CLONE). */
struct notes
{
  uint64_t cookie;
  uint64_t cached; /* reference to the slot of its last packet; 0: none */
  uint32_t flags;
  uint32_t head;  /* one more than the first of its slots */
  uint32_t retry; /* epoch in which no slot could be had */
  uint32_t hand;  /* where the search for an idle slot of its own goes on */
  struct weir_bpf_owner user, opener;
  uint64_t netns_cookie;
  uint64_t born; /* CLOCK_BOOTTIME, ns */
};

/* Packets of connections that are not there yet: a listener's own. */
struct handshake
{
  uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets, rx_payload, tx_payload, rx_extra, tx_extra;
};

struct
{
  __uint (type, BPF_MAP_TYPE_SK_STORAGE);
  __uint (map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
  __type (key, int);
  __type (value, struct notes);
} sockets SEC (".maps");

struct
{
  __uint (type, BPF_MAP_TYPE_ARRAY);
  __uint (map_flags, BPF_F_MMAPABLE);
  __uint (max_entries, 1);
  __type (key, uint32_t);
  __type (value, struct weir_bpf_slot);
} slots SEC (".maps");

/* Slots that were used before and are free.  What was put there first is taken first, so that
 * everybody has time to read the last figures. */
struct
{
  __uint (type, BPF_MAP_TYPE_QUEUE);
  __uint (max_entries, 1);
  __type (value, uint32_t);
} freed SEC (".maps");

/* Flows of sockets that may have several.  TCP needs no entry: its sockets have one each. */
struct
{
  __uint (type, BPF_MAP_TYPE_HASH);
  __uint (map_flags, BPF_F_NO_PREALLOC);
  __uint (max_entries, 1);
  __type (key, struct weir_bpf_key);
  __type (value, uint64_t);
} flows SEC (".maps");

/* Where such a flow probably is, by what its key comes down to: to look there costs much less than
 * to look in the table.  Another flow may have put itself there. */
struct
{
  __uint (type, BPF_MAP_TYPE_ARRAY);
  __uint (max_entries, 1);
  __type (key, uint32_t);
  __type (value, uint64_t);
} guesses SEC (".maps");

/* How many slots such a socket has, by its cookie. */
struct
{
  __uint (type, BPF_MAP_TYPE_HASH);
  __uint (map_flags, BPF_F_NO_PREALLOC);
  __uint (max_entries, 1);
  __type (key, uint64_t);
  __type (value, uint64_t);
} shares SEC (".maps");

/* Who makes flows.  Users are told apart by their numbers up to those that containers are given, as
 * one user may be many of these; connections that came from a listener are made by the peer,
 * whoever that is. */
enum
{
  ACCOUNT_SUBORDINATE = 65536, /* subuid(5); this many users come before */
  ACCOUNT_ACCEPTED,
  ACCOUNT_UNKNOWN, /* sockets that were there before the programs */
  ACCOUNT_KERNEL,
  N_ACCOUNTS,
};

struct account
{
  uint64_t slots;         /* that it has */
  uint64_t last_shortage; /* CLOCK_BOOTTIME, ns: it had to give up one of its own */
  uint32_t named_epoch;   /* in which it last had a socket named, */
  uint32_t named;         /* ... and how many then */
};

struct
{
  __uint (type, BPF_MAP_TYPE_ARRAY);
  __uint (max_entries, N_ACCOUNTS);
  __type (key, uint32_t);
  __type (value, struct account);
} accounts SEC (".maps");

/* The least recently used give way, so that a flood of first packets costs nobody else anything. */
struct
{
  __uint (type, BPF_MAP_TYPE_LRU_HASH);
  __uint (max_entries, 1);
  __type (key, struct weir_bpf_key); /* @cookie: of the network namespace */
  __type (value, struct handshake);
} handshakes SEC (".maps");

struct
{
  __uint (type, BPF_MAP_TYPE_RINGBUF);
  __uint (max_entries, 512 * 1024);
} events SEC (".maps");

struct
{
  __uint (type, BPF_MAP_TYPE_ARRAY);
  __uint (map_flags, BPF_F_MMAPABLE);
  __uint (max_entries, 1);
  __type (key, uint32_t);
  __type (value, uint64_t);
} changes SEC (".maps");

struct
{
  __uint (type, BPF_MAP_TYPE_ARRAY);
  __uint (map_flags, BPF_F_MMAPABLE);
  __uint (max_entries, WEIR_BPF_CPUS);
  __type (key, uint32_t);
  __type (value, struct weir_bpf_statistics);
} statistics SEC (".maps");

struct
{
  __uint (type, BPF_MAP_TYPE_ARRAY);
  __uint (map_flags, BPF_F_MMAPABLE);
  __uint (max_entries, 1);
  __type (key, uint32_t);
  __type (value, struct weir_bpf_control);
} control SEC (".maps");

/* ---- small things that all need ---- */

/* A function of its own for the verifier, which then looks at it once and not on every path to it.
 */
#define APART __noinline

#define READ(place) (*(volatile typeof (place) *) &(place))

static __always_inline struct weir_bpf_control *
get_control (void)
{
  uint32_t first = 0;

  return bpf_map_lookup_elem (&control, &first);
}

static __always_inline struct weir_bpf_slot *
get_slot (uint32_t number)
{
  return bpf_map_lookup_elem (&slots, &number);
}

static __always_inline struct weir_bpf_statistics *
get_statistics (void)
{
  uint32_t place = bpf_get_smp_processor_id () % WEIR_BPF_CPUS;

  return bpf_map_lookup_elem (&statistics, &place);
}

/* Where stack is short: a function takes 32 bytes of it at least. */
static __always_inline void
add_count_here (enum weir_bpf_count count)
{
  struct weir_bpf_statistics *here = get_statistics ();

  if (here && count < WEIR_BPF_N_COUNTS)
    __sync_fetch_and_add (&here->counts[count], 1);
}

APART int
add_count (enum weir_bpf_count count)
{
  add_count_here (count);
  return 0;
}

APART int
add_sum (enum weir_bpf_sum_kind kind, uint32_t tx, uint64_t bytes, uint64_t packets)
{
  struct weir_bpf_statistics *here = get_statistics ();

  if (!here || kind >= WEIR_BPF_N_SUMS)
    return 0;
  __sync_fetch_and_add (tx ? &here->sums[kind].tx_bytes : &here->sums[kind].rx_bytes, bytes);
  __sync_fetch_and_add (tx ? &here->sums[kind].tx_packets : &here->sums[kind].rx_packets, packets);
  return 0;
}

static __always_inline uint64_t
get_epoch (void)
{
  return bpf_ktime_get_coarse_ns () >> WEIR_BPF_EPOCH_SHIFT;
}

APART int
tell (enum weir_bpf_event_kind kind, uint32_t number, uint32_t generation)
{
  struct weir_bpf_event event = { .kind = kind, .slot = number, .generation = generation };

  if (bpf_ringbuf_output (&events, &event, sizeof event, 0) < 0)
    add_count_here (WEIR_BPF_COUNT_RING_FULL);
  return 0;
}

/* To be called after what changed was written: who then reads the list finds it.  The reader looks
 * once more at what was marked in the epoch in which it read (source-bpf.c). */
static __always_inline void
mark (struct weir_bpf_slot *slot, uint32_t number)
{
  const uint64_t now = get_epoch (), before = READ (slot->epoch);
  struct weir_bpf_control *shared;
  uint64_t position, *entry;
  uint32_t place;

  if (before == now || __sync_val_compare_and_swap (&slot->epoch, before, now) != before)
    return;
  shared = get_control ();
  if (!shared)
    return;
  position = __sync_fetch_and_add (&shared->changes, 1);
  place = position & changes_mask;
  entry = bpf_map_lookup_elem (&changes, &place);
  if (entry)
    READ (*entry) = position << 32 | number;
}
