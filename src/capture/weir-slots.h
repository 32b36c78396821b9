/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many elevated engines may run at the same time. */
#pragma once

#include <sys/types.h>

/* One desktop needs one engine, or two for a moment; a person with several sessions a few.  How
 * many one person may have is the administrator's to say (engine.conf), so that a single one takes
 * at most half of all. */
#define WEIR_ENGINES_PER_USER     4
#define WEIR_ENGINES_PER_USER_MAX 8
#define WEIR_ENGINES_MAX          16

/* Slots are files below @run/weir with a lock on them: they are given back when the descriptor
 * closes, so by the death of the process at the latest.  @run is `/run` except in tests.  Both
 * return a descriptor, -EUSERS when all are taken, or another negative errno. */

/* One of @uid's own @most. */
int
weir_slots_take_own (const char *run, uid_t uid, unsigned most);
/* One of those that all share. */
int
weir_slots_take_shared (const char *run);
