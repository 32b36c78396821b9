/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A process is opened once as a directory.  The kernel ties that descriptor to the process, not to
 * its number: when it has ended, everything below gives ESRCH, even if the number is in use again.
 * The start time is compared all the same, before and after its details are read.
 *
 * Only links of descriptors are read, never followed, and no file of a process is opened but stat,
 * status and cgroup.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "weir-looker-parse.h"
#include "weir-looker-scan.h"
#include "weir-looker.h"

/* /proc/PID/fd begins with its "." and "..". */
#define FD_OFFSET 2

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
describe (int process, uint32_t pid, struct weir_owner *ret_owner)
{
  struct weir_owner owner = { .pid = pid };
  char text[16384], comm[16];
  uint64_t start_time;
  size_t size;

  size = read_text (process, "stat", text, sizeof text);
  if (weir_parse_stat (text, size, comm, &start_time) < 0)
    return -ESRCH;
  read_text (process, "status", text, sizeof text);
  if (weir_parse_status_uid (text, &owner.uid) < 0)
    return -ESRCH;
  read_text (process, "cgroup", text, sizeof text);
  if (weir_parse_cgroup (text, owner.cgroup, sizeof owner.cgroup) < 0)
    owner.cgroup[0] = '\0';
  size = read_text (process, "stat", text, sizeof text);
  if (weir_parse_stat (text, size, owner.comm, &owner.start_time) < 0 ||
      owner.start_time != start_time)
    return -ESRCH;

  *ret_owner = owner;
  return 0;
}

/* First index of @inode in the sorted array, or n_wanted. */
static size_t
find_wanted (const struct weir_search *search, uint64_t inode)
{
  size_t low = 0, high = search->n_wanted;

  while (low < high)
    {
      const size_t middle = low + (high - low) / 2;

      if (search->wanted[middle] < inode)
        low = middle + 1;
      else
        high = middle;
    }
  return low < search->n_wanted && search->wanted[low] == inode ? low : search->n_wanted;
}

/* Notes in @hits that @link is wanted, and not found yet. */
static void
check_link (struct weir_search *search, const char *link, size_t size, size_t *hits, size_t *n_hits)
{
  uint64_t inode;
  size_t index;

  if (!weir_parse_socket_link (link, size, &inode))
    return;
  index = find_wanted (search, inode);
  if (index == search->n_wanted || search->found[index])
    return;
  /* Marked at once: a process may hold a socket by several descriptors. */
  for (size_t i = index; i < search->n_wanted && search->wanted[i] == inode; i++)
    search->found[i] = true;
  hits[(*n_hits)++] = index;
}

/* 0 at the end of the window or of the table. */
static int
scan_descriptors (struct weir_search *search, int fds, struct weir_window *window, size_t *hits,
                  size_t *n_hits)
{
  /* 64 entries: what is listed costs more than what is read. */
  _Alignas (struct dirent64) char entries[64 * 24];
  ssize_t size;

  window->reached = window->first;
  if (window->first > 0 && lseek (fds, (off_t) window->first + FD_OFFSET, SEEK_SET) < 0)
    return 0;
  while ((size = getdents64 (fds, entries, sizeof entries)) > 0)
    for (ssize_t offset = 0; offset < size;)
      {
        const struct dirent64 *entry = (const struct dirent64 *) (entries + offset);
        uint64_t number;
        char link[64];
        ssize_t length;
        int r;

        offset += entry->d_reclen;
        if (!weir_parse_decimal (entry->d_name, &number) || number > INT32_MAX)
          continue;
        if (number >= window->end)
          {
            search->more = true;
            return 0;
          }
        window->reached = (uint32_t) number;
        r = weir_pace_step (&search->walk->pace);
        if (r < 0)
          return r;
        length = readlinkat (fds, entry->d_name, link, sizeof link);
        if (length > 0)
          check_link (search, link, (size_t) length, hits, n_hits);
      }
  return 0;
}

static int
report (struct weir_search *search, const size_t *hits, size_t n_hits,
        const struct weir_owner *owner)
{
  for (size_t n = 0; n < n_hits; n++)
    {
      const uint64_t inode = search->wanted[hits[n]];

      for (size_t i = hits[n]; i < search->n_wanted && search->wanted[i] == inode; i++)
        {
          int r = search->func (inode, owner, search->data);

          if (r < 0)
            return r;
          search->n_missing--;
        }
    }
  return 0;
}

static void
forget (struct weir_search *search, const size_t *hits, size_t n_hits)
{
  for (size_t n = 0; n < n_hits; n++)
    for (size_t i = hits[n]; i < search->n_wanted && search->wanted[i] == search->wanted[hits[n]];
         i++)
      search->found[i] = false;
}

/* Moves @pid to the front, or puts it there. */
static void
remember (struct weir_walk *walk, uint32_t pid)
{
  size_t i;

  for (i = 0; i + 1 < WEIR_WALK_LATELY && walk->lately[i] != pid && walk->lately[i] != 0; i++)
    ;
  memmove (&walk->lately[1], &walk->lately[0], i * sizeof walk->lately[0]);
  walk->lately[0] = pid;
}

int
weir_scan_table (struct weir_search *search, int process, uint32_t pid, int fds,
                 struct weir_window *window)
{
  size_t hits[WEIR_LOOKER_BATCH], n_hits = 0;
  struct weir_owner owner;
  int r, result;

  r = scan_descriptors (search, fds, window, hits, &n_hits);
  if (n_hits == 0)
    return r;
  /* What was found before the time was up is told. */
  if (r < 0 && r != -ETIME)
    return r;
  if (describe (process, pid, &owner) < 0)
    {
      forget (search, hits, n_hits);
      return r;
    }
  remember (search->walk, pid);
  result = report (search, hits, n_hits, &owner);
  return result < 0 ? result : r;
}
