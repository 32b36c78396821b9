/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The meter's end of the connection to the front end: its requests, its leash, and what waits to be
 * sent.  Nothing here ever waits for the front end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weir-wire.h"

enum weir_client_end
{
  WEIR_CLIENT_SERVING = 0,
  WEIR_CLIENT_GONE,    /* closed its end: nobody is left to say anything to */
  WEIR_CLIENT_STOPPED, /* asked to */
  WEIR_CLIENT_LEASH,   /* said nothing for too long */
  WEIR_CLIENT_BROKE_PROTOCOL,
};

struct weir_client
{
  int fd;
  struct weir_framer framer;
  struct weir_writer out; /* what waits to be sent; @sent bytes of it are */
  size_t sent;
  bool started;
  uint32_t wish_ms;     /* what of the wish can be had */
  bool wished_less;     /* ... which is more than was wished */
  uint32_t floor_ms;    /* no wish for less is granted */
  uint32_t announce_ms; /* the same for flows that are new; 0: only at ticks */
  uint32_t rows;        /* the most rows that it wants, within what it can get */
  uint64_t renewed;     /* CLOCK_MONOTONIC, ns: the last START or INTERVAL */
  /* Requests that may still be answered now: a bucket that fills with time */
  uint64_t tokens, filled;
  uint64_t dropped; /* requests beyond that */
  bool wants_details;
  struct weir_details_request details;
};

void
weir_client_init (struct weir_client *client, int fd, uint64_t now);
void
weir_client_clear (struct weir_client *client);

/* Reads and obeys requests. */
enum weir_client_end
weir_client_read (struct weir_client *client, uint64_t now);

/* Sends as much as the front end takes.  0, or a negative errno when it is gone. */
int
weir_client_flush (struct weir_client *client);
/* Whether all that was written is sent. */
bool
weir_client_is_idle (const struct weir_client *client);
/* Where to write the next frames; only when idle, or for the last words. */
struct weir_writer *
weir_client_get_writer (struct weir_client *client);

/* The time between two ticks that the front end gets now, in ns: what it wished, or slower when it
 * has not renewed its wish.  UINT64_MAX before START. */
uint64_t
weir_client_get_interval (const struct weir_client *client, uint64_t now);
/* Why it is that: WEIR_CADENCE_AS_WISHED, _NOT_RENEWED or _FLOOR. */
enum weir_cadence
weir_client_get_why (const struct weir_client *client, uint64_t now);
/* The least time between two announcements of flows that are new, in ns; 0: they wait for the tick,
 * because that was not wished for, or not renewed. */
uint64_t
weir_client_get_announce (const struct weir_client *client, uint64_t now);
bool
weir_client_leash_is_out (const struct weir_client *client, uint64_t now);
