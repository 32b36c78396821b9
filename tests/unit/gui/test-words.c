/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-words.h"

#include <netinet/in.h>

#include "../model/model-samples.h"

static WeirFlowStore *store;

/* The flow of a record after a tick; the store keeps it. */
static WeirFlow *
make_flow (const struct weir_flow_record *record)
{
  static guint n_ticks;

  sample_add (store, record);
  sample_do_tick (store, ++n_ticks);
  return weir_flow_store_lookup (store, record->id);
}

static void
test_states (void)
{
  struct weir_flow_record record = sample_record (1);

  g_assert_cmpstr (weir_words_flow_state (make_flow (&record)), ==, "Open");
  record.id = 2;
  record.protocol = IPPROTO_UDP;
  g_assert_cmpstr (weir_words_flow_state (make_flow (&record)), ==, "Active");
  record.id = 3;
  record.groups &= ~(guint32) WEIR_FLOW_STATE;
  g_assert_cmpstr (weir_words_flow_state (make_flow (&record)), ==, "—");
  record = sample_record (4);
  make_flow (&record);
  record = sample_ended (4);
  sample_add (store, &record);
  record.id = 5;
  record = sample_record (5);
  record.state = 200;
  g_assert_cmpstr (weir_words_flow_state (make_flow (&record)), ==, "—");
  g_assert_cmpstr (weir_words_flow_state (weir_flow_store_lookup (store, 4)), ==, "Closed");
}

static void
test_owner (void)
{
  struct weir_flow_record record = sample_record (10);
  g_autofree char *process = NULL;
  WeirFlow *flow;

  /* Nobody has this number, so that it needs no name. */
  record.uid = 54321;
  flow = make_flow (&record);
  process = weir_words_process (flow);
  g_assert_cmpstr (process, ==, "example · 1010 · 54321");
  g_assert_cmpstr (weir_words_owner (flow), ==, "A socket with exactly these addresses");
}

static void
test_no_owner (void)
{
  struct weir_flow_record record = sample_record (20);

  record.owner_how = WEIR_OWNER_NONE;
  record.has_uid = false;
  record.pid = 0;
  record.comm[0] = record.cgroup[0] = '\0';
  for (guint8 missing = WEIR_MISSING_NOTHING; missing <= WEIR_MISSING_GIVEN_UP; missing++)
    {
      record.id = 20 + missing;
      record.owner_missing = missing;
      g_assert_null (weir_words_process (make_flow (&record)));
      g_assert_cmpstr (weir_words_owner (weir_flow_store_lookup (store, record.id)), !=, "—");
    }
  record.id = 40;
  record.owner_missing = 250;
  g_assert_cmpstr (weir_words_owner (make_flow (&record)), ==, "—");
}

static void
test_every_number_has_words (void)
{
  for (guint8 role = 0; role < WEIR_N_ROLES; role++)
    g_assert_cmpstr (weir_words_role (role), !=, "—");
  g_assert_cmpstr (weir_words_role (255), ==, "—");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  store = weir_flow_store_new ();
  g_test_add_func ("/words/states", test_states);
  g_test_add_func ("/words/owner", test_owner);
  g_test_add_func ("/words/no-owner", test_no_owner);
  g_test_add_func ("/words/every-number-has-words", test_every_number_has_words);
  return g_test_run ();
}
