/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FLOWS: a table of control group paths, then the records that point into it.  The table comes
 * first so that a reader needs one pass, hence the writer collects a frame's records beside it. */

#include "weir-wire-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Paths in one frame; a frame that needs more is closed, and the next one has its own table. */
#define TABLE_MAX 1024
/* Slots of the writer's hash: a power of two, at most half full, so that a probe always ends. */
#define TABLE_SLOTS 2048

/* No record is larger: every group present, the longest comm. */
#define RECORD_MAX 256

#define HAS_BYTES   (1 << 0)
#define HAS_PACKETS (1 << 1)
#define HAS_RATES   (1 << 2)

#define HAS_UID (1 << 0)

#define HAS_MARK           (1 << 0)
#define HAS_TRACKING_STATE (1 << 1)
#define ZONE_ORIG          (1 << 2)
#define ZONE_REPLY         (1 << 3)
#define ANSWERED           (1 << 4)

#define KNOWN_GROUPS                                                                               \
  (WEIR_FLOW_KEY | WEIR_FLOW_STATE | WEIR_FLOW_BYTES | WEIR_FLOW_TCP | WEIR_FLOW_OWNER |           \
   WEIR_FLOW_NAT | WEIR_FLOW_CONNTRACK | WEIR_FLOW_OPENER)

/* ---- writing ---- */

struct weir_flows_writer
{
  struct weir_writer *out;
  struct weir_writer table;   /* the paths of the frame, as they will be written */
  struct weir_writer records; /* its records */
  struct weir_writer record;  /* the one being added */
  uint32_t n_records;
  uint16_t n_paths;
  uint16_t slots[TABLE_SLOTS];     /* number of a path, 0: free */
  uint32_t offsets[TABLE_MAX + 1]; /* where path n begins in @table */
};

static void
empty (struct weir_flows_writer *flows)
{
  flows->table.size = 0;
  flows->records.size = 0;
  flows->n_records = 0;
  flows->n_paths = 0;
  memset (flows->slots, 0, sizeof flows->slots);
}

struct weir_flows_writer *
weir_flows_writer_new (struct weir_writer *writer)
{
  struct weir_flows_writer *flows = calloc (1, sizeof *flows);

  if (flows == NULL)
    return NULL;
  flows->out = writer;
  weir_writer_init (&flows->table);
  weir_writer_init (&flows->records);
  weir_writer_init (&flows->record);
  return flows;
}

static void
write_frame (struct weir_flows_writer *flows)
{
  if (flows->n_records == 0)
    return;
  weir_write_frame_begin (flows->out, WEIR_MESSAGE_FLOWS);
  weir_write_u16 (flows->out, flows->n_paths);
  weir_write_bytes (flows->out, flows->table.data, flows->table.size);
  weir_write_u32 (flows->out, flows->n_records);
  weir_write_bytes (flows->out, flows->records.data, flows->records.size);
  weir_write_frame_end (flows->out);
  empty (flows);
}

/* FNV-1a.  Whoever makes control groups that collide only slows this frame's table, which is
 * bounded. */
static uint32_t
hash_path (const char *path, size_t length)
{
  uint32_t hash = 2166136261u;

  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (uint8_t) path[i]) * 16777619u;
  return hash;
}

static bool
is_path (const struct weir_flows_writer *flows, uint16_t number, const char *path, size_t length)
{
  const uint8_t *entry = flows->table.data + flows->offsets[number];

  return entry[0] == (length & 255) && entry[1] == length >> 8 &&
         memcmp (entry + 2, path, length) == 0;
}

/* The slot that holds the path's number, or the free one where it belongs. */
static uint16_t *
find_slot (struct weir_flows_writer *flows, const char *path, size_t length)
{
  uint32_t at = hash_path (path, length) % TABLE_SLOTS;

  while (flows->slots[at] != 0 && !is_path (flows, flows->slots[at], path, length))
    at = (at + 1) % TABLE_SLOTS;
  return &flows->slots[at];
}

/* The number of a path in the frame's table, where it is entered if need be; 0 is the empty path.
 */
static uint16_t
intern (struct weir_flows_writer *flows, const char *path, size_t length)
{
  uint16_t *slot;

  /* After a failure the table is incomplete, and so are the places of its paths. */
  if (length == 0 || flows->table.error != 0)
    return 0;
  slot = find_slot (flows, path, length);
  if (*slot == 0)
    {
      flows->offsets[++flows->n_paths] = (uint32_t) flows->table.size;
      *slot = flows->n_paths;
      weir_write_u16 (&flows->table, (uint16_t) length);
      weir_write_bytes (&flows->table, path, length);
    }
  return *slot;
}

