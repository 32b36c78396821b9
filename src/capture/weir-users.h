/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system users that the engine's processes become. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct weir_user
{
  uid_t uid;
  gid_t gid;
  bool own; /* a system user of Weir's; else nobody, whom other programs are as well */
};

struct weir_users
{
  struct weir_user meter;  /* `weir-meter` */
  struct weir_user helper; /* `weir`: keeper and looker */
};

/* Looks both up in @passwd_path (`/etc/passwd` except in tests); one that is missing, is not a
 * system user, is @caller or is the same as the other becomes nobody.  -EPERM when that is @caller,
 * who could then signal what is to be out of its reach. */
int
weir_users_load (const char *passwd_path, uid_t caller, struct weir_users *ret_users);
