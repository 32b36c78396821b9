/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-export-columns.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "weir-flow-texts.h"
#include "weir-format.h"
#include "weir-interface-names.h"
#include "weir-namespace-names.h"
#include "weir-tracking-words.h"

WeirExportRow *
weir_export_row_new (WeirFlow *flow)
{
  WeirExportRow *row = g_new0 (WeirExportRow, 1);

  row->record = *weir_flow_get_record (flow);
  row->app = g_strdup (weir_flow_get_app_name (flow));
  row->app_id = g_strdup (weir_flow_get_app_id (flow));
  row->app_kind = weir_flow_get_app_kind (flow);
  weir_cgroup_init (&row->cgroup, row->record.groups & WEIR_FLOW_OWNER ? row->record.cgroup : NULL);
  row->user = g_strdup (weir_flow_get_user (flow));
  if (row->record.groups & WEIR_FLOW_STATE)
    row->interface = g_strdup (weir_interface_names_get (row->record.netns, row->record.ifindex));
  row->netns_name = g_strdup (weir_namespace_names_get (row->record.netns));
  row->losses = weir_losses_get ();
  row->rx_rate = weir_flow_get_rx_rate (flow);
  row->tx_rate = weir_flow_get_tx_rate (flow);
  row->first_seen = weir_flow_get_first_seen (flow);
  row->read_at = weir_flow_get_read_at (flow);
  row->closed = weir_flow_is_closed (flow);
  return row;
}

void
weir_export_row_free (WeirExportRow *row)
{
  g_free (row->app);
  g_free (row->app_id);
  weir_cgroup_clear (&row->cgroup);
  g_free (row->user);
  g_free (row->interface);
  g_free (row->netns_name);
  g_free (row);
}

static gboolean
has (const WeirExportRow *row, guint32 group)
{
  return row->record.groups & group;
}

static void
append_u64 (GString *cell, guint64 number)
{
  char digits[20];
  gsize first = sizeof digits;

  /* printf(3) would take half of the time that a row does. */
  do
    digits[--first] = (char) ('0' + number % 10);
  while ((number /= 10) > 0);
  g_string_append_len (cell, digits + first, (gssize) (sizeof digits - first));
}

static void
append_time (GString *cell, gint64 microseconds)
{
  time_t seconds = microseconds / G_USEC_PER_SEC;
  struct tm time;
  char text[32];

  if (microseconds < 0 || gmtime_r (&seconds, &time) == NULL ||
      strftime (text, sizeof text, "%Y-%m-%dT%H:%M:%S", &time) == 0)
    return;
  g_string_append_printf (cell, "%s.%03dZ", text, (int) (microseconds % G_USEC_PER_SEC / 1000));
}

static void
append_word (GString *cell, const char *const *words, gsize n_words, guint value)
{
  if (value < n_words && words[value] != NULL)
    g_string_append (cell, words[value]);
}

static void
append_address (const WeirExportRow *row, const struct weir_endpoint *endpoint, guint32 group,
                GString *cell)
{
  if (!has (row, WEIR_FLOW_KEY) || !has (row, group) ||
      weir_endpoint_is_any (endpoint, row->record.family))
    return;
  g_autofree char *text = weir_format_endpoint (row->record.family, endpoint->address, 0, FALSE);
  g_string_append (cell, text);
}

static void
append_port (const WeirExportRow *row, const struct weir_endpoint *endpoint, guint32 group,
             GString *cell)
{
  if (has (row, WEIR_FLOW_KEY) && has (row, group) && endpoint->port != 0)
    append_u64 (cell, endpoint->port);
}

static void
append_schema (const WeirExportRow *row, GString *cell)
{
  append_u64 (cell, WEIR_EXPORT_SCHEMA);
}

static void
append_read_at (const WeirExportRow *row, GString *cell)
{
  append_time (cell, row->read_at);
}

static void
append_first_seen (const WeirExportRow *row, GString *cell)
{
  append_time (cell, row->first_seen);
}

