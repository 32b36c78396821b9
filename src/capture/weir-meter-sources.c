/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each source can do, in the words of the wire. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "weir-meter-private.h"

static struct weir_source_status
say (enum weir_source source, enum weir_source_state state, enum weir_reason reason, int error)
{
  return (struct weir_source_status) {
    .source = (uint8_t) source,
    .state = (uint8_t) state,
    .reason = (uint16_t) reason,
    .error = error,
  };
}

/* Why a descriptor could not be had, or not be used. */
static struct weir_source_status
say_refused (const struct weir_meter *meter, enum weir_source source, int error)
{
  switch (error)
    {
    case EPERM:
    case EACCES:
      return say (source, WEIR_SOURCE_UNAVAILABLE,
                  meter->view == WEIR_VIEW_FULL ? WEIR_REASON_REFUSED : WEIR_REASON_NEEDS_FULL_VIEW,
                  error);
    case EPROTONOSUPPORT:
    case EAFNOSUPPORT:
    case ENOENT:
    case EOPNOTSUPP:
    case EINVAL:
      return say (source, WEIR_SOURCE_UNAVAILABLE, WEIR_REASON_KERNEL_LACKS, error);
    default:
      return say (source, WEIR_SOURCE_UNAVAILABLE, WEIR_REASON_REFUSED, error);
    }
}

/* What a source could not take, be it from the kernel or into a table of the join. */
static uint64_t
get_losses (const struct weir_meter *meter, enum weir_source source)
{
  switch (source)
    {
    case WEIR_SOURCE_SOCKDIAG:
      return meter->socket_losses + meter->join.own.sockets.refused +
             weir_namespaces_get_losses (&meter->namespaces);
    case WEIR_SOURCE_CONNTRACK:
      return meter->conntrack_losses;
    case WEIR_SOURCE_INTERFACES:
      return meter->join.own.addresses.refused;
    case WEIR_SOURCE_OWNERS:
      return meter->join.owners.refused + meter->join.owners.n_unsought;
    case WEIR_SOURCE_BPF:
      return weir_meter_get_bpf_losses (meter);
    default:
      return 0;
    }
}

static bool
is_losing (const struct weir_meter *meter, enum weir_source source)
{
  return get_losses (meter, source) != meter->losses_shown[source];
}

static struct weir_source_status
look_at_sockets (struct weir_meter *meter)
{
  const struct weir_descriptors *fds = &meter->fds;
  int events_error = fds->sock_events >= 0 ? meter->socket_events_error : fds->sock_events_error;

  if (fds->sock_diag < 0)
    return say_refused (meter, WEIR_SOURCE_SOCKDIAG, fds->sock_diag_error);
  if (meter->sockdiag.error != 0)
    return say_refused (meter, WEIR_SOURCE_SOCKDIAG, meter->sockdiag.error);
  if (events_error != 0)
    return say (WEIR_SOURCE_SOCKDIAG, WEIR_SOURCE_DEGRADED, WEIR_REASON_REFUSED, events_error);
  if (is_losing (meter, WEIR_SOURCE_SOCKDIAG))
    return say (WEIR_SOURCE_SOCKDIAG, WEIR_SOURCE_DEGRADED, WEIR_REASON_LOSING_EVENTS, 0);
  if (meter->sockdiag.step_errors[WEIR_SOCKDIAG_PACKET] != 0)
    return say (WEIR_SOURCE_SOCKDIAG, WEIR_SOURCE_DEGRADED, WEIR_REASON_NO_PACKET_SOCKETS,
                meter->sockdiag.step_errors[WEIR_SOCKDIAG_PACKET]);
  if (meter->raw_error != 0)
    return say (WEIR_SOURCE_SOCKDIAG, WEIR_SOURCE_DEGRADED, WEIR_REASON_KERNEL_LACKS,
                meter->raw_error);
  if (weir_namespaces_is_incomplete (&meter->namespaces))
    return say (WEIR_SOURCE_SOCKDIAG, WEIR_SOURCE_DEGRADED, WEIR_REASON_NAMESPACES, 0);
  return say (WEIR_SOURCE_SOCKDIAG, WEIR_SOURCE_ACTIVE, WEIR_REASON_NONE, 0);
}

