/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "weir-wire.h"
#include "wire-samples.h"

/* Feeds @size bytes in pieces of at most @chunk; returns how many frames came out, or the error. */
static int
feed (struct weir_framer *framer, const guint8 *bytes, gsize size, gsize chunk, GArray *types)
{
  gsize at = 0;

  while (at < size)
    {
      struct weir_frame frame;
      size_t room, n;
      uint8_t *place = weir_framer_reserve (framer, &room);
      int next;

      g_assert_nonnull (place);
      g_assert_cmpuint (room, >, 0);
      n = MIN (MIN (room, chunk), size - at);
      memcpy (place, bytes + at, n);
      weir_framer_commit (framer, n);
      at += n;
      while ((next = weir_framer_next (framer, &frame)) == 1)
        {
          g_assert_cmpint (sample_read (&frame), ==, 0);
          g_array_append_val (types, frame.type);
        }
      if (next < 0)
        return next;
    }
  return 0;
}

static void
collect_type (const struct weir_frame *frame, gpointer data)
{
  g_array_append_val ((GArray *) data, frame->type);
}

static void
test_chunks (void)
{
  const gsize chunks[] = { 1, 3, 8, 100, G_MAXSIZE };
  struct weir_writer writer;
  g_autoptr (GArray) expected = g_array_new (FALSE, FALSE, sizeof (uint16_t));

  weir_writer_init (&writer);
  for (guint i = 0; i < 50; i++)
    sample_write_all (&writer);
  sample_foreach (&writer, collect_type, expected);
  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    {
      g_autoptr (GArray) types = g_array_new (FALSE, FALSE, sizeof (uint16_t));
      struct weir_framer framer;

      weir_framer_init (&framer, WEIR_FRAME_BODY_MAX);
      g_assert_cmpint (feed (&framer, writer.data, writer.size, chunks[i], types), ==, 0);
      g_assert_cmpmem (types->data, types->len * 2, expected->data, expected->len * 2);
      weir_framer_clear (&framer);
    }
  weir_writer_clear (&writer);
}

static void
test_largest_frame (void)
{
  g_autofree guint8 *body = g_malloc0 (WEIR_FRAME_BODY_MAX);
  g_autoptr (GArray) types = g_array_new (FALSE, FALSE, sizeof (uint16_t));
  struct weir_framer framer;
  struct weir_writer writer;

  weir_writer_init (&writer);
  for (guint i = 0; i < 3; i++)
    {
      weir_write_frame_begin (&writer, (enum weir_message) 40);
      weir_write_bytes (&writer, body, WEIR_FRAME_BODY_MAX);
      weir_write_frame_end (&writer);
    }
  weir_framer_init (&framer, WEIR_FRAME_BODY_MAX);
  g_assert_cmpint (feed (&framer, writer.data, writer.size, 65536, types), ==, 0);
  g_assert_cmpuint (types->len, ==, 3);
  g_assert_cmpuint (framer.capacity, <=, WEIR_FRAME_HEADER_SIZE + WEIR_FRAME_BODY_MAX);
  weir_framer_clear (&framer);
  weir_writer_clear (&writer);
}

