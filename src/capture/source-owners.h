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
};

void
weir_owners_source_init (struct weir_owners_source *source, int fd);

/* Sends the next request if one is due and none is under way. */
void
weir_owners_source_ask (struct weir_owners_source *source, struct weir_owners *owners,
                        uint64_t now);
/* Reads answers, and asks on. */
void
weir_owners_source_read (struct weir_owners_source *source, struct weir_owners *owners,
                         uint64_t now);