static bool
has_traffic (const struct weir_join *join)
{
  struct weir_flow *flow;
  uint32_t slot = 0;

  while ((flow = weir_flow_table_next (&join->table, &slot)) != NULL)
    {
      if (flow->key.netns == join->own.inode && flow->flags & WEIR_FLOW_HAS_SOCKET &&
          flow->tcp_rx_bytes + flow->tcp_tx_bytes > 0)
        return true;
    }
  return false;
}

static struct weir_source_status
look_at_conntrack (struct weir_meter *meter)
{
  const struct weir_descriptors *fds = &meter->fds;
  const struct weir_join *join = &meter->join;

  if ((meter->config->off & WEIR_OFF_CONNTRACK) != 0)
    return say (WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_UNAVAILABLE, WEIR_REASON_CONFIG, 0);
  if (meter->posture.left_conntrack && meter->conntrack.error != 0)
    return say_refused (meter, WEIR_SOURCE_CONNTRACK, meter->conntrack.error);
  if (meter->posture.left_conntrack && !weir_meter_has_bpf (meter))
    return say (WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_UNAVAILABLE, WEIR_REASON_STOPPED_LATER, 0);
  if (meter->posture.left_conntrack)
    return say (WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_UNAVAILABLE,
                meter->forwarding.on ? WEIR_REASON_FORWARDING_LATER : WEIR_REASON_NOT_NEEDED, 0);
  if (fds->conntrack_dump < 0)
    return say_refused (meter, WEIR_SOURCE_CONNTRACK, fds->conntrack_dump_error);
  if (fds->keeper < 0 || meter->keeper_stopped)
    return say (WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_DEGRADED, WEIR_REASON_STOPPED, 0);
  if (meter->conntrack.error != 0)
    return say_refused (meter, WEIR_SOURCE_CONNTRACK, meter->conntrack.error);
  if (fds->conntrack_events < 0 || meter->conntrack_events_error != 0)
    return say (WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_DEGRADED, WEIR_REASON_REFUSED,
                fds->conntrack_events < 0 ? fds->conntrack_events_error
                                          : meter->conntrack_events_error);
  if (is_losing (meter, WEIR_SOURCE_CONNTRACK))
    return say (WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_DEGRADED, WEIR_REASON_LOSING_EVENTS, 0);
  if (join->conntrack_known && join->n_entries == 0 && has_traffic (join))
    return say (WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_DEGRADED, WEIR_REASON_NOT_TRACKING, 0);
  if (meter->accounting == 0)
    return say (WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_DEGRADED, WEIR_REASON_ACCOUNTING_OFF, 0);
  /* Nobody knows whether bytes are counted: that is not the same as that they are. */
  if (meter->accounting < 0)
    return say (WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_DEGRADED,
                fds->accounting_error == ENOENT ? WEIR_REASON_KERNEL_LACKS : WEIR_REASON_REFUSED,
                fds->accounting_error);
  return say (WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_ACTIVE,
              meter->is_governed ? WEIR_REASON_GOVERNED
              : meter->counts    ? WEIR_REASON_ACCOUNTING_SWITCHED
                                 : WEIR_REASON_NONE,
              0);
}

static struct weir_source_status
look_at_interfaces (struct weir_meter *meter)
{
  if (meter->fds.route < 0)
    return say_refused (meter, WEIR_SOURCE_INTERFACES, meter->fds.route_error);
  if (meter->interfaces.error != 0)
    return say_refused (meter, WEIR_SOURCE_INTERFACES, meter->interfaces.error);
  if (is_losing (meter, WEIR_SOURCE_INTERFACES))
    return say (WEIR_SOURCE_INTERFACES, WEIR_SOURCE_DEGRADED, WEIR_REASON_LOSING_EVENTS, 0);
  return say (WEIR_SOURCE_INTERFACES, WEIR_SOURCE_ACTIVE, WEIR_REASON_NONE, 0);
}

