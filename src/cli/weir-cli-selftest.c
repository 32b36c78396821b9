/* SPDX-License-Identifier: GPL-3.0-or-later */
/* selftest: the engine tries everything that it may not do, and says what kept it from each. */
#include "config.h"

#include <unistd.h>

#include <gio/gio.h>
#include <glib/gi18n.h>

#include "weir-cli-run.h"

static WeirCliExit
run (const WeirCliOptions *options)
{
  g_autoptr (GSubprocess) engine = NULL;
  g_autoptr (GError) error = NULL;

  /* pkexec starts engines that measure; this one would be refused. */
  if (options->full && geteuid () != 0)
    {
      weir_cli_complain (
          _ ("The engine of the full view tests itself as root: call it with sudo."));
      return WEIR_CLI_EXIT_NOT_FULL;
    }
  /* What it prints goes where our output goes, as it is. */
  engine =
      g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, &error, WEIR_ENGINE_PATH, "--self-test", NULL);
  if (engine == NULL || !g_subprocess_wait (engine, NULL, &error))
    {
      weir_cli_complain (error->message);
      return WEIR_CLI_EXIT_FAILED;
    }
  if (g_subprocess_get_successful (engine))
    return WEIR_CLI_EXIT_DONE;
  weir_cli_complain (_ ("Not everything that the engine may not do was denied on this system."));
  return WEIR_CLI_EXIT_FAILED;
}

const WeirCliCommand weir_cli_selftest = {
  .name = "selftest",
  .summary = N_ ("what the engine may not do, and what keeps it from doing it"),
  .run = run,
};
