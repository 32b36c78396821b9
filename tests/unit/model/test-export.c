/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "csv-reader.h"
#include "model-samples.h"
#include "weir-export-columns.h"
#include "weir-export.h"

static const char *const hostile[] = {
  "=cmd",
  "+1",
  "-1",
  "@x",
  "＝1",
  "＋1",
  "－1",
  "＠x",
  "\t=tab",
  "\r=cr",
  "\n=lf",
  "  =lead",
  "\u00a0\u3000\u200b\ufeff=invisible",
  "x;=1",
  "x, =1",
  "x\t=1",
  "x|=1",
  "\"=1",
  "say \"hi\"",
  "'=1",
  ";;;=1",
  "x;\n=1",
  "\u2028=1",
  "\xc2\x85=1",
  "a\"b;c,d\re\nf",
  "\xff=raw",
  "\xff;=raw",
  "\u202e=1",
  "evil;=HYPERLINK(\"http://x\",\"=y\")",
  "\"",
  "\";=\"",
  "",
  " ",
  "plain",
};

typedef struct
{
  char *folder;
  char *path;
  WeirFlowStore *store;
} Fixture;

typedef struct
{
  GAsyncResult *result;
} Answer;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("weir-test-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->folder, "flows.csv", NULL);
  fixture->store = weir_flow_store_new ();
}

/* Nothing but the file was left behind. */
static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_object_unref (fixture->store);
  g_free (fixture->path);
  g_free (fixture->folder);
}

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

static gssize export (Fixture *fixture, GListModel *model, GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (fixture->path);
  Answer answer = { NULL };

  weir_export_csv_async (model, file, cancellable, on_done, &answer);
  sample_wait (is_done, &answer);
  g_autoptr (GAsyncResult) result = answer.result;
  return weir_export_csv_finish (result, error);
}

