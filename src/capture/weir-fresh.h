/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flows that connection tracking has just announced, and whose sockets are to be asked for at once:
 * at the next tick they may be gone.  No input or output here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weir-flow-table.h"

/* Of each queue: more than come in a hundredth of a second on any machine that still does
 * something else.  Beyond it flows wait for the next dump, which is counted. */
#define WEIR_FRESH_MAX 2048

/* A connection that comes in has no owner before a program accepts it, so it is asked for again
 * after a while; this many times in all. */
#define WEIR_FRESH_TRIES 4

struct weir_fresh_flow
{
  uint64_t id;
  uint64_t due;
  uint32_t number;
  uint8_t try;
};

/* All of one queue wait equally long, so that the oldest is always the next. */
struct weir_fresh_queue
{
  struct weir_fresh_flow items[WEIR_FRESH_MAX];
  uint32_t first, n;
};

struct weir_fresh
{
  struct weir_fresh_queue queues[WEIR_FRESH_TRIES];
  uint64_t dropped; /* flows that nobody could be asked for in time */
};

void
weir_fresh_add (struct weir_fresh *fresh, const struct weir_flow *flow, uint8_t try, uint64_t now);

/* Takes the next one that is due and still has something to be found out; NULL: there is none. */
struct weir_flow *
weir_fresh_take (struct weir_fresh *fresh, const struct weir_flow_table *table, uint64_t now,
                 uint8_t *ret_try);

/* When the next one is due; UINT64_MAX: there is none. */
uint64_t
weir_fresh_get_due (const struct weir_fresh *fresh);
