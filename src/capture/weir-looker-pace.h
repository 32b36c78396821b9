/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds the share of a processor that the looker takes, however much it is asked for, and what one
 * request may cost, however much there is to look at. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct weir_pace
{
  int leash;            /* the socket to the meter */
  unsigned steps;       /* since the clock was last read */
  uint64_t paused_cpu;  /* processor time of this process at the last pause, */
  uint64_t paused_wall; /* ... and when that was */
  uint64_t begun_ns;    /* processor time when the request began, */
  uint64_t end_ns;      /* ... from which on nothing more is done for what is being done, */
  uint64_t narrow_ns;   /* ... and the same for a part of that */
  uint64_t now_ns;      /* ... when it was last looked at */
};

/* A request begins, with all of its time before it. */
void
weir_pace_begin (struct weir_pace *pace);

/* CLOCK_MONOTONIC, ns. */
uint64_t
weir_pace_get_wall (void);

/* Processor time since the request began, ns. */
uint64_t
weir_pace_get_spent (const struct weir_pace *pace);

/* From now on, until it is said anew, the first @percent of a request's time may be used. */
void
weir_pace_allow (struct weir_pace *pace, unsigned percent);

/* The same from this moment: @percent of it more, as far as there is so much left. */
void
weir_pace_allow_more (struct weir_pace *pace, unsigned percent);

/* The same in ns. */
void
weir_pace_allow_ns (struct weir_pace *pace, uint64_t ns);

/* Of what is allowed, no more than @ns from this moment, until that is lifted. */
void
weir_pace_narrow (struct weir_pace *pace, uint64_t ns);
void
weir_pace_widen (struct weir_pace *pace);
/* Whether all that is allowed was used up when the clock was last looked at, not just a part. */
bool
weir_pace_is_over (const struct weir_pace *pace);

/* To be called once a step (a link that was read, an entry that was looked at).  Pauses when it is
 * time to.  -ETIME when what is allowed has been used up; -EPIPE when the meter is gone: whatever
 * is being done is for nobody then. */
int
weir_pace_step (struct weir_pace *pace);

/* The same for something that may take long by itself (a directory that is opened). */
int
weir_pace_stride (struct weir_pace *pace);
