/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fourth phase: the keeper, its twin and the looker. */
#pragma once

#include "weir-accounting.h"
#include "weir-caller.h"
#include "weir-meter.h"
#include "weir-users.h"

/* Starts the helpers (the keeper only where conntrack can be asked, or there are programs in the
 * kernel whose links it then has alone; the twin only where there is something for it in
 * @accounting, which is closed then), waits until each has confined itself, and puts sockets to
 * them and their states into @setup; it waits until @deadline (weir_clock_now()) at the latest.
 * Returns an exit code of weir_exit; on failure a helper that was started ends by itself, because
 * its socket closes with this process. */
int
weir_fork (const struct weir_caller *caller, const struct weir_users *users,
           struct weir_meter_setup *setup, struct weir_accounting *accounting, uint64_t deadline);