static char *
export_all (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;
  gssize n = export (fixture, G_LIST_MODEL (fixture->store), NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (n, ==, g_list_model_get_n_items (G_LIST_MODEL (fixture->store)));
  g_assert_true (g_file_get_contents (fixture->path, &text, NULL, NULL));
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_true (g_str_has_suffix (text, "\r\n"));
  return text;
}

static const char *
get_cell (GPtrArray *rows, guint row, const char *name)
{
  GPtrArray *header = rows->pdata[0];

  for (guint i = 0; i < header->len; i++)
    if (g_str_equal (header->pdata[i], name))
      return ((GPtrArray *) rows->pdata[row])->pdata[i];
  g_error ("no column %s", name);
}

static const char *const expected_values[][2] = {
  { "schema", "1" },
  { "time", "2026-11-21T10:00:00.000Z" },
  { "first_seen", "2026-11-21T09:59:59.000Z" },
  { "app", "web" },
  { "app_id", "web" },
  { "process", "example" },
  { "pid", "1002" },
  { "uid", "3999999999" },
  { "user", "3999999999" },
  { "protocol", "TCP" },
  { "direction", "out" },
  { "state", "open" },
  { "local_address", "192.0.2.1" },
  { "local_port", "40002" },
  { "remote_address", "2001:db8::7" },
  { "remote_port", "443" },
  { "received_bytes", "18446744073709551615" },
  { "sent_bytes", "200" },
  { "received_packets", "20" },
  { "sent_packets", "10" },
  { "received_rate", "1500" },
  { "sent_rate", "0" },
  { "rtt_ms", "12.400" },
  { "retransmits", "3" },
  { "owner_how", "tuple" },
  { "owner_missing", "" },
  { "bytes_source", "sockdiag" },
  { "cgroup", "/system.slice/web.service" },
  { "netns", "4026531840" },
  { "interface_index", "2" },
  { "nat_local_address", "" },
  { "nat_local_port", "" },
  { "nat_remote_address", "2001:db8::99" },
  { "nat_remote_port", "8443" },
  { "process_start", "5000" },
  { "unit", "web.service" },
  { "container", "" },
  { "interface", "" },
  { "app_kind", "service" },
  { "slice", "system.slice" },
  { "session", "" },
  { "session_uid", "" },
  { "pod", "" },
  { "zone", "7" },
  { "mark", "3735928559" },
  { "tracking_state", "established" },
  { "lost_events", "9" },
  { "refused_flows", "5" },
  { "coalesced_ticks", "0" },
  { "opener_pid", "77" },
  { "opener_process", "systemd" },
  { "opener_uid", "0" },
  { "opener_start", "" },
  { "netns_name", "" },
};

static void
test_values (Fixture *fixture, gconstpointer data)
{
  const struct weir_source_status sources[] = { { .losses = 4 }, { .losses = 5 } };
  const struct weir_tick losses = { .flows_refused = 5 };
  struct weir_flow_record record = sample_record (2);

  weir_losses_set_sources (sources, G_N_ELEMENTS (sources));
  weir_losses_set_tick (&losses);
  record.family = 6;
  record.groups |= WEIR_FLOW_NAT | WEIR_FLOW_CONNTRACK | WEIR_FLOW_OPENER;
  record.opener_pid = 77;
  g_strlcpy (record.opener_comm, "systemd", sizeof record.opener_comm);
  record.zone = 7;
  record.has_mark = record.has_tracking_state = true;
  record.mark = 0xdeadbeef;
  record.tracking_state = 3;
  sample_set_v6 (&record.local, "::ffff:192.0.2.1", 40002);
  sample_set_v6 (&record.remote, "2001:db8::7", 443);
  sample_set_v6 (&record.nat_remote, "2001:db8::99", 8443);
  record.uid = 3999999999;
  record.rx_rate = 1500;
  record.rx_bytes = G_MAXUINT64;
  g_strlcpy (record.cgroup, "/system.slice/web.service", sizeof record.cgroup);
  sample_add (fixture->store, &record);
  sample_do_tick (fixture->store, 0);

  g_autofree char *text = export_all (fixture);
  g_autoptr (GPtrArray) rows = csv_read (text, ',');
  g_assert_cmpuint (rows->len, ==, 2);
  g_assert_cmpuint (G_N_ELEMENTS (expected_values), ==, weir_export_n_columns);
  for (gsize i = 0; i < G_N_ELEMENTS (expected_values); i++)
    {
      if (g_str_equal (expected_values[i][0], "local_address"))
        /* IPv6 with an IPv4 address inside. */
        g_assert_cmpstr (get_cell (rows, 1, expected_values[i][0]), ==, "::ffff:192.0.2.1");
      else
        g_assert_cmpstr (get_cell (rows, 1, expected_values[i][0]), ==, expected_values[i][1]);
    }
}

/* A number that stands for nothing known is not told. */
static void
test_unknown_netns (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (1);

  record.netns = WEIR_NETNS_UNKNOWN_FIRST;
  sample_add (fixture->store, &record);
  sample_do_tick (fixture->store, 0);
  g_autofree char *text = export_all (fixture);
  g_autoptr (GPtrArray) rows = csv_read (text, ',');
  g_assert_cmpstr (get_cell (rows, 1, "netns"), ==, "");
  g_assert_cmpstr (get_cell (rows, 1, "netns_name"), ==, "another network namespace");
}

/* Every reason has a word of its own. */
static void
test_owner_missing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GHashTable) words = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint8 missing = WEIR_MISSING_NOT_YET; missing <= WEIR_MISSING_GIVEN_UP; missing++)
    {
      struct weir_flow_record record = sample_record (missing);

      record.owner_how = WEIR_OWNER_NONE;
      record.owner_missing = missing;
      sample_add (fixture->store, &record);
    }
  sample_do_tick (fixture->store, 0);
  g_autofree char *text = export_all (fixture);
  g_autoptr (GPtrArray) rows = csv_read (text, ',');
  for (guint i = WEIR_MISSING_NOT_YET; i <= WEIR_MISSING_GIVEN_UP; i++)
    {
      const char *word = get_cell (rows, i, "owner_missing");

      g_assert_cmpstr (word, !=, "");
      g_assert_true (g_hash_table_add (words, (gpointer) word));
    }
  g_assert_true (g_hash_table_contains (words, "not-found"));
}

