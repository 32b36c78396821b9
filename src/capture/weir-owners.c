/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS    16384
#define FIRST_ROOM 64

#define MS UINT64_C (1000000)

/* Waiting times after each answer that named nobody.  A process that is just being made, or a
 * descriptor in flight, shows up soon or never. */
static const uint64_t retry_gaps[] = { 250 * MS, 1000 * MS, 3000 * MS, 10000 * MS, 30000 * MS };
/* ... and after each that named somebody: the first soon, for programs that fork and execute. */
static const uint64_t check_gaps[] = { 4000 * MS, 8000 * MS };

/* ... and after one that the looker could not finish, which says nothing. */
#define AGAIN_GAP (1000 * MS)

/* Of one batch: sockets that nobody shows must not keep the looker from those that are new. */
#define AGAIN_MAX (WEIR_LOOKER_BATCH / 2)

/* A walk costs as much as there are descriptors, and sockets tell how many those are at least:
 * walking again waits so long for each of them that it stays below a hundredth of a processor. */
#define AGAIN_PAUSE_PER_SOCKET (1 * MS)

/* To look whether a process still holds a socket, and what it is called, takes no walk.  So many
 * are looked at in a second, in turn: what a program is called after it executed another is known
 * after CHECK_GAP, or later where there are thousands of sockets. */
#define CHECKS_PER_ROUND 64
#define CHECKS_PAUSE     (900 * MS)

#define N_RETRIES (sizeof retry_gaps / sizeof retry_gaps[0])
#define N_CHECKS  (sizeof check_gaps / sizeof check_gaps[0])

int
weir_owners_init (struct weir_owners *owners, bool sees_everybody)
{
  int result;

  *owners = (struct weir_owners) { .sees_everybody = sees_everybody };
  result = weir_hash_key_init (&owners->hash_key);
  if (result < 0)
    return result;
  owners->buckets = calloc (BUCKETS, sizeof *owners->buckets);
  return owners->buckets != NULL ? 0 : -ENOMEM;
}

void
weir_owners_clear (struct weir_owners *owners)
{
  for (uint32_t i = 0; i < owners->n_cgroups; i++)
    free (owners->cgroups[i].path);
  free (owners->cgroups);
  free (owners->items);
  free (owners->buckets);
  *owners = (struct weir_owners) { 0 };
}

struct weir_owner *
weir_owners_get (const struct weir_owners *owners, uint32_t number)
{
  return number != 0 ? &owners->items[number - 1] : NULL;
}

/* Keyed: the kernel counts inode numbers up, and a local program can keep those that it wants. */
static uint32_t *
bucket_of (const struct weir_owners *owners, uint32_t inode)
{
  return &owners->buckets[weir_hash (&owners->hash_key, &inode, sizeof inode) % BUCKETS];
}

static uint32_t
take_slot (struct weir_owners *owners)
{
  uint32_t number = owners->first_free;

  if (number != 0)
    {
      owners->first_free = owners->items[number - 1].next;
      return number;
    }
  if (owners->n_slots == owners->capacity)
    {
      uint32_t capacity = owners->capacity > 0 ? owners->capacity * 2 : FIRST_ROOM;
      struct weir_owner *items = NULL;

      if (capacity <= WEIR_OWNERS_MAX)
        items = reallocarray (owners->items, capacity, sizeof *items);
      if (items == NULL)
        return 0;
      owners->items = items;
      owners->capacity = capacity;
    }
  return ++owners->n_slots;
}

/* ---- control groups ---- */

static uint32_t
take_cgroup (struct weir_owners *owners)
{
  for (uint32_t i = 1; i < owners->n_cgroups; i++)
    {
      if (!owners->cgroups[i].in_use)
        return i;
    }
  if (owners->n_cgroups == owners->cgroups_capacity)
    {
      uint32_t capacity = owners->cgroups_capacity > 0 ? owners->cgroups_capacity * 2 : FIRST_ROOM;
      struct weir_cgroup *cgroups = NULL;

      if (capacity <= WEIR_CGROUPS_MAX)
        cgroups = reallocarray (owners->cgroups, capacity, sizeof *cgroups);
      if (cgroups == NULL)
        {
          owners->refused++;
          return 0;
        }
      owners->cgroups = cgroups;
      owners->cgroups_capacity = capacity;
    }
  if (owners->n_cgroups == 0)
    owners->cgroups[owners->n_cgroups++] = (struct weir_cgroup) { .in_use = true };
  return owners->n_cgroups++;
}

