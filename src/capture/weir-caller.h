/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who started the engine, and what for. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* What the kernel and the environment said at the very start, before anything was changed. */
struct weir_origin
{
  uid_t real_uid, effective_uid, saved_uid;
  bool secure; /* AT_SECURE: set-user-id, or file capabilities */
  bool has_pkexec_uid;
  char pkexec_uid[16]; /* empty when it was longer than any uid */
};

struct weir_caller
{
  uid_t uid;             /* the person at the front end, to whom the handoff belongs */
  bool elevated;         /* the engine runs with uid 0 */
  bool accounting;       /* started as `--handoff-accounting` */
  const char *directory; /* the handoff directory: absolute, shorter than PATH_MAX; part of argv */
};

/* Reads, changes nothing.  To be called before the environment is cleared. */
void
weir_caller_note (struct weir_origin *ret_origin);

/* `--version` and `--help`: answered on standard output for an ordinary user; an elevated engine
 * writes nothing to descriptors that it was given.  Whether one of the two was asked for. */
bool
weir_caller_inform (const struct weir_origin *origin, int argc, char **argv);

/* 0, or -EINVAL when @origin and @argv are not what one of our launchers makes. */
int
weir_caller_verify (const struct weir_origin *origin, int argc, char **argv,
                    struct weir_caller *ret_caller);

/* A canonical decimal uid; -EINVAL for anything else, and for (uid_t) -1, which the kernel takes as
 * "leave it as it is" in setfsuid(2) and its like. */
int
weir_caller_parse_uid (const char *text, uid_t *ret_uid);
