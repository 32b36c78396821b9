/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-flow-texts.h"

#include <netinet/in.h>
#include <string.h>

#include <glib/gi18n-lib.h>

#include "weir-app-identity.h"
#include "weir-cgroup.h"
#include "weir-format.h"
#include "weir-user-names.h"

typedef struct
{
  guint8 number;
  gboolean has_ports;
  const char *name;
} Protocol;

static const Protocol protocols[] = {
  { IPPROTO_TCP, TRUE, "TCP" },          { IPPROTO_UDP, TRUE, "UDP" },
  { IPPROTO_UDPLITE, TRUE, "UDP-Lite" }, { IPPROTO_SCTP, TRUE, "SCTP" },
  { IPPROTO_DCCP, TRUE, "DCCP" },        { IPPROTO_ICMP, FALSE, "ICMP" },
  { IPPROTO_ICMPV6, FALSE, "ICMPv6" },   { IPPROTO_IGMP, FALSE, "IGMP" },
  { IPPROTO_GRE, FALSE, "GRE" },         { IPPROTO_ESP, FALSE, "ESP" },
  { IPPROTO_AH, FALSE, "AH" },           { IPPROTO_IPIP, FALSE, "IPIP" },
  { IPPROTO_IPV6, FALSE, "IPv6" },
};

static const char *const states[] = {
  [WEIR_FLOW_STATE_UNKNOWN] = NULL,         [WEIR_FLOW_STATE_OPENING] = N_ ("Opening"),
  [WEIR_FLOW_STATE_OPEN] = N_ ("Open"),     [WEIR_FLOW_STATE_CLOSING] = N_ ("Closing"),
  [WEIR_FLOW_STATE_CLOSED] = N_ ("Closed"),
};

static const Protocol *
find_protocol (guint8 number)
{
  for (gsize i = 0; i < G_N_ELEMENTS (protocols); i++)
    if (protocols[i].number == number)
      return &protocols[i];
  return NULL;
}

gboolean
weir_flow_has_ports (WeirFlow *self)
{
  const Protocol *protocol = find_protocol (self->record.protocol);

  return protocol != NULL && protocol->has_ports;
}

const char *
weir_flow_get_state_name (WeirFlow *self)
{
  guint state = self->closed ? WEIR_FLOW_STATE_CLOSED : self->record.state;

  if (state >= G_N_ELEMENTS (states) || states[state] == NULL)
    return NULL;
  return g_dgettext (GETTEXT_PACKAGE, states[state]);
}

const char *
weir_flow_texts_get_protocol_name (guint8 number)
{
  const Protocol *protocol = find_protocol (number);

  return protocol != NULL ? protocol->name : NULL;
}

const char *
weir_flow_texts_get_record_protocol (const struct weir_flow_record *record)
{
  return record->family != 0 ? weir_flow_texts_get_protocol_name (record->protocol)
                             : WEIR_PROTOCOL_FRAMES;
}

static char *
make_protocol (WeirFlow *flow)
{
  const char *name = weir_flow_texts_get_record_protocol (&flow->record);

  return name != NULL ? g_strdup (name) : g_strdup_printf ("%u", flow->record.protocol);
}

gboolean
weir_endpoint_is_any (const struct weir_endpoint *endpoint, guint8 family)
{
  static const guint8 none[16];
  gsize start = family == 4 ? 12 : 0;

  return endpoint->port == 0 && memcmp (endpoint->address + start, none + start, 16 - start) == 0;
}

static char *
make_endpoint (WeirFlow *flow, const struct weir_endpoint *endpoint)
{
  /* A socket that waits for anybody. */
  if (weir_endpoint_is_any (endpoint, flow->record.family))
    return g_strdup ("*");
  return weir_format_endpoint (flow->record.family, endpoint->address, endpoint->port,
                               weir_flow_has_ports (flow));
}

static char *
make_user (WeirFlow *flow)
{
  if (!(flow->record.groups & WEIR_FLOW_OWNER) || !flow->record.has_uid)
    return NULL;
  const char *name = weir_user_names_get (flow->record.uid);
  return name != NULL ? g_strdup (name) : g_strdup_printf ("%u", flow->record.uid);
}

static char *
make_comm (WeirFlow *flow)
{
  if (!(flow->record.groups & WEIR_FLOW_OWNER) || flow->record.comm[0] == '\0')
    return NULL;
  return weir_format_sanitise (flow->record.comm, sizeof flow->record.comm);
}

