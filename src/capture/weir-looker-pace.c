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

/* Processor time for one request: enough to look at some ten thousand descriptors, and short enough
 * for whoever waits behind it. */
#define REQUEST_NS 200000000

/* Reading the clock costs about as much as a step. */
#define STEPS_BETWEEN_LOOKS 128

static uint64_t
cpu_ns (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

void
weir_pace_begin (struct weir_pace *pace)
{
  pace->begun_ns = cpu_ns ();
  weir_pace_allow (pace, 100);
}

void
weir_pace_allow (struct weir_pace *pace, unsigned percent)
{
  pace->end_ns = pace->begun_ns + (uint64_t) REQUEST_NS / 100 * percent;
}

void
weir_pace_allow_more (struct weir_pace *pace, unsigned percent)
{
  const uint64_t end_ns = cpu_ns () + (uint64_t) REQUEST_NS / 100 * percent;

  weir_pace_allow (pace, 100);
  if (end_ns < pace->end_ns)
    pace->end_ns = end_ns;
}

int
weir_pace_step (struct weir_pace *pace)
{
  return ++pace->steps < STEPS_BETWEEN_LOOKS ? 0 : weir_pace_stride (pace);
}

int
weir_pace_stride (struct weir_pace *pace)
{
  struct pollfd leash = { .fd = pace->leash }; /* hang-up and error only */
  const uint64_t now = cpu_ns ();

  pace->steps = 0;
  if (now - pace->spent_ns >= SLICE_NS)
    {
      pace->spent_ns = now;
      if (poll (&leash, 1, PAUSE_MS) != 0)
        return -EPIPE;
    }
  return now < pace->end_ns ? 0 : -ETIME;
}
