/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-notice-words.h"

#include <glib/gi18n-lib.h>

#include "weir-format.h"

#define WHOLE_FILE N_ ("No setting of it is used.")

static char *
word_file (const struct weir_notice *notice, const char *path)
{
  const char *rest = _ (WHOLE_FILE);

  switch (notice->code)
    {
    case WEIR_NOTICE_CONFIG_UNSAFE:
      return g_strdup_printf (_ ("engine.conf: “%s” does not belong to root, or others can write "
                                 "to it. %s"),
                              path, rest);
    case WEIR_NOTICE_CONFIG_NOT_A_FILE:
      return g_strdup_printf (_ ("engine.conf: “%s” is a link or something else that is no file. "
                                 "%s"),
                              path, rest);
    case WEIR_NOTICE_CONFIG_TOO_LARGE:
      return g_strdup_printf (_ ("engine.conf has more than %u bytes. %s"), notice->number, rest);
    default:
      return g_strdup_printf (_ ("engine.conf cannot be read (%s). %s"),
                              g_strerror ((int) notice->number), rest);
    }
}

static char *
word_line (const struct weir_notice *notice, const char *text)
{
  const guint line = notice->number;

  switch (notice->code)
    {
    case WEIR_NOTICE_CONFIG_SYNTAX:
      return g_strdup_printf (_ ("engine.conf, line %u: “%s” is neither a section nor a setting in "
                                 "one."),
                              line, text);
    case WEIR_NOTICE_CONFIG_UNKNOWN_SECTION:
      return g_strdup_printf (_ ("engine.conf, line %u: there is no section “%s”."), line, text);
    case WEIR_NOTICE_CONFIG_UNKNOWN_KEY:
      return g_strdup_printf (_ ("engine.conf, line %u: there is no setting “%s” in this section."),
                              line, text);
    case WEIR_NOTICE_CONFIG_BAD_VALUE:
      return g_strdup_printf (_ ("engine.conf, line %u: “%s” is no value that can be used; the "
                                 "default holds."),
                              line, text);
    case WEIR_NOTICE_CONFIG_REPEATED:
      return g_strdup_printf (_ ("engine.conf, line %u: “%s” was given before; the first one "
                                 "holds."),
                              line, text);
    case WEIR_NOTICE_CONFIG_UNKNOWN_NAME:
      return g_strdup_printf (_ ("engine.conf, line %u: “%s” is neither known to this computer nor "
                                 "a number."),
                              line, text);
    default:
      return g_strdup_printf (_ ("engine.conf, line %u: the list “%s” is too long; its end is left "
                                 "out."),
                              line, text);
    }
}

static const char *
word_accounting (const struct weir_notice *notice)
{
  switch (notice->code)
    {
    case WEIR_NOTICE_ACCOUNTING_RESTORED:
      return _ ("Weir was ended by force while it had the kernel count bytes. The kernel's setting "
                "is back to what it was.");
    case WEIR_NOTICE_ACCOUNTING_NOT_RESTORED:
      return _ ("Whether an earlier Weir had the kernel count bytes cannot be found out, or the "
                "kernel's setting not be set back. Look at net.netfilter.nf_conntrack_acct.");
    default:
      return _ ("A record of the kernel's setting for counting bytes was damaged, or not of this "
                "network: it was removed, and the setting left as it is.");
    }
}

char *
weir_notice_words_get (const struct weir_notice *notice)
{
  g_autofree char *text = weir_format_sanitise (notice->text, sizeof notice->text);

  if (notice->code < WEIR_NOTICE_CONFIG_SYNTAX)
    return word_file (notice, text);
  if (notice->code < WEIR_NOTICE_CONFIG_MORE)
    return word_line (notice, text);
  if (notice->code > WEIR_NOTICE_CONFIG_MORE)
    return g_strdup (word_accounting (notice));
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "engine.conf has %u mistake more.",
                                       "engine.conf has %u mistakes more.", notice->number),
                          notice->number);
}

char *
weir_notice_words_get_all (const struct weir_notice *notices, guint n_notices)
{
  GString *lines = g_string_new (NULL);

  for (guint i = 0; i < n_notices; i++)
    {
      g_autofree char *line = weir_notice_words_get (&notices[i]);

      if (i > 0)
        g_string_append_c (lines, '\n');
      g_string_append (lines, line);
    }
  return g_string_free (lines, FALSE);
}
