/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One JSON object a line for each flow whenever it has changed, and one when it ends. */
#include "config.h"

#include <glib/gi18n.h>

#include "weir-cli-output.h"
#include "weir-cli-run.h"
#include "weir-export-json.h"
#include "weir-flow-changes.h"

typedef struct
{
  WeirCliOutput *output;
  GHashTable *told; /* ids of flows that have not ended yet */
  WeirFilter *filter;
  GString *lines; /* of this tick */
} Stream;

static gboolean
begin (WeirCliRun *run, GError **error)
{
  Stream *stream = g_new0 (Stream, 1);

  stream->told = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  stream->filter = run->options->filter;
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

  WeirExportRow *row = weir_export_row_new (flow);
  g_string_append_printf (stream->lines, "{\"id\":%" G_GUINT64_FORMAT ",\"ended\":%s,", id,
                          ended ? "true" : "false");
  weir_export_append_json_members (stream->lines, row);
  g_string_append (stream->lines, "}\n");
  weir_export_row_free (row);
}

static void
tick (WeirCliRun *run)
{
  Stream *stream = run->data;

  stream->lines = g_string_new (NULL);
  weir_flow_store_foreach_changed (weir_session_get_flows (run->session), tell, stream);
  weir_cli_output_write (stream->output, g_steal_pointer (&stream->lines));
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
  g_hash_table_unref (stream->told);
  g_free (stream);
}

const WeirCliCommand weir_cli_stream = {
  .name = "stream",
  .summary = N_ ("one JSON object a line for each connection whenever it changes"),
  .takes = WEIR_CLI_TAKES_DURATION,
  .begin = begin,
  .tick = tick,
  .end = end,
};
