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

/* Keyed: a local program can keep those numbers that it wants. */
static uint32_t *
bucket_of (struct weir_owners *owners, uint32_t pid)
{
  return &owners->process_buckets[weir_hash (&owners->hash_key, &pid, sizeof pid) %
                                  WEIR_PROCESS_BUCKETS];
}

static uint32_t
get_user_bucket (const struct weir_owners *owners, uint32_t uid)
{
  return (uint32_t) (weir_hash (&owners->hash_key, &uid, sizeof uid) % WEIR_USER_BUCKETS);
}

/* ---- needing one ---- */

/* What was recorded of a process, and when. */
struct wanted
{
  const struct weir_named_process *process;
  uint32_t cgroup;
  uint64_t since, now;
  bool is_opener;
};

/* What is there of a process number. */
struct known
{
  uint32_t same;  /* the one that is wanted */
  uint32_t alike; /* the newest that can be the same process, but for its name or its age */
  uint32_t rest;  /* the one of its user that says nothing but these */
  uint32_t n;     /* all entries */
};

static bool
is_alike (const struct weir_owner *owner, const struct wanted *wanted)
{
  return owner->uid == wanted->process->uid && owner->cgroup == wanted->cgroup &&
         owner->is_opener == wanted->is_opener && !owner->is_gone &&
         (owner->asked_at == 0 || weir_owners_was_there (owner->start_time, wanted->since));
}

/* Threads have names of their own. */
static bool
may_be_called (const struct weir_owner *owner, const char *comm)
{
  return owner->has_threads_name || strncmp (owner->comm, comm, sizeof owner->comm) == 0;
}

static bool
is_certain (const struct weir_owner *owner, uint64_t now)
{
  const uint64_t known_at = owner->asked_at != 0 ? owner->asked_at : owner->seen_at;

  return now < known_at || now - known_at < CERTAIN;
}

static struct known
find_process (struct weir_owners *owners, const struct wanted *wanted)
{
  struct known known = { 0 };
  const struct weir_owner *owner;

  for (uint32_t number = *bucket_of (owners, wanted->process->pid); number != 0 && known.same == 0;
       number = owner->next)
    {
      owner = &owners->items[number - 1];
      if (owner->pid != wanted->process->pid)
        continue;
      known.n++;
      if (owner->is_rest)
        known.rest = owner->uid == wanted->process->uid ? number : known.rest;
      else if (is_alike (owner, wanted))
        {
          if (is_certain (owner, wanted->now) &&
              (wanted->process->has_threads_name || may_be_called (owner, wanted->process->comm)))
            known.same = number;
          if (known.alike == 0)
            known.alike = number;
        }
    }
  return known;
}

/* 0: no room. */
static uint32_t
add_process (struct weir_owners *owners, const struct wanted *wanted)
{
  const struct weir_named_process *process = wanted->process;
  struct weir_user_share *user = &owners->users[get_user_bucket (owners, process->uid)];
  uint32_t number = 0;
  struct weir_owner *owner;

  if (owners->n_processes < WEIR_OWNERS_PROCESSES_MAX && user->processes < WEIR_OWNERS_OF_USER_MAX)
    number = weir_owners_take_slot (owners);
  if (number == 0)
    return 0;
  owner = &owners->items[number - 1];
  *owner = (struct weir_owner) {
    .pid = process->pid,
    .uid = process->uid,
    .missing = WEIR_MISSING_NOTHING,
    .seen_at = wanted->since,
    .next = *bucket_of (owners, process->pid),
    .is_process = true,
    .in_use = true,
  };
  *bucket_of (owners, process->pid) = number;
  owners->n_processes++;
  user->processes++;
  return number;
}

static void
queue_process (struct weir_owners *owners, uint32_t number)
{
  struct weir_owner *owner = &owners->items[number - 1];
  const uint32_t bucket = get_user_bucket (owners, owner->uid);

  /* Those that find no room are asked for with the ones that are known. */
  if (owner->is_new || owners->n_new_processes == WEIR_OWNERS_HURRIED ||
      owners->users[bucket].new_processes >= WEIR_NEW_OF_USER_MAX)
    return;
  owner->is_new = true;
  owners->users[bucket].new_processes++;
  owners->new_processes[owners->n_new_processes++] =
      (struct weir_new_process) { .number = number, .bucket = bucket };
}

/* It has as many entries as it may, or there is no room: nothing is made up, and nothing is found
 * in a long chain.  0: not even that. */
