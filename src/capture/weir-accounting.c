/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is done to the setting is two constants.  Nothing is read from the record but whether it has
 * something in it: who opened it has seen to it that this is ours (weir-accounting-open.c), and it
 * stays so while any engine holds a lock.
 *
 * The calls are those that a filter can hold to their arguments: flock(2) has no pointer, where the
 * locks of fcntl(2) have one, and a record that is emptied by ftruncate(2) needs no path, as
 * unlink(2) would, and no permission to let files grow.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "weir-accounting.h"

int
weir_accounting_read (int setting)
{
  char text[8];
  ssize_t n;

  n = pread (setting, text, sizeof text, 0);
  if (n < 0)
    return -errno;
  if (n != 2 || text[1] != '\n' || (text[0] != '0' && text[0] != '1'))
    return -ERANGE;
  return text[0] - '0';
}

static int
set (int setting, bool on)
{
  if (pwrite (setting, on ? "1" : "0", 1, 0) < 0)
    return -errno;
  return weir_accounting_read (setting) == (int) on ? 0 : -EPERM;
}

int
weir_accounting_switch_on (const struct weir_accounting *accounting)
{
  return set (accounting->setting, true);
}

static bool
has_record (int record)
{
  char byte;

  return pread (record, &byte, sizeof byte, 0) == sizeof byte;
}

int
weir_accounting_leave (const struct weir_accounting *accounting)
{
  int value, r = 0;

  /* Whatever the answer, the shared lock is gone: flock(2) gives it up before it asks for the
   * other. So of several who leave at once the last finds nobody, and restores. */
  if (flock (accounting->record, LOCK_EX | LOCK_NB) < 0)
    return 0;

  /* In this order: killed in between, the record says that the setting is ours, and it is off. */
  if (has_record (accounting->record))
    {
      value = weir_accounting_read (accounting->setting);
      if (value == 1)
        {
          value = set (accounting->setting, false);
          r = value < 0 ? value : 1;
        }
      if (value == 0 || value == -ERANGE)
        (void) !ftruncate (accounting->record, 0);
    }

  /* The meter may go on without, and others must be able to begin. */
  (void) !flock (accounting->record, LOCK_UN);
  return r;
}

void
weir_accounting_wait (int fd)
{
  char byte;

  /* Nothing is ever sent, so whatever is received is the end as well. */
  while (recv (fd, &byte, sizeof byte, 0) < 0 && errno == EINTR)
    continue;
}
