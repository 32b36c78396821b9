/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Details of single processes, asked of the teller.  One request is under way at a time: what the
 * front end asks meanwhile is dropped, and it knows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weir-teller.h"

struct weir_details_source
{
  int fd;              /* to the teller, -1: there is none, or it has ended */
  bool policy_refuses; /* there is none because nothing may be told */
  bool asking;         /* a request was sent and its last answer has not come */
  bool ready;          /* @details is to be told */
  uint64_t deadline;   /* awake */
  struct weir_details details;
  bool gives_up;   /* it is told to give up what it may, as soon as what is asked is answered */
  bool told;       /* ... and was */
  bool has_report; /* ... and has answered: */
  struct weir_process_status report;
};

void
weir_details_source_init (struct weir_details_source *source, int fd, bool policy_refuses);
/* The teller is to give up its capabilities, as soon as what is under way is done.  @report then
 * says what became of that, once. */
void
weir_details_source_give_up (struct weir_details_source *source);
/* Asks, or makes an answer at once where there is nobody to ask. */
void
weir_details_source_ask (struct weir_details_source *source,
                         const struct weir_details_request *request, uint64_t awake);
void
weir_details_source_read (struct weir_details_source *source);
/* Gives up waiting when the time is over. */
void
weir_details_source_advance (struct weir_details_source *source, uint64_t awake);
/* When that will be; UINT64_MAX: nothing is waited for. */
uint64_t
weir_details_source_get_due (const struct weir_details_source *source);
/* Writes the answer, if there is one, and is ready for the next request. */
void
weir_details_source_write (struct weir_details_source *source, struct weir_writer *writer);
