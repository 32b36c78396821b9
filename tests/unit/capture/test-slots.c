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
test_per_user (void)
{
  char *run = make_run ();
  int taken[3], other;

  for (size_t i = 0; i < G_N_ELEMENTS (taken); i++)
    {
      taken[i] = weir_slots_take_own (run, 1000, 3);
      g_assert_cmpint (taken[i], >=, 0);
    }
  g_assert_cmpint (weir_slots_take_own (run, 1000, 3), ==, -EUSERS);
  g_assert_cmpint (weir_slots_take_own (run, 1000, 1), ==, -EUSERS);
  other = weir_slots_take_own (run, 1001, 3);
  g_assert_cmpint (other, >=, 0);
  close (other);

  close (taken[1]);
  taken[1] = weir_slots_take_own (run, 1000, 3);
  g_assert_cmpint (taken[1], >=, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (taken); i++)
    close (taken[i]);
  remove_run (run);
}

/* Slots of one's own are none of those that all share. */
static void
test_shared (void)
{
  int taken[WEIR_ENGINES_MAX], own[WEIR_ENGINES_MAX];
  char *run = make_run ();

  for (unsigned i = 0; i < WEIR_ENGINES_MAX; i++)
    {
      own[i] = weir_slots_take_own (run, 1000 + i, 1);
      g_assert_cmpint (own[i], >=, 0);
    }
  for (unsigned i = 0; i < WEIR_ENGINES_MAX; i++)
    {
      taken[i] = weir_slots_take_shared (run);
      g_assert_cmpint (taken[i], >=, 0);
    }
  g_assert_cmpint (weir_slots_take_shared (run), ==, -EUSERS);
  close (taken[3]);
  taken[3] = weir_slots_take_shared (run);
  g_assert_cmpint (taken[3], >=, 0);
  for (unsigned i = 0; i < WEIR_ENGINES_MAX; i++)
    {
      close (taken[i]);
      close (own[i]);
    }
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
  fds[0] = weir_slots_take_own (run, 1000, 1);
  fds[1] = weir_slots_take_shared (run);
  g_assert_cmpint (g_stat (weir, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0700);
  for (int i = 0; i < 2; i++)
    {
      g_assert_cmpint (fstat (fds[i], &info), ==, 0);
      g_assert_cmpint (info.st_mode & 07777, ==, 0600);
      g_assert_cmpint (fcntl (fds[i], F_GETFD), ==, FD_CLOEXEC);
      close (fds[i]);
    }
  remove_run (run);
}

/* Whether both kinds are refused with @error. */
static void
expect_refusal (const char *run, int error)
{
  g_assert_cmpint (weir_slots_take_own (run, 1000, 1), ==, -error);
  g_assert_cmpint (weir_slots_take_shared (run), ==, -error);
}

/* Somebody else may have been there first. */
static void
test_unsafe (void)
{
  char *run = make_run ();
  g_autofree char *weir = g_build_filename (run, "weir", NULL);
  g_autofree char *link = g_strconcat (run, "-link", NULL);
  int fd;

  expect_refusal ("/nonexistent", ENOENT);

  g_assert_cmpint (symlink (run, link), ==, 0);
  g_assert_cmpint (weir_slots_take_own (link, 1000, 1), <, 0);
  g_unlink (link);

  g_assert_cmpint (symlink ("/tmp", weir), ==, 0);
  g_assert_cmpint (weir_slots_take_own (run, 1000, 1), <, 0);
  g_unlink (weir);

  g_assert_cmpint (g_mkdir (weir, 0700), ==, 0);
  for (mode_t bit = 01; bit <= 040; bit <<= 1)
    {
      const bool writable = bit == 02 || bit == 020;

      g_assert_cmpint (g_chmod (weir, 0700 | bit), ==, 0);
      fd = weir_slots_take_own (run, 1000, 1);
      g_assert_cmpint (fd < 0 ? fd : 0, ==, writable ? -EPERM : 0);
      if (!writable)
        close (fd);
    }
  g_assert_cmpint (g_chmod (weir, 0700), ==, 0);
  g_assert_cmpint (g_chmod (run, 0777), ==, 0);
  expect_refusal (run, EPERM);
  g_assert_cmpint (g_chmod (run, 0755), ==, 0);
  g_assert_cmpint (chown (weir, 1000, 1000), ==, 0);
  expect_refusal (run, EPERM);
  remove_run (run);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slots/per-user", test_per_user);
  g_test_add_func ("/slots/shared", test_shared);
  g_test_add_func ("/slots/made", test_made);
  g_test_add_func ("/slots/unsafe", test_unsafe);
  return g_test_run ();
}
