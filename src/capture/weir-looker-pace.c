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
#define REQUEST_NS UINT64_C (200000000)

/* Reading the clock costs about as much as a step. */
#define STEPS_BETWEEN_LOOKS 128

static uint64_t
read_clock (clockid_t clock)
{
  struct timespec now = { 0 };

  clock_gettime (clock, &now);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static uint64_t
cpu_ns (void)
{
  return read_clock (CLOCK_PROCESS_CPUTIME_ID);
}

void
weir_pace_begin (struct weir_pace *pace)
{
  pace->begun_ns = pace->now_ns = cpu_ns ();
  weir_pace_widen (pace);
  weir_pace_allow (pace, 100);
}

uint64_t
weir_pace_get_wall (void)
{
  return read_clock (CLOCK_MONOTONIC);
}

uint64_t
weir_pace_get_spent (const struct weir_pace *pace)
{
  return cpu_ns () - pace->begun_ns;
}

void
weir_pace_allow (struct weir_pace *pace, unsigned percent)
{
  pace->end_ns = pace->begun_ns + REQUEST_NS / 100 * percent;
}

void
weir_pace_allow_ns (struct weir_pace *pace, uint64_t ns)
{
  const uint64_t end_ns = cpu_ns () + ns;

  weir_pace_allow (pace, 100);
  if (end_ns < pace->end_ns)
    pace->end_ns = end_ns;
}

void
weir_pace_allow_more (struct weir_pace *pace, unsigned percent)
{
  weir_pace_allow_ns (pace, REQUEST_NS / 100 * percent);
}

void
weir_pace_narrow (struct weir_pace *pace, uint64_t ns)
{
  pace->narrow_ns = pace->now_ns + ns;
}

void
weir_pace_widen (struct weir_pace *pace)
{
  pace->narrow_ns = UINT64_MAX;
}

bool
weir_pace_is_over (const struct weir_pace *pace)
{
  return pace->now_ns >= pace->end_ns;
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

  pace->steps = 0;
  pace->now_ns = cpu_ns ();
  if (pace->now_ns - pace->paused_cpu >= SLICE_NS)
    {
      const uint64_t wall = weir_pace_get_wall ();

      /* Nobody who has been asleep as long as awake needs a pause. */
      if (poll (&leash, 1, wall - pace->paused_wall < 2 * SLICE_NS ? PAUSE_MS : 0) != 0)
        return -EPIPE;
      pace->paused_cpu = pace->now_ns;
      pace->paused_wall = weir_pace_get_wall ();
    }
  return pace->now_ns < pace->end_ns && pace->now_ns < pace->narrow_ns ? 0 : -ETIME;
}
