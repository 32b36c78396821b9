/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where new sockets most likely are: in processes that have just begun, and in those that made some
 * lately.  To look there first spares most walks through all of /proc. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WEIR_RECENT_HOT   48
#define WEIR_RECENT_YOUNG 128

/* A process in which something was found, and by which descriptor: the next one it makes often gets
 * the same number. */
struct weir_hot
{
  uint32_t pid; /* 0: none */
  uint32_t fd;
};

struct weir_young
{
  uint32_t pid;
  uint64_t seen; /* CLOCK_MONOTONIC, ns: when it was listed first */
};

struct weir_recent
{
  struct weir_hot hot[WEIR_RECENT_HOT];       /* the latest first */
  struct weir_young young[WEIR_RECENT_YOUNG]; /* the oldest first */
  size_t n_young;
  off_t base;            /* from a process number to its place in the directory /proc; 0: unknown */
  uint32_t newest;       /* the largest number that was listed */
  uint64_t latest_start; /* of all in which something was found */
};

/* Lists the processes that were made since the last call, in the directory @proc, and forgets
 * those that are young no more. */
void
weir_recent_update (struct weir_recent *recent, int proc);

/* Something was found in a process. */
void
weir_recent_note (struct weir_recent *recent, uint32_t pid, uint32_t fd, uint64_t start_time);
