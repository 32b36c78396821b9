/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The looker: the one process that reads /proc of others.  The meter talks to it over a
 * SOCK_SEQPACKET pair with fixed-size requests; what it may tell (caller uid, disclosure) is fixed
 * when it is forked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "weir-limits.h"
#include "weir-looker-namespaces.h"
#include "weir-rights.h"

#define WEIR_LOOKER_BATCH 256

enum weir_looker_verb
{
  WEIR_LOOKER_OWNERS = 1,  /* values: socket inodes; one walk of /proc answers all of them */
  WEIR_LOOKER_CGROUPS = 2, /* values: cgroup v2 ids */
  /* No values: the network namespaces that processes are in. */
  WEIR_LOOKER_NAMESPACES = 3,
  /* Values: inode of a namespace, number of a process in it: the sockets there. */
  WEIR_LOOKER_SOCKETS = 4,
  WEIR_LOOKER_PROCESSES = 5, /* values: numbers of processes */
};

/* How far to look for sockets that are not found.  Most of those are new and gone already, and then
 * the whole machine was looked at in vain. */
enum weir_looker_depth
{
  WEIR_LOOKER_WHOLE,  /* everywhere */
  WEIR_LOOKER_NEW,    /* not in the tables of threads, which hardly ever have their own */
  WEIR_LOOKER_CHECK,  /* only where they were found last */
  WEIR_LOOKER_URGENT, /* where new sockets are likely; everywhere only now and then */
};

/* Where a socket was found last, to be looked for there first; pid 0: nowhere yet. */
struct weir_looker_hint
{
  uint32_t pid;
  uint32_t fd;
};

/* Always sent whole.  @serial comes back in every answer. */
struct weir_looker_request
{
  uint32_t verb;
  uint32_t serial;
  uint32_t n_values;
  uint8_t depth; /* for OWNERS: enum weir_looker_depth */
  uint8_t reserved[3];
  uint64_t values[WEIR_LOOKER_BATCH];
  struct weir_looker_hint hints[WEIR_LOOKER_BATCH]; /* of values, for OWNERS */
};

/* Sockets in one answer. */
#define WEIR_LOOKER_SOCKETS_PER_ANSWER 20

/* One answer a value, each in its own packet, in any order (PROCESSES: pid, start time, comm,
 * control group and network namespace of that process; pid 0 when there is none with that number);
 * then one with verb 0 for the serial, whose value is the processor time that it all took, in ns.
 * NAMESPACES has one answer a namespace.  Its last one is unfinished when not everybody had a turn
 * (the next request goes on), and @unreadable counts processes in namespaces that were too many.
 * SOCKETS has as many as it takes.  Its last one is unfinished when there were more sockets; where
 * @unreadable is not 0 there, nothing of what went before may be believed. */
struct weir_looker_answer
{
  uint32_t verb; /* 0: the request is done */
  uint32_t serial;
  uint64_t value;
  /* For OWNERS and NAMESPACES */
  uint32_t pid; /* 0: not found */
  uint32_t fd;  /* OWNERS: by which it holds the socket */
  uint32_t uid; /* NAMESPACES: whose the process is (weir_fair_get_uid) */
  uint64_t start_time;
  uint32_t unreadable; /* processes whose descriptors could not be read during this walk */
  /* For both, where nothing was found: not 0 when the looker ended before it had looked everywhere,
   * because a request may cost only so much.  It is no answer then, and worth asking again. */
  uint32_t unfinished;
  char comm[16];
  uint32_t n_sockets; /* for SOCKETS */
  uint32_t netns;     /* for PROCESSES: inode, 0: not known */
  union
  {
    /* For OWNERS of cgroup v2 processes, and for CGROUPS: path below the v2 root, empty: not known
     */
    char cgroup[WEIR_STRING_MAX + 1];
    struct weir_listed_socket sockets[WEIR_LOOKER_SOCKETS_PER_ANSWER];
  };
};

/* Serves until @fd is closed by the meter, then returns 0 or a negative errno.  Called after the
 * process has dropped everything that it does not need.
 *
 * @rights: what it may be told to give up (WEIR_RIGHTS_GIVE_UP), once; NULL: nothing.  It serves on
 * after that, with what everybody may see: OWNERS finds nobody of another user any more, NAMESPACES
 * only those that it has told of before, SOCKETS none, PROCESSES no namespaces. */
int
weir_looker_serve (int fd, struct weir_rights *rights);
