/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "weir-users.h"

/* The kernel's overflow id, and the `nobody` of every distribution. */
#define NOBODY 65534

/* Where ids of people begin (SYS_UID_MAX of login.defs).  Somebody may well be called Weir. */
#define SYSTEM_ID_MAX 999

static struct weir_user
find (FILE *passwd, const char *name, uid_t caller)
{
  struct weir_user user = { NOBODY, NOBODY, false };
  struct passwd *entry;

  rewind (passwd);
  while ((entry = fgetpwent (passwd)) != NULL)
    if (strcmp (entry->pw_name, name) == 0)
      {
        if (entry->pw_uid != 0 && entry->pw_uid <= SYSTEM_ID_MAX && entry->pw_gid != 0 &&
            entry->pw_gid <= SYSTEM_ID_MAX && entry->pw_uid != caller)
          user = (struct weir_user) { entry->pw_uid, entry->pw_gid, true };
        break;
      }
  return user;
}

int
weir_users_load (const char *passwd_path, uid_t caller, struct weir_users *ret_users)
{
  const struct weir_user nobody = { NOBODY, NOBODY, false };
  struct weir_users users = { nobody, nobody };
  FILE *passwd;

  /* Not getpwnam(3): the name service switch would load other people's code into a root process. */
  passwd = fopen (passwd_path, "re");
  if (passwd != NULL)
    {
      users.meter = find (passwd, "weir-meter", caller);
      users.helper = find (passwd, "weir", caller);
      fclose (passwd);
    }
  if (users.meter.own && users.meter.uid == users.helper.uid)
    users.meter = nobody;
  *ret_users = users;
  return users.meter.uid == caller || users.helper.uid == caller ? -EPERM : 0;
}
