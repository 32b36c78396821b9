/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "weir-wire.h"
#include "wire-samples.h"

static void
collect (const struct weir_flow_record *record, void *data)
{
  g_array_append_val ((GArray *) data, *record);
}

struct reading
{
  GArray *records;
  guint n_frames;
  gsize largest;
};

static void
read_frame (const struct weir_frame *frame, gpointer data)
{
  struct reading *reading = data;

  g_assert_cmpuint (frame->type, ==, WEIR_MESSAGE_FLOWS);
  g_assert_cmpint (weir_read_flows (frame, collect, reading->records), ==, 0);
  reading->n_frames++;
  reading->largest = MAX (reading->largest, frame->size);
}

static struct reading
round_trip (const struct weir_flow_record *records, gsize n)
{
  struct reading reading = { .records = g_array_new (FALSE, FALSE, sizeof *records) };
  struct weir_flows_writer *flows;
  struct weir_writer writer;

  weir_writer_init (&writer);
  flows = weir_flows_writer_new (&writer);
  for (gsize i = 0; i < n; i++)
    weir_flows_writer_add (flows, &records[i]);
  weir_flows_writer_finish (flows);
  g_assert_cmpint (writer.error, ==, 0);
  sample_foreach (&writer, read_frame, &reading);
  g_assert_cmpuint (reading.largest, <=, WEIR_FRAME_BODY_MAX);
  weir_writer_clear (&writer);
  return reading;
}

static void
assert_same (const struct weir_flow_record *a, const struct weir_flow_record *b)
{
  g_assert_cmpmem (a, sizeof *a, b, sizeof *b);
}

static void
test_everything (void)
{
  struct weir_flow_record record = sample_flow (1);
  struct reading reading = round_trip (&record, 1);

  g_assert_cmpuint (reading.n_frames, ==, 1);
  assert_same (&g_array_index (reading.records, struct weir_flow_record, 0), &record);
  g_array_unref (reading.records);
}

static void
test_nothing (void)
{
  struct reading reading = round_trip (NULL, 0);

  g_assert_cmpuint (reading.n_frames, ==, 0);
  g_array_unref (reading.records);
}

/* What a record does not name does not travel, whatever its fields hold. */
static void
test_each_group (void)
{
  for (guint group = 0; group < 7; group++)
    {
      struct weir_flow_record record = sample_flow (0), *back;
      struct reading reading;

      record.groups = 1u << group;
      record.change = WEIR_FLOW_CHANGED;
      reading = round_trip (&record, 1);
      back = &g_array_index (reading.records, struct weir_flow_record, 0);
      g_assert_cmpuint (back->groups, ==, 1u << group);
      g_assert_cmpuint (back->id, ==, record.id);
      g_assert_cmpuint (back->change, ==, WEIR_FLOW_CHANGED);
      g_assert_cmpuint (back->protocol, ==, group == 0 ? 6 : 0);
      g_assert_cmpuint (back->ifindex, ==, group == 1 ? 7 : 0);
      g_assert_cmpuint (back->bytes_source, ==,
                        group == 2 ? WEIR_SOURCE_CONNTRACK : WEIR_SOURCE_NONE);
      g_assert_cmpint (back->has_bytes, ==, group == 2);
      g_assert_cmpuint (back->rtt_us, ==, group == 3 ? 23456 : 0);
      g_assert_cmpstr (back->cgroup, ==, group == 4 ? record.cgroup : "");
      g_assert_cmpstr (back->comm, ==, group == 4 ? record.comm : "");
      g_assert_cmpuint (back->nat_remote.port, ==, group == 5 ? 80 : 0);
      g_assert_cmpuint (back->zone, ==, group == 6 ? 65535 : 0);
      g_assert_cmphex (back->mark, ==, group == 6 ? 0xdeadbeef : 0);
      g_assert_cmpint (back->has_mark, ==, group == 6);
      g_array_unref (reading.records);
    }
}

