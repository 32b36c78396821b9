/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cuts a byte stream into frames without ever holding more than one frame of the allowed size. */

#include "weir-wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One read(2) of this size takes a usual tick; a peer that may send less gets less. */
#define FIRST_CAPACITY 16384

void
weir_framer_init (struct weir_framer *framer, size_t body_max)
{
  *framer = (struct weir_framer) { .body_max = body_max };
}

void
weir_framer_clear (struct weir_framer *framer)
{
  free (framer->data);
  weir_framer_init (framer, framer->body_max);
}

void
weir_framer_set_body_max (struct weir_framer *framer, size_t body_max)
{
  framer->body_max = body_max;
}

uint8_t *
weir_framer_reserve (struct weir_framer *framer, size_t *ret_size)
{
  size_t limit = WEIR_FRAME_HEADER_SIZE + framer->body_max;

  if (framer->start > 0)
    {
      memmove (framer->data, framer->data + framer->start, framer->end - framer->start);
      framer->end -= framer->start;
      framer->start = 0;
    }
  /* What was announced is not allocated before it arrives: capacity follows the bytes. */
  if (framer->end == framer->capacity)
    {
      size_t capacity = framer->capacity > 0 ? framer->capacity * 2 : FIRST_CAPACITY;
      uint8_t *data;

      if (capacity > limit)
        capacity = limit;
      if (capacity <= framer->end)
        return NULL;
      data = realloc (framer->data, capacity);
      if (data == NULL)
        return NULL;
      framer->data = data;
      framer->capacity = capacity;
    }
  *ret_size = framer->capacity - framer->end;
  return framer->data + framer->end;
}

void
weir_framer_commit (struct weir_framer *framer, size_t size)
{
  size_t room = framer->capacity - framer->end;

  framer->end += size < room ? size : room;
}

int
weir_framer_next (struct weir_framer *framer, struct weir_frame *ret_frame)
{
  size_t pending = framer->end - framer->start;
  struct weir_reader header;
  uint32_t size;

  if (pending < WEIR_FRAME_HEADER_SIZE)
    return 0;
  weir_reader_init (&header, framer->data + framer->start, WEIR_FRAME_HEADER_SIZE);
  size = weir_read_u32 (&header);
  if (size > framer->body_max)
    return -EMSGSIZE;
  if (pending - WEIR_FRAME_HEADER_SIZE < size)
    return 0;
  ret_frame->type = weir_read_u16 (&header);
  ret_frame->flags = weir_read_u16 (&header);
  ret_frame->body = header.at;
  ret_frame->size = size;
  framer->start += WEIR_FRAME_HEADER_SIZE + size;
  return 1;
}
