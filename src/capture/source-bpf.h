/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source: programs in the kernel that count every packet of every socket, in all network
 * namespaces, and note who makes a socket when it is made.
 *
 * Everything is read from mapped memory: no system call, no privilege.  Births and endings are
 * events; counters are read at a tick, and only of those flows that moved.
 *
 * What is in the memory comes from the kernel, but is about what anybody sends: indices are checked
 * and nothing is believed that does not fit together. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weir-bpf-open.h"
#include "weir-readings.h"

struct weir_bpf_process
{
  uint32_t pid; /* in the engine's pid namespace; 0: not known, or not in it */
  uint32_t uid; /* of the initial user namespace */
  uint64_t cgroup_id;
  char comm[WEIR_BPF_COMM_SIZE]; /* with a null; any other byte may be in it */
  bool has_threads_name;         /* @comm is that of a thread: its process's was not known */
};

/* One flow, as one socket sees it: what goes over the loopback is two flows.
 *
 * Bytes are from the network header on and grow with every packet; @rx_extra and @tx_extra are the
 * headers that segments have on the wire besides (segmentation offload: one large packet here is
 * many there), so that bytes + extra are the bytes of the packets.  Nothing is known of what a
 * fragment adds, nor of what a TCP connection gets and sends in TIME_WAIT, which is no socket. */
struct weir_bpf_reading
{
  uint32_t slot, generation; /* together they name the flow as long as the engine runs */
  uint32_t flags;            /* enum weir_bpf_flag */
  uint64_t cookie;           /* the socket's, as sock_diag tells it */
  uint64_t netns_cookie;     /* SO_NETNS_COOKIE; 0: not known */
  uint8_t protocol;          /* IPPROTO_*; of raw sockets that of the packets */
  uint8_t family;            /* of the packets: 4 or 6, 4 for v4-mapped addresses; 0 of frames */
  uint8_t direction;         /* enum weir_direction: OUT, IN or UNKNOWN */
  struct weir_endpoint local, remote;
  uint32_t discriminator; /* as in struct weir_conntrack_reading, an echo's reply as its request */
  uint32_t ifindex;       /* of the last packet, in the flow's own network namespace; 0: none */
  uint64_t born;          /* first packet that was counted, CLOCK_BOOTTIME, ns */
  uint64_t rx_bytes, tx_bytes;
  uint64_t rx_packets, tx_packets; /* segments */
  uint64_t rx_payload, tx_payload; /* behind the transport header */
  uint64_t rx_extra, tx_extra;
  struct weir_bpf_process opener; /* made the socket, or the listener that it came from */
  struct weir_bpf_process user;   /* was last seen using it: connect, bind, accept, send, close */
};

/* What moved and is in no flow. */
struct weir_bpf_totals
{
  struct weir_bpf_sum sums[WEIR_BPF_N_SUMS];
  uint64_t counts[WEIR_BPF_N_COUNTS];
  struct weir_bpf_sum unread; /* of flows that ended before their last figures were read */
  uint64_t full_scans;        /* the list of what changed overran, so all slots were looked at */
  uint64_t torn;              /* readings that did not fit together and were left for later */
  uint64_t bad_events;        /* in the ring, of a kind or size that nobody knows */
  uint64_t used_slots;        /* that were ever used: what a full scan looks at */
};

struct weir_bpf_seen;

/* Entries of the list of what changed that may wait to be written, before all slots are looked at
 * instead */
#define WEIR_BPF_HELD_MAX 32

struct weir_bpf_source
{
  struct weir_bpf_opened opened;
  struct weir_bpf_seen *seen; /* of each slot what was last read of it */
  /* Slots that may have changed after they were last read: a queue, each is in it once */
  uint32_t *again, again_at, n_again;
  uint64_t read_changes; /* entries of the list that were read */
  /* Those among them that were not written yet, a queue, and the reading that came upon each */
  struct
  {
    uint64_t position;
    uint32_t reading;
  } held[WEIR_BPF_HELD_MAX];
  uint32_t n_held;
  /* The reading that runs or ran last, over any number of weir_bpf_source_read_changes(): what is
   * left of what there was when it began */
  uint32_t reading;
  bool is_reading;
  uint32_t left_again, left_held;
  uint64_t end; /* of the entries of the list */
  uint32_t scan_at, scan_end;
  struct weir_bpf_sum retired_seen;
  uint64_t full_scans, torn, bad_events;
  bool is_held_up; /* by an event that is not written yet, when they were last read */
};

enum weir_bpf_news
{
  WEIR_BPF_NEWS_BORN,    /* the first time that the flow is told of */
  WEIR_BPF_NEWS_CHANGED, /* counters, user, or nothing at all */
  WEIR_BPF_NEWS_CLOSED,  /* its socket was; changes may still follow, see WEIR_BPF_CLOSED */
  WEIR_BPF_NEWS_ENDED,   /* its slot is another flow's: only slot and generation are set, and the
                          * figures that were told before are the last */
  /* Of a socket that anybody may send to, and of no flow: only its cookie is set, and of NAMED
   * who has it as @user, or who made it as @opener, and since when as @born. */
  WEIR_BPF_NEWS_NAMED,
  WEIR_BPF_NEWS_RELEASED,
};

typedef void (*weir_bpf_func) (const struct weir_bpf_reading *reading, enum weir_bpf_news news,
                               void *data);

/* Takes over @opened, whatever its state; a source that is unavailable has nothing to tell.
 * 0 or -ENOMEM, with @opened unchanged. */
int
weir_bpf_source_init (struct weir_bpf_source *source, const struct weir_bpf_opened *opened);
void
weir_bpf_source_clear (struct weir_bpf_source *source);

/* Readable when there are events; -1 when unavailable.  For poll(2) and nothing else. */
int
weir_bpf_source_get_fd (const struct weir_bpf_source *source);

/* What happened since the last call, at most @budget events, each told of with the flow's current
 * figures.  Whether there is more that can be read now: poll(2) says so, too, of an event that is
 * not written yet, and of all behind it, @is_held_up. */
bool
weir_bpf_source_read_events (struct weir_bpf_source *source, unsigned budget, weir_bpf_func func,
                             void *data);

/* To be called at a tick: tells of each flow that may have moved since the last reading, once; of
 * those that an event should have told of and did not, too.  Cost goes with what moved, not with
 * what there is, and no more than @budget slots are looked at: false when that is not all, and the
 * next call goes on.  Once it is true, all is told of that moved before the first of these calls,
 * but for a flow that somebody was interrupted in marking: that one a few readings later at most.
 */
bool
weir_bpf_source_read_changes (struct weir_bpf_source *source, unsigned budget, weir_bpf_func func,
                              void *data);

/* The current figures of one flow; false when its slot is another's by now, or free. */
bool
weir_bpf_source_read_flow (struct weir_bpf_source *source, uint32_t slot, uint32_t generation,
                           struct weir_bpf_reading *ret_reading);

/* @unread is exact right after a weir_bpf_source_read_changes() that was true: what was retired
 * since counts as unread until the next one. */
void
weir_bpf_source_get_totals (const struct weir_bpf_source *source,
                            struct weir_bpf_totals *ret_totals);
