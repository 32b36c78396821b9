/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-app-identity.h"

#include <string.h>

#include "weir-cgroup-text.h"
#include "weir-container.h"
#include "weir-format.h"

/* How the rest of a unit's name, between prefix and suffix, is read. */
typedef enum
{
  SHAPE_XDG,     /* [LAUNCHER-]ID-RANDOM, or [LAUNCHER-]ID[@RANDOM] of a service */
  SHAPE_SNAP,    /* NAME.APP[-UUID] or NAME.APP[.UUID] */
  SHAPE_BUS,     /* UNIQUE-NAME-ID@N: started by the message bus */
  SHAPE_SLICE,   /* [LAUNCHER-]ID: slice of an application */
  SHAPE_SERVICE, /* NAME[@INSTANCE] */
} Shape;

typedef struct
{
  WeirAppKind kind;
  const char *prefix;
  const char *suffix;
  Shape shape;
} Pattern;

/* The first pattern that fits any part of the path wins, so what contains comes before what is
 * contained.  Names of scopes are those of the XDG desktop-environment conventions of systemd, of
 * Flatpak and of snapd. */
static const Pattern patterns[] = {
  { WEIR_APP_FLATPAK, "app-flatpak-", ".scope", SHAPE_XDG },
  { WEIR_APP_SNAP, "snap.", ".scope", SHAPE_SNAP },
  { WEIR_APP_SNAP, "snap.", ".service", SHAPE_SNAP },
  { WEIR_APP_DESKTOP, "app-", ".scope", SHAPE_XDG },
  { WEIR_APP_DESKTOP, "app-", ".service", SHAPE_XDG },
  { WEIR_APP_DESKTOP, "dbus-:", ".service", SHAPE_BUS },
  { WEIR_APP_DESKTOP, "app-", ".slice", SHAPE_SLICE },
  { WEIR_APP_SERVICE, "", ".service", SHAPE_SERVICE },
};

static void
cut_at_last (char *text, char separator)
{
  char *at = strrchr (text, separator);

  if (at != NULL && at != text)
    *at = '\0';
}

static gboolean
is_number (const char *text)
{
  return *text != '\0' && text[strspn (text, "0123456789")] == '\0';
}

/* Dashes inside an id are escaped, so those that are left separate the parts. */
static char *
read_xdg (char *middle, gboolean is_service)
{
  char *last = strrchr (middle, '-');
  char *instance = is_service ? strchr (middle, '@') : NULL;

  if (!is_service && last == NULL)
    return NULL;
  if (instance != NULL)
    *instance = '\0';
  /* Some launchers give services the random part of a scope; no id is a number alone. */
  else if (!is_service || (last != NULL && is_number (last + 1)))
    cut_at_last (middle, '-');
  const char *launcher = strrchr (middle, '-');
  return weir_cgroup_unescape (launcher != NULL ? launcher + 1 : middle);
}

/* systemd makes a slice for the instances of each template as well; those of applications have the
 * name of one. */
static char *
read_slice (char *middle)
{
  const char *launcher = strrchr (middle, '-');
  const char *id = launcher != NULL ? launcher + 1 : middle;

  if (strchr (id, '.') == NULL || g_str_has_prefix (id, "dbus\\x2d:"))
    return NULL;
  return weir_cgroup_unescape (id);
}

/* UUIDs are not escaped: five groups at the end, after a dash or, in older versions, a dot. */
static char *
read_snap (char *middle)
{
  gsize length = strlen (middle);

  if (length > 37 && strspn (middle + length - 36, "0123456789abcdef-") == 36)
    middle[length - 37] = '\0';
  return weir_cgroup_unescape (middle);
}

static char *
read_bus (char *middle)
{
  char *id = strchr (middle, '-');

  if (id == NULL)
    return NULL;
  cut_at_last (id, '@');
  return weir_cgroup_unescape (id + 1);
}

/* Units that systemd-run(1) names by itself: run-uNUMBER, run-rHEX, run-pPID-iNUMBER. */
static gboolean
is_transient (const char *middle)
{
  return (g_str_has_prefix (middle, "run-u") || g_str_has_prefix (middle, "run-r") ||
          g_str_has_prefix (middle, "run-p")) &&
         g_ascii_isxdigit (middle[5]) &&
         middle[5 + strspn (middle + 5, "0123456789abcdef-i")] == '\0';
}

