/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-cli-screen.h"

#include <glib/gi18n.h>

#include "weir-cli-text.h"
#include "weir-format.h"

/* Head, titles, and the line below. */
#define OTHER_ROWS 3
#define GAP        1

#define PLAIN     "\x1b[m"
#define BOLD      "\x1b[1m"
#define DIM       "\x1b[2m"
#define UNDERLINE "\x1b[4m"
#define REVERSE   "\x1b[7m"
#define RED       "\x1b[31m"
#define HOME      "\x1b[H"
#define NEXT_LINE "\r\n"
#define CLEAR_END "\x1b[K"

typedef char *(*MakeCell) (WeirFlow *flow);

typedef struct
{
  const char *title;
  MakeCell make;
  WeirSort sort;
  guint width;
  guint stretch;  /* share of what is left over */
  guint priority; /* the highest go first when it is narrow; 0 stays */
  gboolean at_end;
} Column;

static char *
make_app (WeirFlow *flow)
{
  const char *name = weir_flow_get_app_name (flow);

  return g_strdup (name != NULL ? name : "—");
}

static char *
make_pid (WeirFlow *flow)
{
  const struct weir_flow_record *record = weir_flow_get_record (flow);

  if (!(record->groups & WEIR_FLOW_OWNER) || record->pid == 0)
    return g_strdup ("—");
  return g_strdup_printf ("%u", record->pid);
}

static char *
make_user (WeirFlow *flow)
{
  const char *user = weir_flow_get_user (flow);

  return g_strdup (user != NULL ? user : "—");
}

static char *
make_protocol (WeirFlow *flow)
{
  return g_strdup (weir_flow_get_protocol (flow));
}

static char *
make_local (WeirFlow *flow)
{
  return g_strdup (weir_flow_get_local (flow));
}

static char *
make_remote (WeirFlow *flow)
{
  return g_strdup (weir_flow_get_remote (flow));
}

static char *
make_state (WeirFlow *flow)
{
  const char *state = weir_flow_get_state_name (flow);

  return g_strdup (state != NULL ? state : "—");
}

static char *
make_received (WeirFlow *flow)
{
  return weir_format_rate (weir_flow_get_rx_rate (flow), FALSE);
}

static char *
make_sent (WeirFlow *flow)
{
  return weir_format_rate (weir_flow_get_tx_rate (flow), FALSE);
}

static char *
make_total (WeirFlow *flow)
{
  return weir_format_bytes (weir_flow_get_total (flow));
}

static const Column columns[] = {
  { N_ ("App"), make_app, WEIR_SORT_APP, 14, 2, 0, FALSE },
  { N_ ("PID"), make_pid, WEIR_N_SORTS, 7, 0, 3, TRUE },
  { N_ ("User"), make_user, WEIR_SORT_USER, 8, 1, 4, FALSE },
  { N_ ("Proto"), make_protocol, WEIR_SORT_PROTOCOL, 6, 0, 2, FALSE },
  { N_ ("Local"), make_local, WEIR_SORT_LOCAL, 21, 2, 6, FALSE },
  { N_ ("Remote"), make_remote, WEIR_SORT_REMOTE, 21, 3, 0, FALSE },
  { N_ ("State"), make_state, WEIR_SORT_STATE, 8, 0, 5, FALSE },
  { N_ ("Received"), make_received, WEIR_SORT_RX_RATE, 9, 0, 0, TRUE },
  { N_ ("Sent"), make_sent, WEIR_SORT_TX_RATE, 9, 0, 0, TRUE },
  { N_ ("Total"), make_total, WEIR_SORT_TOTAL, 8, 0, 1, TRUE },
};

/* Widths of the columns that fit; 0: not shown. */
static void
lay_out (guint available, guint widths[G_N_ELEMENTS (columns)])
{
  guint needed = 0, stretch = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      widths[i] = columns[i].width;
      needed += columns[i].width + (i > 0 ? GAP : 0);
    }
  while (needed > available)
    {
      gsize last = 0;
      for (gsize i = 1; i < G_N_ELEMENTS (columns); i++)
        if (widths[i] > 0 && columns[i].priority > (widths[last] > 0 ? columns[last].priority : 0))
          last = i;
      if (columns[last].priority == 0)
        break;
      needed -= widths[last] + GAP;
      widths[last] = 0;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    stretch += widths[i] > 0 ? columns[i].stretch : 0;
  if (needed < available)
    for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
      if (widths[i] > 0)
        widths[i] += (available - needed) * columns[i].stretch / stretch;
}

/* A whole line of the screen; @style may be NULL. */
static void
append_line (GString *to, const WeirCliScreen *screen, const char *text, const char *style)
{
  if (style != NULL)
    g_string_append (to, style);
  weir_cli_text_append (to, text, screen->columns, FALSE);
  g_string_append (to, style != NULL ? PLAIN CLEAR_END : CLEAR_END);
}

