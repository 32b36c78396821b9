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
#include "weir-owners.h"
#include "weir-readings.h"
#include "weir-socket-index.h"

struct weir_join
{
  struct weir_flow_table table;
  struct weir_addresses addresses;
  struct weir_socket_index sockets;
  struct weir_owners owners;
  uint32_t netns;
  uint32_t socket_round, conntrack_round; /* of the dump that runs or ran last */
  bool sockets_known, conntrack_known;    /* at least one dump was complete */
  bool conntrack_dumping;
  uint64_t refused_before; /* flows refused when the last dump began */
  uint32_t n_entries;      /* conntrack entries of this namespace: of the last whole dump ... */
  uint32_t n_entries_now;  /* ... and of the one that runs */
};

int
weir_join_init (struct weir_join *join, uint32_t netns, bool sees_everybody, uint32_t flows_max);
void
weir_join_clear (struct weir_join *join);

/* ---- sockets ---- */

/* Begins a whole series of dumps.  @complete only when all of it was read: sockets that two series
 * in a row did not show are gone (one alone may miss a socket that moved in its hash table). */
void
weir_join_sockets_begin (struct weir_join *join);
void
weir_join_socket (struct weir_join *join, const struct weir_socket_reading *reading,
                  enum weir_sockdiag_event event, uint64_t now);
void
weir_join_sockets_complete (struct weir_join *join);

/* ---- connection tracking ---- */

void
weir_join_conntrack_begin (struct weir_join *join);
void
weir_join_conntrack (struct weir_join *join, const struct weir_conntrack_reading *reading,
                     enum weir_conntrack_event event, uint64_t now);
/* The dump that began has ended; @complete: and all of it was read. */
void
weir_join_conntrack_end (struct weir_join *join, bool complete);

/* ---- before publication ---- */

/* Decides of every flow what follows from all that was read: whether it is local, which bytes are
 * the best, its state, its owner, and whether it has ended. */
void
weir_join_settle (struct weir_join *join, uint64_t now);

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
/* Ends the flow now, so that another connection can have its key. */
void
weir_join_retire (struct weir_join *join, struct weir_flow *flow);
/* Marks the rows of an entry: their bytes so far are no measure of speed. */
void
weir_join_set_no_rate (struct weir_join *join, const struct weir_conntrack_reading *reading,
                       bool no_rate);
/* Whether flows that a dump shows for the first time may be older than the last tick. */
bool
weir_join_is_baseline (const struct weir_join *join, bool known);
