/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-about.h"

#include <glib/gi18n.h>
#include <sys/utsname.h>

#include "weir-format.h"
#include "weir-posture-words.h"
#include "weir-source-words.h"
#include "weir-words.h"

static void
append_state (GString *info, WeirSession *session)
{
  g_autoptr (GEnumClass) states = g_type_class_ref (WEIR_TYPE_SESSION_STATE);
  const GEnumValue *state = g_enum_get_value (states, weir_session_get_state (session));
  const GError *failure = weir_session_get_failure (session);
  const char *reason = weir_session_get_unlock_reason (session);

  g_string_append_printf (info, "\nState: %s\nView: %s\n", state != NULL ? state->value_nick : "?",
                          weir_session_get_view (session) == WEIR_VIEW_FULL ? "full" : "limited");
  if (failure != NULL)
    g_string_append_printf (info, "Failure: %s %d\n", g_quark_to_string (failure->domain),
                            failure->code);
  if (reason != NULL)
    g_string_append_printf (info, "Full view: %s\n", reason);
}

static void
append_sources (GString *info, WeirSession *session)
{
  guint n_sources;
  const struct weir_source_status *sources = weir_session_get_sources (session, &n_sources);

  g_string_append (info, "\nSources:\n");
  for (guint i = 0; i < n_sources; i++)
    {
      g_autofree char *said = weir_format_sanitise (sources[i].said, sizeof sources[i].said);

      g_string_append_printf (info, "- %s: %s", weir_source_words_get_name (sources[i].source),
                              weir_source_words_get_state (sources[i].state));
      if (sources[i].reason != WEIR_REASON_NONE)
        g_string_append_printf (info, " (%s, %s)", weir_source_words_get_reason (sources[i].reason),
                                sources[i].error != 0 ? g_strerror (ABS (sources[i].error)) : "0");
      g_string_append_printf (info, ", lost %" G_GUINT64_FORMAT "%s%s\n",
                              (guint64) sources[i].losses, *said != '\0' ? ": " : "", said);
    }
}

static void
append_confinement (GString *info, WeirSession *session)
{
  guint n_processes;
  const struct weir_process_status *processes =
      weir_session_get_confinement (session, &n_processes);

  g_string_append (info, "\nProcesses of the engine:\n");
  for (guint i = 0; i < n_processes; i++)
    g_string_append_printf (
        info,
        "- %s: capabilities %" G_GINT64_MODIFIER "x, no new privileges %u, layers %x, missing %x\n",
        weir_words_role (processes[i].role), (guint64) processes[i].cap_permitted,
        processes[i].no_new_privs, processes[i].layers_active, processes[i].layers_missing);
  g_autofree char *words = weir_posture_words_make (processes, n_processes);
  if (words != NULL)
    g_string_append_printf (info, "%s\n", words);
}

char *
weir_about_make_debug_info (WeirSession *session)
{
  GString *info = g_string_new (NULL);
  struct utsname name;

  g_string_append_printf (info, "Weir %s\nGTK %u.%u.%u\nlibadwaita %u.%u.%u\nGLib %u.%u.%u\n",
                          WEIR_VERSION, gtk_get_major_version (), gtk_get_minor_version (),
                          gtk_get_micro_version (), adw_get_major_version (),
                          adw_get_minor_version (), adw_get_micro_version (), glib_major_version,
                          glib_minor_version, glib_micro_version);
  if (uname (&name) == 0)
    g_string_append_printf (info, "Kernel %s %s\n", name.release, name.machine);
  append_state (info, session);
  append_sources (info, session);
  append_confinement (info, session);
  return g_string_free (info, FALSE);
}

AdwDialog *
weir_about_new (WeirSession *session)
{
  AdwAboutDialog *about = ADW_ABOUT_DIALOG (adw_about_dialog_new ());
  g_autofree char *info = weir_about_make_debug_info (session);

  adw_about_dialog_set_application_name (about, _ ("Weir"));
  adw_about_dialog_set_application_icon (about, WEIR_APP_ID);
  adw_about_dialog_set_version (about, WEIR_VERSION);
  adw_about_dialog_set_developer_name (about, _ ("The Weir Developers"));
  adw_about_dialog_set_comments (about, _ ("See every connection of this computer: who is talking "
                                           "to whom, how much, and on whose behalf."));
  adw_about_dialog_set_license_type (about, GTK_LICENSE_GPL_3_0);
  adw_about_dialog_set_copyright (about, _ ("© The Weir Developers"));
  adw_about_dialog_set_website (about, "https://github.com/weir/weir");
  adw_about_dialog_set_issue_url (about, "https://github.com/weir/weir/issues");
  /* Translators: put your names here, one a line. */
  adw_about_dialog_set_translator_credits (about, _ ("translator-credits"));
  adw_about_dialog_set_debug_info (about, info);
  adw_about_dialog_set_debug_info_filename (about, "weir-debug-info.txt");
  return ADW_DIALOG (about);
}
