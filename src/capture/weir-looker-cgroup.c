/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The id of a control group is the inode number of its directory.  open_by_handle_at(2) would turn
 * it into a path in one step, but it is the one call with which CAP_DAC_READ_SEARCH opens any file
 * of a file system past all directories, so this process does without it and walks the tree.
 *
 * Ids are 64 bits wide and never used twice, and groups cannot be renamed, so an answer stays true.
 * A group that is not found has been removed, or is just being made: that is believed for a moment
 * only, and only after the whole tree has been looked at: whoever was given a part of it may fill
 * that part with groups without end.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "weir-limits.h"
#include "weir-looker-cgroup.h"
#include "weir-looker-parse.h"
#include "weir-looker.h"

/* Answers that are kept; a further one takes the place of another. */
#define CACHE_SIZE 4096

/* Directories that one walk may queue; a machine with some thousand containers has fewer. */
#define QUEUE_MAX 65536

/* How long an unknown id stays unknown without a new walk. */
#define BELIEVE_MISSING_NS 5000000000

struct entry
{
  uint64_t id;       /* 0: free */
  char *path;        /* NULL: was not found ... */
  uint64_t asked_ns; /* ... at this time */
};

struct weir_cgroups
{
  int root; /* -1: there is no hierarchy */
  uint64_t root_id;
  char prefix[WEIR_STRING_MAX + 1]; /* of what is seen at the mount point; empty for all of it */
  struct entry cache[CACHE_SIZE];
};

/* Directories still to be read, as paths below the mount point. */
struct queue
{
  char **paths;
  size_t first, end, capacity;
};

