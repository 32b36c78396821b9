/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-launcher-private.h"

#include <string.h>

G_DEFINE_INTERFACE (WeirLauncher, weir_launcher, G_TYPE_OBJECT)

/* Longer than every name of a locale. */
#define LOCALE_MAX 64

static void
weir_launcher_default_init (WeirLauncherInterface *iface)
{
}

void
weir_launcher_check_async (WeirLauncher *self, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (WEIR_IS_LAUNCHER (self));
  WEIR_LAUNCHER_GET_IFACE (self)->check_async (self, cancellable, callback, user_data);
}

gboolean
weir_launcher_check_finish (WeirLauncher *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (WEIR_IS_LAUNCHER (self), FALSE);
  return WEIR_LAUNCHER_GET_IFACE (self)->check_finish (self, result, error);
}

WeirChild *
weir_launcher_launch (WeirLauncher *self, const char *directory, GError **error)
{
  g_return_val_if_fail (WEIR_IS_LAUNCHER (self), NULL);
  g_return_val_if_fail (directory != NULL && directory[0] == '/', NULL);
  return WEIR_LAUNCHER_GET_IFACE (self)->launch (self, directory, error);
}

GError *
weir_launcher_explain (WeirLauncher *self, WeirChild *child, int wait_status)
{
  g_return_val_if_fail (WEIR_IS_LAUNCHER (self), NULL);
  return WEIR_LAUNCHER_GET_IFACE (self)->explain (self, child, wait_status);
}

/* Names such as de_DE.UTF-8, C, sr_RS@latin, and lists of them; nothing that could be a path. */
static gboolean
is_locale (const char *value)
{
  gsize length =
      strspn (value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@:-");

  return length > 0 && length <= LOCALE_MAX && value[length] == '\0' &&
         strstr (value, "..") == NULL;
}

char **
weir_launcher_build_environment (const char *const *environment)
{
  static const char *const names[] = {
    "LANG",     "LANGUAGE",          "LC_ALL",         "LC_ADDRESS",   "LC_COLLATE",
    "LC_CTYPE", "LC_IDENTIFICATION", "LC_MEASUREMENT", "LC_MESSAGES",  "LC_MONETARY",
    "LC_NAME",  "LC_NUMERIC",        "LC_PAPER",       "LC_TELEPHONE", "LC_TIME",
  };
  GStrvBuilder *builder = g_strv_builder_new ();
  char **built;

  g_strv_builder_add (builder, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *value = g_environ_getenv ((char **) environment, names[i]);

      if (value != NULL && is_locale (value))
        g_strv_builder_take (builder, g_strconcat (names[i], "=", value, NULL));
    }
  built = g_strv_builder_end (builder);
  g_strv_builder_unref (builder);
  return built;
}
