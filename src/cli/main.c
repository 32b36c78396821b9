/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include <glib/gi18n.h>

#include "weir-cli-run.h"

/* A descriptor that the caller has closed would be given to the next thing that is opened, and
 * output would go there. */
static void
open_standard_descriptors (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0 && open ("/dev/null", O_RDWR) != fd)
      abort ();
}

int
main (int argc, char **argv)
{
  g_auto (WeirCliOptions) options = { 0 };
  WeirCliExit exit;

  open_standard_descriptors ();
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  g_set_prgname ("weir-cli");
  g_auto (GStrv) arguments = g_strdupv (argv);
  if (!weir_cli_options_parse (&options, arguments, &exit))
    return exit;
  return weir_cli_run (&options);
}
