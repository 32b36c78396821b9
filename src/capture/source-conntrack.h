/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source: the connection tracking table.
 *
 * Gives every tracked flow, also forwarded and translated ones and protocols without sockets, who
 * opened it, and its bytes and packets while accounting is on.  A dump is asked for by the keeper
 * (the kernel wants CAP_NET_ADMIN of whoever asks) and received here; events come by themselves. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weir-readings.h"

enum weir_conntrack_event
{
  WEIR_CONNTRACK_ENTRY, /* of a dump */
  WEIR_CONNTRACK_NEW,
  WEIR_CONNTRACK_DESTROY,
  WEIR_CONNTRACK_UPDATE,
};

typedef void (*weir_conntrack_func) (const struct weir_conntrack_reading *reading,
                                     enum weir_conntrack_event event, void *data);

/* One dump; asked for by the keeper, so that only the receiving half is here. */
struct weir_conntrack_dump
{
  int fd;
  bool running;
  bool interrupted;
  uint32_t sequence; /* of its messages: weir-keeper.h */
  int error;         /* errno of the last dump, 0 if it went well */
};

/* Reads what there is, at most @budget buffers.  Returns 1 when the dump has ended (look at
 * @error and @interrupted), 0 when more is to come.
 *
 * @before is called when a buffer was received and before @func sees what is in it: whoever reads
 * all events there knows that nothing in the dump is newer than they are. */
int
weir_conntrack_read (struct weir_conntrack_dump *dump, unsigned budget, void (*before) (void *data),
                     weir_conntrack_func func, void *data);

/* Reads events from @fd, at most @budget buffers.  Adds lost buffers to *@losses; returns 1 when
 * the budget was used up, else 0 or a negative errno. */
int
weir_conntrack_read_events (int fd, unsigned budget, weir_conntrack_func func, void *data,
                            uint64_t *losses);
