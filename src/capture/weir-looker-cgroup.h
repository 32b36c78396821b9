/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From ids of version 2 control groups to their paths. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir-looker-pace.h"

struct weir_cgroups;

/* Finds the mounted hierarchy, if there is one.  NULL: out of memory. */
struct weir_cgroups *
weir_cgroups_new (void);
void
weir_cgroups_free (struct weir_cgroups *cgroups);

/* Looks all of @ids up, with one walk of the tree at most, and calls @func for each with its path
 * (as in /proc/PID/cgroup) or NULL.  @unfinished: not found so far, but the tree was too large to
 * be looked at to its end.  A negative return of @func ends it and is returned. */
typedef int (*weir_cgroup_func) (uint64_t id, const char *path, bool unfinished, void *data);
int
weir_cgroups_find (struct weir_cgroups *cgroups, struct weir_pace *pace, const uint64_t *ids,
                   size_t n_ids, weir_cgroup_func func, void *data);
