/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of the meter's loop, and by nobody else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "source-bpf.h"
#include "source-conntrack.h"
#include "source-details.h"
#include "source-interfaces.h"
#include "source-namespaces.h"
#include "source-owners.h"
#include "source-sockdiag.h"
#include "weir-allowance.h"
#include "weir-client.h"
#include "weir-forwarding.h"
#include "weir-governor.h"
#include "weir-join.h"
#include "weir-lookup.h"
#include "weir-meter.h"
#include "weir-publisher.h"

#define WEIR_MS UINT64_C (1000000)

/* A tick: all sources are asked at once; when they have answered, the owners of new sockets are
 * asked for; then it is published.  What is late goes into the next one. */
enum weir_phase
{
  WEIR_PHASE_IDLE,
  WEIR_PHASE_READING,
  WEIR_PHASE_NAMING,
};

/* What is told between two ticks. */
struct weir_announce
{
  struct weir_allowance allowance;
  uint64_t next;    /* awake: not before ... */
  uint64_t again;   /* ... and those that were held back, when nothing else is news, not before */
  uint64_t seen_id; /* next_id of the table when it was last looked at */
  uint32_t seen_owners; /* the same for news of owners */
  bool waiting;         /* for the owners of flows that were new then */
};

/* What the engine's processes hold. */
struct weir_posture
{
  struct weir_process_status processes[WEIR_PROCESSES_MAX];
  unsigned n_processes;
  bool news;             /* the front end is to be told */
  bool keeper_asked;     /* it was told to retire */
  bool left_conntrack;   /* it has, and nobody can ask for entries any more */
  bool lookers_decided;  /* they were told to give up, or will not be */
  uint64_t began;        /* awake: the first tick; 0: there was none */
  uint64_t lookers_told; /* ... and when they were told to give up; 0: they were not */
};

struct weir_meter
{
  void (*read_clocks) (struct weir_moment *ret_now);
  const struct weir_config *config;
  struct weir_descriptors fds;
  struct weir_bpf_source bpf;
  enum weir_view view;
  bool looks_at_all_users;

  struct weir_client client;
  struct weir_join join;
  struct weir_publisher publisher;

  struct weir_sockdiag sockdiag;
  struct weir_conntrack_dump conntrack;
  struct weir_interfaces interfaces;
  struct weir_forwarding forwarding;
  struct weir_posture posture;
  struct weir_owners_source owners;
  struct weir_details_source details;
  struct weir_namespaces namespaces;
  struct weir_lookup lookup;
  struct weir_announce announce;
  bool keeper_stopped;
  bool conntrack_repeated;
  bool resync_wanted; /* events were lost, and no dump has begun since */
  bool events_drained;
  uint64_t conntrack_asked; /* awake, when the dump that runs was asked for */
  struct weir_governor governor;
  struct weir_governor sockets_governor; /* of dumps of sockets, where there are kernel programs */
  struct weir_allowance bpf_allowance;   /* of reading the events of the kernel programs */
  uint64_t bpf_events_at;                /* awake: they are not read before */
  struct weir_bpf_totals bpf_totals;     /* of the last tick at which all was read that moved */
  uint32_t bpf_ticks, bpf_ticks_now;     /* that reading it took, and takes so far */
  struct weir_bpf_sum handshakes;        /* that listeners had seen by then */
  uint32_t refreshed_slot; /* of the flow table, where asking for single sockets goes on */
  bool is_governed;        /* the table is read more seldom than was wished */
  int accounting;          /* 0, 1, -1: not known */
  bool counts;             /* ... and if 1, by us */
  int socket_events_error, conntrack_events_error;
  int raw_error;                            /* errno: raw or ping sockets could not be listed */
  uint64_t socket_losses, conntrack_losses; /* lost buffers of events */

  enum weir_phase phase;
  uint64_t tick_began; /* awake */
  uint64_t coalesced;
  struct weir_source_status shown_sources[WEIR_N_SOURCES];
  uint64_t losses_shown[WEIR_N_SOURCES];
};

/* ---- weir-meter-tick.c ---- */

/* Begins a tick if one is due, moves the running one on, publishes it when it is complete.  0, or a
 * negative errno when the engine cannot go on. */
int
weir_meter_advance (struct weir_meter *meter, const struct weir_moment *now);
/* When weir_meter_advance has something to do even if nothing arrives; UINT64_MAX: never. */
uint64_t
weir_meter_get_due (const struct weir_meter *meter, uint64_t awake);

/* Whether the connection tracking table is read at all: events alone cost what they cost. */
bool
weir_meter_has_dumps (const struct weir_meter *meter);

/* How often all that is shown is read anew, in ns, and why: enum weir_cadence. */
uint64_t
weir_meter_get_cadence (const struct weir_meter *meter, uint64_t awake, uint8_t *ret_why);

/* ---- weir-meter-announce.c ---- */

