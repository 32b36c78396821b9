/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The live table. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gi18n.h>

#include "weir-cli-output.h"
#include "weir-cli-run.h"
#include "weir-cli-screen.h"
#include "weir-cli-terminal.h"
#include "weir-cli-text.h"
#include "weir-source-words.h"

typedef struct
{
  WeirCliRun *run;
  WeirCliTerminal *terminal;
  WeirCliOutput *output;
  WeirSlotModel *view;
  guint sort; /* in sorts */
  guint offset;
  gboolean paused;
  char *filter;    /* in force */
  GString *entry;  /* being typed, or NULL */
  GError *mistake; /* of the entry */
  GByteArray *input;
  guint input_watch, size_watch;
} Top;

static const struct
{
  WeirSort sort;
  gboolean descending;
} sorts[] = {
  { WEIR_SORT_RX_RATE, TRUE }, { WEIR_SORT_TX_RATE, TRUE }, { WEIR_SORT_TOTAL, TRUE },
  { WEIR_SORT_APP, FALSE },    { WEIR_SORT_REMOTE, FALSE },
};

/* ---- pictures ---- */

static void
get_rates (Top *top, double *ret_rx, double *ret_tx)
{
  WeirHistory *history = weir_session_get_history (top->run->session);
  guint n = weir_history_get_n_samples (history);

  *ret_rx = n > 0 ? weir_history_get_sample (history, n - 1)->rx : WEIR_ABSENT;
  *ret_tx = n > 0 ? weir_history_get_sample (history, n - 1)->tx : WEIR_ABSENT;
}

static char *
make_cadence (Top *top)
{
  guint interval_ms;
  enum weir_cadence cadence = weir_session_get_cadence (top->run->session, &interval_ms);

  return weir_source_words_make_cadence (cadence, interval_ms);
}

static void
draw (Top *top)
{
  g_autofree char *cadence = make_cadence (top);
  gboolean full = weir_session_get_view (top->run->session) == WEIR_VIEW_FULL;
  WeirCliScreen screen = {
    .colours = g_getenv ("NO_COLOR") == NULL,
    .view = top->view,
    .sort = sorts[top->sort].sort,
    .view_name = full ? _ ("Full View") : _ ("Limited View"),
    .cadence = cadence,
    .paused = top->paused,
    .waiting = top->run->n_ticks == 0,
    .filter = top->filter,
    .entry = top->entry != NULL ? top->entry->str : NULL,
    .mistake = top->mistake,
  };

  weir_cli_terminal_get_size (&screen.columns, &screen.rows);
  get_rates (top, &screen.rx_rate, &screen.tx_rate);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (top->view));
  guint list_rows = weir_cli_screen_get_list_rows (screen.rows);
  top->offset = MIN (top->offset, n > list_rows ? n - list_rows : 0);
  screen.offset = top->offset;
  g_autofree char *picture = weir_cli_screen_make (&screen);
  weir_cli_output_write (top->output, weir_cli_text_to_locale (picture));
}

static void
write_text (Top *top, const char *text)
{
  weir_cli_output_write (top->output, g_string_new (text));
}

static void
tick (WeirCliRun *run)
{
  Top *top = run->data;

  /* A terminal that was stopped gets the newest picture when it goes on, not all of them. */
  if (weir_cli_output_is_idle (top->output))
    draw (top);
}

static gboolean
on_resized (gpointer data)
{
  Top *top = data;

  write_text (top, "\x1b[2J");
  draw (top);
  return G_SOURCE_CONTINUE;
}

/* ---- keys ---- */

/* Applies what is typed as soon as it can be understood; until then the last filter stays. */
static void
apply_entry (Top *top)
{
  g_clear_error (&top->mistake);
  g_autoptr (WeirFilter) filter = weir_filter_new (top->entry->str, &top->mistake);

  if (filter == NULL)
    return;
  weir_slot_model_set_filter (top->view, filter);
  g_set_str (&top->filter, top->entry->str);
  top->offset = 0;
}

static void
close_entry (Top *top)
{
  g_string_free (g_steal_pointer (&top->entry), TRUE);
  g_clear_error (&top->mistake);
}

static void
on_entry_key (Top *top, const WeirCliKey *key)
{
  switch (key->name)
    {
    case WEIR_CLI_KEY_CHARACTER:
      g_string_append_unichar (top->entry, key->character);
      break;
    case WEIR_CLI_KEY_BACKSPACE:
      if (top->entry->len > 0)
        g_string_truncate (top->entry,
                           g_utf8_prev_char (top->entry->str + top->entry->len) - top->entry->str);
      break;
    case WEIR_CLI_KEY_CLEAR:
      g_string_truncate (top->entry, 0);
      break;
    case WEIR_CLI_KEY_ENTER:
      /* Not while there is a mistake: it would be out of sight. */
      if (top->mistake == NULL)
        close_entry (top);
      return;
    case WEIR_CLI_KEY_ESCAPE:
      close_entry (top);
      return;
    default:
      return;
    }
  apply_entry (top);
}

static void
scroll (Top *top, gint64 rows)
{
  gint64 offset = (gint64) top->offset + rows;

  top->offset = CLAMP (offset, 0, G_MAXINT);
}

static void
next_sort (Top *top)
{
  top->sort = (top->sort + 1) % G_N_ELEMENTS (sorts);
  weir_slot_model_set_sort (top->view, sorts[top->sort].sort, sorts[top->sort].descending);
}

static void
clear_filter (Top *top)
{
  weir_slot_model_set_filter (top->view, NULL);
  g_set_str (&top->filter, "");
}

