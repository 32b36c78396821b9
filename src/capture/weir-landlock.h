/* SPDX-License-Identifier: GPL-3.0-or-later */
/* No file and no connection, whoever one is. */
#pragma once

#include "weir-plan.h"

/* Denies this process what Landlock can deny, which takes no privilege but no_new_privs.  Not for
 * the looker.  Where the kernel has no Landlock that is noted in @layers as missing; an old one
 * denies less and counts as active.  Returns the version of its interface (landlock(7), "ABI"), 0
 * when it is absent or not wanted, or a negative errno when it does not do what it said. */
int
weir_landlock_restrict (const struct weir_plan *plan, struct weir_layers *layers);
