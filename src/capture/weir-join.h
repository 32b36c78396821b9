/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the sources meet: their readings become flows, here and once.  Pure logic: time is an
 * argument, and nothing is read or written. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "source-conntrack.h"
#include "source-sockdiag.h"
#include "weir-addresses.h"
#include "weir-flow-table.h"
#include "weir-fresh.h"
#include "weir-join-bpf.h"
#include "weir-owners.h"
#include "weir-readings.h"
#include "weir-receivers.h"
#include "weir-socket-index.h"

/* What decides, within one network namespace, whose a flow is.  Addresses and ports mean something
 * only together with it: nothing of one namespace is ever looked up in another's. */
struct weir_netns
{
  uint32_t inode;
  struct weir_addresses addresses;
  struct weir_socket_index sockets;
  /* CLOCK_BOOTTIME: when the kernel was asked for the series of dumps that runs or ran last, told
   * by whoever asks; 0: not known, then nothing follows from a socket's being new. */
  uint64_t asked_at;
  uint32_t not_listed, not_listed_now; /* receivers without a place: of the last dump, of this */
  uint32_t round;                      /* of the series of dumps that runs or ran last, */
  uint32_t round_before;               /* ... and of the last complete one before it */
  bool dumping;                        /* a series of dumps has begun and is not complete */
  bool sockets_known;                  /* at least one dump was complete */
  uint8_t n_complete;                  /* dumps that were, up to 2: one alone may miss a socket */
  uint32_t n_sockets;                  /* that processes can hold, of the last whole dump */
  uint32_t n_sockets_now;              /* of the one that runs */
  uint32_t addresses_version;          /* of the addresses that owners were looked for with */
  uint64_t read_at, shown_at; /* CLOCK_BOOTTIME: of the last whole dump, and of the last that was
                                 published; not used for the engine's own */
};

/* What the owner of a flow follows from, apart from what the flow itself says: when none of this is
 * another than before, no flow that nobody looked up has another one. */
struct weir_join_news
{
  uint32_t owners;    /* as in struct weir_owners */
  uint32_t changes;   /* n_changes */
  uint32_t addresses; /* versions of all namespaces' */
};

/* Other namespaces whose sockets are known. */
#define WEIR_OTHER_NETNS_MAX 128

struct weir_join
{
  struct weir_flow_table table;
  struct weir_owners owners;
  struct weir_receivers receivers;
  struct weir_netns own; /* the one that the engine was started in */
  struct weir_netns *others[WEIR_OTHER_NETNS_MAX];
  unsigned n_others, last_other;
  uint32_t socket_round;    /* of the latest dump of sockets, whatever its namespace */
  uint32_t conntrack_round; /* of the dump that runs or ran last */
  bool conntrack_known;     /* at least one dump was complete */
  bool conntrack_dumping;
  bool has_zones;          /* there are, or were, flows with a zone in their key */
  uint64_t refused_before; /* flows refused when the last dump began */
  uint32_t n_entries;      /* conntrack entries of this namespace: of the last whole dump ... */
  uint32_t n_entries_now;  /* ... and of the one that runs */
  /* The same of those that had moved something since they were read last, which no kernel program
   * counts */
  uint32_t n_moved, n_moved_now;
  uint32_t n_forwarded, n_forwarded_now; /* the same of those that pass through, moved or not */
  uint32_t passing; /* whole dumps for which what passes through counts as moving still */
  /* Where the dump that runs is, and where the last one began: flows by their numbers, 0 none */
  uint32_t dump_at, dump_first;
  uint32_t settled;   /* counts calls of weir_join_settle() */
  uint32_t n_changes; /* series of dumps that were complete, namespaces that came or went */
  struct weir_join_news settled_news; /* what was known when it was called last */
  struct weir_fresh fresh;            /* flows whose sockets are to be asked for at once */
  struct weir_join_bpf bpf;
};

int
weir_join_init (struct weir_join *join, uint32_t netns, bool sees_everybody, uint32_t flows_max);
void
weir_join_clear (struct weir_join *join);

/* ---- network namespaces ---- */

/* The namespace that flows with this inode in their keys are of; an empty one, in which nothing is
 * local and nobody is bound, when it is not known (any more). */
const struct weir_netns *
weir_join_get_netns (struct weir_join *join, uint32_t inode);
/* NULL: there is no room.  @inode must not be known yet. */
struct weir_netns *
weir_join_add_netns (struct weir_join *join, uint32_t inode);
/* Its flows end, and its sockets' owners are forgotten. */
void
weir_join_remove_netns (struct weir_join *join, struct weir_netns *netns);

