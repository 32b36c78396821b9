/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-cli-options.h"

#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>

#include "weir-cli-run.h"
#include "weir-cli-text.h"
#include "weir-filter-keys.h"
#include "weir-format.h"
#include "weir-limits.h"

/* A month: longer is a mistake. */
#define DURATION_MAX (31 * 24 * 3600.0)

static const WeirCliCommand *const commands[] = {
  &weir_cli_top,     &weir_cli_stream,     &weir_cli_record, &weir_cli_apps,    &weir_cli_listeners,
  &weir_cli_sources, &weir_cli_namespaces, &weir_cli_ledger, &weir_cli_selftest
};

static const struct
{
  const char *suffix;
  WeirExportFormat format;
} formats[] = {
  { ".csv", WEIR_EXPORT_CSV },
  { ".json", WEIR_EXPORT_JSON },
  { ".ndjson", WEIR_EXPORT_NDJSON },
  { ".jsonl", WEIR_EXPORT_NDJSON },
};

/* As they were given, before they are understood. */
typedef struct
{
  char *filter;
  char *interval;
  char *duration;
  char *output;
  gboolean full;
  gboolean accounting;
  gboolean help_filter;
  gboolean version;
  char **rest;
} Raw;

static void
raw_clear (Raw *raw)
{
  g_free (raw->filter);
  g_free (raw->interval);
  g_free (raw->duration);
  g_free (raw->output);
  g_strfreev (raw->rest);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Raw, raw_clear)

static void
print (const char *text)
{
  g_autoptr (GString) encoded = weir_cli_text_to_locale (text);

  fwrite (encoded->str, 1, encoded->len, stdout);
}

/* ---- help ---- */

static void
print_filter_help (void)
{
  const WeirCliColumn columns[] = { { _ ("Key"), FALSE },
                                    { _ ("Meaning"), FALSE },
                                    { _ ("Example"), FALSE } };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);

  for (guint i = 0; i < weir_filter_n_keys; i++)
    {
      const WeirFilterKey *key = &weir_filter_keys[i];
      const char *cells[] = { key->name, _ (key->description), key->example, NULL };
      g_ptr_array_add (rows, g_strdupv ((char **) cells));
    }
  g_autofree char *table = weir_cli_text_make_table (columns, G_N_ELEMENTS (columns), rows);
  print (
      _ ("Plain words are found anywhere; terms are a key, one of : = != > < >= <=, and a value.\n"
         "and, or, not and parentheses join them; * and ? are wild in values; /…/ is a regular\n"
         "expression; \"…\" is text as it stands.\n\n"));
  print (table);
}

static char *
make_summary (void)
{
  GString *summary = g_string_new (_ ("Who is talking to whom, how much, and on whose behalf."));

  g_string_append_printf (summary, "\n\n%s", _ ("Commands:"));
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    g_string_append_printf (summary, "\n  %-11s %s", commands[i]->name, _ (commands[i]->summary));
  return g_string_free_and_steal (summary);
}

