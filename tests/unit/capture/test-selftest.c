/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The acts that the self-test tries to do are possible: or their being denied would mean nothing.
 */
#include "config.h"

#include <errno.h>
#include <glib.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "in-child.h"
#include "weir-selftest.h"

struct attempt
{
  const struct weir_act *act;
  const struct weir_stage *stage;
};

/* By root, who is stopped by nothing; in a mount namespace that is gone afterwards. */
static int
attempt (void *data)
{
  const struct attempt *try = data;
  int r;

  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return 255;
  r = try->act->try (try->stage);
  return r >= 0 && r < 255 ? r : 255;
}

static void
test_possible (void)
{
  struct weir_stage stage;
  pid_t pid;

  g_assert_cmpint (weir_stage_make (&stage), ==, 0);
  g_assert_cmpint (stage.mount, >=, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    for (;;)
      pause ();
  stage.sibling = pid;

  for (size_t i = 0; i < weir_n_acts; i++)
    {
      struct attempt data = { &weir_acts[i], &stage };
      int r = in_child (attempt, &data);

      /* What a kernel may be built without. */
      if (r == ENOSYS || (r == 256 + SIGSEGV && strstr (weir_acts[i].name, "i386") != NULL))
        g_test_message ("this kernel has no %s", weir_acts[i].name);
      else if (r != 0)
        g_error ("%s: %s", weir_acts[i].name, r < 256 ? g_strerror (r) : g_strsignal (r - 256));
    }

  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  weir_stage_clear (&stage);
  g_assert_cmpint (access (stage.directory, F_OK), <, 0);
}

static void
test_names (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (size_t i = 0; i < weir_n_acts; i++)
    {
      g_assert_true (g_hash_table_add (names, (gpointer) weir_acts[i].name));
      /* Meter and looker talk; to keeper and twin more is forbidden. */
      if (g_str_has_prefix (weir_acts[i].name, "send ") &&
          strstr (weir_acts[i].name, "UDP") == NULL)
        g_assert_true (weir_acts[i].roles & 1U << WEIR_ROLE_TWIN);
      else if (!weir_acts[i].allowed)
        g_assert_cmphex (weir_acts[i].roles, ==, (1U << WEIR_N_ROLES) - 1);
    }
  g_assert_cmpuint (weir_n_acts, >=, 40);
}

static void
test_asked (void)
{
  char *arguments[] = { (char *) "weir-engine", (char *) "--self-test", NULL };
  char *other[] = { (char *) "weir-engine", (char *) "--handoff", NULL };
  const struct weir_origin plain = { 1000, 1000, 1000 };
  struct weir_origin origin = plain;

  g_assert_true (weir_selftest_asked (&plain, 2, arguments));
  g_assert_false (weir_selftest_asked (&plain, 1, arguments));
  g_assert_false (weir_selftest_asked (&plain, 2, other));
  origin.secure = true;
  g_assert_false (weir_selftest_asked (&origin, 2, arguments));
  origin = (struct weir_origin) { .has_pkexec_uid = true };
  g_assert_false (weir_selftest_asked (&origin, 2, arguments));
  origin = (struct weir_origin) { 1000, 0, 0 };
  g_assert_false (weir_selftest_asked (&origin, 2, arguments));
  origin = (struct weir_origin) { 1000, 1000, 0 };
  g_assert_false (weir_selftest_asked (&origin, 2, arguments));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/selftest/possible", test_possible);
  g_test_add_func ("/selftest/names", test_names);
  g_test_add_func ("/selftest/asked", test_asked);
  return g_test_run ();
}
