/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-governor.h"

/* A cost that is this much above what an interval has room for is not worth to wait for another
 * one: 4 % become 4.8 at most. */
#define SLACK 5
/* What a dump is expected to cost rises at once and falls by this part each time: else a table that
 * is just too large would be read now at every tick and now at every second one. */
#define FALL 8

static uint64_t
get_share (const struct weir_governor *governor)
{
  return governor->share != 0 ? governor->share : WEIR_GOVERNOR_SHARE;
}

uint64_t
weir_governor_get_interval (const struct weir_governor *governor, uint64_t interval)
{
  uint64_t needed = governor->cost * get_share (governor);
  uint64_t slack = interval / SLACK;

  if (interval == 0 || needed <= interval + slack)
    return interval;
  return (needed - slack + interval - 1) / interval * interval;
}

bool
weir_governor_allows (const struct weir_governor *governor, uint64_t interval, uint64_t awake)
{
  if (governor->asked == 0)
    return true;
  /* Ticks come a little early or late. */
  return awake - governor->asked + interval / 2 >= weir_governor_get_interval (governor, interval);
}

uint64_t
weir_governor_get_affordable (const struct weir_governor *governor)
{
  uint64_t cost = governor->cost > governor->spent ? governor->cost : governor->spent;

  return governor->asked == 0 ? 0 : governor->asked + cost * get_share (governor);
}

void
weir_governor_begin (struct weir_governor *governor, uint64_t awake)
{
  governor->asked = awake;
  governor->spent = 0;
  governor->running = true;
}

void
weir_governor_spend (struct weir_governor *governor, uint64_t cpu)
{
  if (governor->running)
    governor->spent += cpu;
}

void
weir_governor_finish (struct weir_governor *governor)
{
  uint64_t least = governor->cost - governor->cost / FALL;

  if (!governor->running)
    return;
  governor->running = false;
  governor->cost = governor->spent > least ? governor->spent : least;
}
