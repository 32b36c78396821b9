/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The layer that an ordinary user's meter has instead of an empty room, and that meter and keeper
 * have besides one.  What each version of the interface denies:
 *
 *   1 (Linux 5.13)  opening, executing, making, removing and renaming files and directories
 *   2 (5.19)        linking and renaming across directories, which 1 denied to everybody anyway
 *   3 (6.2)         truncating
 *   4 (6.7)         TCP: connect, and bind
 *   5 (6.10)        ioctl on devices that were opened meanwhile
 *   6 (6.12)        signals to, and abstract sockets of, anybody outside
 *
 * UDP is in none of them: an empty network namespace is what stops that, and the filter of system
 * calls.  What is open already stays usable.
 *
 * The looker does without: inside a Landlock domain the kernel refuses /proc/PID/fd of every
 * process outside it, whatever capabilities there are (measured; security/landlock/task.c).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "weir-landlock.h"

/* All rights up to and including the given one. */
#define UP_TO(right) ((right) | ((right) - 1))

static int
get_version (void)
{
  return (int) syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Denied is what a set of rules knows of and has no rule for; it may only know of what the kernel
 * does. */
static struct landlock_ruleset_attr
choose (int version, const struct weir_plan *plan)
{
  struct landlock_ruleset_attr rules = {
    .handled_access_fs = UP_TO (LANDLOCK_ACCESS_FS_MAKE_SYM),
  };

  if (version >= 2)
    rules.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3)
    rules.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
  if (version >= 4)
    rules.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
  if (version >= 5)
    rules.handled_access_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
  /* An ordinary user's looker is of the same uid, and the signal that ends it with its meter is
   * sent by the meter in the kernel's eyes: scoped, it would never arrive at one that was stopped
   * (measured).  There the filter of system calls alone keeps the meter from sending others. */
  if (version >= 6)
    rules.scoped =
        LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | (plan->elevated ? LANDLOCK_SCOPE_SIGNAL : 0);
  return rules;
}

/* Its word is put to the test where that can be done without an effect: a directory that everybody
 * may read, in an empty room as well as outside. */
static bool
denies (void)
{
  const int fd = open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0)
    close (fd);
  return fd < 0 && errno == EACCES;
}

int
weir_landlock_restrict (const struct weir_plan *plan, struct weir_layers *layers)
{
  struct landlock_ruleset_attr rules;
  int version, fd;
  bool done;

  if (plan->role == WEIR_ROLE_LOOKER || (plan->without & WEIR_LAYER_LANDLOCK) != 0)
    return 0;

  /* ENOSYS and EOPNOTSUPP: not built in, and switched off.  A container's filter says EPERM. */
  version = get_version ();
  if (version < 1)
    goto missing;
  rules = choose (version, plan);
  /* What an older kernel does not know of the structure is zero, and then may be longer. */
  fd = (int) syscall (SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
  if (fd < 0)
    goto missing;
  /* Refused to who is sixteen domains deep already. */
  done = syscall (SYS_landlock_restrict_self, fd, 0) == 0;
  close (fd);
  if (!done)
    goto missing;
  if (!denies ())
    return -EPERM;
  layers->active |= WEIR_LAYER_LANDLOCK;
  return version;

missing:
  layers->missing |= WEIR_LAYER_LANDLOCK;
  return 0;
}
