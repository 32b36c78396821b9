/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-filter-keys.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "weir-cgroup.h"
#include "weir-flow-texts.h"
#include "weir-format.h"
#include "weir-interface-names.h"
#include "weir-namespace-names.h"

#define PORT_MAX 65535
#define ZONE_MAX 65535
#define ID_MAX   G_MAXUINT32

static const char *const state_words[] = {
  [WEIR_FLOW_STATE_UNKNOWN] = "unknown", [WEIR_FLOW_STATE_OPENING] = "opening",
  [WEIR_FLOW_STATE_OPEN] = "open",       [WEIR_FLOW_STATE_CLOSING] = "closing",
  [WEIR_FLOW_STATE_CLOSED] = "closed",   NULL,
};

static const char *const direction_words[] = {
  [WEIR_DIRECTION_UNKNOWN] = "unknown", [WEIR_DIRECTION_OUT] = "out",
  [WEIR_DIRECTION_IN] = "in",           [WEIR_DIRECTION_FORWARDED] = "forwarded",
  [WEIR_DIRECTION_LOCAL] = "local",     NULL,
};

/* Those that can know flows. */
static const char *const source_words[] = {
  [WEIR_SOURCE_SOCKDIAG] = "sockdiag",
  [WEIR_SOURCE_CONNTRACK] = "conntrack",
  [WEIR_SOURCE_BPF] = "bpf",
  NULL,
};

static const struct weir_flow_record *
get (WeirFlow *flow, guint32 group)
{
  const struct weir_flow_record *record = weir_flow_get_record (flow);

  return record->groups & group ? record : NULL;
}

static void
probe_app (WeirFlow *flow, WeirFilterProbe *probe)
{
  weir_filter_probe_text (probe, weir_flow_get_app_name (flow));
  weir_filter_probe_text (probe, weir_flow_get_app_id (flow));
}

static void
probe_comm (WeirFlow *flow, WeirFilterProbe *probe)
{
  weir_filter_probe_text (probe, weir_flow_get_comm (flow));
}

static void
probe_pid (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_OWNER);

  if (record != NULL && record->pid != 0)
    weir_filter_probe_integer (probe, record->pid);
}

static void
probe_user (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_OWNER);

  weir_filter_probe_text (probe, weir_flow_get_user (flow));
  if (record != NULL && record->has_uid)
    weir_filter_probe_integer (probe, record->uid);
}

/* @shown: as the flow shows it, with its port; or NULL.  The other end of a socket that waits for
 * anybody is shown as a star, but it is nothing. */
static void
probe_endpoint (WeirFlow *flow, WeirFilterProbe *probe, const struct weir_endpoint *endpoint,
                const char *shown)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_KEY);

  if (record == NULL || weir_endpoint_is_any (endpoint, record->family))
    return;
  if (!weir_filter_probe_wants_text (probe))
    {
      weir_filter_probe_address (probe, endpoint->address);
      return;
    }
  g_autofree char *text = weir_format_endpoint (record->family, endpoint->address, 0, FALSE);
  weir_filter_probe_text (probe, text);
  weir_filter_probe_text (probe, shown);
}

static void
probe_host (WeirFlow *flow, WeirFilterProbe *probe)
{
  probe_endpoint (flow, probe, &weir_flow_get_record (flow)->remote, NULL);
}

static void
probe_local (WeirFlow *flow, WeirFilterProbe *probe)
{
  probe_endpoint (flow, probe, &weir_flow_get_record (flow)->local, weir_flow_get_local (flow));
}

static void
probe_remote (WeirFlow *flow, WeirFilterProbe *probe)
{
  probe_endpoint (flow, probe, &weir_flow_get_record (flow)->remote, weir_flow_get_remote (flow));
}

static void
probe_ip (WeirFlow *flow, WeirFilterProbe *probe)
{
  probe_endpoint (flow, probe, &weir_flow_get_record (flow)->local, NULL);
  probe_endpoint (flow, probe, &weir_flow_get_record (flow)->remote, NULL);
}

static void
probe_endpoint_port (WeirFlow *flow, WeirFilterProbe *probe, const struct weir_endpoint *endpoint)
{
  if (get (flow, WEIR_FLOW_KEY) != NULL && endpoint->port != 0)
    weir_filter_probe_integer (probe, endpoint->port);
}

static void
probe_lport (WeirFlow *flow, WeirFilterProbe *probe)
{
  probe_endpoint_port (flow, probe, &weir_flow_get_record (flow)->local);
}

static void
probe_rport (WeirFlow *flow, WeirFilterProbe *probe)
{
  probe_endpoint_port (flow, probe, &weir_flow_get_record (flow)->remote);
}

static void
probe_port (WeirFlow *flow, WeirFilterProbe *probe)
{
  probe_lport (flow, probe);
  probe_rport (flow, probe);
}

static void
probe_proto (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_KEY);

  if (record == NULL)
    return;
  weir_filter_probe_text (probe, weir_flow_texts_get_record_protocol (record));
  if (record->family != 0)
    weir_filter_probe_integer (probe, record->protocol);
}

