/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "weir-users.h"

static struct weir_users
load (const char *passwd, uid_t caller)
{
  g_autofree char *path = NULL;
  struct weir_users users;
  int fd = g_file_open_tmp (NULL, &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, passwd, -1, NULL));
  weir_users_load (path, caller, &users);
  g_unlink (path);
  return users;
}

static void
assert_nobody (const struct weir_user *user)
{
  g_assert_cmpuint (user->uid, ==, 65534);
  g_assert_cmpuint (user->gid, ==, 65534);
  g_assert_false (user->own);
}

static void
test_found (void)
{
  struct weir_users users = load ("root:x:0:0::/:/bin/sh\n"
                                  "weird:x:1:1::/:\n"
                                  "weir-meter:x:996:995::/:/usr/sbin/nologin\n"
                                  "weir:x:997:994::/:/usr/sbin/nologin\n",
                                  1000);

  g_assert_cmpuint (users.meter.uid, ==, 996);
  g_assert_cmpuint (users.meter.gid, ==, 995);
  g_assert_true (users.meter.own);
  g_assert_cmpuint (users.helper.uid, ==, 997);
  g_assert_cmpuint (users.helper.gid, ==, 994);
  g_assert_true (users.helper.own);
}

static void
test_missing (void)
{
  struct weir_users users = load ("root:x:0:0::/:/bin/sh\nweir:x:997:997::/:\n", 1000);

  assert_nobody (&users.meter);
  g_assert_true (users.helper.own);

  users = load ("", 1000);
  assert_nobody (&users.meter);
  assert_nobody (&users.helper);

  weir_users_load ("/nonexistent/passwd", 1000, &users);
  assert_nobody (&users.meter);
  assert_nobody (&users.helper);
}

/* root, root's group, people, the caller, and one user for both. */
static void
test_unsuitable (void)
{
  static const char *const lines[] = {
    "weir:x:0:997::/:\n",          "weir:x:997:0::/:\n",
    "weir:x:1000:997::/:\n",       "weir:x:997:1000::/:\n",
    "weir:x:4294967295:997::/:\n", "weir:x:500:997::/:\n",
    "weir:x:x:997::/:\n",          "weir\n",
    "Weir:x:997:997::/:\n",
  };
  struct weir_users users;

  for (size_t i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      users = load (lines[i], 500);
      assert_nobody (&users.helper);
    }

  users = load ("weir:x:997:997::/:\nweir-meter:x:997:997::/:\n", 1000);
  g_assert_true (users.helper.own);
  assert_nobody (&users.meter);
}

/* Nobody cannot be kept apart from itself. */
static void
test_caller_is_nobody (void)
{
  struct weir_users users;

  g_assert_cmpint (weir_users_load ("/nonexistent/passwd", 65534, &users), ==, -EPERM);
  g_assert_cmpint (weir_users_load ("/nonexistent/passwd", 65533, &users), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/users/found", test_found);
  g_test_add_func ("/users/missing", test_missing);
  g_test_add_func ("/users/unsuitable", test_unsuitable);
  g_test_add_func ("/users/caller-is-nobody", test_caller_is_nobody);
  return g_test_run ();
}
