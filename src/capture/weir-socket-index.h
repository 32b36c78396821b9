/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets that are not flows themselves but own some: listeners, UDP sockets without a peer, and
 * those for pings, whose port is the identifier in ICMP's header.
 * Rebuilt by every complete dump. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir-addresses.h"
#include "weir-readings.h"

/* 96 bytes each; beyond it the owners of some flows stay unknown, which is counted. */
#define WEIR_SOCKET_INDEX_MAX 65536

struct weir_bound_socket
{
  uint8_t protocol;
  bool v6_only;
  bool listening;
  uint16_t port;
  uint32_t uid;
  uint8_t address[16];
  uint64_t cookie;
  uint32_t inode;
  uint32_t ifindex; /* 0: it takes what comes by any device */
  uint64_t cgroup_id;
  uint64_t since;   /* CLOCK_BOOTTIME: before then it was not there; 0: it may always have been */
  uint64_t left_at; /* until about then somebody else was bound to the port; 0: nobody was */
  /* What the first of those that are bound alike knows of all of them: */
  uint32_t n_alike;       /* itself included; 0: it is not the first */
  uint32_t judged;        /* scratch of the join: when it looked up ... */
  bool is_of_one;         /* ... whether one process holds them */
  bool has_mixed_cgroups; /* they are of several control groups */
  bool has_device;        /* one takes only what comes by a certain device */
  uint64_t alike_since;   /* before then none was there */
};

struct weir_socket_index
{
  struct weir_bound_socket *items, *next;
  size_t n, n_next, capacity, next_capacity;
  uint64_t refused;  /* sockets that found no room */
  uint64_t whole_at; /* when the last complete dump was begun */
  /* Of which protocols there are raw sockets: any of those may send what it likes. */
  bool has_raw[256], next_has_raw[256];
};

void
weir_socket_index_init (struct weir_socket_index *index);
void
weir_socket_index_clear (struct weir_socket_index *index);

/* One dump: begin, add any number, complete; that returns whether anything is different from the
 * last time.  @began_at: when the kernel was asked for it, CLOCK_BOOTTIME; 0 when that is not
 * known, then it is not known either since when the sockets are there. */
void
weir_socket_index_begin (struct weir_socket_index *index);
void
weir_socket_index_add (struct weir_socket_index *index, const struct weir_socket_reading *reading);
bool
weir_socket_index_complete (struct weir_socket_index *index, uint64_t began_at);

/* Whether a program may have sent packets of @protocol by itself. */
bool
weir_socket_index_has_raw (const struct weir_socket_index *index, uint8_t protocol);

/* Who may get what arrives at a local end. */
struct weir_servers
{
  struct weir_bound_socket *first; /* NULL: nobody; those that are bound like it follow */
  bool ambiguous;   /* others may get it as well: nothing but what they share may be believed */
  bool other_place; /* ... and some of them are bound otherwise */
  bool same_cgroup; /* all are of one control group */
  bool has_device;  /* one takes only what comes by a certain device */
  uint64_t since;   /* before then none was there; 0: not known */
  uint64_t left_at; /* until about then somebody else was there, too */
};

/* Who gets what arrives at @local.  The socket that is bound most exactly wins.  Several that are
 * bound alike (SO_REUSEPORT, SO_REUSEADDR) are ambiguous, and so are those of other places where a
 * device decides between them, which no source tells.  A wildcard socket only owns addresses of
 * this namespace. */
struct weir_servers
weir_socket_index_find (const struct weir_socket_index *index,
                        const struct weir_addresses *addresses, uint8_t protocol,
                        const struct weir_endpoint *local);
