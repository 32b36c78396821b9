/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which questions the looker is asked, and how many at once: what is new comes first, and what is
 * known is looked at again in turn, as far as there is time for it. */
#include <string.h>

#include "weir-owners.h"

#define MS UINT64_C (1000000)

/* Of one batch: sockets that nobody shows must not keep the looker from those that are new. */
#define AGAIN_MAX (WEIR_LOOKER_BATCH / 2)

/* A walk costs as much as there are descriptors, and sockets tell how many those are at least:
 * walking again waits so long for each of them that it stays below a hundredth of a processor. */
#define AGAIN_PAUSE_PER_SOCKET (1 * MS)

/* To look whether a process still holds a socket, and what it is called, takes no walk, but there
 * may be many to be looked at.  So it has a thousandth of a processor, in rounds of about a second;
 * each looks at as many as went into that time lately, between these two limits: everything has had
 * its turn after as many rounds as CHECKS_MIN goes into the number of sockets, and sooner on most
 * machines. */
#define CHECKS_TIME  (1 * MS)
#define CHECKS_PAUSE (900 * MS)
#define CHECKS_MIN   8
#define CHECKS_MAX   128
/* Most of the time goes into opening a process and reading what it is called, so a round asks about
 * several sockets of the same processes: of so many less than of sockets. */
#define CHECKS_PER_PROCESS 4

static void
ask_for (struct weir_owner *owner, struct weir_looker_request *request, uint32_t n)
{
  owner->asked = true;
  request->values[n] = owner->inode;
  request->hints[n] = (struct weir_looker_hint) { owner->pid, owner->fd };
}

/* Slots that wait for the same, in turn. */
struct line
{
  uint32_t slots[WEIR_LOOKER_BATCH];
  uint32_t n, max;
};

static bool
stand_in (struct line *line, uint32_t slot)
{
  if (line->n >= line->max)
    return false;
  line->slots[line->n++] = slot;
  return true;
}

/* Sockets of which something is known, and that are due. */
struct again
{
  struct line checks; /* of @pids */
  struct line others; /* ... and those that come behind them, as far as there is room */
  struct line lost, walks;
  uint32_t pids[CHECKS_MAX / CHECKS_PER_PROCESS];
  uint32_t n_pids, pids_max;
};

static bool
has_turn (struct again *again, uint32_t pid)
{
  for (uint32_t i = 0; i < again->n_pids; i++)
    {
      if (again->pids[i] == pid)
        return true;
    }
  if (again->n_pids == again->pids_max)
    return false;
  again->pids[again->n_pids++] = pid;
  return true;
}

static void
note_again (const struct weir_owners *owners, const struct weir_owner *owner, uint32_t slot,
            uint64_t now, struct again *again)
{
  /* What the last dump did not show is no more; it is forgotten with the next one. */
  if (owner->netns == 0 && !weir_owners_is_shown (owners, owner))
    return;
  if (owner->pid != 0 && owner->lost_at == 0)
    {
      if (owners->check_at > now || again->checks.n == again->checks.max)
        return;
      stand_in (has_turn (again, owner->pid) ? &again->checks : &again->others, slot);
    }
  else if (owners->again_at <= now)
    stand_in (owner->lost_at != 0 ? &again->lost : &again->walks, slot);
}

/* The batch goes on with @line, and has up to @max then; returns its size. */
static uint32_t
ask_line (struct weir_owners *owners, struct weir_looker_request *request, uint32_t n, uint32_t max,
          const struct line *line)
{
  for (uint32_t i = 0; i < line->n && n < max; i++)
    ask_for (&owners->items[line->slots[i]], request, n++);
  return n;
}

static uint32_t
ask_checks (struct weir_owners *owners, struct weir_looker_request *request,
            const struct again *again, uint64_t now)
{
  const uint32_t max = again->checks.max;
  uint32_t n = ask_line (owners, request, 0, max, &again->checks), n_others;

  n_others = max - n < again->others.n ? max - n : again->others.n;
  /* Collecting goes on where not everything before has had its turn. */
  if (n_others < again->others.n)
    owners->next_asked = again->others.slots[n_others];
  else
    {
      const struct line *last = n_others > 0 ? &again->others : &again->checks;

      owners->next_asked = last->slots[last->n - 1] + 1;
    }
  n = ask_line (owners, request, n, max, &again->others);
  owners->check_at = now + CHECKS_PAUSE;
  owners->n_checking = n;
  request->depth = WEIR_LOOKER_CHECK;
  return n;
}

static uint32_t
ask_walks (struct weir_owners *owners, struct weir_looker_request *request, uint32_t n,
           const struct again *again, uint64_t now)
{
  const uint32_t first = n;
  const uint32_t max = n + AGAIN_MAX < WEIR_LOOKER_BATCH ? n + AGAIN_MAX : WEIR_LOOKER_BATCH;

  /* Who is shown and may be wrong, before whom nobody was found for. */
  n = ask_line (owners, request, n, max, &again->lost);
  if (n < max && again->walks.n > 0)
    {
      const uint32_t n_walks = max - n < again->walks.n ? max - n : again->walks.n;

      owners->next_asked = again->walks.slots[n_walks - 1] + 1;
      n = ask_line (owners, request, n, max, &again->walks);
    }
  if (n > first)
    owners->again_at = now + owners->n_used * AGAIN_PAUSE_PER_SOCKET;
  /* Only who has looked everywhere can say that it must be another user's. */
  request->depth = n > first || !owners->sees_everybody ? WEIR_LOOKER_WHOLE : WEIR_LOOKER_NEW;
  return n;
}

