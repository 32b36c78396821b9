/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which namespace a process is in is read from a link, and never followed.  Threads may be in
 * others than their process; those are not looked for: programs that work that way go there, make a
 * socket and come back, and a namespace in which nobody stays is found while it is named.
 *
 * /proc/PID/net is that of the namespace in which the process is just when a file is opened, so it
 * is asked before and after where that is.  A process that goes back and forth between two
 * namespaces of its own can lie about these, which are its own.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-looker-fair.h"
#include "weir-looker-namespaces.h"
#include "weir-looker-parse.h"

/* Percent of a request's time (weir-looker-pace.h): owners wait behind this. */
#define WALK_SHARE 25
#define LIST_SHARE 25

#define BUCKETS (2 * WEIR_LOOKER_NAMESPACES_MAX)

/* To read where a process is takes most of a walk's time, and hardly one ever goes elsewhere after
 * it has begun.  So each is looked at in its first walks, and then once in so many. */
#define LOOKS_AT_YOUNG 3
#define TURNS          4

/* ---- which there are ---- */

/* Where @inode is among those that were told in this walk, or where it would be.  Half of the table
 * stays empty, so that looking ends. */
static uint32_t *
place_of (struct weir_namespace_walk *walk, uint32_t inode)
{
  uint32_t at = inode * 2654435761U % BUCKETS;

  while (walk->inodes[at] != 0 && walk->inodes[at] != inode)
    at = (at + 1) % BUCKETS;
  return &walk->inodes[at];
}

/* Nobody should be able to choose numbers that come to the same. */
static uint32_t
mix (uint32_t inode)
{
  inode = (inode ^ inode >> 16) * 0x85ebca6bU;
  inode = (inode ^ inode >> 13) * 0xc2b2ae35U;
  return inode ^ inode >> 16;
}

/* When other namespaces were told than in the walk before, somebody may have gone from one to
 * another, and nobody is said to have left whom nobody was looked for. */
static void
begin_walk (struct weir_namespace_walk *walk)
{
  walk->thorough = walk->told != walk->told_before;
  walk->told_before = walk->told;
  walk->told = 0;
  walk->turn++;
  walk->n_inodes = 0;
  memset (walk->inodes, 0, sizeof walk->inodes);
}

static struct weir_known_process *
known_process (struct weir_namespace_walk *walk, uint32_t pid)
{
  return &walk->known[pid % WEIR_LOOKER_KNOWN_PROCESSES];
}

/* Whether it is known well enough where the process is, without another look. */
static bool
is_known (struct weir_namespace_walk *walk, const struct dirent64 *entry, uint32_t pid)
{
  const struct weir_known_process *known = known_process (walk, pid);

  return !walk->thorough && known->pid == pid && known->entry == entry->d_ino &&
         known->looks >= LOOKS_AT_YOUNG && pid % TURNS != walk->turn % TURNS;
}

static void
remember (struct weir_namespace_walk *walk, const struct dirent64 *entry, uint32_t pid,
          uint32_t inode)
{
  struct weir_known_process *known = known_process (walk, pid);

  /* The kernel gives the directory of a process another number when it had to make it anew, which
   * is no more than a reason to look, and 1 when it could not make it (proc_fill_cache in
   * fs/proc/base.c). */
  if (entry->d_ino <= 1)
    return;
  if (known->pid != pid || known->entry != entry->d_ino)
    *known = (struct weir_known_process) { .entry = entry->d_ino, .pid = pid };
  known->inode = inode;
  if (known->looks < LOOKS_AT_YOUNG)
    known->looks++;
}

int
weir_looker_read_namespace (int process, uint32_t *ret_inode)
{
  char link[32];
  ssize_t size;

  size = readlinkat (process, "ns/net", link, sizeof link);
  if (size <= 0 || !weir_parse_namespace_link (link, (size_t) size, ret_inode))
    return -ESRCH;
  return 0;
}

/* ---- without the right to read links ---- */

/* Files below /proc/net are those of one namespace and no other's, and everybody may see which they
 * are (proc_get_inode() of the kernel).  Their numbers are given to others when a namespace is
 * gone: whoever asks must know that it is not. */
