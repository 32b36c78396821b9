/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds the share of a processor that the looker takes, however much it is asked for. */
#pragma once

#include <stdint.h>

struct weir_pace
{
  int leash;         /* the socket to the meter */
  unsigned steps;    /* since the clock was last read */
  uint64_t spent_ns; /* processor time of this process at the last pause */
};

/* To be called once a step (a file that was opened or a link that was read).  Pauses when it is
 * time to. -EPIPE when the meter is gone: whatever is being done is for nobody then. */
int
weir_pace_step (struct weir_pace *pace);
