/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opens, while the privileges are there, everything that is used after they are gone. */
#pragma once

#include <stddef.h>

#include "weir-accounting.h"
#include "weir-caller.h"
#include "weir-meter.h"

/* Fills @setup's descriptors (except client, keeper and looker), namespaces, view and netns.  What
 * is refused is -1 with its errno, and a source says so; 0 then as well.  A negative errno is
 * fatal: a process that holds privileges may be left (weir_namespaces_open()).  Nothing is waited
 * for after @deadline (weir_clock_now()), here and below. */
int
weir_open (struct weir_meter_setup *setup, uint64_t deadline);

/* A bound, non-blocking netlink socket that is a member of @groups, with a receive buffer of
 * @buffer bytes if that is allowed; or -1 and *@ret_error. */
int
weir_open_netlink (int protocol, int buffer, const int *groups, size_t n_groups, int *ret_error);

/* To be called after weir_open().  What @caller was started for: opens accounting, or, where it is
 * not wanted or was on already, makes both descriptors -1.  As root, also repairs what was left on,
 * and adds to the notices of @config what came of that.
 * Returns an exit code of weir_exit. */
int
weir_open_accounting (const struct weir_caller *caller, const struct weir_meter_setup *setup,
                      uint64_t deadline, struct weir_config *config,
                      struct weir_accounting *ret_accounting);
