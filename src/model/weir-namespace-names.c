/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-namespace-names.h"

#include <glib/gi18n-lib.h>

#include "weir-format.h"

static GHashTable *names;

static const char *const hows[] = {
  [WEIR_NAMESPACE_OWN] = N_ ("This one"),
  /* TRANSLATORS: the sockets of a network namespace are read in full */
  [WEIR_NAMESPACE_OPENED] = N_ ("Opened"),
  /* TRANSLATORS: the sockets of a network namespace are known, their bytes are not */
  [WEIR_NAMESPACE_LISTED] = N_ ("Listed, without bytes"),
};

static const char *const states[] = {
  [WEIR_NAMESPACE_UNREAD] = N_ ("Not read yet"),
  [WEIR_NAMESPACE_READ] = NULL,
  [WEIR_NAMESPACE_CUT] = N_ ("There are more sockets than are listed"),
  [WEIR_NAMESPACE_FAILED] = N_ ("It could not be read"),
};

void
weir_namespace_names_set (const struct weir_namespace_record *namespaces, guint n)
{
  if (names == NULL)
    names = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_hash_table_remove_all (names);
  for (guint i = 0; i < n; i++)
    {
      const struct weir_namespace_record *record = &namespaces[i];
      const char *name = *record->name != '\0' ? record->name : record->comm;

      if (*name != '\0')
        g_hash_table_insert (names, GUINT_TO_POINTER (record->inode),
                             weir_format_sanitise (name, -1));
    }
}

const char *
weir_namespace_names_get (guint32 inode)
{
  if (weir_netns_is_unknown (inode))
    return "another network namespace";
  return names != NULL ? g_hash_table_lookup (names, GUINT_TO_POINTER (inode)) : NULL;
}

const char *
weir_namespace_names_get_how (guint8 how)
{
  return how < G_N_ELEMENTS (hows) ? g_dgettext (GETTEXT_PACKAGE, hows[how]) : "?";
}

const char *
weir_namespace_names_get_state (guint8 state)
{
  if (state >= G_N_ELEMENTS (states))
    return "?";
  return states[state] != NULL ? g_dgettext (GETTEXT_PACKAGE, states[state]) : NULL;
}
