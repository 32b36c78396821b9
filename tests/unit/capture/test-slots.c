/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-slots.h"

static char *
make_run (void)
{
  char *run = g_dir_make_tmp (NULL, NULL);

  g_assert_nonnull (run);
  g_assert_cmpint (g_chmod (run, 0755), ==, 0);
  return run;
}

static void
remove_run (char *run)
{
  g_autofree char *weir = g_build_filename (run, "weir", NULL);
  GDir *dir = g_dir_open (weir, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (weir, name, NULL);

      g_unlink (path);
    }
  g_clear_pointer (&dir, g_dir_close);
  g_remove (weir);
  g_assert_cmpint (g_rmdir (run), ==, 0);
  g_free (run);
}

static void
give_back (int fds[2])
{
  close (fds[0]);
  close (fds[1]);
}

static void
test_per_uid (void)
{
  int taken[WEIR_ENGINES_PER_UID_MAX][2], more[2];
  char *run = make_run ();

  for (size_t i = 0; i < WEIR_ENGINES_PER_UID_MAX; i++)
    g_assert_cmpint (weir_slots_take (run, 1000, taken[i]), ==, 0);
  g_assert_cmpint (weir_slots_take (run, 1000, more), ==, -EUSERS);
  g_assert_cmpint (weir_slots_take (run, 1001, more), ==, 0);
  give_back (more);

  give_back (taken[1]);
  g_assert_cmpint (weir_slots_take (run, 1000, taken[1]), ==, 0);
  for (size_t i = 0; i < WEIR_ENGINES_PER_UID_MAX; i++)
    give_back (taken[i]);
  remove_run (run);
}

static void
test_all (void)
{
  int taken[WEIR_ENGINES_MAX][2], more[2];
  char *run = make_run ();

  for (unsigned i = 0; i < WEIR_ENGINES_MAX; i++)
    g_assert_cmpint (weir_slots_take (run, 1000 + i, taken[i]), ==, 0);
  /* Refused, and the slot of its own is not lost by it. */
  for (unsigned i = 0; i < 2 * WEIR_ENGINES_PER_UID_MAX; i++)
    g_assert_cmpint (weir_slots_take (run, 2000, more), ==, -EUSERS);
  give_back (taken[3]);
  g_assert_cmpint (weir_slots_take (run, 2000, taken[3]), ==, 0);
  for (size_t i = 0; i < WEIR_ENGINES_MAX; i++)
    give_back (taken[i]);
  remove_run (run);
}

static void
test_made (void)
{
  char *run = make_run ();
  g_autofree char *weir = g_build_filename (run, "weir", NULL);
  struct stat info;
  int fds[2];

  umask (0);
  g_assert_cmpint (weir_slots_take (run, 1000, fds), ==, 0);
  g_assert_cmpint (g_stat (weir, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0700);
  for (int i = 0; i < 2; i++)
    {
      g_assert_cmpint (fstat (fds[i], &info), ==, 0);
      g_assert_cmpint (info.st_mode & 07777, ==, 0600);
      g_assert_cmpint (fcntl (fds[i], F_GETFD), ==, FD_CLOEXEC);
    }
  give_back (fds);
  remove_run (run);
}

/* Somebody else may have been there first. */
static void
test_unsafe (void)
{
  char *run = make_run ();
  g_autofree char *weir = g_build_filename (run, "weir", NULL);
  g_autofree char *link = g_strconcat (run, "-link", NULL);
  int fds[2];

  g_assert_cmpint (weir_slots_take ("/nonexistent", 1000, fds), ==, -ENOENT);

  g_assert_cmpint (symlink (run, link), ==, 0);
  g_assert_cmpint (weir_slots_take (link, 1000, fds), <, 0);
  g_unlink (link);

  g_assert_cmpint (symlink ("/tmp", weir), ==, 0);
  g_assert_cmpint (weir_slots_take (run, 1000, fds), <, 0);
  g_unlink (weir);

  g_assert_cmpint (g_mkdir (weir, 0700), ==, 0);
  for (mode_t bit = 01; bit <= 040; bit <<= 1)
    {
      const bool writable = bit == 02 || bit == 020;

      g_assert_cmpint (g_chmod (weir, 0700 | bit), ==, 0);
      g_assert_cmpint (weir_slots_take (run, 1000, fds), ==, writable ? -EPERM : 0);
      if (!writable)
        give_back (fds);
    }
  g_assert_cmpint (g_chmod (weir, 0700), ==, 0);
  g_assert_cmpint (g_chmod (run, 0777), ==, 0);
  g_assert_cmpint (weir_slots_take (run, 1000, fds), ==, -EPERM);
  g_assert_cmpint (g_chmod (run, 0755), ==, 0);
  g_assert_cmpint (chown (weir, 1000, 1000), ==, 0);
  g_assert_cmpint (weir_slots_take (run, 1000, fds), ==, -EPERM);
  remove_run (run);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slots/per-uid", test_per_uid);
  g_test_add_func ("/slots/all", test_all);
  g_test_add_func ("/slots/made", test_made);
  g_test_add_func ("/slots/unsafe", test_unsafe);
  return g_test_run ();
}