static void
test_oversized_announcement (void)
{
  const guint8 one_too_many[] = { 0x01, 0x01, 0, 0, 1, 0, 0, 0 };
  const guint8 just_right[] = { 0x00, 0x01, 0, 0, 1, 0, 0, 0 };
  const guint8 all_ones[] = { 255, 255, 255, 255, 1, 0, 0, 0 };
  g_autoptr (GArray) types = g_array_new (FALSE, FALSE, sizeof (uint16_t));
  struct weir_framer framer;

  weir_framer_init (&framer, WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  g_assert_cmpint (feed (&framer, one_too_many, 8, 8, types), ==, -EMSGSIZE);
  weir_framer_clear (&framer);

  weir_framer_init (&framer, WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  g_assert_cmpint (feed (&framer, just_right, 8, 8, types), ==, 0);
  weir_framer_clear (&framer);

  weir_framer_init (&framer, WEIR_FRAME_BODY_MAX);
  g_assert_cmpint (feed (&framer, all_ones, 8, 1, types), ==, -EMSGSIZE);
  weir_framer_clear (&framer);
}

/* Before a HELLO nobody can make us hold more than the header and the allowed body. */
static void
test_bounded_before_hello (void)
{
  struct weir_framer framer;
  size_t room;

  weir_framer_init (&framer, WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  g_assert_nonnull (weir_framer_reserve (&framer, &room));
  g_assert_cmpuint (room, ==, WEIR_FRAME_HEADER_SIZE + WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  memset (framer.data, 0, room);
  weir_framer_commit (&framer, room);
  /* Full of frames that nobody takes: no more room. */
  g_assert_null (weir_framer_reserve (&framer, &room));
  weir_framer_clear (&framer);
}

/* Frames that follow a HELLO in the same read survive the change of the limit. */
static void
test_limit_changes (void)
{
  g_autofree guint8 *body = g_malloc0 (4000);
  struct weir_hello hello = sample_hello ();
  struct weir_framer framer;
  struct weir_writer writer;
  struct weir_frame frame;
  size_t room;
  gsize first;
  g_autoptr (GArray) types = g_array_new (FALSE, FALSE, sizeof (uint16_t));

  weir_writer_init (&writer);
  weir_write_hello (&writer, &hello);
  weir_write_frame_begin (&writer, (enum weir_message) 41);
  weir_write_bytes (&writer, body, 4000);
  weir_write_frame_end (&writer);

  weir_framer_init (&framer, WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  g_assert_nonnull (weir_framer_reserve (&framer, &room));
  first = MIN (room, writer.size);
  memcpy (framer.data, writer.data, first);
  weir_framer_commit (&framer, first);
  g_assert_cmpint (weir_framer_next (&framer, &frame), ==, 1);
  g_assert_cmpuint (frame.type, ==, WEIR_MESSAGE_HELLO);
  g_assert_cmpint (weir_framer_next (&framer, &frame), ==, -EMSGSIZE);
  weir_framer_set_body_max (&framer, WEIR_FRAME_BODY_MAX);
  g_assert_cmpint (feed (&framer, writer.data + first, writer.size - first, 100, types), ==, 0);
  g_assert_cmpuint (types->len, ==, 1);
  g_assert_cmpuint (g_array_index (types, uint16_t, 0), ==, 41);
  weir_framer_clear (&framer);
  weir_writer_clear (&writer);
}

static void
test_unknown_type_is_cut_out (void)
{
  struct weir_framer framer;
  struct weir_writer writer;
  g_autoptr (GArray) types = g_array_new (FALSE, FALSE, sizeof (uint16_t));

  weir_writer_init (&writer);
  weir_write_frame_begin (&writer, (enum weir_message) 9999);
  weir_write_string (&writer, "of a later version");
  weir_write_frame_end (&writer);
  weir_write_bye (&writer, WEIR_BYE_STOPPED);
  weir_framer_init (&framer, WEIR_FRAME_BODY_MAX);
  g_assert_cmpint (feed (&framer, writer.data, writer.size, 5, types), ==, 0);
  g_assert_cmpuint (types->len, ==, 2);
  g_assert_cmpuint (g_array_index (types, uint16_t, 0), ==, 9999);
  g_assert_cmpuint (g_array_index (types, uint16_t, 1), ==, WEIR_MESSAGE_BYE);
  weir_framer_clear (&framer);
  weir_writer_clear (&writer);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/framer/chunks", test_chunks);
  g_test_add_func ("/handoff/framer/largest-frame", test_largest_frame);
  g_test_add_func ("/handoff/framer/oversized-announcement", test_oversized_announcement);
  g_test_add_func ("/handoff/framer/bounded-before-hello", test_bounded_before_hello);
  g_test_add_func ("/handoff/framer/limit-changes", test_limit_changes);
  g_test_add_func ("/handoff/framer/unknown-type-is-cut-out", test_unknown_type_is_cut_out);
  return g_test_run ();
}
