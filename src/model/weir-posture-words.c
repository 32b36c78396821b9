/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-posture-words.h"

#include <glib/gi18n-lib.h>

/* One for all processes that say the same. */
static const char *const keepings[] = {
  [WEIR_KEEPING_NOTHING] = NULL,
  [WEIR_KEEPING_UNDECIDED] = N_ ("The measuring program does not know yet which of its rights it "
                                 "needs."),
  [WEIR_KEEPING_NO_PROGRAMS] =
      N_ ("The measuring program keeps its rights: without kernel programs "
          "it needs them all the time."),
  [WEIR_KEEPING_FORWARDING] =
      N_ ("This computer passes on packets of others: CAP_NET_ADMIN is kept "
          "to read those connections."),
  [WEIR_KEEPING_TRANSLATION] = N_ ("Addresses of connections are translated: CAP_NET_ADMIN is kept "
                                   "to read those connections."),
  [WEIR_KEEPING_ACCOUNTING] =
      N_ ("Weir has the kernel count bytes: CAP_NET_ADMIN is kept to switch "
          "that off again."),
  [WEIR_KEEPING_CONFIG] = N_ ("The measuring program keeps its rights: the administrator wished it "
                              "in engine.conf."),
  [WEIR_KEEPING_HIDDEN] = N_ ("Other users’ processes are hidden here (hidepid): the right to see "
                              "them is kept."),
  [WEIR_KEEPING_UNKNOWN] =
      N_ ("Whether a right is still needed could not be found out: it counts as kept."),
  [WEIR_KEEPING_PART] = N_ (
      "The measuring program keeps its rights: kernel programs reach only a part of the control "
      "groups here."),
  [WEIR_KEEPING_NO_ROOM] =
      N_ ("There are more connections than kernel programs have room for: CAP_NET_ADMIN is kept to "
          "read them otherwise."),
  [WEIR_KEEPING_NO_NUMBERS] = N_ (
      "This kernel’s programs cannot tell processes of a container apart: the right to look for "
      "them is kept."),
};

gboolean
weir_posture_words_is_undecided (const struct weir_process_status *processes, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      if (processes[i].keeps == WEIR_KEEPING_UNDECIDED)
        return TRUE;
    }
  return FALSE;
}

static gboolean
has_any (const struct weir_process_status *process)
{
  return (process->cap_effective | process->cap_permitted | process->cap_inheritable |
          process->cap_ambient) != 0;
}

char *
weir_posture_words_make (const struct weir_process_status *processes, guint n)
{
  g_autoptr (GString) words = g_string_new (NULL);
  gboolean said[G_N_ELEMENTS (keepings)] = { FALSE }, any = FALSE;

  for (guint i = 0; i < n; i++)
    {
      const guint8 keeps = processes[i].keeps;

      any = any || has_any (&processes[i]);
      if (keeps >= G_N_ELEMENTS (keepings) || keepings[keeps] == NULL || said[keeps])
        continue;
      said[keeps] = TRUE;
      g_string_append_printf (words, "%s%s", words->len > 0 ? "\n" : "",
                              g_dgettext (GETTEXT_PACKAGE, keepings[keeps]));
    }
  if (n > 0 && !any)
    g_string_assign (words, _ ("No process of the measuring program has any capability."));
  return words->len > 0 ? g_string_free (g_steal_pointer (&words), FALSE) : NULL;
}
