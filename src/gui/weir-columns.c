/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-columns.h"

#include <glib/gi18n.h>

#include "weir-format.h"
#include "weir-words.h"

#define ABSENT "—"

static const char *
take (GString *scratch, char *text)
{
  g_string_assign (scratch, text);
  g_free (text);
  return scratch->str;
}

const char *
weir_columns_app_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  const char *name =
      icons != NULL ? weir_app_icons_get_name (icons, flow) : weir_flow_get_app_name (flow);

  return name != NULL ? name : _ ("Unknown App");
}

static const char *
remote_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  return weir_flow_get_remote (flow);
}

static const char *
local_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  return weir_flow_get_local (flow);
}

static const char *
protocol_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  return weir_flow_get_protocol (flow);
}

/* A closed row has no rate; that it is closed is said here in words, not by its colour alone. */
static const char *
rx_rate_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  if (weir_flow_is_closed (flow))
    return _ ("Closed");
  return take (scratch, weir_format_rate (weir_flow_get_rx_rate (flow), FALSE));
}

static const char *
tx_rate_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  if (weir_flow_is_closed (flow))
    return ABSENT;
  return take (scratch, weir_format_rate (weir_flow_get_tx_rate (flow), FALSE));
}

static const char *
total_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  return take (scratch, weir_format_bytes (weir_flow_get_total (flow)));
}

static const char *
rx_bytes_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  return take (scratch, weir_format_bytes (weir_flow_get_rx_bytes (flow)));
}

static const char *
tx_bytes_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  return take (scratch, weir_format_bytes (weir_flow_get_tx_bytes (flow)));
}

static const char *
process_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  const struct weir_flow_record *record = weir_flow_get_record (flow);
  const char *comm = weir_flow_get_comm (flow);

  if ((record->groups & WEIR_FLOW_OWNER) == 0 || record->pid == 0)
    return comm != NULL ? comm : ABSENT;
  g_string_printf (scratch, "%s%s%u", comm != NULL ? comm : "", comm != NULL ? " · " : "",
                   record->pid);
  return scratch->str;
}

static const char *
user_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  const char *user = weir_flow_get_user (flow);

  return user != NULL ? user : ABSENT;
}

static const char *
state_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  return weir_words_flow_state (flow);
}

static const char *
with_arrow (GString *scratch, const char *arrow, char *rate)
{
  /* A no-break space: the figure and its arrow are one thing. */
  g_string_printf (scratch, "%s\302\240%s", arrow, rate);
  g_free (rate);
  return scratch->str;
}

static const char *
rates_first_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  if (weir_flow_is_closed (flow))
    return _ ("Closed");
  return with_arrow (scratch, "↓", weir_format_rate (weir_flow_get_rx_rate (flow), FALSE));
}

static const char *
rates_second_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch)
{
  if (weir_flow_is_closed (flow))
    return total_text (flow, icons, scratch);
  return with_arrow (scratch, "↑", weir_format_rate (weir_flow_get_tx_rate (flow), FALSE));
}

static const WeirColumn columns[] = {
  { "connection", N_ ("Connection"), WEIR_SORT_APP, WEIR_CELL_CONNECTION, .narrow = TRUE,
    .text = weir_columns_app_text, .second = remote_text },
  { "rate", N_ ("Rate"), WEIR_SORT_RX_RATE, WEIR_CELL_RATES, .width = 118, .narrow = TRUE,
    .text = rates_first_text, .second = rates_second_text },
  { "app", N_ ("App"), WEIR_SORT_APP, WEIR_CELL_APP, .width = 176, .visible = TRUE,
    .text = weir_columns_app_text },
  { "process", N_ ("Process"), WEIR_SORT_PROCESS, WEIR_CELL_TEXT, .width = 150,
    .text = process_text },
  { "user", N_ ("User"), WEIR_SORT_USER, WEIR_CELL_TEXT, .width = 96, .text = user_text },
  { "local", N_ ("Local Address"), WEIR_SORT_LOCAL, WEIR_CELL_ADDRESS, .width = 170,
    .text = local_text },
  { "remote", N_ ("Remote Host"), WEIR_SORT_REMOTE, WEIR_CELL_ADDRESS, .visible = TRUE,
    .text = remote_text },
  { "protocol", N_ ("Protocol"), WEIR_SORT_PROTOCOL, WEIR_CELL_TEXT, .width = 80, .visible = TRUE,
    .text = protocol_text },
  { "state", N_ ("State"), WEIR_SORT_STATE, WEIR_CELL_TEXT, .width = 84, .text = state_text },
  { "received", N_ ("Received"), WEIR_SORT_RX_RATE, WEIR_CELL_NUMBER, WEIR_BAR_RX, .width = 94,
    .visible = TRUE, .text = rx_rate_text },
  { "sent", N_ ("Sent"), WEIR_SORT_TX_RATE, WEIR_CELL_NUMBER, WEIR_BAR_TX, .width = 90,
    .visible = TRUE, .spare = TRUE, .text = tx_rate_text },
  { "total", N_ ("Total"), WEIR_SORT_TOTAL, WEIR_CELL_NUMBER, .width = 88, .visible = TRUE,
    .text = total_text },
  { "received-total", N_ ("Received Total"), WEIR_SORT_RX_BYTES, WEIR_CELL_NUMBER, .width = 124,
    .text = rx_bytes_text },
  { "sent-total", N_ ("Sent Total"), WEIR_SORT_TX_BYTES, WEIR_CELL_NUMBER, .width = 108,
    .text = tx_bytes_text },
};

const WeirColumn *
weir_columns_get (guint *ret_n)
{
  *ret_n = G_N_ELEMENTS (columns);
  return columns;
}

const WeirColumn *
weir_columns_find (const char *id)
{
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    if (g_strcmp0 (columns[i].id, id) == 0)
      return &columns[i];
  return NULL;
}
