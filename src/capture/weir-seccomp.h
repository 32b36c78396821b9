/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which system calls a process may still make. */
#pragma once

#include "weir-plan.h"

/* Everything that is not on the role's list ends the process.  To be called last.  Where the kernel
 * has no filters, or refuses one, that is noted in @layers as missing; else whoever asked must see
 * from /proc/self/status that one is in force.  A negative errno when no filter could be made. */
int
weir_seccomp_load (const struct weir_plan *plan, struct weir_layers *layers);

/* ---- weir-seccomp-list.c ---- */

/* What must hold of the arguments, too. */
enum weir_seccomp_condition
{
  WEIR_SECCOMP_ALWAYS,
  WEIR_SECCOMP_NOT_EXECUTABLE, /* memory protection: no PROT_EXEC */
  WEIR_SECCOMP_GIVING_BACK,    /* madvise(2): what malloc uses to give memory back */
  WEIR_SECCOMP_ASKING,         /* sendto(2): to the meter, or no more than a request for a dump */
  WEIR_SECCOMP_READING,        /* openat(2): neither writes, nor makes, nor cuts a file */
  WEIR_SECCOMP_REPORTING,      /* sendto(2): to the meter */
  WEIR_SECCOMP_TIMING,         /* setitimer(2): the teller's deadline for itself */
  WEIR_SECCOMP_GIVING_UP,      /* only where there is something to be given up later */
  /* Only where the plan has accounting, and: */
  WEIR_SECCOMP_WATCHING,      /* no more */
  WEIR_SECCOMP_SWITCHING,     /* pwrite(2): one byte, to the setting */
  WEIR_SECCOMP_LOCKING,       /* flock(2): the record, and never waiting */
  WEIR_SECCOMP_EMPTYING,      /* ftruncate(2): the record, to nothing */
  WEIR_SECCOMP_EMPTYING_WIDE, /* the same where a length takes two arguments: ftruncate64(2) */
};

struct weir_seccomp_rule
{
  int call;       /* number in libseccomp's sense */
  unsigned roles; /* bit n: role n may make it */
  enum weir_seccomp_condition condition;
};

extern const struct weir_seccomp_rule weir_seccomp_rules[];
extern const size_t weir_n_seccomp_rules;