/* Not measured is empty, never 0. */
static void
test_absent (Fixture *fixture, gconstpointer data)
{
  /* Losses are not those of the row. */
  static const char *const known[] = { "schema",      "time",          "protocol",
                                       "netns",       "local_address", "local_port",
                                       "lost_events", "refused_flows", "coalesced_ticks" };
  const struct weir_tick losses = { .coalesced = 0 };
  struct weir_flow_record record = { .id = 1,
                                     .change = WEIR_FLOW_ADDED,
                                     .groups = WEIR_FLOW_KEY,
                                     .family = 4,
                                     .protocol = IPPROTO_UDP,
                                     .netns = 1 };

  weir_losses_set_sources (NULL, 0);
  weir_losses_set_tick (&losses);
  sample_set_v4 (&record.local, "192.0.2.1", 53);
  sample_set_v4 (&record.remote, "0.0.0.0", 0);
  sample_add (fixture->store, &record);
  sample_do_tick (fixture->store, 0);
  g_autofree char *text = export_all (fixture);
  g_autoptr (GPtrArray) rows = csv_read (text, ',');
  for (guint i = 0; i < weir_export_n_columns; i++)
    {
      const char *name = weir_export_columns[i].name;
      gboolean is_known = FALSE;
      for (gsize n = 0; n < G_N_ELEMENTS (known); n++)
        is_known = is_known || g_str_equal (known[n], name);
      g_assert_cmpint (*get_cell (rows, 1, name) != '\0', ==, is_known);
    }
}

static void
test_ended_rows_do_not_move (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (1), ended = sample_ended (1);

  sample_add (fixture->store, &record);
  sample_do_tick (fixture->store, 0);
  ended.rx_rate = 700;
  sample_add (fixture->store, &ended);
  sample_do_tick (fixture->store, 1);
  sample_do_tick (fixture->store, 2);
  g_autofree char *text = export_all (fixture);
  g_autoptr (GPtrArray) rows = csv_read (text, ',');
  g_assert_cmpstr (get_cell (rows, 1, "state"), ==, "closed");
  g_assert_cmpstr (get_cell (rows, 1, "received_rate"), ==, "0");
  g_assert_cmpstr (get_cell (rows, 1, "time"), ==, "2026-11-21T10:00:01.000Z");
}

static gboolean
is_formula (const char *cell)
{
  while (*cell != '\0')
    {
      gunichar c = g_utf8_get_char (cell);
      if (!g_unichar_isspace (c) && g_unichar_type (c) != G_UNICODE_FORMAT)
        return strchr ("=+-@", *cell) != NULL || c == 0xff1d || c == 0xff0b || c == 0xff0d ||
               c == 0xff20;
      cell = g_utf8_next_char (cell);
    }
  return FALSE;
}

static guint
count_formulas (const char *csv, char separator)
{
  g_autoptr (GPtrArray) rows = csv_read (csv, separator);
  guint n = 0;

  for (guint row = 0; row < rows->len; row++)
    for (guint cell = 0; cell < ((GPtrArray *) rows->pdata[row])->len; cell++)
      n += is_formula (((GPtrArray *) rows->pdata[row])->pdata[cell]);
  return n;
}