/* The same flow as the end on its other side sees it. */
struct weir_flow_key
weir_flow_key_from_other_end (const struct weir_flow_key *key);
/* A socket of @netns has the ends in @key.  If a flow with the same ends passes through the
 * engine's own namespace, it says that it belongs to another one. */
void
weir_join_claim_forwarded (struct weir_join *join, const struct weir_netns *netns,
                           const struct weir_flow_key *key);

/* ---- sockets ---- */

/* Begins a whole series of dumps of one namespace (&join->own, or one of the others).  @complete
 * only when all of it was read: sockets that two series in a row did not show are gone (one alone
 * may miss a socket that moved in its hash table). */
void
weir_join_sockets_begin (struct weir_join *join, struct weir_netns *netns);
void
weir_join_socket (struct weir_join *join, struct weir_netns *netns,
                  const struct weir_socket_reading *reading, enum weir_sockdiag_event event,
                  uint64_t now);
void
weir_join_sockets_complete (struct weir_join *join, struct weir_netns *netns);

/* Writes what is new about sockets that can receive without being flows. */
void
weir_join_publish_receivers (struct weir_join *join, struct weir_writer *writer);

/* ---- connection tracking ---- */

void
weir_join_conntrack_begin (struct weir_join *join);
void
weir_join_conntrack (struct weir_join *join, const struct weir_conntrack_reading *reading,
                     enum weir_conntrack_event event, uint64_t now);
/* The dump that began has ended; @complete: and all of it was read. */
void
weir_join_conntrack_end (struct weir_join *join, bool complete);
/* There will be no more entries.  What nothing else knows is not watched any more, which is no end
 * of it. */
void
weir_join_leave_conntrack (struct weir_join *join);

/* ---- kernel programs ---- */

/* There is such a source, with so many slots.  From then on it decides which flows there are that
 * have sockets made later.  @own_only: other network namespaces are not to be told of.  0 or
 * -ENOMEM. */
int
weir_join_begin_bpf (struct weir_join *join, uint32_t n_slots, bool own_only);
bool
weir_join_has_bpf (const struct weir_join *join);
/* Whether the flow's owner is a process that kernel programs named. */
bool
weir_join_has_process (const struct weir_join *join, const struct weir_flow *flow);
/* The network namespace @inode is the one with that cookie, which the kernel said of a socket of
 * the engine's own. */
void
weir_join_set_netns_cookie (struct weir_join *join, uint32_t inode, uint64_t cookie);
/* Interfaces of the engine's own namespace that count what is on the wire, all others count what
 * the network layer hands them.  Holds for flows that come to be known from now on. */
void
weir_join_set_segment_links (struct weir_join *join, const uint32_t *links, size_t n);
/* A weir_bpf_func. */
void
weir_join_bpf (struct weir_join *join, const struct weir_bpf_reading *reading,
               enum weir_bpf_news news, uint64_t now);

/* ---- before publication ---- */

/* Decides of every flow what follows from all that was read: whether it is local, which bytes are
 * the best, its state, its owner, and whether it has ended. */
void
weir_join_settle (struct weir_join *join, uint64_t now);

/* Between two ticks: the same of those that are marked as new, except that none of them ends. */
void
weir_join_settle_new (struct weir_join *join, uint64_t now);

/* Removes a flow whose end was published. */
void
weir_join_remove (struct weir_join *join, struct weir_flow *flow);

/* ---- shared by the files of the join ---- */

void
weir_flow_set_flags (struct weir_flow *flow, uint32_t set, uint32_t cleared);
void
weir_flow_set_direction (struct weir_flow *flow, enum weir_direction direction);
void
weir_flow_set_bytes_source (struct weir_flow *flow, enum weir_source source);
void
weir_join_set_owner (struct weir_join *join, struct weir_flow *flow, uint32_t owner);
/* weir_owners_need() for a socket that a dump of @netns showed. */
uint32_t
weir_join_need_owner (struct weir_join *join, const struct weir_netns *netns, uint32_t inode,
                      uint64_t cookie, uint64_t cgroup_id, uint64_t now);
/* Whether the flow was begun at this end, as far as it is known: then it is none that came to a
 * listener. */
bool
weir_flow_is_sent (const struct weir_flow *flow);

bool
weir_flow_is_sent_icmp (const struct weir_flow *flow);
/* Then it is that of the socket for pings whose port is the identifier. */
bool
weir_flow_is_sent_echo (const struct weir_flow *flow);
/* Finds a socket that serves the flow without being its own: a listener, or one without a peer; or
 * several.  If there is none, it says why. */
