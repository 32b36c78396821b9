/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One table of descriptors: who of those that are looked for is in it. */
#pragma once

#include "weir-looker-fair.h"
#include "weir-looker-walk.h"

/* One request. */
struct weir_search
{
  struct weir_walk *walk;
  struct weir_wanted *wanted; /* sorted */
  size_t n_wanted;
  size_t n_missing;
  uint32_t unreadable;
  bool more; /* a table went on behind the end of a window */
  /* Processes whose first descriptors need no second look. */
  uint32_t visited[WEIR_RECENT_HOT + WEIR_RECENT_YOUNG];
  size_t n_visited;
  struct weir_fair fair;
  weir_walk_func func;
  void *data;
};

/* Part of a table: descriptors from @first to before @end. */
struct weir_window
{
  uint32_t first, end;
  uint32_t reached; /* where looking at it has come to */
};

/* Looks at the table that the directory @fds lists, which belongs to @process (a directory, too) or
 * to a thread of it, and reports what is found as @pid's.  0 at the end of the window or the table,
 * -ETIME when the time is up before, or another negative errno. */
int
weir_scan_table (struct weir_search *search, int process, uint32_t pid, int fds,
                 struct weir_window *window);

/* The process as a directory (O_PATH), or -1. */
int
weir_scan_open_process (const struct weir_search *search, uint32_t pid);

/* Looks at single descriptors of one process: all of @places, at most WEIR_LOOKER_BATCH, have its
 * number.  What is told of the process is read once.  @known: it is where sockets were found
 * before; one that still is there stays this process's, whoever else holds it. */
int
weir_scan_some (struct weir_search *search, const struct weir_looker_hint *places, size_t n_places,
                bool known);