static gboolean
is_protocol (const char *text)
{
  guint64 number;

  if (g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT8, &number, NULL))
    return TRUE;
  for (guint i = 0; i <= G_MAXUINT8; i++)
    {
      const char *name = weir_flow_texts_get_protocol_name (i);
      if (name != NULL && g_ascii_strcasecmp (name, text) == 0)
        return TRUE;
    }
  return g_ascii_strcasecmp (WEIR_PROTOCOL_FRAMES, text) == 0;
}

static void
probe_state (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_STATE);

  if (weir_flow_is_closed (flow))
    weir_filter_probe_text (probe, state_words[WEIR_FLOW_STATE_CLOSED]);
  else if (record != NULL && record->state <= WEIR_FLOW_STATE_CLOSED)
    weir_filter_probe_text (probe, state_words[record->state]);
}

static void
probe_dir (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_STATE);

  if (record != NULL && record->direction <= WEIR_DIRECTION_LOCAL)
    weir_filter_probe_text (probe, direction_words[record->direction]);
}

static void
probe_iface (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_STATE);

  if (record == NULL || record->ifindex == 0)
    return;
  weir_filter_probe_text (probe, weir_interface_names_get (record->netns, record->ifindex));
  weir_filter_probe_integer (probe, record->ifindex);
}

static void
probe_container (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_OWNER);
  g_auto (WeirCgroup) cgroup = { 0 };

  weir_cgroup_init (&cgroup, record != NULL ? record->cgroup : NULL);
  if (cgroup.containers->len == 0)
    return;
  for (guint i = 0; i < cgroup.containers->len; i++)
    {
      const WeirContainer *container = cgroup.containers->pdata[i];
      g_autofree char *name = g_strdup_printf ("%s %s", container->manager, container->name);
      weir_filter_probe_text (probe, name);
      /* Without who runs it, and its whole number. */
      weir_filter_probe_text (probe, container->name);
      weir_filter_probe_text (probe, container->part);
    }
  if (cgroup.containers->len > 1)
    weir_filter_probe_text (probe, weir_flow_get_container (flow));
  weir_filter_probe_text (probe, cgroup.pod);
}

static void
probe_unit (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_OWNER);

  if (record == NULL)
    return;
  g_auto (GStrv) units = weir_cgroup_get_units (record->cgroup);
  for (guint i = 0; units[i] != NULL; i++)
    weir_filter_probe_text (probe, units[i]);
}

static void
probe_netns (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_KEY);

  if (record == NULL || record->netns == 0)
    return;
  weir_filter_probe_text (probe, weir_namespace_names_get (record->netns));
  if (!weir_netns_is_unknown (record->netns))
    weir_filter_probe_integer (probe, record->netns);
}

static void
probe_zone (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_CONNTRACK);

  if (record != NULL)
    weir_filter_probe_integer (probe, record->zone);
}

static void
probe_mark (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_CONNTRACK);

  if (record != NULL && record->has_mark)
    weir_filter_probe_integer (probe, record->mark);
}

static void
probe_rate (WeirFlow *flow, WeirFilterProbe *probe)
{
  double rx = weir_flow_get_rx_rate (flow), tx = weir_flow_get_tx_rate (flow);

  if (rx >= 0 && tx >= 0)
    weir_filter_probe_number (probe, rx + tx);
}

static void
probe_rx (WeirFlow *flow, WeirFilterProbe *probe)
{
  weir_filter_probe_number (probe, weir_flow_get_rx_rate (flow));
}

static void
probe_tx (WeirFlow *flow, WeirFilterProbe *probe)
{
  weir_filter_probe_number (probe, weir_flow_get_tx_rate (flow));
}

static void
probe_total (WeirFlow *flow, WeirFilterProbe *probe)
{
  weir_filter_probe_number (probe, weir_flow_get_total (flow));
}

static void
probe_rtt (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = get (flow, WEIR_FLOW_TCP);

  if (record != NULL)
    weir_filter_probe_number (probe, record->rtt_us / 1e6);
}

static void
probe_age (WeirFlow *flow, WeirFilterProbe *probe)
{
  gint64 first_seen = weir_flow_get_first_seen (flow);

  if (first_seen >= 0)
    weir_filter_probe_number (probe, MAX (weir_flow_get_read_at (flow) - first_seen, 0) /
                                         (double) G_USEC_PER_SEC);
}

static void
probe_src (WeirFlow *flow, WeirFilterProbe *probe)
{
  const struct weir_flow_record *record = weir_flow_get_record (flow);
  guint32 sources = record->groups & WEIR_FLOW_STATE ? record->sources : 0;

  if (record->groups & WEIR_FLOW_BYTES && record->has_bytes && record->bytes_source < 32)
    sources |= 1u << record->bytes_source;
  for (guint i = 0; source_words[i] != NULL; i++)
    if (sources & 1u << i)
      weir_filter_probe_text (probe, source_words[i]);
}

