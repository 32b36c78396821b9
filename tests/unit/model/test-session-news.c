/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flows that an engine tells of before the tick. */
#include <glib/gstdio.h>

#include "fake-launcher.h"
#include "model-samples.h"
#include "weir-session.h"

typedef struct
{
  char *directory;
  FakeLauncher *limited;
  WeirSession *session;
  guint n_ticks;
} Fixture;

static void
on_tick (Fixture *fixture)
{
  fixture->n_ticks++;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->directory = g_dir_make_tmp ("weir-test-XXXXXX", NULL);
  fixture->limited = fake_launcher_new ("limited");
  fixture->session = weir_session_new (WEIR_LAUNCHER (fixture->limited), NULL, fixture->directory);
  weir_session_set_interval (fixture->session, 250);
  g_signal_connect_swapped (weir_session_get_flows (fixture->session), "tick", G_CALLBACK (on_tick),
                            fixture);
}

static gboolean
is_idle (gpointer data)
{
  return weir_session_get_state (((Fixture *) data)->session) == WEIR_SESSION_IDLE;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree char *handoffs = g_build_filename (fixture->directory, "weir", NULL);

  weir_session_stop (fixture->session);
  sample_wait (is_idle, fixture);
  g_object_unref (fixture->session);
  g_object_unref (fixture->limited);
  g_rmdir (handoffs);
  g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
  g_free (fixture->directory);
}

static gboolean
has_ticked (gpointer data)
{
  return ((Fixture *) data)->n_ticks >= 4;
}

static gboolean
was_asked_to_announce (gpointer data)
{
  const struct weir_tick *tick =
      weir_flow_store_get_last_tick (weir_session_get_flows (((Fixture *) data)->session));

  return tick != NULL && tick->cadence_ms == 10;
}

static gboolean
was_asked_not_to_announce (gpointer data)
{
  return weir_flow_store_get_last_tick (weir_session_get_flows (((Fixture *) data)->session))
             ->cadence_ms == 0;
}

typedef struct
{
  guint n_news;
  guint64 of_tick; /* sequence of the tick before the last news */
} News;

static void
on_news (WeirFlowStore *flows, News *news)
{
  guint64 sequence = weir_flow_store_get_last_tick (flows)->sequence;
  WeirFlow *flow = weir_flow_store_lookup (flows, 1000 + sequence + 1);

  /* It is a row, and there was no tick since. */
  g_assert_nonnull (flow);
  g_autoptr (WeirFlow) last = g_list_model_get_item (
      G_LIST_MODEL (flows), g_list_model_get_n_items (G_LIST_MODEL (flows)) - 1);
  g_assert_true (flow == last);
  g_assert_true (news->n_news == 0 || sequence > news->of_tick);
  news->n_news++;
  news->of_tick = sequence;
}

static gboolean
has_news (gpointer data)
{
  return ((News *) data)->n_news >= 2;
}

/* Asked for from the beginning, or while it runs; not while nobody looks. */
static void
test_news (Fixture *fixture, gconstpointer data)
{
  News news = { 0 };

  g_signal_connect (weir_session_get_flows (fixture->session), "news", G_CALLBACK (on_news), &news);
  weir_session_start (fixture->session);
  sample_wait (has_ticked, fixture);
  g_assert_true (was_asked_not_to_announce (fixture));
  g_assert_cmpuint (news.n_news, ==, 0);
  weir_session_set_announce (fixture->session, 10);
  sample_wait (was_asked_to_announce, fixture);
  sample_wait (has_news, &news);
  /* A renewal keeps the wish. */
  weir_session_set_interval (fixture->session, 2000);
  fixture->n_ticks = 0;
  sample_wait (has_ticked, fixture);
  g_assert_true (was_asked_to_announce (fixture));
  g_signal_handlers_disconnect_by_data (weir_session_get_flows (fixture->session), &news);
  weir_session_stop (fixture->session);
  weir_session_set_visible (fixture->session, FALSE);
  weir_session_start (fixture->session);
  fixture->n_ticks = 0;
  sample_wait (has_ticked, fixture);
  sample_wait (was_asked_not_to_announce, fixture);
}

static gboolean
was_asked_for_rows (gpointer data)
{
  const struct weir_tick *tick =
      weir_flow_store_get_last_tick (weir_session_get_flows (((Fixture *) data)->session));

  return tick != NULL && tick->flows_published == 9000;
}

/* Whether or not anybody looks. */
static void
test_rows (Fixture *fixture, gconstpointer data)
{
  weir_session_start (fixture->session);
  sample_wait (has_ticked, fixture);
  g_assert_false (was_asked_for_rows (fixture));
  weir_session_set_rows (fixture->session, 9000);
  sample_wait (was_asked_for_rows, fixture);
  weir_session_set_visible (fixture->session, FALSE);
  weir_session_stop (fixture->session);
  weir_session_start (fixture->session);
  fixture->n_ticks = 0;
  sample_wait (has_ticked, fixture);
  g_assert_true (was_asked_for_rows (fixture));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/session-news/news", Fixture, NULL, set_up, test_news, tear_down);
  g_test_add ("/session-news/rows", Fixture, NULL, set_up, test_rows, tear_down);
  return g_test_run ();
}