static uint32_t
need_cgroup (struct weir_owners *owners, uint64_t id)
{
  uint32_t number;

  if (id == 0)
    return 0;
  /* Sockets of one control group come in a row. */
  if (owners->last_cgroup != 0 && owners->cgroups[owners->last_cgroup].id == id)
    return owners->last_cgroup;
  for (number = 1; number < owners->n_cgroups; number++)
    {
      if (owners->cgroups[number].in_use && owners->cgroups[number].id == id)
        return owners->last_cgroup = number;
    }
  number = take_cgroup (owners);
  if (number != 0)
    owners->cgroups[number] = (struct weir_cgroup) { .id = id, .in_use = true };
  return owners->last_cgroup = number;
}

static uint32_t
need_path (struct weir_owners *owners, const char *path)
{
  uint32_t number;
  char *copy;

  if (*path == '\0')
    return 0;
  for (number = 1; number < owners->n_cgroups; number++)
    {
      const struct weir_cgroup *cgroup = &owners->cgroups[number];

      if (cgroup->in_use && cgroup->id == 0 && strcmp (cgroup->path, path) == 0)
        return number;
    }
  copy = strdup (path);
  number = copy != NULL ? take_cgroup (owners) : 0;
  if (number == 0)
    {
      free (copy);
      return 0;
    }
  owners->cgroups[number] = (struct weir_cgroup) { .path = copy, .in_use = true };
  return number;
}

const char *
weir_owners_get_cgroup (const struct weir_owners *owners, const struct weir_owner *owner)
{
  const char *path = owner->cgroup != 0 ? owners->cgroups[owner->cgroup].path : NULL;

  if ((path == NULL || *path == '\0') && owner->process_cgroup != 0)
    path = owners->cgroups[owner->process_cgroup].path;
  return path != NULL ? path : "";
}

static void
sweep_cgroups (struct weir_owners *owners)
{
  bool *used;

  if (owners->n_cgroups < WEIR_CGROUPS_MAX / 2)
    return;
  used = calloc (owners->n_cgroups, sizeof *used);
  if (used == NULL)
    return;
  for (uint32_t i = 0; i < owners->n_slots; i++)
    {
      used[owners->items[i].cgroup] = true;
      used[owners->items[i].process_cgroup] = true;
    }
  for (uint32_t i = 1; i < owners->n_cgroups; i++)
    {
      if (used[i])
        continue;
      free (owners->cgroups[i].path);
      owners->cgroups[i] = (struct weir_cgroup) { 0 };
    }
  owners->last_cgroup = 0;
  free (used);
}

/* ---- sockets ---- */

uint32_t
weir_owners_need (struct weir_owners *owners, uint32_t inode, uint64_t cookie, uint64_t cgroup_id,
                  uint32_t round, uint64_t now)
{
  struct weir_owner *owner;
  uint32_t number;

  for (number = *bucket_of (owners, inode); number != 0; number = owner->next)
    {
      owner = &owners->items[number - 1];
      if (owner->inode == inode && owner->cookie == cookie)
        {
          /* It lives on. */
          if (owner->round != round)
            owner->hurried = owner->parked = false;
          owner->round = round;
          return number;
        }
    }
  number = take_slot (owners);
  if (number == 0)
    {
      owners->refused++;
      return 0;
    }
  owners->items[number - 1] = (struct weir_owner) {
    .cookie = cookie,
    .inode = inode,
    .cgroup = need_cgroup (owners, cgroup_id),
    .missing = WEIR_MISSING_NOT_YET,
    .ask_at = now,
    .round = round,
    .next = *bucket_of (owners, inode),
    .in_use = true,
  };
  *bucket_of (owners, inode) = number;
  return number;
}

void
weir_owners_sweep (struct weir_owners *owners, uint32_t netns, uint32_t round)
{
  if (netns == 0)
    owners->round_before = round;
  for (uint32_t i = 0; i < owners->n_slots; i++)
    {
      struct weir_owner *owner = &owners->items[i];
      uint32_t *at;

      /* Rounds are compared as distances: they wrap around after some centuries, but still. */
      if (!owner->in_use || owner->netns != netns || (int32_t) (owner->round - round) >= 0)
        continue;
      /* The socket is gone: whoever held it cannot be found any more. */
      owner->ask_at = 0;
      if (owner->pid == 0 && owner->missing == WEIR_MISSING_NOT_YET)
        {
          owner->missing = WEIR_MISSING_GONE;
          owner->version++;
        }
      if (owner->flows > 0)
        continue;
      at = bucket_of (owners, owner->inode);
      while (*at != i + 1)
        at = &owners->items[*at - 1].next;
      *at = owner->next;
      *owner = (struct weir_owner) { .next = owners->first_free };
      owners->first_free = i + 1;
    }
  sweep_cgroups (owners);
}

void
weir_owners_leave_netns (struct weir_owners *owners, uint32_t netns)
{
  for (uint32_t i = 0; i < owners->n_slots; i++)
    {
      if (owners->items[i].in_use && owners->items[i].netns == netns)
        owners->items[i].netns = 0;
    }
}

