/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /proc/PID/status as far as it says what a process may do (proc_pid_status(5)). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of @seccomp with a filter in force (SECCOMP_MODE_FILTER). */
#define WEIR_SECCOMP_FILTER 2

struct weir_status
{
  uint32_t uids[4]; /* real, effective, saved, file system */
  uint32_t gids[4];
  size_t n_groups;
  uint64_t cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
  bool no_new_privs;
  uint32_t seccomp; /* 0 also on a kernel that has none and does not show it */
};

/* Parses @text.  -EPROTO unless every field is there, once and well-formed: a field that cannot be
 * read must never pass for one that is zero. */
int
weir_status_parse (const char *text, struct weir_status *ret_status);

/* Reads all of the descriptor @fd of such a file, from its beginning, and parses it. */
int
weir_status_read (int fd, struct weir_status *ret_status);
