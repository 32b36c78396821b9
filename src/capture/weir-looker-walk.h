/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From inodes of sockets to the processes that hold them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "weir-allowance.h"
#include "weir-looker-describe.h"
#include "weir-looker-pace.h"
#include "weir-looker-recent.h"
#include "weir-looker.h"

/* What is looked at, in this order, after those that are new and those in which something was found
 * lately. */
enum weir_walk_stage
{
  WEIR_WALK_FIRST,   /* the first descriptors of every process */
  WEIR_WALK_SECOND,  /* those with higher numbers */
  WEIR_WALK_REST,    /* ... and all that are left */
  WEIR_WALK_THREADS, /* threads that seem to have a table of their own */
  WEIR_WALK_TWINS,   /* threads that seem to share their process's, as nearly all do */
  WEIR_WALK_N_STAGES,
};

/* How far a stage has come; the next request goes on from there, so that everybody has a turn. */
struct weir_walk_cursor
{
  off_t place;   /* of @pid in the directory /proc */
  uint32_t pid;  /* the next one */
  uint32_t part; /* its next descriptor or thread; 0: from the beginning */
};

struct weir_walk
{
  int proc; /* descriptor of the directory /proc */
  struct weir_pace pace;
  struct weir_allowance turns; /* for everybody's turn after an urgent question */
  struct weir_recent recent;
  struct weir_described described[WEIR_DESCRIBED_MAX];
  /* Of everybody's turn, and of those who had used up their users' share of it. */
  struct weir_walk_cursor cursors[WEIR_WALK_N_STAGES], late_cursors[WEIR_WALK_N_STAGES];
};

/* A socket that is looked for. */
struct weir_wanted
{
  uint64_t inode;
  uint32_t pid; /* where it was found last: there is looked first, 0: nowhere yet */
  uint32_t fd;
  bool found;
};

/* What is known when nobody was found. */
struct weir_walk_result
{
  uint32_t unreadable; /* processes whose descriptors could not be listed */
  bool unfinished;     /* the time was up before everybody had been looked at */
};

/* Calls @func for each of @wanted (sorted by inode, may repeat) that a process holds, and marks it
 * found.  One that still is where it was found last stays that process's; else the first process
 * that is found to hold it counts, or its forebears (weir-looker-scan.c).  Stops when all are found
 * or when the time is up.  A negative return of @func ends the walk and is returned. */
typedef int (*weir_walk_func) (uint64_t inode, const struct weir_owner *owner, void *data);
int
weir_walk_owners (struct weir_walk *walk, struct weir_wanted *wanted, size_t n_wanted,
                  enum weir_looker_depth depth, struct weir_walk_result *ret_result,
                  weir_walk_func func, void *data);
