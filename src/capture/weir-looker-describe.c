/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A process is opened once as a directory.  The kernel ties that descriptor to the process, not to
 * its number: when it has ended, everything below gives ESRCH, even if the number is in use again.
 * The start time is compared all the same, before and after its details are read.
 *
 * No file of a process is opened but stat and cgroup.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "weir-looker-describe.h"
#include "weir-looker-parse.h"

/* Processes that change their control group do so when they begin. */
#define FRESH_NS UINT64_C (2000000000)

/* Reads at most @size - 1 bytes and terminates them; 0 when there is nothing. */
static size_t
read_text (int directory, const char *name, char *text, size_t size)
{
  size_t length = 0;
  int fd;

  fd = openat (directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  while (fd >= 0 && length + 1 < size)
    {
      ssize_t n = read (fd, text + length, size - 1 - length);

      if (n <= 0)
        break;
      length += (size_t) n;
    }
  if (fd >= 0)
    close (fd);
  text[length] = '\0';
  return length;
}

static int
read_stat (int process, struct weir_owner *owner)
{
  char text[4096];
  const size_t size = read_text (process, "stat", text, sizeof text);

  if (weir_parse_stat (text, size, owner->comm, &owner->start_time) < 0 ||
      weir_parse_stat_parent (text, size, &owner->parent) < 0)
    return -ESRCH;
  return 0;
}

int
weir_describe (struct weir_described cache[WEIR_DESCRIBED_MAX], int process, uint32_t pid,
               struct weir_owner *ret_owner)
{
  struct weir_described *known = &cache[pid % WEIR_DESCRIBED_MAX];
  struct weir_owner owner = { .pid = pid };
  struct timespec clock = { 0 };
  uint64_t start_time, now;
  char text[16384];

  if (read_stat (process, &owner) < 0)
    return -ESRCH;
  clock_gettime (CLOCK_MONOTONIC, &clock);
  now = (uint64_t) clock.tv_sec * 1000000000 + (uint64_t) clock.tv_nsec;
  if (known->owner.pid == pid && known->owner.start_time == owner.start_time &&
      now - known->at < FRESH_NS)
    {
      known->owner.parent = owner.parent;
      for (unsigned i = 0; i < sizeof owner.comm; i++)
        known->owner.comm[i] = owner.comm[i];
      *ret_owner = known->owner;
      return 0;
    }

  start_time = owner.start_time;
  read_text (process, "cgroup", text, sizeof text);
  if (weir_parse_cgroup (text, owner.cgroup, sizeof owner.cgroup) < 0)
    owner.cgroup[0] = '\0';
  if (read_stat (process, &owner) < 0 || owner.start_time != start_time)
    return -ESRCH;
  *known = (struct weir_described) { now, owner };
  *ret_owner = owner;
  return 0;
}
