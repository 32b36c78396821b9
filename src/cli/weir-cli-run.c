/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-cli-run.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gi18n.h>

#include "weir-cli-output.h"
#include "weir-cli-runtime.h"
#include "weir-cli-text.h"
#include "weir-notice-words.h"
#include "weir-source-words.h"
#include "weir-user-names.h"

/* How long engines that were told to stop may take. */
#define LEAVING_MS 2000

void
weir_cli_complain (const char *message)
{
  g_autofree char *line = g_strdup_printf ("weir-cli: %s\n", message);
  g_autoptr (GString) encoded = weir_cli_text_to_locale (line);

  fwrite (encoded->str, 1, encoded->len, stderr);
}

void
weir_cli_run_quit (WeirCliRun *run)
{
  run->ended = TRUE;
  g_main_loop_quit (run->loop);
}

void
weir_cli_run_fail (WeirCliRun *run, WeirCliExit exit, const char *message)
{
  if (run->ended)
    return;
  run->exit = exit;
  g_set_str (&run->reason, message);
  weir_cli_run_quit (run);
}

void
weir_cli_run_write_table (WeirCliRun *run, const WeirCliColumn *columns, guint n_columns,
                          GPtrArray *rows, const char *rest)
{
  g_autofree char *head = weir_cli_text_make_table (columns, n_columns, rows);
  g_autofree char *table = g_strconcat (head, rest, NULL);
  g_autoptr (GError) error = NULL;
  WeirCliOutput *output = weir_cli_output_new ((void (*) (gpointer)) weir_cli_run_quit, run);

  weir_cli_output_write (output, weir_cli_text_to_locale (table));
  if (weir_cli_output_end (output, &error))
    return;
  run->exit = WEIR_CLI_EXIT_FAILED;
  weir_cli_complain (error->message);
}

/* ---- what the session says ---- */

static gboolean
has_wanted_view (WeirCliRun *run)
{
  return !run->options->full || weir_session_get_view (run->session) == WEIR_VIEW_FULL;
}

static gboolean
on_deadline (gpointer data)
{
  WeirCliRun *run = data;

  run->deadline = 0;
  weir_cli_run_quit (run);
  return G_SOURCE_REMOVE;
}

static void
on_tick (WeirFlowStore *flows, WeirCliRun *run)
{
  if (run->ended)
    return;
  if (!has_wanted_view (run))
    {
      /* As root the only engine there is has all rights that can be had. */
      if (geteuid () == 0)
        weir_cli_run_fail (run, WEIR_CLI_EXIT_NOT_FULL,
                           _ ("This system or container does not let root see everything."));
      return;
    }
  if (run->n_ticks++ == 0 && run->options->duration >= 0)
    run->deadline = g_timeout_add (run->options->duration * 1e3, on_deadline, run);
  run->options->command->tick (run);
}

static void
on_news (WeirFlowStore *flows, WeirCliRun *run)
{
  if (!run->ended && run->n_ticks > 0 && has_wanted_view (run))
    run->options->command->news (run);
}

static void
on_unlock_failed (WeirSession *session, GError *error, WeirCliRun *run)
{
  weir_cli_run_fail (run, WEIR_CLI_EXIT_NOT_FULL, error->message);
}

static void
on_state (WeirSession *session, GParamSpec *pspec, WeirCliRun *run)
{
  const GError *failure = weir_session_get_failure (session);

  /* As root the engine that is asked to count is the only one. */
  if (failure != NULL)
    weir_cli_run_fail (run,
                       run->options->accounting && run->n_ticks == 0 ? WEIR_CLI_EXIT_NOT_FULL
                                                                     : WEIR_CLI_EXIT_FAILED,
                       failure->message);
}

/* ---- what the system says ---- */

/* Once: the next signal of this kind ends everything at once, as it does without us. */
static gboolean
on_signal (gpointer data)
{
  weir_cli_run_quit (data);
  return G_SOURCE_REMOVE;
}

/* Nobody reads any more; a writer that has nothing to say would not notice. */
static gboolean
on_output_closed (int fd, GIOCondition condition, gpointer data)
{
  weir_cli_run_quit (data);
  return G_SOURCE_REMOVE;
}

static void
add_watch (WeirCliRun *run, GSource *source, GSourceFunc function)
{
  g_source_set_callback (source, function, run, NULL);
  g_source_attach (source, NULL);
  g_ptr_array_add (run->watches, source);
}

static void
watch_system (WeirCliRun *run)
{
  static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

  signal (SIGPIPE, SIG_IGN);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    add_watch (run, g_unix_signal_source_new (signals[i]), on_signal);
  add_watch (run, g_unix_fd_source_new (STDOUT_FILENO, G_IO_ERR), G_SOURCE_FUNC (on_output_closed));
}

static void
watch_free (gpointer data)
{
  g_source_destroy (data);
  g_source_unref (data);
}

/* ---- run ---- */

static void
report_loss (const struct weir_source_status *source)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GUINT64_FORMAT, source->losses);
  g_autofree char *message =
      /* TRANSLATORS: a source, and a number */
      g_strdup_printf (_ ("%s lost %s events: connections may be missing."),
                       weir_source_words_get_name (source->source), digits);

  weir_cli_complain (message);
}

