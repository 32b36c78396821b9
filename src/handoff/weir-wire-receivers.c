/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LISTENERS: what can receive without being a flow.  Records stand for themselves, so that they can
 * be spread over frames as they come. */

#include "weir-wire-private.h"

#include <errno.h>
#include <string.h>

/* No record is larger: the longest comm and path. */
#define RECORD_MAX (128 + 16 + WEIR_STRING_MAX)

#define IS_V6_ONLY     (1 << 0)
#define IS_PROMISCUOUS (1 << 1)
#define HAS_QUEUE      (1 << 2)

#define HAS_UID (1 << 0)

/* ---- writing ---- */

static void
begin_frame (struct weir_receivers_writer *receivers)
{
  weir_write_frame_begin (receivers->writer, WEIR_MESSAGE_LISTENERS);
  weir_write_u32 (receivers->writer, receivers->summary.total);
  weir_write_u32 (receivers->writer, receivers->summary.not_listed);
  receivers->count_at = receivers->writer->size;
  receivers->n_records = 0;
  weir_write_u32 (receivers->writer, 0);
}

/* Fills in a number that is known only now. */
static void
patch (struct weir_writer *writer, size_t at, uint32_t value, size_t size)
{
  if (writer->error != 0)
    return;
  for (size_t i = 0; i < size; i++)
    writer->data[at + i] = (uint8_t) (value >> (8 * i));
}

static void
end_frame (struct weir_receivers_writer *receivers)
{
  patch (receivers->writer, receivers->count_at, receivers->n_records, 4);
  weir_write_frame_end (receivers->writer);
}

void
weir_receivers_writer_begin (struct weir_receivers_writer *receivers, struct weir_writer *writer,
                             const struct weir_receivers_summary *summary)
{
  *receivers = (struct weir_receivers_writer) { .writer = writer, .summary = *summary };
  begin_frame (receivers);
}

void
weir_receivers_writer_end (struct weir_receivers_writer *receivers)
{
  end_frame (receivers);
}

static void
write_socket (struct weir_writer *writer, const struct weir_receiver_record *record)
{
  weir_write_u8 (writer, record->kind);
  weir_write_u8 (writer, record->family);
  weir_write_u16 (writer, record->protocol);
  weir_write_u8 (writer, (uint8_t) ((record->v6_only ? IS_V6_ONLY : 0) |
                                    (record->is_promiscuous ? IS_PROMISCUOUS : 0) |
                                    (record->has_queue ? HAS_QUEUE : 0)));
  weir_write_bytes (writer, record->local.address, sizeof record->local.address);
  weir_write_u16 (writer, record->local.port);
  weir_write_u32 (writer, record->ifindex);
  weir_write_u32 (writer, record->netns);
  weir_write_u32 (writer, record->inode);
  weir_write_u64 (writer, record->cookie);
  weir_write_u64 (writer, record->first_seen);
  if (!record->has_queue)
    return;
  weir_write_u32 (writer, record->queue);
  weir_write_u32 (writer, record->backlog);
}

static void
write_owner (struct weir_writer *writer, const struct weir_receiver_record *record)
{
  weir_write_u8 (writer, record->owner_how);
  weir_write_u8 (writer, record->owner_missing);
  weir_write_u32 (writer, record->pid);
  weir_write_u64 (writer, record->start_time);
  weir_write_u8 (writer, record->has_uid ? HAS_UID : 0);
  weir_write_u32 (writer, record->has_uid ? record->uid : 0);
  weir_write_u64 (writer, record->cgroup_id);
  weir_write_field (writer, record->comm, sizeof record->comm);
  weir_write_field (writer, record->cgroup, sizeof record->cgroup);
}

