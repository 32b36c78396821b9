/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of all kinds, which are believed or not; and who may be told what. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir-config-read.h"
#include "weir-config.h"

struct fixture
{
  char *top, *folder, *file;
};

static void
write_file (struct fixture *fixture, const char *text, gssize size)
{
  g_assert_true (g_file_set_contents_full (fixture->file, text, size, 0, 0644, NULL));
}

/* Not below /tmp, which everybody may write. */
static void
set_up (struct fixture *fixture, gconstpointer data)
{
  fixture->top = g_mkdtemp (g_strdup ("/run/weir-config-XXXXXX"));
  g_assert_nonnull (fixture->top);
  g_assert_cmpint (g_chmod (fixture->top, 0755), ==, 0);
  fixture->folder = g_build_filename (fixture->top, "weir", NULL);
  fixture->file = g_build_filename (fixture->folder, "engine.conf", NULL);
  g_assert_cmpint (g_mkdir (fixture->folder, 0755), ==, 0);
  write_file (fixture, "[limits]\nrows_max=7\n", -1);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  if (g_remove (fixture->file) < 0)
    g_rmdir (fixture->file);
  g_remove (fixture->folder);
  g_assert_cmpint (g_rmdir (fixture->top), ==, 0);
  g_free (fixture->top);
  g_free (fixture->folder);
  g_free (fixture->file);
}

/* The only thing that is told, and what it is about; nothing of the file is used then. */
static void
expect_refusal (struct fixture *fixture, enum weir_notice_code code, const char *about)
{
  struct weir_config config;

  weir_config_load (fixture->folder, true, &config);
  g_assert_cmpuint (config.n_notices, ==, 1);
  g_assert_cmpuint (config.notices[0].code, ==, code);
  g_assert_cmpstr (config.notices[0].text, ==, about);
  g_assert_cmpuint (config.rows_max, ==, WEIR_ROWS_MAX);
}

static void
expect_use (struct fixture *fixture)
{
  struct weir_config config;

  weir_config_load (fixture->folder, true, &config);
  g_assert_cmpuint (config.n_notices, ==, 0);
  g_assert_cmpuint (config.rows_max, ==, 7);
}

static void
test_absent (struct fixture *fixture, gconstpointer data)
{
  struct weir_config config;

  expect_use (fixture);
  g_assert_cmpint (g_remove (fixture->file), ==, 0);
  /* Nothing depends on who may write where there is no file. */
  g_assert_cmpint (g_chmod (fixture->folder, 0777), ==, 0);
  weir_config_load (fixture->folder, true, &config);
  g_assert_cmpmem (&config, sizeof config, &weir_config_defaults, sizeof config);
  g_assert_cmpint (g_remove (fixture->folder), ==, 0);
  weir_config_load (fixture->folder, true, &config);
  g_assert_cmpmem (&config, sizeof config, &weir_config_defaults, sizeof config);
}

static void
test_unsafe (struct fixture *fixture, gconstpointer data)
{
  const char *const places[] = { fixture->file, fixture->folder, fixture->top };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      const mode_t mode = i == 0 ? 0644 : 0755;

      g_assert_cmpint (g_chmod (places[i], mode | S_IWGRP), ==, 0);
      expect_refusal (fixture, WEIR_NOTICE_CONFIG_UNSAFE, places[i]);
      g_assert_cmpint (g_chmod (places[i], mode | S_IWOTH), ==, 0);
      expect_refusal (fixture, WEIR_NOTICE_CONFIG_UNSAFE, places[i]);
      g_assert_cmpint (g_chmod (places[i], mode), ==, 0);
      expect_use (fixture);
      g_assert_cmpint (chown (places[i], 1000, 0), ==, 0);
      expect_refusal (fixture, WEIR_NOTICE_CONFIG_UNSAFE, places[i]);
      /* The group may read it. */
      g_assert_cmpint (chown (places[i], 0, 1000), ==, 0);
      expect_use (fixture);
    }
}

static void
test_no_file (struct fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (g_remove (fixture->file), ==, 0);
  g_assert_cmpint (symlink ("/etc/hostname", fixture->file), ==, 0);
  expect_refusal (fixture, WEIR_NOTICE_CONFIG_NOT_A_FILE, fixture->file);
  g_assert_cmpint (g_remove (fixture->file), ==, 0);
  /* Nobody writes into it, and nobody waits for that. */
  g_assert_cmpint (mkfifo (fixture->file, 0644), ==, 0);
  expect_refusal (fixture, WEIR_NOTICE_CONFIG_NOT_A_FILE, fixture->file);
  g_assert_cmpint (g_remove (fixture->file), ==, 0);
  g_assert_cmpint (g_mkdir (fixture->file, 0755), ==, 0);
  expect_refusal (fixture, WEIR_NOTICE_CONFIG_NOT_A_FILE, fixture->file);
  g_assert_cmpint (g_rmdir (fixture->file), ==, 0);

  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_assert_cmpint (symlink ("/etc", fixture->folder), ==, 0);
  expect_refusal (fixture, WEIR_NOTICE_CONFIG_NOT_A_FILE, fixture->file);
}

static void
test_size (struct fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new ("[limits]\nrows_max=7\n");

  while (text->len < WEIR_CONFIG_SIZE_MAX)
    g_string_append_c (text, '\n');
  write_file (fixture, text->str, (gssize) text->len);
  expect_use (fixture);
  g_string_append_c (text, '\n');
  write_file (fixture, text->str, (gssize) text->len);
  expect_refusal (fixture, WEIR_NOTICE_CONFIG_TOO_LARGE, fixture->file);
}

