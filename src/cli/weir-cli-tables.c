/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps, listeners and sources: a table of how things are, once. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include <glib/gi18n.h>

#include "weir-app-totals.h"
#include "weir-cli-run.h"
#include "weir-cli-text.h"
#include "weir-format.h"
#include "weir-interface-names.h"
#include "weir-notice-words.h"
#include "weir-posture-words.h"
#include "weir-source-words.h"

/* Rates need two readings. */
#define APPS_TICKS 2

/* @rest: what stands below the table. */
static void
add_row (GPtrArray *rows, char *const *cells)
{
  g_ptr_array_add (rows, g_strdupv ((char **) cells));
}

static gboolean
begin (WeirCliRun *run, GError **error)
{
  return TRUE;
}

/* ---- apps ---- */

static void
apps_tick (WeirCliRun *run)
{
  if (run->options->duration < 0 && run->n_ticks >= APPS_TICKS)
    weir_cli_run_quit (run);
}

static void
apps_end (WeirCliRun *run)
{
  const WeirCliColumn columns[] = {
    { _ ("App"), FALSE }, { _ ("Connections"), TRUE }, { _ ("Received"), TRUE },
    { _ ("Sent"), TRUE }, { _ ("Received/s"), TRUE },  { _ ("Sent/s"), TRUE },
  };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);

  if (run->n_ticks == 0)
    return;
  g_autoptr (GPtrArray) totals = weir_app_totals_new (
      G_LIST_MODEL (weir_session_get_flows (run->session)), run->options->filter);
  for (guint i = 0; i < totals->len; i++)
    {
      const WeirAppTotal *total = totals->pdata[i];
      g_autofree char *connections = g_strdup_printf ("%u", total->connections);
      g_autofree char *rx = weir_format_bytes (total->rx_bytes);
      g_autofree char *tx = weir_format_bytes (total->tx_bytes);
      g_autofree char *rx_rate = weir_format_rate (total->rx_rate, FALSE);
      g_autofree char *tx_rate = weir_format_rate (total->tx_rate, FALSE);
      const char *name = total->name != NULL ? total->name : _ ("Unknown App");
      char *const cells[] = { (char *) name, connections, rx, tx, rx_rate, tx_rate, NULL };
      add_row (rows, cells);
    }
  weir_cli_run_write_table (run, columns, G_N_ELEMENTS (columns), rows, "");
}

const WeirCliCommand weir_cli_apps = {
  .name = "apps",
  .summary = N_ ("totals of each application"),
  .takes = WEIR_CLI_TAKES_DURATION,
  .begin = begin,
  .tick = apps_tick,
  .end = apps_end,
};

/* ---- listeners ---- */

/* The first tick has the sockets and mostly their owners, the second what was late; an engine that
 * lists none at all is not waited for. */
#define LISTENERS_TICKS     2
#define LISTENERS_TICKS_MAX 5

static void
listeners_tick (WeirCliRun *run)
{
  WeirReceiverStore *receivers = weir_session_get_receivers (run->session);

  if (run->n_ticks >= LISTENERS_TICKS_MAX ||
      (run->n_ticks >= LISTENERS_TICKS && weir_receiver_store_is_known (receivers)))
    weir_cli_run_quit (run);
}

/* What can be reached from most places comes first. */
static int
compare_receivers (gconstpointer a, gconstpointer b)
{
  WeirReceiver *one = *(WeirReceiver *const *) a, *other = *(WeirReceiver *const *) b;
  int order = (int) weir_receiver_get_exposure (other) - (int) weir_receiver_get_exposure (one);

  if (order == 0)
    order = strcmp (weir_receiver_get_protocol (one), weir_receiver_get_protocol (other));
  if (order == 0)
    order = (int) weir_receiver_get_record (one)->local.port -
            (int) weir_receiver_get_record (other)->local.port;
  return order != 0 ? order
                    : strcmp (weir_receiver_get_local (one), weir_receiver_get_local (other));
}

