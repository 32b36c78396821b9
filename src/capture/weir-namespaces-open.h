/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Other network namespaces: sockets that look into them, opened while root can. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weir-wire.h"

/* Namespaces that are looked into.  A machine with more containers than this sees the rest as
 * namespaces that were left out. */
#define WEIR_OPENED_NAMESPACES_MAX 64

/* Descriptors for each: dumps, events, addresses. */
#define WEIR_DESCRIPTORS_PER_NAMESPACE 3

/* How long looking for them and opening them may take altogether, and how long the child that does
 * it may take to be gone after that. */
#define WEIR_NAMESPACES_TIMEOUT_MS 1000
#define WEIR_NAMESPACES_REAP_MS    500

/* All descriptors are non-blocking and close-on-exec. */
struct weir_opened_namespace
{
  uint32_t inode;
  uint64_t cookie;                     /* as SO_NETNS_COOKIE tells it, 0: not known */
  int sock_diag;                       /* NETLINK_SOCK_DIAG, for dumps */
  int sock_events;                     /* the same, bound to the TCP destroy groups; -1: refused */
  int route;                           /* NETLINK_ROUTE, told when addresses change; -1: refused */
  char name[WEIR_NAMESPACE_NAME_SIZE]; /* empty: it has none */
};

struct weir_opened_namespaces
{
  struct weir_opened_namespace items[WEIR_OPENED_NAMESPACES_MAX];
  uint32_t n;
  uint32_t n_left_out; /* found, but not opened: refused, gone meanwhile, or one too many */
  bool unfinished;     /* there was no time to look for all of them */
};

/* Finds network namespaces besides @own and opens the sockets, all in a child, until @deadline
 * (CLOCK_MONOTONIC, ns) at the latest; that the child is gone may take WEIR_NAMESPACES_REAP_MS
 * more. Needs CAP_SYS_ADMIN and CAP_SYS_PTRACE; without them there is nothing to open and the
 * result is empty. 0 when the child is gone, with whatever it could open; a negative errno when
 * that is not certain: then something that holds CAP_SYS_ADMIN may be left, and the engine must not
 * go on. */
int
weir_namespaces_open (uint32_t own, uint64_t deadline,
                      struct weir_opened_namespaces *ret_namespaces);