static void
write_endpoint (struct weir_writer *writer, const struct weir_endpoint *endpoint)
{
  weir_write_bytes (writer, endpoint->address, sizeof endpoint->address);
  weir_write_u16 (writer, endpoint->port);
}

static void
write_bytes_group (struct weir_writer *writer, const struct weir_flow_record *record)
{
  weir_write_u8 (writer, record->bytes_source);
  weir_write_u8 (writer, (uint8_t) ((record->has_bytes ? HAS_BYTES : 0) |
                                    (record->has_packets ? HAS_PACKETS : 0) |
                                    (record->has_rates ? HAS_RATES : 0)));
  if (record->has_bytes)
    {
      weir_write_u64 (writer, record->rx_bytes);
      weir_write_u64 (writer, record->tx_bytes);
    }
  if (record->has_packets)
    {
      weir_write_u64 (writer, record->rx_packets);
      weir_write_u64 (writer, record->tx_packets);
    }
  if (record->has_rates)
    {
      weir_write_u64 (writer, record->rx_rate);
      weir_write_u64 (writer, record->tx_rate);
    }
}

static void
write_owner_group (struct weir_writer *writer, const struct weir_flow_record *record, uint16_t path)
{
  weir_write_u8 (writer, record->owner_how);
  weir_write_u8 (writer, record->owner_missing);
  weir_write_u32 (writer, record->pid);
  weir_write_u64 (writer, record->start_time);
  weir_write_u8 (writer, record->has_uid ? HAS_UID : 0);
  weir_write_u32 (writer, record->has_uid ? record->uid : 0);
  weir_write_u64 (writer, record->cgroup_id);
  weir_write_field (writer, record->comm, sizeof record->comm);
  weir_write_u16 (writer, path);
}

static void
write_conntrack_group (struct weir_writer *writer, const struct weir_flow_record *record)
{
  weir_write_u16 (writer, record->zone);
  weir_write_u32 (writer, record->has_mark ? record->mark : 0);
  weir_write_u8 (writer, (uint8_t) ((record->has_mark ? HAS_MARK : 0) |
                                    (record->has_tracking_state ? HAS_TRACKING_STATE : 0) |
                                    (record->zone_direction == WEIR_ZONE_ORIG ? ZONE_ORIG : 0) |
                                    (record->zone_direction == WEIR_ZONE_REPLY ? ZONE_REPLY : 0) |
                                    (record->answered ? ANSWERED : 0)));
  weir_write_u8 (writer, record->has_tracking_state ? record->tracking_state : 0);
}

static void
write_opener_group (struct weir_writer *writer, const struct weir_flow_record *record)
{
  weir_write_u32 (writer, record->opener_pid);
  weir_write_u64 (writer, record->opener_start_time);
  weir_write_u32 (writer, record->opener_uid);
  weir_write_field (writer, record->opener_comm, sizeof record->opener_comm);
}

static void
write_record (struct weir_writer *writer, const struct weir_flow_record *record, uint16_t path)
{
  uint32_t groups = record->groups & KNOWN_GROUPS;

  weir_write_u64 (writer, record->id);
  weir_write_u8 (writer, record->change);
  weir_write_u32 (writer, groups);
  if (groups & WEIR_FLOW_KEY)
    {
      weir_write_u8 (writer, record->family);
      weir_write_u8 (writer, record->protocol);
      weir_write_u32 (writer, record->netns);
      write_endpoint (writer, &record->local);
      write_endpoint (writer, &record->remote);
      weir_write_u64 (writer, record->first_seen);
    }
  if (groups & WEIR_FLOW_STATE)
    {
      weir_write_u8 (writer, record->state);
      weir_write_u8 (writer, record->direction);
      weir_write_u32 (writer, record->sources);
      weir_write_u32 (writer, record->ifindex);
    }
  if (groups & WEIR_FLOW_BYTES)
    write_bytes_group (writer, record);
  if (groups & WEIR_FLOW_TCP)
    {
      weir_write_u32 (writer, record->rtt_us);
      weir_write_u32 (writer, record->retransmits);
    }
  if (groups & WEIR_FLOW_OWNER)
    write_owner_group (writer, record, path);
  if (groups & WEIR_FLOW_NAT)
    {
      write_endpoint (writer, &record->nat_local);
      write_endpoint (writer, &record->nat_remote);
    }
  if (groups & WEIR_FLOW_CONNTRACK)
    write_conntrack_group (writer, record);
  if (groups & WEIR_FLOW_OPENER)
    write_opener_group (writer, record);
}

