/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From inodes of sockets to the processes that hold them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir-limits.h"
#include "weir-looker-pace.h"

struct weir_owner
{
  uint32_t pid;
  uint32_t uid; /* effective */
  uint64_t start_time;
  char comm[16];
  char cgroup[WEIR_STRING_MAX + 1]; /* empty: not known */
};

/* Processes in which something was found lately: new sockets are mostly theirs, and looking there
 * first spares most walks. */
#define WEIR_WALK_LATELY 32

struct weir_walk
{
  int proc; /* descriptor of the directory /proc */
  struct weir_pace pace;
  uint32_t lately[WEIR_WALK_LATELY]; /* latest first, 0: none */
};

/* Calls @func for each of @wanted (sorted, may repeat) that a process holds; the first process that
 * is found to hold it counts.  Stops when all are found.  @ret_unreadable counts processes whose
 * descriptors could not be listed.  A negative return of @func ends the walk and is returned. */
typedef int (*weir_walk_func) (uint64_t inode, const struct weir_owner *owner, void *data);
int
weir_walk_owners (struct weir_walk *walk, const uint64_t *wanted, bool *found, size_t n_wanted,
                  uint32_t *ret_unreadable, weir_walk_func func, void *data);
