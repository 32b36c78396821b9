/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-columns.h"

#include "../model/model-samples.h"

static WeirFlowStore *store;

static const char *
text_of (const char *id, WeirFlow *flow, GString *scratch)
{
  return weir_columns_find (id)->text (flow, NULL, scratch);
}

static WeirFlow *
make_flow (const struct weir_flow_record *record, guint tick)
{
  sample_add (store, record);
  sample_do_tick (store, tick);
  return weir_flow_store_lookup (store, record->id);
}

static void
test_table (void)
{
  g_autoptr (GHashTable) ids = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GString) visible = g_string_new (NULL);
  guint n_columns, n_narrow = 0, n_wide = 0;
  const WeirColumn *columns = weir_columns_get (&n_columns);

  for (guint i = 0; i < n_columns; i++)
    {
      g_assert_true (g_hash_table_add (ids, (char *) columns[i].id));
      g_assert_true (g_action_name_is_valid (columns[i].id));
      g_assert_cmpstr (columns[i].title, !=, "");
      g_assert_cmpuint (columns[i].sort, <, WEIR_N_SORTS);
      g_assert_nonnull (columns[i].text);
      g_assert_true (columns[i].narrow == (columns[i].second != NULL));
      g_assert_false (columns[i].narrow && columns[i].visible);
      g_assert_true (weir_columns_find (columns[i].id) == &columns[i]);
      /* Some column takes what is left, in the narrow view and in the wide one. */
      if (columns[i].width == 0 && columns[i].narrow)
        n_narrow++;
      if (columns[i].width == 0 && columns[i].visible)
        n_wide++;
      if (columns[i].visible)
        g_string_append_printf (visible, "%s ", columns[i].id);
    }
  g_assert_cmpuint (n_narrow, ==, 1);
  g_assert_cmpuint (n_wide, ==, 1);
  g_assert_cmpstr (visible->str, ==, "app remote protocol received sent total ");
  g_assert_null (weir_columns_find ("nothing"));
  g_assert_null (weir_columns_find (NULL));
}

static void
test_known (void)
{
  g_autoptr (GString) scratch = g_string_new (NULL);
  struct weir_flow_record record = sample_record (1), change = sample_bytes (1, 4800000, 112000);
  WeirFlow *flow;

  /* Nobody has this number, so that it needs no name. */
  record.uid = 54321;
  make_flow (&record, 1);
  flow = make_flow (&change, 2);
  g_assert_cmpstr (text_of ("app", flow, scratch), ==, "example");
  g_assert_cmpstr (text_of ("remote", flow, scratch), ==, "198.51.100.7:443");
  g_assert_cmpstr (text_of ("local", flow, scratch), ==, "192.0.2.1:40001");
  g_assert_cmpstr (text_of ("protocol", flow, scratch), ==, "TCP");
  g_assert_cmpstr (text_of ("state", flow, scratch), ==, "Open");
  g_assert_cmpstr (text_of ("process", flow, scratch), ==, "example · 1001");
  g_assert_cmpstr (text_of ("user", flow, scratch), ==, "54321");
  g_assert_cmpstr (text_of ("received", flow, scratch), ==, "4.8\302\240MB/s");
  g_assert_cmpstr (text_of ("sent", flow, scratch), ==, "112\302\240kB/s");
  g_assert_cmpstr (text_of ("rate", flow, scratch), ==, "↓\302\2404.8\302\240MB/s");
}

static void
test_unknown (void)
{
  g_autoptr (GString) scratch = g_string_new (NULL);
  struct weir_flow_record record = sample_record (2);
  WeirFlow *flow;
  guint n_columns;
  const WeirColumn *columns = weir_columns_get (&n_columns);

  record.groups = WEIR_FLOW_KEY;
  flow = make_flow (&record, 3);
  g_assert_cmpstr (text_of ("app", flow, scratch), ==, "Unknown App");
  g_assert_cmpstr (text_of ("user", flow, scratch), ==, "—");
  g_assert_cmpstr (text_of ("process", flow, scratch), ==, "—");
  /* What was not measured is absent, never zero. */
  g_assert_cmpstr (text_of ("received", flow, scratch), ==, "—");
  g_assert_cmpstr (text_of ("total", flow, scratch), ==, "—");
  g_assert_cmpstr (text_of ("received-total", flow, scratch), ==, "—");
  for (guint i = 0; i < n_columns; i++)
    {
      g_assert_cmpstr (columns[i].text (flow, NULL, scratch), !=, "");
      g_assert_true (columns[i].second == NULL || *columns[i].second (flow, NULL, scratch) != '\0');
    }
}

static void
test_closed (void)
{
  g_autoptr (GString) scratch = g_string_new (NULL);
  struct weir_flow_record record = sample_record (3), end = sample_ended (3);
  WeirFlow *flow;

  make_flow (&record, 4);
  flow = make_flow (&end, 5);
  /* In words, in whatever columns are on the screen. */
  g_assert_cmpstr (text_of ("state", flow, scratch), ==, "Closed");
  g_assert_cmpstr (text_of ("received", flow, scratch), ==, "Closed");
  g_assert_cmpstr (text_of ("rate", flow, scratch), ==, "Closed");
  g_assert_cmpstr (text_of ("sent", flow, scratch), ==, "—");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  store = weir_flow_store_new ();
  g_test_add_func ("/columns/table", test_table);
  g_test_add_func ("/columns/known", test_known);
  g_test_add_func ("/columns/unknown", test_unknown);
  g_test_add_func ("/columns/closed", test_closed);
  return g_test_run ();
}
