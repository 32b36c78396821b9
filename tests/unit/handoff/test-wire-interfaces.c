/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "weir-wire.h"
#include "wire-samples.h"

static void
collect (const struct weir_interface_record *record, void *data)
{
  g_array_append_val ((GArray *) data, *record);
}

static GArray *
round_trip (const struct weir_interface_record *records, gsize n)
{
  GArray *back = g_array_new (FALSE, FALSE, sizeof *records);
  struct weir_writer writer;
  struct weir_frame frame;

  weir_writer_init (&writer);
  weir_write_interfaces (&writer, records, n);
  g_assert_cmpint (writer.error, ==, 0);
  frame = (struct weir_frame) { .type = WEIR_MESSAGE_INTERFACES,
                                .body = writer.data + WEIR_FRAME_HEADER_SIZE,
                                .size = writer.size - WEIR_FRAME_HEADER_SIZE };
  g_assert_cmpuint (frame.size, <=, WEIR_FRAME_BODY_MAX);
  g_assert_cmpint (weir_read_interfaces (&frame, collect, back), ==, 0);
  weir_writer_clear (&writer);
  return back;
}

static void
test_round_trip (void)
{
  struct weir_interface_record records[2] = { sample_interface (0), sample_interface (1) };
  g_autoptr (GArray) back = NULL;

  records[1].has_rates = false;
  records[1].rx_rate = records[1].tx_rate = 0;
  records[1].n_addresses = 0;
  memset (records[1].addresses, 0, sizeof records[1].addresses);
  back = round_trip (records, 2);
  g_assert_cmpuint (back->len, ==, 2);
  g_assert_cmpmem (&g_array_index (back, struct weir_interface_record, 0), sizeof records[0],
                   &records[0], sizeof records[0]);
  g_assert_cmpmem (&g_array_index (back, struct weir_interface_record, 1), sizeof records[1],
                   &records[1], sizeof records[1]);
}

static void
test_none (void)
{
  g_autoptr (GArray) back = round_trip (NULL, 0);

  g_assert_cmpuint (back->len, ==, 0);
}

/* The most interfaces with the most addresses do not fit: all interfaces arrive. */
static void
test_the_most (void)
{
  guint n = WEIR_INTERFACES_MAX + 10, addresses = 0;
  g_autofree struct weir_interface_record *records = g_new0 (struct weir_interface_record, n);
  g_autoptr (GArray) back = NULL;

  for (guint i = 0; i < n; i++)
    {
      records[i] = sample_interface (i);
      records[i].n_addresses = WEIR_INTERFACE_ADDRESSES_MAX;
      for (guint j = 0; j < WEIR_INTERFACE_ADDRESSES_MAX; j++)
        records[i].addresses[j].family = 6;
    }
  back = round_trip (records, n);
  g_assert_cmpuint (back->len, ==, WEIR_INTERFACES_MAX);
  for (guint i = 0; i < back->len; i++)
    addresses += g_array_index (back, struct weir_interface_record, i).n_addresses;
  g_assert_cmpuint (addresses, >, 40000);
  g_assert_cmpuint (g_array_index (back, struct weir_interface_record, 0).n_addresses, ==,
                    WEIR_INTERFACE_ADDRESSES_MAX);
}

static int
read_changed (struct weir_interface_record record)
{
  g_autoptr (GArray) back = g_array_new (FALSE, FALSE, sizeof record);
  struct weir_writer writer;
  struct weir_frame frame;
  int r;

  weir_writer_init (&writer);
  weir_write_interfaces (&writer, &record, 1);
  frame = (struct weir_frame) { .type = WEIR_MESSAGE_INTERFACES,
                                .body = writer.data + WEIR_FRAME_HEADER_SIZE,
                                .size = writer.size - WEIR_FRAME_HEADER_SIZE };
  r = weir_read_interfaces (&frame, collect, back);
  weir_writer_clear (&writer);
  return r;
}

static void
test_refused (void)
{
  struct weir_interface_record record = sample_interface (0);

  g_assert_cmpint (read_changed (record), ==, 0);
  record.addresses[0].family = 5;
  g_assert_cmpint (read_changed (record), ==, -EPROTO);
  record.addresses[0].family = 4;
  record.addresses[0].prefix_length = 33;
  g_assert_cmpint (read_changed (record), ==, -EPROTO);
  record.addresses[0].family = 6;
  g_assert_cmpint (read_changed (record), ==, 0);
  record.addresses[0].prefix_length = 129;
  g_assert_cmpint (read_changed (record), ==, -EPROTO);
  record.addresses[0].prefix_length = 128;
  record.type = WEIR_N_INTERFACE_TYPES - 1;
  g_assert_cmpint (read_changed (record), ==, 0);
  record.type = WEIR_N_INTERFACE_TYPES;
  g_assert_cmpint (read_changed (record), ==, -EPROTO);
}

static void
test_too_many (void)
{
  const guint8 body[] = { (WEIR_INTERFACES_MAX + 1) & 255, (WEIR_INTERFACES_MAX + 1) >> 8, 0, 0 };
  struct weir_frame frame = { .type = WEIR_MESSAGE_INTERFACES, .body = body, .size = sizeof body };

  g_assert_cmpint (weir_read_interfaces (&frame, collect, NULL), ==, -EPROTO);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/wire-interfaces/round-trip", test_round_trip);
  g_test_add_func ("/handoff/wire-interfaces/none", test_none);
  g_test_add_func ("/handoff/wire-interfaces/the-most", test_the_most);
  g_test_add_func ("/handoff/wire-interfaces/refused", test_refused);
  g_test_add_func ("/handoff/wire-interfaces/too-many", test_too_many);
  return g_test_run ();
}
