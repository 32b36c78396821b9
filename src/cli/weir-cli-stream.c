/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One JSON object a line for each flow whenever it has changed, and one when it ends. */
#include "config.h"

#include <glib/gi18n.h>

#include "weir-cli-output.h"
#include "weir-cli-run.h"
#include "weir-export-json.h"
#include "weir-flow-changes.h"
#include "weir-session-details.h"

/* So much is written while the rest is still made: who reads it has the first of many sooner. */
#define PART_SIZE (32 * 1024)

/* Programs that are remembered; a machine that starts more in a run is asked about again. */
#define PROGRAMS_MAX 65536

typedef struct
{
  WeirCliOutput *output;
  GHashTable *told; /* ids of flows that have not ended yet */
  WeirFilter *filter;
  GString *lines; /* that are still to be written */
  WeirSession *session;
  GHashTable *programs; /* process as text, path or NULL: not known (yet) */
} Stream;

/* Outlives the stream when it ends before the answer comes. */
typedef struct
{
  GHashTable *programs;
  char *process;
} Question;

static void
on_details (GObject *source, GAsyncResult *result, gpointer data)
{
  Question *question = data;
  g_autoptr (WeirProcessDetails) details =
      weir_session_get_details_finish (WEIR_SESSION (source), result, NULL);

  /* What cannot be told is as unknown as before. */
  if (details != NULL && details->exe != NULL)
    g_hash_table_replace (question->programs, g_steal_pointer (&question->process),
                          g_strdup (details->exe));
  g_hash_table_unref (question->programs);
  g_free (question->process);
  g_free (question);
}

/* The path of the program behind @flow, or NULL; it is asked for when the process is first seen. */
static const char *
find_program (Stream *stream, WeirFlow *flow)
{
  const struct weir_flow_record *record = weir_flow_get_record (flow);
  g_autofree char *process = NULL;
  gpointer path;

  if ((record->groups & WEIR_FLOW_OWNER) == 0 || record->pid == 0)
    return NULL;
  process = g_strdup_printf ("%u %" G_GUINT64_FORMAT, record->pid, record->start_time);
  if (g_hash_table_lookup_extended (stream->programs, process, NULL, &path))
    return path;
  if (g_hash_table_size (stream->programs) >= PROGRAMS_MAX)
    g_hash_table_remove_all (stream->programs);
  Question *question = g_new (Question, 1);
  question->programs = g_hash_table_ref (stream->programs);
  question->process = g_strdup (process);
  g_hash_table_insert (stream->programs, g_steal_pointer (&process), NULL);
  weir_session_get_details_async (stream->session, record->pid, record->start_time, NULL,
                                  on_details, question);
  return NULL;
}

/* What there is goes out, and what comes is put into a new text. */
static void
write_lines (Stream *stream)
{
  if (stream->lines->len == 0)
    return;
  weir_cli_output_write (stream->output, g_steal_pointer (&stream->lines));
  stream->lines = g_string_sized_new (2 * PART_SIZE);
}

static gboolean
begin (WeirCliRun *run, GError **error)
{
  Stream *stream = g_new0 (Stream, 1);

  stream->told = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  stream->filter = run->options->filter;
  stream->session = run->session;
  stream->programs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  stream->lines = g_string_sized_new (2 * PART_SIZE);
  stream->output = weir_cli_output_new ((void (*) (gpointer)) weir_cli_run_quit, run);
  run->data = stream;
  return TRUE;
}

static void
tell (WeirFlow *flow, gpointer data)
{
  Stream *stream = data;
  guint64 id = weir_flow_get_id (flow);
  gboolean ended = weir_flow_is_closed (flow);
  gboolean known = g_hash_table_contains (stream->told, &id);

  /* Who has seen a flow is told of its end, even when the filter does not want it any more. */
  if (!weir_filter_match (stream->filter, flow) && !(ended && known))
    return;
  if (ended)
    g_hash_table_remove (stream->told, &id);
  else if (!known)
    g_hash_table_add (stream->told, g_memdup2 (&id, sizeof id));

  const char *program = find_program (stream, flow);
  WeirExportRow *row = weir_export_row_new (flow);
  g_string_append_printf (stream->lines, "{\"id\":%" G_GUINT64_FORMAT ",\"ended\":%s,", id,
                          ended ? "true" : "false");
  weir_export_append_json_members (stream->lines, row);
  g_string_append (stream->lines, ",\"exe\":");
  if (program != NULL)
    weir_export_append_json_string (stream->lines, program);
  else
    g_string_append (stream->lines, "null");
  g_string_append (stream->lines, "}\n");
  weir_export_row_free (row);
  if (stream->lines->len >= PART_SIZE)
    write_lines (stream);
}

static void
news (WeirCliRun *run)
{
  Stream *stream = run->data;

  weir_flow_store_foreach_news (weir_session_get_flows (run->session), tell, stream);
  write_lines (stream);
}

static void
tick (WeirCliRun *run)
{
  Stream *stream = run->data;

  weir_flow_store_foreach_changed (weir_session_get_flows (run->session), tell, stream);
  write_lines (stream);
}

static void
end (WeirCliRun *run)
{
  Stream *stream = run->data;
  g_autoptr (GError) error = NULL;

  if (!weir_cli_output_end (stream->output, &error))
    {
      run->exit = WEIR_CLI_EXIT_FAILED;
      weir_cli_complain (error->message);
    }
  g_string_free (stream->lines, TRUE);
  g_hash_table_unref (stream->told);
  g_hash_table_unref (stream->programs);
  g_free (stream);
}

const WeirCliCommand weir_cli_stream = {
  .name = "stream",
  .summary = N_ ("one JSON object a line for each connection whenever it changes"),
  .takes = WEIR_CLI_TAKES_DURATION,
  .writes_all = TRUE,
  .begin = begin,
  .tick = tick,
  .news = news,
  .end = end,
};
