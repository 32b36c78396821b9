/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "weir-caller.h"

static void
test_parse_uid (void)
{
  static const char *const bad[] = {
    "",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1\n",
    "00",
    "01000",
    "0x10",
    "1e3",
    "4294967295",
    "4294967296",
    "tester",
    "1.0",
    "9999999999",
    "18446744073709552616",
    "11111111111111111111111111",
  };
  static const struct
  {
    const char *text;
    uid_t uid;
  } good[] = {
    { "0", 0 }, { "7", 7 }, { "1000", 1000 }, { "65534", 65534 }, { "4294967294", 4294967294 }
  };
  uid_t uid;

  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      uid = 4711;
      g_assert_cmpint (weir_caller_parse_uid (bad[i], &uid), ==, -EINVAL);
      g_assert_cmpuint (uid, ==, 4711);
    }
  for (size_t i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_assert_cmpint (weir_caller_parse_uid (good[i].text, &uid), ==, 0);
      g_assert_cmpuint (uid, ==, good[i].uid);
    }
}

static int
verify (const struct weir_origin *origin, struct weir_caller *caller)
{
  char *argv[] = { (char *) "weir-engine", (char *) "--handoff", (char *) "/run/x", NULL };

  return weir_caller_verify (origin, 3, argv, caller);
}

static struct weir_origin
origin (uid_t real, uid_t effective, uid_t saved, bool secure, const char *pkexec_uid)
{
  struct weir_origin made = { real, effective, saved, secure, pkexec_uid != NULL, "" };

  if (pkexec_uid != NULL)
    g_strlcpy (made.pkexec_uid, pkexec_uid, sizeof made.pkexec_uid);
  return made;
}

static void
test_elevated (void)
{
  struct weir_origin from = origin (0, 0, 0, false, "1000");
  struct weir_caller caller;

  g_assert_cmpint (verify (&from, &caller), ==, 0);
  g_assert_cmpuint (caller.uid, ==, 1000);
  g_assert_true (caller.elevated);

  from = origin (0, 0, 0, false, NULL);
  g_assert_cmpint (verify (&from, &caller), ==, 0);
  g_assert_cmpuint (caller.uid, ==, 0);
  g_assert_true (caller.elevated);

  from = origin (0, 0, 0, false, "");
  g_assert_cmpint (verify (&from, &caller), ==, -EINVAL);
  from = origin (0, 0, 0, true, "1000");
  g_assert_cmpint (verify (&from, &caller), ==, -EINVAL);
}

static void
test_ordinary (void)
{
  /* The claim is worth nothing, and with file capabilities it is the real uid that counts. */
  struct weir_origin from = origin (1000, 1000, 1000, false, "0");
  struct weir_caller caller;

  g_assert_cmpint (verify (&from, &caller), ==, 0);
  g_assert_cmpuint (caller.uid, ==, 1000);
  g_assert_false (caller.elevated);

  from = origin (1000, 1000, 1000, true, "1001");
  g_assert_cmpint (verify (&from, &caller), ==, 0);
  g_assert_cmpuint (caller.uid, ==, 1000);
  g_assert_false (caller.elevated);
}

static void
test_mixed (void)
{
  static const uid_t uids[][3] = {
    { 1000, 0, 0 },       { 0, 1000, 0 },
    { 0, 0, 1000 },       { 1000, 1000, 0 },
    { 1000, 0, 1000 },    { 0, 1000, 1000 },
    { 1000, 1001, 1000 }, { (uid_t) -1, (uid_t) -1, (uid_t) -1 },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (uids); i++)
    {
      struct weir_origin from = origin (uids[i][0], uids[i][1], uids[i][2], false, "1000");
      struct weir_caller caller;

      g_assert_cmpint (verify (&from, &caller), ==, -EINVAL);
    }
}

