/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that the programs in the kernel write and the meter reads, through mappings that it cannot
 * make writable.  Both are compiled from this file, for the same machine: native byte order.
 *
 * A slot holds one flow.  Its number is used again for another flow, as late as can be; which one
 * it is says the generation.  Counters only ever grow while the generation stays. */
#pragma once

#ifdef __bpf__
#include <linux/types.h>
typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __u64 uint64_t;
#else
#include <stdint.h>
#endif

/* Slots: 256 bytes of kernel memory each, and as much again for what goes with them. */
#define WEIR_BPF_FLOWS_MIN     64
#define WEIR_BPF_FLOWS_DEFAULT 65536
#define WEIR_BPF_FLOWS_MAX     262144

/* Marks of one flow are at least this far apart: 2^27 ns, 0.13 s. */
#define WEIR_BPF_EPOCH_SHIFT 27

/* Entries of the list of what changed, for one slot: it can be marked in several epochs before the
 * list is read.  Both are powers of two. */
#define WEIR_BPF_CHANGES_PER_SLOT 2
#define WEIR_BPF_CHANGES_MIN      1024

/* A flow that moved nothing for so long may give up its slot when there is no other. */
#define WEIR_BPF_IDLE_NS 30000000000ULL

/* Of all slots, the part that one socket may have, and that the kernel's own sockets may have
 * together: who sends from many addresses must not take the room of all others. */
#define WEIR_BPF_SOCKET_SHARE 4
#define WEIR_BPF_KERNEL_SHARE 16

/* Who has so many times the slots that are free gets none of these: whoever comes first has three
 * quarters of all, and each who comes later three quarters of what was left, so that all is taken
 * by nobody.  Who has less than the other part of all slots, and no room, gets what others leave
 * idle. */
#define WEIR_BPF_ACCOUNT_TIMES 3
#define WEIR_BPF_ACCOUNT_SHARE 4

/* Sockets that are named for one account in an epoch: who binds without end must not fill the ring
 * of events.  Others are named when they send or are connected to. */
#define WEIR_BPF_NAMED_MAX 256

/* Counters that every packet may touch are kept apart for so many processors. */
#define WEIR_BPF_CPUS 64

#define WEIR_BPF_COMM_SIZE 16

/* A name ends with a null, so its last byte is there for this: the name is that of a thread, as
 * that of its process was not known. */
#define WEIR_BPF_COMM_THREADS 1

struct weir_bpf_owner
{
  uint32_t pid; /* thread group; 0: not known */
  uint32_t uid;
  uint64_t cgroup_id;
  uint64_t comm[WEIR_BPF_COMM_SIZE / 8];
};

/* @tag: the generation in the upper half, one of these in the lower. */
enum weir_bpf_slot_state
{
  WEIR_BPF_SLOT_FREE = 0, /* still holds the last flow, which may get late packets */
  WEIR_BPF_SLOT_BUSY = 1,
  WEIR_BPF_SLOT_CHANGING = 2, /* is being filled */
};

/* Bits of a slot's @flags. */
enum weir_bpf_flag
{
  WEIR_BPF_WHOLE = 1 << 0,     /* the socket was made while the programs ran */
  WEIR_BPF_CONNECTED = 1 << 1, /* it called connect(2) */
  WEIR_BPF_ACCEPTED = 1 << 2,  /* it came from a listener */
  WEIR_BPF_FIRST_TX = 1 << 3,  /* the first packet of the flow was sent */
  WEIR_BPF_FIRST_RX = 1 << 4,  /* ... was received */
  WEIR_BPF_KERNEL = 1 << 5,    /* a socket of the kernel's own, as far as can be told */
  WEIR_BPF_RAW = 1 << 6,       /* a raw socket: it gets copies of what others get */
  WEIR_BPF_CONTINUED = 1 << 7, /* may have had an earlier slot, or packets without one */
  WEIR_BPF_CLOSED = 1 << 8,    /* its socket was closed */
  WEIR_BPF_FRAMES = 1 << 9,    /* what a packet socket sends on one interface: bytes are those of
                                * whole frames, and of the key there is only what tells them apart */
};

/* Addresses in network order, ports and all else in host order. */
struct weir_bpf_key
{
  uint64_t cookie; /* of the socket */
  uint32_t local[4], remote[4];
  uint16_t local_port, remote_port;
  uint8_t protocol;       /* IPPROTO_* */
  uint8_t family;         /* of the packets: 4 or 6; 0 of frames */
  uint16_t unused;        /* 0 */
  uint32_t discriminator; /* ICMP: as in struct weir_conntrack_reading; frames: interface */
  uint32_t netns; /* of its cookie, for sockets of the kernel's that serve several; else 0 */
};

/* Four cache lines: which flow it is, what is sent, what is received, and what seldom changes.  One
 * processor may send while another one receives: neither has to wait for the line that the other
 * one writes, and what both read is in lines that hardly anybody writes. */
