/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many elevated engines may run at the same time. */
#pragma once

#include <sys/types.h>

/* One desktop needs one engine, or two for a moment; a person with several sessions a few. */
#define WEIR_ENGINES_PER_UID_MAX 4
#define WEIR_ENGINES_MAX         16

/* Takes one of each kind of slot, which are files below @run/weir with a lock on them: they are
 * given back when the descriptors close, so by the death of the process at the latest.  @run is
 * `/run` except in tests.  Returns 0, -EUSERS when all are taken, or another negative errno. */
int
weir_slots_take (const char *run, uid_t uid, int ret_fds[2]);