void
weir_receivers_writer_add (struct weir_receivers_writer *receivers,
                           const struct weir_receiver_record *record)
{
  struct weir_writer *writer = receivers->writer;
  size_t start;

  if (writer->error != 0)
    return;
  if (writer->size - writer->frame_start - WEIR_FRAME_HEADER_SIZE + RECORD_MAX >
      WEIR_FRAME_BODY_MAX)
    {
      end_frame (receivers);
      begin_frame (receivers);
    }
  start = writer->size;
  weir_write_u16 (writer, 0);
  weir_write_u64 (writer, record->id);
  weir_write_u8 (writer, record->change);
  if (record->change != WEIR_RECEIVER_GONE)
    {
      write_socket (writer, record);
      write_owner (writer, record);
    }
  patch (writer, start, (uint32_t) (writer->size - start - 2), 2);
  receivers->n_records++;
}

/* ---- reading ---- */

static bool
read_socket (struct weir_reader *reader, struct weir_receiver_record *record)
{
  const uint8_t *address;
  uint8_t flags;

  record->kind = weir_read_u8 (reader);
  record->family = weir_read_u8 (reader);
  record->protocol = weir_read_u16 (reader);
  flags = weir_read_u8 (reader);
  record->v6_only = flags & IS_V6_ONLY;
  record->is_promiscuous = flags & IS_PROMISCUOUS;
  record->has_queue = flags & HAS_QUEUE;
  address = weir_read_bytes (reader, sizeof record->local.address);
  if (address != NULL)
    memcpy (record->local.address, address, sizeof record->local.address);
  record->local.port = weir_read_u16 (reader);
  record->ifindex = weir_read_u32 (reader);
  record->netns = weir_read_u32 (reader);
  record->inode = weir_read_u32 (reader);
  record->cookie = weir_read_u64 (reader);
  record->first_seen = weir_read_u64 (reader);
  if (record->has_queue)
    {
      record->queue = weir_read_u32 (reader);
      record->backlog = weir_read_u32 (reader);
    }
  if (record->kind > WEIR_SOCKET_PACKET)
    return false;
  return record->kind == WEIR_SOCKET_PACKET ? record->family == 0
                                            : record->family == 4 || record->family == 6;
}

static bool
read_owner (struct weir_reader *reader, struct weir_receiver_record *record)
{
  record->owner_how = weir_read_u8 (reader);
  record->owner_missing = weir_read_u8 (reader);
  record->pid = weir_read_u32 (reader);
  record->start_time = weir_read_u64 (reader);
  record->has_uid = weir_read_u8 (reader) & HAS_UID;
  record->uid = weir_read_u32 (reader);
  record->cgroup_id = weir_read_u64 (reader);
  weir_read_string (reader, record->comm, sizeof record->comm);
  weir_read_string (reader, record->cgroup, sizeof record->cgroup);
  return record->owner_how <= WEIR_OWNER_CGROUP && record->owner_missing <= WEIR_MISSING_GIVEN_UP;
}

static bool
read_record (struct weir_reader *reader, struct weir_receiver_record *record)
{
  memset (record, 0, sizeof *record);
  record->id = weir_read_u64 (reader);
  record->change = weir_read_u8 (reader);
  if (record->change < WEIR_RECEIVER_ADDED || record->change > WEIR_RECEIVER_GONE)
    return false;
  if (record->change != WEIR_RECEIVER_GONE &&
      (!read_socket (reader, record) || !read_owner (reader, record)))
    return false;
  return !reader->failed;
}

int
weir_read_receivers (const struct weir_frame *frame, struct weir_receivers_summary *ret_summary,
                     weir_receiver_func func, void *data)
{
  struct weir_reader reader;
  uint32_t n;

  *ret_summary = (struct weir_receivers_summary) { 0 };
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_LISTENERS))
    return -EPROTO;
  ret_summary->total = weir_read_u32 (&reader);
  ret_summary->not_listed = weir_read_u32 (&reader);
  n = weir_read_u32 (&reader);
  if (reader.failed)
    return -EPROTO;
  for (uint32_t i = 0; i < n; i++)
    {
      struct weir_receiver_record record;
      struct weir_reader fields;

      if (!weir_reader_next_record (&reader, weir_read_u16 (&reader), &fields) ||
          !read_record (&fields, &record))
        return -EPROTO;
      func (&record, data);
    }
  return 0;
}
