/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whoever is on the machine decides how much there is to look at: processes, descriptors (many
 * processes may share one table of a million), threads.  So a request costs no more than
 * weir-looker-pace.h says, nobody's descriptors are looked at to the end before everybody's first
 * ones have been, each stage has a share of the time that the others cannot take, and each goes on
 * where the last request left it.
 *
 * /proc/PID/fd shows the table of the thread that leads the process.  A thread may have its own
 * (unshare(2) with CLONE_FILES), and a leader may end before the others do.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-looker-parse.h"
#include "weir-looker-scan.h"
#include "weir-looker-walk.h"
#include "weir-looker.h"

/* Which descriptors the stages look at, besides those for threads.  The lowest free number is given
 * to a new descriptor, so most processes have none beyond the first. */
static const struct weir_window windows[] = {
  [WEIR_WALK_FIRST] = { .first = 0, .end = 64 },
  [WEIR_WALK_SECOND] = { .first = 64, .end = 1024 },
  [WEIR_WALK_REST] = { .first = 1024, .end = UINT32_MAX },
};

/* Percent of a request's time that are over when a stage, or looking at the latest, has to end.
 * What one does not use is the next one's. */
#define LATELY_SHARE 15
static const unsigned shares[WEIR_WALK_N_STAGES] = {
  [WEIR_WALK_FIRST] = 50,   [WEIR_WALK_SECOND] = 65, [WEIR_WALK_REST] = 80,
  [WEIR_WALK_THREADS] = 95, [WEIR_WALK_TWINS] = 100,
};
/* ... and the most that twins may use of it, of which hardly one ever holds anything. */
#define TWINS_SHARE 10