static void
test_absent_figures (void)
{
  for (guint has = 0; has < 8; has++)
    {
      struct weir_flow_record record = sample_flow (0), *back;
      struct reading reading;

      record.has_bytes = has & 1;
      record.has_packets = has & 2;
      record.has_rates = has & 4;
      record.has_uid = has & 1;
      reading = round_trip (&record, 1);
      back = &g_array_index (reading.records, struct weir_flow_record, 0);
      g_assert_cmpint (back->has_bytes, ==, record.has_bytes);
      g_assert_cmpint (back->has_packets, ==, record.has_packets);
      g_assert_cmpint (back->has_rates, ==, record.has_rates);
      g_assert_cmpint (back->has_uid, ==, record.has_uid);
      g_assert_cmpuint (back->rx_bytes, ==, record.has_bytes ? G_MAXUINT64 : 0);
      g_assert_cmpuint (back->tx_packets, ==, record.has_packets ? 4 : 0);
      g_assert_cmpuint (back->tx_rate, ==, record.has_rates ? 6 : 0);
      g_assert_cmpuint (back->uid, ==, record.has_uid ? 1000 : 0);
      g_array_unref (reading.records);
    }
}

/* A path that many flows share travels once in a frame. */
static void
test_shared_path (void)
{
  struct weir_flow_record records[100];
  struct reading reading;

  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    {
      records[i] = sample_flow (0);
      records[i].id = i;
      memset (records[i].cgroup, 'p', WEIR_STRING_MAX);
    }
  reading = round_trip (records, G_N_ELEMENTS (records));
  g_assert_cmpuint (reading.records->len, ==, G_N_ELEMENTS (records));
  g_assert_cmpuint (reading.largest, <, 100 * 256 + 2 * WEIR_STRING_MAX);
  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    assert_same (&g_array_index (reading.records, struct weir_flow_record, i), &records[i]);
  g_array_unref (reading.records);
}

/* The most rows, each with a path of its own of the greatest length: frames split, nothing is lost.
 */
static void
test_splits (void)
{
  g_autofree struct weir_flow_record *records = g_new0 (struct weir_flow_record, WEIR_ROWS_MAX);
  struct reading reading;

  for (guint i = 0; i < WEIR_ROWS_MAX; i++)
    {
      records[i] = sample_flow (i);
      memset (records[i].cgroup + strlen (records[i].cgroup), 'p',
              WEIR_STRING_MAX - strlen (records[i].cgroup));
    }
  reading = round_trip (records, WEIR_ROWS_MAX);
  g_assert_cmpuint (reading.records->len, ==, WEIR_ROWS_MAX);
  g_assert_cmpuint (reading.n_frames, >, 4);
  for (guint i = 0; i < WEIR_ROWS_MAX; i++)
    assert_same (&g_array_index (reading.records, struct weir_flow_record, i), &records[i]);
  g_array_unref (reading.records);
}

/* More short paths than a table takes. */
static void
test_full_table (void)
{
  g_autofree struct weir_flow_record *records = g_new0 (struct weir_flow_record, 3000);
  struct reading reading;

  for (guint i = 0; i < 3000; i++)
    {
      records[i] = sample_flow (i);
      g_snprintf (records[i].cgroup, sizeof records[i].cgroup, "%u", i % 2500);
    }
  reading = round_trip (records, 3000);
  g_assert_cmpuint (reading.n_frames, ==, 3);
  for (guint i = 0; i < 3000; i++)
    g_assert_cmpstr (g_array_index (reading.records, struct weir_flow_record, i).cgroup, ==,
                     records[i].cgroup);
  g_array_unref (reading.records);
}

static int
read_changed (const struct weir_flow_record *record)
{
  g_autoptr (GArray) back = g_array_new (FALSE, FALSE, sizeof *record);
  struct weir_flows_writer *flows;
  struct weir_writer writer;
  struct weir_frame frame;
  int r;

  weir_writer_init (&writer);
  flows = weir_flows_writer_new (&writer);
  weir_flows_writer_add (flows, record);
  weir_flows_writer_finish (flows);
  frame = (struct weir_frame) { .type = WEIR_MESSAGE_FLOWS,
                                .body = writer.data + WEIR_FRAME_HEADER_SIZE,
                                .size = writer.size - WEIR_FRAME_HEADER_SIZE };
  r = weir_read_flows (&frame, collect, back);
  weir_writer_clear (&writer);
  return r;
}