/* An ordinary user's engine reads what its user may read. */
static void
test_ordinary (struct fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 2; i++)
    {
      struct weir_config config;
      int status;
      pid_t pid;

      g_assert_cmpint (g_chmod (fixture->file, i == 0 ? 0644 : 0600), ==, 0);
      pid = fork ();
      if (pid == 0)
        {
          if (setgroups (0, NULL) < 0 || setgid (1000) < 0 || setuid (1000) < 0)
            _exit (100);
          weir_config_load (fixture->folder, false, &config);
          _exit (config.n_notices == 0 ? config.rows_max == 7 ? 7 : 1 : 2);
        }
      g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
      g_assert_true (WIFEXITED (status));
      g_assert_cmpint (WEXITSTATUS (status), ==, i == 0 ? 7 : 1);
    }
}

/* Names of this very computer. */
static void
test_names (struct fixture *fixture, gconstpointer data)
{
  struct weir_config config;

  write_file (fixture,
              "[process_details]\nallow_users=root,nobody,no-such-user\n"
              "allow_groups=root,no-such-group\n",
              -1);
  weir_config_load (fixture->folder, true, &config);
  g_assert_cmpuint (config.allow_users.n, ==, 2);
  g_assert_cmpuint (config.allow_users.ids[0], ==, 0);
  g_assert_cmpuint (config.allow_users.ids[1], ==, 65534);
  g_assert_cmpuint (config.allow_groups.n, ==, 1);
  g_assert_cmpuint (config.n_notices, ==, 2);
  g_assert_cmpstr (config.notices[0].text, ==, "no-such-user");
  g_assert_cmpstr (config.notices[1].text, ==, "no-such-group");
}

static void
test_disclose (void)
{
  const gid_t groups[] = { 1000, 10 };
  struct weir_config config = weir_config_defaults;

  g_assert_cmpint (weir_config_disclose (&config, 1000, groups, 2), ==, WEIR_DISCLOSE_OWN);
  config.disclosure = WEIR_DISCLOSE_NOTHING;
  g_assert_cmpint (weir_config_disclose (&config, 0, groups, 2), ==, WEIR_DISCLOSE_NOTHING);
  config.disclosure = WEIR_DISCLOSE_ALL;
  g_assert_cmpint (weir_config_disclose (&config, 1000, groups, 2), ==, WEIR_DISCLOSE_ALL);

  /* A list in which nothing was understood lets nobody in. */
  config.allow_users.given = true;
  g_assert_cmpint (weir_config_disclose (&config, 1000, groups, 2), ==, WEIR_DISCLOSE_OWN);
  config.allow_users.ids[config.allow_users.n++] = 1001;
  g_assert_cmpint (weir_config_disclose (&config, 1001, groups, 0), ==, WEIR_DISCLOSE_ALL);
  g_assert_cmpint (weir_config_disclose (&config, 1000, groups, 2), ==, WEIR_DISCLOSE_OWN);
  config.allow_groups.given = true;
  config.allow_groups.ids[config.allow_groups.n++] = 10;
  g_assert_cmpint (weir_config_disclose (&config, 1000, groups, 2), ==, WEIR_DISCLOSE_ALL);
  g_assert_cmpint (weir_config_disclose (&config, 1000, groups, 1), ==, WEIR_DISCLOSE_OWN);
}

/* The groups are those of whoever listens, by the kernel's word. */
static int
connect_to_listener (const char *path, gid_t gid, gid_t group)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int listener, client, status;
  pid_t pid;

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, sizeof address), ==, 0);
  pid = fork ();
  if (pid == 0)
    _exit (setgroups (1, &group) < 0 || setgid (gid) < 0 || listen (listener, 1) < 0);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  client = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (connect (client, (struct sockaddr *) &address, sizeof address), ==, 0);
  close (listener);
  g_unlink (path);
  return client;
}

static void
test_peer (struct fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "socket", NULL);
  struct weir_config config = weir_config_defaults;
  int client;

  config.disclosure = WEIR_DISCLOSE_ALL;
  config.allow_groups = (struct weir_config_ids) { { 4242 }, 1, true };
  client = connect_to_listener (path, 1000, 4242);
  g_assert_cmpint (weir_config_disclose_to_peer (&config, 1000, client), ==, WEIR_DISCLOSE_ALL);
  close (client);
  client = connect_to_listener (path, 4242, 1000);
  g_assert_cmpint (weir_config_disclose_to_peer (&config, 1000, client), ==, WEIR_DISCLOSE_ALL);
  close (client);
  client = connect_to_listener (path, 1000, 1001);
  g_assert_cmpint (weir_config_disclose_to_peer (&config, 1000, client), ==, WEIR_DISCLOSE_OWN);
  close (client);
  g_assert_cmpint (weir_config_disclose_to_peer (&config, 1000, -1), ==, WEIR_DISCLOSE_OWN);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, struct fixture, NULL, set_up, function, tear_down)
  ADD ("/capture/config/absent", test_absent);
  ADD ("/capture/config/unsafe", test_unsafe);
  ADD ("/capture/config/no-file", test_no_file);
  ADD ("/capture/config/size", test_size);
  ADD ("/capture/config/ordinary", test_ordinary);
  ADD ("/capture/config/names", test_names);
  g_test_add_func ("/capture/config/disclose", test_disclose);
  ADD ("/capture/config/peer", test_peer);
  return g_test_run ();
}
