/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which helpers still need their capabilities, once it is known what there is to be seen.
 *
 * Kernel programs need none while they run.  Connection tracking is left for what they cannot know:
 * flows that pass through, and what addresses are translated to.  Where there is neither, the
 * keeper is told to give up its capability, and whoever has sockets of connection tracking closes
 * them. That is decided once: who has been told cannot go back, and who is kept may be needed
 * again. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "weir-keeper.h"
#include "weir-meter-private.h"

/* One request of the looker goes through some ten thousand descriptors, and anybody may have many
 * times as many: after that it is over, and it is said how many sockets were not looked for. */
#define NAMING_MAX (30000 * WEIR_MS)

static struct weir_process_status *
find_process (struct weir_posture *posture, enum weir_role role)
{
  for (unsigned i = 0; i < posture->n_processes; i++)
    {
      if (posture->processes[i].role == role)
        return &posture->processes[i];
    }
  return NULL;
}

/* ---- the keeper ---- */

/* What passes through without a forwarding computer is what a bridge hands to the firewall. */
static bool
is_only_tracked (const struct weir_flow *flow)
{
  return flow->flags & WEIR_FLOW_HAS_CONNTRACK &&
         (flow->flags & WEIR_FLOW_HAS_NAT || flow->direction == WEIR_DIRECTION_FORWARDED);
}

static enum weir_keeping
judge_entries (const struct weir_join *join)
{
  enum weir_keeping keeping = WEIR_KEEPING_NOTHING;
  struct weir_flow *flow;
  uint32_t slot = 0;

  if (!join->conntrack_known || !join->own.addresses.known)
    return WEIR_KEEPING_UNDECIDED;
  while ((flow = weir_flow_table_next (&join->table, &slot)) != NULL)
    {
      if (!is_only_tracked (flow))
        continue;
      keeping =
          flow->flags & WEIR_FLOW_HAS_NAT ? WEIR_KEEPING_TRANSLATION : WEIR_KEEPING_FORWARDING;
      break;
    }
  return keeping;
}

static enum weir_keeping
judge_all (const struct weir_meter *meter)
{
  if (meter->config->keep_capabilities != 0)
    return WEIR_KEEPING_CONFIG;
  if (!weir_meter_has_bpf (meter) || meter->bpf.opened.state != WEIR_SOURCE_ACTIVE)
    return WEIR_KEEPING_NO_PROGRAMS;
  return WEIR_KEEPING_NOTHING;
}

static enum weir_keeping
judge_keeper (const struct weir_meter *meter)
{
  const struct weir_forwarding *forwarding = &meter->forwarding;
  enum weir_keeping keeping = judge_all (meter);

  if (keeping != WEIR_KEEPING_NOTHING)
    return keeping;
  /* It has a setting to put back, which takes the capability; it would end rather than retire. */
  if (meter->counts)
    return WEIR_KEEPING_ACCOUNTING;
  if (!forwarding->known || forwarding->again || forwarding->running)
    return WEIR_KEEPING_UNDECIDED;
  return forwarding->on ? WEIR_KEEPING_FORWARDING : judge_entries (&meter->join);
}