struct weir_bpf_slot
{
  uint64_t tag;
  struct weir_bpf_key key;

  uint64_t tx_bytes;          /* from the network header on, as the network layer saw them */
  uint64_t tx_packets;        /* segments */
  uint64_t tx_payload;        /* behind the transport header */
  uint64_t tx_extra;          /* headers that segments have besides those in bytes */
  struct weir_bpf_owner user; /* who was last seen using it */

  uint64_t rx_bytes, rx_packets, rx_payload, rx_extra; /* the same */
  struct weir_bpf_owner opener; /* who made the socket, or the listener that it came from */

  uint64_t epoch;        /* in which it was last put on the list of what changed */
  uint32_t flags;        /* enum weir_bpf_flag */
  uint32_t ifindex;      /* of the last packet */
  uint64_t netns_cookie; /* 0: not known */
  uint64_t born;         /* first packet, CLOCK_BOOTTIME, ns */
  uint32_t next;         /* the programs': another slot of the same socket */
  uint32_t account;      /* the programs': who has it */
} __attribute__ ((aligned (64)));
_Static_assert (sizeof (struct weir_bpf_key) == 56 && sizeof (struct weir_bpf_owner) == 32 &&
                    sizeof (struct weir_bpf_slot) == 256,
                "each part fills a line");

struct weir_bpf_sum
{
  uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
};

/* What is in no slot.  Nothing is in two of the first four; FOLDED is a part of HANDSHAKES. */
enum weir_bpf_sum_kind
{
  WEIR_BPF_SUM_NO_ROOM,    /* there was no slot for the flow */
  WEIR_BPF_SUM_LATE,       /* of a closed socket whose slot has been used again */
  WEIR_BPF_SUM_NO_SOCKET,  /* of a socket that is none any more, or not yet, or without memory */
  WEIR_BPF_SUM_COPIES,     /* copies for raw sockets of what other sockets get */
  WEIR_BPF_SUM_HANDSHAKES, /* seen at listeners ... */
  WEIR_BPF_SUM_FOLDED,     /* ... and since then put into a slot */
  WEIR_BPF_SUM_RETIRED,    /* was in slots that were used again */
  WEIR_BPF_N_SUMS,
};

enum weir_bpf_count
{
  WEIR_BPF_COUNT_BIRTHS,
  WEIR_BPF_COUNT_CLOSED,
  WEIR_BPF_COUNT_EVICTED,
  WEIR_BPF_COUNT_NO_ROOM,    /* attempts to find a slot that failed */
  WEIR_BPF_COUNT_NO_MEMORY,  /* the kernel had no memory for a socket's notes or a key */
  WEIR_BPF_COUNT_RING_FULL,  /* events that nobody was told of */
  WEIR_BPF_COUNT_NOT_FREED,  /* slots that could not be put back and wait to be evicted */
  WEIR_BPF_COUNT_CHAIN_LOST, /* closed sockets whose slots were looked for among all */
  WEIR_BPF_N_COUNTS,
};

struct weir_bpf_statistics
{
  struct weir_bpf_sum sums[WEIR_BPF_N_SUMS];
  uint64_t counts[WEIR_BPF_N_COUNTS];
};

struct weir_bpf_control
{
  uint64_t changes;       /* entries ever put on the list of what changed */
  uint64_t fresh;         /* slots ever taken that were never used before, and attempts to */
  uint64_t hand;          /* where the search for an idle slot goes on */
  uint64_t taken;         /* slots that flows have */
  uint64_t last_shortage; /* CLOCK_BOOTTIME, ns: an idle one of anybody's was taken away */
};

/* Entry number n of the list is at n modulo its size, and holds the lower half of n in its upper
 * half; the number of the slot in its lower. */

enum weir_bpf_event_kind
{
  WEIR_BPF_EVENT_BORN = 1,
  WEIR_BPF_EVENT_CLOSED = 2, /* its socket; late packets are still counted */
  WEIR_BPF_EVENT_ENDED = 3,  /* evicted: the slot is another flow's */
};

struct weir_bpf_event
{
  uint32_t kind;
  uint32_t slot;
  uint32_t generation;
  uint32_t unused;
};

/* Sockets that anybody may send to have no flow before somebody does.  Told apart from the above by
 * their size. */
enum weir_bpf_socket_event_kind
{
  WEIR_BPF_EVENT_NAMED = 1,    /* who has it */
  WEIR_BPF_EVENT_RELEASED = 2, /* one that was named was closed; only its cookie is set */
};

struct weir_bpf_socket_event
{
  uint32_t kind;
  uint32_t is_opener; /* @owner made it, and may have ended since; else it used it just then */
  uint64_t cookie;
  uint64_t since; /* CLOCK_BOOTTIME, ns: when @owner had it */
  struct weir_bpf_owner owner;
};