void
weir_flows_writer_add (struct weir_flows_writer *flows, const struct weir_flow_record *record)
{
  size_t path_length = 0, size;
  uint16_t path;

  if (record->groups & WEIR_FLOW_OWNER)
    path_length = strnlen (record->cgroup, WEIR_STRING_MAX);

  /* Closed early rather than late: as if the path were new and the record of the largest size. */
  size = 2 + flows->table.size + 4 + flows->records.size + 2 + RECORD_MAX + 2 + path_length;
  if (size > WEIR_FRAME_BODY_MAX || flows->n_paths == TABLE_MAX)
    write_frame (flows);

  path = intern (flows, record->cgroup, path_length);
  flows->record.size = 0;
  write_record (&flows->record, record, path);
  weir_write_u16 (&flows->records, (uint16_t) flows->record.size);
  weir_write_bytes (&flows->records, flows->record.data, flows->record.size);
  flows->n_records++;
}

void
weir_flows_writer_finish (struct weir_flows_writer *flows)
{
  const int errors[] = { flows->table.error, flows->records.error, flows->record.error };

  write_frame (flows);
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
    {
      if (flows->out->error == 0)
        flows->out->error = errors[i];
    }
  weir_writer_clear (&flows->table);
  weir_writer_clear (&flows->records);
  weir_writer_clear (&flows->record);
  free (flows);
}

/* ---- reading ---- */

struct path
{
  const uint8_t *bytes;
  uint16_t length;
};

static void
read_endpoint (struct weir_reader *reader, struct weir_endpoint *endpoint)
{
  const uint8_t *address = weir_read_bytes (reader, sizeof endpoint->address);

  if (address != NULL)
    memcpy (endpoint->address, address, sizeof endpoint->address);
  endpoint->port = weir_read_u16 (reader);
}

static void
read_bytes_group (struct weir_reader *reader, struct weir_flow_record *record)
{
  uint8_t has;

  record->bytes_source = weir_read_u8 (reader);
  has = weir_read_u8 (reader);
  record->has_bytes = has & HAS_BYTES;
  record->has_packets = has & HAS_PACKETS;
  record->has_rates = has & HAS_RATES;
  if (record->has_bytes)
    {
      record->rx_bytes = weir_read_u64 (reader);
      record->tx_bytes = weir_read_u64 (reader);
    }
  if (record->has_packets)
    {
      record->rx_packets = weir_read_u64 (reader);
      record->tx_packets = weir_read_u64 (reader);
    }
  if (record->has_rates)
    {
      record->rx_rate = weir_read_u64 (reader);
      record->tx_rate = weir_read_u64 (reader);
    }
  if (record->bytes_source >= WEIR_N_SOURCES && record->bytes_source != WEIR_SOURCE_NONE)
    reader->failed = true;
}

static void
read_owner_group (struct weir_reader *reader, struct weir_flow_record *record,
                  const struct path *paths, uint16_t n_paths)
{
  uint16_t path;

  record->owner_how = weir_read_u8 (reader);
  record->owner_missing = weir_read_u8 (reader);
  record->pid = weir_read_u32 (reader);
  record->start_time = weir_read_u64 (reader);
  record->has_uid = weir_read_u8 (reader) & HAS_UID;
  record->uid = weir_read_u32 (reader);
  record->cgroup_id = weir_read_u64 (reader);
  weir_read_string (reader, record->comm, sizeof record->comm);
  path = weir_read_u16 (reader);
  if (record->owner_how > WEIR_OWNER_CGROUP || record->owner_missing > WEIR_MISSING_GIVEN_UP ||
      path > n_paths)
    {
      reader->failed = true;
      return;
    }
  if (path > 0)
    memcpy (record->cgroup, paths[path - 1].bytes, paths[path - 1].length);
}

