/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-cgroup.h"

#include <string.h>

#include "weir-app-identity.h"
#include "weir-format.h"

/* systemd.unit(5): what can be a control group. */
static const char *const unit_suffixes[] = { ".service", ".scope", ".slice",
                                             ".socket",  ".mount", ".swap" };

static gboolean
is_unit (const char *part)
{
  for (gsize i = 0; i < G_N_ELEMENTS (unit_suffixes); i++)
    if (g_str_has_suffix (part, unit_suffixes[i]) && strlen (part) > strlen (unit_suffixes[i]))
      return TRUE;
  return FALSE;
}

char **
weir_cgroup_get_units (const char *cgroup)
{
  g_auto (GStrv) parts = g_strsplit (cgroup != NULL ? cgroup : "", "/", -1);
  g_autoptr (GStrvBuilder) units = g_strv_builder_new ();

  for (guint i = 0; parts[i] != NULL; i++)
    if (is_unit (parts[i]))
      g_strv_builder_take (units, weir_format_sanitise (parts[i], -1));
  return g_strv_builder_end (units);
}

char *
weir_cgroup_get_container (const char *cgroup, char **ret_part)
{
  g_auto (WeirAppIdentity) identity = { 0 };

  if (cgroup == NULL || *cgroup == '\0')
    return NULL;
  weir_app_identity_init (&identity, cgroup, NULL);
  if (identity.kind != WEIR_APP_CONTAINER)
    return NULL;
  if (ret_part != NULL)
    {
      /* The name is the manager's, a space, and the container's, which stands in the path. */
      const char *space = strchr (identity.name, ' ');
      g_auto (GStrv) parts = g_strsplit (cgroup, "/", -1);
      *ret_part = NULL;
      for (guint i = g_strv_length (parts); i > 0 && space != NULL && *ret_part == NULL; i--)
        if (strstr (parts[i - 1], space + 1) != NULL)
          *ret_part = weir_format_sanitise (parts[i - 1], -1);
    }
  return g_steal_pointer (&identity.name);
}
