/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is never elevated. */
#include "weir-launcher-private.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "handoff-fixture.h"

/* Below a folder that, unlike /tmp, belongs to root alone. */
struct fixture
{
  char *base;
  char *folder;
  char *program;
};

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  if (geteuid () != 0)
    return;
  fixture->base = g_strdup ("/run/weir-test-XXXXXX");
  g_assert_nonnull (g_mkdtemp (fixture->base));
  g_assert_no_errno (chmod (fixture->base, 0755));
  fixture->folder = g_build_filename (fixture->base, "libexec", NULL);
  fixture->program = g_build_filename (fixture->folder, "engine", NULL);
  g_assert_no_errno (g_mkdir (fixture->folder, 0755));
  g_assert_true (g_file_set_contents (fixture->program, "#!/bin/sh\n", -1, NULL));
  g_assert_no_errno (chmod (fixture->program, 0755));
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  if (fixture->base != NULL)
    fixture_remove_dir (fixture->base);
  g_free (fixture->folder);
  g_free (fixture->program);
}

static gboolean
skipped (struct fixture *fixture)
{
  if (fixture->base == NULL)
    g_test_skip ("only root can make files of root");
  return fixture->base == NULL;
}

static void
assert_refused (const char *path, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (weir_launcher_check_file_safe (path, &error));
  g_assert_error (error, WEIR_HANDOFF_ERROR, code);
  g_assert_cmpuint (strlen (error->message), >, 20);
}

static void
assert_safe (const char *path)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (weir_launcher_check_file_safe (path, &error));
  g_assert_no_error (error);
}

static void
test_safe (struct fixture *fixture, gconstpointer data)
{
  if (skipped (fixture))
    return;
  assert_safe (fixture->program);
  g_assert_no_errno (chmod (fixture->program, 0500));
  assert_safe (fixture->program);
}

static void
test_program (struct fixture *fixture, gconstpointer data)
{
  const guint modes[] = { 0775, 0757, 0777, 0722 };

  if (skipped (fixture))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_no_errno (chmod (fixture->program, modes[i]));
      assert_refused (fixture->program, WEIR_HANDOFF_ERROR_UNSAFE);
    }
  g_assert_no_errno (chmod (fixture->program, 0755));
  g_assert_no_errno (chown (fixture->program, 1000, 0));
  assert_refused (fixture->program, WEIR_HANDOFF_ERROR_UNSAFE);
  g_assert_no_errno (chown (fixture->program, 0, 1000));
  assert_safe (fixture->program);
  g_assert_no_errno (chmod (fixture->program, 0644));
  assert_refused (fixture->program, WEIR_HANDOFF_ERROR_MISSING);
}

static void
test_folders (struct fixture *fixture, gconstpointer data)
{
  if (skipped (fixture))
    return;
  /* The one it is in, and the one above. */
  for (guint i = 0; i < 2; i++)
    {
      const char *folder = i == 0 ? fixture->folder : fixture->base;

      g_assert_no_errno (chmod (folder, 0775));
      assert_refused (fixture->program, WEIR_HANDOFF_ERROR_UNSAFE);
      g_assert_no_errno (chmod (folder, 01777));
      assert_refused (fixture->program, WEIR_HANDOFF_ERROR_UNSAFE);
      g_assert_no_errno (chmod (folder, 0755));
      g_assert_no_errno (chown (folder, 1000, 1000));
      assert_refused (fixture->program, WEIR_HANDOFF_ERROR_UNSAFE);
      g_assert_no_errno (chown (folder, 0, 0));
      assert_safe (fixture->program);
    }
}

static void
test_links (struct fixture *fixture, gconstpointer data)
{
  g_autofree char *file_link = NULL, *folder_link = NULL, *through = NULL, *dotted = NULL,
                  *doubled = NULL;

  if (skipped (fixture))
    return;
  file_link = g_build_filename (fixture->folder, "link", NULL);
  folder_link = g_build_filename (fixture->base, "link", NULL);
  through = g_build_filename (folder_link, "engine", NULL);
  dotted = g_strconcat (fixture->folder, "/../libexec/engine", NULL);
  doubled = g_strconcat (fixture->folder, "//engine", NULL);
  g_assert_no_errno (symlink (fixture->program, file_link));
  g_assert_no_errno (symlink (fixture->folder, folder_link));
  assert_refused (file_link, WEIR_HANDOFF_ERROR_UNSAFE);
  assert_refused (through, WEIR_HANDOFF_ERROR_UNSAFE);
  assert_refused (dotted, WEIR_HANDOFF_ERROR_UNSAFE);
  assert_refused (doubled, WEIR_HANDOFF_ERROR_UNSAFE);
}

static void
test_not_a_program (struct fixture *fixture, gconstpointer data)
{
  if (skipped (fixture))
    return;
  assert_refused (fixture->folder, WEIR_HANDOFF_ERROR_MISSING);
  assert_refused ("/dev/null", WEIR_HANDOFF_ERROR_MISSING);
  assert_refused ("/nonexistent/weir-engine", WEIR_HANDOFF_ERROR_MISSING);
  g_assert_no_errno (g_unlink (fixture->program));
  assert_refused (fixture->program, WEIR_HANDOFF_ERROR_MISSING);
}