static void
on_character (Top *top, gunichar c)
{
  switch (c)
    {
    case 'q':
    case 'Q':
      weir_cli_run_quit (top->run);
      break;
    case '/':
      top->entry = g_string_new (top->filter);
      break;
    case 's':
      next_sort (top);
      break;
    case ' ':
      top->paused = !top->paused;
      weir_slot_model_set_frozen (top->view, top->paused);
      break;
    case 'k':
      scroll (top, -1);
      break;
    case 'j':
      scroll (top, 1);
      break;
    default:
      break;
    }
}

static void
on_list_key (Top *top, const WeirCliKey *key)
{
  guint columns, rows;

  weir_cli_terminal_get_size (&columns, &rows);
  gint64 page = MAX (weir_cli_screen_get_list_rows (rows), 1);
  switch (key->name)
    {
    case WEIR_CLI_KEY_CHARACTER:
      on_character (top, key->character);
      break;
    case WEIR_CLI_KEY_ESCAPE:
      clear_filter (top);
      break;
    case WEIR_CLI_KEY_UP:
      scroll (top, -1);
      break;
    case WEIR_CLI_KEY_DOWN:
      scroll (top, 1);
      break;
    case WEIR_CLI_KEY_PAGE_UP:
      scroll (top, -page);
      break;
    case WEIR_CLI_KEY_PAGE_DOWN:
      scroll (top, page);
      break;
    case WEIR_CLI_KEY_HOME:
      top->offset = 0;
      break;
    case WEIR_CLI_KEY_END:
      scroll (top, G_MAXINT);
      break;
    default:
      break;
    }
}

static void
wait_until_written (Top *top)
{
  while (!weir_cli_output_is_idle (top->output))
    g_usleep (1000);
}

/* The shell gets its terminal as it was, and we get it again when it lets us go on. */
static void
suspend (Top *top)
{
  g_autoptr (GError) error = NULL;

  write_text (top, weir_cli_terminal_leave);
  wait_until_written (top);
  weir_cli_terminal_give_back (top->terminal);
  raise (SIGTSTP);
  if (!weir_cli_terminal_take (top->terminal, &error))
    {
      weir_cli_run_fail (top->run, WEIR_CLI_EXIT_FAILED, error->message);
      return;
    }
  write_text (top, weir_cli_terminal_enter);
}

static void
on_key (Top *top, const WeirCliKey *key)
{
  if (key->name == WEIR_CLI_KEY_INTERRUPT)
    weir_cli_run_quit (top->run);
  else if (key->name == WEIR_CLI_KEY_SUSPEND)
    suspend (top);
  else if (key->name == WEIR_CLI_KEY_REDRAW)
    write_text (top, "\x1b[2J");
  else if (top->entry != NULL)
    on_entry_key (top, key);
  else
    on_list_key (top, key);
}

static gboolean
on_input (int fd, GIOCondition condition, gpointer data)
{
  Top *top = data;
  guint8 bytes[256];
  ssize_t n = read (fd, bytes, sizeof bytes);
  WeirCliKey key;

  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return G_SOURCE_CONTINUE;
  if (n <= 0)
    {
      /* The terminal is gone. */
      top->input_watch = 0;
      weir_cli_run_quit (top->run);
      return G_SOURCE_REMOVE;
    }
  g_byte_array_append (top->input, bytes, n);
  const char *left = (const char *) top->input->data;
  gsize size = top->input->len;
  while (!top->run->ended && weir_cli_terminal_read_key (&left, &size, &key))
    on_key (top, &key);
  g_byte_array_remove_range (top->input, 0, top->input->len - size);
  if (!top->run->ended)
    draw (top);
  return G_SOURCE_CONTINUE;
}

/* ---- beginning and end ---- */

static gboolean
begin (WeirCliRun *run, GError **error)
{
  if (!weir_cli_terminal_is_possible ())
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           _ ("top needs a terminal; for a pipe or a file there are stream and "
                              "record."));
      return FALSE;
    }
  g_autofree Top *top = g_new0 (Top, 1);
  top->terminal = weir_cli_terminal_new ();
  if (!weir_cli_terminal_take (top->terminal, error))
    {
      weir_cli_terminal_free (top->terminal);
      return FALSE;
    }
  top->run = run;
  top->filter = g_strdup (run->options->filter_text);
  top->input = g_byte_array_new ();
  top->view = weir_slot_model_new (weir_session_get_flows (run->session));
  weir_slot_model_set_sort (top->view, sorts[0].sort, sorts[0].descending);
  weir_slot_model_set_filter (top->view, run->options->filter);
  top->output = weir_cli_output_new ((void (*) (gpointer)) weir_cli_run_quit, run);
  top->input_watch = g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP, on_input, top);
  top->size_watch = g_unix_signal_add (SIGWINCH, on_resized, top);
  write_text (top, weir_cli_terminal_enter);
  run->data = g_steal_pointer (&top);
  draw (run->data);
  return TRUE;
}

static void
end (WeirCliRun *run)
{
  Top *top = run->data;
  g_autoptr (GError) error = NULL;

  write_text (top, weir_cli_terminal_leave);
  /* A terminal that is gone reads nothing any more: that is no failure of ours. */
  if (!weir_cli_output_end (top->output, &error))
    g_debug ("%s", error->message);
  weir_cli_terminal_free (top->terminal);
  g_clear_handle_id (&top->input_watch, g_source_remove);
  g_clear_handle_id (&top->size_watch, g_source_remove);
  if (top->entry != NULL)
    close_entry (top);
  g_byte_array_unref (top->input);
  g_object_unref (top->view);
  g_free (top->filter);
  g_free (top);
}

const WeirCliCommand weir_cli_top = {
  .name = "top",
  .summary = N_ ("a live table in the terminal"),
  .takes = WEIR_CLI_TAKES_DURATION,
  .begin = begin,
  .tick = tick,
  .end = end,
};