static void
append_head (GString *to, const WeirCliScreen *screen)
{
  g_autoptr (GString) head = g_string_new ("Weir");
  guint n = g_list_model_get_n_items (G_LIST_MODEL (screen->view));
  g_autofree char *rx = weir_format_rate (screen->rx_rate, FALSE);
  g_autofree char *tx = weir_format_rate (screen->tx_rate, FALSE);

  g_string_append_printf (head, " · %s", screen->view_name);
  /* TRANSLATORS: rows that are shown, and all */
  g_string_append_printf (head, _ (" · %u of %u"), n, weir_slot_model_get_total (screen->view));
  /* TRANSLATORS: rates of the whole computer */
  g_string_append_printf (head, _ (" · received %s, sent %s"), rx, tx);
  if (screen->cadence != NULL)
    g_string_append_printf (head, " · %s", screen->cadence);
  if (screen->paused)
    g_string_append_printf (head, _ (" · paused"));
  if (*screen->filter != '\0')
    g_string_append_printf (head, " · %s", screen->filter);
  append_line (to, screen, head->str, BOLD);
}

static void
append_titles (GString *to, const WeirCliScreen *screen, const guint *widths)
{
  g_autoptr (GString) titles = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      if (widths[i] == 0)
        continue;
      if (titles->len > 0)
        g_string_append_c (titles, ' ');
      g_autofree char *title =
          g_strconcat (_ (columns[i].title), columns[i].sort == screen->sort ? "*" : "", NULL);
      weir_cli_text_append (titles, title, widths[i], columns[i].at_end);
    }
  append_line (to, screen, titles->str, REVERSE);
}

static void
append_flow (GString *to, const WeirCliScreen *screen, const guint *widths, WeirFlow *flow)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      if (widths[i] == 0)
        continue;
      if (line->len > 0)
        g_string_append_c (line, ' ');
      g_autofree char *cell = columns[i].make (flow);
      weir_cli_text_append (line, cell, widths[i], columns[i].at_end);
    }
  append_line (to, screen, line->str, weir_flow_is_closed (flow) ? DIM : NULL);
}

/* What is typed, with the place of a mistake underlined, and what was expected. */
static void
append_entry (GString *to, const WeirCliScreen *screen)
{
  g_autoptr (GString) line = g_string_new ("/");
  WeirFilterPlace place;

  if (!weir_filter_error_get_place (screen->mistake, &place))
    {
      g_string_append (line, screen->entry);
      g_string_append (line, "_");
      append_line (to, screen, line->str, NULL);
      return;
    }
  g_autofree char *said = g_strdup_printf ("_  %s", screen->mistake->message);
  guint room = screen->columns, taken = 1 + weir_cli_text_get_width (screen->entry);
  if (taken + 1 >= room)
    {
      /* No place for it and for the message: that is more useful. */
      append_line (to, screen, screen->mistake->message, screen->colours ? RED : NULL);
      return;
    }
  const char *end = screen->entry + place.start + place.length;
  g_string_append_len (line, screen->entry, place.start);
  g_string_append (line, UNDERLINE);
  if (screen->colours)
    g_string_append (line, RED);
  g_string_append_len (line, screen->entry + place.start, place.length);
  g_string_append (line, PLAIN);
  g_string_append (line, end);
  weir_cli_text_append (line, said, room - taken, FALSE);
  g_string_append (to, line->str);
  g_string_append (to, CLEAR_END);
}

static void
append_foot (GString *to, const WeirCliScreen *screen)
{
  if (screen->entry != NULL)
    append_entry (to, screen);
  else
    append_line (
        to, screen,
        _ ("q quit   / filter   Esc all   s sort   space pause   arrows, page keys scroll"), DIM);
}

guint
weir_cli_screen_get_list_rows (guint rows)
{
  return rows > OTHER_ROWS ? rows - OTHER_ROWS : 0;
}

char *
weir_cli_screen_make (const WeirCliScreen *screen)
{
  GString *picture = g_string_new (HOME);
  guint widths[G_N_ELEMENTS (columns)];
  guint n = g_list_model_get_n_items (G_LIST_MODEL (screen->view));
  guint list_rows = weir_cli_screen_get_list_rows (screen->rows);

  lay_out (screen->columns, widths);
  append_head (picture, screen);
  if (screen->rows > 1)
    {
      g_string_append (picture, NEXT_LINE);
      append_titles (picture, screen, widths);
    }
  for (guint i = 0; i < list_rows; i++)
    {
      g_string_append (picture, NEXT_LINE);
      if (screen->offset + i < n)
        {
          g_autoptr (WeirSlot) slot =
              g_list_model_get_item (G_LIST_MODEL (screen->view), screen->offset + i);
          append_flow (picture, screen, widths, weir_slot_get_flow (slot));
        }
      else if (i == 0 && n == 0)
        append_line (picture, screen,
                     screen->waiting ? _ ("Measuring…") : _ ("No connection matches."), NULL);
      else
        append_line (picture, screen, "", NULL);
    }
  if (screen->rows > 2)
    {
      g_string_append (picture, NEXT_LINE);
      append_foot (picture, screen);
    }
  return g_string_free_and_steal (picture);
}
