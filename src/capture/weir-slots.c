/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-slots.h"

static bool
is_written_by_us_alone (int fd)
{
  struct stat info;

  return fstat (fd, &info) == 0 && S_ISDIR (info.st_mode) && info.st_uid == geteuid () &&
         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Root's own, in root's own: nobody else can have put a link or another file there.  mkdir(2)
 * neither follows a link nor changes what exists, and what exists is only used if nobody else can
 * write there.  Others may look at it: the files in it can be opened, and so locked, by root alone.
 */
static int
open_directory (const char *run)
{
  int parent, fd = -1, r = -EPERM;

  parent = open (run, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (parent < 0)
    return -errno;
  if (!is_written_by_us_alone (parent))
    goto out;
  if (mkdirat (parent, "weir", 0700) < 0 && errno != EEXIST)
    {
      r = -errno;
      goto out;
    }
  fd = openat (parent, "weir", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    r = -errno;
  else if (is_written_by_us_alone (fd))
    r = 0;

out:
  close (parent);
  if (r < 0 && fd >= 0)
    close (fd);
  return r < 0 ? r : fd;
}

/* The lock, not the file, is the slot; the files are empty and stay. */
static int
take_one (int directory, const char *kind, unsigned long number, unsigned count)
{
  for (unsigned i = 0; i < count; i++)
    {
      char name[64];
      int fd, error;

      if (snprintf (name, sizeof name, "%s-%lu-%u", kind, number, i) >= (int) sizeof name)
        return -ENAMETOOLONG;
      fd = openat (directory, name, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
      if (fd < 0)
        return -errno;
      if (flock (fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
      error = errno;
      close (fd);
      if (error != EWOULDBLOCK)
        return -error;
    }
  return -EUSERS;
}

int
weir_slots_take (const char *run, uid_t uid, int ret_fds[2])
{
  int directory, own, any;

  directory = open_directory (run);
  if (directory < 0)
    return directory;
  own = take_one (directory, "engine-of", uid, WEIR_ENGINES_PER_UID_MAX);
  any = own < 0 ? own : take_one (directory, "engine", 0, WEIR_ENGINES_MAX);
  close (directory);
  if (any < 0)
    {
      if (own >= 0)
        close (own);
      return any;
    }
  ret_fds[0] = own;
  ret_fds[1] = any;
  return 0;
}
