/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-run-dir.h"

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
int
weir_run_dir_open (const char *run)
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
