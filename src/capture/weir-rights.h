/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Giving up the last capabilities, by a helper that needs them no more.
 *
 * There is no way back: the permitted set is empty after it, nothing is inheritable, and nobody
 * executes anything, nor would gain by it (PR_SET_NO_NEW_PRIVS).  The bounding set limits only who
 * executes: it is empty since the helper was confined, unless a container withheld CAP_SETPCAP from
 * root, which the report says. */
#pragma once

#include <stdbool.h>

#include "weir-wire.h"

/* To any helper, as one byte: give up all capabilities for good.  The answer is the helper as it is
 * then (struct weir_process_status), in one packet, which is as long as none of its other answers.
 */
#define WEIR_RIGHTS_GIVE_UP 'r'

struct weir_rights
{
  int status;                         /* the process's own /proc/self/status, opened by itself */
  struct weir_process_status process; /* as verified last */
};

/* Empties all capability sets of this process, and reads back what the kernel shows of them into
 * @rights.  0, or a negative errno: the process must then end. */
int
weir_rights_give_up (struct weir_rights *rights);

/* The same for a process that looks at others below @proc, a descriptor of /proc: where none of
 * another user's can be seen without capabilities, it keeps them, and says so (WEIR_KEEPING_HIDDEN;
 * proc(5), hidepid). */
int
weir_rights_give_up_unless_hidden (struct weir_rights *rights, int proc);

/* Sends on @fd what the process is now.  0, or a negative errno. */
int
weir_rights_report (const struct weir_rights *rights, int fd);

/* What a process that looks at others below @proc does once it is told WEIR_RIGHTS_GIVE_UP on @fd:
 * both of the above.  *@rights is NULL from then on; *@ret_has_given_up says whether there is no
 * capability left.  0, or a negative errno, with which the process must end: -EPROTO where it has
 * nothing to give up, or was told before. */
int
weir_rights_obey (struct weir_rights **rights, int proc, int fd, bool *ret_has_given_up);
