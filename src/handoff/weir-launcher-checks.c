/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must be true before anything is given more rights than we have.  None of this protects root
 * from us, polkit does; it keeps us from asking a person for a password on behalf of a program that
 * somebody else may have changed. */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-launcher-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "weir-listener.h"

/* f_type of FUSE: what is shown there is up to a process. */
#define FUSE_MAGIC 0x65735546

#define ACTION_TYPE "(ssssssuuua{ss})"

static gboolean
is_safe (int fd, gboolean is_program, const char *path, const char *shown, GError **error)
{
  struct statfs fs;
  struct stat st;

  if (fstat (fd, &st) < 0 || fstatfs (fd, &fs) < 0)
    {
      g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_UNSAFE,
                   _ ("“%s” cannot be checked: %s"), shown, g_strerror (errno));
      return FALSE;
    }
  if (is_program && (!S_ISREG (st.st_mode) || (st.st_mode & 0111) == 0))
    {
      g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_MISSING,
                   _ ("“%s” is not a program. Reinstall Weir."), shown);
      return FALSE;
    }
  /* An access control list that lets others write shows as a writable group. */
  if (st.st_uid != 0 || (st.st_mode & 022) != 0 || fs.f_type == FUSE_MAGIC)
    {
      g_set_error (
          error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_UNSAFE,
          _ ("This copy of Weir is not installed safely: others than the administrator can "
             "change “%s”, so “%s” is never run with more rights. Install Weir from a "
             "package."),
          shown, path);
      return FALSE;
    }
  return TRUE;
}

/* Every step is taken from the descriptor of the one before, without following links. */
static gboolean
check_steps (const char *path, GError **error)
{
  g_auto (GStrv) steps = g_strsplit (path + 1, "/", -1);
  g_autoptr (GString) shown = g_string_new (NULL);
  g_autofd int at = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

  if (at < 0 || !is_safe (at, FALSE, path, "/", error))
    return FALSE;
  for (gsize i = 0; steps[i] != NULL; i++)
    {
      int next = openat (at, steps[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);

      g_string_append_printf (shown, "/%s", steps[i]);
      if (next < 0)
        {
          g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_UNSAFE,
                       _ ("“%s” cannot be checked: %s"), shown->str, g_strerror (errno));
          return FALSE;
        }
      close (at);
      at = next;
      if (!is_safe (at, steps[i + 1] == NULL, path, shown->str, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
weir_launcher_check_file_safe (const char *path, GError **error)
{
  g_autofree char *canonical = NULL;
  /* Not g_autofree: realpath(3) allocates with malloc. */
  char *real = realpath (path, NULL);
  int saved = errno;

  canonical = g_strdup (real);
  free (real);
  if (canonical == NULL)
    {
      g_set_error (
          error, WEIR_HANDOFF_ERROR,
          saved == ENOENT || saved == ENOTDIR ? WEIR_HANDOFF_ERROR_MISSING
                                              : WEIR_HANDOFF_ERROR_UNSAFE,
          _ ("This copy of Weir is not installed completely: “%s”: %s. Install Weir from a "
             "package."),
          path, g_strerror (saved));
      return FALSE;
    }
  if (strcmp (canonical, path) != 0)
    {
      g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_UNSAFE,
                   _ ("This copy of Weir is not installed safely: “%s” is a link to “%s”. Install "
                      "Weir from a package."),
                   path, canonical);
      return FALSE;
    }
  return check_steps (path, error);
}

gboolean
weir_launcher_check_not_sandboxed (GError **error)
{
  /* What a variable says here can only take the full view away. */
  if (access ("/.flatpak-info", F_OK) == 0 || g_getenv ("SNAP") != NULL)
    {
      g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_SANDBOX,
                   _ ("Weir runs in a sandbox, which cannot ask for more rights. Install Weir from "
                      "a package of your system to see everything."));
      return FALSE;
    }
  if (prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
    {
      g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_SANDBOX,
                   _ ("Weir was started in a way that forbids it to ask for more rights "
                      "(“no new privileges”). Start it from the applications overview."));
      return FALSE;
    }
  return TRUE;
}

const char *
weir_launcher_find_setuid (const char *const *candidates, GError **error)
{
  const char *found = NULL;

  for (gsize i = 0; candidates[i] != NULL; i++)
    {
      struct statvfs fs;
      struct stat st;

      if (stat (candidates[i], &st) < 0)
        continue;
      found = candidates[i];
      if (S_ISREG (st.st_mode) && st.st_uid == 0 && (st.st_mode & S_ISUID) != 0 &&
          statvfs (found, &fs) == 0 && (fs.f_flag & ST_NOSUID) == 0)
        return found;
    }
  if (found != NULL)
    g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_NO_POLKIT,
                 _ ("“%s” may not give more rights on this system (it is not set-user-ID root)."),
                 found);
  else
    g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_NO_POLKIT,
                 _ ("The program “pkexec” is missing. Install it (in many distributions it is part "
                    "of “polkit”) to see everything."));
  return NULL;
}

static gboolean
has_annotation (GVariant *annotations, const char *key, const char *expected)
{
  const char *value;

  return g_variant_lookup (annotations, key, "&s", &value) && strcmp (value, expected) == 0;
}

gboolean
weir_launcher_check_action (GVariant *actions, const char *action, const char *path,
                            const char *argv1, GError **error)
{
  GVariantIter iter;
  GVariant *entry;

  g_return_val_if_fail (g_variant_is_of_type (actions, G_VARIANT_TYPE ("a" ACTION_TYPE)), FALSE);
  g_variant_iter_init (&iter, actions);
  while ((entry = g_variant_iter_next_value (&iter)) != NULL)
    {
      g_autoptr (GVariant) owned = entry;
      g_autoptr (GVariant) annotations = g_variant_get_child_value (entry, 9);
      const char *id;

      g_variant_get_child (entry, 0, "&s", &id);
      if (strcmp (id, action) == 0 &&
          has_annotation (annotations, "org.freedesktop.policykit.exec.path", path) &&
          has_annotation (annotations, "org.freedesktop.policykit.exec.argv1", argv1))
        return TRUE;
    }
  g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_UNKNOWN,
               _ ("This copy of Weir is not installed completely: the system does not know what it "
                  "would ask for (action “%s”). Install Weir from a package."),
               action);
  return FALSE;
}
