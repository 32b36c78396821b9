/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DETAILS and DETAILS_OF: one process, on demand. */

#include "weir-wire-private.h"

#include <errno.h>
#include <string.h>

#define ALL_BITS                                                                                   \
  (WEIR_DETAILS_EXE | WEIR_DETAILS_CWD | WEIR_DETAILS_COMMAND | WEIR_DETAILS_EXE_CUT |             \
   WEIR_DETAILS_CWD_CUT | WEIR_DETAILS_COMMAND_CUT | WEIR_DETAILS_COMMAND_LATE |                   \
   WEIR_DETAILS_GIVEN_UP)

static void
write_request (struct weir_writer *writer, const struct weir_details_request *request)
{
  weir_write_u32 (writer, request->number);
  weir_write_u32 (writer, request->pid);
  weir_write_u64 (writer, request->start_time);
}

static struct weir_details_request
read_request (struct weir_reader *reader)
{
  struct weir_details_request request;

  request.number = weir_read_u32 (reader);
  request.pid = weir_read_u32 (reader);
  request.start_time = weir_read_u64 (reader);
  return request;
}

/* NUL is between arguments, so there is one argument more than there are of them. */
static void
write_command (struct weir_writer *writer, const char *command, size_t size)
{
  const char *end = command + size;
  uint16_t n = 1;

  for (size_t i = 0; i < size; i++)
    n += command[i] == '\0';
  weir_write_u16 (writer, n);
  for (const char *at = command; n > 0; n--)
    {
      const size_t length = strnlen (at, (size_t) (end - at));

      weir_write_u16 (writer, (uint16_t) length);
      weir_write_bytes (writer, at, length);
      at += length + 1;
    }
}

static void
read_command (struct weir_reader *reader, struct weir_details *details)
{
  const uint16_t n = weir_read_u16 (reader);
  size_t size = 0;

  if (n == 0)
    reader->failed = true;
  for (uint16_t i = 0; i < n && !reader->failed; i++)
    {
      const size_t left = WEIR_COMMAND_MAX - size;

      if (i > 0 && left == 0)
        reader->failed = true;
      else if (i > 0)
        details->command[size++] = '\0';
      weir_read_string (reader, details->command + size, sizeof details->command - size);
      size += strlen (details->command + size);
    }
  details->command_size = (uint16_t) size;
}

void
weir_write_details (struct weir_writer *writer, const struct weir_details *details)
{
  const size_t size =
      details->command_size < WEIR_COMMAND_MAX ? details->command_size : (size_t) WEIR_COMMAND_MAX;

  weir_write_frame_begin (writer, WEIR_MESSAGE_DETAILS);
  write_request (writer, &details->request);
  weir_write_u8 (writer, details->outcome);
  weir_write_u8 (writer, details->has);
  if ((details->has & WEIR_DETAILS_EXE) != 0)
    weir_write_field (writer, details->exe, sizeof details->exe);
  if ((details->has & WEIR_DETAILS_CWD) != 0)
    weir_write_field (writer, details->cwd, sizeof details->cwd);
  if ((details->has & WEIR_DETAILS_COMMAND) != 0)
    write_command (writer, details->command, size);
  weir_write_frame_end (writer);
}

int
weir_read_details (const struct weir_frame *frame, struct weir_details *ret_details)
{
  struct weir_reader reader;

  memset (ret_details, 0, sizeof *ret_details);
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_DETAILS))
    return -EPROTO;
  ret_details->request = read_request (&reader);
  ret_details->outcome = weir_read_u8 (&reader);
  ret_details->has = weir_read_u8 (&reader);
  if (ret_details->outcome > WEIR_DETAILS_STOPPED)
    return -EPROTO;
  if ((ret_details->has & WEIR_DETAILS_EXE) != 0)
    weir_read_string (&reader, ret_details->exe, sizeof ret_details->exe);
  if ((ret_details->has & WEIR_DETAILS_CWD) != 0)
    weir_read_string (&reader, ret_details->cwd, sizeof ret_details->cwd);
  if ((ret_details->has & WEIR_DETAILS_COMMAND) != 0)
    read_command (&reader, ret_details);
  ret_details->has &= ALL_BITS;
  return weir_reader_result (&reader);
}

void
weir_write_details_of (struct weir_writer *writer, const struct weir_details_request *request)
{
  weir_write_frame_begin (writer, WEIR_MESSAGE_DETAILS_OF);
  write_request (writer, request);
  weir_write_frame_end (writer);
}

int
weir_read_details_of (const struct weir_frame *frame, struct weir_details_request *ret_request)
{
  struct weir_reader reader;

  memset (ret_request, 0, sizeof *ret_request);
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_DETAILS_OF))
    return -EPROTO;
  *ret_request = read_request (&reader);
  return weir_reader_result (&reader);
}