static bool
get_mark (int process, uint64_t *ret_mark)
{
  struct stat info;

  if (fstatat (process, "net/dev", &info, AT_SYMLINK_NOFOLLOW) < 0)
    return false;
  *ret_mark = info.st_ino;
  return true;
}

static void
note_mark (struct weir_namespace_walk *walk, int process, uint32_t inode)
{
  uint64_t mark;

  if (!get_mark (process, &mark))
    return;
  for (uint32_t i = 0; i < walk->n_marks; i++)
    if (walk->marks[i].inode == inode || walk->marks[i].mark == mark)
      {
        walk->marks[i] = (struct weir_known_namespace) { mark, inode };
        return;
      }
  if (walk->n_marks < WEIR_LOOKER_NAMESPACES_MAX)
    walk->marks[walk->n_marks++] = (struct weir_known_namespace) { mark, inode };
}

static int
find_by_mark (const struct weir_namespace_walk *walk, int process, uint32_t *ret_inode)
{
  uint64_t mark;

  if (!get_mark (process, &mark))
    return -ESRCH;
  for (uint32_t i = 0; i < walk->n_marks; i++)
    if (walk->marks[i].mark == mark)
      {
        *ret_inode = walk->marks[i].inode;
        return 0;
      }
  return -ESRCH;
}

static int
find_namespace (const struct weir_namespace_walk *walk, int process, uint32_t *ret_inode)
{
  return walk->blind ? find_by_mark (walk, process, ret_inode)
                     : weir_looker_read_namespace (process, ret_inode);
}

