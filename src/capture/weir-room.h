/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An empty room: nothing to open, nobody to talk to. */
#pragma once

#include "weir-plan.h"

/* Where the looker finds the tree of control groups in its room; its procfs is at /proc, as
 * everywhere. */
#define WEIR_ROOM_CGROUP "/cgroup"

/* Moves this process into the room of @plan: namespaces of its own and an empty, read-only root.
 * What is refused leaves everything as it was and is noted in @layers as missing.  A negative errno
 * when the process got stuck half-way, or where it did not mean to be; it must then end. */
int
weir_room_enter (const struct weir_plan *plan, struct weir_layers *layers);