static char *
word_since (WeirReceiver *receiver)
{
  gint64 since = weir_receiver_get_since (receiver);

  if (since < 0)
    return g_strdup ("");
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (since / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = g_date_time_to_local (utc);
  return g_date_time_format (local, "%X");
}

static char *
word_interface (const struct weir_receiver_record *record)
{
  const char *name = weir_interface_names_get (record->netns, record->ifindex);

  if (record->ifindex == 0 || name != NULL)
    return g_strdup (name != NULL ? name : "");
  return g_strdup_printf ("%u", record->ifindex);
}

static char *
word_queue (const struct weir_receiver_record *record)
{
  return record->has_queue ? g_strdup_printf ("%u/%u", record->queue, record->backlog)
                           : g_strdup ("");
}

static void
add_receiver (GPtrArray *rows, WeirReceiver *receiver)
{
  const struct weir_receiver_record *record = weir_receiver_get_record (receiver);
  const char *app = weir_receiver_get_app_name (receiver);
  const char *comm = weir_receiver_get_comm (receiver);
  const char *user = weir_receiver_get_user (receiver);
  g_autofree char *interface = word_interface (record);
  g_autofree char *pid = record->pid != 0 ? g_strdup_printf ("%u", record->pid) : g_strdup ("");
  g_autofree char *queue = word_queue (record);
  g_autofree char *since = word_since (receiver);
  char *const cells[] = { (char *) weir_receiver_get_protocol (receiver),
                          (char *) weir_receiver_get_local (receiver),
                          interface,
                          (char *) weir_exposure_get_name (weir_receiver_get_exposure (receiver)),
                          (char *) (app != NULL ? app : _ ("Unknown App")),
                          (char *) (comm != NULL ? comm : ""),
                          pid,
                          (char *) (user != NULL ? user : ""),
                          queue,
                          since,
                          NULL };
  add_row (rows, cells);
}

static void
listeners_end (WeirCliRun *run)
{
  const WeirCliColumn columns[] = {
    { _ ("Protocol"), FALSE },     { _ ("Address"), FALSE }, { _ ("Interface"), FALSE },
    { _ ("Reached From"), FALSE }, { _ ("App"), FALSE },     { _ ("Process"), FALSE },
    { _ ("PID"), TRUE },           { _ ("User"), FALSE },    { _ ("Waiting"), TRUE },
    { _ ("Since"), FALSE },
  };
  WeirReceiverStore *store = weir_session_get_receivers (run->session);
  g_autoptr (GPtrArray) receivers = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  guint not_listed = weir_receiver_store_get_n_not_listed (store);

  if (run->n_ticks == 0)
    return;
  if (!weir_receiver_store_is_known (store))
    {
      run->exit = WEIR_CLI_EXIT_FAILED;
      weir_cli_complain (_ ("the sockets could not be read; “weir-cli sources” says why"));
      return;
    }
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (store)); i++)
    g_ptr_array_add (receivers, g_list_model_get_item (G_LIST_MODEL (store), i));
  g_ptr_array_sort (receivers, compare_receivers);
  for (guint i = 0; i < receivers->len; i++)
    add_receiver (rows, receivers->pdata[i]);
  weir_cli_run_write_table (run, columns, G_N_ELEMENTS (columns), rows, "");
  if (not_listed == 0)
    return;
  g_autofree char *message =
      g_strdup_printf (_ ("%u more sockets are not listed: there are too many"), not_listed);
  weir_cli_complain (message);
}

const WeirCliCommand weir_cli_listeners = {
  .name = "listeners",
  .summary = N_ ("what others can reach, and what reaches past the firewall"),
  .takes = WEIR_CLI_TAKES_NO_FILTER,
  .begin = begin,
  .tick = listeners_tick,
  .end = listeners_end,
};

/* ---- sources ---- */

/* So many ticks are waited for until it is known which rights the engine keeps. */
#define POSTURE_TICKS 15

