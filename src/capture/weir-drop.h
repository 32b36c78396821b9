/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Giving up privileges, step by step; weir-confine.c puts the steps in order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "weir-status.h"
#include "weir-users.h"
#include "weir-wire.h"

/* What one process of the engine is to be. */
struct weir_plan
{
  enum weir_role role;
  bool elevated;         /* started with uid 0: everything below can be had, and must */
  struct weir_user user; /* when elevated: whom to become; else who it is */
  uint64_t capabilities; /* the only ones it keeps, effective and permitted */
  rlim_t address_space;  /* bytes */
  const int *keep;       /* descriptors that stay open besides 0, 1 and 2; -1 is skipped */
  size_t n_keep;
};

/* Each returns 0 or a negative errno; after an error the process must end. */
int
weir_drop_limits (const struct weir_plan *plan);
int
weir_drop_privileges (const struct weir_plan *plan);
/* Closes all but standard descriptors, @plan's and @also. */
int
weir_drop_descriptors (const struct weir_plan *plan, int also);

/* Compares what the kernel shows with @plan and describes it for the front end.  -EPERM when the
 * process holds anything more than @plan says. */
int
weir_drop_verify (const struct weir_plan *plan, const struct weir_status *status,
                  struct weir_process_status *ret_process);
