/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose a process is when time is divided among users. */
#include "config.h"

#include <fcntl.h>
#include <glib.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir-looker-fair.h"

/* Writes a line into a file of a process. */
static void
write_file (pid_t pid, const char *name, const char *line)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/%s", (int) pid, name);
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, line, strlen (line)), ==, strlen (line));
  close (fd);
}

static void
await (int fd)
{
  char byte;

  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
}

/* A process of @uid, in a user namespace of its own where that is 200000 and some. */
static pid_t
start (uid_t uid, bool elsewhere, bool dumpable)
{
  int up[2], down[2];
  pid_t pid;
  char byte;

  g_assert_cmpint (pipe2 (up, O_CLOEXEC), ==, 0);
  g_assert_cmpint (pipe2 (down, O_CLOEXEC), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      const uid_t inside = elsewhere ? uid - 200000 : uid;

      prctl (PR_SET_PDEATHSIG, SIGKILL);
      if ((elsewhere && unshare (CLONE_NEWUSER) < 0) || write (up[1], "", 1) != 1 ||
          read (down[0], &byte, 1) != 1 || setresuid (inside, inside, inside) < 0 ||
          prctl (PR_SET_DUMPABLE, dumpable) < 0 || write (up[1], "", 1) != 1)
        _exit (1);
      for (;;)
        pause ();
    }
  await (up[0]);
  if (elsewhere)
    write_file (pid, "uid_map", "0 200000 65536");
  g_assert_cmpint (write (down[1], "", 1), ==, 1);
  await (up[0]);
  for (guint i = 0; i < 2; i++)
    {
      close (up[i]);
      close (down[i]);
    }
  return pid;
}

static void
test_whose (void)
{
  static const struct
  {
    uid_t uid;
    bool elsewhere, dumpable;
    uint32_t whose;
  } cases[] = {
    { 0, false, true, 0 },
    { 1000, false, true, 1000 },
    /* Looks like root's. */
    { 1000, false, false, 1000 },
    /* Somebody from a directory. */
    { 200005, false, true, 200005 },
    { 200005, false, false, 200005 },
    { 200005, true, true, WEIR_FAIR_SUBORDINATE },
    { 200006, true, false, WEIR_FAIR_SUBORDINATE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const pid_t pid = start (cases[i].uid, cases[i].elsewhere, cases[i].dumpable);
      g_autofree char *path = g_strdup_printf ("/proc/%d", (int) pid);
      const int process = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
      struct weir_fair fair;
      uint32_t uid = 1;

      g_test_message ("case %u", i);
      g_assert_cmpint (process, >=, 0);
      g_assert_cmpint (weir_fair_get_uid (process, &uid), ==, 0);
      g_assert_cmpuint (uid, ==, cases[i].whose);
      /* Where nobody has anything left, root is asked about more closely. */
      weir_fair_begin (&fair, 0);
      g_assert_cmpuint (weir_fair_get_user (&fair, process)->uid, ==, cases[i].whose);
      kill (pid, SIGKILL);
      g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
      close (process);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/looker-fair/whose", test_whose);
  return g_test_run ();
}
