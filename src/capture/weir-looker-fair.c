/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-looker-fair.h"
#include "weir-looker-parse.h"

void
weir_fair_begin (struct weir_fair *fair, uint64_t limit_ns)
{
  *fair = (struct weir_fair) { .limit = limit_ns };
}

static struct weir_fair_user *
find_user (struct weir_fair *fair, uint32_t uid)
{
  for (unsigned i = 0; i < fair->n_users; i++)
    if (fair->users[i].uid == uid)
      return &fair->users[i];
  if (fair->n_users == WEIR_FAIR_USERS)
    return &fair->users[WEIR_FAIR_USERS - 1];
  fair->users[fair->n_users] = (struct weir_fair_user) { .uid = uid };
  return &fair->users[fair->n_users++];
}

/* What subuid(5) gives away begins above this, unless an administrator wrote something else. */
#define SUBORDINATE_MIN 65536
/* PROC_USER_INIT_INO in include/linux/proc_ns.h: the same since Linux 3.8. */
#define FIRST_USER_NAMESPACE 0xeffffffdU

/* @uid, or whose it is taken for. */
static uint32_t
charge (int process, uint32_t uid)
{
  uint32_t inode = 0;
  char link[32];
  ssize_t size;

  if (uid < SUBORDINATE_MIN)
    return uid;
  size = readlinkat (process, "ns/user", link, sizeof link);
  if (size > 0 && weir_parse_user_namespace_link (link, (size_t) size, &inode) &&
      inode == FIRST_USER_NAMESPACE)
    return uid;
  return WEIR_FAIR_SUBORDINATE;
}

int
weir_fair_get_uid (int process, uint32_t *ret_uid)
{
  struct stat info;

  /* The directory belongs to the effective user even when the process is not dumpable. */
  if (fstat (process, &info) < 0)
    return -ESRCH;
  *ret_uid = charge (process, info.st_uid);
  return 0;
}

struct weir_fair_user *
weir_fair_get_user (struct weir_fair *fair, int process)
{
  uint32_t uid = 0;

  (void) weir_fair_get_uid (process, &uid);
  return find_user (fair, uid);
}