static void
append_app (const WeirExportRow *row, GString *cell)
{
  g_string_append (cell, row->app != NULL ? row->app : "");
}

static void
append_app_id (const WeirExportRow *row, GString *cell)
{
  g_string_append (cell, row->app_id != NULL ? row->app_id : "");
}

static void
append_process (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_OWNER))
    g_string_append_len (cell, row->record.comm,
                         strnlen (row->record.comm, sizeof row->record.comm));
}

static void
append_pid (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_OWNER) && row->record.pid != 0)
    append_u64 (cell, row->record.pid);
}

static void
append_uid (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_OWNER) && row->record.has_uid)
    append_u64 (cell, row->record.uid);
}

static void
append_user (const WeirExportRow *row, GString *cell)
{
  g_string_append (cell, row->user != NULL ? row->user : "");
}

static void
append_protocol (const WeirExportRow *row, GString *cell)
{
  if (!has (row, WEIR_FLOW_KEY))
    return;
  const char *name = weir_flow_texts_get_record_protocol (&row->record);
  if (name != NULL)
    g_string_append (cell, name);
  else
    append_u64 (cell, row->record.protocol);
}

static void
append_direction (const WeirExportRow *row, GString *cell)
{
  static const char *const words[] = {
    [WEIR_DIRECTION_OUT] = "out",
    [WEIR_DIRECTION_IN] = "in",
    [WEIR_DIRECTION_FORWARDED] = "forwarded",
    [WEIR_DIRECTION_LOCAL] = "local",
  };

  if (has (row, WEIR_FLOW_STATE))
    append_word (cell, words, G_N_ELEMENTS (words), row->record.direction);
}

static void
append_state (const WeirExportRow *row, GString *cell)
{
  static const char *const words[] = {
    [WEIR_FLOW_STATE_OPENING] = "opening",
    [WEIR_FLOW_STATE_OPEN] = "open",
    [WEIR_FLOW_STATE_CLOSING] = "closing",
    [WEIR_FLOW_STATE_CLOSED] = "closed",
  };

  if (row->closed || has (row, WEIR_FLOW_STATE))
    append_word (cell, words, G_N_ELEMENTS (words),
                 row->closed ? WEIR_FLOW_STATE_CLOSED : row->record.state);
}

static void
append_local_address (const WeirExportRow *row, GString *cell)
{
  append_address (row, &row->record.local, WEIR_FLOW_KEY, cell);
}

static void
append_local_port (const WeirExportRow *row, GString *cell)
{
  append_port (row, &row->record.local, WEIR_FLOW_KEY, cell);
}

static void
append_remote_address (const WeirExportRow *row, GString *cell)
{
  append_address (row, &row->record.remote, WEIR_FLOW_KEY, cell);
}

static void
append_remote_port (const WeirExportRow *row, GString *cell)
{
  append_port (row, &row->record.remote, WEIR_FLOW_KEY, cell);
}

static void
append_received_bytes (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_BYTES) && row->record.has_bytes)
    append_u64 (cell, row->record.rx_bytes);
}

static void
append_sent_bytes (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_BYTES) && row->record.has_bytes)
    append_u64 (cell, row->record.tx_bytes);
}

static void
append_received_packets (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_BYTES) && row->record.has_packets)
    append_u64 (cell, row->record.rx_packets);
}

static void
append_sent_packets (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_BYTES) && row->record.has_packets)
    append_u64 (cell, row->record.tx_packets);
}

static void
append_received_rate (const WeirExportRow *row, GString *cell)
{
  if (row->rx_rate >= 0)
    append_u64 (cell, row->rx_rate);
}

static void
append_sent_rate (const WeirExportRow *row, GString *cell)
{
  if (row->tx_rate >= 0)
    append_u64 (cell, row->tx_rate);
}

