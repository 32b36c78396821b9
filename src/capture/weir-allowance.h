/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processor time for something: a share on average, and a burst. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct weir_allowance
{
  int64_t left;     /* ns; below zero: overdrawn */
  uint64_t updated; /* ns */
  unsigned part;    /* one in so many ns is allowed */
  uint64_t burst;   /* ns at once */
};

void
weir_allowance_init (struct weir_allowance *allowance, unsigned part, uint64_t burst);

/* Adds what has come together until @now (ns, of one clock throughout). */
void
weir_allowance_update (struct weir_allowance *allowance, uint64_t now);
void
weir_allowance_spend (struct weir_allowance *allowance, uint64_t ns);
/* How long to wait until there is more than @floor left (a debt when it is negative); 0: there is.
 */
uint64_t
weir_allowance_get_wait (const struct weir_allowance *allowance, int64_t floor);
