/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fifth phase: every process of the engine gets down to its own list, in one order. */
#pragma once

#include "weir-drop.h"

/* Confines this process to @plan.  On success @ret_process holds what the kernel shows of it.
 * Returns a negative errno when anything could not be given up; the process must then end.
 * -EOPNOTSUPP: everything was given up, but a layer was refused that a strict @plan is not to do
 * without; @ret_process says which. */
int
weir_confine (const struct weir_plan *plan, struct weir_process_status *ret_process);
