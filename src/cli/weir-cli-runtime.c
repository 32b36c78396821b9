/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-cli-runtime.h"

#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

/* What the listener makes in there. */
#define INSIDE "weir"

static gboolean
is_ours (const char *folder)
{
  struct stat status;

  return folder != NULL && lstat (folder, &status) == 0 && S_ISDIR (status.st_mode) &&
         status.st_uid == geteuid ();
}

char *
weir_cli_runtime_new (void)
{
  g_autofree char *folder = NULL;

  if (geteuid () != 0 || is_ours (g_getenv ("XDG_RUNTIME_DIR")))
    return NULL;
  /* Only root can make anything in /run: nobody else can have prepared this. */
  folder = g_strdup ("/run/weir-cli-XXXXXX");
  return g_mkdtemp_full (folder, 0700) != NULL ? g_steal_pointer (&folder) : NULL;
}

void
weir_cli_runtime_free (char *folder)
{
  if (folder == NULL)
    return;
  g_autofree char *inside = g_build_filename (folder, INSIDE, NULL);

  /* The listener has removed what was in it; anything that is not empty stays. */
  g_rmdir (inside);
  g_rmdir (folder);
  g_free (folder);
}
