/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which flows become rows, what of them the front end does not know yet, and how fast they are.
 *
 * At most @rows_max rows.  Flows that moved since the last tick come first, then those that are
 * open, then those that are only remembered, the largest first; the rest is one figure, "others",
 * so that at every tick
 *
 *   bytes of all rows + last bytes of rows that ended + others = bytes of all flows.
 *
 * A row that gives way to a larger one is ended without any group: its bytes are among the others
 * from then on, and it comes back under its old id.  A flow that ends while it is no row becomes
 * one for its end, so that nobody misses it because it was short.  Beyond another @rows_max of them
 * in one tick their bytes are no more than part of the others, or, where @tells_all, until their
 * turn comes at a later tick.
 *
 * A flow that is announced between two ticks is a row from then on; what is measured of it begins
 * with the next tick all the same, which tells its bytes as if it had added it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weir-join.h"
#include "weir-wire.h"

struct weir_publisher
{
  uint32_t rows_max;
  /* The front end wants to be told of every flow, however short: those that ended wait for it. */
  bool tells_all;
  /* When the figures of each source were read, for the tick that is made and for the last one that
   * was published; CLOCK_BOOTTIME, ns, 0: never. */
  uint64_t read_at[WEIR_N_SOURCES], shown_at[WEIR_N_SOURCES];
  uint64_t last_tick;
  bool events_only;   /* the table of connection tracking is not read: events tell of changes */
  uint64_t looked_at; /* when all flows were looked at last, CLOCK_BOOTTIME, ns; 0: never */
  uint64_t sequence;
  uint32_t n_rows; /* at the last tick, and those that were announced since */
  /* Speed of what was not published, by who measured it: it holds until the next reading. */
  uint64_t others_rx_rate[WEIR_N_SOURCES], others_tx_rate[WEIR_N_SOURCES];
  /* Bytes of the flows that are no rows now. */
  uint64_t others_rx_bytes, others_tx_bytes;
  /* Bytes of flows that ended without ever having been a row at that time. */
  uint64_t folded_rx_bytes, folded_tx_bytes;
  /* Bytes that are no flow's: those that are among the others, and what was known at the last tick.
   */
  uint64_t rest_rx_bytes, rest_tx_bytes, rest_rx_known, rest_tx_known;
  struct weir_candidate *candidates;
  uint32_t capacity;
};

void
weir_publisher_init (struct weir_publisher *publisher, uint32_t rows_max);
void
weir_publisher_clear (struct weir_publisher *publisher);

/* Between two ticks: writes FLOWS of what is marked as new, as far as there are places: flows whose
 * owner is known, or was waited for long enough, and owners that became known of those.  The join
 * must be settled (weir_join_settle_new()).  Returns how many records were written or a negative
 * errno; *@ret_waiting: whether there may be more to tell of them soon. */
int
weir_publisher_announce (struct weir_publisher *publisher, struct weir_join *join, uint64_t now,
                         struct weir_writer *writer, bool *ret_waiting);

/* How many bytes were moved so far, by the source WEIR_SOURCE_BPF, that are in no flow. @elsewhere:
 * those since the last tick are in flows of another source. */
void
weir_publisher_set_rest (struct weir_publisher *publisher, uint64_t rx_bytes, uint64_t tx_bytes,
                         bool elsewhere);

/* Writes the FLOWS frames of one tick and fills in all of @ret_tick but realtime and coalesced.
 * Flows whose end was published are removed.  The join must be settled.  0 or a negative errno. */
int
weir_publisher_publish (struct weir_publisher *publisher, struct weir_join *join, uint64_t now,
                        struct weir_writer *writer, struct weir_tick *ret_tick);
