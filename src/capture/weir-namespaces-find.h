/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which network namespaces there are, seen by root.  Part of weir-namespaces-open.c's child. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "weir-namespaces-open.h"

/* Namespaces that are told apart; whoever makes more of them than this is not looked at further. */
#define WEIR_NAMESPACES_FOUND_MAX 4096

/* One namespace, and a place where it can be opened. */
struct weir_found_namespace
{
  uint32_t inode;
  pid_t pid; /* a process in it; 0: it is called @name in the directory number @directory */
  unsigned directory;
  bool is_system; /* made by root, not by a user in a user namespace */
  uid_t owner;    /* of its user namespace, which decides about the turns */
  unsigned turn;  /* how many of the same owner's come first */
  char name[WEIR_NAMESPACE_NAME_SIZE];
};

struct weir_found_namespaces
{
  struct weir_found_namespace *items; /* those that are to be opened first come first */
  uint32_t n;
  uint32_t n_left_out; /* that found no room, as far as they were counted */
  bool unfinished;     /* the time was up, or there were too many processes */
};

/* In the order in which processes are looked at. */
struct weir_namespaces_process
{
  pid_t pid;
  uid_t uid;     /* effective */
  uint32_t turn; /* how many of the same user's come first; 0 at the beginning */
};

/* One process of each user after the other, so that nobody's many use up the time of others. */
void
weir_namespaces_order (struct weir_namespaces_process *processes, uint32_t n);

/* Looks at every process and every named namespace until @deadline (CLOCK_MONOTONIC, ns).  0 or a
 * negative errno; what was found until then is in *@found. */
int
weir_find_namespaces (uint32_t own, uint64_t deadline, struct weir_found_namespaces *found);

/* Opens it: a descriptor of exactly that namespace, or a negative errno. */
int
weir_namespaces_open_found (const struct weir_found_namespace *found);
