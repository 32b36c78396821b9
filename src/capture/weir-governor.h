/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How often the connection tracking table is read, or that of the sockets.
 *
 * A dump of a large table takes the kernel and the meter a good part of a second, whether or not
 * anything in it moved.  On average it may not take more than 5 % of one processor, and less where
 * kernel programs tell most of it: when it is too dear for the cadence that was wished, it is asked
 * for only at every n-th tick.  The ticks themselves go on, for all else is cheap: events of the
 * table come by themselves, sockets and interfaces are read as before, and every figure is measured
 * against its own last reading.
 *
 * Pure logic: CPU time and time are arguments. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* One in so many parts of a processor: 4 %, so that the rest of the engine finds room below 5. */
#define WEIR_GOVERNOR_SHARE 25
/* 0.3 %: for what is the only source of little. */
#define WEIR_GOVERNOR_SMALL_SHARE 333
/* 0.07 %: for what is only looked at in case something else was missed.  There are three of these
 * (connection tracking, the engine's own sockets, those of all other namespaces), so that dumps
 * take 0.2 % altogether. */
#define WEIR_GOVERNOR_LEAST_SHARE 1500

struct weir_governor
{
  uint64_t asked; /* CLOCK_MONOTONIC, ns: when the last dump was asked for, 0: never */
  uint64_t spent; /* CPU time of that one so far, ns */
  uint64_t cost;  /* what one is expected to cost */
  uint32_t share; /* they may take one in so many parts; 0: WEIR_GOVERNOR_SHARE */
  bool running;
};

/* Whether a tick at @awake may ask for a dump, when ticks are @interval apart. */
bool
weir_governor_allows (const struct weir_governor *governor, uint64_t interval, uint64_t awake);
/* The time between two dumps: a multiple of @interval, mostly 1. */
uint64_t
weir_governor_get_interval (const struct weir_governor *governor, uint64_t interval);

/* From when on one more dump, whether or not a tick is due, keeps what they take on average. */
uint64_t
weir_governor_get_affordable (const struct weir_governor *governor);

/* One dump: begin, spend what it costs any number of times, finish. */
void
weir_governor_begin (struct weir_governor *governor, uint64_t awake);
void
weir_governor_spend (struct weir_governor *governor, uint64_t cpu);
void
weir_governor_finish (struct weir_governor *governor);