static void
append_rtt (const WeirExportRow *row, GString *cell)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  if (has (row, WEIR_FLOW_TCP))
    g_string_append (cell,
                     g_ascii_formatd (number, sizeof number, "%.3f", row->record.rtt_us / 1000.0));
}

static void
append_retransmits (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_TCP))
    append_u64 (cell, row->record.retransmits);
}

static void
append_owner_how (const WeirExportRow *row, GString *cell)
{
  static const char *const words[] = {
    [WEIR_OWNER_TUPLE] = "tuple",
    [WEIR_OWNER_LISTENER] = "listener",
    [WEIR_OWNER_BORN] = "born",
    [WEIR_OWNER_CGROUP] = "cgroup",
  };

  if (has (row, WEIR_FLOW_OWNER))
    append_word (cell, words, G_N_ELEMENTS (words), row->record.owner_how);
}

static void
append_owner_missing (const WeirExportRow *row, GString *cell)
{
  static const char *const words[] = {
    [WEIR_MISSING_NOT_YET] = "not-yet",     [WEIR_MISSING_OTHER_USER] = "other-user",
    [WEIR_MISSING_GONE] = "gone",           [WEIR_MISSING_KERNEL] = "kernel",
    [WEIR_MISSING_FORWARDED] = "forwarded", [WEIR_MISSING_OTHER_NAMESPACE] = "other-namespace",
    [WEIR_MISSING_NOT_FOUND] = "not-found", [WEIR_MISSING_GIVEN_UP] = "given-up",
  };

  if (has (row, WEIR_FLOW_OWNER))
    append_word (cell, words, G_N_ELEMENTS (words), row->record.owner_missing);
}

static void
append_bytes_source (const WeirExportRow *row, GString *cell)
{
  static const char *const words[] = {
    [WEIR_SOURCE_SOCKDIAG] = "sockdiag",
    [WEIR_SOURCE_CONNTRACK] = "conntrack",
    [WEIR_SOURCE_BPF] = "bpf",
  };

  if (has (row, WEIR_FLOW_BYTES) && row->record.has_bytes)
    append_word (cell, words, G_N_ELEMENTS (words), row->record.bytes_source);
}

static void
append_cgroup (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_OWNER))
    g_string_append (cell, row->record.cgroup);
}

static void
append_netns (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_KEY) && row->record.netns != 0 &&
      !weir_netns_is_unknown (row->record.netns))
    append_u64 (cell, row->record.netns);
}

static void
append_interface (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_STATE) && row->record.ifindex != 0)
    append_u64 (cell, row->record.ifindex);
}

static void
append_nat_local_address (const WeirExportRow *row, GString *cell)
{
  append_address (row, &row->record.nat_local, WEIR_FLOW_NAT, cell);
}

static void
append_nat_local_port (const WeirExportRow *row, GString *cell)
{
  append_port (row, &row->record.nat_local, WEIR_FLOW_NAT, cell);
}

static void
append_nat_remote_address (const WeirExportRow *row, GString *cell)
{
  append_address (row, &row->record.nat_remote, WEIR_FLOW_NAT, cell);
}

static void
append_nat_remote_port (const WeirExportRow *row, GString *cell)
{
  append_port (row, &row->record.nat_remote, WEIR_FLOW_NAT, cell);
}

static void
append_process_start (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_OWNER) && row->record.pid != 0 && row->record.start_time != 0)
    append_u64 (cell, row->record.start_time);
}

static gboolean
has_opener (const WeirExportRow *row)
{
  return has (row, WEIR_FLOW_OPENER) && row->record.opener_pid != 0;
}

static void
append_opener_pid (const WeirExportRow *row, GString *cell)
{
  if (has_opener (row))
    append_u64 (cell, row->record.opener_pid);
}

static void
append_opener_process (const WeirExportRow *row, GString *cell)
{
  if (has_opener (row))
    g_string_append_len (cell, row->record.opener_comm,
                         strnlen (row->record.opener_comm, sizeof row->record.opener_comm));
}