static void
advance_keeper (struct weir_meter *meter)
{
  struct weir_process_status *keeper = find_process (&meter->posture, WEIR_ROLE_KEEPER);
  const uint8_t verb = WEIR_KEEPER_RETIRE;
  enum weir_keeping keeping;

  if (keeper == NULL || keeper->keeps != WEIR_KEEPING_UNDECIDED || meter->keeper_stopped ||
      meter->posture.keeper_asked)
    return;
  keeping = judge_keeper (meter);
  if (keeping == WEIR_KEEPING_UNDECIDED ||
      (keeping == WEIR_KEEPING_NOTHING && meter->conntrack.running))
    return;
  if (keeping != WEIR_KEEPING_NOTHING)
    {
      keeper->keeps = (uint8_t) keeping;
      meter->posture.news = true;
      return;
    }
  meter->posture.keeper_asked = true;
  if (send (meter->fds.keeper, &verb, sizeof verb, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof verb)
    weir_meter_lose_keeper (meter);
}

static void
close_one (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

/* Nothing can be asked for any more; and what was known only by entries is known no more, which is
 * what two dumps say that show none. */
static void
leave_conntrack (struct weir_meter *meter)
{
  close_one (&meter->fds.conntrack_dump);
  close_one (&meter->fds.conntrack_events);
  close_one (&meter->fds.accounting);
  meter->conntrack.fd = -1;
  meter->accounting = -1;
  meter->resync_wanted = false;
  for (unsigned i = 0; i < 2; i++)
    {
      weir_join_conntrack_begin (&meter->join);
      weir_join_conntrack_end (&meter->join, true);
    }
}

/* ---- looker and teller ---- */

/* Whether all sockets were shown that were there before the programs could name anybody: in all
 * namespaces, and in the first walk for namespaces. */
static bool
all_are_shown (const struct weir_meter *meter)
{
  const struct weir_namespaces *namespaces = &meter->namespaces;

  if (!meter->join.own.sockets_known || (meter->owners.namespaces != NULL && namespaces->walk < 2))
    return false;
  for (unsigned i = 0; i < namespaces->n; i++)
    {
      if (!namespaces->items[i]->netns->sockets_known && namespaces->items[i]->error == 0)
        return false;
    }
  return true;
}

/* Whether everybody was looked for who had one of these. */
static bool
all_are_named (struct weir_meter *meter)
{
  struct weir_owners *owners = &meter->join.owners;

  owners->is_starting = owners->is_starting && !all_are_shown (meter);
  return !owners->is_starting && !meter->owners.asking && !weir_owners_waits (owners) &&
         weir_owners_count_sought (owners) == 0;
}

static void
say_of_lookers (struct weir_posture *posture, enum weir_keeping keeping)
{
  for (unsigned i = 0; i < posture->n_processes; i++)
    {
      struct weir_process_status *process = &posture->processes[i];

      if (process->role != WEIR_ROLE_LOOKER || process->keeps != WEIR_KEEPING_UNDECIDED)
        continue;
      process->keeps = (uint8_t) keeping;
      posture->news = true;
    }
}

static void
take_own_report (struct weir_meter *meter, bool *has_report,
                 const struct weir_process_status *report)
{
  if (*has_report)
    weir_meter_take_report (meter, report);
  *has_report = false;
}

static void
advance_lookers (struct weir_meter *meter, uint64_t awake)
{
  const enum weir_keeping keeping = judge_all (meter);
  struct weir_posture *posture = &meter->posture;

  take_own_report (meter, &meter->owners.has_report, &meter->owners.report);
  take_own_report (meter, &meter->details.has_report, &meter->details.report);
  if (posture->lookers_decided || find_process (posture, WEIR_ROLE_LOOKER) == NULL)
    return;
  if (keeping != WEIR_KEEPING_NOTHING)
    {
      posture->lookers_decided = true;
      weir_owners_keep (&meter->join.owners);
      say_of_lookers (posture, keeping);
      return;
    }
  if (!all_are_named (meter) && awake - posture->began < NAMING_MAX)
    return;
  posture->lookers_decided = true;
  /* An ordinary user's have nothing to give up. */
  if (!meter->looks_at_all_users)
    return;
  weir_owners_source_give_up (&meter->owners);
  weir_details_source_give_up (&meter->details);
}

/* ---- both ---- */

void
weir_meter_begin_posture (struct weir_meter *meter, const struct weir_meter_setup *setup)
{
  struct weir_posture *posture = &meter->posture;

  memcpy (posture->processes, setup->processes, sizeof posture->processes);
  posture->n_processes = setup->n_processes;
  for (unsigned i = 0; i < posture->n_processes; i++)
    {
      struct weir_process_status *process = &posture->processes[i];

      if (process->role == WEIR_ROLE_TWIN)
        process->keeps = WEIR_KEEPING_ACCOUNTING;
      else if (process->cap_permitted != 0)
        process->keeps = WEIR_KEEPING_UNDECIDED;
    }
  posture->news = true;
  meter->join.owners.is_starting =
      meter->looks_at_all_users && judge_all (meter) == WEIR_KEEPING_NOTHING;
}

void
weir_meter_take_report (struct weir_meter *meter, const struct weir_process_status *report)
{
  struct weir_posture *posture = &meter->posture;

  for (unsigned i = 0; i < posture->n_processes; i++)
    {
      struct weir_process_status *process = &posture->processes[i];

      if (process->role != report->role || process->pid != report->pid)
        continue;
      *process = *report;
      posture->news = true;
      if (process->role == WEIR_ROLE_KEEPER && process->cap_permitted == 0 &&
          meter->fds.conntrack_dump >= 0)
        {
          posture->left_conntrack = true;
          leave_conntrack (meter);
        }
    }
}

void
weir_meter_advance_posture (struct weir_meter *meter, uint64_t awake)
{
  if (meter->posture.began == 0)
    meter->posture.began = awake;
  advance_keeper (meter);
  advance_lookers (meter, awake);
}

void
weir_meter_write_posture (struct weir_meter *meter, struct weir_writer *writer)
{
  if (!meter->posture.news)
    return;
  weir_write_confinement (writer, meter->posture.processes, meter->posture.n_processes);
  meter->posture.news = false;
}
