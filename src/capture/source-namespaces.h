/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source: sockets of other network namespaces.
 *
 * Those that existed when the engine started were opened then (weir-namespaces-open.h) and are read
 * like the engine's own: sock_diag's dumps and destroy events, and their addresses.  Those that
 * were made later, or that this view cannot open, are listed by the looker, without bytes.
 *
 * A namespace that is opened lives on as long as its sockets are open, and with it interfaces that
 * somebody wants to be rid of; so when the looker sees no process in it any more, it is let go.
 *
 * Reading costs the more, the larger the kernel's tables are, in every namespace anew.  So all of
 * them together have a share of a processor; what does not fit into it has its turn at the next
 * tick, or where kernel programs tell most of it, when what was more has been saved again.  And
 * whoever is root of a namespace can make reading it last for ever: one that takes too long keeps
 * nobody else waiting, and is gone on with only after a pause. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "source-sockdiag.h"
#include "weir-join.h"
#include "weir-looker.h"
#include "weir-meter.h"
#include "weir-namespaces-open.h"

/* Besides those that were opened. */
#define WEIR_LISTED_NAMESPACES_MAX (WEIR_OTHER_NETNS_MAX - WEIR_OPENED_NAMESPACES_MAX)

/* The dump or reading of addresses that runs, and the events of all. */
#define WEIR_NAMESPACES_POLLED_MAX (2 + WEIR_OPENED_NAMESPACES_MAX)

struct weir_namespace
{
  struct weir_netns *netns;
  int sock_diag, sock_events, route; /* -1: there is none */
  struct weir_sockdiag diag;
  char name[WEIR_NAMESPACE_NAME_SIZE];
  bool addresses_stale; /* to be read before the next dump */
  bool cut;             /* the last listing left something out */
  int error;            /* errno of the last reading, 0 if it went well */
  int events_error;     /* why there are no events any more, 0: there are */
  uint64_t losses;
  uint64_t read_before; /* CLOCK_BOOTTIME: of the reading before the last, 0: there was none */
  uint64_t pause_until; /* CLOCK_MONOTONIC: it took too long, and has no turn before; or 0 */
  unsigned n_turns;     /* that it has had, as far as it matters: the first few are free */

  /* As the looker told */
  uint32_t pid, uid;
  uint64_t start_time;
  char comm[16];
  uint32_t seen;   /* the last walk that found a process in it */
  uint64_t due_at; /* when it is to be listed again */
};

enum weir_namespaces_step
{
  WEIR_NAMESPACES_IDLE,
  WEIR_NAMESPACES_ADDRESSES, /* of the one whose turn it is */
  WEIR_NAMESPACES_SOCKETS,
};

struct weir_namespaces
{
  struct weir_join *join;
  /* The engine's processes, each in an empty namespace: not told */
  uint32_t own_pids[WEIR_PROCESSES_MAX];
  struct weir_namespace *items[WEIR_OTHER_NETNS_MAX];
  unsigned n, n_opened, n_listed;

  /* What runs: one namespace after the other, beginning with the one whose turn it is. */
  bool running;
  enum weir_namespaces_step step;
  unsigned turn;
  uint64_t turn_began;    /* CLOCK_MONOTONIC */
  unsigned left;          /* namespaces that have not had their turn in this tick */
  uint64_t spent, budget; /* processor time, ns, in this tick */
  bool owes;              /* what was more than the budget is saved later */
  uint64_t debt;          /* what dumps have taken and ticks have not given back yet */
  uint32_t sequence;      /* of the reading of addresses */

  /* The looker's walks and listings */
  uint32_t walk;       /* counts whole walks of /proc */
  uint64_t walk_at;    /* when the next request for one is due */
  uint64_t walk_gap;   /* between the last two, ns; 0: there was none */
  uint64_t walk_cost;  /* of the one that runs: processor time, ns */
  bool found_new;      /* ... has found a namespace that was not known */
  uint64_t saved_at;   /* until when the following is reckoned */
  int64_t saved;       /* time of the looker that may still be used; below 0: overdrawn, ns */
  uint32_t asked_verb; /* 0: none of ours */
  struct weir_namespace *asked_about; /* whose sockets are being listed */
  /* Namespaces that found no room: of the last whole walk, or the first; and those that nobody may
   * list any more */
  uint32_t n_left_out;
  uint32_t n_left_out_now; /* ... and of the one that runs */
  bool only_opened;        /* no others can be listed any more */
  bool unfinished;         /* not all were looked for when the engine started */
  uint32_t n_listed_now;   /* sockets of the listing that runs */

