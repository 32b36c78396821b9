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
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "weir-looker-parse.h"
#include "weir-looker-walk.h"
#include "weir-looker.h"

struct search
{
  struct weir_walk *walk;
  const uint64_t *wanted;
  bool *found;
  size_t n_wanted;
  size_t n_missing;
  uint32_t unreadable;
  weir_walk_func func;
  void *data;
};

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
find_wanted (const struct search *search, uint64_t inode)
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

/* Notes in @hits what is wanted and not found yet among the descriptors in @fds. */
static int
scan_descriptors (struct search *search, int fds, size_t *hits, size_t *ret_n_hits)
{
  _Alignas (struct dirent64) char entries[16384];
  size_t n_hits = 0;
  ssize_t size;

  while ((size = getdents64 (fds, entries, sizeof entries)) > 0)
    for (ssize_t offset = 0; offset < size;)
      {
        const struct dirent64 *entry = (const struct dirent64 *) (entries + offset);
        char link[64];
        uint64_t inode;
        ssize_t length;
        size_t index;
        int r;

        offset += entry->d_reclen;
        if (entry->d_name[0] == '.')
          continue;
        r = weir_pace_step (&search->walk->pace);
        if (r < 0)
          return r;
        length = readlinkat (fds, entry->d_name, link, sizeof link);
        if (length <= 0 || !weir_parse_socket_link (link, (size_t) length, &inode))
          continue;
        index = find_wanted (search, inode);
        if (index == search->n_wanted || search->found[index])
          continue;
        /* Marked at once: a process may hold a socket by several descriptors. */
        for (size_t i = index; i < search->n_wanted && search->wanted[i] == inode; i++)
          search->found[i] = true;
        hits[n_hits++] = index;
      }
  *ret_n_hits = n_hits;
  return 0;
}

static int
report (struct search *search, const size_t *hits, size_t n_hits, const struct weir_owner *owner)
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
forget (struct search *search, const size_t *hits, size_t n_hits)
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

/* A process that ends meanwhile is no error: then its sockets are found elsewhere or not at all. */
static int
visit (struct search *search, uint32_t pid)
{
  size_t hits[WEIR_LOOKER_BATCH], n_hits = 0;
  struct weir_owner owner;
  char name[16];
  int process, fds, r;

  r = weir_pace_step (&search->walk->pace);
  if (r < 0)
    return r;
  snprintf (name, sizeof name, "%u", pid);
  process = openat (search->walk->proc, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (process < 0)
    return 0;
  fds = openat (process, "fd", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fds < 0)
    {
      if (errno == EACCES || errno == EPERM)
        search->unreadable++;
      close (process);
      return 0;
    }

  r = scan_descriptors (search, fds, hits, &n_hits);
  if (r == 0 && n_hits > 0)
    {
      if (describe (process, pid, &owner) == 0)
        {
          remember (search->walk, pid);
          r = report (search, hits, n_hits, &owner);
        }
      else
        forget (search, hits, n_hits);
    }
  close (fds);
  close (process);
  return r;
}

static bool
contains (const uint32_t *pids, size_t n_pids, uint32_t pid)
{
  for (size_t i = 0; i < n_pids; i++)
    if (pids[i] == pid)
      return true;
  return false;
}

/* All processes but those in @visited, in the order of their numbers as the kernel lists them. */
static int
visit_others (struct search *search, const uint32_t *visited, size_t n_visited)
{
  _Alignas (struct dirent64) char entries[16384];
  ssize_t size;

  if (lseek (search->walk->proc, 0, SEEK_SET) < 0)
    return -errno;
  while ((size = getdents64 (search->walk->proc, entries, sizeof entries)) > 0)
    for (ssize_t offset = 0; offset < size;)
      {
        const struct dirent64 *entry = (const struct dirent64 *) (entries + offset);
        uint64_t pid;
        int r;

        offset += entry->d_reclen;
        if (!weir_parse_decimal (entry->d_name, &pid) || pid == 0 || pid > INT32_MAX ||
            contains (visited, n_visited, (uint32_t) pid))
          continue;
        r = visit (search, (uint32_t) pid);
        if (r < 0 || search->n_missing == 0)
          return r;
      }
  return size < 0 ? -errno : 0;
}

int
weir_walk_owners (struct weir_walk *walk, const uint64_t *wanted, bool *found, size_t n_wanted,
                  uint32_t *ret_unreadable, weir_walk_func func, void *data)
{
  struct search search = { .walk = walk,
                           .wanted = wanted,
                           .found = found,
                           .n_wanted = n_wanted,
                           .n_missing = n_wanted,
                           .func = func,
                           .data = data };
  uint32_t lately[WEIR_WALK_LATELY];
  int r = 0;

  if (n_wanted > WEIR_LOOKER_BATCH)
    return -EINVAL;
  memset (found, 0, n_wanted * sizeof found[0]);

  /* A copy, because each that is found changes the order. */
  memcpy (lately, walk->lately, sizeof lately);
  for (size_t i = 0; i < WEIR_WALK_LATELY && lately[i] != 0; i++)
    if (search.n_missing > 0 && r == 0)
      r = visit (&search, lately[i]);
  if (r == 0 && search.n_missing > 0)
    r = visit_others (&search, lately, WEIR_WALK_LATELY);

  *ret_unreadable = search.unreadable;
  return r;
}