/* Through the whole export: as names of processes (15 bytes) and as control groups. */
static void
test_hostile_rows (Fixture *fixture, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (hostile); i++)
    {
      struct weir_flow_record record = sample_record (i + 1);
      memset (record.comm, 0, sizeof record.comm);
      memcpy (record.comm, hostile[i], MIN (strlen (hostile[i]), 15));
      g_strlcpy (record.cgroup, hostile[i], sizeof record.cgroup);
      sample_add (fixture->store, &record);
    }
  sample_do_tick (fixture->store, 0);
  g_autofree char *text = export_all (fixture);
  g_assert_cmpuint (count_formulas (text, ','), ==, 0);
  g_assert_cmpuint (count_formulas (text, ';'), ==, 0);
  g_assert_cmpuint (count_formulas (text, '\t'), ==, 0);
  g_assert_cmpuint (count_formulas (text, '|'), ==, 0);

  /* Read as it was meant, every row is one row of as many cells as the header, with its own name.
   */
  g_autoptr (GPtrArray) rows = csv_read (text, ',');
  g_assert_cmpuint (rows->len, ==, G_N_ELEMENTS (hostile) + 1);
  for (guint i = 0; i < rows->len; i++)
    g_assert_cmpuint (((GPtrArray *) rows->pdata[i])->len, ==, weir_export_n_columns);
  g_assert_cmpstr (get_cell (rows, 1, "process"), ==, "'=cmd");
  g_assert_cmpstr (get_cell (rows, 29, "cgroup"), ==, "evil;'=HYPERLINK(\"http://x\",\"'=y\")");
  g_assert_cmpstr (get_cell (rows, 34, "process"), ==, "plain");
}

/* The readers above do find formulas where nothing was done against them. */
static void
test_readers_see_formulas (void)
{
  g_assert_cmpuint (count_formulas ("a,=1\r\n", ','), ==, 1);
  g_assert_cmpuint (count_formulas ("a,\"evil;=1\"\r\n", ';'), ==, 1);
  g_assert_cmpuint (count_formulas ("a, ＝1\r\n", ','), ==, 1);
  g_assert_cmpuint (count_formulas ("a\t+1\r\n", '\t'), ==, 1);
  g_assert_cmpuint (count_formulas ("a,'=1\r\n", ','), ==, 0);
}

static void
test_text_cells (void)
{
  static const char *const cases[][2] = {
    { NULL, "" },
    { "", "" },
    { "firefox", "firefox" },
    { "Grüße", "Grüße" },
    { "=1", "'=1" },
    { "  =1", "\"  '=1\"" },
    { "\t=1", "\\t'=1" },
    { "a=1", "a=1" },
    { "a -1", "a -1" },
    { "-", "'-" },
    { "a;-1", "\"a;'-1\"" },
    { "a; -1", "\"a; '-1\"" },
    { "say \"hi\"", "\"say \"\"hi\"\"\"" },
    { "say \"=1\"", "\"say \"\"'=1\"\"\"" },
    { "＝1", "'＝1" },
    { "﹢1", "'﹢1" },
    { "−1", "'−1" },
    { "a\x1b[0m\x7f", "a\\x1b[0m\\x7f" },
    { "\xc2\x9b", "\\u009b" },
    { "\u2028\u2029\u202e", "\\u2028\\u2029\\u202e" },
    { "bad\xff", "bad\\xff" },
    { "a\\x2db", "a\\x2db" },
    { "end ", "\"end \"" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) csv = g_string_new (NULL);
      weir_export_append_text_cell (csv, cases[i][0]);
      g_assert_cmpstr (csv->str, ==, cases[i][1]);
    }
}

static void
test_follows_the_view (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeirSlotModel) view = weir_slot_model_new (fixture->store);
  g_autoptr (WeirFilter) filter = weir_filter_new (":4000", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  for (guint i = 1; i <= 12; i++)
    {
      struct weir_flow_record record = sample_record (i);
      sample_add (fixture->store, &record);
    }
  sample_do_tick (fixture->store, 0);
  weir_slot_model_set_filter (view, filter);
  weir_slot_model_set_sort (view, WEIR_SORT_ARRIVAL, TRUE);
  g_assert_cmpint (export (fixture, G_LIST_MODEL (view), NULL, &error), ==, 9);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (fixture->path, &text, NULL, NULL));
  g_autoptr (GPtrArray) rows = csv_read (text, ',');
  g_assert_cmpuint (rows->len, ==, 10);
  g_assert_cmpstr (get_cell (rows, 1, "local_port"), ==, "40009");
  g_assert_cmpstr (get_cell (rows, 9, "local_port"), ==, "40001");
}

