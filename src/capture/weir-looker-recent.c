/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <dirent.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "weir-looker-parse.h"
#include "weir-looker-recent.h"

/* Who has not made a socket in this time is looked at in its turn, like all others. */
#define YOUNG_NS UINT64_C (3000000000)

static void
add_young (struct weir_recent *recent, uint32_t pid, uint64_t now)
{
  if (recent->n_young == WEIR_RECENT_YOUNG)
    {
      memmove (&recent->young[0], &recent->young[1],
               (WEIR_RECENT_YOUNG - 1) * sizeof recent->young[0]);
      recent->n_young--;
    }
  recent->young[recent->n_young++] = (struct weir_young) { pid, now };
}

static void
forget_old (struct weir_recent *recent, uint64_t now)
{
  size_t n = 0;

  while (n < recent->n_young && now - recent->young[n].seen > YOUNG_NS)
    n++;
  recent->n_young -= n;
  memmove (&recent->young[0], &recent->young[n], recent->n_young * sizeof recent->young[0]);
}

void
weir_recent_update (struct weir_recent *recent, int proc)
{
  _Alignas (struct dirent64) char entries[4096];
  struct timespec clock = { 0 };
  off_t place = 0;
  uint64_t now;
  ssize_t size;

  clock_gettime (CLOCK_MONOTONIC, &clock);
  now = (uint64_t) clock.tv_sec * 1000000000 + (uint64_t) clock.tv_nsec;
  forget_old (recent, now);
  /* The kernel lists processes in the order of their numbers, each at a place that is its number
   * and something (proc_pid_readdir in fs/proc/base.c): those behind the newest are new. */
  if (recent->base != 0)
    place = recent->base + recent->newest + 1;
  if (lseek (proc, place, SEEK_SET) < 0)
    return;
  while ((size = getdents64 (proc, entries, sizeof entries)) > 0)
    for (ssize_t offset = 0; offset < size;)
      {
        const struct dirent64 *entry = (const struct dirent64 *) (entries + offset);
        uint64_t pid;

        if (weir_parse_decimal (entry->d_name, &pid) && pid <= INT32_MAX)
          {
            if (recent->base == 0)
              recent->base = place - (off_t) pid;
            if (pid > recent->newest)
              {
                recent->newest = (uint32_t) pid;
                add_young (recent, (uint32_t) pid, now);
              }
          }
        offset += entry->d_reclen;
        place = entry->d_off;
      }
}

void
weir_recent_note (struct weir_recent *recent, uint32_t pid, uint32_t fd, uint64_t start_time)
{
  size_t i;

  for (i = 0; i + 1 < WEIR_RECENT_HOT && recent->hot[i].pid != pid && recent->hot[i].pid != 0; i++)
    ;
  memmove (&recent->hot[1], &recent->hot[0], i * sizeof recent->hot[0]);
  recent->hot[0] = (struct weir_hot) { pid, fd };

  if (start_time <= recent->latest_start)
    return;
  recent->latest_start = start_time;
  /* Who started later has a larger number, unless numbers have begun anew: then what is new comes
   * behind this one. */
  if (pid < recent->newest)
    recent->newest = pid;
}
