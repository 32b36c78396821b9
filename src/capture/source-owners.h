/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source: who holds which socket, asked of the looker.  One request is under way at a time; those
 * about network namespaces go the same way. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "source-namespaces.h"
#include "weir-owners.h"

struct weir_owners_source
{
  int fd; /* to the looker, -1: there is none, or it has ended */
  bool stopped;
  bool asking;
  uint32_t serial;
  struct weir_namespaces *namespaces; /* asks the looker, too; NULL: nobody does */
  bool urgent;                        /* the request that is under way */
  uint64_t urgent_at;                 /* when the next urgent one may be sent */
  uint64_t spent;                     /* processor time that urgent ones took, ns */
  bool gives_up;                      /* the next request is to give up what the looker may */
  bool has_report;                    /* ... and has been answered: */
  struct weir_process_status report;
};

void
weir_owners_source_init (struct weir_owners_source *source, int fd);

/* The looker is to give up its capabilities, as soon as what is under way is done.  @report then
 * says what became of that, once. */
void
weir_owners_source_give_up (struct weir_owners_source *source);

/* Sends the next request if one is due and none is under way. */
void
weir_owners_source_ask (struct weir_owners_source *source, struct weir_owners *owners,
                        uint64_t now);
/* The same for what must not wait for the next tick: many questions are made one walk, and a walk
 * that costs more waits for more. */
void
weir_owners_source_ask_urgent (struct weir_owners_source *source, struct weir_owners *owners,
                               uint64_t now);
/* Whether there is something urgent, and nothing under way. */
bool
weir_owners_source_is_urgent (const struct weir_owners_source *source,
                              const struct weir_owners *owners);
/* What urgent requests took since the last call. */
uint64_t
weir_owners_source_take_spent (struct weir_owners_source *source);

/* Reads answers, and asks on. */
void
weir_owners_source_read (struct weir_owners_source *source, struct weir_owners *owners,
                         uint64_t now);