static void
ask_for (struct weir_owner *owner, struct weir_looker_request *request, uint32_t n)
{
  owner->asked = true;
  request->values[n] = owner->inode;
  request->hints[n] = (struct weir_looker_hint) { owner->pid, owner->fd };
}

/* Sockets of which something is known, and that are due. */
struct again
{
  uint32_t checks[CHECKS_PER_ROUND], walks[AGAIN_MAX];
  uint32_t n_checks, n_walks;
};

static void
note_again (const struct weir_owners *owners, const struct weir_owner *owner, uint32_t slot,
            uint64_t now, struct again *again)
{
  /* What the last dump did not show is no more; it is forgotten with the next one. */
  if (owner->netns == 0 && (int32_t) (owner->round - owners->round_before) <= 0)
    return;
  if (owner->pid != 0 && !owner->lost)
    {
      if (again->n_checks < CHECKS_PER_ROUND && owners->check_at <= now)
        again->checks[again->n_checks++] = slot;
    }
  else if (again->n_walks < AGAIN_MAX && owners->again_at <= now)
    again->walks[again->n_walks++] = slot;
}

/* The batch goes on with @slots; returns its size. */
static uint32_t
ask_again (struct weir_owners *owners, struct weir_looker_request *request, uint32_t n,
           const uint32_t *slots, uint32_t n_slots)
{
  for (uint32_t i = 0; i < n_slots && n < WEIR_LOOKER_BATCH; i++)
    {
      ask_for (&owners->items[slots[i]], request, n++);
      owners->next_asked = slots[i] + 1;
    }
  return n;
}

