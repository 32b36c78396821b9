/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>

#include "model-samples.h"
#include "weir-export-json.h"
#include "weir-export.h"

static void
test_strings (void)
{
  static const char *const cases[][2] = {
    { "", "\"\"" },
    { "firefox", "\"firefox\"" },
    { "Grüße 😀", "\"Grüße 😀\"" },
    { "=1;@x", "\"=1;@x\"" },
    { "say \"hi\" \\", "\"say \\\"hi\\\" \\\\\"" },
    { "a\tb\nc\rd\x1b[0m\x7f", "\"a\\u0009b\\u000ac\\u000dd\\u001b[0m\\u007f\"" },
    { "\xc2\x9b", "\"\\u009b\"" },
    { "\u2028\u2029\u202e\u2066\u200f\u061c", "\"\\u2028\\u2029\\u202e\\u2066\\u200f\\u061c\"" },
    { "bad\xff\xc3", "\"bad\\ufffd\\ufffd\"" },
    { "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" }, /* half a surrogate pair */
    { "</script>", "\"</script>\"" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) json = g_string_new (NULL);
      weir_export_append_json_string (json, cases[i][0]);
      g_assert_cmpstr (json->str, ==, cases[i][1]);
      g_assert_true (g_utf8_validate (json->str, -1, NULL));
    }
}

static char *
make_members (const struct weir_flow_record *record)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  g_autoptr (GString) json = g_string_new (NULL);

  sample_add (store, record);
  sample_do_tick (store, 0);
  WeirExportRow *row = weir_export_row_new (weir_flow_store_lookup (store, record->id));
  weir_export_append_json_members (json, row);
  weir_export_row_free (row);
  return g_string_free_and_steal (g_steal_pointer (&json));
}

static void
test_members (void)
{
  struct weir_flow_record record = sample_record (1);

  record.rx_bytes = G_MAXUINT64;
  g_strlcpy (record.comm, "a\"b\nc", sizeof record.comm);
  g_autofree char *members = make_members (&record);
  g_assert_true (g_str_has_prefix (members, "\"schema\":1,\"time\":\"2026-11-21T10:00:00.000Z\","));
  g_assert_nonnull (strstr (members, ",\"process\":\"a\\\"b\\u000ac\",\"pid\":1001,\"uid\":0,"));
  g_assert_nonnull (strstr (members, ",\"protocol\":\"TCP\",\"direction\":\"out\","));
  g_assert_nonnull (strstr (members, ",\"received_bytes\":18446744073709551615,"));
  g_assert_nonnull (strstr (members, ",\"rtt_ms\":12.400,"));
  g_assert_nonnull (strstr (members, ",\"owner_missing\":null,"));
  g_assert_nonnull (strstr (members, ",\"process_start\":5000,\"unit\":\"session-3.scope\","));
}

/* Every column is there, and what was not measured is null, never 0. */
static void
test_absent (void)
{
  struct weir_flow_record record = { .id = 1,
                                     .change = WEIR_FLOW_ADDED,
                                     .groups = WEIR_FLOW_KEY,
                                     .family = 4,
                                     .protocol = 47,
                                     .netns = 1 };

  sample_set_v4 (&record.local, "192.0.2.1", 0);
  sample_set_v4 (&record.remote, "0.0.0.0", 0);
  g_autofree char *members = make_members (&record);
  for (guint i = 0; i < weir_export_n_columns; i++)
    {
      static const char *const known[] = { "schema", "time", "protocol", "local_address", "netns" };
      const char *name = weir_export_columns[i].name;
      gboolean is_known = FALSE;
      for (gsize n = 0; n < G_N_ELEMENTS (known); n++)
        is_known = is_known || g_str_equal (known[n], name);
      g_autofree char *member = g_strdup_printf ("\"%s\":", name);
      g_autofree char *null = g_strdup_printf ("\"%s\":null", name);
      g_assert_nonnull (strstr (members, member));
      g_assert_cmpint (strstr (members, null) == NULL, ==, is_known);
    }
}

typedef struct
{
  GAsyncResult *result;
} Answer;

static void
on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  ((Answer *) data)->result = g_object_ref (result);
}

static gboolean
is_done (gpointer data)
{
  return ((Answer *) data)->result != NULL;
}

static char *
write_and_read (WeirFlowStore *store, WeirExportFormat format)
{
  g_autofree char *folder = g_dir_make_tmp ("weir-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "flows", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;
  Answer answer = { NULL };
  char *text = NULL;

  weir_export_async (G_LIST_MODEL (store), format, file, NULL, on_done, &answer);
  sample_wait (is_done, &answer);
  g_autoptr (GAsyncResult) result = answer.result;
  g_assert_cmpint (weir_export_finish (result, &error), ==,
                   g_list_model_get_n_items (G_LIST_MODEL (store)));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_unlink (path);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  return text;
}

/* What is around the rows; tests/integration/test-cli.py reads whole files with another's reader.
 */
static void
test_files (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  g_autofree char *no_rows = write_and_read (store, WEIR_EXPORT_JSON);
  g_autofree char *no_lines = write_and_read (store, WEIR_EXPORT_NDJSON);

  g_assert_cmpstr (no_rows, ==, "[\n]\n");
  g_assert_cmpstr (no_lines, ==, "");
  for (guint i = 1; i <= 3; i++)
    {
      struct weir_flow_record record = sample_record (i);
      sample_add (store, &record);
    }
  sample_do_tick (store, 0);
  g_autofree char *json = write_and_read (store, WEIR_EXPORT_JSON);
  g_autofree char *ndjson = write_and_read (store, WEIR_EXPORT_NDJSON);
  g_auto (GStrv) lines = g_strsplit (json, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 6);
  g_assert_cmpstr (lines[0], ==, "[");
  g_assert_true (g_str_has_prefix (lines[1], "{\"schema\":1,"));
  g_assert_true (g_str_has_prefix (lines[2], ",{\"schema\":1,"));
  g_assert_true (g_str_has_suffix (lines[3], "}"));
  g_assert_cmpstr (lines[4], ==, "]");
  g_auto (GStrv) rows = g_strsplit (ndjson, "\n", -1);
  g_assert_cmpuint (g_strv_length (rows), ==, 4);
  g_assert_cmpstr (rows[0], ==, lines[1]);
  g_assert_cmpstr (rows[1], ==, lines[2] + 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/export-json/strings", test_strings);
  g_test_add_func ("/export-json/members", test_members);
  g_test_add_func ("/export-json/absent", test_absent);
  g_test_add_func ("/export-json/files", test_files);
  return g_test_run ();
}
