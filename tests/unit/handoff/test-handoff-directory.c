/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-handoff-directory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "handoff-fixture.h"
#include "weir-wire.h"

static guint
mode_of (const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  struct stat st;

  g_assert_no_errno (lstat (path, &st));
  g_assert_cmpuint (st.st_uid, ==, geteuid ());
  return st.st_mode;
}

static void
test_made (void)
{
  char *runtime = fixture_make_dir ();
  g_autoptr (GError) error = NULL;
  g_autoptr (WeirHandoffDirectory) directory = weir_handoff_directory_new (runtime, &error);
  g_autofree char *path = NULL, *nonce_path = NULL, *hex = NULL;
  uint8_t nonce[WEIR_NONCE_SIZE];
  gsize size;

  g_assert_no_error (error);
  path = g_strdup (weir_handoff_directory_get_path (directory));
  g_assert_cmphex (mode_of (path, ""), ==, S_IFDIR | 0700);
  g_assert_cmphex (mode_of (path, "socket"), ==, S_IFSOCK | 0600);
  g_assert_cmphex (mode_of (path, "nonce"), ==, S_IFREG | 0600);

  nonce_path = g_build_filename (path, "nonce", NULL);
  g_assert_true (g_file_get_contents (nonce_path, &hex, &size, NULL));
  g_assert_cmpuint (size, ==, WEIR_NONCE_HEX_SIZE);
  g_assert_cmpint (weir_nonce_decode (hex, size, nonce), ==, 0);
  g_assert_true (weir_handoff_directory_check_nonce (directory, nonce));
  nonce[31] ^= 1;
  g_assert_false (weir_handoff_directory_check_nonce (directory, nonce));

  weir_handoff_directory_retire (directory);
  g_assert_true (weir_handoff_directory_is_retired (directory));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  /* Wiped, and the wiped one does not count either. */
  memset (nonce, 0, sizeof nonce);
  g_assert_false (weir_handoff_directory_check_nonce (directory, nonce));
  fixture_remove_dir (runtime);
}

static void
test_umask (void)
{
  char *runtime = fixture_make_dir ();
  mode_t before;
  g_autoptr (WeirHandoffDirectory) directory = NULL;
  const char *path;

  before = umask (0);
  directory = weir_handoff_directory_new (runtime, NULL);
  umask (before);
  g_assert_nonnull (directory);
  path = weir_handoff_directory_get_path (directory);
  g_assert_cmphex (mode_of (path, ""), ==, S_IFDIR | 0700);
  g_assert_cmphex (mode_of (path, "socket"), ==, S_IFSOCK | 0600);
  g_assert_cmphex (mode_of (path, "nonce"), ==, S_IFREG | 0600);
  weir_handoff_directory_retire (directory);
  fixture_remove_dir (runtime);
}

static void
assert_refused (const char *runtime)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (weir_handoff_directory_new (runtime, &error));
  g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_RUNTIME_DIR);
}

static void
test_no_runtime_dir (void)
{
  char *runtime = fixture_make_dir ();
  g_autofree char *missing = g_build_filename (runtime, "missing", NULL);
  g_autoptr (WeirHandoffDirectory) directory = NULL;

  g_unsetenv ("XDG_RUNTIME_DIR");
  assert_refused (NULL);
  g_setenv ("XDG_RUNTIME_DIR", "relative/path", TRUE);
  assert_refused (NULL);
  g_setenv ("XDG_RUNTIME_DIR", missing, TRUE);
  assert_refused (NULL);
  g_setenv ("XDG_RUNTIME_DIR", runtime, TRUE);
  directory = weir_handoff_directory_new (NULL, NULL);
  g_assert_nonnull (directory);
  g_assert_true (g_str_has_prefix (weir_handoff_directory_get_path (directory), runtime));
  g_unsetenv ("XDG_RUNTIME_DIR");
  g_clear_pointer (&directory, weir_handoff_directory_free);
  fixture_remove_dir (runtime);
}

static void
test_symbolic_links (void)
{
  char *base = fixture_make_dir ();
  g_autofree char *real = g_build_filename (base, "real", NULL);
  g_autofree char *link = g_build_filename (base, "link", NULL);
  g_autofree char *with_slash = g_strconcat (link, "/", NULL);
  g_autofree char *with_dot = g_strconcat (link, "/.", NULL);
  g_autofree char *weir = g_build_filename (real, "weir", NULL);
  g_autofree char *elsewhere = g_build_filename (base, "elsewhere", NULL);

  g_assert_no_errno (g_mkdir (real, 0700));
  g_assert_no_errno (symlink ("real", link));
  assert_refused (link);
  assert_refused (with_slash);
  assert_refused (with_dot);

  g_assert_no_errno (g_mkdir (elsewhere, 0700));
  g_assert_no_errno (symlink (elsewhere, weir));
  assert_refused (real);
  g_assert_cmpint (g_rmdir (elsewhere), ==, 0);
  fixture_remove_dir (base);
}

/* Links further up are the system's; the engine, which follows none, gets the path without them. */
static void
test_canonical_path (void)
{
  char *base = fixture_make_dir ();
  g_autofree char *runtime = g_build_filename (base, "real", "run", NULL);
  g_autofree char *link = g_build_filename (base, "link", NULL);
  g_autofree char *through = g_build_filename (link, "run", NULL);
  g_autoptr (WeirHandoffDirectory) directory = NULL;
  g_autofree char *canonical = NULL;

  g_assert_no_errno (g_mkdir_with_parents (runtime, 0700));
  g_assert_no_errno (symlink ("real", link));
  directory = weir_handoff_directory_new (through, NULL);
  g_assert_nonnull (directory);
  canonical = realpath (weir_handoff_directory_get_path (directory), NULL);
  g_assert_cmpstr (canonical, ==, weir_handoff_directory_get_path (directory));
  g_assert_true (g_str_has_prefix (canonical, runtime));
  g_clear_pointer (&directory, weir_handoff_directory_free);
  fixture_remove_dir (base);
}

