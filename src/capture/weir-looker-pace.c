/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "weir-looker-pace.h"

/* Half a processor at most: as long asleep as awake.  Short enough for the leash, which is looked
 * at in each pause. */
#define SLICE_NS 50000000
#define PAUSE_MS 50

/* Reading the clock costs about as much as a step. */
#define STEPS_BETWEEN_LOOKS 128

int
weir_pace_step (struct weir_pace *pace)
{
  struct pollfd leash = { .fd = pace->leash }; /* hang-up and error only */
  struct timespec now;
  uint64_t spent_ns;

  if (++pace->steps < STEPS_BETWEEN_LOOKS)
    return 0;
  pace->steps = 0;
  if (clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now) < 0)
    return -errno;
  spent_ns = (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
  if (spent_ns - pace->spent_ns < SLICE_NS)
    return 0;

  pace->spent_ns = spent_ns;
  if (poll (&leash, 1, PAUSE_MS) != 0)
    return -EPIPE;
  return 0;
}
