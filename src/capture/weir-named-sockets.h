/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets that anybody may send to, and who has them as kernel programs named him: they wait here
 * until a list of sockets shows them, and until it is known that the process is there.  Then the
 * process is written down as who holds the socket (weir_owners_name_holder()), and the entry goes.
 *
 * Room is bounded.  When there is none, the user who has most loses the oldest; users whose numbers
 * fall together by a keyed hash count as one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weir-owners.h"

#define WEIR_NAMED_SOCKETS_MAX 8192
#define WEIR_NAMED_BUCKETS     4096

struct weir_named_socket
{
  uint64_t cookie;
  uint32_t process;      /* number of the owner that was named */
  uint32_t socket;       /* number of the owner that a list made for the socket; 0: none yet */
  uint32_t older, newer; /* of the same user: numbers, 0 none */
  uint32_t next;         /* in its bucket, or free */
  uint32_t user;
};

struct weir_named_user
{
  uint32_t oldest, newest, n;
};

struct weir_named_sockets
{
  struct weir_named_socket items[WEIR_NAMED_SOCKETS_MAX]; /* number n is at n - 1 */
  uint32_t buckets[WEIR_NAMED_BUCKETS];                   /* by cookie */
  struct weir_named_user users[WEIR_USER_BUCKETS];
  uint32_t n_slots, first_free, n;
  uint32_t n_listed; /* that have a @socket */
};

/* The socket is the process's with that number of @owners, which is kept as long as the entry is.
 * What was known of the same cookie goes. */
void
weir_named_sockets_add (struct weir_named_sockets *sockets, struct weir_owners *owners,
                        uint64_t cookie, uint32_t process);
/* Nothing is known of the socket any more. */
void
weir_named_sockets_remove (struct weir_named_sockets *sockets, struct weir_owners *owners,
                           uint64_t cookie);
/* A list shows the socket, which is number @socket of the owners. */
void
weir_named_sockets_show (struct weir_named_sockets *sockets, const struct weir_owners *owners,
                         uint64_t cookie, uint32_t socket);
/* To be called at a tick: names the holders of those that were shown. */
void
weir_named_sockets_settle (struct weir_named_sockets *sockets, struct weir_owners *owners);
