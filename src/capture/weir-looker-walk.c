/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whoever is on the machine decides how much there is to look at: processes, descriptors (many
 * processes may share one table of a million), threads.  So a request costs no more than
 * weir-looker-pace.h says, nobody's descriptors are looked at to the end before everybody's first
 * ones have been, each stage has a share of the time that the others cannot take, each user has a
 * share of each stage, and each goes on where the last request left it.
 *
 * /proc/PID/fd shows the table of the thread that leads the process.  A thread may have its own
 * (unshare(2) with CLONE_FILES), and a leader may end before the others do.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Percent of a request's time that are over when a stage, or looking where sockets were made
 * lately, has to end.  What one does not use is the next one's. */
#define RECENT_SHARE 15
static const unsigned shares[WEIR_WALK_N_STAGES] = {
  [WEIR_WALK_FIRST] = 50,   [WEIR_WALK_SECOND] = 65, [WEIR_WALK_REST] = 80,
  [WEIR_WALK_THREADS] = 95, [WEIR_WALK_TWINS] = 100,
};
/* ... and the most that twins may use of it, of which hardly one ever holds anything. */
#define TWINS_SHARE 10

/* Percent of what is left of a stage that one user's processes may take before everybody else had
 * their turn. */
#define USER_SHARE 30

/* Processes whose next socket is looked for by its likely number alone. */
#define GUESSES 12

/* Looks at @process's own table, from @window->first on.  A process that ends meanwhile is no
 * error: then its sockets are found elsewhere or not at all. */
static int
visit_table (struct weir_search *search, int process, uint32_t pid, struct weir_window *window)
{
  int fds, r = 0;

  window->reached = window->first;
  fds = openat (process, "fd", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fds >= 0)
    {
      r = weir_scan_table (search, process, pid, fds, window);
      close (fds);
    }
  else if ((errno == EACCES || errno == EPERM) && window->first == 0)
    search->unreadable++;
  return r;
}