static void
test_unknown_values (void)
{
  struct weir_flow_record record = sample_flow (0);

#define REFUSED(field, value)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    struct weir_flow_record changed = record;                                                      \
    changed.field = value;                                                                         \
    g_assert_cmpint (read_changed (&changed), ==, -EPROTO);                                        \
  }                                                                                                \
  G_STMT_END

  g_assert_cmpint (read_changed (&record), ==, 0);
  REFUSED (change, 0);
  REFUSED (change, WEIR_FLOW_ENDED + 1);
  REFUSED (family, 5);
  REFUSED (state, WEIR_FLOW_STATE_CLOSED + 1);
  REFUSED (direction, WEIR_DIRECTION_LOCAL + 1);
  REFUSED (bytes_source, WEIR_N_SOURCES);
  REFUSED (owner_how, WEIR_OWNER_CGROUP + 1);
  REFUSED (owner_missing, WEIR_MISSING_GIVEN_UP + 1);
  record.owner_missing = WEIR_MISSING_GIVEN_UP;
  g_assert_cmpint (read_changed (&record), ==, 0);
  /* Frames. */
  record.family = 0;
  g_assert_cmpint (read_changed (&record), ==, 0);
#undef REFUSED
}

/* Writes a frame by hand: one path, one record with nothing but a comm and a path number. */
static int
read_by_hand (const char *path, guint16 path_length, guint16 number, guint32 groups,
              guint16 record_size, GArray *back)
{
  struct weir_writer writer;
  struct weir_frame frame;
  int r;

  weir_writer_init (&writer);
  weir_write_frame_begin (&writer, WEIR_MESSAGE_FLOWS);
  weir_write_u16 (&writer, 1);
  weir_write_u16 (&writer, path_length);
  weir_write_bytes (&writer, path, path_length);
  weir_write_u32 (&writer, 1);
  weir_write_u16 (&writer, record_size);
  weir_write_u64 (&writer, 1);
  weir_write_u8 (&writer, WEIR_FLOW_ADDED);
  weir_write_u32 (&writer, groups);
  weir_write_u8 (&writer, 0);
  weir_write_u8 (&writer, 0);
  weir_write_u32 (&writer, 0);
  weir_write_u64 (&writer, 0);
  weir_write_u8 (&writer, 0);
  weir_write_u32 (&writer, 0);
  weir_write_u64 (&writer, 0);
  weir_write_u16 (&writer, 0);
  weir_write_u16 (&writer, number);
  weir_write_u64 (&writer, 0xfeedfacefeedface);
  weir_write_frame_end (&writer);
  frame = (struct weir_frame) { .type = WEIR_MESSAGE_FLOWS,
                                .body = writer.data + WEIR_FRAME_HEADER_SIZE,
                                .size = writer.size - WEIR_FRAME_HEADER_SIZE };
  r = weir_read_flows (&frame, collect, back);
  weir_writer_clear (&writer);
  return r;
}