static gboolean
parse_words (Raw *raw, char **arguments, GError **error)
{
  const GOptionEntry entries[] = {
    { "filter", 'f', 0, G_OPTION_ARG_STRING, &raw->filter,
      N_ ("Only connections that match (see --help-filter)"), N_ ("FILTER") },
    { "interval", 'i', 0, G_OPTION_ARG_STRING, &raw->interval,
      N_ ("Time between two readings, such as 500ms; default 1s"), N_ ("TIME") },
    { "full", 0, 0, G_OPTION_ARG_NONE, &raw->full,
      N_ ("See the connections and programs of everybody; asks for authorisation"), NULL },
    { "accounting", 0, 0, G_OPTION_ARG_NONE, &raw->accounting,
      N_ ("With --full: have the kernel count the bytes of every new connection meanwhile"), NULL },
    { "duration", 'd', 0, G_OPTION_ARG_STRING, &raw->duration,
      N_ ("How long to measure, such as 90 or 10m; default: until interrupted"), N_ ("TIME") },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &raw->output,
      N_ ("record: the file, ending in .csv, .json or .ndjson"), N_ ("FILE") },
    { "help-filter", 0, 0, G_OPTION_ARG_NONE, &raw->help_filter, N_ ("Explain filters"), NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &raw->version, N_ ("Print the version"), NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &raw->rest, NULL, NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (_ ("COMMAND"));
  g_autofree char *summary = make_summary ();

  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  g_option_context_set_summary (context, summary);
  g_option_context_set_description (
      context, _ ("Ends with 0 when all went well, also when interrupted; 1 when measuring or "
                  "writing failed;\n2 when it was called wrongly; 3 when the full view, or "
                  "--accounting, is not to be had."));
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse_strv (context, &arguments, error);
}

/* ---- from words to options ---- */

static gboolean
fail (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
fail (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_propagate_error (
      error, g_error_new_valist (G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, format, arguments));
  va_end (arguments);
  return FALSE;
}

static gboolean
take_command (WeirCliOptions *options, const Raw *raw, GError **error)
{
  if (raw->rest == NULL)
    return fail (error, _ ("Say what to do: %s"),
                 "top, stream, record, apps, listeners, sources, ledger, selftest");
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (commands[i]->name, raw->rest[0]))
      options->command = commands[i];
  if (options->command == NULL)
    return fail (error, _ ("There is no command “%s”"), raw->rest[0]);
  if (raw->rest[1] != NULL)
    return fail (error, _ ("“%s” is not understood; a filter comes after --filter"), raw->rest[1]);
  return TRUE;
}

/* With a line that marks the place. */
static gboolean
take_filter (WeirCliOptions *options, const Raw *raw, GError **error)
{
  g_autoptr (GError) mistake = NULL;
  WeirFilterPlace place;

  if (raw->filter != NULL && options->command->takes & WEIR_CLI_TAKES_NO_FILTER)
    return fail (error, _ ("%s has no --filter"), options->command->name);
  options->filter = weir_filter_new (raw->filter, &mistake);
  options->filter_text = g_strdup (raw->filter != NULL ? raw->filter : "");
  if (options->filter != NULL)
    return TRUE;
  weir_filter_error_get_place (mistake, &place);
  g_autofree char *valid = g_utf8_make_valid (raw->filter, -1);
  g_autofree char *shown = weir_format_sanitise (valid, -1);
  const char *start = g_utf8_offset_to_pointer (shown, place.char_start);
  const char *end = g_utf8_offset_to_pointer (start, place.char_length);
  g_autofree char *before = g_strndup (shown, start - shown);
  g_autofree char *marked = g_strndup (start, end - start);
  g_autofree char *mark = g_strnfill (MAX (weir_cli_text_get_width (marked), 1), '^');
  return fail (error, "%s\n  %s\n  %*s%s", mistake->message, shown,
               (int) weir_cli_text_get_width (before), "", mark);
}

static gboolean
read_seconds (const char *text, double *ret_seconds)
{
  WeirFilterValue value = { 0 };

  if (!weir_filter_value_init_duration (&value, text, 1))
    return FALSE;
  *ret_seconds = value.number;
  return TRUE;
}

static gboolean
take_times (WeirCliOptions *options, const Raw *raw, GError **error)
{
  double seconds = WEIR_INTERVAL_DEFAULT_MS / 1e3;

  if (raw->interval != NULL &&
      (!read_seconds (raw->interval, &seconds) || seconds * 1e3 < WEIR_INTERVAL_FLOOR_MS ||
       seconds * 1e3 > WEIR_INTERVAL_CEILING_MS))
    return fail (error, _ ("--interval: expected a time from %dms to %ds"), WEIR_INTERVAL_FLOOR_MS,
                 WEIR_INTERVAL_CEILING_MS / 1000);
  options->interval_ms = seconds * 1e3;

  options->duration = -1;
  if (raw->duration == NULL)
    return TRUE;
  if (!(options->command->takes & WEIR_CLI_TAKES_DURATION))
    return fail (error, _ ("%s has no --duration"), options->command->name);
  if (!read_seconds (raw->duration, &options->duration) || options->duration <= 0 ||
      options->duration > DURATION_MAX)
    return fail (error, _ ("--duration: expected a time such as 90, 10m or 2h"));
  return TRUE;
}

static gboolean
take_view (WeirCliOptions *options, const Raw *raw, GError **error)
{
  if (raw->accounting && !raw->full)
    return fail (error, _ ("--accounting goes with --full only"));
  options->full = raw->full;
  options->accounting = raw->accounting;
  return TRUE;
}

static gboolean
take_output (WeirCliOptions *options, const Raw *raw, GError **error)
{
  gboolean takes = options->command->takes & WEIR_CLI_TAKES_OUTPUT;

  if (raw->output == NULL)
    return !takes || fail (error, _ ("%s needs --output FILE"), options->command->name);
  if (!takes)
    return fail (error, _ ("%s writes to standard output"), options->command->name);
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_str_has_suffix (raw->output, formats[i].suffix))
      {
        options->format = formats[i].format;
        options->output = g_strdup (raw->output);
        return TRUE;
      }
  return fail (error, _ ("--output: expected a name that ends in .csv, .json, .ndjson or .jsonl"));
}

gboolean
weir_cli_options_parse (WeirCliOptions *options, char **arguments, WeirCliExit *ret_exit)
{
  g_auto (Raw) raw = { 0 };
  g_autoptr (GError) error = NULL;

  if (!parse_words (&raw, arguments, &error))
    ;
  else if (raw.version || raw.help_filter)
    {
      if (raw.version)
        print ("weir-cli " WEIR_VERSION "\n");
      else
        print_filter_help ();
      *ret_exit = WEIR_CLI_EXIT_DONE;
      return FALSE;
    }
  else if (take_command (options, &raw, &error) && take_filter (options, &raw, &error) &&
           take_times (options, &raw, &error) && take_view (options, &raw, &error) &&
           take_output (options, &raw, &error))
    return TRUE;
  weir_cli_complain (error->message);
  weir_cli_complain (_ ("“weir-cli --help” says how it is called."));
  *ret_exit = WEIR_CLI_EXIT_USAGE;
  return FALSE;
}

void
weir_cli_options_clear (WeirCliOptions *options)
{
  g_clear_object (&options->filter);
  g_clear_pointer (&options->filter_text, g_free);
  g_clear_pointer (&options->output, g_free);
}