/* The same for a process that is not open. */
static int
visit (struct weir_search *search, uint32_t pid, struct weir_window *window)
{
  int process, r;

  window->reached = window->first;
  r = weir_pace_stride (&search->walk->pace);
  if (r < 0)
    return r;
  process = weir_scan_open_process (search, pid);
  if (process < 0)
    return 0;
  r = visit_table (search, process, pid, window);
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
visit_threads (struct weir_search *search, int process, uint32_t pid, bool twins, uint32_t *part)
{
  _Alignas (struct dirent64) char entries[4096];
  int leader = -1, tasks, r = 0;
  const uint32_t first = *part;
  ssize_t size = 0;
  off_t table;

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
  return r;
}

static bool
was_visited (const struct weir_search *search, uint32_t pid)
{
  for (size_t i = 0; i < search->n_visited; i++)
    if (search->visited[i] == pid)
      return true;
  return false;
}

/* One process, of which *@part is still to be looked at; where the time is up, *@part says from
 * where on. */
static int
visit_part (struct weir_search *search, enum weir_walk_stage stage, int process, uint32_t pid,
            uint32_t *part)
{
  struct weir_window window;
  int r;

  if (stage == WEIR_WALK_THREADS || stage == WEIR_WALK_TWINS)
    return visit_threads (search, process, pid, stage == WEIR_WALK_TWINS, part);
  window = windows[stage];
  if (*part > window.first)
    window.first = *part;
  r = visit_table (search, process, pid, &window);
  *part = window.reached;
  return r;
}

/* The same, as far as the share of its user goes.  @late: only those whose users have none left. */
static int
visit_fairly (struct weir_search *search, enum weir_walk_stage stage, bool late, uint32_t pid,
              uint32_t *part)
{
  struct weir_pace *pace = &search->walk->pace;
  struct weir_fair *fair = &search->fair;
  struct weir_fair_user *user;
  uint64_t before;
  int process, r;

  if (stage == WEIR_WALK_FIRST && was_visited (search, pid))
    return 0;
  r = weir_pace_stride (pace);
  process = r == 0 ? weir_scan_open_process (search, pid) : -1;
  if (process < 0)
    return r;
  user = weir_fair_get_user (fair, process);
  if (weir_fair_is_over (fair, user) != late)
    fair->skipped = fair->skipped || !late;
  else
    {
      before = pace->now_ns;
      if (!late)
        weir_pace_narrow (pace, fair->limit - user->spent);
      r = visit_part (search, stage, process, pid, part);
      weir_pace_widen (pace);
      if (r == 0)
        r = weir_pace_stride (pace);
      user->spent += pace->now_ns - before;
      if (r == -ETIME && !late && !weir_pace_is_over (pace))
        {
          fair->skipped = true;
          r = 0;
        }
    }
  close (process);
  return r;
}

/* Goes on with the processes from the cursor's to before @end, in the order of their numbers as the
 * kernel lists them.  The cursor stays where the time is up; only a thread that had a whole turn
 * for itself is left all the same, because its table may never come to an end. */
static int
go_on (struct weir_search *search, enum weir_walk_stage stage, bool late,
       struct weir_walk_cursor *cursor, uint64_t end)
{
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
        r = visit_fairly (search, stage, late, (uint32_t) pid, &cursor->part);
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
go_round (struct weir_search *search, enum weir_walk_stage stage, bool late)
{
  struct weir_walk *walk = search->walk;
  struct weir_walk_cursor *cursor = late ? &walk->late_cursors[stage] : &walk->cursors[stage];
  /* A process of which a part was looked at before is gone to once more. */
  const uint64_t end = (uint64_t) cursor->pid + (cursor->part > 0 ? 1 : 0);
  int r;

  r = go_on (search, stage, late, cursor, UINT64_MAX);
  if (r < 0 || search->n_missing == 0)
    return r;
  *cursor = (struct weir_walk_cursor) { 0 };
  return go_on (search, stage, late, cursor, end);
}

/* Everybody has a turn first, then those whose users took more than their share. */
static int
go_round_fairly (struct weir_search *search, enum weir_walk_stage stage)
{
  const struct weir_pace *pace = &search->walk->pace;
  const uint64_t now = pace->begun_ns + weir_pace_get_spent (pace);
  int r;

  weir_fair_begin (&search->fair,
                   pace->end_ns > now ? (pace->end_ns - now) / 100 * USER_SHARE + 1 : 1);
  r = go_round (search, stage, false);
  if (r == 0 && search->n_missing > 0 && search->fair.skipped)
    r = go_round (search, stage, true);
  return r;
}

/* ---- where it is likely ---- */

static int
compare_places (const void *a, const void *b)
{
  const struct weir_looker_hint *x = a, *y = b;

  if (x->pid != y->pid)
    return x->pid < y->pid ? -1 : 1;
  return (x->fd > y->fd) - (x->fd < y->fd);
}

/* Process by process: to open one and to read what it is called takes longer than to look at a
 * descriptor. */
static int
look_where_it_was (struct weir_search *search)
{
  struct weir_looker_hint places[WEIR_LOOKER_BATCH];
  size_t n = 0, end;
  int r = 0;

  for (size_t i = 0; i < search->n_wanted; i++)
    if (search->wanted[i].pid != 0)
      places[n++] = (struct weir_looker_hint) { search->wanted[i].pid, search->wanted[i].fd };
  qsort (places, n, sizeof places[0], compare_places);
  for (size_t i = 0; i < n && r == 0; i = end)
    {
      for (end = i + 1; end < n && places[end].pid == places[i].pid; end++)
        ;
      r = weir_scan_some (search, &places[i], end - i, true);
    }
  return r;
}

static int
visit_recent (struct weir_search *search, uint32_t pid)
{
  struct weir_window window = windows[WEIR_WALK_FIRST];
  int r;

  if (was_visited (search, pid))
    return 0;
  r = visit (search, pid, &window);
  if (r == 0)
    search->visited[search->n_visited++] = pid;
  return r;
}

/* By the same number as the last one; then in new processes; then in those in which something was
 * found lately, the first descriptors of each, then all of each. */
static int
look_at_recent (struct weir_search *search)
{
  struct weir_recent *recent = &search->walk->recent;
  /* Copies, because each that is found changes the order. */
  struct weir_hot hot[WEIR_RECENT_HOT];
  struct weir_young young[WEIR_RECENT_YOUNG];
  size_t n_young;
  int r = 0;

  weir_recent_update (recent, search->walk->proc);
  n_young = recent->n_young;
  memcpy (hot, recent->hot, sizeof hot);
  memcpy (young, recent->young, n_young * sizeof young[0]);
  for (size_t i = 0; i < GUESSES && r == 0 && search->n_missing > 0 && hot[i].pid != 0; i++)
    {
      const struct weir_looker_hint guess = { hot[i].pid, hot[i].fd };

      r = weir_scan_some (search, &guess, 1, false);
    }
  for (size_t i = n_young; i > 0 && r == 0 && search->n_missing > 0; i--)
    r = visit_recent (search, young[i - 1].pid);
  for (size_t i = 0; i < WEIR_RECENT_HOT && r == 0 && search->n_missing > 0 && hot[i].pid != 0; i++)
    r = visit_recent (search, hot[i].pid);
  for (size_t i = 0;
       i < WEIR_RECENT_HOT && r == 0 && search->n_missing > 0 && hot[i].pid != 0 && search->more;
       i++)
    {
      struct weir_window window = windows[WEIR_WALK_SECOND];

      window.end = UINT32_MAX;
      r = visit (search, hot[i].pid, &window);
    }
  return r;
}

/* Prepares for a stage; false: there is nothing to be found in it, or it is not worth it. */
static bool
begin_stage (struct weir_search *search, enum weir_walk_stage stage, enum weir_looker_depth depth,
             bool unfinished)
{
  struct weir_walk *walk = search->walk;

  if (depth == WEIR_LOOKER_URGENT)
    {
      weir_allowance_update (&walk->turns, weir_pace_get_wall ());
      if (stage != WEIR_WALK_FIRST || walk->turns.left <= 0)
        return false;
      weir_pace_allow_ns (&walk->pace, (uint64_t) walk->turns.left);
      return true;
    }
  if (depth == WEIR_LOOKER_CHECK)
    return false;
  if (depth == WEIR_LOOKER_NEW && stage >= WEIR_WALK_THREADS)
    return false;
  /* Nobody has any, everybody having been asked. */
  if ((stage == WEIR_WALK_SECOND || stage == WEIR_WALK_REST) && !search->more && !unfinished)
    return false;
  if (stage == WEIR_WALK_TWINS)
    weir_pace_allow_more (&walk->pace, TWINS_SHARE);
  else
    weir_pace_allow (&walk->pace, shares[stage]);
  return true;
}

int
weir_walk_owners (struct weir_walk *walk, struct weir_wanted *wanted, size_t n_wanted,
                  enum weir_looker_depth depth, struct weir_walk_result *ret_result,
                  weir_walk_func func, void *data)
{
  struct weir_search search = { .walk = walk,
                                .wanted = wanted,
                                .n_wanted = n_wanted,
                                .n_missing = n_wanted,
                                .func = func,
                                .data = data };
  /* What was not looked for everywhere is not said to be nobody's. */
  bool unfinished = depth != WEIR_LOOKER_WHOLE;
  int r = 0;

  if (n_wanted > WEIR_LOOKER_BATCH)
    return -EINVAL;
  for (size_t i = 0; i < n_wanted; i++)
    wanted[i].found = false;

  weir_pace_begin (&walk->pace);
  if (n_wanted > 0)
    r = look_where_it_was (&search);
  if (r == 0 && search.n_missing > 0 && depth != WEIR_LOOKER_CHECK)
    {
      weir_pace_allow (&walk->pace, RECENT_SHARE);
      r = look_at_recent (&search);
    }
  for (unsigned stage = 0; stage < WEIR_WALK_N_STAGES; stage++)
    {
      uint64_t before = weir_pace_get_spent (&walk->pace);

      if ((r < 0 && r != -ETIME) || search.n_missing == 0)
        break;
      if (!begin_stage (&search, stage, depth, unfinished))
        continue;
      r = go_round_fairly (&search, stage);
      if (depth == WEIR_LOOKER_URGENT)
        weir_allowance_spend (&walk->turns, weir_pace_get_spent (&walk->pace) - before);
      /* Twins are looked at as far as there is time: to find nothing in them is no news. */
      if (r == -ETIME && stage != WEIR_WALK_TWINS)
        unfinished = true;
    }

  *ret_result = (struct weir_walk_result) { search.unreadable, unfinished };
  return r == -ETIME ? 0 : r;
}