/* Sockets to be checked in one round. */
static uint32_t
get_checks_max (const struct weir_owners *owners)
{
  const uint64_t n = owners->check_cost > 0 ? CHECKS_TIME / owners->check_cost : CHECKS_MAX;

  if (n < CHECKS_MIN)
    return CHECKS_MIN;
  return n < CHECKS_MAX ? (uint32_t) n : CHECKS_MAX;
}

uint32_t
weir_owners_collect (struct weir_owners *owners, uint64_t now, struct weir_looker_request *request)
{
  const uint32_t first = owners->next_asked, checks_max = get_checks_max (owners);
  struct again again = { .checks.max = checks_max,
                         .others.max = checks_max,
                         .lost.max = AGAIN_MAX,
                         .walks.max = AGAIN_MAX,
                         .pids_max = checks_max / CHECKS_PER_PROCESS };
  uint32_t n = 0;
  bool is_sought = false;

  weir_owners_forget_lost (owners, now);
  if (owners->given_up)
    return 0;
  for (uint32_t i = 0; i < owners->n_slots && n < WEIR_LOOKER_BATCH; i++)
    {
      uint32_t slot = (first + i) % owners->n_slots;
      struct weir_owner *owner = &owners->items[slot];

      if (!owner->in_use || owner->asked || owner->hurried || owner->parked || owner->ask_at == 0 ||
          owner->ask_at > now)
        continue;
      if (owner->answered && !owner->is_sought)
        {
          note_again (owners, owner, slot, now, &again);
          continue;
        }
      is_sought |= owner->answered;
      ask_for (owner, request, n++);
      owners->next_asked = slot + 1;
    }
  /* All that are new are in the batch now, or it is full.  Checks go by themselves: a batch that
   * has none but those walks nowhere. */
  if (again.checks.n > 0 && n == 0)
    return ask_checks (owners, request, &again, now);
  n = ask_walks (owners, request, n, &again, now);
  if (is_sought)
    request->depth = WEIR_LOOKER_WHOLE;
  return n;
}

void
weir_owners_hurry (struct weir_owners *owners, uint32_t number)
{
  struct weir_owner *owner = weir_owners_get (owners, number);

  /* Without a place it is asked for at the next tick. */
  if (owner == NULL || owner->answered || owner->asked || owner->hurried ||
      owners->n_hurried == WEIR_OWNERS_HURRIED)
    return;
  owner->hurried = true;
  owners->hurried[owners->n_hurried++] = number;
}

uint32_t
weir_owners_collect_hurried (struct weir_owners *owners, struct weir_looker_request *request)
{
  uint32_t n = 0, i;

  for (i = 0; i < owners->n_hurried && n < WEIR_LOOKER_BATCH; i++)
    {
      struct weir_owner *owner = weir_owners_get (owners, owners->hurried[i]);

      /* Its number may be another socket's meanwhile, which does no harm. */
      if (!owner->in_use || owner->answered || owner->asked || owner->ask_at == 0)
        continue;
      ask_for (owner, request, n++);
    }
  owners->n_hurried -= i;
  memmove (owners->hurried, owners->hurried + i, owners->n_hurried * sizeof owners->hurried[0]);
  return n;
}

uint32_t
weir_owners_collect_cgroups (struct weir_owners *owners, uint64_t now,
                             uint64_t ret_ids[WEIR_LOOKER_BATCH])
{
  uint32_t n = 0;

  for (uint32_t i = 1; i < owners->n_cgroups && n < WEIR_LOOKER_BATCH; i++)
    {
      struct weir_cgroup *cgroup = &owners->cgroups[i];

      if (!cgroup->in_use || cgroup->id == 0 || cgroup->path != NULL || cgroup->asked ||
          cgroup->ask_at > now)
        continue;
      cgroup->asked = true;
      ret_ids[n++] = cgroup->id;
    }
  return n;
}

uint32_t
weir_owners_count_sought (const struct weir_owners *owners)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < owners->n_slots; i++)
    n += owners->items[i].in_use && owners->items[i].is_sought;
  return n;
}

bool
weir_owners_waits (const struct weir_owners *owners)
{
  for (uint32_t i = 0; i < owners->n_slots; i++)
    {
      const struct weir_owner *owner = &owners->items[i];

      if (owner->in_use && !owner->answered && !owner->hurried && owner->ask_at != 0)
        return true;
    }
  for (uint32_t i = 1; i < owners->n_cgroups; i++)
    {
      if (owners->cgroups[i].in_use && owners->cgroups[i].path == NULL &&
          owners->cgroups[i].ask_at == 0)
        return true;
    }
  return false;
}
