/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-user-names.h"

#include <gio/gio.h>
#include <pwd.h>
#include <unistd.h>

#include "weir-format.h"

/* A machine has some dozens of users that talk to the network; beyond this, numbers are shown. */
#define USERS_MAX 4096

static GHashTable *names; /* uid → name, NULL: being looked up, or nameless */
static guint generation;

static void
look_up (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  long wished = sysconf (_SC_GETPW_R_SIZE_MAX);
  gsize size = wished > 0 ? wished : 1024;
  struct passwd entry, *found = NULL;

  for (; size <= 1024 * 1024; size *= 2)
    {
      g_autofree char *buffer = g_malloc (size);
      int error = getpwuid_r (GPOINTER_TO_UINT (data), &entry, buffer, size, &found);
      if (error == ERANGE)
        continue;
      g_task_return_pointer (task, found != NULL ? weir_format_sanitise (found->pw_name, -1) : NULL,
                             g_free);
      return;
    }
  g_task_return_pointer (task, NULL, NULL);
}

static void
on_looked_up (GObject *source, GAsyncResult *result, gpointer data)
{
  char *name = g_task_propagate_pointer (G_TASK (result), NULL);

  if (name == NULL)
    return;
  g_hash_table_insert (names, data, name);
  generation++;
}

const char *
weir_user_names_get (guint32 uid)
{
  gpointer name = NULL;

  if (names == NULL)
    names = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (g_hash_table_lookup_extended (names, GUINT_TO_POINTER (uid), NULL, &name))
    return name;
  if (g_hash_table_size (names) >= USERS_MAX)
    return NULL;

  g_hash_table_insert (names, GUINT_TO_POINTER (uid), NULL);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_looked_up, GUINT_TO_POINTER (uid));
  g_task_set_source_tag (task, weir_user_names_get);
  g_task_set_task_data (task, GUINT_TO_POINTER (uid), NULL);
  g_task_run_in_thread (task, look_up);
  return NULL;
}

guint
weir_user_names_get_generation (void)
{
  return generation;
}