const WeirFilterKey weir_filter_keys[] = {
  { "app", WEIR_FILTER_KEY_TEXT, N_ ("Application: its name, or its id"), "app:firefox",
    probe_app },
  { "comm", WEIR_FILTER_KEY_TEXT, N_ ("Name of the process"), "comm=ssh", probe_comm },
  { "pid", WEIR_FILTER_KEY_INTEGER, N_ ("Number of the process"), "pid=4312", probe_pid,
    .max = ID_MAX },
  { "user", WEIR_FILTER_KEY_TEXT, N_ ("Name or number of the user"), "user=root", probe_user },
  { "host", WEIR_FILTER_KEY_ENDPOINT, N_ ("Remote host, without its port"), "host:198.51.100.*",
    probe_host },
  { "local", WEIR_FILTER_KEY_ENDPOINT, N_ ("This end: address and port"), "local:192.0.2.1",
    probe_local },
  { "remote", WEIR_FILTER_KEY_ENDPOINT, N_ ("The other end: address and port"),
    "remote=198.51.100.7:443", probe_remote },
  { "ip", WEIR_FILTER_KEY_ADDRESS, N_ ("Address or network of either end"), "ip:192.0.2.0/24",
    probe_ip },
  { "port", WEIR_FILTER_KEY_INTEGER, N_ ("Port of either end"), "port:443", probe_port,
    .max = PORT_MAX },
  { "lport", WEIR_FILTER_KEY_INTEGER, N_ ("Port of this end"), "lport<1024", probe_lport,
    .max = PORT_MAX },
  { "rport", WEIR_FILTER_KEY_INTEGER, N_ ("Port of the other end"), "rport:80", probe_rport,
    .max = PORT_MAX },
  { "proto", WEIR_FILTER_KEY_WORD, N_ ("Protocol, or its number"), "proto:udp", probe_proto,
    .is_word = is_protocol },
  { "state", WEIR_FILTER_KEY_WORD, N_ ("State: opening, open, closing, closed, unknown"),
    "state:open", probe_state, .words = state_words },
  { "dir", WEIR_FILTER_KEY_WORD, N_ ("Who began: out, in, forwarded, local, unknown"), "dir:in",
    probe_dir, .words = direction_words },
  { "iface", WEIR_FILTER_KEY_TEXT, N_ ("Name or number of the interface"), "iface=eth0",
    probe_iface },
  { "container", WEIR_FILTER_KEY_TEXT, N_ ("Container or pod: who runs it, its name or number"),
    "container:docker", probe_container },
  { "unit", WEIR_FILTER_KEY_TEXT, N_ ("Unit of systemd, any along the way"), "unit=sshd.service",
    probe_unit },
  { "netns", WEIR_FILTER_KEY_TEXT,
    N_ ("Network namespace: its name, a process in it, or its number"), "netns=web", probe_netns },
  { "zone", WEIR_FILTER_KEY_INTEGER, N_ ("Zone of connection tracking"), "zone>0", probe_zone,
    .max = ZONE_MAX },
  { "mark", WEIR_FILTER_KEY_INTEGER, N_ ("Mark of connection tracking"), "mark=0xca6c", probe_mark,
    .max = ID_MAX },
  { "rate", WEIR_FILTER_KEY_SIZE, N_ ("Bytes per second, both directions"), "rate>1Mi",
    probe_rate },
  { "rx", WEIR_FILTER_KEY_SIZE, N_ ("Received bytes per second"), "rx>=500k", probe_rx },
  { "tx", WEIR_FILTER_KEY_SIZE, N_ ("Sent bytes per second"), "tx>0", probe_tx },
  { "total", WEIR_FILTER_KEY_SIZE, N_ ("Bytes since the beginning, both directions"), "total>100M",
    probe_total },
  { "rtt", WEIR_FILTER_KEY_DURATION, N_ ("Round-trip time of TCP; a number alone: milliseconds"),
    "rtt>100ms", probe_rtt, .unit = 1e-3 },
  { "age", WEIR_FILTER_KEY_DURATION, N_ ("Time since it was first seen; a number alone: seconds"),
    "age<5m", probe_age, .unit = 1 },
  { "src", WEIR_FILTER_KEY_WORD, N_ ("Source that knows it: sockdiag, conntrack, bpf"),
    "src:conntrack", probe_src, .words = source_words },
};
const guint weir_filter_n_keys = G_N_ELEMENTS (weir_filter_keys);

const WeirFilterKey *
weir_filter_key_find (const char *name, gsize length)
{
  for (gsize i = 0; i < G_N_ELEMENTS (weir_filter_keys); i++)
    if (strlen (weir_filter_keys[i].name) == length &&
        g_ascii_strncasecmp (weir_filter_keys[i].name, name, length) == 0)
      return &weir_filter_keys[i];
  return NULL;
}

gboolean
weir_filter_key_has_order (const WeirFilterKey *key)
{
  return key->kind >= WEIR_FILTER_KEY_INTEGER;
}

char *
weir_filter_key_list (void)
{
  g_autoptr (GString) list = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (weir_filter_keys); i++)
    g_string_append_printf (list, i > 0 ? ", %s" : "%s", weir_filter_keys[i].name);
  return g_string_free_and_steal (g_steal_pointer (&list));
}