static void
test_by_hand (void)
{
  g_autoptr (GArray) back = g_array_new (FALSE, FALSE, sizeof (struct weir_flow_record));
  g_autofree char *longest = g_strnfill (WEIR_STRING_MAX + 1, 'l');
  const guint16 size = 13 + 31;

  g_assert_cmpint (read_by_hand ("abc", 3, 1, WEIR_FLOW_OWNER, size, back), ==, 0);
  g_assert_cmpint (read_by_hand (longest, WEIR_STRING_MAX, 1, WEIR_FLOW_OWNER, size, back), ==, 0);
  /* A group of a later version: its fields follow, and are passed over with the record. */
  g_assert_cmpint (read_by_hand ("abc", 3, 1, WEIR_FLOW_OWNER | 1u << 31, size + 8, back), ==, 0);
  g_assert_cmpuint (back->len, ==, 3);
  g_assert_cmpuint (g_array_index (back, struct weir_flow_record, 2).groups, ==, WEIR_FLOW_OWNER);

  g_assert_cmpint (read_by_hand ("abc", 3, 2, WEIR_FLOW_OWNER, size, back), ==, -EPROTO);
  g_assert_cmpint (read_by_hand ("a\0c", 3, 1, WEIR_FLOW_OWNER, size, back), ==, -EPROTO);
  g_assert_cmpint (read_by_hand (longest, WEIR_STRING_MAX + 1, 1, WEIR_FLOW_OWNER, size, back), ==,
                   -EPROTO);
  g_assert_cmpint (read_by_hand ("abc", 3, 1, WEIR_FLOW_OWNER, size - 1, back), ==, -EPROTO);
  g_assert_cmpint (read_by_hand ("abc", 3, 1, WEIR_FLOW_OWNER, 0, back), ==, -EPROTO);
  g_assert_cmpint (read_by_hand ("abc", 3, 1, WEIR_FLOW_OWNER, size + 9, back), ==, -EPROTO);
  g_assert_cmpuint (back->len, ==, 3);
}

/* A zone is one direction's, the other's, or both's: which the record says without it. */
static void
test_conntrack (void)
{
  for (guint has = 0; has < 32; has++)
    {
      struct weir_flow_record record = { .groups = WEIR_FLOW_CONNTRACK,
                                         .change = WEIR_FLOW_CHANGED,
                                         .bytes_source = WEIR_SOURCE_NONE,
                                         .zone = 7,
                                         .has_mark = has & 1,
                                         .mark = has & 1 ? 5 : 0,
                                         .has_tracking_state = has & 2,
                                         .tracking_state = has & 2 ? 4 : 0,
                                         .zone_direction = has & 4   ? WEIR_ZONE_ORIG
                                                           : has & 8 ? WEIR_ZONE_REPLY
                                                                     : WEIR_ZONE_BOTH,
                                         .answered = has & 16 };
      g_autoptr (GArray) back = g_array_new (FALSE, FALSE, sizeof record);
      struct weir_flows_writer *flows;
      struct weir_writer writer;
      struct weir_frame frame;

      weir_writer_init (&writer);
      flows = weir_flows_writer_new (&writer);
      weir_flows_writer_add (flows, &record);
      weir_flows_writer_finish (flows);
      frame = (struct weir_frame) { .type = WEIR_MESSAGE_FLOWS,
                                    .body = writer.data + WEIR_FRAME_HEADER_SIZE,
                                    .size = writer.size - WEIR_FRAME_HEADER_SIZE };
      /* What has bits are, is where the protocol says; bits of a later version do not matter. */
      g_assert_cmpuint (writer.data[writer.size - 2], ==, (has & 4) ? has & ~8u : has);
      writer.data[writer.size - 2] = (guint8) (has | 0xe0);
      g_assert_cmpint (weir_read_flows (&frame, collect, back), ==,
                       has & 4 && has & 8 ? -EPROTO : 0);
      if (!(has & 4 && has & 8))
        assert_same (&g_array_index (back, struct weir_flow_record, 0), &record);
      weir_writer_clear (&writer);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/wire-flows/everything", test_everything);
  g_test_add_func ("/handoff/wire-flows/nothing", test_nothing);
  g_test_add_func ("/handoff/wire-flows/each-group", test_each_group);
  g_test_add_func ("/handoff/wire-flows/absent-figures", test_absent_figures);
  g_test_add_func ("/handoff/wire-flows/shared-path", test_shared_path);
  g_test_add_func ("/handoff/wire-flows/splits", test_splits);
  g_test_add_func ("/handoff/wire-flows/full-table", test_full_table);
  g_test_add_func ("/handoff/wire-flows/unknown-values", test_unknown_values);
  g_test_add_func ("/handoff/wire-flows/by-hand", test_by_hand);
  g_test_add_func ("/handoff/wire-flows/conntrack", test_conntrack);
  return g_test_run ();
}
