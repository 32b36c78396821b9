/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who holds which socket, as far as the looker was asked and answered.  No input or output here:
 * source-owners.c carries questions and answers.
 *
 * A socket is known by inode and cookie together: inode numbers come back, cookies do not.  It is
 * asked for when it is first seen, again a few times when nobody was found (a process may be too
 * young, a descriptor on its way), and rarely once it is known (descriptors are passed on, programs
 * are executed), so that a pid is never shown beyond its process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir-hash.h"
#include "weir-looker.h"
#include "weir-wire.h"

/* Sockets and processes that are remembered; 128 bytes each.  Beyond it owners stay unknown, which
 * is counted. */
#define WEIR_OWNERS_MAX 262144
/* Sockets that are to be asked for before the next tick. */
#define WEIR_OWNERS_HURRIED 1024
/* Chains in which processes are looked for by their number. */
#define WEIR_PROCESS_BUCKETS 16384
/* Processes that are remembered, so that sockets find room, too; and of one user.  Counted are
 * those of users whose numbers fall together: one bucket each, by a keyed hash. */
#define WEIR_OWNERS_PROCESSES_MAX (WEIR_OWNERS_MAX / 4 * 3)
#define WEIR_OWNERS_OF_USER_MAX   (WEIR_OWNERS_MAX / 2)
#define WEIR_NEW_OF_USER_MAX      (WEIR_OWNERS_HURRIED / 2)
#define WEIR_USER_BUCKETS         256
/* Entries that one process number can have: programs rename themselves as often as they like. */
#define WEIR_PROCESS_ENTRIES_MAX 32
/* Control groups whose paths are remembered, at most WEIR_STRING_MAX bytes each. */
#define WEIR_CGROUPS_MAX    8192
#define WEIR_CGROUP_BUCKETS 4096

struct weir_owner
{
  uint64_t cookie;
  uint64_t start_time;
  uint64_t ask_at;  /* CLOCK_BOOTTIME, ns; 0: not any more */
  uint64_t lost_at; /* when it was not where it had been, so @pid may hold it no more; 0: it was */
  uint32_t inode;
  uint32_t cgroup;         /* number of the socket's control group, 0: not known */
  uint32_t process_cgroup; /* the same of the process that holds it */
  uint32_t pid;            /* 0: not known */
  uint32_t fd;             /* by which it holds the socket */
  uint32_t next;           /* number, 0: none */
  uint32_t flows;          /* that refer to it */
  uint32_t round;          /* of the last dump that showed the socket, */
  uint32_t netns;          /* ... which was of this network namespace; 0: the engine's own */
  char comm[16];
  uint64_t seen_at;  /* a process: CLOCK_BOOTTIME, ns, when the first of its sockets was there */
  uint64_t sent_at;  /* ... and when the looker was asked for it last, */
  uint64_t asked_at; /* ... and when it answered last, 0: not yet */
  uint32_t uid;      /* ... and its uid then */
  uint32_t in_netns; /* ... and the network namespace that it was in then, 0: not known */
  uint8_t missing;   /* enum weir_owner_missing */
  uint8_t tries;
  uint8_t version;       /* changes whenever an answer changed something */
  bool asked;            /* an answer is under way */
  bool answered;         /* at least once */
  bool hurried;          /* it is asked for before a tick, and not at one */
  bool parked;           /* nobody was found: not to be asked for until a dump shows it again */
  bool is_sought;        /* it was there at the start, and was not looked for everywhere yet */
  bool is_process;       /* that kernel programs named, and no socket; see weir-owners-born.c */
  bool is_opener;        /* ... as one who made a socket and does not use it */
  bool has_threads_name; /* ... whose @comm is that of a thread */
  bool is_gone;          /* ... and that has ended since */
  bool is_new;           /* ... and that waits to be asked for */
  bool is_asked;         /* ... and the answer is under way */
  bool is_rest;          /* ... and that stands for all of its number and user that found no room */
  bool in_use;
};

struct weir_cgroup
{
  uint64_t id;     /* 0: known only by its path */
  char *path;      /* NULL: not answered yet; empty: not known */
  uint64_t ask_at; /* 0: at once, not answered at all yet */
  uint32_t next;   /* in its bucket, or free */
  bool asked;
  bool in_use;
};

/* What one user has of the tables. */
struct weir_user_share
{
  uint32_t processes;     /* entries */
  uint32_t new_processes; /* of those that wait to be asked for */
};

struct weir_new_process
{
  uint32_t number;
  uint32_t bucket; /* of its user */
};

