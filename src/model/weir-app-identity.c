/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-app-identity.h"

#include <string.h>

#include "weir-format.h"

/* Digits of a container's number that its tools print, too. */
#define SHORT_ID 12
#define FULL_ID  64

/* How the rest of a unit's name, between prefix and suffix, is read. */
typedef enum
{
  SHAPE_HEX,     /* number of a container */
  SHAPE_NAME,    /* as it is */
  SHAPE_XDG,     /* [LAUNCHER-]ID-RANDOM, or [LAUNCHER-]ID[@RANDOM] of a service */
  SHAPE_SNAP,    /* NAME.APP[-UUID] or NAME.APP[.UUID] */
  SHAPE_BUS,     /* UNIQUE-NAME-ID@N: started by the message bus */
  SHAPE_SERVICE, /* NAME[@INSTANCE] */
} Shape;

typedef struct
{
  WeirAppKind kind;
  const char *prefix;
  const char *suffix;
  Shape shape;
  const char *manager; /* who runs the container, for people */
} Pattern;

/* The first pattern that fits any part of the path wins, so what contains comes before what is
 * contained: a service inside a container is named by the container.  Names of scopes are those of
 * the XDG desktop-environment conventions of systemd, of Flatpak, snapd, Docker, Podman, CRI and
 * LXC. */
static const Pattern patterns[] = {
  { WEIR_APP_CONTAINER, "docker-", ".scope", SHAPE_HEX, "Docker" },
  { WEIR_APP_CONTAINER, "libpod-", ".scope", SHAPE_HEX, "Podman" },
  { WEIR_APP_CONTAINER, "crio-", ".scope", SHAPE_HEX, "CRI-O" },
  { WEIR_APP_CONTAINER, "cri-containerd-", ".scope", SHAPE_HEX, "containerd" },
  { WEIR_APP_CONTAINER, "nerdctl-", ".scope", SHAPE_HEX, "nerdctl" },
  { WEIR_APP_CONTAINER, "", "", SHAPE_HEX, "Container" },
  { WEIR_APP_CONTAINER, "lxc.payload.", "", SHAPE_NAME, "LXC" },
  { WEIR_APP_CONTAINER, "systemd-nspawn@", ".service", SHAPE_NAME, "nspawn" },
  { WEIR_APP_CONTAINER, "machine-", ".scope", SHAPE_NAME, "Machine" },
  { WEIR_APP_FLATPAK, "app-flatpak-", ".scope", SHAPE_XDG, NULL },
  { WEIR_APP_SNAP, "snap.", ".scope", SHAPE_SNAP, NULL },
  { WEIR_APP_SNAP, "snap.", ".service", SHAPE_SNAP, NULL },
  { WEIR_APP_DESKTOP, "app-", ".scope", SHAPE_XDG, NULL },
  { WEIR_APP_DESKTOP, "app-", ".service", SHAPE_XDG, NULL },
  { WEIR_APP_DESKTOP, "dbus-:", ".service", SHAPE_BUS, NULL },
  { WEIR_APP_SERVICE, "", ".service", SHAPE_SERVICE, NULL },
};

/* systemd writes a byte that has a meaning in unit names as \xHH. */
static char *
unescape (const char *text)
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

static void
cut_at_last (char *text, char separator)
{
  char *at = strrchr (text, separator);

  if (at != NULL && at != text)
    *at = '\0';
}

static char *
read_hex (const char *middle)
{
  if (strlen (middle) != FULL_ID || strspn (middle, "0123456789abcdef") != FULL_ID)
    return NULL;
  return g_strndup (middle, SHORT_ID);
}

/* Dashes inside an id are escaped, so those that are left separate the parts. */
static char *
read_xdg (char *middle, gboolean is_service)
{
  if (is_service)
    {
      char *instance = strchr (middle, '@');
      if (instance != NULL)
        *instance = '\0';
    }
  else
    {
      if (strchr (middle, '-') == NULL)
        return NULL;
      cut_at_last (middle, '-');
    }
  const char *launcher = strrchr (middle, '-');
  return unescape (launcher != NULL ? launcher + 1 : middle);
}

/* UUIDs are not escaped: five groups at the end, after a dash or, in older versions, a dot. */
static char *
read_snap (char *middle)
{
  gsize length = strlen (middle);

  if (length > 37 && strspn (middle + length - 36, "0123456789abcdef-") == 36)
    middle[length - 37] = '\0';
  return unescape (middle);
}

static char *
read_bus (char *middle)
{
  char *id = strchr (middle, '-');

  if (id == NULL)
    return NULL;
  cut_at_last (id, '@');
  return unescape (id + 1);
}

/* The manager of a user's session holds everything that this user runs: it names nothing. */
static char *
read_service (char *middle)
{
  if (g_str_has_prefix (middle, "user@"))
    return NULL;
  return unescape (middle);
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
    case SHAPE_HEX:
      return read_hex (middle);
    case SHAPE_NAME:
      return unescape (middle);
    case SHAPE_XDG:
      return read_xdg (middle, g_str_equal (pattern->suffix, ".service"));
    case SHAPE_SNAP:
      return read_snap (middle);
    case SHAPE_BUS:
      return read_bus (middle);
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
  if (pattern->kind == WEIR_APP_CONTAINER)
    {
      identity->name = g_strdup_printf ("%s %s", pattern->manager, name);
      identity->id = g_ascii_strdown (pattern->manager, -1);
      return;
    }
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

void
weir_app_identity_init (WeirAppIdentity *identity, const char *cgroup, const char *comm)
{
  *identity = (WeirAppIdentity) { .kind = WEIR_APP_UNKNOWN };

  g_auto (GStrv) parts = g_strsplit (cgroup != NULL ? cgroup : "", "/", -1);
  guint n_parts = g_strv_length (parts);
  for (gsize i = 0; i < G_N_ELEMENTS (patterns); i++)
    /* The innermost part is the nearest to the process. */
    for (guint part = n_parts; part > 0; part--)
      {
        g_autofree char *name = match_part (&patterns[i], parts[part - 1]);
        if (name == NULL || *name == '\0')
          continue;
        take_name (identity, &patterns[i], name);
        return;
      }

  if (comm == NULL || *comm == '\0')
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
