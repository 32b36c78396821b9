/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-app-index.h"

#include <glib/gstdio.h>

static const struct
{
  const char *file, *text;
} entries[] = {
  { "org.example.Browser.desktop", "Name=Browser\nExec=true --browse\nIcon=browser\n" },
  { "org.example.Script.desktop", "Name=Script\nExec=sh /opt/script.sh\nIcon=script\n" },
  { "org.example.One.desktop", "Name=One\nExec=cat --one\nIcon=one\n" },
  { "org.example.Two.desktop", "Name=Two\nExec=cat --two\nIcon=two\n" },
  { "org.example.Bare.desktop", "Name=Bare\nExec=ls\n" },
  { "org.example.Hidden.desktop", "Name=Hidden\nExec=head\nIcon=hidden\nNoDisplay=true\n" },
};

static char *data_home;

static void
install (void)
{
  g_autofree char *folder = g_build_filename (data_home, "applications", NULL);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    {
      g_autofree char *file = g_build_filename (folder, entries[i].file, NULL);
      g_autofree char *text =
          g_strconcat ("[Desktop Entry]\nType=Application\n", entries[i].text, NULL);

      g_assert_true (g_file_set_contents (file, text, -1, NULL));
    }
}

static void
uninstall (void)
{
  g_autofree char *folder = g_build_filename (data_home, "applications", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    {
      g_autofree char *file = g_build_filename (folder, entries[i].file, NULL);

      g_remove (file);
    }
  g_rmdir (folder);
  g_rmdir (data_home);
}

static WeirAppIndex *
make_index (void)
{
  GList *applications = g_app_info_get_all ();
  WeirAppIndex *index = weir_app_index_new (applications);

  g_list_free_full (applications, g_object_unref);
  return index;
}

static const char *
find_name (WeirAppIndex *index, const char *key)
{
  GAppInfo *app = weir_app_index_find (index, key);

  return app != NULL ? g_app_info_get_name (app) : NULL;
}

static void
test_by_id (void)
{
  g_autoptr (WeirAppIndex) index = make_index ();

  g_assert_cmpstr (find_name (index, "org.example.Browser"), ==, "Browser");
  g_assert_cmpstr (find_name (index, "org.example.Browser.desktop"), ==, "Browser");
  g_assert_null (find_name (index, "org.example.Browse"));
  g_assert_null (find_name (index, ""));
  g_assert_null (find_name (index, NULL));
}

static void
test_by_program (void)
{
  g_autoptr (WeirAppIndex) index = make_index ();

  g_assert_cmpstr (find_name (index, "true"), ==, "Browser");
}

/* A picture that belongs to another application would be a lie. */
static void
test_never_guessed (void)
{
  g_autoptr (WeirAppIndex) index = make_index ();

  g_assert_cmpstr (find_name (index, "org.example.Script"), ==, "Script");
  g_assert_null (find_name (index, "sh"));
  g_assert_cmpstr (find_name (index, "org.example.One"), ==, "One");
  g_assert_null (find_name (index, "cat"));
}

static void
test_left_out (void)
{
  g_autoptr (WeirAppIndex) index = make_index ();

  g_assert_null (find_name (index, "org.example.Bare"));
  g_assert_null (find_name (index, "org.example.Hidden"));
}

static void
test_empty (void)
{
  g_autoptr (WeirAppIndex) index = weir_app_index_new (NULL);

  g_assert_null (find_name (index, "true"));
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  data_home = g_dir_make_tmp ("weir-test-XXXXXX", NULL);
  g_setenv ("XDG_DATA_HOME", data_home, TRUE);
  g_setenv ("XDG_DATA_DIRS", data_home, TRUE);
  install ();
  g_test_add_func ("/app-index/by-id", test_by_id);
  g_test_add_func ("/app-index/by-program", test_by_program);
  g_test_add_func ("/app-index/never-guessed", test_never_guessed);
  g_test_add_func ("/app-index/left-out", test_left_out);
  g_test_add_func ("/app-index/empty", test_empty);
  result = g_test_run ();
  uninstall ();
  g_free (data_home);
  return result;
}