static void
sources_tick (WeirCliRun *run)
{
  guint n;
  const struct weir_process_status *processes = weir_session_get_confinement (run->session, &n);

  if (!weir_posture_words_is_undecided (processes, n) || run->n_ticks >= POSTURE_TICKS)
    weir_cli_run_quit (run);
}

static char *
word_reason (const struct weir_source_status *source)
{
  const char *reason = weir_source_words_get_reason (source->reason);

  if (reason == NULL)
    return g_strdup ("");
  if (source->error == 0 || !weir_source_words_has_cause (source->reason))
    return g_strdup (reason);
  return g_strdup_printf ("%s (%s)", reason, g_strerror (source->error));
}

/* Of connection tracking also how often it is read, when that is its reason. */
static char *
word_advice (WeirCliRun *run, const struct weir_source_status *source)
{
  const char *advice = weir_source_words_get_advice (source->reason);
  guint interval_ms;
  enum weir_cadence cadence = weir_session_get_cadence (run->session, &interval_ms);

  if (source->reason != WEIR_REASON_GOVERNED || cadence != WEIR_CADENCE_GOVERNED)
    return g_strdup (advice != NULL ? advice : "");
  return weir_source_words_make_cadence (cadence, interval_ms);
}

/* Below the table: what the kernel said, and what the administrator should know; empty when there
 * is nothing. */
static char *
word_rest (WeirCliRun *run)
{
  guint n_sources, n_notices;
  const struct weir_source_status *sources = weir_session_get_sources (run->session, &n_sources);
  const struct weir_notice *notices = weir_session_get_notices (run->session, &n_notices);
  g_autofree char *words = weir_notice_words_get_all (notices, n_notices);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < n_sources; i++)
    {
      g_autofree char *said = weir_format_sanitise (sources[i].said, sizeof sources[i].said);

      if (*said != '\0' && weir_source_words_has_cause (sources[i].reason))
        g_string_append_printf (text, "\n%s: %s\n", weir_source_words_get_name (sources[i].source),
                                said);
    }
  if (n_notices > 0)
    g_string_append_printf (text, "\n%s\n", words);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* What the engine may, above that; empty when nothing is known of it. */
static char *
word_posture (WeirCliRun *run)
{
  guint n;
  const struct weir_process_status *processes = weir_session_get_confinement (run->session, &n);
  g_autofree char *words = weir_posture_words_make (processes, n);

  return words != NULL ? g_strconcat ("\n", words, "\n", NULL) : g_strdup ("");
}

static void
sources_end (WeirCliRun *run)
{
  const WeirCliColumn columns[] = {
    { _ ("Source"), FALSE }, { _ ("State"), FALSE },      { _ ("Lost"), TRUE },
    { _ ("Reason"), FALSE }, { _ ("What to Do"), FALSE },
  };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  guint n;

  if (run->n_ticks == 0)
    return;
  const struct weir_source_status *sources = weir_session_get_sources (run->session, &n);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *lost = g_strdup_printf ("%" G_GUINT64_FORMAT, sources[i].losses);
      g_autofree char *reason = word_reason (&sources[i]);
      g_autofree char *advice = word_advice (run, &sources[i]);
      char *const cells[] = { (char *) weir_source_words_get_name (sources[i].source),
                              (char *) weir_source_words_get_state (sources[i].state),
                              lost,
                              reason,
                              advice,
                              NULL };
      add_row (rows, cells);
    }
  g_autofree char *posture = word_posture (run);
  g_autofree char *rest = word_rest (run);
  g_autofree char *below = g_strconcat (posture, rest, NULL);
  weir_cli_run_write_table (run, columns, G_N_ELEMENTS (columns), rows, below);
}

const WeirCliCommand weir_cli_sources = {
  .name = "sources",
  .summary = N_ ("where the figures come from: state, reason, what to do"),
  .begin = begin,
  .tick = sources_tick,
  .end = sources_end,
};