struct weir_owners
{
  struct weir_owner *items;
  uint32_t n_slots, capacity, first_free;
  uint32_t n_used, n_lost; /* slots that are in use, and those of them that are lost */
  uint32_t *buckets;
  struct weir_hash_key hash_key;
  struct weir_cgroup *cgroups; /* number 0 is not used */
  uint32_t n_cgroups, cgroups_capacity, last_cgroup, first_free_cgroup;
  uint32_t cgroup_buckets[WEIR_CGROUP_BUCKETS]; /* numbers, by id, or by path where that is 0 */
  uint32_t hurried[WEIR_OWNERS_HURRIED];        /* numbers, the oldest first */
  uint32_t n_hurried;
  uint32_t process_buckets[WEIR_PROCESS_BUCKETS]; /* numbers, by pid */
  uint32_t n_processes;
  struct weir_user_share users[WEIR_USER_BUCKETS];
  struct weir_new_process new_processes[WEIR_OWNERS_HURRIED]; /* the oldest first */
  uint32_t n_new_processes;
  uint32_t next_process;    /* slot where looking at them again goes on */
  uint64_t processes_at;    /* when that is due */
  uint64_t processes_swept; /* when those that nobody refers to were forgotten */
  uint64_t again_at;        /* when those that were asked for in vain may be asked for again */
  uint64_t check_at;        /* ... and those that are known */
  uint64_t check_cost;      /* what looking at one of those takes the looker, ns */
  uint32_t n_checking;      /* of those in the request that is under way */
  uint32_t round_before;    /* of the engine's own namespace: the last whole dump came after it */
  uint32_t next_asked;      /* slot where collecting goes on: everybody gets a turn */
  bool sees_everybody;      /* the looker may look at all users */
  bool is_starting;         /* what is new now was there before kernel programs named anybody */
  bool given_up;            /* the looker gave up the right to: no socket is asked for */
  uint32_t n_unsought;      /* sockets that had not been looked for everywhere by then */
  uint32_t holders[WEIR_LOOKER_BATCH]; /* numbers: a socket of each process that is asked about */
  uint32_t n_holders, next_holder;
  uint32_t visits;     /* to sockets of processes with news that are left for this batch */
  uint64_t holders_at; /* when that is due */
  uint64_t refused;    /* sockets and control groups that found no room */
  uint32_t news;       /* changes whenever a version of any of them does */
};

int
weir_owners_init (struct weir_owners *owners, bool sees_everybody);
void
weir_owners_clear (struct weir_owners *owners);

/* The number of a socket, made when it is new (it will then be asked for); 0: no room. */
uint32_t
weir_owners_need (struct weir_owners *owners, uint32_t inode, uint64_t cookie, uint64_t cgroup_id,
                  uint32_t round, uint64_t now);
struct weir_owner *
weir_owners_get (const struct weir_owners *owners, uint32_t number);
/* Whether a dump of the engine's own namespace shows a socket with this inode now: then it is no
 * other namespace's. */
bool
weir_owners_is_own (const struct weir_owners *owners, uint32_t inode);
/* Path of the socket's control group, or of its process when only that is known; never NULL. */
const char *
weir_owners_get_cgroup (const struct weir_owners *owners, const struct weir_owner *owner);

/* Forgets sockets of a network namespace (0: the engine's own) that neither its dumps since @round
 * showed nor any flow refers to. */
void
weir_owners_sweep (struct weir_owners *owners, uint32_t netns, uint32_t round);

/* The namespace is gone: sockets of it that flows still refer to go with the next sweep of the
 * engine's own. */
void
weir_owners_leave_netns (struct weir_owners *owners, uint32_t netns);

/* Collects up to WEIR_LOOKER_BATCH questions that are due, those about new sockets first; returns
 * how many. */
uint32_t
weir_owners_collect (struct weir_owners *owners, uint64_t now, struct weir_looker_request *request);
/* The same for those that must not wait, which were not asked for yet. */
void
weir_owners_hurry (struct weir_owners *owners, uint32_t number);
uint32_t
weir_owners_collect_hurried (struct weir_owners *owners, struct weir_looker_request *request);
uint32_t
weir_owners_collect_cgroups (struct weir_owners *owners, uint64_t now,
                             uint64_t ret_ids[WEIR_LOOKER_BATCH]);
/* Whether a socket that was never asked for waits for its first answer. */
bool
weir_owners_waits (const struct weir_owners *owners);
/* How many there are of those that were new while @is_starting, and of which it is neither known
 * who holds them nor that nobody does: an answer that the looker could not finish says neither. */
uint32_t
weir_owners_count_sought (const struct weir_owners *owners);

void
weir_owners_answer (struct weir_owners *owners, const struct weir_looker_answer *answer,
                    uint64_t now);
