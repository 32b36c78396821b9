/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "weir-status.h"

static const char good[] = "Name:\tx Uid:\\n\n"
                           "Umask:\t0022\n"
                           "Uid:\t1\t2\t3\t4294967295\n"
                           "Gid:\t5\t6\t7\t8\n"
                           "FDSize:\t256\n"
                           "Groups:\t4 24 100 \n"
                           "CapInh:\t0000000000000001\n"
                           "CapPrm:\t000001ffffffffff\n"
                           "CapEff:\t0000000000001000\n"
                           "CapBnd:\tffffffffffffffff\n"
                           "CapAmb:\t0000000000000000\n"
                           "NoNewPrivs:\t1\n"
                           "Seccomp:\t2\n";

static void
test_good (void)
{
  struct weir_status status;

  g_assert_cmpint (weir_status_parse (good, &status), ==, 0);
  g_assert_cmpuint (status.uids[0], ==, 1);
  g_assert_cmpuint (status.uids[3], ==, 4294967295);
  g_assert_cmpuint (status.gids[1], ==, 6);
  g_assert_cmpuint (status.n_groups, ==, 3);
  g_assert_cmphex (status.cap_inheritable, ==, 1);
  g_assert_cmphex (status.cap_permitted, ==, 0x1ffffffffff);
  g_assert_cmphex (status.cap_effective, ==, 0x1000);
  g_assert_cmphex (status.cap_bounding, ==, UINT64_MAX);
  g_assert_cmphex (status.cap_ambient, ==, 0);
  g_assert_true (status.no_new_privs);
  g_assert_cmpuint (status.seccomp, ==, 2);
}

/* A kernel without seccomp does not show it. */
static void
test_no_seccomp (void)
{
  g_autofree char *text = g_strndup (good, strlen (good) - strlen ("Seccomp:\t2\n"));
  struct weir_status status = { .seccomp = 1 };

  g_assert_cmpint (weir_status_parse (text, &status), ==, 0);
  g_assert_cmpuint (status.seccomp, ==, 0);
}

static void
test_bad_seccomp (void)
{
  static const char *const lines[] = { "Seccomp:\n", "Seccomp:\tx\n", "Seccomp:\t3\n",
                                       "Seccomp:\t2 2\n" };
  g_autofree char *twice = g_strconcat (good, "Seccomp:\t2\n", NULL);
  struct weir_status status;

  for (size_t i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autoptr (GString) text = g_string_new (good);

      g_assert_cmpuint (g_string_replace (text, "Seccomp:\t2\n", lines[i], 1), ==, 1);
      g_assert_cmpint (weir_status_parse (text->str, &status), ==, -EPROTO);
    }
  g_assert_cmpint (weir_status_parse (twice, &status), ==, -EPROTO);
}

/* Every line that matters is taken away, doubled and broken in turn. */
static void
test_bad (void)
{
  g_auto (GStrv) lines = g_strsplit (good, "\n", -1);
  unsigned n_tried = 0;

  for (size_t i = 1; lines[i + 1] != NULL; i++)
    {
      static const char *const values[] = {
        "", "\t", "\tx", "\t-1", "\t1\t2", "\t11111111111111111"
      };
      g_autofree char *line = lines[i];
      struct weir_status status;

      if (!g_str_has_prefix (line, "Uid") && !g_str_has_prefix (line, "Gid") &&
          !g_str_has_prefix (line, "Cap") && !g_str_has_prefix (line, "NoNew"))
        {
          g_steal_pointer (&line);
          continue;
        }
      for (size_t v = 0; v < G_N_ELEMENTS (values) + 2; v++)
        {
          g_autofree char *text = NULL;

          if (v == 0)
            lines[i] = g_strdup ("Other:\t1");
          else if (v == 1)
            lines[i] = g_strdup_printf ("%s\n%s", line, line);
          else
            lines[i] = g_strdup_printf ("%.*s%s", (int) (strchr (line, ':') - line + 1), line,
                                        values[v - 2]);
          text = g_strjoinv ("\n", lines);
          g_free (lines[i]);
          g_assert_cmpint (weir_status_parse (text, &status), ==, -EPROTO);
          n_tried++;
        }
      lines[i] = g_steal_pointer (&line);
    }
  g_assert_cmpuint (n_tried, ==, 8 * 8);
}

static void
test_own (void)
{
  struct weir_status status;
  int fd = open ("/proc/self/status", O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  /* Twice: it reads from the beginning each time. */
  for (int i = 0; i < 2; i++)
    {
      g_assert_cmpint (weir_status_read (fd, &status), ==, 0);
      g_assert_cmpuint (status.uids[1], ==, geteuid ());
      g_assert_cmpuint (status.gids[1], ==, getegid ());
      g_assert_cmpint ((int) status.n_groups, ==, getgroups (0, NULL));
    }
  close (fd);
}

/* More groups than the first buffer holds. */
static void
test_long (void)
{
  g_autoptr (GString) text = g_string_new (good);
  g_autoptr (GString) groups = g_string_new ("Groups:\t");
  g_autofree char *path = NULL;
  struct weir_status status;
  int fd;

  for (unsigned i = 0; i < 20000; i++)
    g_string_append_printf (groups, "%u ", i);
  g_string_append_c (groups, '\n');
  g_string_replace (text, "Groups:\t4 24 100 \n", groups->str, 1);

  fd = g_file_open_tmp (NULL, &path, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint ((int) write (fd, text->str, text->len), ==, (int) text->len);
  g_assert_cmpint (weir_status_read (fd, &status), ==, 0);
  g_assert_cmpuint (status.n_groups, ==, 20000);
  g_assert_true (status.no_new_privs);
  g_assert_cmpint ((int) pwrite (fd, "\0", 1, 3), ==, 1);
  g_assert_cmpint (weir_status_read (fd, &status), ==, -EPROTO);
  close (fd);
  unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/status/good", test_good);
  g_test_add_func ("/status/no-seccomp", test_no_seccomp);
  g_test_add_func ("/status/bad-seccomp", test_bad_seccomp);
  g_test_add_func ("/status/bad", test_bad);
  g_test_add_func ("/status/own", test_own);
  g_test_add_func ("/status/long", test_long);
  return g_test_run ();
}