/* A program of the build folder or of a home: what a person may have. */
static void
test_home (void)
{
  char *folder = fixture_make_dir ();
  g_autofree char *program = g_build_filename (folder, "weir-engine", NULL);

  g_assert_true (g_file_set_contents (program, "#!/bin/sh\n", -1, NULL));
  g_assert_no_errno (chmod (program, 0755));
  assert_refused (program, WEIR_HANDOFF_ERROR_UNSAFE);
  fixture_remove_dir (folder);
}

static void
test_setuid (struct fixture *fixture, gconstpointer data)
{
  const char *none[] = { "/nonexistent/pkexec", NULL };
  const char *plain[] = { "/nonexistent/pkexec", "/bin/true", NULL };
  const char *real[] = { "/nonexistent/pkexec", "/bin/true", "/usr/bin/pkexec", NULL };
  const char *mine[] = { NULL, NULL };
  g_autoptr (GError) error = NULL;

  if (skipped (fixture))
    return;
  mine[0] = fixture->program;
  g_assert_null (weir_launcher_find_setuid (none, &error));
  g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_NO_POLKIT);
  g_clear_error (&error);
  g_assert_null (weir_launcher_find_setuid (plain, &error));
  g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_NO_POLKIT);
  g_clear_error (&error);
  g_assert_cmpstr (weir_launcher_find_setuid (real, &error), ==, "/usr/bin/pkexec");
  g_assert_no_error (error);

  /* Set-user-ID to somebody else than root. */
  g_assert_no_errno (chown (fixture->program, 1000, 1000));
  g_assert_no_errno (chmod (fixture->program, 04755));
  g_assert_null (weir_launcher_find_setuid (mine, &error));
  g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_NO_POLKIT);
  g_clear_error (&error);
}

static void
test_no_new_privs (void)
{
  g_autoptr (GError) error = NULL;

  if (g_test_subprocess ())
    {
      g_assert_no_errno (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
      g_assert_false (weir_launcher_check_not_sandboxed (&error));
      g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_SANDBOX);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

static void
test_snap (void)
{
  g_autoptr (GError) error = NULL;

  g_unsetenv ("SNAP");
  g_assert_true (weir_launcher_check_not_sandboxed (&error));
  g_assert_no_error (error);
  g_setenv ("SNAP", "/snap/weir/1", TRUE);
  g_assert_false (weir_launcher_check_not_sandboxed (&error));
  g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_SANDBOX);
  g_unsetenv ("SNAP");
}

#define ACTION "io.github.weir.Weir.capture"
#define ENGINE "/usr/libexec/weir-engine"

static gboolean
knows (const char *action, const char *path, const char *argv1)
{
  g_autoptr (GVariantBuilder) annotations = g_variant_builder_new (G_VARIANT_TYPE ("a{ss}"));
  g_autoptr (GVariant) actions = NULL;
  g_autoptr (GError) error = NULL;
  gboolean known;

  if (path != NULL)
    g_variant_builder_add (annotations, "{ss}", "org.freedesktop.policykit.exec.path", path);
  if (argv1 != NULL)
    g_variant_builder_add (annotations, "{ss}", "org.freedesktop.policykit.exec.argv1", argv1);
  actions = g_variant_ref_sink (g_variant_new_parsed (
      "[('org.example.other', '', '', '', '', '', uint32 0, uint32 0, uint32 0, {'a': 'b'}),"
      " (%s, '', '', '', '', '', uint32 0, uint32 0, uint32 5, %@a{ss})]",
      action, g_variant_builder_end (annotations)));
  known = weir_launcher_check_action (actions, ACTION, ENGINE, "--handoff", &error);
  g_assert_true (known == (error == NULL));
  if (!known)
    g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_UNKNOWN);
  return known;
}

static void
test_action (void)
{
  g_assert_true (knows (ACTION, ENGINE, "--handoff"));
  g_assert_false (knows (ACTION "-accounting", ENGINE, "--handoff"));
  g_assert_false (knows (ACTION, "/usr/local/libexec/weir-engine", "--handoff"));
  g_assert_false (knows (ACTION, ENGINE, "--handoff-accounting"));
  g_assert_false (knows (ACTION, ENGINE, NULL));
  g_assert_false (knows (ACTION, NULL, "--handoff"));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                                            \
  g_test_add ("/handoff/launcher-checks/" name, struct fixture, NULL, set_up, func, tear_down)
  ADD ("safe", test_safe);
  ADD ("program", test_program);
  ADD ("folders", test_folders);
  ADD ("links", test_links);
  ADD ("not-a-program", test_not_a_program);
  ADD ("setuid", test_setuid);
#undef ADD
  g_test_add_func ("/handoff/launcher-checks/home", test_home);
  g_test_add_func ("/handoff/launcher-checks/no-new-privs", test_no_new_privs);
  g_test_add_func ("/handoff/launcher-checks/snap", test_snap);
  g_test_add_func ("/handoff/launcher-checks/action", test_action);
  return g_test_run ();
}
