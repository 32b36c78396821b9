/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-words.h"

#include <glib/gi18n.h>
#include <netinet/in.h>

#include "weir-format.h"
#include "weir-user-names.h"

/* A number from outside that is not in the table has no words. */
#define LOOK_UP(table, number)                                                                     \
  ((number) < G_N_ELEMENTS (table) && (table)[(number)] != NULL ? _ ((table)[(number)]) : "—")

static const char *const flow_states[] = {
  [WEIR_FLOW_STATE_OPENING] = N_ ("Opening"),
  [WEIR_FLOW_STATE_OPEN] = N_ ("Open"),
  [WEIR_FLOW_STATE_CLOSING] = N_ ("Closing"),
  [WEIR_FLOW_STATE_CLOSED] = N_ ("Closed"),
};

static const char *const directions[] = {
  [WEIR_DIRECTION_UNKNOWN] = N_ ("Not known"),
  [WEIR_DIRECTION_OUT] = N_ ("Opened by this computer"),
  [WEIR_DIRECTION_IN] = N_ ("Opened by the remote host"),
  [WEIR_DIRECTION_FORWARDED] = N_ ("Forwarded between other computers"),
  [WEIR_DIRECTION_LOCAL] = N_ ("Both ends are this computer"),
};

static const char *const owners_found[] = {
  [WEIR_OWNER_TUPLE] = N_ ("A socket with exactly these addresses"),
  [WEIR_OWNER_LISTENER] = N_ ("A listening socket on the local address"),
  [WEIR_OWNER_BORN] = N_ ("Recorded when it opened or used the connection"),
  [WEIR_OWNER_CGROUP] = N_ ("Only the control group is known, not the process"),
};

static const char *const owners_missing[] = {
  [WEIR_MISSING_NOTHING] = N_ ("Not known"),
  [WEIR_MISSING_NOT_YET] = N_ ("Not looked for yet"),
  [WEIR_MISSING_OTHER_USER] = N_ ("Belongs to another user; the full view shows it"),
  [WEIR_MISSING_GONE] = N_ ("The process ended before it could be looked at"),
  [WEIR_MISSING_KERNEL] = N_ ("The system itself, not a process"),
  [WEIR_MISSING_FORWARDED] = N_ ("Passes through; it has no process on this computer"),
  [WEIR_MISSING_OTHER_NAMESPACE] = N_ ("Belongs to a separate network, such as a container's"),
  [WEIR_MISSING_NOT_FOUND] = N_ ("No process shows this socket"),
  [WEIR_MISSING_GIVEN_UP] = N_ ("Not looked for: the right to was given up"),
};

static const char *const roles[] = {
  [WEIR_ROLE_METER] = N_ ("Meter"),
  [WEIR_ROLE_KEEPER] = N_ ("Keeper"),
  [WEIR_ROLE_LOOKER] = N_ ("Looker"),
  [WEIR_ROLE_TWIN] = N_ ("Keeper’s Twin"),
};

const char *
weir_words_flow_state (WeirFlow *flow)
{
  const struct weir_flow_record *record = weir_flow_get_record (flow);

  if (weir_flow_is_closed (flow))
    return _ ("Closed");
  if ((record->groups & WEIR_FLOW_STATE) == 0)
    return "—";
  if (record->state == WEIR_FLOW_STATE_OPEN && record->protocol != IPPROTO_TCP &&
      record->protocol != IPPROTO_SCTP)
    return _ ("Active");
  return LOOK_UP (flow_states, record->state);
}

const char *
weir_words_direction (WeirFlow *flow)
{
  const struct weir_flow_record *record = weir_flow_get_record (flow);

  if ((record->groups & WEIR_FLOW_STATE) == 0)
    return _ (directions[WEIR_DIRECTION_UNKNOWN]);
  return LOOK_UP (directions, record->direction);
}

static gboolean
has_opener (const struct weir_flow_record *record)
{
  return (record->groups & WEIR_FLOW_OPENER) != 0 && record->opener_pid != 0;
}

const char *
weir_words_owner (WeirFlow *flow)
{
  const struct weir_flow_record *record = weir_flow_get_record (flow);

  if ((record->groups & WEIR_FLOW_OWNER) == 0)
    return _ (owners_missing[WEIR_MISSING_NOT_YET]);
  if (record->owner_how == WEIR_OWNER_BORN && has_opener (record))
    return _ ("Recorded when it used the connection");
  if (record->owner_how != WEIR_OWNER_NONE)
    return LOOK_UP (owners_found, record->owner_how);
  return LOOK_UP (owners_missing, record->owner_missing);
}

char *
weir_words_process (WeirFlow *flow)
{
  const struct weir_flow_record *record = weir_flow_get_record (flow);
  g_autoptr (GString) words = g_string_new (weir_flow_get_comm (flow));
  const char *user = weir_flow_get_user (flow);

  if ((record->groups & WEIR_FLOW_OWNER) != 0 && record->pid != 0)
    g_string_append_printf (words, "%s%u", words->len ? " · " : "", record->pid);
  /* The user of a connection is who owns its socket: whoever opened it, then. */
  if (user != NULL && !has_opener (record))
    g_string_append_printf (words, "%s%s", words->len ? " · " : "", user);
  return words->len ? g_string_free (g_steal_pointer (&words), FALSE) : NULL;
}

char *
weir_words_opener (WeirFlow *flow)
{
  const struct weir_flow_record *record = weir_flow_get_record (flow);
  g_autofree char *comm = NULL, *number = NULL;
  const char *user;

  if (!has_opener (record))
    return NULL;
  comm = weir_format_sanitise (record->opener_comm, sizeof record->opener_comm);
  user = weir_user_names_get (record->opener_uid);
  number = g_strdup_printf ("%u", record->opener_uid);
  return g_strdup_printf ("%s%s%u · %s", comm, *comm != '\0' ? " · " : "", record->opener_pid,
                          user != NULL ? user : number);
}

const char *
weir_words_role (guint8 role)
{
  return LOOK_UP (roles, role);
}
