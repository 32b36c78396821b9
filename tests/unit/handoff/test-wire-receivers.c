/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "weir-wire.h"
#include "wire-samples.h"

struct told
{
  GArray *records;
  guint n_frames;
};

static void
collect (const struct weir_receiver_record *record, void *data)
{
  g_array_append_vals (data, record, 1);
}

static void
read_frame (const struct weir_frame *frame, gpointer data)
{
  struct weir_receivers_summary summary;
  struct told *told = data;

  g_assert_cmpuint (frame->size, <=, WEIR_FRAME_BODY_MAX);
  g_assert_cmpint (weir_read_receivers (frame, &summary, collect, told->records), ==, 0);
  g_assert_cmpuint (summary.total, ==, 70000);
  g_assert_cmpuint (summary.not_listed, ==, 3);
  told->n_frames++;
}

static struct told
round_trip (const struct weir_receiver_record *records, gsize n)
{
  const struct weir_receivers_summary summary = { 70000, 3 };
  struct told told = { g_array_new (FALSE, FALSE, sizeof *records), 0 };
  struct weir_receivers_writer receivers;
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_receivers_writer_begin (&receivers, &writer, &summary);
  for (gsize i = 0; i < n; i++)
    weir_receivers_writer_add (&receivers, &records[i]);
  weir_receivers_writer_end (&receivers);
  g_assert_cmpint (writer.error, ==, 0);
  sample_foreach (&writer, read_frame, &told);
  weir_writer_clear (&writer);
  return told;
}

static void
test_round_trip (void)
{
  struct weir_receiver_record records[] = {
    sample_receiver (0),
    sample_receiver (1),
    { .id = 3,
      .change = WEIR_RECEIVER_CHANGED,
      .kind = WEIR_SOCKET_PACKET,
      .protocol = 0x888e,
      .is_promiscuous = true,
      .ifindex = 2,
      .owner_missing = WEIR_MISSING_OTHER_USER },
    { .id = 4, .change = WEIR_RECEIVER_GONE },
  };
  struct told told;

  records[1].family = 4;
  records[1].has_queue = false;
  records[1].queue = records[1].backlog = 0;
  records[1].has_uid = false;
  records[1].uid = 0;
  told = round_trip (records, G_N_ELEMENTS (records));
  g_assert_cmpuint (told.n_frames, ==, 1);
  g_assert_cmpuint (told.records->len, ==, G_N_ELEMENTS (records));
  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    g_assert_cmpmem (&g_array_index (told.records, struct weir_receiver_record, i),
                     sizeof records[i], &records[i], sizeof records[i]);
  g_array_unref (told.records);
}

/* None is told, too. */
static void
test_none (void)
{
  struct told told = round_trip (NULL, 0);

  g_assert_cmpuint (told.n_frames, ==, 1);
  g_assert_cmpuint (told.records->len, ==, 0);
  g_array_unref (told.records);
}

/* The most sockets with the longest paths go into several frames. */
static void
test_the_most (void)
{
  g_autofree struct weir_receiver_record *records =
      g_new0 (struct weir_receiver_record, WEIR_RECEIVERS_MAX);
  struct told told;

  for (guint i = 0; i < WEIR_RECEIVERS_MAX; i++)
    {
      records[i] = sample_receiver (i);
      memset (records[i].cgroup, 'x', WEIR_STRING_MAX);
    }
  told = round_trip (records, WEIR_RECEIVERS_MAX);
  g_assert_cmpuint (told.n_frames, >, 1);
  g_assert_cmpuint (told.records->len, ==, WEIR_RECEIVERS_MAX);
  g_assert_cmpmem (told.records->data, WEIR_RECEIVERS_MAX * sizeof *records, records,
                   WEIR_RECEIVERS_MAX * sizeof *records);
  g_array_unref (told.records);
}

static void
expect_refused (const struct weir_frame *frame, gpointer data)
{
  g_autoptr (GArray) records = g_array_new (FALSE, FALSE, sizeof (struct weir_receiver_record));
  struct weir_receivers_summary summary;

  g_assert_cmpint (weir_read_receivers (frame, &summary, collect, records), ==, -EPROTO);
  g_assert_cmpuint (records->len, ==, 0);
}

static void
test_refused (void)
{
  struct weir_receiver_record records[6];

  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    records[i] = sample_receiver (i);
  records[0].change = WEIR_RECEIVER_GONE + 1;
  records[1].kind = WEIR_SOCKET_PACKET + 1;
  records[2].family = 5;
  records[3].kind = WEIR_SOCKET_PACKET;
  records[4].owner_how = WEIR_OWNER_CGROUP + 1;
  records[5].owner_missing = WEIR_MISSING_GIVEN_UP + 1;
  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    {
      const struct weir_receivers_summary summary = { 1, 0 };
      struct weir_receivers_writer receivers;
      struct weir_writer writer;

      weir_writer_init (&writer);
      weir_receivers_writer_begin (&receivers, &writer, &summary);
      weir_receivers_writer_add (&receivers, &records[i]);
      weir_receivers_writer_end (&receivers);
      sample_foreach (&writer, expect_refused, NULL);
      weir_writer_clear (&writer);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/wire-receivers/round-trip", test_round_trip);
  g_test_add_func ("/handoff/wire-receivers/none", test_none);
  g_test_add_func ("/handoff/wire-receivers/the-most", test_the_most);
  g_test_add_func ("/handoff/wire-receivers/refused", test_refused);
  return g_test_run ();
}
