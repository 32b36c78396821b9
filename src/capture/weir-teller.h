/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The teller: a second looker, for the details of one process at a time.  It is apart from the
 * first because a process can keep who reads its command line waiting for ever, which must not keep
 * anybody from finding owners.  It gives itself a deadline, and ends at it.
 *
 * What may be told, and to whom, is fixed when it is forked.  The meter talks to it over a
 * SOCK_SEQPACKET pair.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "weir-config.h"
#include "weir-rights.h"
#include "weir-wire.h"

struct weir_teller_policy
{
  enum weir_disclosure disclosure;
  uid_t caller;
  gid_t group;           /* the caller's; (gid_t) -1: not known, and nothing is the caller's own */
  uint64_t capabilities; /* that are no more than what the caller has: bit n is number n */
};

/* Two for each request (struct weir_details_request): everything but the command line, and all; or
 * one, which is the last. */
struct weir_teller_answer
{
  bool last;
  struct weir_details details;
};

/* Serves until @fd is closed by the meter, then returns 0 or a negative errno.  @proc is `/proc`
 * except in tests.  @rights: what it may be told to give up (WEIR_RIGHTS_GIVE_UP), once; NULL:
 * nothing.  What can be read after that is told, and that the rest was given up. */
int
weir_teller_serve (int fd, const char *proc, const struct weir_teller_policy *policy,
                   struct weir_rights *rights);

/* ---- one process ---- */

/* Opens process @request below @proc, a descriptor of /proc, and finds out whether @policy allows
 * its details to be told; and whether it still is that process, which is asked again after they
 * have been read.  WEIR_DETAILS_SHOWN, or why not. */
enum weir_details_outcome
weir_teller_open (int proc, const struct weir_teller_policy *policy,
                  const struct weir_details_request *request, int *ret_process);
enum weir_details_outcome
weir_teller_check (int process, const struct weir_teller_policy *policy,
                   const struct weir_details_request *request);

/* Read the links, which the kernel has at hand; and the command line, which is in the memory of the
 * process itself. */
void
weir_teller_read_links (int process, struct weir_details *details);
void
weir_teller_read_command (int process, struct weir_details *details);