static int
open_process (const struct weir_search *search, uint32_t pid)
{
  char name[16];

  snprintf (name, sizeof name, "%u", pid);
  return openat (search->walk->proc, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Looks at @process's own table, from @window->first on.  A process that ends meanwhile is no
 * error: then its sockets are found elsewhere or not at all. */
static int
visit (struct weir_search *search, uint32_t pid, struct weir_window *window)
{
  int process, fds, r;

  window->reached = window->first;
  r = weir_pace_stride (&search->walk->pace);
  if (r < 0)
    return r;
  process = open_process (search, pid);
  if (process < 0)
    return 0;
  fds = openat (process, "fd", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fds >= 0)
    {
      r = weir_scan_table (search, process, pid, fds, window);
      close (fds);
    }
  else if ((errno == EACCES || errno == EPERM) && window->first == 0)
    search->unreadable++;
  close (process);
  return r;
}

/* Descriptors in a table, since Linux 6.2; 0 for one of a thread that has ended. */
static off_t
size_of_table (int fds)
{
  struct stat info;

  return fds >= 0 && fstat (fds, &info) == 0 ? info.st_size : 0;
}

/* One thread, if its table is of the wanted kind.  A table of another size than the leader's is
 * another table; one of the same size may be.  A leader that has ended has none. */
static int
visit_thread (struct weir_search *search, int process, uint32_t pid, int tasks, const char *name,
              off_t size, bool twins)
{
  struct weir_window all = { .end = UINT32_MAX };
  char path[32];
  int fds, r;

  r = weir_pace_stride (&search->walk->pace);
  if (r < 0)
    return r;
  if (snprintf (path, sizeof path, "%s/fd", name) >= (int) sizeof path)
    return 0;
  fds = openat (tasks, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fds < 0)
    return 0;
  if ((size_of_table (fds) == size) == twins)
    r = weir_scan_table (search, process, pid, fds, &all);
  close (fds);
  return r;
}

/* The threads of a process besides the leader, from number *@part on. */
static int
visit_threads (struct weir_search *search, uint32_t pid, bool twins, uint32_t *part)
{
  _Alignas (struct dirent64) char entries[4096];
  int process, leader = -1, tasks = -1, r;
  const uint32_t first = *part;
  ssize_t size = 0;
  off_t table;

  r = weir_pace_stride (&search->walk->pace);
  if (r < 0)
    return r;
  process = open_process (search, pid);
  if (process >= 0)
    tasks = openat (process, "task", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (tasks >= 0)
    leader = openat (process, "fd", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  table = size_of_table (leader);
  while (r == 0 && search->n_missing > 0 && tasks >= 0 &&
         (size = getdents64 (tasks, entries, sizeof entries)) > 0)
    for (ssize_t offset = 0; offset < size && r == 0 && search->n_missing > 0;)
      {
        const struct dirent64 *entry = (const struct dirent64 *) (entries + offset);
        uint64_t tid;

        offset += entry->d_reclen;
        if (!weir_parse_decimal (entry->d_name, &tid) || tid == pid || tid < first ||
            tid > INT32_MAX)
          continue;
        *part = (uint32_t) tid;
        r = visit_thread (search, process, pid, tasks, entry->d_name, table, twins);
      }
  if (leader >= 0)
    close (leader);
  if (tasks >= 0)
    close (tasks);
  if (process >= 0)
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

/* One process, of which *@part is still to be looked at; where the time is up, *@part says from
 * where on. */
static int
visit_part (struct weir_search *search, enum weir_walk_stage stage, uint32_t pid, uint32_t *part)
{
  struct weir_window window;
  int r;

  if (stage == WEIR_WALK_THREADS || stage == WEIR_WALK_TWINS)
    return visit_threads (search, pid, stage == WEIR_WALK_TWINS, part);
  if (stage == WEIR_WALK_FIRST && contains (search->visited, search->n_visited, pid))
    return 0;
  window = windows[stage];
  if (*part > window.first)
    window.first = *part;
  r = visit (search, pid, &window);
  *part = window.reached;
  return r;
}

/* Goes on with the processes from the cursor's to before @end, in the order of their numbers as the
 * kernel lists them.  The cursor stays where the time is up; only a thread that had a whole turn
 * for itself is left all the same, because its table may never come to an end. */
static int
go_on (struct weir_search *search, enum weir_walk_stage stage, uint64_t end)
{
  struct weir_walk_cursor *cursor = &search->walk->cursors[stage];
  _Alignas (struct dirent64) char entries[16384];
  const int proc = search->walk->proc;
  off_t next_place = cursor->place;
  const bool by_thread = stage == WEIR_WALK_THREADS || stage == WEIR_WALK_TWINS;
  bool alone = true;
  ssize_t size;

  if (lseek (proc, cursor->place, SEEK_SET) < 0)
    return -errno;
  while ((size = getdents64 (proc, entries, sizeof entries)) > 0)
    for (ssize_t offset = 0; offset < size;)
      {
        const struct dirent64 *entry = (const struct dirent64 *) (entries + offset);
        const off_t place = next_place;
        uint32_t part;
        uint64_t pid;
        int r;

        offset += entry->d_reclen;
        next_place = entry->d_off;
        if (!weir_parse_decimal (entry->d_name, &pid) || pid < cursor->pid || pid > INT32_MAX)
          continue;
        part = pid == cursor->pid ? cursor->part : 0;
        /* Not the place of the next one: that of the last one's is behind all that may still come.
         */
        *cursor = (struct weir_walk_cursor) { place, (uint32_t) pid, part };
        if (pid >= end)
          return 0;
        r = visit_part (search, stage, (uint32_t) pid, &cursor->part);
        if (r == -ETIME && alone && by_thread && cursor->part == part)
          cursor->part++;
        if (r < 0 || search->n_missing == 0)
          return r;
        alone = false;
        cursor->pid = (uint32_t) pid + 1;
        cursor->part = 0;
      }
  return size < 0 ? -errno : 0;
}

/* All processes once, beginning where the last request ended.  -ETIME when there was no time for
 * all of them. */
static int
go_round (struct weir_search *search, enum weir_walk_stage stage)
{
  struct weir_walk_cursor *cursor = &search->walk->cursors[stage];
  /* A process of which a part was looked at before is gone to once more. */
  const uint64_t end = (uint64_t) cursor->pid + (cursor->part > 0 ? 1 : 0);
  int r;

  r = go_on (search, stage, UINT64_MAX);
  if (r < 0 || search->n_missing == 0)
    return r;
  *cursor = (struct weir_walk_cursor) { 0 };
  return go_on (search, stage, end);
}

/* Those in which something was found lately: the first descriptors of each, then all of each. */
static int
look_at_latest (struct weir_search *search, uint32_t lately[WEIR_WALK_LATELY])
{
  struct weir_window window;
  int r = 0;

  weir_pace_allow (&search->walk->pace, LATELY_SHARE);
  /* A copy, because each that is found changes the order. */
  memcpy (lately, search->walk->lately, WEIR_WALK_LATELY * sizeof lately[0]);
  search->visited = lately;
  for (size_t i = 0; i < WEIR_WALK_LATELY && lately[i] != 0; i++)
    {
      window = windows[WEIR_WALK_FIRST];
      r = visit (search, lately[i], &window);
      if (r < 0 || search->n_missing == 0)
        return r;
      search->n_visited++;
    }
  for (size_t i = 0; i < WEIR_WALK_LATELY && lately[i] != 0 && search->more; i++)
    {
      window = windows[WEIR_WALK_SECOND];
      window.end = UINT32_MAX;
      r = visit (search, lately[i], &window);
      if (r < 0 || search->n_missing == 0)
        return r;
    }
  return 0;
}

int
weir_walk_owners (struct weir_walk *walk, const uint64_t *wanted, bool *found, size_t n_wanted,
                  struct weir_walk_result *ret_result, weir_walk_func func, void *data)
{
  struct weir_search search = { .walk = walk,
                                .wanted = wanted,
                                .found = found,
                                .n_wanted = n_wanted,
                                .n_missing = n_wanted,
                                .func = func,
                                .data = data };
  uint32_t lately[WEIR_WALK_LATELY];
  bool unfinished = false;
  int r = 0;

  if (n_wanted > WEIR_LOOKER_BATCH)
    return -EINVAL;
  memset (found, 0, n_wanted * sizeof found[0]);

  weir_pace_begin (&walk->pace);
  if (n_wanted > 0)
    r = look_at_latest (&search, lately);
  for (unsigned stage = 0; stage < WEIR_WALK_N_STAGES; stage++)
    {
      if ((r < 0 && r != -ETIME) || search.n_missing == 0)
        break;
      /* Nobody has any, everybody having been asked. */
      if ((stage == WEIR_WALK_SECOND || stage == WEIR_WALK_REST) && !search.more && !unfinished)
        continue;
      if (stage == WEIR_WALK_TWINS)
        weir_pace_allow_more (&walk->pace, TWINS_SHARE);
      else
        weir_pace_allow (&walk->pace, shares[stage]);
      r = go_round (&search, stage);
      /* Twins are looked at as far as there is time: to find nothing in them is no news. */
      if (r == -ETIME && stage != WEIR_WALK_TWINS)
        unfinished = true;
    }

  *ret_result = (struct weir_walk_result) { search.unreadable, unfinished };
  return r == -ETIME ? 0 : r;
}