void
weir_join_borrow_owner (struct weir_join *join, struct weir_flow *flow, uint64_t now);
/* What may be said of a flow that several serve: it is looked at each time, because more is known
 * of them, and others come.  When some have gone, it stays what was said last. */
void
weir_join_choose_shared (struct weir_join *join, struct weir_flow *flow, uint64_t now,
                         uint8_t *ret_how, uint8_t *ret_missing);
/* Whether the flow can be that of one of those who are bound to its local end. */
bool
weir_flow_can_be_served (const struct weir_flow *flow, const struct weir_servers *servers);
/* @bound serves the flow, and no other socket does. */
void
weir_join_set_server (struct weir_join *join, struct weir_flow *flow,
                      const struct weir_bound_socket *bound, uint64_t now);
/* What tcp_info told of the flow's socket; figures never go down. */
void
weir_flow_set_tcp_bytes (struct weir_flow *flow, uint64_t rx, uint64_t tx);
/* The socket of the flow is no more, and these are its last figures. */
void
weir_join_end_socket (struct weir_join *join, const struct weir_netns *netns,
                      struct weir_flow *flow, const struct weir_socket_reading *reading);
/* The flow has another socket now: nothing of how the earlier one ended is true of it. */
void
weir_flow_forget_ending (struct weir_flow *flow);
/* A dump of @netns is complete: what it tells of the end of the flow's socket. */
void
weir_join_decide_ending (struct weir_join *join, const struct weir_netns *netns,
                         struct weir_flow *flow);
/* There will be no dump to tell. */
void
weir_join_give_up_endings (struct weir_join *join, const struct weir_netns *netns);
/* Ends the flow now, so that another connection can have its key. */
void
weir_join_retire (struct weir_join *join, struct weir_flow *flow);
/* An entry that was read before what makes it this computer's own, an address or a socket: if
 * nobody has seen the flow yet, it is joined again.  May remove @flow and make others. */
void
weir_join_reorient (struct weir_join *join, struct weir_flow *flow);
/* The state of a flow that only conntrack knows. */
enum weir_flow_state
weir_join_get_tracked_state (const struct weir_flow *flow);
/* The parts of settling, removing and clearing that are about kernel programs; what they had not
 * counted of a flow that is older than they; the state of a flow that only they know. */
void
weir_join_settle_bpf (struct weir_join *join, uint64_t now);
/* The inode of the namespace with that cookie, or weir_netns_is_unknown(). */
uint32_t
weir_join_need_netns (struct weir_join *join, uint64_t cookie);
/* The process @maker (number of an owner, 0 nobody) made a socket at @born in the namespace with
 * that cookie: once the looker has told which namespace it is in, that has this cookie. */
void
weir_join_note_maker (struct weir_join *join, uint64_t cookie, uint32_t maker, uint64_t born);
/* Gives flows whose namespaces came to be known by that their keys. */
void
weir_join_learn_namespaces (struct weir_join *join);
/* A list of another namespace's sockets shows a connection with @key, which is nobody's yet: where
 * kernel programs count just one that can be it in a namespace that is not known, that is this one.
 * The flow, which has the key then, or NULL. */
struct weir_flow *
weir_join_adopt_listed (struct weir_join *join, const struct weir_flow_key *key,
                        const struct weir_socket_reading *reading);
/* The namespace is gone, and its inode can be another one's. */
void
weir_join_forget_namespace (struct weir_join *join, uint32_t inode);
/* The socket of a TCP flow is no more, whether or not a program was told that it was closed: that
 * is not told of those that wait to be accepted when their listener closes, nor of the kernel's
 * own.  Nothing happens to flows that are closed, or that the programs do not know. */
void
weir_join_close_parts (struct weir_join *join, struct weir_flow *flow);
/* Kernel programs told of a connection: two dumps of its namespace that begin after this and do not
 * show it say that it is no more, if nobody else does. */
void
weir_join_expect_in_dumps (struct weir_join *join, struct weir_flow *flow);
void
weir_join_leave_bpf (struct weir_join *join, struct weir_flow *flow);
void
weir_join_clear_bpf (struct weir_join *join);
void
weir_join_choose_base (struct weir_flow *flow);
enum weir_flow_state
weir_join_get_counted_state (const struct weir_flow *flow);
/* Whether flows that a dump shows for the first time may be older than the last tick. */
bool
weir_join_is_baseline (const struct weir_join *join, bool known);
