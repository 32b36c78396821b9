/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Only links of descriptors are read, never followed.
 *
 * A socket may be held by several processes.  Those that inherited it have it under the same number
 * as the one that made it, so the owner is the farthest forebear that still holds it there: always
 * the same, whichever of the family is found.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "weir-looker-parse.h"
#include "weir-looker-scan.h"
#include "weir-looker.h"

/* /proc/PID/fd begins with its "." and "..". */
#define FD_OFFSET 2
/* Generations that are looked back. */
#define FOREBEARS_MAX 8

/* What was found in a table. */
struct hit
{
  size_t index; /* of the first that wants it */
  uint32_t fd;
};

/* The first of those that want @inode; n_wanted: nobody does. */
static size_t
find_wanted (const struct weir_search *search, uint64_t inode)
{
  size_t low = 0, high = search->n_wanted;

  while (low < high)
    {
      const size_t middle = low + (high - low) / 2;

      if (search->wanted[middle].inode < inode)
        low = middle + 1;
      else
        high = middle;
    }
  return low < search->n_wanted && search->wanted[low].inode == inode ? low : search->n_wanted;
}

static void
mark (struct weir_search *search, size_t index, bool found)
{
  const uint64_t inode = search->wanted[index].inode;

  for (size_t i = index; i < search->n_wanted && search->wanted[i].inode == inode; i++)
    search->wanted[i].found = found;
}

/* Notes in @hits that @link is wanted, and not found yet. */
static void
check_link (struct weir_search *search, uint32_t fd, const char *link, size_t size,
            struct hit *hits, size_t *n_hits)
{
  uint64_t inode;
  size_t index;

  if (!weir_parse_socket_link (link, size, &inode))
    return;
  index = find_wanted (search, inode);
  if (index == search->n_wanted || search->wanted[index].found)
    return;
  /* Marked at once: a process may hold a socket by several descriptors. */
  mark (search, index, true);
  hits[(*n_hits)++] = (struct hit) { index, fd };
}

/* 0 at the end of the window or of the table. */
static int
scan_descriptors (struct weir_search *search, int fds, struct weir_window *window, struct hit *hits,
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
          check_link (search, (uint32_t) number, link, (size_t) length, hits, n_hits);
      }
  return 0;
}

static bool
holds (const struct weir_search *search, uint32_t pid, uint32_t fd, uint64_t inode)
{
  char path[40], link[64];
  uint64_t found;
  ssize_t length;

  snprintf (path, sizeof path, "%u/fd/%u", pid, fd);
  length = readlinkat (search->walk->proc, path, link, sizeof link);
  return length > 0 && weir_parse_socket_link (link, (size_t) length, &found) && found == inode;
}

int
weir_scan_open_process (const struct weir_search *search, uint32_t pid)
{
  char name[16];

  snprintf (name, sizeof name, "%u", pid);
  return openat (search->walk->proc, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Goes from @owner to the farthest forebear that holds the same socket by the same number.  Process
 * 1 hands sockets to those who serve them, and is not meant by that. */
static void
find_forebear (struct weir_search *search, uint64_t inode, uint32_t fd, struct weir_owner *owner)
{
  for (unsigned i = 0; i < FOREBEARS_MAX && owner->parent > 1; i++)
    {
      struct weir_owner parent;
      int process, r;

      if (!holds (search, owner->parent, fd, inode))
        return;
      process = weir_scan_open_process (search, owner->parent);
      if (process < 0)
        return;
      r = weir_describe (search->walk->described, process, owner->parent, &parent);
      close (process);
      /* Whoever has this number now but is younger than its child is not its parent. */
      if (r < 0 || parent.start_time > owner->start_time)
        return;
      *owner = parent;
    }
}

static int
report (struct weir_search *search, const struct hit *hits, size_t n_hits,
        const struct weir_owner *holder, bool known)
{
  for (size_t n = 0; n < n_hits; n++)
    {
      const uint64_t inode = search->wanted[hits[n].index].inode;
      struct weir_owner owner = *holder;

      /* What stayed where it was says nothing of where new ones are, and stays whose it was. */
      if (!known)
        find_forebear (search, inode, hits[n].fd, &owner);
      owner.fd = hits[n].fd;
      if (!known)
        weir_recent_note (&search->walk->recent, owner.pid, owner.fd, owner.start_time);
      for (size_t i = hits[n].index; i < search->n_wanted && search->wanted[i].inode == inode; i++)
        {
          int r = search->func (inode, &owner, search->data);

          if (r < 0)
            return r;
          search->n_missing--;
        }
    }
  return 0;
}

static int
describe_and_report (struct weir_search *search, int process, uint32_t pid, const struct hit *hits,
                     size_t n_hits, bool known)
{
  struct weir_owner owner;

  if (weir_describe (search->walk->described, process, pid, &owner) < 0)
    {
      for (size_t i = 0; i < n_hits; i++)
        mark (search, hits[i].index, false);
      return 0;
    }
  return report (search, hits, n_hits, &owner, known);
}

int
weir_scan_table (struct weir_search *search, int process, uint32_t pid, int fds,
                 struct weir_window *window)
{
  struct hit hits[WEIR_LOOKER_BATCH];
  size_t n_hits = 0;
  int r, result;

  r = scan_descriptors (search, fds, window, hits, &n_hits);
  if (n_hits == 0)
    return r;
  /* What was found before the time was up is told. */
  if (r < 0 && r != -ETIME)
    return r;
  result = describe_and_report (search, process, pid, hits, n_hits, false);
  return result < 0 ? result : r;
}

int
weir_scan_some (struct weir_search *search, const struct weir_looker_hint *places, size_t n_places,
                bool known)
{
  struct hit hits[WEIR_LOOKER_BATCH];
  size_t n_hits = 0;
  int process, r, result = 0;

  r = weir_pace_step (&search->walk->pace);
  if (r < 0)
    return r;
  process = weir_scan_open_process (search, places[0].pid);
  if (process < 0)
    return 0;
  for (size_t i = 0; i < n_places && r == 0; i++)
    {
      char path[32], link[64];
      ssize_t length;

      snprintf (path, sizeof path, "fd/%u", places[i].fd);
      length = readlinkat (process, path, link, sizeof link);
      if (length > 0)
        check_link (search, places[i].fd, link, (size_t) length, hits, &n_hits);
      r = weir_pace_step (&search->walk->pace);
    }
  if (n_hits > 0 && (r == 0 || r == -ETIME))
    result = describe_and_report (search, process, places[0].pid, hits, n_hits, known);
  close (process);
  return result < 0 ? result : r;
}
