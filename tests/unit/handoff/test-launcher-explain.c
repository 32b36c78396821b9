/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every end has its own words, and dismissed, denied and nobody-to-ask are told apart. */
#include "weir-launcher-private.h"

#include <string.h>
#include <sys/wait.h>

#include "weir-listener.h"
#include "weir-wire.h"

static void
test_pkexec (void)
{
  static const struct
  {
    int code;
    const char *said;
    int error;
  } cases[] = {
    { 126, "Error executing command as another user: Request dismissed\n",
      WEIR_HANDOFF_ERROR_DISMISSED },
    { 126, "", WEIR_HANDOFF_ERROR_DISMISSED },
    { 127,
      "Error executing command as another user: Not authorized\n\nThis incident has been "
      "reported.\n",
      WEIR_HANDOFF_ERROR_DENIED },
    { 127, "Error executing command as another user: No authentication agent found.\n",
      WEIR_HANDOFF_ERROR_NO_AGENT },
    { 127, "pkexec must be setuid root\n", WEIR_HANDOFF_ERROR_SANDBOX },
    { 127, "Error getting authority: Error initializing authority: Could not connect\n",
      WEIR_HANDOFF_ERROR_NO_POLKIT },
    { 127, "Error checking for authorization org.x: Timeout\n", WEIR_HANDOFF_ERROR_NO_POLKIT },
    { 127, "Something else\n", WEIR_HANDOFF_ERROR_FAILED },
    { 127, "", WEIR_HANDOFF_ERROR_DENIED },
    { WEIR_EXIT_CONFINEMENT, "", WEIR_HANDOFF_ERROR_ENGINE },
    { 0, "", WEIR_HANDOFF_ERROR_ENGINE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error =
          weir_launcher_explain_pkexec (W_EXITCODE (cases[i].code, 0), cases[i].said);

      g_assert_error (error, WEIR_HANDOFF_ERROR, cases[i].error);
      g_assert_cmpuint (strlen (error->message), >, 10);
    }
}

static void
test_engine (void)
{
  const int codes[] = { WEIR_EXIT_DONE,
                        WEIR_EXIT_USAGE,
                        WEIR_EXIT_HANDOFF,
                        WEIR_EXIT_RESOURCES,
                        WEIR_EXIT_CONFINEMENT,
                        WEIR_EXIT_SOURCES,
                        WEIR_EXIT_REFUSED,
                        WEIR_EXIT_RUN_DIR,
                        WEIR_EXIT_STRICT,
                        WEIR_EXIT_LATE,
                        1 };
  g_autoptr (GHashTable) messages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      g_autoptr (GError) error = weir_launcher_explain_engine (W_EXITCODE (codes[i], 0), "");

      g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE);
      g_assert_true (g_hash_table_add (messages, g_strdup (error->message)));
    }
}

static void
test_signal (void)
{
  g_autoptr (GError) error = weir_launcher_explain_pkexec (W_EXITCODE (0, 9), "");
  g_autoptr (GError) dumped = weir_launcher_explain_engine (W_EXITCODE (0, 11) | WCOREFLAG, "");

  g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE);
  g_assert_nonnull (strstr (error->message, "9"));
  g_assert_nonnull (strstr (dumped->message, "11"));
}

/* What a program says is shown as one short line of text. */
static void
test_said (void)
{
  g_autofree char *lengthy = g_strnfill (3000, 'x');
  g_autoptr (GError) error =
      weir_launcher_explain_engine (W_EXITCODE (9, 0), "\n \t\nfirst \x1b[31mline\nsecond");
  g_autoptr (GError) cut = weir_launcher_explain_engine (W_EXITCODE (9, 0), lengthy);

  g_assert_nonnull (strstr (error->message, "first \xef\xbf\xbd[31mline"));
  g_assert_null (strstr (error->message, "second"));
  g_assert_null (strchr (error->message, '\n'));
  g_assert_cmpuint (strlen (cut->message), <, 400);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/launcher-explain/pkexec", test_pkexec);
  g_test_add_func ("/handoff/launcher-explain/engine", test_engine);
  g_test_add_func ("/handoff/launcher-explain/signal", test_signal);
  g_test_add_func ("/handoff/launcher-explain/said", test_said);
  return g_test_run ();
}
