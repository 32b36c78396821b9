/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Divides the time of a walk among users: one of them may fill /proc with what takes long to look
 * at, and nobody else should wait for it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Beyond so many users the rest share an account. */
#define WEIR_FAIR_USERS 32

/* Whoever has subordinate uids (subuid(5)) has 65536 of them, and could be as many users.  To whom
 * they belong takes a privilege and a call that the looker lacks (NS_GET_OWNER_UID), so all of them
 * are one.  Large uids may as well be those of people, from a directory; but these live in the
 * first user namespace, and subordinate ones never do. */
#define WEIR_FAIR_SUBORDINATE UINT32_MAX

struct weir_fair_user
{
  uint32_t uid;
  uint64_t spent;
};

struct weir_fair
{
  struct weir_fair_user users[WEIR_FAIR_USERS];
  unsigned n_users;
  uint64_t limit; /* ns, of each user */
  bool skipped;   /* somebody's processes, or a part of one */
};

void
weir_fair_begin (struct weir_fair *fair, uint64_t limit_ns);
/* Whose the process is that the directory @process is of: its effective uid, or
 * WEIR_FAIR_SUBORDINATE.  0 or -ESRCH. */
int
weir_fair_get_uid (int process, uint32_t *ret_uid);
/* The account of the process that the directory @process is of. */
struct weir_fair_user *
weir_fair_get_user (struct weir_fair *fair, int process);
static inline bool
weir_fair_is_over (const struct weir_fair *fair, const struct weir_fair_user *user)
{
  return user->spent >= fair->limit;
}
