/* SPDX-License-Identifier: GPL-3.0-or-later */
/* namespaces: the network namespaces of which something is known. */
#include "config.h"

#include <glib/gi18n.h>

#include "weir-cli-run.h"
#include "weir-cli-text.h"
#include "weir-format.h"
#include "weir-namespace-names.h"

/* The looker walks once by then, and those that it finds are listed. */
#define TICKS 3

static gboolean
begin (WeirCliRun *run, GError **error)
{
  return TRUE;
}

static void
tick (WeirCliRun *run)
{
  if (run->options->duration < 0 && run->n_ticks >= TICKS)
    weir_cli_run_quit (run);
}

static char *
word_process (const struct weir_namespace_record *record)
{
  g_autofree char *comm = weir_format_sanitise (record->comm, sizeof record->comm);

  return record->pid != 0 ? g_strdup_printf ("%s (%u)", comm, record->pid) : g_strdup ("");
}

static char *
word_state (const struct weir_namespace_record *record)
{
  const char *state = weir_namespace_names_get_state (record->state);

  if (record->error != 0)
    return g_strdup_printf ("%s (%s)", state, g_strerror (record->error));
  return g_strdup (state != NULL ? state : "");
}

static void
add_row (GPtrArray *rows, const struct weir_namespace_record *record)
{
  g_autofree char *inode = g_strdup_printf ("%u", record->inode);
  g_autofree char *name = weir_format_sanitise (record->name, sizeof record->name);
  g_autofree char *process = word_process (record);
  g_autofree char *sockets = g_strdup_printf ("%u", record->n_sockets);
  g_autofree char *interval = record->interval_ms != 0
                                  ? g_strdup_printf ("%.1f s", record->interval_ms / 1000.0)
                                  : g_strdup ("\342\200\224");
  g_autofree char *lost = g_strdup_printf ("%" G_GUINT64_FORMAT, record->losses);
  g_autofree char *state = word_state (record);
  char *const cells[] = {
    inode, name,  process, (char *) weir_namespace_names_get_how (record->how), sockets, interval,
    lost,  state, NULL
  };

  g_ptr_array_add (rows, g_strdupv ((char **) cells));
}

static void
end (WeirCliRun *run)
{
  const WeirCliColumn columns[] = {
    { _ ("Namespace"), FALSE }, { _ ("Name"), FALSE },         { _ ("Process"), FALSE },
    { _ ("How"), FALSE },       { _ ("Sockets"), TRUE },       { _ ("Read Every"), TRUE },
    { _ ("Lost"), TRUE },       { _ ("Last Reading"), FALSE },
  };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autofree char *rest = NULL;
  guint32 left_out;
  guint n;

  if (run->n_ticks == 0)
    return;
  const struct weir_namespace_record *records =
      weir_session_get_namespaces (run->session, &n, &left_out);
  for (guint i = 0; i < n; i++)
    add_row (rows, &records[i]);
  if (left_out > 0)
    rest = g_strdup_printf (
        g_dngettext (GETTEXT_PACKAGE, "%u more network namespace is not looked into.",
                     "%u more network namespaces are not looked into.", left_out),
        left_out);
  g_autofree char *line = rest != NULL ? g_strconcat ("\n", rest, "\n", NULL) : g_strdup ("");
  weir_cli_run_write_table (run, columns, G_N_ELEMENTS (columns), rows, line);
}

const WeirCliCommand weir_cli_namespaces = {
  .name = "namespaces",
  .summary = N_ ("network namespaces (containers, sandboxes) and what is known of them"),
  .takes = WEIR_CLI_TAKES_DURATION,
  .begin = begin,
  .tick = tick,
  .end = end,
};
