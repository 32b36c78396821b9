/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a front end says, and the answers to it.  A part of weir-wire.h, which has the types that it
 * needs: include that. */
#pragma once

/* START and INTERVAL: what the front end wishes; clamped by the engine, forgotten after
 * WEIR_RENEWAL_MS. */
struct weir_wish
{
  uint32_t interval_ms; /* between two ticks */
  /* At most so often flows that are new may be told of before the tick; 0: not at all, which is
   * also what a front end wishes that does not know of it. */
  uint32_t announce_ms;
  /* How many rows may be published; 0, which is what is wished by who does not know of it:
   * WEIR_ROWS_DEFAULT. */
  uint32_t rows;
};

void
weir_write_start (struct weir_writer *writer, const struct weir_wish *wish);
void
weir_write_interval (struct weir_writer *writer, const struct weir_wish *wish);
void
weir_write_stop (struct weir_writer *writer);
int
weir_read_start (const struct weir_frame *frame, struct weir_wish *ret_wish);
int
weir_read_interval (const struct weir_frame *frame, struct weir_wish *ret_wish);

/* A process, by what names it for ever. */
struct weir_details_request
{
  uint32_t number; /* the front end's choice; comes back in the answer */
  uint32_t pid;
  uint64_t start_time; /* as in the OWNER group */
};

enum weir_details_outcome
{
  WEIR_DETAILS_SHOWN = 0,      /* what could be read */
  WEIR_DETAILS_REFUSED = 1,    /* by the policy of engine.conf */
  WEIR_DETAILS_GONE = 2,       /* there is no such process any more */
  WEIR_DETAILS_UNREADABLE = 3, /* the kernel does not let this view read any of it */
  WEIR_DETAILS_STOPPED = 4,    /* who reads them has ended, over this process or an earlier one */
};

/* Bits of @has. */
enum weir_details_has
{
  WEIR_DETAILS_EXE = 1 << 0,
  WEIR_DETAILS_CWD = 1 << 1,
  WEIR_DETAILS_COMMAND = 1 << 2,
  WEIR_DETAILS_EXE_CUT = 1 << 3,
  WEIR_DETAILS_CWD_CUT = 1 << 4,
  WEIR_DETAILS_COMMAND_CUT = 1 << 5,
  WEIR_DETAILS_COMMAND_LATE = 1 << 6, /* absent, because the process kept its reader waiting */
  WEIR_DETAILS_GIVEN_UP = 1 << 7, /* path and folder are, as the right to see them was given up */
};

struct weir_details
{
  struct weir_details_request request;
  uint8_t outcome; /* enum weir_details_outcome */
  uint8_t has;     /* enum weir_details_has */
  char exe[WEIR_STRING_MAX + 1];
  char cwd[WEIR_STRING_MAX + 1];
  char command[WEIR_COMMAND_MAX + 1]; /* arguments with a NUL between them: */
  uint16_t command_size;              /* ... so many bytes */
};

void
weir_write_details (struct weir_writer *writer, const struct weir_details *details);
int
weir_read_details (const struct weir_frame *frame, struct weir_details *ret_details);
void
weir_write_details_of (struct weir_writer *writer, const struct weir_details_request *request);
int
weir_read_details_of (const struct weir_frame *frame, struct weir_details_request *ret_request);
