/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-process-details.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "weir-format.h"

#define ELLIPSIS "…"

static char *
make_text (const char *text, gsize size, gboolean cut)
{
  g_autofree char *safe = weir_format_sanitise (text, size);

  return cut ? g_strconcat (safe, ELLIPSIS, NULL) : g_steal_pointer (&safe);
}

static gboolean
is_plain (const char *argument)
{
  return *argument != '\0' && strpbrk (argument, " \t\n\"'\\$`*?[]{}()<>|&;#~!") == NULL;
}

static char *
make_command (const struct weir_details *details)
{
  const char *end = details->command + details->command_size;
  g_autoptr (GString) command = g_string_new (NULL);

  /* One argument follows each NUL, so the last may be empty. */
  for (const char *at = details->command; at <= end; at += strlen (at) + 1)
    {
      if (at > details->command)
        g_string_append_c (command, ' ');
      if (is_plain (at))
        g_string_append (command, at);
      else
        {
          g_autofree char *quoted = g_shell_quote (at);

          g_string_append (command, quoted);
        }
    }
  return make_text (command->str, command->len + 1, (details->has & WEIR_DETAILS_COMMAND_CUT) != 0);
}

WeirProcessDetails *
weir_process_details_new (const struct weir_details *details)
{
  WeirProcessDetails *self = g_atomic_rc_box_new0 (WeirProcessDetails);

  self->outcome = details->outcome;
  if ((details->has & WEIR_DETAILS_EXE) != 0)
    self->exe =
        make_text (details->exe, sizeof details->exe, (details->has & WEIR_DETAILS_EXE_CUT) != 0);
  if ((details->has & WEIR_DETAILS_CWD) != 0)
    self->cwd =
        make_text (details->cwd, sizeof details->cwd, (details->has & WEIR_DETAILS_CWD_CUT) != 0);
  if ((details->has & WEIR_DETAILS_COMMAND) != 0)
    self->command = make_command (details);
  self->command_late = (details->has & WEIR_DETAILS_COMMAND_LATE) != 0;
  self->given_up = (details->has & WEIR_DETAILS_GIVEN_UP) != 0;
  return self;
}

static void
clear (gpointer data)
{
  WeirProcessDetails *self = data;

  g_free (self->exe);
  g_free (self->cwd);
  g_free (self->command);
}

WeirProcessDetails *
weir_process_details_ref (WeirProcessDetails *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
weir_process_details_unref (WeirProcessDetails *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

const char *
weir_process_details_get_reason (const WeirProcessDetails *self)
{
  switch (self->outcome)
    {
    case WEIR_DETAILS_SHOWN:
      if (self->command_late)
        return _ ("The process did not let its command line be read");
      return self->given_up ? _ ("Weir gave up the right to see its path and folder") : NULL;
    case WEIR_DETAILS_REFUSED:
      return _ ("Not disclosed by this computer's policy");
    case WEIR_DETAILS_GONE:
      return _ ("The process has ended");
    case WEIR_DETAILS_UNREADABLE:
      return _ ("The system does not let it be read");
    default:
      return _ ("The part of Weir that reads it has ended; start Weir again to have it back");
    }
}
