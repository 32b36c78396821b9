/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exit statuses put into words that tell a person what to do. */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-launcher-private.h"

#include <string.h>
#include <sys/wait.h>

#include <glib/gi18n-lib.h>

#include "weir-listener.h"
#include "weir-wire.h"

/* See pkexec(1), "RETURN VALUE". */
#define PKEXEC_DISMISSED 126
#define PKEXEC_FAILED    127

/* One line is shown of what a program wrote to its standard error. */
#define SAID_MAX 200

static const struct
{
  int code;
  const char *message;
} exits[] = {
  { WEIR_EXIT_DONE, N_ ("The measuring program ended by itself.") },
  { WEIR_EXIT_USAGE,
    N_ ("The measuring program does not understand how Weir started it. Reinstall Weir.") },
  { WEIR_EXIT_HANDOFF,
    N_ ("The measuring program could not reach Weir through its runtime folder. Log out and in "
        "again.") },
  { WEIR_EXIT_RESOURCES,
    N_ ("The measuring program has too little memory or too few open files, or too many of its "
        "kind are running. Close other windows of Weir and try again.") },
  { WEIR_EXIT_CONFINEMENT,
    N_ ("The measuring program could not give up its rights, and ended rather than keep them. "
        "This system or container does not let it confine itself.") },
  { WEIR_EXIT_SOURCES,
    N_ ("The measuring program cannot reach any source of the kernel. This system or container "
        "does not let it look at connections.") },
  { WEIR_EXIT_REFUSED,
    N_ ("This system or container does not let Weir have the bytes of every connection counted. "
        "Everything else can be measured without.") },
  { WEIR_EXIT_RUN_DIR, N_ ("The measuring program cannot use the folder “/run/weir”, or others can "
                           "write to it. Ask your "
                           "administrator to remove it: it is made anew.") },
  { WEIR_EXIT_STRICT, N_ ("This system refuses the measuring program a layer of protection, and "
                          "“engine.conf” says that it must not run without.") },
  { WEIR_EXIT_LATE,
    N_ ("The measuring program took too long to start, and gave up. This computer is "
        "very busy: wait a moment and try again.") },
};

/* The first line with something in it, without control characters; NULL if there is none. */
static char *
first_line (const char *said)
{
  g_auto (GStrv) lines = g_strsplit_set (said, "\r\n", -1);

  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_autoptr (GString) line = g_string_new (NULL);

      for (const char *at = g_strstrip (lines[i]); *at != '\0'; at = g_utf8_next_char (at))
        {
          gunichar c = g_utf8_get_char (at);

          if (line->len < SAID_MAX)
            g_string_append_unichar (line, g_unichar_isprint (c) ? c : 0xfffd);
        }
      if (line->len > 0)
        return g_string_free (g_steal_pointer (&line), FALSE);
    }
  return NULL;
}

GError *
weir_launcher_explain_engine (int wait_status, const char *said)
{
  g_autofree char *line = first_line (said);

  if (WIFSIGNALED (wait_status))
    return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE,
                        /* Translators: number and name of a signal, e.g. "9 (Killed)" */
                        _ ("The measuring program was ended by signal %d (%s)."),
                        WTERMSIG (wait_status), g_strsignal (WTERMSIG (wait_status)));
  for (gsize i = 0; i < G_N_ELEMENTS (exits); i++)
    {
      if (WIFEXITED (wait_status) && WEXITSTATUS (wait_status) == exits[i].code)
        return g_error_new_literal (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE,
                                    _ (exits[i].message));
    }
  if (line != NULL)
    return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE,
                        _ ("The measuring program failed with code %d: %s"),
                        WEXITSTATUS (wait_status), line);
  return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE,
                      _ ("The measuring program failed with code %d."), WEXITSTATUS (wait_status));
}

/* 127 is what pkexec returns for everything that is not a dismissed dialog; it says in English
 * which (its messages are not translated). */
static GError *
explain_refusal (const char *said)
{
  g_autofree char *line = first_line (said);

  if (strstr (said, "No authentication agent") != NULL)
    return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_NO_AGENT,
                        _ ("Nothing on this desktop can ask for a password (no polkit "
                           "authentication agent is running)."));
  if (strstr (said, "Not authorized") != NULL)
    return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_DENIED,
                        _ ("You are not allowed to see the connections of all users. Ask your "
                           "administrator, or work in front of the computer itself."));
  if (strstr (said, "setuid root") != NULL)
    return g_error_new (
        WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_SANDBOX,
        _ ("Weir runs where “pkexec” cannot give more rights, such as a sandbox or a "
           "debugger."));
  if (strstr (said, "Error getting authority") != NULL ||
      strstr (said, "Error initializing authority") != NULL ||
      strstr (said, "Error checking for authorization") != NULL)
    return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_NO_POLKIT,
                        _ ("The system's authorisation service (polkit) does not answer: %s"),
                        line);
  if (line != NULL)
    return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_FAILED,
                        _ ("More rights were refused: %s"), line);
  return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_DENIED,
                      _ ("More rights were refused."));
}

GError *
weir_launcher_explain_pkexec (int wait_status, const char *said)
{
  if (WIFEXITED (wait_status) && WEXITSTATUS (wait_status) == PKEXEC_DISMISSED)
    return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_DISMISSED,
                        _ ("The request was dismissed."));
  if (WIFEXITED (wait_status) && WEXITSTATUS (wait_status) == PKEXEC_FAILED)
    return explain_refusal (said);
  return weir_launcher_explain_engine (wait_status, said);
}
