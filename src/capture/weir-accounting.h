/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lets the kernel count the bytes of every connection, for as long as an engine wants it to.
 *
 * nf_conntrack_acct is one setting for everybody in a network namespace, so it is switched on only
 * by an engine that was started for it, and only if it was off; and it goes back to off when the
 * last such engine has ended, however it ended, unless somebody else has changed it meanwhile.  For
 * that there is one *record* for each network namespace, a file of root's below /run/weir:
 *
 *   - it is there, and whole, before the setting is changed, and emptied after that was undone; so
 *     a record with something in it and a setting that is on mean: this is our doing;
 *   - every engine that wants the setting on holds a shared flock(2) on it.  Who leaves asks for
 *     the exclusive one: only the last gets it, and restores;
 *   - two processes share each engine's lock, keeper and twin.  Each restores when the other dies;
 *   - what nobody was left to restore is found by the next engine that starts as root: a record
 *     with something in it, and no lock.
 *
 * The kernel asks for CAP_NET_ADMIN at each write as well as at opening, of whoever writes
 * (net_ctl_permissions(), called from proc_sys_call_handler()): the descriptor alone is of no use
 * to meter and looker. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define WEIR_ACCOUNTING_PATH "/proc/sys/net/netfilter/nf_conntrack_acct"

/* No record is as long; no file that the engine writes is longer. */
#define WEIR_ACCOUNTING_RECORD_MAX 128

struct weir_accounting
{
  int setting; /* WEIR_ACCOUNTING_PATH of one network namespace, for reading and writing */
  int record;  /* locked, by both processes that have it; -1 like @setting: leave it alone */
};

/* ---- weir-accounting.c: what keeper and twin do; no path is opened, nothing is parsed ---- */

/* 0 or 1; -ERANGE: something else; or another negative errno. */
int
weir_accounting_read (int setting);

/* Takes the lock to be held.  0, or a negative errno when it is not on now. */
int
weir_accounting_switch_on (const struct weir_accounting *accounting);

/* Gives this engine's lock up and, if nobody else has one, puts the setting back.  Called by both
 * processes, and never at the same time, for they have one lock: by each when the other has ended,
 * or at its own end.  1 when it was put back; 0 when there was nothing to put back, or somebody who
 * will; a negative errno when it could not be, and stays on record. */
int
weir_accounting_leave (const struct weir_accounting *accounting);

/* Waits until the process that holds the other end of @fd has ended. */
void
weir_accounting_wait (int fd);

/* ---- weir-accounting-open.c: as root, before anything is given up ---- */

/* Makes the record below @run/weir and takes a share of its lock; nothing is switched on yet.
 * @netns: inode of the network namespace that this process is in.  0, also when the setting was on
 * without our doing: then both descriptors are -1.  -EPERM when somebody else than us can change
 * the record, -EBUSY when others hold the lock for too long or until @deadline (weir_clock_now()),
 * or another negative errno. */
int
weir_accounting_open (const char *run, uint32_t netns, uint64_t deadline,
                      struct weir_accounting *ret_accounting);
void
weir_accounting_close (struct weir_accounting *accounting);

enum weir_accounting_repair
{
  WEIR_ACCOUNTING_NOTHING_TO_DO,
  WEIR_ACCOUNTING_PUT_BACK,
  WEIR_ACCOUNTING_NOT_OURS, /* a record that was not: it is empty now */
};

/* Puts back what engines that were all killed at once left on.  One of the above, or a negative
 * errno when the record cannot be used or the setting not be put back: both stay as they are. */
int
weir_accounting_repair (const char *run, uint32_t netns);
