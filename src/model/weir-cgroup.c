/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-cgroup.h"

#include <string.h>

#include "weir-cgroup-text.h"
#include "weir-format.h"

/* systemd.unit(5): what can be a control group. */
static const char *const unit_suffixes[] = { ".service", ".scope", ".slice",
                                             ".socket",  ".mount", ".swap" };

char *
weir_cgroup_unescape (const char *text)
{
  GString *plain = g_string_new (NULL);

  while (*text != '\0')
    {
      if (text[0] == '\\' && text[1] == 'x' && g_ascii_isxdigit (text[2]) &&
          g_ascii_isxdigit (text[3]))
        {
          g_string_append_c (plain,
                             g_ascii_xdigit_value (text[2]) << 4 | g_ascii_xdigit_value (text[3]));
          text += 4;
        }
      else
        g_string_append_c (plain, *text++);
    }
  return g_string_free_and_steal (plain);
}

static gboolean
is_unit (const char *part)
{
  for (gsize i = 0; i < G_N_ELEMENTS (unit_suffixes); i++)
    if (g_str_has_suffix (part, unit_suffixes[i]) && strlen (part) > strlen (unit_suffixes[i]))
      return TRUE;
  return FALSE;
}

/* What stands between @prefix and @suffix, or NULL. */
static char *
dup_between (const char *part, const char *prefix, const char *suffix)
{
  gsize length = strlen (part), around = strlen (prefix) + strlen (suffix);

  if (length <= around || !g_str_has_prefix (part, prefix) || !g_str_has_suffix (part, suffix))
    return NULL;
  return g_strndup (part + strlen (prefix), length - around);
}

static void
take_text (char **text, const char *raw)
{
  g_free (*text);
  *text = weir_format_sanitise (raw, -1);
}

static void
take_uid (WeirCgroup *self, const char *text)
{
  guint64 uid;

  if (text != NULL && g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &uid, NULL))
    self->session_uid = uid;
}

/* A user of a container has a number of its own there, which is nobody of this computer. */
static void
read_user (WeirCgroup *self, const char *part)
{
  g_autofree char *slice_uid = dup_between (part, "user-", ".slice");
  g_autofree char *manager_uid = dup_between (part, "user@", ".service");
  g_autofree char *session = dup_between (part, "session-", ".scope");

  take_uid (self, slice_uid);
  take_uid (self, manager_uid);
  if (session != NULL)
    take_text (&self->session, session);
}

void
weir_cgroup_init (WeirCgroup *self, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path != NULL ? path : "", "/", -1);

  *self = (WeirCgroup) { .session_uid = -1 };
  self->containers = g_ptr_array_new_with_free_func ((GDestroyNotify) weir_container_free);
  for (guint i = 0; parts[i] != NULL; i++)
    {
      WeirContainer *container = weir_container_new (parts, i);
      g_autofree char *pod = weir_container_get_pod (parts[i]);

      if (self->containers->len == 0)
        read_user (self, parts[i]);
      if (container != NULL)
        g_ptr_array_add (self->containers, container);
      if (pod != NULL)
        take_text (&self->pod, pod);
      if (is_unit (parts[i]))
        take_text (g_str_has_suffix (parts[i], ".slice") ? &self->slice : &self->unit, parts[i]);
    }
}

void
weir_cgroup_clear (WeirCgroup *self)
{
  g_clear_pointer (&self->unit, g_free);
  g_clear_pointer (&self->slice, g_free);
  g_clear_pointer (&self->session, g_free);
  g_clear_pointer (&self->pod, g_free);
  g_clear_pointer (&self->containers, g_ptr_array_unref);
}

char *
weir_cgroup_dup_chain (const WeirCgroup *self)
{
  g_autoptr (GString) chain = g_string_new (NULL);

  if (self->containers->len == 0)
    return NULL;
  for (guint i = 0; i < self->containers->len; i++)
    {
      const WeirContainer *container = self->containers->pdata[i];
      g_string_append_printf (chain, i > 0 ? "/%s %s" : "%s %s", container->manager,
                              container->name);
    }
  return g_string_free_and_steal (g_steal_pointer (&chain));
}

char **
weir_cgroup_get_units (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path != NULL ? path : "", "/", -1);
  g_autoptr (GStrvBuilder) units = g_strv_builder_new ();

  for (guint i = 0; parts[i] != NULL; i++)
    if (is_unit (parts[i]))
      g_strv_builder_take (units, weir_format_sanitise (parts[i], -1));
  return g_strv_builder_end (units);
}
