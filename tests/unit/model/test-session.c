/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "fake-launcher.h"
#include "model-samples.h"
#include "weir-listener.h"
#include "weir-namespace-names.h"
#include "weir-session-details.h"
#include "weir-session.h"

typedef struct
{
  char *directory;
  FakeLauncher *limited;
  FakeLauncher *full;
  WeirSession *session;
  GString *states; /* every state that was notified */
  GError *unlock_error;
  guint n_ticks;
  guint n_sources;
  guint n_interfaces;
  guint n_confinement;
} Fixture;

static void
on_state (WeirSession *session, GParamSpec *pspec, Fixture *fixture)
{
  GEnumClass *class = g_type_class_ref (WEIR_TYPE_SESSION_STATE);

  g_string_append_printf (fixture->states, "%s ",
                          g_enum_get_value (class, weir_session_get_state (session))->value_nick);
  g_type_class_unref (class);
}

static void
on_unlock_failed (WeirSession *session, GError *error, Fixture *fixture)
{
  g_assert_null (fixture->unlock_error);
  fixture->unlock_error = g_error_copy (error);
}

static void
on_tick (Fixture *fixture)
{
  fixture->n_ticks++;
}

static void
count (guint *n)
{
  (*n)++;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->directory = g_dir_make_tmp ("weir-test-XXXXXX", NULL);
  fixture->limited = fake_launcher_new ("limited");
  fixture->full = fake_launcher_new ("full");
  fixture->states = g_string_new (NULL);
  fixture->session = weir_session_new (WEIR_LAUNCHER (fixture->limited),
                                       WEIR_LAUNCHER (fixture->full), fixture->directory);
  weir_session_set_interval (fixture->session, 250);
  g_signal_connect (fixture->session, "notify::state", G_CALLBACK (on_state), fixture);
  g_signal_connect (fixture->session, "unlock-failed", G_CALLBACK (on_unlock_failed), fixture);
  g_signal_connect_swapped (weir_session_get_flows (fixture->session), "tick", G_CALLBACK (on_tick),
                            fixture);
  g_signal_connect_swapped (fixture->session, "sources-changed", G_CALLBACK (count),
                            &fixture->n_sources);
  g_signal_connect_swapped (fixture->session, "interfaces-changed", G_CALLBACK (count),
                            &fixture->n_interfaces);
  g_signal_connect_swapped (fixture->session, "confinement-changed", G_CALLBACK (count),
                            &fixture->n_confinement);
}