/* At the end, because until then the terminal may be a live table.  The table of sources holds them
 * already. */
static void
report_notices (WeirCliRun *run)
{
  guint n;
  const struct weir_notice *notices = weir_session_get_notices (run->session, &n);

  for (guint i = 0; i < n && run->options->command != &weir_cli_sources; i++)
    {
      g_autofree char *words = weir_notice_words_get (&notices[i]);

      weir_cli_complain (words);
    }
}

static void
report_losses (WeirCliRun *run)
{
  guint n;
  const struct weir_source_status *sources = weir_session_get_sources (run->session, &n);
  const struct weir_tick *tick =
      weir_flow_store_get_last_tick (weir_session_get_flows (run->session));

  report_notices (run);
  for (guint i = 0; i < n; i++)
    if (sources[i].losses > 0)
      report_loss (&sources[i]);
  if (tick != NULL && tick->flows_refused > 0)
    weir_cli_complain (_ ("There were more connections than can be followed: some are missing."));
  if (weir_filter_has_given_up (run->options->filter))
    weir_cli_complain (_ ("A regular expression of the filter needs too many steps: it was given "
                          "up and matches nothing."));
}

static gboolean
on_patience_ended (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Engines are asked to stop, and let go of before this process, which they belong to, ends. */
static void
stop_session (WeirCliRun *run)
{
  gboolean too_late = FALSE;
  guint patience = g_timeout_add (LEAVING_MS, on_patience_ended, &too_late);

  weir_session_stop (run->session);
  while (!too_late && weir_session_get_state (run->session) == WEIR_SESSION_STOPPING)
    g_main_context_iteration (NULL, TRUE);
  if (!too_late)
    g_source_remove (patience);
  /* Waiting for an engine that never came ends, and lets go of its folder, when its turn comes. */
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

/* As root there is one engine, else one of each view. */
static WeirSession *
make_session (const WeirCliOptions *options, const char *runtime)
{
  gboolean is_root = geteuid () == 0;
  g_autoptr (WeirLauncher) direct = is_root && options->accounting
                                        ? weir_launcher_direct_new_for_accounting ()
                                        : weir_launcher_direct_new ();
  g_autoptr (WeirLauncher) pkexec = weir_launcher_pkexec_new ();
  g_autoptr (WeirLauncher) counting = weir_launcher_pkexec_new_for_accounting ();
  WeirSession *session =
      weir_session_new (direct, options->full && !is_root ? pkexec : NULL, runtime);

  weir_session_set_counting_launcher (session, counting);
  return session;
}

static void
unlock (WeirCliRun *run)
{
  if (run->options->accounting)
    weir_session_unlock_counting (run->session);
  else
    weir_session_unlock (run->session);
}

static void
measure (WeirCliRun *run)
{
  const WeirCliOptions *options = run->options;
  char *runtime = weir_cli_runtime_new ();

  /* Names come from another thread: those that are sure to be met shall be there in the first
   * line. */
  weir_user_names_get (0);
  weir_user_names_get (geteuid ());
  run->session = make_session (options, runtime);
  weir_session_set_interval (run->session, options->interval_ms);
  g_signal_connect (weir_session_get_flows (run->session), "tick", G_CALLBACK (on_tick), run);
  if (options->command->writes_all)
    weir_session_set_rows (run->session, WEIR_ROWS_MAX);
  if (options->command->news != NULL)
    {
      weir_session_set_announce (run->session, WEIR_ANNOUNCE_FLOOR_MS);
      g_signal_connect (weir_session_get_flows (run->session), "news", G_CALLBACK (on_news), run);
    }
  g_signal_connect (run->session, "notify::state", G_CALLBACK (on_state), run);
  g_signal_connect (run->session, "unlock-failed", G_CALLBACK (on_unlock_failed), run);
  g_autoptr (GError) error = NULL;
  if (options->command->begin (run, &error))
    {
      weir_session_start (run->session);
      if (options->full && geteuid () != 0 && !run->ended)
        unlock (run);
      if (!run->ended)
        g_main_loop_run (run->loop);
      run->ended = TRUE;
      options->command->end (run);
      if (run->n_ticks > 0)
        report_losses (run);
      stop_session (run);
    }
  else
    weir_cli_run_fail (run, WEIR_CLI_EXIT_USAGE, error->message);
  if (run->reason != NULL)
    weir_cli_complain (run->reason);
  g_signal_handlers_disconnect_by_data (weir_session_get_flows (run->session), run);
  g_signal_handlers_disconnect_by_data (run->session, run);
  g_clear_object (&run->session);
  weir_cli_runtime_free (runtime);
}

WeirCliExit
weir_cli_run (const WeirCliOptions *options)
{
  WeirCliRun run = { .options = options, .exit = WEIR_CLI_EXIT_DONE };

  if (options->command->run != NULL)
    return options->command->run (options);
  run.loop = g_main_loop_new (NULL, FALSE);
  run.watches = g_ptr_array_new_with_free_func (watch_free);
  watch_system (&run);
  measure (&run);
  g_clear_handle_id (&run.deadline, g_source_remove);
  g_ptr_array_unref (run.watches);
  g_free (run.reason);
  g_main_loop_unref (run.loop);
  return run.exit;
}
