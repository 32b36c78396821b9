/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-gui"

#include "config.h"

#include "weir-application-private.h"

#include <glib/gi18n.h>

#include "weir-about.h"
#include "weir-actions.h"
#include "weir-gui-resources.h"
#include "weir-launcher.h"
#include "weir-session.h"
#include "weir-shortcuts.h"
#include "weir-window.h"

struct _WeirApplication
{
  AdwApplication parent_instance;

  GSettings *settings;
  WeirSession *session;
};

G_DEFINE_FINAL_TYPE (WeirApplication, weir_application, ADW_TYPE_APPLICATION)

static void
set_interval (WeirApplication *self)
{
  weir_session_set_interval (self->session, g_settings_get_uint (self->settings, "interval"));
}

static void
weir_application_startup (GApplication *application)
{
  WeirApplication *self = WEIR_APPLICATION (application);
  g_autoptr (WeirLauncher) limited = NULL;
  g_autoptr (WeirLauncher) full = NULL;
  g_autoptr (WeirLauncher) counting = NULL;

  G_APPLICATION_CLASS (weir_application_parent_class)->startup (application);
  weir_actions_add (G_ACTION_MAP (self), "app", G_OBJECT (self));
  weir_actions_set_accels (GTK_APPLICATION (self));
  gtk_window_set_default_icon_name (WEIR_APP_ID);

  self->settings = g_settings_new (WEIR_APP_ID);
  limited = weir_launcher_direct_new ();
  full = weir_launcher_pkexec_new ();
  counting = weir_launcher_pkexec_new_for_accounting ();
  self->session = weir_session_new (limited, full, NULL);
  weir_session_set_counting_launcher (self->session, counting);
  set_interval (self);
  g_signal_connect_object (self->settings, "changed::interval", G_CALLBACK (set_interval), self,
                           G_CONNECT_SWAPPED);
  /* Before the first frame is drawn: the engine starts while the window is made. */
  weir_session_start (self->session);
}

static void
weir_application_activate (GApplication *application)
{
  WeirApplication *self = WEIR_APPLICATION (application);
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (application));

  if (window == NULL)
    window =
        GTK_WINDOW (weir_window_new (GTK_APPLICATION (application), self->session, self->settings));
  gtk_window_present (window);
}

static void
weir_application_shutdown (GApplication *application)
{
  WeirApplication *self = WEIR_APPLICATION (application);

  if (self->session != NULL)
    weir_session_stop (self->session);
  G_APPLICATION_CLASS (weir_application_parent_class)->shutdown (application);
  g_clear_object (&self->session);
  g_clear_object (&self->settings);
}

static void
weir_application_class_init (WeirApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  application_class->startup = weir_application_startup;
  application_class->activate = weir_application_activate;
  application_class->shutdown = weir_application_shutdown;
}

static void
weir_application_init (WeirApplication *self)
{
}

WeirApplication *
weir_application_new (void)
{
  weir_gui_init ();
  return g_object_new (WEIR_TYPE_APPLICATION, "application-id", WEIR_APP_ID, "resource-base-path",
                       "/io/github/weir/Weir", "version", WEIR_VERSION, NULL);
}

void
weir_gui_init (void)
{
  /* By hand: the linker drops an object file of a static library that nobody names. */
  weir_gui_register_resource ();
}

void
weir_application_show_shortcuts (gpointer owner, GVariant *parameter)
{
  adw_dialog_present (weir_shortcuts_new (),
                      GTK_WIDGET (gtk_application_get_active_window (owner)));
}

void
weir_application_show_about (gpointer owner, GVariant *parameter)
{
  WeirApplication *self = owner;

  adw_dialog_present (weir_about_new (self->session),
                      GTK_WIDGET (gtk_application_get_active_window (owner)));
}

void
weir_application_quit (gpointer owner, GVariant *parameter)
{
  g_application_quit (owner);
}
