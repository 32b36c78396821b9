/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-app-index.h"

#define DESKTOP_SUFFIX ".desktop"

struct _WeirAppIndex
{
  GHashTable *by_id;      /* desktop id without its suffix → GAppInfo */
  GHashTable *by_program; /* base name of the executable → GAppInfo, or NULL when it is ambiguous */
};

/* What starts other programs says nothing about which application it is. */
static const char *const launchers[] = {
  "bash",   "env",    "flatpak", "gjs", "gjs-console", "java", "node", "perl",
  "pkexec", "python", "python3", "sh",  "snap",        "sudo", "wine", "xdg-open",
};

static gboolean
is_launcher (const char *program)
{
  for (guint i = 0; i < G_N_ELEMENTS (launchers); i++)
    if (g_str_equal (launchers[i], program))
      return TRUE;
  return FALSE;
}

static void
add_program (WeirAppIndex *self, GAppInfo *app)
{
  const char *executable = g_app_info_get_executable (app);
  g_autofree char *program =
      executable != NULL && *executable ? g_path_get_basename (executable) : NULL;
  gpointer other;

  if (program == NULL || is_launcher (program))
    return;
  if (g_hash_table_lookup_extended (self->by_program, program, NULL, &other))
    app = NULL;
  g_hash_table_replace (self->by_program, g_steal_pointer (&program),
                        app != NULL ? g_object_ref (app) : NULL);
}

static void
clear_app (gpointer app)
{
  g_clear_object (&app);
}

WeirAppIndex *
weir_app_index_new (GList *applications)
{
  WeirAppIndex *self = g_new0 (WeirAppIndex, 1);

  self->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self->by_program = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, clear_app);
  for (GList *l = applications; l != NULL; l = l->next)
    {
      GAppInfo *app = l->data;
      const char *id = g_app_info_get_id (app);

      if (!g_app_info_should_show (app) || g_app_info_get_icon (app) == NULL)
        continue;
      if (id != NULL && g_str_has_suffix (id, DESKTOP_SUFFIX))
        g_hash_table_replace (self->by_id, g_strndup (id, strlen (id) - strlen (DESKTOP_SUFFIX)),
                              g_object_ref (app));
      add_program (self, app);
    }
  return self;
}

void
weir_app_index_free (WeirAppIndex *self)
{
  g_hash_table_unref (self->by_id);
  g_hash_table_unref (self->by_program);
  g_free (self);
}

GAppInfo *
weir_app_index_find (WeirAppIndex *self, const char *key)
{
  GAppInfo *app;

  if (key == NULL)
    return NULL;
  app = g_hash_table_lookup (self->by_id, key);
  if (app == NULL && g_str_has_suffix (key, DESKTOP_SUFFIX))
    {
      g_autofree char *id = g_strndup (key, strlen (key) - strlen (DESKTOP_SUFFIX));

      app = g_hash_table_lookup (self->by_id, id);
    }
  return app != NULL ? app : g_hash_table_lookup (self->by_program, key);
}