static uint64_t
now_ns (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static void
find_root (struct weir_cgroups *cgroups)
{
  char *line = NULL, path[32], point[WEIR_STRING_MAX + 1], prefix[WEIR_STRING_MAX + 1];
  size_t capacity = 0;
  FILE *mounts;

  /* By number: /proc/self is a link, and the looker's own /proc follows none. */
  snprintf (path, sizeof path, "/proc/%d/mountinfo", getpid ());
  mounts = fopen (path, "re");
  if (mounts == NULL)
    return;
  while (cgroups->root < 0 && getline (&line, &capacity, mounts) > 0)
    {
      struct stat info;
      int fd;

      line[strcspn (line, "\n")] = '\0';
      if (!weir_parse_cgroup_mount (line, point, prefix, sizeof point))
        continue;
      fd = open (point, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (fd < 0 || fstat (fd, &info) < 0)
        {
          if (fd >= 0)
            close (fd);
          continue;
        }
      cgroups->root = fd;
      cgroups->root_id = info.st_ino;
      if (strcmp (prefix, "/") != 0)
        memcpy (cgroups->prefix, prefix, strlen (prefix) + 1);
    }
  free (line);
  fclose (mounts);
}

struct weir_cgroups *
weir_cgroups_new (void)
{
  struct weir_cgroups *cgroups = calloc (1, sizeof *cgroups);

  if (cgroups == NULL)
    return NULL;
  cgroups->root = -1;
  find_root (cgroups);
  return cgroups;
}

void
weir_cgroups_free (struct weir_cgroups *cgroups)
{
  if (cgroups == NULL)
    return;
  for (size_t i = 0; i < CACHE_SIZE; i++)
    free (cgroups->cache[i].path);
  if (cgroups->root >= 0)
    close (cgroups->root);
  free (cgroups);
}

/* Ids count up, so the low bits alone spread them well. */
static struct entry *
slot_of (struct weir_cgroups *cgroups, uint64_t id)
{
  return &cgroups->cache[id % CACHE_SIZE];
}

static bool
is_known (struct weir_cgroups *cgroups, uint64_t id, uint64_t now)
{
  const struct entry *entry = slot_of (cgroups, id);

  return entry->id == id && (entry->path != NULL || now - entry->asked_ns < BELIEVE_MISSING_NS);
}

/* Keeps what was found out about @id; @path is taken, NULL: not found. */
static void
keep (struct weir_cgroups *cgroups, uint64_t id, char *path, uint64_t now)
{
  struct entry *entry = slot_of (cgroups, id);

  free (entry->path);
  *entry = (struct entry) { .id = id, .path = path, .asked_ns = now };
}

/* One question: the ids of a request that the cache cannot answer. */
struct search
{
  struct weir_cgroups *cgroups;
  struct weir_pace *pace;
  const uint64_t *ids;
  bool *answered; /* one for each of @ids */
  size_t n_ids;
  size_t n_missing;
  uint64_t now;
  weir_cgroup_func func;
  void *data;
  struct queue queue;
};

/* Answers @id if it is asked for.  @path is below the mount point, without a leading slash. */
static int
found (struct search *search, uint64_t id, const char *path)
{
  for (size_t i = 0; i < search->n_ids; i++)
    {
      char *whole;
      int r;

      if (search->ids[i] != id || search->answered[i])
        continue;
      if (asprintf (&whole, "%s/%s", search->cgroups->prefix, path) < 0)
        return -ENOMEM;
      if (strlen (whole) > WEIR_STRING_MAX)
        {
          free (whole);
          return 0;
        }
      search->answered[i] = true;
      search->n_missing--;
      r = search->func (id, whole, false, search->data);
      keep (search->cgroups, id, whole, search->now);
      if (r < 0)
        return r;
    }
  return 0;
}

static int
push (struct queue *queue, const char *parent, const char *name)
{
  char *path;

  if (queue->end == QUEUE_MAX)
    return -ENOMEM;
  if (queue->end == queue->capacity)
    {
      const size_t capacity = queue->capacity == 0 ? 256 : queue->capacity * 2;
      char **larger = reallocarray (queue->paths, capacity, sizeof *larger);

      if (larger == NULL)
        return -ENOMEM;
      queue->paths = larger;
      queue->capacity = capacity;
    }
  /* Neither it nor anything below it could be told. */
  if (strlen (parent) + strlen (name) >= WEIR_STRING_MAX)
    return -ENAMETOOLONG;
  if (asprintf (&path, "%s%s%s", parent, parent[0] != '\0' ? "/" : "", name) < 0)
    return -ENOMEM;
  queue->paths[queue->end++] = path;
  return 0;
}

/* Answers the groups in one directory that are asked for, and queues all of them. */
static int
read_directory (struct search *search, const char *path)
{
  _Alignas (struct dirent64) char entries[16384];
  ssize_t size;
  int fd, r;

  r = weir_pace_stride (search->pace);
  if (r < 0)
    return r;
  fd = openat (search->cgroups->root, path[0] != '\0' ? path : ".",
               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return 0; /* removed meanwhile */
  while (r == 0 && search->n_missing > 0 && (size = getdents64 (fd, entries, sizeof entries)) > 0)
    for (ssize_t offset = 0; offset < size && r == 0;)
      {
        const struct dirent64 *entry = (const struct dirent64 *) (entries + offset);

        offset += entry->d_reclen;
        if (entry->d_type != DT_DIR || strcmp (entry->d_name, ".") == 0 ||
            strcmp (entry->d_name, "..") == 0)
          continue;
        r = weir_pace_step (search->pace);
        if (r == 0)
          r = push (&search->queue, path, entry->d_name);
        if (r == 0)
          r = found (search, entry->d_ino, search->queue.paths[search->queue.end - 1]);
        else if (r == -ENAMETOOLONG)
          r = 0;
      }
  close (fd);
  return r;
}

/* -ENOMEM or -ETIME when the tree is too large: what was found until then is answered. */
static int
walk (struct search *search)
{
  struct queue *queue = &search->queue;
  int r;

  r = found (search, search->cgroups->root_id, "");
  if (r == 0)
    r = read_directory (search, "");
  while (r == 0 && queue->first < queue->end && search->n_missing > 0)
    r = read_directory (search, queue->paths[queue->first++]);

  for (size_t i = 0; i < queue->end; i++)
    free (queue->paths[i]);
  free (queue->paths);
  return r;
}

int
weir_cgroups_find (struct weir_cgroups *cgroups, struct weir_pace *pace, const uint64_t *ids,
                   size_t n_ids, weir_cgroup_func func, void *data)
{
  bool answered[WEIR_LOOKER_BATCH] = { false };
  struct search search = { .cgroups = cgroups,
                           .pace = pace,
                           .ids = ids,
                           .answered = answered,
                           .n_ids = n_ids,
                           .now = now_ns (),
                           .func = func,
                           .data = data };
  bool unfinished;
  int r = 0;

  if (n_ids > WEIR_LOOKER_BATCH)
    return -EINVAL;
  for (size_t i = 0; i < n_ids && r == 0; i++)
    {
      answered[i] = ids[i] == 0 || is_known (cgroups, ids[i], search.now);
      if (answered[i])
        r = func (ids[i], ids[i] != 0 ? slot_of (cgroups, ids[i])->path : NULL, false, data);
      else
        search.n_missing++;
    }
  weir_pace_begin (pace);
  if (r == 0 && search.n_missing > 0 && cgroups->root >= 0)
    r = walk (&search);
  unfinished = r == -ENOMEM || r == -ETIME;
  if (unfinished)
    r = 0;
  for (size_t i = 0; i < n_ids && r == 0; i++)
    if (!answered[i])
      {
        if (!unfinished)
          keep (cgroups, ids[i], NULL, search.now);
        r = func (ids[i], NULL, unfinished, data);
      }
  return r;
}
