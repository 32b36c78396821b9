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
/* ... as long as the right to look is there for those who wait for that answer only. */
#define SOUGHT_GAP (100 * MS)

/* A process that was seen not to hold the socket any more is shown no longer than this, even if
 * there was no time to look for another. */
#define LOST_SHOWN (5000 * MS)

/* What looking at one socket again takes, ns: a guess to begin with, and the most that is believed.
 */
#define CHECK_COST_GUESS 30000
#define CHECK_COST_MAX   MS

#define N_RETRIES (sizeof retry_gaps / sizeof retry_gaps[0])
#define N_CHECKS  (sizeof check_gaps / sizeof check_gaps[0])

int
weir_owners_init (struct weir_owners *owners, bool sees_everybody)
{
  int result;

  *owners =
      (struct weir_owners) { .sees_everybody = sees_everybody, .check_cost = CHECK_COST_GUESS };
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

uint32_t
weir_owners_take_slot (struct weir_owners *owners)
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

/* Keyed: who makes control groups chooses their names, and may keep the numbers that he wants. */
static uint32_t *
cgroup_bucket_of (struct weir_owners *owners, uint64_t id, const char *path)
{
  const uint64_t hash = id != 0 ? weir_hash (&owners->hash_key, &id, sizeof id)
                                : weir_hash (&owners->hash_key, path, strlen (path));

  return &owners->cgroup_buckets[hash % WEIR_CGROUP_BUCKETS];
}

/* 0: it is not known. */
static uint32_t
find_cgroup (struct weir_owners *owners, uint64_t id, const char *path)
{
  uint32_t number = *cgroup_bucket_of (owners, id, path);

  while (number != 0 && (owners->cgroups[number].id != id ||
                         (id == 0 && strcmp (owners->cgroups[number].path, path) != 0)))
    number = owners->cgroups[number].next;
  return number;
}

static uint32_t
take_cgroup (struct weir_owners *owners)
{
  const uint32_t number = owners->first_free_cgroup;

  if (number != 0)
    {
      owners->first_free_cgroup = owners->cgroups[number].next;
      return number;
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

/* Takes @path.  0: no room, and it was freed. */
static uint32_t
add_cgroup (struct weir_owners *owners, uint64_t id, char *path)
{
  uint32_t *bucket = cgroup_bucket_of (owners, id, path);
  const uint32_t number = take_cgroup (owners);

  if (number == 0)
    {
      free (path);
      return 0;
    }
  owners->cgroups[number] =
      (struct weir_cgroup) { .id = id, .path = path, .next = *bucket, .in_use = true };
  *bucket = number;
  return number;
}

uint32_t
weir_owners_need_cgroup (struct weir_owners *owners, uint64_t id)
{
  uint32_t number;

  if (id == 0)
    return 0;
  /* Sockets of one control group come in a row. */
  if (owners->last_cgroup != 0 && owners->cgroups[owners->last_cgroup].id == id)
    return owners->last_cgroup;
  number = find_cgroup (owners, id, NULL);
  if (number == 0)
    number = add_cgroup (owners, id, NULL);
  return owners->last_cgroup = number;
}

uint32_t
weir_owners_need_path (struct weir_owners *owners, const char *path)
{
  uint32_t number;
  char *copy;

  if (*path == '\0')
    return 0;
  number = find_cgroup (owners, 0, path);
  if (number != 0)
    return number;
  copy = strdup (path);
  return copy != NULL ? add_cgroup (owners, 0, copy) : 0;
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
  memset (owners->cgroup_buckets, 0, sizeof owners->cgroup_buckets);
  owners->first_free_cgroup = 0;
  for (uint32_t i = 1; i < owners->n_cgroups; i++)
    {
      struct weir_cgroup *cgroup = &owners->cgroups[i];
      uint32_t *chain = &owners->first_free_cgroup;

      if (used[i])
        chain = cgroup_bucket_of (owners, cgroup->id, cgroup->path);
      else
        {
          free (cgroup->path);
          *cgroup = (struct weir_cgroup) { 0 };
        }
      cgroup->next = *chain;
      *chain = i;
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
  number = weir_owners_take_slot (owners);
  if (number == 0)
    {
      owners->refused++;
      return 0;
    }
  owners->items[number - 1] = (struct weir_owner) {
    .cookie = cookie,
    .inode = inode,
    .cgroup = weir_owners_need_cgroup (owners, cgroup_id),
    .missing = weir_owners_get_missing (owners),
    .ask_at = owners->given_up ? 0 : now,
    .answered = owners->given_up,
    .is_sought = owners->is_starting,
    .round = round,
    .next = *bucket_of (owners, inode),
    .in_use = true,
  };
  *bucket_of (owners, inode) = number;
  owners->n_used++;
  return number;
}

bool
weir_owners_is_own (const struct weir_owners *owners, uint32_t inode)
{
  const struct weir_owner *owner;

  for (uint32_t number = *bucket_of (owners, inode); number != 0; number = owner->next)
    {
      owner = &owners->items[number - 1];
      if (owner->inode == inode && weir_owners_is_shown (owners, owner))
        return true;
    }
  return false;
}

static void
set_lost (struct weir_owners *owners, struct weir_owner *owner, uint64_t at)
{
  owners->n_lost += at != 0;
  owners->n_lost -= owner->lost_at != 0;
  owner->lost_at = at;
}

void
weir_owners_forget_process (struct weir_owners *owners, struct weir_owner *owner)
{
  set_lost (owners, owner, 0);
  owner->pid = 0;
  owner->start_time = 0;
  owner->process_cgroup = 0;
  memset (owner->comm, 0, sizeof owner->comm);
  owner->tries = 0;
  weir_owners_note_news (owners, owner);
}

void
weir_owners_forget_lost (struct weir_owners *owners, uint64_t now)
{
  for (uint32_t i = 0; i < owners->n_slots && owners->n_lost > 0; i++)
    {
      struct weir_owner *owner = &owners->items[i];

      if (owner->lost_at == 0 || now < owner->lost_at + LOST_SHOWN)
        continue;
      weir_owners_forget_process (owners, owner);
      owner->missing = weir_owners_get_missing (owners);
    }
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
      if (!owner->in_use || owner->is_process || owner->netns != netns ||
          (int32_t) (owner->round - round) >= 0)
        continue;
      /* The socket is gone: whoever held it cannot be found any more. */
      owner->ask_at = 0;
      owner->is_sought = false;
      if (owner->pid == 0 && owner->missing == WEIR_MISSING_NOT_YET)
        {
          owner->missing = WEIR_MISSING_GONE;
          weir_owners_note_news (owners, owner);
        }
      if (owner->flows > 0)
        continue;
      at = bucket_of (owners, owner->inode);
      while (*at != i + 1)
        at = &owners->items[*at - 1].next;
      *at = owner->next;
      set_lost (owners, owner, 0);
      owners->n_used--;
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
      weir_owners_note_news (owners, owner);
    }
}

static void
apply_found (struct weir_owners *owners, struct weir_owner *owner,
             const struct weir_looker_answer *answer, const char *comm, const char *path,
             uint64_t now)
{
  uint32_t process_cgroup = weir_owners_need_path (owners, path);
  bool changed = owner->pid == answer->pid && owner->start_time == answer->start_time &&
                 (owner->process_cgroup != process_cgroup || strcmp (owner->comm, comm) != 0);

  if (owner->pid != answer->pid || owner->start_time != answer->start_time)
    owner->tries = 0;
  if (owner->pid != answer->pid || owner->start_time != answer->start_time ||
      owner->process_cgroup != process_cgroup || strcmp (owner->comm, comm) != 0)
    weir_owners_note_news (owners, owner);
  owner->pid = answer->pid;
  owner->fd = answer->fd;
  owner->start_time = answer->start_time;
  owner->process_cgroup = process_cgroup;
  set_lost (owners, owner, 0);
  owner->is_sought = false;
  owner->missing = WEIR_MISSING_NOTHING;
  memset (owner->comm, 0, sizeof owner->comm);
  memccpy (owner->comm, comm, 0, sizeof owner->comm - 1);
  owner->ask_at = now + check_gaps[owner->tries];
  if (owner->tries + 1u < N_CHECKS)
    owner->tries++;
  if (changed)
    tell_others (owners, owner);
}

/* Not looked for everywhere: what was known stays, and it costs no try. */
static void
apply_unfinished (struct weir_owners *owners, struct weir_owner *owner, uint64_t now)
{
  owner->ask_at = now + (owner->is_sought ? SOUGHT_GAP : AGAIN_GAP);
  owner->parked = !owner->is_sought;
  if (owner->pid != 0 && owner->lost_at == 0)
    set_lost (owners, owner, now);
}

static void
apply_not_found (struct weir_owners *owners, struct weir_owner *owner, uint32_t unreadable,
                 uint64_t now)
{
  uint8_t missing = WEIR_MISSING_NOT_YET;

  if (owner->pid != 0)
    /* It was known and is not any more: its process gave the socket away or ended. */
    weir_owners_forget_process (owners, owner);
  if (unreadable > 0 && !owners->sees_everybody)
    missing = WEIR_MISSING_OTHER_USER;
  else if (owner->tries >= N_RETRIES)
    /* It lives and nobody shows it, which anybody can bring about: it may be the kernel's own, or
     * kept out of sight by a thread with other descriptors, in io_uring, or in flight. */
    missing = WEIR_MISSING_NOT_FOUND;
  if (owner->missing != missing)
    weir_owners_note_news (owners, owner);
  owner->missing = missing;
  owner->is_sought = false;
  owner->ask_at = owner->tries < N_RETRIES ? now + retry_gaps[owner->tries++] : 0;
  /* Most short ones are gone by now, and to look for them once more would take the longest. */
  owner->parked = true;
}

static void
answer_cgroup (struct weir_owners *owners, uint64_t id, const char *path, bool unfinished,
               uint64_t now)
{
  const uint32_t number = id != 0 ? find_cgroup (owners, id, NULL) : 0;
  struct weir_cgroup *cgroup;

  if (number == 0 || owners->cgroups[number].path != NULL)
    return;
  cgroup = &owners->cgroups[number];
  cgroup->asked = false;
  if (unfinished)
    {
      cgroup->ask_at = now + AGAIN_GAP;
      return;
    }
  cgroup->path = strdup (path);
  for (uint32_t i = 0; i < owners->n_slots; i++)
    {
      if (owners->items[i].in_use && owners->items[i].cgroup == number)
        weir_owners_note_news (owners, &owners->items[i]);
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

  if (answer->verb == WEIR_LOOKER_PROCESSES)
    {
      weir_owners_answer_process (owners, answer, comm, path, now);
      weir_owners_answer_holder (owners, answer, comm, path);
    }
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
        apply_unfinished (owners, owner, now);
      else
        apply_not_found (owners, owner, answer->unreadable, now);
    }
}

/* How long a check took, averaged. */
static void
note_cost (struct weir_owners *owners, uint64_t spent)
{
  uint64_t cost;

  if (owners->n_checking == 0)
    return;
  cost = spent / owners->n_checking;
  if (cost > CHECK_COST_MAX)
    cost = CHECK_COST_MAX;
  owners->check_cost = (3 * owners->check_cost + cost) / 4;
  owners->n_checking = 0;
}

void
weir_owners_answered (struct weir_owners *owners, uint64_t spent, uint64_t now)
{
  weir_owners_processes_answered (owners);
  owners->n_holders = 0;
  note_cost (owners, spent);
  for (uint32_t i = 0; i < owners->n_slots; i++)
    {
      struct weir_owner *owner = &owners->items[i];

      if (!owner->in_use || !owner->asked)
        continue;
      owner->asked = false;
      owner->hurried = false;
      owner->answered = true;
      apply_unfinished (owners, owner, now);
    }
  for (uint32_t i = 1; i < owners->n_cgroups; i++)
    {
      struct weir_cgroup *cgroup = &owners->cgroups[i];

      if (cgroup->in_use && cgroup->asked)
        answer_cgroup (owners, cgroup->id, "", true, now);
    }
}