static void
make_app (WeirFlow *flow)
{
  g_auto (WeirAppIdentity) identity = { 0 };
  char comm[sizeof flow->record.comm + 1] = "";

  if (flow->record.groups & WEIR_FLOW_OWNER)
    {
      memcpy (comm, flow->record.comm, sizeof flow->record.comm);
      weir_app_identity_init (&identity, flow->record.cgroup, comm);
    }
  flow->app_kind = identity.kind;
  g_set_str (&flow->texts[WEIR_TEXT_APP], identity.name);
  g_set_str (&flow->texts[WEIR_TEXT_APP_ID], identity.id);
  flow->texts_known |= 1u << WEIR_TEXT_APP | 1u << WEIR_TEXT_APP_ID;
}

static void
make_places (WeirFlow *flow)
{
  g_auto (WeirCgroup) cgroup = { 0 };
  gboolean known = flow->record.groups & WEIR_FLOW_OWNER;

  weir_cgroup_init (&cgroup, known ? flow->record.cgroup : NULL);
  g_free (flow->texts[WEIR_TEXT_CONTAINER]);
  flow->texts[WEIR_TEXT_CONTAINER] = weir_cgroup_dup_chain (&cgroup);
  g_set_str (&flow->texts[WEIR_TEXT_UNIT], cgroup.unit);
  flow->texts_known |= 1u << WEIR_TEXT_UNIT | 1u << WEIR_TEXT_CONTAINER;
}

/* A separator that no filter word contains keeps words from matching across two fields. */
void
weir_flow_texts_append_all (WeirFlow *flow, GString *all)
{
  const char *fields[] = {
    weir_flow_get_app_name (flow),  weir_flow_get_app_id (flow),     weir_flow_get_comm (flow),
    weir_flow_get_user (flow),      weir_flow_get_remote (flow),     weir_flow_get_local (flow),
    weir_flow_get_protocol (flow),  weir_flow_get_state_name (flow), weir_flow_get_unit (flow),
    weir_flow_get_container (flow),
  };

  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    if (fields[i] != NULL)
      g_string_append_printf (all, "%s\n", fields[i]);
  if ((flow->record.groups & WEIR_FLOW_OWNER) && flow->record.pid != 0)
    g_string_append_printf (all, "%u\n", flow->record.pid);
}

static char *
make_search_text (WeirFlow *flow)
{
  g_autoptr (GString) all = g_string_new (NULL);

  weir_flow_texts_append_all (flow, all);
  return weir_flow_fold_text (all->str);
}

char *
weir_flow_fold_text (const char *text)
{
  if (g_str_is_ascii (text))
    return g_ascii_strdown (text, -1);
  g_autofree char *composed = g_utf8_normalize (text, -1, G_NORMALIZE_ALL_COMPOSE);

  if (composed == NULL)
    return g_strdup ("");
  g_autofree char *folded = g_utf8_casefold (composed, -1);
  /* Folding can leave what is no longer composed. */
  return g_utf8_normalize (folded, -1, G_NORMALIZE_ALL_COMPOSE);
}

void
weir_flow_texts_make (WeirFlow *flow, WeirFlowText text)
{
  char *made = NULL;

  switch (text)
    {
    case WEIR_TEXT_APP:
    case WEIR_TEXT_APP_ID:
      make_app (flow);
      return;
    case WEIR_TEXT_UNIT:
    case WEIR_TEXT_CONTAINER:
      make_places (flow);
      return;
    case WEIR_TEXT_COMM:
      made = make_comm (flow);
      break;
    case WEIR_TEXT_USER:
      made = make_user (flow);
      break;
    case WEIR_TEXT_REMOTE:
      made = make_endpoint (flow, &flow->record.remote);
      break;
    case WEIR_TEXT_LOCAL:
      made = make_endpoint (flow, &flow->record.local);
      break;
    case WEIR_TEXT_PROTOCOL:
      made = make_protocol (flow);
      break;
    case WEIR_TEXT_SEARCH:
      made = make_search_text (flow);
      break;
    default:
      g_assert_not_reached ();
    }
  g_free (flow->texts[text]);
  flow->texts[text] = made;
  flow->texts_known |= 1u << text;
}
