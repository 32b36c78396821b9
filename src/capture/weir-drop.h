/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Giving up privileges, step by step; weir-confine.c puts the steps in order. */
#pragma once

#include "weir-plan.h"
#include "weir-status.h"

/* Each returns 0 or a negative errno; after an error the process must end. */
int
weir_drop_limits (const struct weir_plan *plan);
int
weir_drop_privileges (const struct weir_plan *plan);
/* Closes all but standard descriptors, @plan's and @also. */
int
weir_drop_descriptors (const struct weir_plan *plan, int also);

/* Compares what the kernel shows with @plan and describes it for the front end.  -EPERM when the
 * process holds anything more than @plan says. */
int
weir_drop_verify (const struct weir_plan *plan, const struct weir_status *status,
                  struct weir_process_status *ret_process);