uint32_t
weir_owners_collect (struct weir_owners *owners, uint64_t now, struct weir_looker_request *request)
{
  const uint32_t first = owners->next_asked;
  struct again again = { .n_checks = 0 };
  uint32_t n = 0;

  for (uint32_t i = 0; i < owners->n_slots && n < WEIR_LOOKER_BATCH; i++)
    {
      uint32_t slot = (first + i) % owners->n_slots;
      struct weir_owner *owner = &owners->items[slot];

      if (!owner->in_use || owner->asked || owner->hurried || owner->parked || owner->ask_at == 0 ||
          owner->ask_at > now)
        continue;
      if (owner->answered)
        {
          note_again (owners, owner, slot, now, &again);
          continue;
        }
      ask_for (owner, request, n++);
      owners->next_asked = slot + 1;
    }
  /* All that are new are in the batch now, or it is full.  Checks go by themselves: a batch that
   * has none but those walks nowhere. */
  if (again.n_checks > 0 && n == 0)
    {
      n = ask_again (owners, request, n, again.checks, again.n_checks);
      owners->check_at = now + CHECKS_PAUSE;
      request->depth = WEIR_LOOKER_CHECK;
      return n;
    }
  n = ask_again (owners, request, n, again.walks, again.n_walks);
  if (again.n_walks > 0)
    owners->again_at = now + owners->n_slots * AGAIN_PAUSE_PER_SOCKET;
  /* Only who has looked everywhere can say that it must be another user's. */
  request->depth =
      again.n_walks > 0 || !owners->sees_everybody ? WEIR_LOOKER_WHOLE : WEIR_LOOKER_NEW;
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

/* A process has another name or control group than before: so it has for all of its sockets. */
static void
tell_others (struct weir_owners *owners, const struct weir_owner *changed)
{
  for (uint32_t i = 0; i < owners->n_slots; i++)
    {
      struct weir_owner *owner = &owners->items[i];

      if (!owner->in_use || owner == changed || owner->pid != changed->pid ||
          owner->start_time != changed->start_time)
        continue;
      memcpy (owner->comm, changed->comm, sizeof owner->comm);
      owner->process_cgroup = changed->process_cgroup;
      owner->version++;
    }
}

static void
apply_found (struct weir_owners *owners, struct weir_owner *owner,
             const struct weir_looker_answer *answer, const char *comm, const char *path,
             uint64_t now)
{
  uint32_t process_cgroup = need_path (owners, path);
  bool changed = owner->pid == answer->pid && owner->start_time == answer->start_time &&
                 (owner->process_cgroup != process_cgroup || strcmp (owner->comm, comm) != 0);

  if (owner->pid != answer->pid || owner->start_time != answer->start_time)
    owner->tries = 0;
  if (owner->pid != answer->pid || owner->start_time != answer->start_time ||
      owner->process_cgroup != process_cgroup || strcmp (owner->comm, comm) != 0)
    owner->version++;
  owner->pid = answer->pid;
  owner->fd = answer->fd;
  owner->start_time = answer->start_time;
  owner->process_cgroup = process_cgroup;
  owner->lost = false;
  owner->missing = WEIR_MISSING_NOTHING;
  memset (owner->comm, 0, sizeof owner->comm);
  strncpy (owner->comm, comm, sizeof owner->comm - 1);
  owner->ask_at = now + check_gaps[owner->tries];
  if (owner->tries + 1u < N_CHECKS)
    owner->tries++;
  if (changed)
    tell_others (owners, owner);
}

/* Not looked for everywhere: what was known stays, and it costs no try. */
static void
apply_unfinished (struct weir_owner *owner, uint64_t now)
{
  owner->ask_at = now + AGAIN_GAP;
  owner->parked = true;
  owner->lost = owner->pid != 0;
}

static void
apply_not_found (struct weir_owners *owners, struct weir_owner *owner, uint32_t unreadable,
                 uint64_t now)
{
  uint8_t missing = WEIR_MISSING_NOT_YET;

  if (owner->pid != 0)
    {
      /* It was known and is not any more: its process gave the socket away or ended. */
      owner->pid = 0;
      owner->lost = false;
      owner->start_time = 0;
      owner->process_cgroup = 0;
      memset (owner->comm, 0, sizeof owner->comm);
      owner->tries = 0;
      owner->version++;
    }
  if (unreadable > 0 && !owners->sees_everybody)
    missing = WEIR_MISSING_OTHER_USER;
  else if (owner->tries >= N_RETRIES)
    /* It lives and nobody shows it, which anybody can bring about: it may be the kernel's own, or
     * kept out of sight by a thread with other descriptors, in io_uring, or in flight. */
    missing = WEIR_MISSING_NOT_FOUND;
  if (owner->missing != missing)
    owner->version++;
  owner->missing = missing;
  owner->ask_at = owner->tries < N_RETRIES ? now + retry_gaps[owner->tries++] : 0;
  /* Most short ones are gone by now, and to look for them once more would take the longest. */
  owner->parked = true;
}

static void
answer_cgroup (struct weir_owners *owners, uint64_t id, const char *path, bool unfinished,
               uint64_t now)
{
  for (uint32_t number = 1; number < owners->n_cgroups; number++)
    {
      struct weir_cgroup *cgroup = &owners->cgroups[number];

      if (!cgroup->in_use || cgroup->id != id || cgroup->path != NULL)
        continue;
      cgroup->asked = false;
      if (unfinished)
        {
          cgroup->ask_at = now + AGAIN_GAP;
          continue;
        }
      cgroup->path = strdup (path);
      for (uint32_t i = 0; i < owners->n_slots; i++)
        {
          if (owners->items[i].in_use && owners->items[i].cgroup == number)
            owners->items[i].version++;
        }
    }
}

void
weir_owners_answer (struct weir_owners *owners, const struct weir_looker_answer *answer,
                    uint64_t now)
{
  char comm[sizeof answer->comm], path[sizeof answer->cgroup];
  struct weir_owner *owner;

  /* The looker is another process: its strings end where we say. */
  memcpy (comm, answer->comm, sizeof comm);
  comm[sizeof comm - 1] = '\0';
  memcpy (path, answer->cgroup, sizeof path);
  path[sizeof path - 1] = '\0';

  if (answer->verb == WEIR_LOOKER_CGROUPS)
    answer_cgroup (owners, answer->value, path, answer->unfinished != 0, now);
  if (answer->verb != WEIR_LOOKER_OWNERS || answer->value > UINT32_MAX)
    return;
  for (uint32_t number = *bucket_of (owners, (uint32_t) answer->value); number != 0;
       number = owner->next)
    {
      owner = &owners->items[number - 1];
      if (owner->inode != answer->value || !owner->asked)
        continue;
      owner->asked = false;
      owner->hurried = false;
      owner->answered = true;
      if (answer->pid != 0)
        apply_found (owners, owner, answer, comm, path, now);
      else if (answer->unfinished != 0)
        apply_unfinished (owner, now);
      else
        apply_not_found (owners, owner, answer->unreadable, now);
    }
}

void
weir_owners_answered (struct weir_owners *owners, uint64_t now)
{
  for (uint32_t i = 0; i < owners->n_slots; i++)
    {
      struct weir_owner *owner = &owners->items[i];

      if (!owner->in_use || !owner->asked)
        continue;
      owner->asked = false;
      owner->hurried = false;
      owner->answered = true;
      apply_unfinished (owner, now);
    }
  for (uint32_t i = 1; i < owners->n_cgroups; i++)
    {
      struct weir_cgroup *cgroup = &owners->cgroups[i];

      if (cgroup->in_use && cgroup->asked)
        answer_cgroup (owners, cgroup->id, "", true, now);
    }
}