  struct weir_namespace_record shown[WEIR_NAMESPACES_MAX]; /* as published last */
  size_t n_shown;
  uint32_t left_out_shown;
};

/* Takes the descriptors. */
void
weir_namespaces_init (struct weir_namespaces *namespaces, struct weir_join *join,
                      const struct weir_opened_namespaces *opened);
/* Also closes what is open. */
void
weir_namespaces_clear (struct weir_namespaces *namespaces);

/* ---- reading, at the tick ---- */

/* Begins with the one whose turn it is, and goes on while less than @budget ns of processor time
 * are spent.  At least one is read, unless dumps owe (@owes) what they took beyond the budgets of
 * earlier ticks, and all have been read before. */
void
weir_namespaces_start (struct weir_namespaces *namespaces, uint64_t budget, bool owes,
                       const struct weir_moment *now);
/* What was spent outside of this file for what runs: processor time, ns. */
void
weir_namespaces_spend (struct weir_namespaces *namespaces, uint64_t cpu);
/* The same for destroy events.  They are never owed: else who makes them could end all dumps. */
void
weir_namespaces_spend_on_events (struct weir_namespaces *namespaces, uint64_t cpu);
/* Descriptors to wait for; returns how many. */
unsigned
weir_namespaces_poll (const struct weir_namespaces *namespaces,
                      struct pollfd polled[WEIR_NAMESPACES_POLLED_MAX]);
/* Reads the destroy events that poll(2) found, at most @budget buffers of each.  True when there
 * are more.  To be called before anything else, with what weir_namespaces_poll() made. */
bool
weir_namespaces_read_events (struct weir_namespaces *namespaces, const struct pollfd *polled,
                             unsigned n_polled, unsigned budget, uint64_t now);
/* Reads what the one whose turn it is has to say, at most @budget buffers. */
void
weir_namespaces_read (struct weir_namespaces *namespaces, unsigned budget,
                      const struct weir_moment *now);

/* ---- asking the looker ---- */

/* Fills in a request if one is due. */
bool
weir_namespaces_ask (struct weir_namespaces *namespaces, struct weir_looker_request *request,
                     uint64_t now);
void
weir_namespaces_answer (struct weir_namespaces *namespaces, const struct weir_looker_answer *answer,
                        uint64_t now);
/* The last answer (verb 0) to a request of ours. */
void
weir_namespaces_answered (struct weir_namespaces *namespaces,
                          const struct weir_looker_answer *answer, uint64_t now);
/* The looker sees only those namespaces that it knows already, which is enough to let them go.
 * Others that it listed are not listed any more: kernel programs see what moves there. */
void
weir_namespaces_give_up (struct weir_namespaces *namespaces);
/* There is no looker any more, and nobody who would tell when a namespace is to be let go. */
void
weir_namespaces_stop (struct weir_namespaces *namespaces);

/* ---- publishing ---- */

/* Whether something is known to be there of which not all is seen that could be. */
bool
weir_namespaces_is_incomplete (const struct weir_namespaces *namespaces);
uint64_t
weir_namespaces_get_losses (const struct weir_namespaces *namespaces);
/* Writes NAMESPACES if anything about them is new. */
void
weir_namespaces_publish (struct weir_namespaces *namespaces, struct weir_writer *writer);

/* ---- shared by the two files of this source ---- */

struct weir_namespace *
weir_namespaces_find (const struct weir_namespaces *namespaces, uint32_t inode);
/* NULL: there is no room. */
struct weir_namespace *
weir_namespaces_add (struct weir_namespaces *namespaces, uint32_t inode);
void
weir_namespaces_remove (struct weir_namespaces *namespaces, unsigned number);
/* The namespace was read to the end. */
void
weir_namespaces_complete (struct weir_namespaces *namespaces, struct weir_namespace *namespace,
                          uint64_t now);