static gboolean
is_idle (gpointer data)
{
  return weir_session_get_state (((Fixture *) data)->session) == WEIR_SESSION_IDLE;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  if (fixture->session != NULL)
    {
      weir_session_stop (fixture->session);
      sample_wait (is_idle, fixture);
      g_object_unref (fixture->session);
    }
  g_object_unref (fixture->limited);
  g_object_unref (fixture->full);
  g_string_free (fixture->states, TRUE);
  g_clear_error (&fixture->unlock_error);

  /* Not even an empty handoff folder is left. */
  g_autofree char *handoffs = g_build_filename (fixture->directory, "weir", NULL);
  g_autoptr (GDir) folder = g_dir_open (handoffs, 0, NULL);
  if (folder != NULL)
    g_assert_cmpstr (g_dir_read_name (folder), ==, NULL);
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
is_running (gpointer data)
{
  return weir_session_get_state (((Fixture *) data)->session) == WEIR_SESSION_RUNNING;
}

static gboolean
has_failed (gpointer data)
{
  return weir_session_get_state (((Fixture *) data)->session) == WEIR_SESSION_FAILED;
}

static gboolean
is_full (gpointer data)
{
  return weir_session_get_view (((Fixture *) data)->session) == WEIR_VIEW_FULL;
}

static gboolean
is_limited (gpointer data)
{
  return !is_full (data);
}

static gboolean
unlock_has_failed (gpointer data)
{
  return ((Fixture *) data)->unlock_error != NULL;
}

static gboolean
is_not_answering (gpointer data)
{
  return weir_session_get_state (((Fixture *) data)->session) == WEIR_SESSION_NOT_ANSWERING;
}

static gboolean
can_unlock (gpointer data)
{
  return weir_session_get_can_unlock (((Fixture *) data)->session);
}

static guint
get_n_rows (Fixture *fixture)
{
  return g_list_model_get_n_items (G_LIST_MODEL (weir_session_get_flows (fixture->session)));
}

static void
start (Fixture *fixture)
{
  weir_session_start (fixture->session);
  sample_wait (is_running, fixture);
}

static gboolean
process_is_gone (gpointer data)
{
  return kill (*(pid_t *) data, 0) < 0;
}

static gboolean
keep_awake (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* Reaping is the child's business, after the object is let go. */
static void
assert_ends (pid_t pid)
{
  guint timer = g_timeout_add (10, keep_awake, NULL);

  sample_wait (process_is_gone, &pid);
  g_source_remove (timer);
}

static void
test_limited (Fixture *fixture, gconstpointer data)
{
  guint n;

  g_assert_cmpint (weir_session_get_state (fixture->session), ==, WEIR_SESSION_IDLE);
  start (fixture);
  sample_wait (has_ticked, fixture);
  g_assert_cmpstr (fixture->states->str, ==, "starting running ");
  g_assert_cmpint (weir_session_get_view (fixture->session), ==, WEIR_VIEW_LIMITED);
  g_assert_cmpuint (get_n_rows (fixture), ==, 3);
  g_assert_null (weir_session_get_failure (fixture->session));

  /* Loopback is not traffic of the computer; the first sample begins after the first tick. */
  WeirHistory *history = weir_session_get_history (fixture->session);
  g_assert_cmpuint (weir_history_get_n_samples (history), >=, 2);
  g_assert_cmpfloat (weir_history_get_sample (history, 0)->rx, ==, 120000);
  g_assert_cmpfloat (weir_history_get_sample (history, 0)->tx, ==, 6000);
  g_assert_cmpuint (weir_history_get_sample (history, 0)->interval, ==, 250000000);

  const struct weir_source_status *sources = weir_session_get_sources (fixture->session, &n);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpint (sources[1].reason, ==, WEIR_REASON_NEEDS_FULL_VIEW);
  weir_session_get_confinement (fixture->session, &n);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpstr (weir_session_get_interfaces (fixture->session, &n)[1].name, ==, "eth0");
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (fixture->n_sources, ==, 1);
  g_assert_cmpuint (fixture->n_confinement, ==, 1);
  g_assert_cmpuint (fixture->n_interfaces, >=, 4);
}

typedef struct
{
  WeirProcessDetails *details;
  GError *error;
} Told;

static void
on_details (GObject *source, GAsyncResult *result, gpointer data)
{
  Told *told = data;

  told->details = weir_session_get_details_finish (WEIR_SESSION (source), result, &told->error);
}

static gboolean
is_told (gpointer data)
{
  const Told *told = data;

  return told->details != NULL || told->error != NULL;
}

static void
clear_told (Told *told)
{
  g_clear_pointer (&told->details, weir_process_details_unref);
  g_clear_error (&told->error);
}

static void
ask (Fixture *fixture, guint32 pid, Told *told)
{
  weir_session_get_details_async (fixture->session, pid, 5, NULL, on_details, told);
}

static void
test_details (Fixture *fixture, gconstpointer data)
{
  Told told[30] = { 0 };

  ask (fixture, 77, &told[0]);
  sample_wait (is_told, &told[0]);
  g_assert_error (told[0].error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  clear_told (&told[0]);

  start (fixture);
  for (guint i = 0; i < 3; i++)
    ask (fixture, i == 0 ? 77 : i, &told[i]);
  for (guint i = 0; i < 3; i++)
    {
      sample_wait (is_told, &told[i]);
      g_assert_no_error (told[i].error);
    }
  g_assert_cmpint (told[0].details->outcome, ==, WEIR_DETAILS_SHOWN);
  g_assert_cmpstr (told[0].details->exe, ==, "/usr/bin/ex\357\277\275ample");
  g_assert_cmpstr (told[0].details->cwd, ==, "/");
  g_assert_cmpstr (told[0].details->command, ==, "example 'two words' '' --x");
  g_assert_null (weir_process_details_get_reason (told[0].details));
  g_assert_cmpint (told[1].details->outcome, ==, WEIR_DETAILS_REFUSED);
  g_assert_null (told[1].details->exe);
  g_assert_cmpstr (weir_process_details_get_reason (told[1].details), ==,
                   "Not disclosed by this computer's policy");
  g_assert_cmpint (told[2].details->outcome, ==, WEIR_DETAILS_GONE);
  /* What is known is not asked again. */
  g_assert_true (weir_session_peek_details (fixture->session, 77, 5) == told[0].details);
  g_assert_null (weir_session_peek_details (fixture->session, 77, 6));
  for (guint i = 0; i < 3; i++)
    clear_told (&told[i]);

  /* A flood is spread over time, and every question gets its answer. */
  const gint64 began = g_get_monotonic_time ();
  for (guint i = 0; i < G_N_ELEMENTS (told); i++)
    ask (fixture, 1000 + i, &told[i]);
  for (guint i = 0; i < G_N_ELEMENTS (told); i++)
    {
      sample_wait (is_told, &told[i]);
      g_assert_no_error (told[i].error);
      clear_told (&told[i]);
    }
  g_assert_cmpint (g_get_monotonic_time () - began, >=, G_USEC_PER_SEC);
}

/* Nobody waits for an engine for ever, nor for one that is not there any more. */
static void
test_details_unanswered (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Told told[3] = { 0 };

  start (fixture);
  ask (fixture, 3, &told[0]);
  ask (fixture, 4, &told[1]);
  weir_session_get_details_async (fixture->session, 5, 5, cancellable, on_details, &told[2]);
  g_cancellable_cancel (cancellable);
  sample_wait (is_told, &told[0]);
  g_assert_error (told[0].error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_TIMEOUT);
  sample_wait (is_told, &told[1]);
  g_assert_no_error (told[1].error);
  sample_wait (is_told, &told[2]);
  g_assert_error (told[2].error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  for (guint i = 0; i < 3; i++)
    clear_told (&told[i]);

  ask (fixture, 3, &told[0]);
  weir_session_unlock (fixture->session);
  sample_wait (is_full, fixture);
  sample_wait (is_told, &told[0]);
  g_assert_error (told[0].error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  clear_told (&told[0]);
  g_assert_null (weir_session_peek_details (fixture->session, 4, 5));
}

static void
test_notices (Fixture *fixture, gconstpointer data)
{
  guint n, n_changes = 0;

  g_signal_connect_swapped (fixture->session, "notices-changed", G_CALLBACK (count), &n_changes);
  fake_launcher_set_script (fixture->limited, "notices");
  start (fixture);
  sample_wait (has_ticked, fixture);
  const struct weir_notice *notices = weir_session_get_notices (fixture->session, &n);
  g_assert_cmpuint (n_changes, ==, 1);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpuint (notices[0].number, ==, 7);
  g_assert_cmpuint (notices[1].code, ==, WEIR_NOTICE_CONFIG_MORE);

  /* Another engine has nothing to complain about. */
  weir_session_unlock (fixture->session);
  sample_wait (is_full, fixture);
  weir_session_get_notices (fixture->session, &n);
  g_assert_cmpuint (n, ==, 0);
  g_assert_cmpuint (n_changes, ==, 2);
}

static void
test_namespaces (Fixture *fixture, gconstpointer data)
{
  guint n, n_changes = 0;
  guint32 left_out;

  g_signal_connect_swapped (fixture->session, "namespaces-changed", G_CALLBACK (count), &n_changes);
  start (fixture);
  sample_wait (has_ticked, fixture);
  const struct weir_namespace_record *namespaces =
      weir_session_get_namespaces (fixture->session, &n, &left_out);
  g_assert_cmpuint (n_changes, ==, 1);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (left_out, ==, 2);
  g_assert_cmpuint (namespaces[2].how, ==, WEIR_NAMESPACE_LISTED);
  g_assert_null (weir_namespace_names_get (7));
  g_assert_cmpstr (weir_namespace_names_get (8), ==, "init\357\277\275[31m");
  g_assert_cmpstr (weir_namespace_names_get (9), ==, "web");
  g_assert_null (weir_namespace_names_get (10));
}

static void
test_stop (Fixture *fixture, gconstpointer data)
{
  start (fixture);
  weir_session_stop (fixture->session);
  sample_wait (is_idle, fixture);
  g_assert_cmpstr (fixture->states->str, ==, "starting running stopping idle ");
  assert_ends (fake_launcher_get_pid (fixture->limited));
}

static void
test_last_reference_ends_engines (Fixture *fixture, gconstpointer data)
{
  start (fixture);
  g_clear_object (&fixture->session);
  assert_ends (fake_launcher_get_pid (fixture->limited));
}

static void
test_unlock_keeps_rows (Fixture *fixture, gconstpointer data)
{
  start (fixture);
  sample_wait (can_unlock, fixture);
  WeirFlowStore *flows = weir_session_get_flows (fixture->session);
  g_autoptr (WeirFlow) kept = g_object_ref (weir_flow_store_lookup (flows, 2));
  pid_t limited = fake_launcher_get_pid (fixture->limited);

  weir_session_unlock (fixture->session);
  g_assert_cmpint (weir_session_get_state (fixture->session), ==, WEIR_SESSION_AUTHORISING);
  guint n_before = fixture->n_ticks;
  sample_wait (is_full, fixture);
  sample_wait (is_running, fixture);
  g_assert_cmpstr (fixture->states->str, ==, "starting running authorising running ");
  g_assert_cmpuint (fixture->n_ticks, >, n_before);
  g_assert_cmpuint (get_n_rows (fixture), ==, 4);
  /* The same row, under the number of the other engine. */
  g_assert_true (weir_flow_store_lookup (flows, 89) == kept);
  guint n;
  g_assert_cmpint (weir_session_get_sources (fixture->session, &n)[1].state, ==,
                   WEIR_SOURCE_ACTIVE);
  assert_ends (limited);
  g_assert_no_error (fixture->unlock_error);

  weir_session_return_to_limited (fixture->session);
  g_assert_cmpint (weir_session_get_state (fixture->session), ==, WEIR_SESSION_RUNNING);
  sample_wait (is_limited, fixture);
  g_assert_cmpuint (get_n_rows (fixture), ==, 3);
  g_assert_true (weir_flow_store_lookup (flows, 2) == kept);
  assert_ends (fake_launcher_get_pid (fixture->full));
}

static void
test_unlock_before_the_first_tick (Fixture *fixture, gconstpointer data)
{
  weir_session_start (fixture->session);
  weir_session_unlock (fixture->session);
  sample_wait (is_full, fixture);
  g_assert_cmpuint (fake_launcher_get_n_launched (fixture->limited), ==, 1);
}

static void
assert_unlock_fails (Fixture *fixture, const char *script, int code)
{
  fake_launcher_set_script (fixture->full, script);
  start (fixture);
  weir_session_unlock (fixture->session);
  sample_wait (unlock_has_failed, fixture);
  g_assert_error (fixture->unlock_error, WEIR_HANDOFF_ERROR, code);
  /* The limited view never stopped. */
  g_assert_cmpstr (fixture->states->str, ==, "starting running authorising running ");
  g_assert_cmpint (weir_session_get_view (fixture->session), ==, WEIR_VIEW_LIMITED);
  g_assert_cmpuint (fake_launcher_get_n_launched (fixture->limited), ==, 1);
  fixture->n_ticks = 0;
  sample_wait (has_ticked, fixture);
}

static void
test_dismissed (Fixture *fixture, gconstpointer data)
{
  assert_unlock_fails (fixture, "exit-126", WEIR_HANDOFF_ERROR_DISMISSED);
  g_assert_true (weir_session_get_can_unlock (fixture->session));

  /* Another try may succeed. */
  g_clear_error (&fixture->unlock_error);
  fake_launcher_set_script (fixture->full, "full");
  weir_session_unlock (fixture->session);
  sample_wait (is_full, fixture);
}

static void
test_denied (Fixture *fixture, gconstpointer data)
{
  assert_unlock_fails (fixture, "exit-127", WEIR_HANDOFF_ERROR_DENIED);
}

static void
test_other_version (Fixture *fixture, gconstpointer data)
{
  assert_unlock_fails (fixture, "version", WEIR_HANDOFF_ERROR_VERSION);
}

static void
test_engine_says_why (Fixture *fixture, gconstpointer data)
{
  assert_unlock_fails (fixture, "says-error", WEIR_HANDOFF_ERROR_ENGINE);
  g_assert_nonnull (strstr (fixture->unlock_error->message, "could not give up its rights"));
  g_assert_nonnull (strstr (fixture->unlock_error->message, "set\ufffduid"));
}

static void
test_unlock_is_not_possible (Fixture *fixture, gconstpointer data)
{
  fake_launcher_set_impossible (fixture->full, "This copy can be changed by others.");
  start (fixture);
  sample_wait (has_ticked, fixture);
  g_assert_false (weir_session_get_can_unlock (fixture->session));
  g_assert_cmpstr (weir_session_get_unlock_reason (fixture->session), ==,
                   "This copy can be changed by others.");
  weir_session_unlock (fixture->session);
  sample_wait (unlock_has_failed, fixture);
  g_assert_error (fixture->unlock_error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_UNSAFE);
  g_assert_cmpuint (fake_launcher_get_n_launched (fixture->full), ==, 0);
  g_assert_cmpint (weir_session_get_state (fixture->session), ==, WEIR_SESSION_RUNNING);

  /* The reason has gone meanwhile. */
  g_clear_error (&fixture->unlock_error);
  fake_launcher_set_impossible (fixture->full, NULL);
  weir_session_unlock (fixture->session);
  sample_wait (is_full, fixture);
  g_assert_true (weir_session_get_can_unlock (fixture->session));
  g_assert_null (weir_session_get_unlock_reason (fixture->session));
}

static gboolean
is_counting (gpointer data)
{
  return weir_session_get_counts (((Fixture *) data)->session);
}

/* From the full view, with another launcher, and only where bytes are not counted. */
static void
test_counting (Fixture *fixture, gconstpointer data)
{
  g_autoptr (FakeLauncher) counting = fake_launcher_new ("exit-126");

  fake_launcher_set_script (fixture->full, "full-uncounted");
  weir_session_unlock_counting (fixture->session);
  g_assert_cmpint (weir_session_get_state (fixture->session), ==, WEIR_SESSION_IDLE);
  start (fixture);
  weir_session_unlock (fixture->session);
  sample_wait (is_full, fixture);
  sample_wait (is_running, fixture);
  g_assert_false (weir_session_get_asked_to_count (fixture->session));
  /* Nobody who could. */
  g_assert_false (weir_session_get_can_count (fixture->session));
  weir_session_set_counting_launcher (fixture->session, WEIR_LAUNCHER (counting));
  g_assert_true (weir_session_get_can_count (fixture->session));
  g_assert_false (weir_session_get_counts (fixture->session));

  /* Dismissed: the full view goes on. */
  weir_session_unlock_counting (fixture->session);
  g_assert_true (weir_session_get_asked_to_count (fixture->session));
  g_assert_cmpint (weir_session_get_state (fixture->session), ==, WEIR_SESSION_AUTHORISING);
  g_assert_false (weir_session_get_can_count (fixture->session));
  sample_wait (unlock_has_failed, fixture);
  g_assert_error (fixture->unlock_error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_DISMISSED);
  g_clear_error (&fixture->unlock_error);
  g_assert_cmpint (weir_session_get_view (fixture->session), ==, WEIR_VIEW_FULL);
  g_assert_true (weir_session_get_can_count (fixture->session));

  /* Not possible: that says nothing about the full view. */
  fake_launcher_set_impossible (counting, "This action is not installed.");
  weir_session_unlock_counting (fixture->session);
  sample_wait (unlock_has_failed, fixture);
  g_clear_error (&fixture->unlock_error);
  g_assert_true (weir_session_get_can_unlock (fixture->session));
  g_assert_cmpuint (fake_launcher_get_n_launched (counting), ==, 1);

  fake_launcher_set_impossible (counting, NULL);
  fake_launcher_set_script (counting, "full-counted");
  pid_t full = fake_launcher_get_pid (fixture->full);
  weir_session_unlock_counting (fixture->session);
  sample_wait (is_counting, fixture);
  sample_wait (is_running, fixture);
  g_assert_cmpint (weir_session_get_view (fixture->session), ==, WEIR_VIEW_FULL);
  g_assert_false (weir_session_get_can_count (fixture->session));
  assert_ends (full);

  weir_session_return_to_limited (fixture->session);
  sample_wait (is_limited, fixture);
  g_assert_false (weir_session_get_counts (fixture->session));
  assert_ends (fake_launcher_get_pid (counting));
}

/* Asked for both in one go, as weir-cli does. */
static void
test_counting_at_once (Fixture *fixture, gconstpointer data)
{
  g_autoptr (FakeLauncher) counting = fake_launcher_new ("full-counted");

  weir_session_set_counting_launcher (fixture->session, WEIR_LAUNCHER (counting));
  weir_session_start (fixture->session);
  weir_session_unlock_counting (fixture->session);
  sample_wait (is_counting, fixture);
  g_assert_cmpint (weir_session_get_view (fixture->session), ==, WEIR_VIEW_FULL);
  g_assert_cmpuint (fake_launcher_get_n_launched (fixture->full), ==, 0);
}

static gboolean
full_was_launched (gpointer data)
{
  return fake_launcher_get_n_launched (((Fixture *) data)->full) == 1;
}

static void
test_cancel_unlock (Fixture *fixture, gconstpointer data)
{
  fake_launcher_set_script (fixture->full, "never-connects");
  start (fixture);
  weir_session_unlock (fixture->session);
  sample_wait (full_was_launched, fixture);
  weir_session_cancel_unlock (fixture->session);
  g_assert_cmpint (weir_session_get_state (fixture->session), ==, WEIR_SESSION_RUNNING);
  assert_ends (fake_launcher_get_pid (fixture->full));
  g_assert_no_error (fixture->unlock_error);
  fixture->n_ticks = 0;
  sample_wait (has_ticked, fixture);
}

static void
test_engine_dies (Fixture *fixture, gconstpointer data)
{
  fake_launcher_set_script (fixture->full, "full-dies");
  start (fixture);
  weir_session_unlock (fixture->session);
  sample_wait (is_full, fixture);
  sample_wait (has_failed, fixture);
  g_assert_error (weir_session_get_failure (fixture->session), WEIR_HANDOFF_ERROR,
                  WEIR_HANDOFF_ERROR_ENGINE);
  g_assert_cmpstr (weir_session_get_failure (fixture->session)->message, ==, "signal 9");
  /* What was seen last is still there. */
  g_assert_cmpuint (get_n_rows (fixture), ==, 4);

  start (fixture);
  g_assert_cmpint (weir_session_get_view (fixture->session), ==, WEIR_VIEW_LIMITED);
  g_assert_null (weir_session_get_failure (fixture->session));
  g_assert_cmpuint (get_n_rows (fixture), ==, 3);
  g_assert_cmpstr (fixture->states->str, ==,
                   "starting running authorising running failed starting running ");
}

static void
test_engine_does_not_start (Fixture *fixture, gconstpointer data)
{
  fake_launcher_set_script (fixture->limited, "exit-66");
  weir_session_start (fixture->session);
  sample_wait (has_failed, fixture);
  g_assert_cmpstr (weir_session_get_failure (fixture->session)->message, ==, "code 66");
  fake_launcher_set_script (fixture->limited, "limited");
  start (fixture);
}

static void
test_nonsense (Fixture *fixture, gconstpointer data)
{
  fake_launcher_set_script (fixture->limited, "nonsense");
  start (fixture);
  sample_wait (has_failed, fixture);
  g_assert_error (weir_session_get_failure (fixture->session), WEIR_HANDOFF_ERROR,
                  WEIR_HANDOFF_ERROR_VERSION);
}

static void
test_no_runtime_directory (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeirSession) session =
      weir_session_new (WEIR_LAUNCHER (fixture->limited), NULL, "/nonexistent");

  weir_session_start (session);
  g_assert_cmpint (weir_session_get_state (session), ==, WEIR_SESSION_FAILED);
  g_assert_error (weir_session_get_failure (session), WEIR_HANDOFF_ERROR,
                  WEIR_HANDOFF_ERROR_RUNTIME_DIR);
  g_assert_false (weir_session_get_can_unlock (session));
  g_assert_cmpuint (fake_launcher_get_n_launched (fixture->limited), ==, 0);
}

static void
test_not_answering (Fixture *fixture, gconstpointer data)
{
  fake_launcher_set_script (fixture->limited, "pauses");
  start (fixture);
  sample_wait (is_not_answering, fixture);
  guint n_before = weir_history_get_n_samples (weir_session_get_history (fixture->session));
  guint n_ticks = fixture->n_ticks;
  sample_wait (is_running, fixture);
  g_assert_cmpstr (fixture->states->str, ==, "starting running not-answering running ");
  /* The tick that ends the silence is no sample: a gap stays. */
  g_assert_cmpuint (fixture->n_ticks, ==, n_ticks + 1);
  g_assert_cmpuint (weir_history_get_n_samples (weir_session_get_history (fixture->session)), ==,
                    n_before);
}

/* The engine's last words about what it was asked for: how often, and the last interval. */
static gboolean
was_asked (Fixture *fixture, guint n, guint interval)
{
  const struct weir_tick *tick =
      weir_flow_store_get_last_tick (weir_session_get_flows (fixture->session));

  return tick != NULL && tick->coalesced == n && tick->flows_refused == interval;
}

static gboolean
was_started (gpointer data)
{
  return was_asked (data, 1, 250);
}

static gboolean
was_asked_for_another (gpointer data)
{
  return was_asked (data, 2, 2000);
}

static gboolean
was_asked_again (gpointer data)
{
  return was_asked (data, 3, 2000);
}

static void
test_cadence (Fixture *fixture, gconstpointer data)
{
  start (fixture);
  sample_wait (was_started, fixture);
  weir_session_set_interval (fixture->session, 2000);
  sample_wait (was_asked_for_another, fixture);
  /* Who looks away says nothing; who looks again asks at once. */
  weir_session_set_visible (fixture->session, FALSE);
  fixture->n_ticks = 0;
  sample_wait (has_ticked, fixture);
  g_assert_true (was_asked_for_another (fixture));
  weir_session_set_visible (fixture->session, TRUE);
  sample_wait (was_asked_again, fixture);
}

static gboolean
was_renewed (gpointer data)
{
  return was_asked (data, 2, 250);
}

static void
test_renewal (Fixture *fixture, gconstpointer data)
{
  start (fixture);
  sample_wait (was_started, fixture);
  gint64 begin = g_get_monotonic_time ();
  sample_wait (was_renewed, fixture);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, WEIR_RENEWAL_MS * G_GINT64_CONSTANT (1000));
}

static gboolean
limited_is_gone (gpointer data)
{
  return kill (fake_launcher_get_pid (((Fixture *) data)->limited), 0) < 0;
}

static void
test_limited_dies_while_authorising (Fixture *fixture, gconstpointer data)
{
  fake_launcher_set_script (fixture->limited, "limited-dies");
  fake_launcher_set_script (fixture->full, "never-connects");
  start (fixture);
  weir_session_unlock (fixture->session);
  guint timer = g_timeout_add (10, keep_awake, NULL);
  sample_wait (limited_is_gone, fixture);
  g_source_remove (timer);
  /* A password may still be typed; only when that is given up is there nothing left. */
  g_assert_cmpint (weir_session_get_state (fixture->session), ==, WEIR_SESSION_AUTHORISING);
  weir_session_cancel_unlock (fixture->session);
  g_assert_cmpint (weir_session_get_state (fixture->session), ==, WEIR_SESSION_FAILED);
  g_assert_cmpstr (weir_session_get_failure (fixture->session)->message, ==, "signal 9");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
  g_test_add ("/session/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("limited", test_limited);
  ADD ("details", test_details);
  ADD ("details-unanswered", test_details_unanswered);
  ADD ("notices", test_notices);
  ADD ("namespaces", test_namespaces);
  ADD ("stop", test_stop);
  ADD ("last-reference-ends-engines", test_last_reference_ends_engines);
  ADD ("unlock-keeps-rows", test_unlock_keeps_rows);
  ADD ("unlock-before-the-first-tick", test_unlock_before_the_first_tick);
  ADD ("counting", test_counting);
  ADD ("counting-at-once", test_counting_at_once);
  ADD ("dismissed", test_dismissed);
  ADD ("denied", test_denied);
  ADD ("other-version", test_other_version);
  ADD ("engine-says-why", test_engine_says_why);
  ADD ("unlock-is-not-possible", test_unlock_is_not_possible);
  ADD ("cancel-unlock", test_cancel_unlock);
  ADD ("engine-dies", test_engine_dies);
  ADD ("engine-does-not-start", test_engine_does_not_start);
  ADD ("nonsense", test_nonsense);
  ADD ("no-runtime-directory", test_no_runtime_directory);
  ADD ("not-answering", test_not_answering);
  ADD ("cadence", test_cadence);
  ADD ("renewal", test_renewal);
  ADD ("limited-dies-while-authorising", test_limited_dies_while_authorising);
  return g_test_run ();
}
