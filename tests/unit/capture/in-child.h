/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs what changes a process for good in a process of its own. */
#pragma once

#include <glib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Calls @func in a child, which must not use GLib's assertions; what it returns (0-255, 0 is good)
 * is returned.  A child that is killed is 256 and its signal. */
static inline int
in_child (int (*func) (void *data), void *data)
{
  pid_t pid = fork ();
  int status;

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    _exit (func (data));
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  return WIFEXITED (status) ? WEXITSTATUS (status) : 256 + WTERMSIG (status);
}

/* In a function for in_child(): ends it with the number of the line that does not hold. */
#define HOLDS(condition)                                                                           \
  do                                                                                               \
    if (!(condition))                                                                              \
      {                                                                                            \
        g_printerr ("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                \
        return 1 + __LINE__ % 255;                                                                 \
      }                                                                                            \
  while (0)
