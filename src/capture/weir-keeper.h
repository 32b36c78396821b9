/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keeper: holds CAP_NET_ADMIN, opens nothing, and sends and writes constants.  The meter asks
 * with one byte and gets one byte back, with what asking has cost behind it: the kernel does the
 * first part of a dump in the name of whoever asks.
 *
 * Dumps are numbered so that what is left of one that was given up is not taken for the next: the
 * n-th verb asks for a dump with nlmsg_seq n (modulo 2^32), whatever became of those before it.
 * Both ends count, for a dump may begin to arrive before the keeper's answer does. */
#pragma once

#include "weir-accounting.h"
#include "weir-rights.h"

enum weir_keeper_verb
{
  WEIR_KEEPER_DUMP = 'd', /* start a conntrack dump on the shared socket; the meter receives it */
  /* Give up the shared socket as well, and only wait for the end after that. */
  WEIR_KEEPER_RETIRE = WEIR_RIGHTS_GIVE_UP,
};

enum weir_keeper_answer
{
  WEIR_KEEPER_DONE = 'k',
  WEIR_KEEPER_BUSY = 'b', /* a dump is still running */
  WEIR_KEEPER_FAILED = 'f',
};

/* The answer to WEIR_KEEPER_DUMP: enum weir_keeper_answer, then the CPU time that asking took, in
 * microseconds, little-endian. */
#define WEIR_KEEPER_ANSWER_SIZE 5

/* Serves verbs from @fd, sends dump requests on @conntrack (-1: it has no capability to begin with,
 * and serves none); returns when @fd is closed.  When the process at the other end of @twin ends
 * before that, it leaves @accounting; -1 and NULL: there is none.  Whoever has accounting to put
 * back never retires. */
int
weir_keeper_serve (int fd, int conntrack, int twin, const struct weir_accounting *accounting,
                   struct weir_rights *rights);
