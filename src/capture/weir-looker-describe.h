/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is told of a process. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "weir-limits.h"

struct weir_owner
{
  uint32_t pid;
  uint32_t fd; /* by which it holds what was looked for */
  uint32_t parent;
  uint64_t start_time;
  char comm[16];
  char cgroup[WEIR_STRING_MAX + 1]; /* empty: not known */
};

/* Processes of which the control group is remembered for a moment; the name and the start time are
 * always read. */
#define WEIR_DESCRIBED_MAX 64

struct weir_described
{
  uint64_t at; /* CLOCK_MONOTONIC, ns */
  struct weir_owner owner;
};

/* Fills in all but fd of the process that the directory @process is of.  0 or a negative errno: it
 * has ended. */
int
weir_describe (struct weir_described cache[WEIR_DESCRIBED_MAX], int process, uint32_t pid,
               struct weir_owner *ret_owner);
