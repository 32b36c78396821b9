/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the ticks: asks for the sockets of flows that have just begun, and has the looker find
 * their owners, as far as the allowance goes. */
#pragma once

#include <stdint.h>

#include "source-exact.h"
#include "source-owners.h"
#include "weir-allowance.h"
#include "weir-join.h"

struct weir_lookup
{
  struct weir_exact exact;
  struct weir_allowance allowance;
  struct weir_socket_index bound; /* sockets of one port */
  unsigned lists_left;            /* of such sockets that may be asked for in this turn */
  uint64_t ask_at, walk_at;       /* after the allowance was used up */
};

void
weir_lookup_init (struct weir_lookup *lookup, int fd);
void
weir_lookup_clear (struct weir_lookup *lookup);

/* Asks for what is due, then sends the looker on its way. */
void
weir_lookup_advance (struct weir_lookup *lookup, struct weir_join *join,
                     struct weir_owners_source *owners, uint64_t now);
/* When there is something to be done even if nothing arrives; UINT64_MAX: never. */
uint64_t
weir_lookup_get_due (const struct weir_lookup *lookup, const struct weir_join *join,
                     const struct weir_owners_source *owners);