static int
open_process (int proc, const char *name)
{
  return openat (proc, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The kernel ties the descriptor to the process, so all of this is about one and the same. */
static int
describe (int process, uint32_t pid, uint32_t inode, struct weir_seen_namespace *ret_seen)
{
  struct weir_seen_namespace seen = { .inode = inode, .pid = pid };
  char text[512];
  ssize_t size;
  int fd;

  fd = openat (process, "stat", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return -ESRCH;
  size = read (fd, text, sizeof text);
  close (fd);
  if (size <= 0 || weir_parse_stat (text, (size_t) size, seen.comm, &seen.start_time) < 0 ||
      weir_fair_get_uid (process, &seen.uid) < 0)
    return -ESRCH;
  *ret_seen = seen;
  return 0;
}

/* Tells the namespace of a process unless that was done in this walk. */
static int
look_at (struct weir_namespace_walk *walk, int proc, const struct dirent64 *entry, uint32_t pid,
         struct weir_namespace_walk_result *result, weir_namespace_func func, void *data)
{
  struct weir_seen_namespace seen;
  uint32_t inode, *place;
  int process, r = 0;

  if (is_known (walk, entry, pid))
    {
      inode = known_process (walk, pid)->inode;
      if (*place_of (walk, inode) == inode)
        return 0;
    }
  process = open_process (proc, entry->d_name);
  if (process < 0)
    return 0;
  if (find_namespace (walk, process, &inode) == 0)
    {
      remember (walk, entry, pid, inode);
      place = place_of (walk, inode);
      if (*place != inode && walk->n_inodes == WEIR_LOOKER_NAMESPACES_MAX)
        result->refused++;
      /* One that has just ended leaves it to the next one to be told by. */
      else if (*place != inode && describe (process, pid, inode, &seen) == 0)
        {
          *place = inode;
          if (!walk->blind)
            note_mark (walk, process, inode);
          walk->n_inodes++;
          walk->told += mix (inode);
          r = func (&seen, data);
        }
    }
  close (process);
  return r;
}

int
weir_looker_find_namespaces (struct weir_namespace_walk *walk, struct weir_pace *pace, int proc,
                             struct weir_namespace_walk_result *ret_result,
                             weir_namespace_func func, void *data)
{
  _Alignas (struct dirent64) char entries[16384];
  struct weir_namespace_walk_result result = { 0 };
  ssize_t size = 0;
  int r = 0;

  weir_pace_begin (pace);
  weir_pace_allow (pace, WALK_SHARE);
  if (lseek (proc, walk->place, SEEK_SET) < 0)
    return -errno;
  if (walk->place == 0)
    begin_walk (walk);
  while (r == 0 && (size = getdents64 (proc, entries, sizeof entries)) > 0)
    for (ssize_t offset = 0; offset < size && r == 0;)
      {
        const struct dirent64 *entry = (const struct dirent64 *) (entries + offset);
        uint64_t pid;

        offset += entry->d_reclen;
        if (weir_parse_decimal (entry->d_name, &pid) && pid <= INT32_MAX)
          {
            r = weir_pace_step (pace);
            if (r < 0)
              break;
            r = look_at (walk, proc, entry, (uint32_t) pid, &result, func, data);
          }
        walk->place = entry->d_off;
      }
  if (r == 0 && size == 0)
    walk->place = 0;
  result.unfinished = r == -ETIME;
  *ret_result = result;
  return r == -ETIME ? 0 : r;
}

/* ---- what is in one ---- */

struct listing
{
  struct weir_namespace_walk *walk;
  struct weir_pace *pace;
  uint8_t protocol;
  bool v6;
  int n;
  bool cut;
};

static int
take_line (struct listing *listing, char *line)
{
  struct weir_listed_socket socket = { 0 };
  int r;

  r = weir_pace_step (listing->pace);
  if (r < 0)
    return r;
  /* The first line has the names of the columns. */
  if (!weir_parse_socket_line (line, listing->v6, &socket) || socket.inode == 0)
    return 0;
  socket.protocol = listing->protocol;
  if (listing->n == WEIR_LOOKER_SOCKETS_MAX)
    {
      listing->cut = true;
      return -ETIME;
    }
  listing->walk->sockets[listing->n++] = socket;
  return 0;
}

/* Line by line; one that does not fit into the buffer is none of the kernel's, and ends it. */
static int
read_lines (struct listing *listing, int fd)
{
  char text[8192];
  size_t length = 0;
  ssize_t size;
  int r = 0;

  while (r == 0 && (size = read (fd, text + length, sizeof text - length)) > 0)
    {
      char *line = text, *end;

      length += (size_t) size;
      while (r == 0 && (end = memchr (line, '\n', length - (size_t) (line - text))) != NULL)
        {
          *end = '\0';
          r = take_line (listing, line);
          line = end + 1;
        }
      length -= (size_t) (line - text);
      memmove (text, line, length);
      if (length == sizeof text)
        return -EPROTO;
    }
  return r;
}

int
weir_looker_list_sockets (struct weir_namespace_walk *walk, struct weir_pace *pace, int proc,
                          uint32_t inode, uint32_t pid, bool *ret_cut)
{
  static const struct
  {
    const char *name;
    uint8_t protocol;
    bool v6;
  } files[] = {
    { "net/tcp", IPPROTO_TCP, false },
    { "net/tcp6", IPPROTO_TCP, true },
    { "net/udp", IPPROTO_UDP, false },
    { "net/udp6", IPPROTO_UDP, true },
  };
  struct listing listing = { .walk = walk, .pace = pace };
  uint32_t before = 0, after = 0;
  char name[16];
  int process, r = 0;

  weir_pace_begin (pace);
  weir_pace_allow (pace, LIST_SHARE);
  snprintf (name, sizeof name, "%u", pid);
  process = open_process (proc, name);
  if (process < 0)
    return -ESRCH;
  (void) weir_looker_read_namespace (process, &before);
  for (size_t i = 0; i < sizeof files / sizeof files[0] && r == 0 && before == inode; i++)
    {
      int fd = openat (process, files[i].name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

      /* A kernel without IPv6 lacks two of them. */
      if (fd < 0)
        continue;
      listing.protocol = files[i].protocol;
      listing.v6 = files[i].v6;
      r = weir_pace_stride (pace);
      if (r == 0)
        r = read_lines (&listing, fd);
      close (fd);
    }
  (void) weir_looker_read_namespace (process, &after);
  close (process);
  if (r == -EPIPE)
    return r;
  if (before != inode || after != inode)
    return -ESRCH;
  *ret_cut = listing.cut || r < 0;
  return listing.n;
}