static uint32_t
make_do (struct weir_owners *owners, const struct wanted *wanted, const struct known *known)
{
  uint32_t number = known->alike;

  if (number != 0)
    {
      if (!is_certain (&owners->items[number - 1], wanted->now))
        queue_process (owners, number);
      return number;
    }
  if (known->rest != 0)
    return known->rest;
  /* One for each user that it has been: also that has an end. */
  if (known->n < 2 * WEIR_PROCESS_ENTRIES_MAX)
    number = add_process (owners, wanted);
  if (number != 0)
    owners->items[number - 1].is_rest = owners->items[number - 1].is_gone = true;
  return number;
}

uint32_t
weir_owners_need_process (struct weir_owners *owners, const struct weir_named_process *process,
                          uint64_t since, bool is_opener, uint64_t now)
{
  const struct wanted wanted = { process, weir_owners_need_cgroup (owners, process->cgroup_id),
                                 since, now, is_opener };
  const struct known known = find_process (owners, &wanted);
  struct weir_owner *owner;
  uint32_t number = known.same;

  if (number == 0 && known.n < WEIR_PROCESS_ENTRIES_MAX)
    {
      number = add_process (owners, &wanted);
      if (number != 0)
        {
          owner = &owners->items[number - 1];
          owner->cgroup = wanted.cgroup;
          owner->is_opener = is_opener;
          owner->has_threads_name = process->has_threads_name;
          memcpy (owner->comm, process->comm, sizeof owner->comm);
          queue_process (owners, number);
        }
    }
  if (number == 0)
    number = make_do (owners, &wanted, &known);
  if (number == 0)
    {
      owners->refused++;
      return 0;
    }
  owner = &owners->items[number - 1];
  if (owner->has_threads_name && !process->has_threads_name)
    {
      owner->has_threads_name = false;
      memcpy (owner->comm, process->comm, sizeof owner->comm);
      weir_owners_note_news (owners, owner);
    }
  if (since < owner->seen_at)
    owner->seen_at = since;
  return number;
}

/* ---- asking ---- */

bool
weir_owners_was_seen_since (struct weir_owners *owners, uint32_t number, uint64_t since)
{
  const struct weir_owner *owner = weir_owners_get (owners, number);

  if (owner->is_asked || owner->is_new)
    return false;
  if (owner->sent_at <= since)
    queue_process (owners, number);
  return owner->sent_at > since;
}

bool
weir_owners_has_new_processes (const struct weir_owners *owners)
{
  return owners->n_new_processes > 0;
}

/* Several can have one number: the answer is for all of them. */
static uint32_t
ask_for (struct weir_owners *owners, struct weir_owner *owner, uint32_t n, uint64_t now,
         uint64_t pids[WEIR_LOOKER_BATCH])
{
  struct weir_owner *same;

  owner->is_new = false;
  if (owner->is_asked)
    return n;
  for (uint32_t number = *bucket_of (owners, owner->pid); number != 0; number = same->next)
    {
      same = &owners->items[number - 1];
      if (same->pid != owner->pid || same->is_gone)
        continue;
      same->is_asked = true;
      same->sent_at = now;
      same->in_netns = 0;
    }
  pids[n] = owner->pid;
  return n + 1;
}

static uint32_t
collect_new (struct weir_owners *owners, uint64_t now, uint64_t pids[WEIR_LOOKER_BATCH])
{
  uint32_t n = 0, i;

  for (i = 0; i < owners->n_new_processes && n < WEIR_LOOKER_BATCH; i++)
    {
      const struct weir_new_process *new = &owners->new_processes[i];
      struct weir_owner *owner = weir_owners_get (owners, new->number);

      owners->users[new->bucket].new_processes--;
      if (owner->is_process && owner->is_new)
        n = ask_for (owners, owner, n, now, pids);
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
    return collect_new (owners, now, ret_pids);
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
      n = ask_for (owners, owner, n, now, ret_pids);
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
  if (owner->is_opener && !may_be_called (owner, comm))
    return false;
  /* The start is rounded down. */
  return started + ns_per_tick () <= owner->seen_at ||
         (started <= owner->seen_at && may_be_called (owner, comm));
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
    weir_owners_note_news (owners, owner);
  owner->start_time = answer->start_time;
  owner->process_cgroup = cgroup;
  owner->in_netns = answer->netns;
  owner->has_threads_name = false;
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
          owners->n_processes--;
          owners->users[get_user_bucket (owners, owner->uid)].processes--;
          *owner = (struct weir_owner) { .next = owners->first_free };
          owners->first_free = number;
        }
    }
}
