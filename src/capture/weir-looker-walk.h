/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From inodes of sockets to the processes that hold them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/* What is looked at, in this order. */
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
  uint32_t lately[WEIR_WALK_LATELY]; /* latest first, 0: none */
  struct weir_walk_cursor cursors[WEIR_WALK_N_STAGES];
};

/* What is known when nobody was found. */
struct weir_walk_result
{
  uint32_t unreadable; /* processes whose descriptors could not be listed */
  bool unfinished;     /* the time was up before everybody had been looked at */
};

/* Calls @func for each of @wanted (sorted, may repeat) that a process holds; the first process that
 * is found to hold it counts, and @found says for which there was one.  Stops when all are found or
 * when the time for a request (weir-looker-pace.h) is up.  A negative return of @func ends the walk
 * and is returned. */
typedef int (*weir_walk_func) (uint64_t inode, const struct weir_owner *owner, void *data);
int
weir_walk_owners (struct weir_walk *walk, const uint64_t *wanted, bool *found, size_t n_wanted,
                  struct weir_walk_result *ret_result, weir_walk_func func, void *data);
