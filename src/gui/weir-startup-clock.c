/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-gui"

#include "weir-startup-clock.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

/* Fields between the name of the program, which may hold anything, and the start time. */
#define FIELDS_BEFORE_START 19

static gint64
get_start_ms (void)
{
  g_autofree char *stat = NULL;
  g_auto (GStrv) fields = NULL;
  const char *rest;

  if (!g_file_get_contents ("/proc/self/stat", &stat, NULL, NULL))
    return -1;
  rest = strrchr (stat, ')');
  if (rest == NULL || rest[1] != ' ')
    return -1;
  fields = g_strsplit (rest + 2, " ", FIELDS_BEFORE_START + 2);
  if (g_strv_length (fields) <= FIELDS_BEFORE_START)
    return -1;
  return (gint64) (g_ascii_strtoull (fields[FIELDS_BEFORE_START], NULL, 10) * 1000 /
                   (guint64) sysconf (_SC_CLK_TCK));
}

void
weir_startup_clock_reached (WeirStartup what)
{
  static const char *const names[WEIR_N_STARTUPS] = { "first frame", "first rows" };
  static gboolean reached[WEIR_N_STARTUPS];
  struct timespec now;
  gint64 start;

  if (reached[what])
    return;
  reached[what] = TRUE;
  start = get_start_ms ();
  if (start < 0 || clock_gettime (CLOCK_BOOTTIME, &now) != 0)
    return;
  g_debug ("weir: %s %" G_GINT64_FORMAT " ms", names[what],
           (gint64) now.tv_sec * 1000 + now.tv_nsec / 1000000 - start);
}