static void
append_opener_uid (const WeirExportRow *row, GString *cell)
{
  if (has_opener (row))
    append_u64 (cell, row->record.opener_uid);
}

static void
append_opener_start (const WeirExportRow *row, GString *cell)
{
  if (has_opener (row) && row->record.opener_start_time != 0)
    append_u64 (cell, row->record.opener_start_time);
}

static void
append_text (GString *cell, const char *text)
{
  g_string_append (cell, text != NULL ? text : "");
}

static void
append_unit (const WeirExportRow *row, GString *cell)
{
  append_text (cell, row->cgroup.unit);
}

static void
append_container (const WeirExportRow *row, GString *cell)
{
  g_autofree char *chain = weir_cgroup_dup_chain (&row->cgroup);

  append_text (cell, chain);
}

static void
append_app_kind (const WeirExportRow *row, GString *cell)
{
  static const char *const words[] = {
    [WEIR_APP_PROGRAM] = "program", [WEIR_APP_SERVICE] = "service",
    [WEIR_APP_DESKTOP] = "desktop", [WEIR_APP_SNAP] = "snap",
    [WEIR_APP_FLATPAK] = "flatpak", [WEIR_APP_CONTAINER] = "container",
  };

  append_word (cell, words, G_N_ELEMENTS (words), row->app_kind);
}

static void
append_slice (const WeirExportRow *row, GString *cell)
{
  append_text (cell, row->cgroup.slice);
}

static void
append_session (const WeirExportRow *row, GString *cell)
{
  append_text (cell, row->cgroup.session);
}

static void
append_session_uid (const WeirExportRow *row, GString *cell)
{
  if (row->cgroup.session_uid >= 0)
    append_u64 (cell, row->cgroup.session_uid);
}

static void
append_pod (const WeirExportRow *row, GString *cell)
{
  append_text (cell, row->cgroup.pod);
}

static void
append_zone (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_CONNTRACK))
    append_u64 (cell, row->record.zone);
}

static void
append_mark (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_CONNTRACK) && row->record.has_mark)
    append_u64 (cell, row->record.mark);
}

static void
append_tracking_state (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_CONNTRACK) && row->record.has_tracking_state)
    append_text (cell,
                 weir_tracking_state_get_word (row->record.protocol, row->record.tracking_state));
}

static void
append_netns_name (const WeirExportRow *row, GString *cell)
{
  if (has (row, WEIR_FLOW_KEY))
    append_text (cell, row->netns_name);
}

static void
append_interface_name (const WeirExportRow *row, GString *cell)
{
  g_string_append (cell, row->interface != NULL ? row->interface : "");
}

static void
append_count (gint64 count, GString *cell)
{
  if (count >= 0)
    append_u64 (cell, count);
}

static void
append_lost_events (const WeirExportRow *row, GString *cell)
{
  append_count (row->losses.events, cell);
}

static void
append_refused_flows (const WeirExportRow *row, GString *cell)
{
  append_count (row->losses.refused, cell);
}

static void
append_coalesced_ticks (const WeirExportRow *row, GString *cell)
{
  append_count (row->losses.coalesced, cell);
}