void
weir_meter_init_announce (struct weir_meter *meter);
/* Tells of flows that are new, if that was wished for, is due, and affordable.  0 or a negative
 * errno. */
int
weir_meter_announce (struct weir_meter *meter, const struct weir_moment *now);
/* When it has something to do even if nothing arrives; UINT64_MAX: never. */
uint64_t
weir_meter_get_announce_due (const struct weir_meter *meter, uint64_t awake);

/* ---- weir-meter-bpf.c ---- */

/* How much dumps of connection tracking may take: as much as without kernel programs while
 * something passes through, which they do not see; little while it stands still, where something
 * else moved that programs do not count, or where events were lost; else hardly anything. */
void
weir_meter_choose_share (struct weir_meter *meter);

/* 0 or -ENOMEM. */
int
weir_meter_begin_bpf (struct weir_meter *meter, const struct weir_meter_setup *setup);
/* Whoever had the links has ended, and the programs with it: what they counted stays, and the other
 * sources tell as much as they can. */
void
weir_meter_stop_bpf (struct weir_meter *meter);
/* Whether programs count, so that tables of the kernel need not be read as a whole at every tick.
 */
bool
weir_meter_has_bpf (const struct weir_meter *meter);
/* After the interfaces were read. */
void
weir_meter_note_links (struct weir_meter *meter);
/* True when there is more to read now. */
bool
weir_meter_read_bpf_events (struct weir_meter *meter, uint64_t now);
/* While their descriptor is not to be waited for: when they are read again; else UINT64_MAX. */
uint64_t
weir_meter_get_bpf_events_due (const struct weir_meter *meter, uint64_t awake);
/* In how many ticks all that moved is read: mostly 1. */
uint32_t
weir_meter_get_bpf_ticks (const struct weir_meter *meter);
/* What moved since the last tick. */
void
weir_meter_read_bpf (struct weir_meter *meter, uint64_t now);
/* What could not be told of flow by flow. */
uint64_t
weir_meter_get_bpf_losses (const struct weir_meter *meter);
/* Whether a tick may dump the sockets of the engine's own namespace ... */
bool
weir_meter_wants_sockets (const struct weir_meter *meter, uint64_t awake);
/* ... or else asks for those of the rows that moved. */
void
weir_meter_refresh_sockets (struct weir_meter *meter, uint64_t now);

/* ---- weir-meter-read.c: each reads what its descriptor has ---- */

/* True when there is more to read. */
bool
weir_meter_read_events (struct weir_meter *meter, uint64_t now);
void
weir_meter_read_sockets (struct weir_meter *meter, uint64_t now);
void
weir_meter_read_conntrack (struct weir_meter *meter, const struct weir_moment *now);
void
weir_meter_read_keeper (struct weir_meter *meter);
/* There is no keeper any more. */
void
weir_meter_lose_keeper (struct weir_meter *meter);
void
weir_meter_read_accounting (struct weir_meter *meter);
/* What other namespaces have; @polled: what weir_namespaces_poll() made. */
bool
weir_meter_read_namespace_events (struct weir_meter *meter, const struct pollfd *polled, unsigned n,
                                  uint64_t now);
void
weir_meter_start_namespaces (struct weir_meter *meter, const struct weir_moment *now);
void
weir_meter_read_namespaces (struct weir_meter *meter, const struct weir_moment *now);
/* Asks the keeper for a dump, unless one runs. */
void
weir_meter_ask_conntrack (struct weir_meter *meter, uint64_t awake);
void
weir_meter_end_conntrack (struct weir_meter *meter, bool complete);

/* ---- weir-meter-resync.c ---- */

/* After events were read: @losses_before, as conntrack_losses was; @drained: all of them. */
void
weir_meter_note_events (struct weir_meter *meter, uint64_t losses_before, bool drained);
/* Reads the table because events were lost, if that is affordable now ... */
void
weir_meter_resync (struct weir_meter *meter, uint64_t awake);
/* ... or when it will be; UINT64_MAX: not wanted. */
uint64_t
weir_meter_get_resync_due (const struct weir_meter *meter, uint64_t awake);

/* ---- weir-meter-posture.c ---- */

void
weir_meter_begin_posture (struct weir_meter *meter, const struct weir_meter_setup *setup);
/* What a helper says of itself after it has given up its capabilities. */
void
weir_meter_take_report (struct weir_meter *meter, const struct weir_process_status *report);
/* To be called when all has been read that a tick shows: tells helpers to give up what they do not
 * need. */
void
weir_meter_advance_posture (struct weir_meter *meter, uint64_t awake);
/* Writes CONFINEMENT if anything about it is new. */
void
weir_meter_write_posture (struct weir_meter *meter, struct weir_writer *writer);

/* ---- weir-meter-sources.c ---- */

/* Writes SOURCES if anything about them is new. */
void
weir_meter_write_sources (struct weir_meter *meter, struct weir_writer *writer);
bool
weir_meter_has_source (const struct weir_meter *meter);
