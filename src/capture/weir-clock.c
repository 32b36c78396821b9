/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <time.h>

#include "weir-clock.h"

#define MS UINT64_C (1000000)

uint64_t
weir_clock_now (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000 * MS + (uint64_t) now.tv_nsec;
}

uint64_t
weir_clock_after (unsigned ms)
{
  return weir_clock_now () + ms * MS;
}

uint64_t
weir_clock_until (uint64_t deadline, unsigned ms)
{
  const uint64_t after = weir_clock_after (ms);

  return after < deadline ? after : deadline;
}

int
weir_clock_left (uint64_t deadline, unsigned most)
{
  const uint64_t now = weir_clock_now ();
  uint64_t ms;

  if (now >= deadline)
    return 0;
  ms = (deadline - now + MS - 1) / MS;
  return (int) (ms < most ? ms : most);
}