static void
test_file (Fixture *fixture, gconstpointer data)
{
  GStatBuf status;

  g_free (export_all (fixture));
  g_assert_cmpint (g_stat (fixture->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  /* Somebody made it readable: it stays so. */
  g_assert_cmpint (g_chmod (fixture->path, 0644), ==, 0);
  g_free (export_all (fixture));
  g_assert_cmpint (g_stat (fixture->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0644);
}

static void
assert_old_file_is_whole (Fixture *fixture)
{
  g_autofree char *text = NULL;
  g_autoptr (GDir) folder = g_dir_open (fixture->folder, 0, NULL);

  g_assert_true (g_file_get_contents (fixture->path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "old");
  g_assert_cmpstr (g_dir_read_name (folder), ==, "flows.csv");
  g_assert_cmpstr (g_dir_read_name (folder), ==, NULL);
}

static void
test_unwritable_folder (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  uid_t uid = geteuid ();

  g_assert_true (g_file_set_contents (fixture->path, "old", -1, NULL));
  g_assert_cmpint (g_chmod (fixture->folder, 0555), ==, 0);
  /* Permissions mean nothing to root; of all threads, as glibc does it. */
  if (uid == 0)
    g_assert_cmpint (seteuid (65534), ==, 0);
  gssize n = export (fixture, G_LIST_MODEL (fixture->store), NULL, &error);
  g_assert_cmpint (seteuid (uid), ==, 0);
  g_assert_cmpint (g_chmod (fixture->folder, 0700), ==, 0);
  g_assert_cmpint (n, ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (error->message, "flows.csv"));
  assert_old_file_is_whole (fixture);
}

static void
test_full_disk (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct rlimit before, small;

  g_assert_true (g_file_set_contents (fixture->path, "old", -1, NULL));
  /* Fails in the middle of the header, as a full disk would. */
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  small = (struct rlimit) { 100, before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  gssize n = export (fixture, G_LIST_MODEL (fixture->store), NULL, &error);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_cmpint (n, ==, -1);
  g_assert_nonnull (error);
  assert_old_file_is_whole (fixture);
}

static void
test_cancelled (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_assert_true (g_file_set_contents (fixture->path, "old", -1, NULL));
  g_cancellable_cancel (cancellable);
  gssize n = export (fixture, G_LIST_MODEL (fixture->store), cancellable, &error);
  g_assert_cmpint (n, ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_old_file_is_whole (fixture);
}

/* The document lists exactly the columns of the table, in order, with their kinds. */
static void
test_document (void)
{
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "..", "..", "docs", "export.md", NULL);
  g_autofree char *text = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      if (!g_str_has_prefix (*line, "| `"))
        continue;
      g_assert_cmpuint (n, <, weir_export_n_columns);
      g_autofree char *expected =
          g_strdup_printf ("| `%s` | %s |", weir_export_columns[n].name,
                           weir_export_kind_get_name (weir_export_columns[n].kind));
      g_test_message ("%s", expected);
      g_assert_true (g_str_has_prefix (*line, expected));
      n++;
    }
  g_assert_cmpuint (n, ==, weir_export_n_columns);
  g_autofree char *schema = g_strdup_printf ("**Schema %d.**", WEIR_EXPORT_SCHEMA);
  g_assert_nonnull (strstr (text, schema));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/export/text-cells", test_text_cells);
  g_test_add_func ("/export/readers-see-formulas", test_readers_see_formulas);
  g_test_add_func ("/export/document", test_document);
#define ADD(name, function) g_test_add ("/export/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("values", test_values);
  ADD ("unknown-netns", test_unknown_netns);
  ADD ("owner-missing", test_owner_missing);
  ADD ("absent", test_absent);
  ADD ("ended-rows-do-not-move", test_ended_rows_do_not_move);
  ADD ("hostile-rows", test_hostile_rows);
  ADD ("follows-the-view", test_follows_the_view);
  ADD ("file", test_file);
  ADD ("unwritable-folder", test_unwritable_folder);
  ADD ("full-disk", test_full_disk);
  ADD ("cancelled", test_cancelled);
  return g_test_run ();
}
