/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-allowance.h"

void
weir_allowance_init (struct weir_allowance *allowance, unsigned part, uint64_t burst)
{
  *allowance = (struct weir_allowance) { .part = part, .burst = burst };
}

void
weir_allowance_update (struct weir_allowance *allowance, uint64_t now)
{
  uint64_t gained = (now - allowance->updated) / allowance->part;

  /* The first time, and after a long silence. */
  if (allowance->updated == 0 || gained > 2 * allowance->burst)
    gained = 2 * allowance->burst;
  allowance->updated = now;
  allowance->left += (int64_t) gained;
  if (allowance->left > (int64_t) allowance->burst)
    allowance->left = (int64_t) allowance->burst;
}

void
weir_allowance_spend (struct weir_allowance *allowance, uint64_t ns)
{
  const int64_t debt_max = (int64_t) allowance->burst;

  /* What is owed is bounded, too: one thing that took long must not end all else for minutes. */
  allowance->left -= ns < allowance->burst ? (int64_t) ns : debt_max;
  if (allowance->left < -debt_max)
    allowance->left = -debt_max;
}

uint64_t
weir_allowance_get_wait (const struct weir_allowance *allowance, int64_t floor)
{
  return allowance->left > floor ? 0 : (uint64_t) (floor + 1 - allowance->left) * allowance->part;
}
