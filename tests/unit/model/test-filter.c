/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model-samples.h"
#include "weir-filter.h"

static WeirFlow *
make_flow (WeirFlowStore *store)
{
  struct weir_flow_record record = sample_record (1);

  g_strlcpy (record.comm, "Grüße", sizeof record.comm);
  g_strlcpy (record.cgroup, "/app.slice/app-flatpak-org.example.Mail-7.scope",
             sizeof record.cgroup);
  record.has_uid = true;
  record.uid = 3999999999;
  sample_add (store, &record);
  sample_do_tick (store, 0);
  return weir_flow_store_lookup (store, 1);
}

static void
test_words (void)
{
  static const struct
  {
    const char *text;
    gboolean matches;
  } cases[] = {
    { NULL, TRUE },
    { "", TRUE },
    { "  \t", TRUE },
    { "mail", TRUE },
    { "ORG.EXAMPLE.MAIL", TRUE },
    { "GRÜSSE", TRUE },
    { "grusse", FALSE },   /* marks are not dropped */
    { "gru\u0308", TRUE }, /* u with a combining mark */
    { "ｍａｉｌ", TRUE },  /* full width */
    { "198.51.100.7:443", TRUE },
    { "192.0.2.1", TRUE },
    { ":443", TRUE },
    { "tcp", TRUE },
    { "udp", FALSE },
    { "open", TRUE },
    { "1001", TRUE },
    { "3999999999", TRUE },
    { "mail tcp", TRUE },
    { "tcp   mail  443", TRUE },
    { "mail udp", FALSE },
    { "443tcp", FALSE },
    { "mail\ntcp", TRUE },
    { "bad\xff", FALSE },
  };
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  WeirFlow *flow = make_flow (store);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeirFilter) filter = weir_filter_new (cases[i].text, &error);
      g_assert_no_error (error);
      g_test_message ("case %" G_GSIZE_FORMAT, i);
      g_assert_cmpint (weir_filter_match (filter, flow), ==, cases[i].matches);
    }
}

static void
test_empty (void)
{
  g_autoptr (WeirFilter) nothing = weir_filter_new (NULL, NULL);
  g_autoptr (WeirFilter) blank = weir_filter_new (" \u00a0 ", NULL);
  g_autoptr (WeirFilter) word = weir_filter_new (" x ", NULL);

  g_assert_true (weir_filter_is_empty (nothing));
  g_assert_true (weir_filter_is_empty (blank));
  g_assert_false (weir_filter_is_empty (word));
}

static void
test_follows_changes (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  g_autoptr (WeirFilter) closed = weir_filter_new ("closed", NULL);
  WeirFlow *flow = make_flow (store);
  struct weir_flow_record ended = sample_ended (1);

  g_assert_false (weir_filter_match (closed, flow));
  sample_add (store, &ended);
  sample_do_tick (store, 1);
  g_assert_true (weir_filter_match (closed, flow));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/filter/words", test_words);
  g_test_add_func ("/filter/empty", test_empty);
  g_test_add_func ("/filter/follows-changes", test_follows_changes);
  return g_test_run ();
}
