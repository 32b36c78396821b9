/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <sys/stat.h>

#include "weir-looker-describe.h"
#include "weir-looker-fair.h"

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

struct weir_fair_user *
weir_fair_get_user (struct weir_fair *fair, int process)
{
  struct weir_fair_user *user;
  uint32_t uid = 0;
  struct stat info;

  if (fstat (process, &info) == 0)
    uid = info.st_uid;
  user = find_user (fair, uid);
  /* A process can look like root's by not being dumpable.  To ask more closely takes longer, so
   * that is done only once it matters. */
  if (uid == 0 && weir_fair_is_over (fair, user) && weir_describe_uid (process, &uid) == 0 &&
      uid != 0)
    user = find_user (fair, uid);
  return user;
}