static void
read_conntrack_group (struct weir_reader *reader, struct weir_flow_record *record)
{
  uint8_t has;

  record->zone = weir_read_u16 (reader);
  record->mark = weir_read_u32 (reader);
  has = weir_read_u8 (reader);
  record->tracking_state = weir_read_u8 (reader);
  record->has_mark = has & HAS_MARK;
  record->has_tracking_state = has & HAS_TRACKING_STATE;
  record->zone_direction = has & ZONE_ORIG    ? WEIR_ZONE_ORIG
                           : has & ZONE_REPLY ? WEIR_ZONE_REPLY
                                              : WEIR_ZONE_BOTH;
  record->answered = has & ANSWERED;
  if (has & ZONE_ORIG && has & ZONE_REPLY)
    reader->failed = true;
}

static bool
read_record (struct weir_reader *reader, struct weir_flow_record *record, const struct path *paths,
             uint16_t n_paths)
{
  memset (record, 0, sizeof *record);
  record->bytes_source = WEIR_SOURCE_NONE;
  record->id = weir_read_u64 (reader);
  record->change = weir_read_u8 (reader);
  /* Groups of a later version lie behind those that are known. */
  record->groups = weir_read_u32 (reader) & KNOWN_GROUPS;
  if (record->change < WEIR_FLOW_ADDED || record->change > WEIR_FLOW_ENDED)
    return false;
  if (record->groups & WEIR_FLOW_KEY)
    {
      record->family = weir_read_u8 (reader);
      record->protocol = weir_read_u8 (reader);
      record->netns = weir_read_u32 (reader);
      read_endpoint (reader, &record->local);
      read_endpoint (reader, &record->remote);
      record->first_seen = weir_read_u64 (reader);
      if (record->family != 0 && record->family != 4 && record->family != 6)
        return false;
    }
  if (record->groups & WEIR_FLOW_STATE)
    {
      record->state = weir_read_u8 (reader);
      record->direction = weir_read_u8 (reader);
      record->sources = weir_read_u32 (reader);
      record->ifindex = weir_read_u32 (reader);
      if (record->state > WEIR_FLOW_STATE_CLOSED || record->direction > WEIR_DIRECTION_LOCAL)
        return false;
    }
  if (record->groups & WEIR_FLOW_BYTES)
    read_bytes_group (reader, record);
  if (record->groups & WEIR_FLOW_TCP)
    {
      record->rtt_us = weir_read_u32 (reader);
      record->retransmits = weir_read_u32 (reader);
    }
  if (record->groups & WEIR_FLOW_OWNER)
    read_owner_group (reader, record, paths, n_paths);
  if (record->groups & WEIR_FLOW_NAT)
    {
      read_endpoint (reader, &record->nat_local);
      read_endpoint (reader, &record->nat_remote);
    }
  if (record->groups & WEIR_FLOW_CONNTRACK)
    read_conntrack_group (reader, record);
  if (record->groups & WEIR_FLOW_OPENER)
    {
      record->opener_pid = weir_read_u32 (reader);
      record->opener_start_time = weir_read_u64 (reader);
      record->opener_uid = weir_read_u32 (reader);
      weir_read_string (reader, record->opener_comm, sizeof record->opener_comm);
    }
  return !reader->failed;
}

int
weir_read_flows (const struct weir_frame *frame, weir_flow_func func, void *data)
{
  struct path paths[TABLE_MAX];
  struct weir_reader reader;
  uint16_t n_paths;
  uint32_t n_records;

  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_FLOWS))
    return -EPROTO;
  n_paths = weir_read_u16 (&reader);
  if (reader.failed || n_paths > TABLE_MAX)
    return -EPROTO;
  for (uint16_t i = 0; i < n_paths; i++)
    {
      paths[i].length = weir_read_u16 (&reader);
      paths[i].bytes = weir_read_bytes (&reader, paths[i].length);
      if (paths[i].bytes == NULL || paths[i].length > WEIR_STRING_MAX ||
          memchr (paths[i].bytes, '\0', paths[i].length) != NULL)
        return -EPROTO;
    }
  n_records = weir_read_u32 (&reader);
  if (reader.failed)
    return -EPROTO;
  for (uint32_t i = 0; i < n_records; i++)
    {
      struct weir_flow_record record;
      struct weir_reader fields;

      if (!weir_reader_next_record (&reader, weir_read_u16 (&reader), &fields) ||
          !read_record (&fields, &record, paths, n_paths))
        return -EPROTO;
      func (&record, data);
    }
  return 0;
}
