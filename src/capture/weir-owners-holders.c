/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The looker gave up the right to look at descriptors.  What it still sees of a process is whether
 * it is there and what it is called: so a process that has ended is not shown as who holds a
 * socket, but one that gave the socket away is.
 *
 * Kernel programs still name who has a socket that is opened later (weir-named-sockets.c). */
#include <string.h>

#include "weir-owners.h"

/* Between two rounds, ns. */
#define PAUSE UINT64_C (900000000)

void
weir_owners_give_up (struct weir_owners *owners)
{
  owners->given_up = true;
  owners->is_starting = false;
  owners->n_unsought = weir_owners_count_sought (owners);
  owners->n_hurried = 0;
  for (uint32_t i = 0; i < owners->n_slots; i++)
    {
      struct weir_owner *owner = &owners->items[i];

      if (!owner->in_use || owner->is_process)
        continue;
      owner->asked = owner->hurried = owner->parked = owner->is_sought = false;
      owner->answered = true;
      owner->ask_at = 0;
      if (owner->missing != WEIR_MISSING_NOT_YET)
        continue;
      owner->missing = WEIR_MISSING_GIVEN_UP;
      weir_owners_note_news (owners, owner);
    }
}

void
weir_owners_keep (struct weir_owners *owners)
{
  owners->is_starting = false;
  for (uint32_t i = 0; i < owners->n_slots; i++)
    owners->items[i].is_sought = false;
}

/* Processes that are in the batch already.  Of those whose numbers fall together one may be asked
 * about twice, which does no harm. */
#define SEEN 1024

/* All sockets are gone through for a process that is not what it was, to find its others.  Many
 * processes can be something else each time, by their names alone: after so many visits only the
 * socket that the batch is about gets to know, and the others when it is their turn. */
#define VISITS (1U << 20)

uint32_t
weir_owners_collect_holders (struct weir_owners *owners, uint64_t now,
                             uint64_t ret_pids[WEIR_LOOKER_BATCH])
{
  const uint32_t first = owners->next_holder;
  const struct weir_owner *seen[SEEN] = { NULL };

  owners->n_holders = 0;
  if (!owners->given_up || now < owners->holders_at)
    return 0;
  owners->holders_at = now + PAUSE;
  owners->visits = VISITS;
  for (uint32_t i = 0; i < owners->n_slots && owners->n_holders < WEIR_LOOKER_BATCH; i++)
    {
      const uint32_t slot = (first + i) % owners->n_slots;
      const struct weir_owner *owner = &owners->items[slot], **place = &seen[owner->pid % SEEN];

      if (!owner->in_use || owner->is_process || owner->pid == 0)
        continue;
      owners->next_holder = slot + 1;
      if (*place != NULL && (*place)->pid == owner->pid &&
          (*place)->start_time == owner->start_time)
        continue;
      *place = owner;
      ret_pids[owners->n_holders] = owner->pid;
      owners->holders[owners->n_holders++] = slot + 1;
    }
  return owners->n_holders;
}

static bool
is_same (const struct weir_owner *owner, const struct weir_looker_answer *answer, const char *comm,
         uint32_t cgroup)
{
  return answer->pid != 0 && owner->start_time == answer->start_time &&
         owner->process_cgroup == cgroup && strcmp (owner->comm, comm) == 0;
}

static void
apply (struct weir_owners *owners, struct weir_owner *owner,
       const struct weir_looker_answer *answer, const char *comm, uint32_t cgroup)
{
  if (is_same (owner, answer, comm, cgroup))
    return;
  if (answer->pid == 0 || owner->start_time != answer->start_time)
    {
      weir_owners_forget_process (owners, owner);
      owner->missing = WEIR_MISSING_GIVEN_UP;
      return;
    }
  owner->process_cgroup = cgroup;
  memset (owner->comm, 0, sizeof owner->comm);
  memccpy (owner->comm, comm, 0, sizeof owner->comm - 1);
  weir_owners_note_news (owners, owner);
}

/* Whether @owner is a socket, as it may not be any more, of the process that was asked about. */
static bool
is_its (const struct weir_owner *owner, const struct weir_looker_answer *answer)
{
  return owner->in_use && !owner->is_process && owner->pid != 0 && owner->pid == answer->value;
}

/* Takes what is said of a process that the batch asked about; whether it is not what it was. */
static bool
apply_to_batch (struct weir_owners *owners, const struct weir_looker_answer *answer,
                const char *comm, uint32_t cgroup)
{
  bool has_news = false;

  for (uint32_t i = 0; i < owners->n_holders; i++)
    {
      struct weir_owner *owner = weir_owners_get (owners, owners->holders[i]);

      if (!is_its (owner, answer) || is_same (owner, answer, comm, cgroup))
        continue;
      has_news = true;
      apply (owners, owner, answer, comm, cgroup);
    }
  return has_news;
}

void
weir_owners_answer_holder (struct weir_owners *owners, const struct weir_looker_answer *answer,
                           const char *comm, const char *path)
{
  uint32_t cgroup;

  if (owners->n_holders == 0)
    return;
  cgroup = answer->pid != 0 ? weir_owners_need_path (owners, path) : 0;
  if (!apply_to_batch (owners, answer, comm, cgroup) || owners->visits < owners->n_slots)
    return;
  owners->visits -= owners->n_slots;
  for (uint32_t i = 0; i < owners->n_slots; i++)
    {
      struct weir_owner *owner = &owners->items[i];

      if (is_its (owner, answer))
        apply (owners, owner, answer, comm, cgroup);
    }
}

bool
weir_owners_name_holder (struct weir_owners *owners, uint32_t socket, uint32_t process)
{
  struct weir_owner *owner = weir_owners_get (owners, socket);
  const struct weir_owner *named = weir_owners_get (owners, process);

  if (owner->pid != 0 || named->is_gone)
    return true;
  if (!owners->given_up || named->asked_at == 0)
    return false;
  owner->pid = named->pid;
  owner->start_time = named->start_time;
  owner->process_cgroup = named->process_cgroup;
  owner->missing = WEIR_MISSING_NOTHING;
  memcpy (owner->comm, named->comm, sizeof owner->comm);
  weir_owners_note_news (owners, owner);
  return true;
}
