/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every connection that was there in a span of time, with its last figures, in a file. */
#include "config.h"

#include <glib/gi18n.h>

#include "weir-cli-run.h"
#include "weir-export-columns.h"
#include "weir-flow-changes.h"

typedef struct
{
  WeirFilter *filter;
  /* By id, with their newest figures: rows leave the store after a while. */
  GHashTable *places; /* id → position in rows + 1 */
  GPtrArray *rows;
  GAsyncResult *written;
} Record;

static gboolean
begin (WeirCliRun *run, GError **error)
{
  Record *record = g_new0 (Record, 1);

  record->filter = run->options->filter;
  record->places = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  record->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) weir_export_row_free);
  run->data = record;
  return TRUE;
}

static void
keep (WeirFlow *flow, gpointer data)
{
  Record *record = data;
  guint64 id = weir_flow_get_id (flow);
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (record->places, &id));

  if (place > 0)
    {
      weir_export_row_free (record->rows->pdata[place - 1]);
      record->rows->pdata[place - 1] = weir_export_row_new (flow);
      return;
    }
  /* What matched once stays in the record, to its end. */
  if (!weir_filter_match (record->filter, flow))
    return;
  g_ptr_array_add (record->rows, weir_export_row_new (flow));
  g_hash_table_insert (record->places, g_memdup2 (&id, sizeof id),
                       GUINT_TO_POINTER (record->rows->len));
}

static void
tick (WeirCliRun *run)
{
  weir_flow_store_foreach_changed (weir_session_get_flows (run->session), keep, run->data);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  Record *record = data;

  record->written = g_object_ref (result);
}

static void
write_file (WeirCliRun *run, Record *record)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (run->options->output);
  g_autoptr (GError) error = NULL;

  weir_export_rows_async (record->rows, run->options->format, file, NULL, on_written, record);
  while (record->written == NULL)
    g_main_context_iteration (NULL, TRUE);
  gssize n = weir_export_finish (record->written, &error);
  if (n < 0)
    {
      run->exit = WEIR_CLI_EXIT_FAILED;
      weir_cli_complain (error->message);
      return;
    }
  g_autofree char *name = g_filename_display_name (run->options->output);
  g_autofree char *message = g_strdup_printf (
      ngettext ("%ld connection in %s", "%ld connections in %s", n), (long) n, name);
  weir_cli_complain (message);
}

/* Also when it was interrupted, or measuring stopped: what was seen until then is worth keeping.
 * Without a single tick there is nothing to replace an older file with. */
static void
end (WeirCliRun *run)
{
  Record *record = run->data;

  if (run->n_ticks > 0)
    write_file (run, record);
  else if (run->exit == WEIR_CLI_EXIT_DONE)
    {
      run->exit = WEIR_CLI_EXIT_FAILED;
      weir_cli_complain (_ ("Nothing was measured yet: no file was written."));
    }
  g_clear_object (&record->written);
  g_hash_table_unref (record->places);
  g_ptr_array_unref (record->rows);
  g_free (record);
}

const WeirCliCommand weir_cli_record = {
  .name = "record",
  .summary = N_ ("all connections of a span of time, in a file"),
  .takes = WEIR_CLI_TAKES_DURATION | WEIR_CLI_TAKES_OUTPUT,
  .writes_all = TRUE,
  .begin = begin,
  .tick = tick,
  .end = end,
};
