/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock of the start: everything that is waited for there ends at one moment at the latest. */
#pragma once

#include <stdint.h>

/* CLOCK_MONOTONIC, in ns. */
uint64_t
weir_clock_now (void);

/* @ms from now. */
uint64_t
weir_clock_after (unsigned ms);

/* The earlier one of the moment @deadline and @ms from now. */
uint64_t
weir_clock_until (uint64_t deadline, unsigned ms);

/* How long it is until @deadline, in ms for poll(2): rounded up, 0 only when it has passed, and
 * @most if it is longer. */
int
weir_clock_left (uint64_t deadline, unsigned most);
