/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes that kernel programs named: they were there when a socket was made or used, whatever
 * became of them since.
 *
 * A number alone names nobody for long.  The looker is asked once for each process when its start
 * is; that is believed if it was before the socket was there, for then it is the same process.
 * Otherwise the number is another's by now, or nobody's: what was recorded stays, without a start.
 * A process that makes sockets again after a while is asked for again, as its number may have been
 * given to another one meanwhile. */
#include <string.h>
#include <unistd.h>

#include "weir-owners.h"

#define MS       UINT64_C (1000000)
#define NS_PER_S UINT64_C (1000000000)

/* So long after an answer nobody else can have the number: the kernel gives them out in turn, and
 * 32768 processes do not begin in that time. */
#define CERTAIN (500 * MS)

/* Known ones are looked at again, for what they are called after they executed another program: so
 * often, and so many in a second. */
#define CHECK_GAP        (4000 * MS)
#define CHECKS_PAUSE     (900 * MS)
#define CHECKS_PER_ROUND 64

/* How long a process without flows is remembered. */
#define KEPT (10 * NS_PER_S)

static uint64_t
ns_per_tick (void)
{
  static uint64_t ns;

  if (ns == 0)
    ns = NS_PER_S / (uint64_t) sysconf (_SC_CLK_TCK);
  return ns;
}

bool
weir_owners_was_there (uint64_t start_time, uint64_t since)
{
  return start_time != 0 && start_time * ns_per_tick () <= since;
}

static uint32_t *
bucket_of (struct weir_owners *owners, uint32_t pid)
{
  return &owners->process_buckets[pid % WEIR_PROCESS_BUCKETS];
}

static bool
is_the_same (const struct weir_owner *owner, const struct weir_named_process *process,
             uint32_t cgroup, uint64_t since, bool is_opener, uint64_t now)
{
  if (owner->pid != process->pid || owner->uid != process->uid || owner->cgroup != cgroup ||
      owner->is_opener != is_opener || owner->is_gone ||
      strncmp (owner->comm, process->comm, sizeof owner->comm) != 0)
    return false;
  if (owner->asked_at == 0)
    return now - owner->seen_at < CERTAIN || now < owner->seen_at;
  return now - owner->asked_at < CERTAIN && weir_owners_was_there (owner->start_time, since);
}

uint32_t
weir_owners_need_process (struct weir_owners *owners, const struct weir_named_process *process,
                          uint64_t since, bool is_opener, uint64_t now)
{
  const uint32_t cgroup = weir_owners_need_cgroup (owners, process->cgroup_id);
  struct weir_owner *owner;
  uint32_t number;

  for (number = *bucket_of (owners, process->pid); number != 0; number = owner->next)
    {
      owner = &owners->items[number - 1];
      if (!is_the_same (owner, process, cgroup, since, is_opener, now))
        continue;
      if (since < owner->seen_at)
        owner->seen_at = since;
      return number;
    }
  number = weir_owners_take_slot (owners);
  if (number == 0)
    {
      owners->refused++;
      return 0;
    }
  owner = &owners->items[number - 1];
  *owner = (struct weir_owner) {
    .pid = process->pid,
    .uid = process->uid,
    .cgroup = cgroup,
    .missing = WEIR_MISSING_NOTHING,
    .seen_at = since,
    .next = *bucket_of (owners, process->pid),
    .is_process = true,
    .is_opener = is_opener,
    .in_use = true,
  };
  memcpy (owner->comm, process->comm, sizeof owner->comm);
  *bucket_of (owners, process->pid) = number;
  if (owners->n_new_processes < WEIR_OWNERS_HURRIED)
    {
      owner->is_new = true;
      owners->new_processes[owners->n_new_processes++] = number;
    }
  return number;
}

bool
weir_owners_has_new_processes (const struct weir_owners *owners)
{
  return owners->n_new_processes > 0;
}

/* Several can have one number: the answer is for all of them. */
static uint32_t
ask_for (struct weir_owners *owners, struct weir_owner *owner, uint32_t n,
         uint64_t pids[WEIR_LOOKER_BATCH])
{
  struct weir_owner *same;

  owner->is_new = false;
  if (owner->is_asked)
    return n;
  for (uint32_t number = *bucket_of (owners, owner->pid); number != 0; number = same->next)
    {
      same = &owners->items[number - 1];
      if (same->pid == owner->pid && !same->is_gone)
        same->is_asked = true;
    }
  pids[n] = owner->pid;
  return n + 1;
}

