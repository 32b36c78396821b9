/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading and writing of bodies: little-endian, bounded, byte by byte so that nothing depends on
 * the alignment or the byte order of the machine. */

#include "weir-wire-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* frame_start while no frame is open. */
#define NO_FRAME SIZE_MAX

void
weir_reader_init (struct weir_reader *reader, const void *data, size_t size)
{
  /* An empty body may come without a place: arithmetic on NULL is undefined even then. */
  static const uint8_t nothing[1];

  reader->at = size > 0 ? data : nothing;
  reader->end = reader->at + size;
  reader->failed = false;
}

const uint8_t *
weir_read_bytes (struct weir_reader *reader, size_t size)
{
  const uint8_t *at = reader->at;

  if (reader->failed || (size_t) (reader->end - reader->at) < size)
    {
      reader->failed = true;
      return NULL;
    }
  reader->at += size;
  return at;
}

static uint64_t
read_number (struct weir_reader *reader, size_t size)
{
  const uint8_t *bytes = weir_read_bytes (reader, size);
  uint64_t value = 0;

  if (bytes == NULL)
    return 0;
  for (size_t i = size; i > 0; i--)
    value = value << 8 | bytes[i - 1];
  return value;
}

uint8_t
weir_read_u8 (struct weir_reader *reader)
{
  return (uint8_t) read_number (reader, 1);
}

uint16_t
weir_read_u16 (struct weir_reader *reader)
{
  return (uint16_t) read_number (reader, 2);
}

uint32_t
weir_read_u32 (struct weir_reader *reader)
{
  return (uint32_t) read_number (reader, 4);
}

uint64_t
weir_read_u64 (struct weir_reader *reader)
{
  return read_number (reader, 8);
}

void
weir_read_string (struct weir_reader *reader, char *ret_string, size_t size)
{
  size_t length = weir_read_u16 (reader);
  const uint8_t *bytes;

  memset (ret_string, 0, size);
  bytes = weir_read_bytes (reader, length);
  if (bytes == NULL)
    return;
  if (length >= size || memchr (bytes, '\0', length) != NULL)
    {
      reader->failed = true;
      return;
    }
  memcpy (ret_string, bytes, length);
}

bool
weir_reader_begin (struct weir_reader *reader, const struct weir_frame *frame,
                   enum weir_message type)
{
  weir_reader_init (reader, frame->body, frame->size);
  return frame->type == type;
}

bool
weir_reader_next_record (struct weir_reader *list, size_t size, struct weir_reader *ret_record)
{
  const uint8_t *record = weir_read_bytes (list, size);

  weir_reader_init (ret_record, record, record != NULL ? size : 0);
  return record != NULL;
}

int
weir_reader_result (const struct weir_reader *reader)
{
  return reader->failed ? -EPROTO : 0;
}

void
weir_writer_init (struct weir_writer *writer)
{
  *writer = (struct weir_writer) { .frame_start = NO_FRAME };
}

void
weir_writer_clear (struct weir_writer *writer)
{
  free (writer->data);
  weir_writer_init (writer);
}

static bool
make_room (struct weir_writer *writer, size_t size)
{
  size_t capacity = writer->capacity > 0 ? writer->capacity : 256;
  uint8_t *data;

  if (size <= writer->capacity - writer->size)
    return true;
  if (size > SIZE_MAX / 2 - writer->size)
    {
      writer->error = -ENOMEM;
      return false;
    }
  while (capacity < writer->size + size)
    capacity *= 2;
  data = realloc (writer->data, capacity);
  if (data == NULL)
    {
      writer->error = -ENOMEM;
      return false;
    }
  writer->data = data;
  writer->capacity = capacity;
  return true;
}

void
weir_writer_reserve (struct weir_writer *writer, size_t size)
{
  if (writer->error == 0)
    make_room (writer, size);
}

void
weir_write_bytes (struct weir_writer *writer, const void *bytes, size_t size)
{
  if (writer->error != 0 || size == 0)
    return;
  if (writer->frame_start != NO_FRAME)
    {
      size_t body = writer->size - writer->frame_start - WEIR_FRAME_HEADER_SIZE;

      if (size > WEIR_FRAME_BODY_MAX - body)
        {
          writer->error = -EMSGSIZE;
          return;
        }
    }
  if (!make_room (writer, size))
    return;
  memcpy (writer->data + writer->size, bytes, size);
  writer->size += size;
}

static void
write_number (struct weir_writer *writer, uint64_t value, size_t size)
{
  uint8_t bytes[8];

  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t) (value >> (8 * i));
  weir_write_bytes (writer, bytes, size);
}

void
weir_write_u8 (struct weir_writer *writer, uint8_t value)
{
  write_number (writer, value, 1);
}

void
weir_write_u16 (struct weir_writer *writer, uint16_t value)
{
  write_number (writer, value, 2);
}

void
weir_write_u32 (struct weir_writer *writer, uint32_t value)
{
  write_number (writer, value, 4);
}

void
weir_write_u64 (struct weir_writer *writer, uint64_t value)
{
  write_number (writer, value, 8);
}

void
weir_write_field (struct weir_writer *writer, const char *string, size_t size)
{
  size_t length = string != NULL ? strnlen (string, size - 1) : 0;

  weir_write_u16 (writer, (uint16_t) length);
  weir_write_bytes (writer, string, length);
}

void
weir_write_string (struct weir_writer *writer, const char *string)
{
  weir_write_field (writer, string, WEIR_STRING_MAX + 1);
}

void
weir_write_frame_begin (struct weir_writer *writer, enum weir_message type)
{
  size_t start = writer->size;

  /* The header does not count as body. */
  writer->frame_start = NO_FRAME;
  weir_write_u32 (writer, 0);
  weir_write_u16 (writer, (uint16_t) type);
  weir_write_u16 (writer, 0);
  if (writer->error == 0)
    writer->frame_start = start;
}

void
weir_write_frame_end (struct weir_writer *writer)
{
  size_t body;

  if (writer->error != 0 || writer->frame_start == NO_FRAME)
    return;
  body = writer->size - writer->frame_start - WEIR_FRAME_HEADER_SIZE;
  for (size_t i = 0; i < 4; i++)
    writer->data[writer->frame_start + i] = (uint8_t) (body >> (8 * i));
  writer->frame_start = NO_FRAME;
}