/* The request is done: whatever was asked and not answered will be asked again.  @spent: what it
 * took of the looker's processor time, ns. */
void
weir_owners_answered (struct weir_owners *owners, uint64_t spent, uint64_t now);

/* ---- weir-owners-holders.c: when descriptors can be looked at no more ---- */

/* From now on no socket is asked for.  Those that were found stay their processes' as long as these
 * are there: whether somebody else was given one nobody can see. */
void
weir_owners_give_up (struct weir_owners *owners);
/* ... or that will not come, so that nobody has to be looked for by then. */
void
weir_owners_keep (struct weir_owners *owners);
/* Collects up to WEIR_LOOKER_BATCH numbers of such processes that are due; returns how many. */
uint32_t
weir_owners_collect_holders (struct weir_owners *owners, uint64_t now,
                             uint64_t ret_pids[WEIR_LOOKER_BATCH]);
void
weir_owners_answer_holder (struct weir_owners *owners, const struct weir_looker_answer *answer,
                           const char *comm, const char *path);

/* Kernel programs named the process with number @process as who has the socket with number @socket.
 * It is written down as the holder, unless one is known, once the looker has said that it is there.
 * True: nothing is left to do. */
bool
weir_owners_name_holder (struct weir_owners *owners, uint32_t socket, uint32_t process);

/* ---- weir-owners-born.c: processes that kernel programs named ---- */

struct weir_named_process
{
  uint32_t pid, uid;
  uint64_t cgroup_id;
  char comm[16];         /* ends with a null */
  bool has_threads_name; /* @comm is that of one of its threads, and fits any other name */
};

/* The number of a process that had a socket at @since (CLOCK_BOOTTIME, ns), made when it is not
 * known; 0: no room, or none left for its user.  It will be asked for.  Who made a socket and does
 * not use it, @is_opener, may have ended long before @since, so of that one more has to fit.  One
 * that has very many entries gets no more of them: the newest that can be the same is taken, or
 * else one that says its number and user and nothing else. */
uint32_t
weir_owners_need_process (struct weir_owners *owners, const struct weir_named_process *process,
                          uint64_t since, bool is_opener, uint64_t now);
/* Whether a process that started at @start_time, as the looker tells it, was there at @since. */
bool
weir_owners_was_there (uint64_t start_time, uint64_t since);
/* Whether the looker has answered what it was asked about a process, @number, after @since; unless
 * it has, it is asked again. */
bool
weir_owners_was_seen_since (struct weir_owners *owners, uint32_t number, uint64_t since);
/* Whether there are processes that were never asked for. */
bool
weir_owners_has_new_processes (const struct weir_owners *owners);
/* Collects up to WEIR_LOOKER_BATCH of them, or @again of those that are known and due; returns how
 * many. */
uint32_t
weir_owners_collect_processes (struct weir_owners *owners, bool again, uint64_t now,
                               uint64_t ret_pids[WEIR_LOOKER_BATCH]);
void
weir_owners_answer_process (struct weir_owners *owners, const struct weir_looker_answer *answer,
                            const char *comm, const char *path, uint64_t now);
/* The request is done. */
void
weir_owners_processes_answered (struct weir_owners *owners);
/* Forgets those that no flow refers to, and that made nothing lately. */
void
weir_owners_sweep_processes (struct weir_owners *owners, uint64_t now);

/* ---- shared by the files of this ---- */

/* Whether the last dump of the engine's own namespace, or the one that runs, shows it. */
static inline bool
weir_owners_is_shown (const struct weir_owners *owners, const struct weir_owner *owner)
{
  return owner->in_use && owner->netns == 0 && (int32_t) (owner->round - owners->round_before) > 0;
}
/* An answer, or that there is none any more, has changed something of @owner. */
static inline void
weir_owners_note_news (struct weir_owners *owners, struct weir_owner *owner)
{
  owner->version++;
  owners->news++;
}
/* Nobody is known any more to hold the socket. */
void
weir_owners_forget_process (struct weir_owners *owners, struct weir_owner *owner);
/* Why nobody is shown for a socket that nobody was found for so far. */
static inline uint8_t
weir_owners_get_missing (const struct weir_owners *owners)
{
  return owners->given_up ? WEIR_MISSING_GIVEN_UP : WEIR_MISSING_NOT_YET;
}
/* Processes that lost their sockets a while ago are not shown any more. */
void
weir_owners_forget_lost (struct weir_owners *owners, uint64_t now);
uint32_t
weir_owners_take_slot (struct weir_owners *owners);
uint32_t
weir_owners_need_cgroup (struct weir_owners *owners, uint64_t id);
uint32_t
weir_owners_need_path (struct weir_owners *owners, const char *path);