static void
test_not_private (void)
{
  char *runtime = fixture_make_dir ();
  g_autofree char *weir = g_build_filename (runtime, "weir", NULL);
  const guint modes[] = { 0777, 0770, 0755, 0710, 0701 };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_no_errno (chmod (runtime, modes[i]));
      assert_refused (runtime);
      g_assert_false (g_file_test (weir, G_FILE_TEST_EXISTS));
    }
  g_assert_no_errno (chmod (runtime, 0700));
  g_assert_no_errno (g_mkdir (weir, 0755));
  g_assert_no_errno (chmod (weir, 0755));
  assert_refused (runtime);
  g_assert_no_errno (g_rmdir (weir));
  g_assert_true (g_file_set_contents (weir, "", 0, NULL));
  assert_refused (runtime);
  fixture_remove_dir (runtime);
}

static void
test_of_somebody_else (void)
{
  char *runtime;

  if (geteuid () != 0)
    {
      g_test_skip ("only root can give a folder away");
      return;
    }
  runtime = fixture_make_dir ();
  g_assert_no_errno (chown (runtime, 12345, 12345));
  assert_refused (runtime);
  fixture_remove_dir (runtime);
}

static void
test_long_path (void)
{
  char *base = fixture_make_dir ();
  g_autofree char *name = g_strnfill (200, 'n');
  g_autofree char *runtime = g_build_filename (base, name, NULL);
  g_autoptr (WeirHandoffDirectory) directory = NULL;
  int fd;

  g_assert_no_errno (g_mkdir (runtime, 0700));
  directory = weir_handoff_directory_new (runtime, NULL);
  g_assert_nonnull (directory);
  fd = fixture_dial (weir_handoff_directory_get_path (directory));
  close (fd);
  g_clear_pointer (&directory, weir_handoff_directory_free);
  fixture_remove_dir (base);
}

/* A directory as another process may have left it, @age seconds ago. */
static char *
make_left_over (const char *runtime, const char *name, gint64 age)
{
  char *path = g_build_filename (runtime, "weir", name, NULL);
  g_autofree char *nonce = g_build_filename (path, "nonce", NULL);
  g_autofree char *socket = g_build_filename (path, "socket", NULL);
  struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                               { .tv_sec = g_get_real_time () / G_USEC_PER_SEC - age } };

  g_assert_no_errno (g_mkdir_with_parents (path, 0700));
  g_assert_true (g_file_set_contents (nonce, "x", 1, NULL));
  g_assert_true (g_file_set_contents (socket, "x", 1, NULL));
  g_assert_no_errno (utimensat (AT_FDCWD, path, times, 0));
  return path;
}

static void
test_stale (void)
{
  char *runtime = fixture_make_dir ();
  g_autofree char *stale = make_left_over (runtime, "handoff-stale0", 100);
  g_autofree char *young = make_left_over (runtime, "handoff-young0", 1);
  g_autofree char *locked = make_left_over (runtime, "handoff-locked", 100);
  g_autofree char *other = make_left_over (runtime, "something-else", 100);
  g_autoptr (WeirHandoffDirectory) directory = NULL;
  int lock = open (locked, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  g_assert_no_errno (flock (lock, LOCK_EX | LOCK_NB));
  directory = weir_handoff_directory_new (runtime, NULL);
  g_assert_nonnull (directory);
  g_assert_false (g_file_test (stale, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (young, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (locked, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (other, G_FILE_TEST_EXISTS));
  close (lock);
  g_clear_pointer (&directory, weir_handoff_directory_free);
  fixture_remove_dir (runtime);
}

/* Several windows, or an unlock beside a limited view. */
static void
test_two_at_once (void)
{
  char *runtime = fixture_make_dir ();
  g_autoptr (WeirHandoffDirectory) a = weir_handoff_directory_new (runtime, NULL);
  g_autoptr (WeirHandoffDirectory) b = weir_handoff_directory_new (runtime, NULL);

  g_assert_nonnull (a);
  g_assert_nonnull (b);
  g_assert_cmpstr (weir_handoff_directory_get_path (a), !=, weir_handoff_directory_get_path (b));
  weir_handoff_directory_retire (a);
  g_assert_true (g_file_test (weir_handoff_directory_get_path (b), G_FILE_TEST_IS_DIR));
  weir_handoff_directory_retire (b);
  fixture_remove_dir (runtime);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/directory/made", test_made);
  g_test_add_func ("/handoff/directory/umask", test_umask);
  g_test_add_func ("/handoff/directory/no-runtime-dir", test_no_runtime_dir);
  g_test_add_func ("/handoff/directory/symbolic-links", test_symbolic_links);
  g_test_add_func ("/handoff/directory/canonical-path", test_canonical_path);
  g_test_add_func ("/handoff/directory/not-private", test_not_private);
  g_test_add_func ("/handoff/directory/of-somebody-else", test_of_somebody_else);
  g_test_add_func ("/handoff/directory/long-path", test_long_path);
  g_test_add_func ("/handoff/directory/stale", test_stale);
  g_test_add_func ("/handoff/directory/two-at-once", test_two_at_once);
  return g_test_run ();
}
