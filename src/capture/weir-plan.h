/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each process of the engine is to be, and what became of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "weir-accounting.h"
#include "weir-users.h"
#include "weir-wire.h"

struct weir_plan
{
  enum weir_role role;
  bool elevated;         /* started with uid 0: everything below can be had, and must */
  bool strict;           /* a layer that is refused is as fatal as a privilege that stays */
  struct weir_user user; /* when elevated: whom to become; else who it is */
  uint64_t capabilities; /* the only ones it keeps, effective and permitted */
  rlim_t address_space;  /* bytes */
  pid_t leash;           /* the process with which it is to die; 0: nobody */
  int peer;              /* a helper's socket to the meter */
  int *ret_status; /* where its /proc/self/status stays open to be read again; NULL: nowhere */
  bool tells;      /* the looker that is the teller */
  const struct weir_accounting *accounting; /* what keeper or twin switch; NULL: nothing */
  const int *keep; /* descriptors that stay open besides 0, 1 and 2; -1 is skipped */
  size_t n_keep;
  /* Layers that are not even tried, bits of weir_layer.  For the self-test alone, which shows with
   * it what each of the others is good for. */
  uint32_t without;
};

/* What the kernel made of the layers of a plan, bits of weir_layer. */
struct weir_layers
{
  uint32_t active;
  uint32_t missing; /* wanted, and refused */
};

/* The plan of @role, but for its descriptors and its leash.  @permitted: the capabilities that
 * there are to keep some of. */
void
weir_plan_make (enum weir_role role, bool elevated, uid_t caller, const struct weir_users *users,
                uint64_t permitted, struct weir_plan *ret_plan);
