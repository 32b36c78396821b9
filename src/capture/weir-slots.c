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

static int
take (const char *run, const char *kind, unsigned long number, unsigned count)
{
  int directory, fd;

  directory = weir_run_dir_open (run);
  if (directory < 0)
    return directory;
  fd = take_one (directory, kind, number, count);
  close (directory);
  return fd;
}

int
weir_slots_take_own (const char *run, uid_t uid, unsigned most)
{
  return take (run, "engine-of", uid, most);
}

int
weir_slots_take_shared (const char *run)
{
  return take (run, "engine", 0, WEIR_ENGINES_MAX);
}
