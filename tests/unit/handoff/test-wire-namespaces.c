/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "weir-wire.h"
#include "wire-samples.h"

static void
collect (const struct weir_namespace_record *record, void *data)
{
  g_array_append_val ((GArray *) data, *record);
}

static int
round_trip (const struct weir_namespace_record *records, gsize n, guint32 left_out, GArray *back)
{
  struct weir_writer writer;
  struct weir_frame frame;
  guint32 left_out_back;
  int result;

  weir_writer_init (&writer);
  weir_write_namespaces (&writer, records, n, left_out);
  g_assert_cmpint (writer.error, ==, 0);
  frame = (struct weir_frame) { .type = WEIR_MESSAGE_NAMESPACES,
                                .body = writer.data + WEIR_FRAME_HEADER_SIZE,
                                .size = writer.size - WEIR_FRAME_HEADER_SIZE };
  result = weir_read_namespaces (&frame, collect, back, &left_out_back);
  if (result == 0)
    g_assert_cmpuint (left_out_back, ==, left_out);
  weir_writer_clear (&writer);
  return result;
}

static void
test_round_trip (void)
{
  struct weir_namespace_record records[] = { sample_namespace (0), sample_namespace (1) };
  g_autoptr (GArray) back = g_array_new (FALSE, FALSE, sizeof records[0]);

  memset (records[1].name, 0, sizeof records[1].name);
  memset (records[1].comm, 0, sizeof records[1].comm);
  g_assert_cmpint (round_trip (records, 2, 7, back), ==, 0);
  g_assert_cmpuint (back->len, ==, 2);
  g_assert_cmpmem (back->data, sizeof records, records, sizeof records);
}

/* As many as there may be; more are not written. */
static void
test_most (void)
{
  g_autofree struct weir_namespace_record *records =
      g_new0 (struct weir_namespace_record, WEIR_NAMESPACES_MAX + 1);
  g_autoptr (GArray) back = g_array_new (FALSE, FALSE, sizeof *records);

  for (guint i = 0; i <= WEIR_NAMESPACES_MAX; i++)
    records[i] = sample_namespace (i);
  g_assert_cmpint (round_trip (records, WEIR_NAMESPACES_MAX + 1, G_MAXUINT32, back), ==, 0);
  g_assert_cmpuint (back->len, ==, WEIR_NAMESPACES_MAX);
}

static void
test_enumerations (void)
{
  struct weir_namespace_record record = sample_namespace (0);
  g_autoptr (GArray) back = g_array_new (FALSE, FALSE, sizeof record);

  record.how = WEIR_NAMESPACE_LISTED + 1;
  g_assert_cmpint (round_trip (&record, 1, 0, back), ==, -EPROTO);
  record.how = WEIR_NAMESPACE_LISTED;
  record.state = WEIR_NAMESPACE_FAILED + 1;
  g_assert_cmpint (round_trip (&record, 1, 0, back), ==, -EPROTO);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire-namespaces/round-trip", test_round_trip);
  g_test_add_func ("/wire-namespaces/most", test_most);
  g_test_add_func ("/wire-namespaces/enumerations", test_enumerations);
  return g_test_run ();
}