const WeirExportColumn weir_export_columns[] = {
  { "schema", WEIR_EXPORT_NUMBER, append_schema },
  { "time", WEIR_EXPORT_TIME, append_read_at },
  { "first_seen", WEIR_EXPORT_TIME, append_first_seen },
  { "app", WEIR_EXPORT_TEXT, append_app },
  { "app_id", WEIR_EXPORT_TEXT, append_app_id },
  { "process", WEIR_EXPORT_TEXT, append_process },
  { "pid", WEIR_EXPORT_NUMBER, append_pid },
  { "uid", WEIR_EXPORT_NUMBER, append_uid },
  { "user", WEIR_EXPORT_TEXT, append_user },
  { "protocol", WEIR_EXPORT_WORD, append_protocol },
  { "direction", WEIR_EXPORT_WORD, append_direction },
  { "state", WEIR_EXPORT_WORD, append_state },
  { "local_address", WEIR_EXPORT_TEXT, append_local_address },
  { "local_port", WEIR_EXPORT_NUMBER, append_local_port },
  { "remote_address", WEIR_EXPORT_TEXT, append_remote_address },
  { "remote_port", WEIR_EXPORT_NUMBER, append_remote_port },
  { "received_bytes", WEIR_EXPORT_NUMBER, append_received_bytes },
  { "sent_bytes", WEIR_EXPORT_NUMBER, append_sent_bytes },
  { "received_packets", WEIR_EXPORT_NUMBER, append_received_packets },
  { "sent_packets", WEIR_EXPORT_NUMBER, append_sent_packets },
  { "received_rate", WEIR_EXPORT_NUMBER, append_received_rate },
  { "sent_rate", WEIR_EXPORT_NUMBER, append_sent_rate },
  { "rtt_ms", WEIR_EXPORT_NUMBER, append_rtt },
  { "retransmits", WEIR_EXPORT_NUMBER, append_retransmits },
  { "owner_how", WEIR_EXPORT_WORD, append_owner_how },
  { "owner_missing", WEIR_EXPORT_WORD, append_owner_missing },
  { "bytes_source", WEIR_EXPORT_WORD, append_bytes_source },
  { "cgroup", WEIR_EXPORT_TEXT, append_cgroup },
  { "netns", WEIR_EXPORT_NUMBER, append_netns },
  { "interface_index", WEIR_EXPORT_NUMBER, append_interface },
  { "nat_local_address", WEIR_EXPORT_TEXT, append_nat_local_address },
  { "nat_local_port", WEIR_EXPORT_NUMBER, append_nat_local_port },
  { "nat_remote_address", WEIR_EXPORT_TEXT, append_nat_remote_address },
  { "nat_remote_port", WEIR_EXPORT_NUMBER, append_nat_remote_port },
  { "process_start", WEIR_EXPORT_NUMBER, append_process_start },
  { "unit", WEIR_EXPORT_TEXT, append_unit },
  { "container", WEIR_EXPORT_TEXT, append_container },
  { "interface", WEIR_EXPORT_TEXT, append_interface_name },
  { "app_kind", WEIR_EXPORT_WORD, append_app_kind },
  { "slice", WEIR_EXPORT_TEXT, append_slice },
  { "session", WEIR_EXPORT_TEXT, append_session },
  { "session_uid", WEIR_EXPORT_NUMBER, append_session_uid },
  { "pod", WEIR_EXPORT_TEXT, append_pod },
  { "zone", WEIR_EXPORT_NUMBER, append_zone },
  { "mark", WEIR_EXPORT_NUMBER, append_mark },
  { "tracking_state", WEIR_EXPORT_WORD, append_tracking_state },
  { "lost_events", WEIR_EXPORT_NUMBER, append_lost_events },
  { "refused_flows", WEIR_EXPORT_NUMBER, append_refused_flows },
  { "coalesced_ticks", WEIR_EXPORT_NUMBER, append_coalesced_ticks },
  { "opener_pid", WEIR_EXPORT_NUMBER, append_opener_pid },
  { "opener_process", WEIR_EXPORT_TEXT, append_opener_process },
  { "opener_uid", WEIR_EXPORT_NUMBER, append_opener_uid },
  { "opener_start", WEIR_EXPORT_NUMBER, append_opener_start },
  { "netns_name", WEIR_EXPORT_TEXT, append_netns_name },
};
const guint weir_export_n_columns = G_N_ELEMENTS (weir_export_columns);

const char *
weir_export_kind_get_name (WeirExportKind kind)
{
  static const char *const names[] = {
    [WEIR_EXPORT_NUMBER] = "number",
    [WEIR_EXPORT_TEXT] = "text",
    [WEIR_EXPORT_WORD] = "word",
    [WEIR_EXPORT_TIME] = "time",
  };

  return names[kind];
}