static void
test_arguments (void)
{
  static const struct
  {
    int result;
    bool accounting;
    const char *argv[5];
  } rows[] = {
    { 0, false, { "x", "--handoff", "/run/d" } },
    { 0, false, { "", "--handoff", "/" } },
    { 0, true, { "x", "--handoff-accounting", "/run/d" } },
    { -EINVAL, false, { NULL } },
    { -EINVAL, false, { "x" } },
    { -EINVAL, false, { "x", "--handoff" } },
    { -EINVAL, false, { "x", "--handoff", "/run/d", "" } },
    { -EINVAL, false, { "x", "--handoff", "" } },
    { -EINVAL, false, { "x", "--handoff", "run/d" } },
    { -EINVAL, false, { "x", "--Handoff", "/run/d" } },
    { -EINVAL, false, { "x", "--handoff ", "/run/d" } },
    { -EINVAL, false, { "x", "/run/d", "--handoff" } },
    { -EINVAL, false, { "x", "--help", "/run/d" } },
  };
  const struct weir_origin from = origin (1000, 1000, 1000, false, NULL);

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      struct weir_caller caller = { 0 };
      int argc = 0;

      while (rows[i].argv[argc] != NULL)
        argc++;
      g_assert_cmpint (weir_caller_verify (&from, argc, (char **) rows[i].argv, &caller), ==,
                       rows[i].result);
      if (rows[i].result == 0)
        {
          g_assert_cmpint (caller.accounting, ==, rows[i].accounting);
          g_assert_cmpstr (caller.directory, ==, rows[i].argv[2]);
        }
    }
}

static void
test_length (void)
{
  const struct weir_origin from = origin (1000, 1000, 1000, false, NULL);

  for (size_t length = PATH_MAX - 2; length <= PATH_MAX + 1; length++)
    {
      g_autofree char *path = g_strnfill (length, 'a');
      char *argv[] = { (char *) "x", (char *) "--handoff", path, NULL };
      struct weir_caller caller;

      path[0] = '/';
      g_assert_cmpint (weir_caller_verify (&from, 3, argv, &caller), ==,
                       length < PATH_MAX ? 0 : -EINVAL);
    }
}

static void
test_note (void)
{
  struct weir_origin from;

  g_setenv ("PKEXEC_UID", "1234", TRUE);
  weir_caller_note (&from);
  g_assert_true (from.has_pkexec_uid);
  g_assert_cmpstr (from.pkexec_uid, ==, "1234");
  g_assert_cmpuint (from.real_uid, ==, getuid ());
  g_assert_cmpuint (from.effective_uid, ==, geteuid ());
  g_assert_false (from.secure);

  /* Too long for a uid must not become a uid by being cut. */
  g_setenv ("PKEXEC_UID", "1000000000000000", TRUE);
  weir_caller_note (&from);
  g_assert_true (from.has_pkexec_uid);
  g_assert_cmpstr (from.pkexec_uid, ==, "");

  g_unsetenv ("PKEXEC_UID");
  weir_caller_note (&from);
  g_assert_false (from.has_pkexec_uid);
}

static void
test_inform (void)
{
  struct weir_origin from = origin (0, 0, 0, false, NULL);
  char *argv[] = { (char *) "x", (char *) "--version", NULL };

  g_assert_false (weir_caller_inform (&from, 2, argv));
  from = origin (1000, 0, 0, true, NULL);
  g_assert_false (weir_caller_inform (&from, 2, argv));
  from = origin (1000, 1000, 1000, true, NULL);
  g_assert_false (weir_caller_inform (&from, 2, argv));
  from = origin (1000, 1000, 1000, false, NULL);
  g_assert_false (weir_caller_inform (&from, 1, argv));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/caller/parse-uid", test_parse_uid);
  g_test_add_func ("/caller/elevated", test_elevated);
  g_test_add_func ("/caller/ordinary", test_ordinary);
  g_test_add_func ("/caller/mixed", test_mixed);
  g_test_add_func ("/caller/arguments", test_arguments);
  g_test_add_func ("/caller/length", test_length);
  g_test_add_func ("/caller/note", test_note);
  g_test_add_func ("/caller/inform", test_inform);
  return g_test_run ();
}
