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
/* So long at least events are watched before nothing is taken to pass through. */
#define WATCHED_MIN (5000 * WEIR_MS)
/* To give up takes a moment, but what was asked before comes first. */
#define ANSWER_MAX (10000 * WEIR_MS)

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

/* What passes through without a forwarding computer is what a bridge hands to the firewall; but an
 * entry may also be left of an address that this computer had before, and nothing moves there. */
static bool
is_only_tracked (const struct weir_flow *flow)
{
  return flow->flags & WEIR_FLOW_HAS_CONNTRACK &&
         (flow->flags & WEIR_FLOW_HAS_NAT ||
          (flow->direction == WEIR_DIRECTION_FORWARDED &&
           (flow->has_moved || flow->flags & WEIR_FLOW_IS_FRESH)));
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
  if (!weir_meter_has_bpf (meter))
    return WEIR_KEEPING_NO_PROGRAMS;
  return meter->bpf.opened.state == WEIR_SOURCE_ACTIVE ? WEIR_KEEPING_NOTHING : WEIR_KEEPING_PART;
}

static enum weir_keeping
judge_keeper (const struct weir_meter *meter)
{
  const struct weir_forwarding *forwarding = &meter->forwarding;
  const enum weir_keeping keeping = judge_all (meter);

  if (keeping != WEIR_KEEPING_NOTHING)
    return keeping;
  /* It has a setting to put back, which takes the capability; it would end rather than retire. */
  if (meter->counts)
    return WEIR_KEEPING_ACCOUNTING;
  if (meter->bpf_totals.counts[WEIR_BPF_COUNT_NO_ROOM] > 0)
    return WEIR_KEEPING_NO_ROOM;
  if (!forwarding->known || forwarding->again || forwarding->running)
    return WEIR_KEEPING_UNDECIDED;
  return forwarding->on ? WEIR_KEEPING_FORWARDING : judge_entries (&meter->join);
}

/* What is not known by now will not be.  Who is refused what he has a right for does not need the
 * right. */
static enum weir_keeping
judge_late (const struct weir_meter *meter)
{
  return meter->conntrack.error != 0 && !meter->join.conntrack_known ? WEIR_KEEPING_NOTHING
                                                                     : WEIR_KEEPING_UNKNOWN;
}

static void
say_of (struct weir_posture *posture, enum weir_role role, enum weir_keeping keeping)
{
  for (unsigned i = 0; i < posture->n_processes; i++)
    {
      struct weir_process_status *process = &posture->processes[i];

      if (process->role != role || process->keeps != WEIR_KEEPING_UNDECIDED)
        continue;
      process->keeps = (uint8_t) keeping;
      posture->news = true;
    }
}

static void
advance_keeper (struct weir_meter *meter, uint64_t awake)
{
  const struct weir_process_status *keeper = find_process (&meter->posture, WEIR_ROLE_KEEPER);
  const uint8_t verb = WEIR_KEEPER_RETIRE;
  enum weir_keeping keeping;

  if (keeper == NULL || keeper->keeps != WEIR_KEEPING_UNDECIDED)
    return;
  /* It may have ended, or only talk nonsense: what it held last is what is known. */
  if (meter->keeper_stopped)
    say_of (&meter->posture, WEIR_ROLE_KEEPER, WEIR_KEEPING_UNKNOWN);
  if (meter->keeper_stopped || meter->posture.keeper_asked)
    return;
  keeping = judge_keeper (meter);
  if (keeping == WEIR_KEEPING_UNDECIDED && awake - meter->posture.began >= NAMING_MAX)
    keeping = judge_late (meter);
  if (keeping == WEIR_KEEPING_UNDECIDED ||
      (keeping == WEIR_KEEPING_NOTHING &&
       (meter->conntrack.running || awake - meter->posture.began < WATCHED_MIN)))
    return;
  if (keeping != WEIR_KEEPING_NOTHING)
    {
      say_of (&meter->posture, WEIR_ROLE_KEEPER, keeping);
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

/* Nothing can be asked for any more. */
static void
leave_conntrack (struct weir_meter *meter)
{
  close_one (&meter->fds.conntrack_dump);
  close_one (&meter->fds.conntrack_events);
  close_one (&meter->fds.accounting);
  meter->conntrack.fd = -1;
  meter->accounting = -1;
  meter->resync_wanted = false;
  weir_join_leave_conntrack (&meter->join);
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
  struct weir_posture *posture = &meter->posture;
  enum weir_keeping keeping = judge_all (meter);

  if (keeping == WEIR_KEEPING_NOTHING && meter->bpf.opened.has_no_pids)
    keeping = WEIR_KEEPING_NO_NUMBERS;
  take_own_report (meter, &meter->owners.has_report, &meter->owners.report);
  take_own_report (meter, &meter->details.has_report, &meter->details.report);
  /* Who does not answer has ended, or cannot be believed: what it held last is what is known. */
  if (posture->lookers_told != 0 && awake - posture->lookers_told >= ANSWER_MAX)
    say_of (posture, WEIR_ROLE_LOOKER, WEIR_KEEPING_UNKNOWN);
  if (posture->lookers_decided || find_process (posture, WEIR_ROLE_LOOKER) == NULL)
    return;
  if (keeping != WEIR_KEEPING_NOTHING)
    {
      posture->lookers_decided = true;
      weir_owners_keep (&meter->join.owners);
      say_of (posture, WEIR_ROLE_LOOKER, keeping);
      return;
    }
  if (!all_are_named (meter) && !meter->owners.stopped && awake - posture->began < NAMING_MAX)
    return;
  posture->lookers_decided = true;
  posture->lookers_told = awake;
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

/* Nothing else can have changed, and what a helper says may be anything. */
static void
take_sets (struct weir_process_status *process, const struct weir_process_status *report)
{
  process->cap_effective = report->cap_effective;
  process->cap_permitted = report->cap_permitted;
  process->cap_inheritable = report->cap_inheritable;
  process->cap_bounding = report->cap_bounding;
  process->cap_ambient = report->cap_ambient;
  if (report->cap_permitted == 0)
    process->keeps = WEIR_KEEPING_NOTHING;
  else if (report->keeps == WEIR_KEEPING_HIDDEN)
    process->keeps = WEIR_KEEPING_HIDDEN;
  else
    process->keeps = WEIR_KEEPING_UNKNOWN;
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
      take_sets (process, report);
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
  advance_keeper (meter, awake);
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
