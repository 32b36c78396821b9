/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-interface-names.h"

#include <sys/stat.h>

#include "weir-format.h"

static GHashTable *names;

guint32
weir_interface_names_get_netns (void)
{
  static guint32 netns;
  struct stat status;

  if (netns == 0 && stat ("/proc/self/ns/net", &status) == 0)
    netns = status.st_ino;
  return netns;
}

void
weir_interface_names_set (const struct weir_interface_record *interfaces, guint n)
{
  if (names == NULL)
    names = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_hash_table_remove_all (names);
  for (guint i = 0; i < n; i++)
    g_hash_table_insert (names, GUINT_TO_POINTER (interfaces[i].index),
                         weir_format_sanitise (interfaces[i].name, sizeof interfaces[i].name));
}

const char *
weir_interface_names_get (guint32 netns, guint32 index)
{
  if (names == NULL || index == 0 || netns != weir_interface_names_get_netns ())
    return NULL;
  return g_hash_table_lookup (names, GUINT_TO_POINTER (index));
}