static uint32_t
collect_new (struct weir_owners *owners, uint64_t pids[WEIR_LOOKER_BATCH])
{
  uint32_t n = 0, i;

  for (i = 0; i < owners->n_new_processes && n < WEIR_LOOKER_BATCH; i++)
    {
      struct weir_owner *owner = weir_owners_get (owners, owners->new_processes[i]);

      if (owner->is_process && owner->is_new)
        n = ask_for (owners, owner, n, pids);
    }
  owners->n_new_processes -= i;
  memmove (owners->new_processes, owners->new_processes + i,
           owners->n_new_processes * sizeof owners->new_processes[0]);
  return n;
}

uint32_t
weir_owners_collect_processes (struct weir_owners *owners, bool again, uint64_t now,
                               uint64_t ret_pids[WEIR_LOOKER_BATCH])
{
  const uint32_t first = owners->next_process;
  uint32_t n = 0;

  if (!again)
    return collect_new (owners, ret_pids);
  if (now < owners->processes_at)
    return 0;
  owners->processes_at = now + CHECKS_PAUSE;
  for (uint32_t i = 0; i < owners->n_slots && n < CHECKS_PER_ROUND; i++)
    {
      const uint32_t slot = (first + i) % owners->n_slots;
      struct weir_owner *owner = &owners->items[slot];

      if (!owner->is_process || owner->is_gone || owner->flows == 0 ||
          now < owner->asked_at + CHECK_GAP)
        continue;
      n = ask_for (owners, owner, n, ret_pids);
      owners->next_process = slot + 1;
    }
  return n;
}

/* Whether the process that has the number now is the one that was recorded. */
static bool
is_believed (const struct weir_owner *owner, const struct weir_looker_answer *answer,
             const char *comm)
{
  const uint64_t started = answer->start_time * ns_per_tick ();

  if (owner->start_time != 0)
    return owner->start_time == answer->start_time;
  /* When exactly it made the socket is not known, only that it was called that. */
  if (owner->is_opener && strcmp (owner->comm, comm) != 0)
    return false;
  /* The start is rounded down. */
  return started + ns_per_tick () <= owner->seen_at ||
         (started <= owner->seen_at && strcmp (owner->comm, comm) == 0);
}

static void
apply (struct weir_owners *owners, struct weir_owner *owner,
       const struct weir_looker_answer *answer, const char *comm, const char *path, uint64_t now)
{
  uint32_t cgroup;

  owner->is_asked = false;
  owner->asked_at = now;
  if (answer->pid == 0 || !is_believed (owner, answer, comm))
    {
      owner->is_gone = true;
      return;
    }
  cgroup = weir_owners_need_path (owners, path);
  if (owner->start_time != answer->start_time || owner->process_cgroup != cgroup ||
      strcmp (owner->comm, comm) != 0)
    owner->version++;
  owner->start_time = answer->start_time;
  owner->process_cgroup = cgroup;
  owner->in_netns = answer->netns;
  memset (owner->comm, 0, sizeof owner->comm);
  memccpy (owner->comm, comm, 0, sizeof owner->comm - 1);
}

void
weir_owners_answer_process (struct weir_owners *owners, const struct weir_looker_answer *answer,
                            const char *comm, const char *path, uint64_t now)
{
  struct weir_owner *owner;

  if (answer->value > UINT32_MAX)
    return;
  for (uint32_t number = *bucket_of (owners, (uint32_t) answer->value); number != 0;
       number = owner->next)
    {
      owner = &owners->items[number - 1];
      if (owner->pid == answer->value && owner->is_asked)
        apply (owners, owner, answer, comm, path, now);
    }
}

void
weir_owners_processes_answered (struct weir_owners *owners)
{
  for (uint32_t i = 0; i < WEIR_PROCESS_BUCKETS; i++)
    {
      struct weir_owner *owner;

      for (uint32_t number = owners->process_buckets[i]; number != 0; number = owner->next)
        {
          owner = &owners->items[number - 1];
          owner->is_asked = false;
        }
    }
}

void
weir_owners_sweep_processes (struct weir_owners *owners, uint64_t now)
{
  if (now - owners->processes_swept < KEPT)
    return;
  owners->processes_swept = now;
  for (uint32_t i = 0; i < WEIR_PROCESS_BUCKETS; i++)
    {
      uint32_t *at = &owners->process_buckets[i];

      while (*at != 0)
        {
          const uint32_t number = *at;
          struct weir_owner *owner = &owners->items[number - 1];

          if (owner->flows > 0 || owner->is_asked || owner->is_new)
            {
              at = &owner->next;
              continue;
            }
          *at = owner->next;
          *owner = (struct weir_owner) { .next = owners->first_free };
          owners->first_free = number;
        }
    }
}
