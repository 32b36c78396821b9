/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds the share of a processor that the looker takes, however much it is asked for, and what one
 * request may cost, however much there is to look at. */
#pragma once

#include <stdint.h>

struct weir_pace
{
  int leash;         /* the socket to the meter */
  unsigned steps;    /* since the clock was last read */
  uint64_t spent_ns; /* processor time of this process at the last pause, */
  uint64_t begun_ns; /* ... when the request began */
  uint64_t end_ns;   /* ... and from which on nothing more is done for it */
};

/* A request begins, with all of its time before it. */
void
weir_pace_begin (struct weir_pace *pace);

/* From now on, until it is said anew, the first @percent of a request's time may be used. */
void
weir_pace_allow (struct weir_pace *pace, unsigned percent);

/* The same from this moment: @percent of it more, as far as there is so much left. */
void
weir_pace_allow_more (struct weir_pace *pace, unsigned percent);

/* To be called once a step (a link that was read, an entry that was looked at).  Pauses when it is
 * time to.  -ETIME when what is allowed has been used up; -EPIPE when the meter is gone: whatever
 * is being done is for nobody then. */
int
weir_pace_step (struct weir_pace *pace);

/* The same for something that may take long by itself (a directory that is opened). */
int
weir_pace_stride (struct weir_pace *pace);