/* The manager of a user's session holds everything that this user runs, and transient units have
 * numbers: both name nothing. */
static char *
read_service (char *middle)
{
  if (g_str_has_prefix (middle, "user@") || is_transient (middle))
    return NULL;
  return weir_cgroup_unescape (middle);
}

/* The part's name, not yet safe for display, or NULL when the pattern does not fit. */
static char *
match_part (const Pattern *pattern, const char *part)
{
  gsize length = strlen (part), around = strlen (pattern->prefix) + strlen (pattern->suffix);

  if (length <= around || !g_str_has_prefix (part, pattern->prefix) ||
      !g_str_has_suffix (part, pattern->suffix))
    return NULL;

  g_autofree char *middle = g_strndup (part + strlen (pattern->prefix), length - around);
  switch (pattern->shape)
    {
    case SHAPE_XDG:
      return read_xdg (middle, g_str_equal (pattern->suffix, ".service"));
    case SHAPE_SNAP:
      return read_snap (middle);
    case SHAPE_BUS:
      return read_bus (middle);
    case SHAPE_SLICE:
      return read_slice (middle);
    case SHAPE_SERVICE:
      return read_service (middle);
    default:
      g_assert_not_reached ();
    }
}

static void
take_name (WeirAppIdentity *identity, const Pattern *pattern, const char *raw)
{
  g_autofree char *name = weir_format_sanitise (raw, -1);

  identity->kind = pattern->kind;
  identity->name = g_strdup (name);
  if (pattern->shape == SHAPE_SNAP)
    {
      /* "firefox.firefox": the desktop entry is firefox_firefox. */
      identity->name[strcspn (identity->name, ".")] = '\0';
      identity->id = g_strdelimit (g_steal_pointer (&name), ".", '_');
      return;
    }
  /* An instance of a template ("openvpn@office") has the template's icon. */
  identity->id = g_steal_pointer (&name);
  if (pattern->shape == SHAPE_SERVICE)
    cut_at_last (identity->id, '@');
}

/* The innermost container is the nearest to the process; a service in there is named by it. */
static gboolean
take_container (WeirAppIdentity *identity, char *const *parts, guint n_parts)
{
  for (guint part = n_parts; part > 0; part--)
    {
      WeirContainer *container = weir_container_new (parts, part - 1);
      if (container == NULL)
        continue;
      identity->kind = WEIR_APP_CONTAINER;
      identity->name = g_strdup_printf ("%s %s", container->manager, container->name);
      identity->id = g_ascii_strdown (container->manager, -1);
      weir_container_free (container);
      return TRUE;
    }
  return FALSE;
}

static gboolean
take_app (WeirAppIdentity *identity, char *const *parts, guint n_parts)
{
  /* What is run in a terminal is a program of its own, not part of the terminal. */
  for (guint part = 0; part < n_parts; part++)
    if (g_str_has_prefix (parts[part], "vte-spawn-"))
      return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (patterns); i++)
    for (guint part = n_parts; part > 0; part--)
      {
        g_autofree char *name = match_part (&patterns[i], parts[part - 1]);
        if (name == NULL || *name == '\0')
          continue;
        take_name (identity, &patterns[i], name);
        return TRUE;
      }
  return FALSE;
}

void
weir_app_identity_init (WeirAppIdentity *identity, const char *cgroup, const char *comm)
{
  g_auto (GStrv) parts = g_strsplit (cgroup != NULL ? cgroup : "", "/", -1);
  guint n_parts = g_strv_length (parts);

  *identity = (WeirAppIdentity) { .kind = WEIR_APP_UNKNOWN };
  if (take_container (identity, parts, n_parts) || take_app (identity, parts, n_parts) ||
      comm == NULL || *comm == '\0')
    return;
  identity->kind = WEIR_APP_PROGRAM;
  identity->name = weir_format_sanitise (comm, -1);
  identity->id = g_strdup (identity->name);
}

void
weir_app_identity_clear (WeirAppIdentity *identity)
{
  g_clear_pointer (&identity->name, g_free);
  g_clear_pointer (&identity->id, g_free);
  identity->kind = WEIR_APP_UNKNOWN;
}
