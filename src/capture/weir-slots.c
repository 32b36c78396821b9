/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "weir-run-dir.h"
#include "weir-slots.h"

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

  directory = weir_run_dir_open (run);
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
