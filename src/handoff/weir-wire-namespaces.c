/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NAMESPACES: records of varying size, each announced with it. */

#include "weir-wire-private.h"

#include <errno.h>
#include <string.h>

static size_t
record_size (const struct weir_namespace_record *record)
{
  return 4 + 1 + 1 + 4 + 4 + 4 + 8 + 4 + 8 + 2 + strnlen (record->comm, sizeof record->comm - 1) +
         2 + strnlen (record->name, sizeof record->name - 1);
}

static void
write_record (struct weir_writer *writer, const struct weir_namespace_record *record)
{
  weir_write_u16 (writer, (uint16_t) record_size (record));
  weir_write_u32 (writer, record->inode);
  weir_write_u8 (writer, record->how);
  weir_write_u8 (writer, record->state);
  weir_write_u32 (writer, (uint32_t) record->error);
  weir_write_u32 (writer, record->n_sockets);
  weir_write_u32 (writer, record->interval_ms);
  weir_write_u64 (writer, record->losses);
  weir_write_u32 (writer, record->pid);
  weir_write_u64 (writer, record->start_time);
  weir_write_field (writer, record->comm, sizeof record->comm);
  weir_write_field (writer, record->name, sizeof record->name);
}

void
weir_write_namespaces (struct weir_writer *writer, const struct weir_namespace_record *records,
                       size_t n_records, uint32_t left_out)
{
  size_t n = n_records < WEIR_NAMESPACES_MAX ? n_records : WEIR_NAMESPACES_MAX;

  weir_write_frame_begin (writer, WEIR_MESSAGE_NAMESPACES);
  weir_write_u32 (writer, left_out);
  weir_write_u16 (writer, (uint16_t) n);
  for (size_t i = 0; i < n; i++)
    write_record (writer, &records[i]);
  weir_write_frame_end (writer);
}

static bool
read_record (struct weir_reader *reader, struct weir_namespace_record *record)
{
  memset (record, 0, sizeof *record);
  record->inode = weir_read_u32 (reader);
  record->how = weir_read_u8 (reader);
  record->state = weir_read_u8 (reader);
  record->error = (int32_t) weir_read_u32 (reader);
  record->n_sockets = weir_read_u32 (reader);
  record->interval_ms = weir_read_u32 (reader);
  record->losses = weir_read_u64 (reader);
  record->pid = weir_read_u32 (reader);
  record->start_time = weir_read_u64 (reader);
  weir_read_string (reader, record->comm, sizeof record->comm);
  weir_read_string (reader, record->name, sizeof record->name);
  return !reader->failed && record->how <= WEIR_NAMESPACE_LISTED &&
         record->state <= WEIR_NAMESPACE_FAILED;
}

int
weir_read_namespaces (const struct weir_frame *frame, weir_namespace_record_func func, void *data,
                      uint32_t *ret_left_out)
{
  struct weir_reader reader;
  uint16_t n;

  *ret_left_out = 0;
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_NAMESPACES))
    return -EPROTO;
  *ret_left_out = weir_read_u32 (&reader);
  n = weir_read_u16 (&reader);
  if (reader.failed || n > WEIR_NAMESPACES_MAX)
    return -EPROTO;
  for (uint16_t i = 0; i < n; i++)
    {
      struct weir_namespace_record record;
      struct weir_reader fields;

      if (!weir_reader_next_record (&reader, weir_read_u16 (&reader), &fields) ||
          !read_record (&fields, &record))
        return -EPROTO;
      func (&record, data);
    }
  return weir_reader_result (&reader);
}