static struct weir_source_status
look_at_owners (struct weir_meter *meter)
{
  if ((meter->config->off & WEIR_OFF_OWNERS) != 0)
    return say (WEIR_SOURCE_OWNERS, WEIR_SOURCE_UNAVAILABLE, WEIR_REASON_CONFIG, 0);
  if (meter->owners.fd < 0 || meter->owners.stopped)
    return say (WEIR_SOURCE_OWNERS, WEIR_SOURCE_DEGRADED, WEIR_REASON_STOPPED, 0);
  if (!meter->looks_at_all_users)
    return say (WEIR_SOURCE_OWNERS, WEIR_SOURCE_DEGRADED, WEIR_REASON_OWN_PROCESSES_ONLY, 0);
  if (meter->join.owners.given_up && !weir_meter_has_bpf (meter))
    return say (WEIR_SOURCE_OWNERS, WEIR_SOURCE_DEGRADED, WEIR_REASON_STOPPED_LATER, 0);
  if (meter->join.owners.n_unsought > 0)
    return say (WEIR_SOURCE_OWNERS, WEIR_SOURCE_DEGRADED, WEIR_REASON_NOT_ALL_NAMED, 0);
  if (is_losing (meter, WEIR_SOURCE_OWNERS))
    return say (WEIR_SOURCE_OWNERS, WEIR_SOURCE_DEGRADED, WEIR_REASON_LOSING_EVENTS, 0);
  return say (WEIR_SOURCE_OWNERS, WEIR_SOURCE_ACTIVE,
              meter->join.owners.given_up ? WEIR_REASON_RIGHTS_GIVEN_UP : WEIR_REASON_NONE, 0);
}

/* Too old, or built without (tcx: Linux 6.6); else it was one interface, or one too many. */
static enum weir_reason
find_frames_reason (int error)
{
  return error == EINVAL || error == EOPNOTSUPP ? WEIR_REASON_NO_FRAMES : WEIR_REASON_SOME_FRAMES;
}

static struct weir_source_status
look_at_programs (struct weir_meter *meter)
{
  const struct weir_bpf_opened *opened = &meter->bpf.opened;
  struct weir_source_status status = say (WEIR_SOURCE_BPF, (enum weir_source_state) opened->state,
                                          (enum weir_reason) opened->reason, opened->error);

  memcpy (status.said, opened->said, sizeof status.said);
  if (opened->state == WEIR_SOURCE_ACTIVE && is_losing (meter, WEIR_SOURCE_BPF))
    return say (WEIR_SOURCE_BPF, WEIR_SOURCE_DEGRADED, WEIR_REASON_NO_ROOM, 0);
  if (opened->state == WEIR_SOURCE_ACTIVE && opened->frames_error != 0)
    return say (WEIR_SOURCE_BPF, WEIR_SOURCE_ACTIVE, find_frames_reason (opened->frames_error),
                opened->frames_error);
  return status;
}

void
weir_meter_write_sources (struct weir_meter *meter, struct weir_writer *writer)
{
  struct weir_source_status sources[WEIR_N_SOURCES];

  /* Compared as bytes below. */
  memset (sources, 0, sizeof sources);
  sources[WEIR_SOURCE_SOCKDIAG] = look_at_sockets (meter);
  sources[WEIR_SOURCE_CONNTRACK] = look_at_conntrack (meter);
  sources[WEIR_SOURCE_INTERFACES] = look_at_interfaces (meter);
  sources[WEIR_SOURCE_OWNERS] = look_at_owners (meter);
  sources[WEIR_SOURCE_BPF] = look_at_programs (meter);
  sources[WEIR_SOURCE_NAMES] =
      say (WEIR_SOURCE_NAMES, WEIR_SOURCE_UNAVAILABLE, WEIR_REASON_NOT_BUILT, 0);
  for (enum weir_source source = 0; source < WEIR_N_SOURCES; source++)
    sources[source].losses = meter->losses_shown[source] = get_losses (meter, source);
  if (memcmp (sources, meter->shown_sources, sizeof sources) == 0)
    return;
  weir_write_sources (writer, sources, WEIR_N_SOURCES);
  memcpy (meter->shown_sources, sources, sizeof sources);
}

bool
weir_meter_has_source (const struct weir_meter *meter)
{
  return meter->fds.sock_diag >= 0 || meter->fds.conntrack_dump >= 0 || meter->fds.route >= 0;
}
