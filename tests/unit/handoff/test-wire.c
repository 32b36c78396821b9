/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Primitives: byte order, bounds, and errors that stay. */
#include <errno.h>
#include <string.h>

#include "weir-wire.h"

#include <glib.h>

static void
test_byte_order (void)
{
  const guint8 expected[] = { 0x01, 0x02, 0x01, 0x04, 0x03, 0x02, 0x01, 0x08,
                              0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01 };
  struct weir_writer writer;
  struct weir_reader reader;

  weir_writer_init (&writer);
  weir_write_u8 (&writer, 0x01);
  weir_write_u16 (&writer, 0x0102);
  weir_write_u32 (&writer, 0x01020304);
  weir_write_u64 (&writer, 0x0102030405060708);
  g_assert_cmpmem (writer.data, writer.size, expected, sizeof expected);

  weir_reader_init (&reader, writer.data, writer.size);
  g_assert_cmphex (weir_read_u8 (&reader), ==, 0x01);
  g_assert_cmphex (weir_read_u16 (&reader), ==, 0x0102);
  g_assert_cmphex (weir_read_u32 (&reader), ==, 0x01020304);
  g_assert_cmphex (weir_read_u64 (&reader), ==, 0x0102030405060708);
  g_assert_false (reader.failed);
  weir_writer_clear (&writer);
}

static void
test_read_beyond (void)
{
  const guint8 bytes[] = { 1, 2, 3 };
  struct weir_reader reader;

  weir_reader_init (&reader, bytes, sizeof bytes);
  g_assert_cmphex (weir_read_u32 (&reader), ==, 0);
  g_assert_true (reader.failed);
  /* What would still fit is not read any more. */
  g_assert_cmphex (weir_read_u8 (&reader), ==, 0);
  g_assert_null (weir_read_bytes (&reader, 0));

  weir_reader_init (&reader, NULL, 0);
  g_assert_nonnull (weir_read_bytes (&reader, 0));
  g_assert_false (reader.failed);
  weir_read_u8 (&reader);
  g_assert_true (reader.failed);

  weir_reader_init (&reader, bytes, sizeof bytes);
  g_assert_null (weir_read_bytes (&reader, SIZE_MAX));
  g_assert_true (reader.failed);
}

static gboolean
reads_string (const void *bytes, gsize size, gsize room, const char *expected)
{
  struct weir_reader reader;
  char string[16] = "untouched";

  weir_reader_init (&reader, bytes, size);
  weir_read_string (&reader, string, room);
  if (!reader.failed)
    g_assert_cmpstr (string, ==, expected);
  else
    g_assert_cmpstr (string, ==, "");
  return !reader.failed;
}

static void
test_strings (void)
{
  g_assert_true (reads_string ("\3\0abc", 5, 4, "abc"));
  g_assert_true (reads_string ("\0\0", 2, 1, ""));
  g_assert_false (reads_string ("\3\0abc", 5, 3, NULL));
  g_assert_false (reads_string ("\3\0ab", 4, 16, NULL));
  g_assert_false (reads_string ("\3\0a\0c", 5, 16, NULL));
  g_assert_false (reads_string ("\3", 1, 16, NULL));
  g_assert_false (reads_string ("\377\377abc", 5, 16, NULL));
}

static void
test_string_is_cut (void)
{
  g_autofree char *longer = g_strnfill (WEIR_STRING_MAX + 5, 'x');
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_write_string (&writer, longer);
  weir_write_string (&writer, NULL);
  g_assert_cmpint (writer.error, ==, 0);
  g_assert_cmpuint (writer.size, ==, 2 + WEIR_STRING_MAX + 2);
  weir_writer_clear (&writer);
}

static void
test_frame_limit (void)
{
  g_autofree guint8 *half = g_malloc0 (WEIR_FRAME_BODY_MAX / 2);
  struct weir_writer writer;

  weir_writer_init (&writer);
  for (guint i = 0; i < 2; i++)
    {
      weir_write_frame_begin (&writer, WEIR_MESSAGE_FLOWS);
      weir_write_bytes (&writer, half, WEIR_FRAME_BODY_MAX / 2);
      weir_write_bytes (&writer, half, WEIR_FRAME_BODY_MAX / 2);
      weir_write_frame_end (&writer);
    }
  g_assert_cmpint (writer.error, ==, 0);
  g_assert_cmpuint (writer.size, ==, 2 * (WEIR_FRAME_HEADER_SIZE + WEIR_FRAME_BODY_MAX));

  weir_write_frame_begin (&writer, WEIR_MESSAGE_FLOWS);
  weir_write_bytes (&writer, half, WEIR_FRAME_BODY_MAX / 2);
  weir_write_bytes (&writer, half, WEIR_FRAME_BODY_MAX / 2);
  weir_write_u8 (&writer, 0);
  g_assert_cmpint (writer.error, ==, -EMSGSIZE);
  weir_write_frame_end (&writer);
  weir_write_frame_begin (&writer, WEIR_MESSAGE_BYE);
  g_assert_cmpint (writer.error, ==, -EMSGSIZE);
  weir_writer_clear (&writer);
  g_assert_cmpint (writer.error, ==, 0);
}

static void
test_absurd_size (void)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_write_bytes (&writer, "", SIZE_MAX - 1);
  g_assert_cmpint (writer.error, ==, -ENOMEM);
  weir_writer_clear (&writer);
}

static void
test_frame_header (void)
{
  const guint8 expected[] = { 12, 0, 0, 0, 65, 0, 0, 0, 0xe8, 3, 0, 0, 10, 0, 0, 0, 0, 16, 0, 0 };
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_write_interval (&writer, &(struct weir_wish) { 1000, 10, 4096 });
  g_assert_cmpmem (writer.data, writer.size, expected, sizeof expected);
  weir_writer_clear (&writer);
}

/* What is secret is written once and not moved: a copy that realloc(3) left could not be wiped. */
static void
test_reserve (void)
{
  struct weir_hello hello = { .version = WEIR_PROTOCOL_VERSION };
  struct weir_writer writer;
  const guint8 *data;

  memset (hello.engine_version, 'v', sizeof hello.engine_version - 1);
  weir_writer_init (&writer);
  weir_writer_reserve (&writer, WEIR_FRAME_HEADER_SIZE + WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  data = writer.data;
  g_assert_nonnull (data);
  g_assert_cmpuint (writer.size, ==, 0);
  g_assert_cmpuint (writer.capacity, >=, WEIR_FRAME_HEADER_SIZE + WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  weir_write_hello (&writer, &hello);
  g_assert_cmpint (writer.error, ==, 0);
  g_assert_true (writer.data == data);
  weir_writer_reserve (&writer, SIZE_MAX);
  g_assert_cmpint (writer.error, ==, -ENOMEM);
  weir_writer_clear (&writer);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/wire/byte-order", test_byte_order);
  g_test_add_func ("/handoff/wire/read-beyond", test_read_beyond);
  g_test_add_func ("/handoff/wire/strings", test_strings);
  g_test_add_func ("/handoff/wire/string-is-cut", test_string_is_cut);
  g_test_add_func ("/handoff/wire/frame-limit", test_frame_limit);
  g_test_add_func ("/handoff/wire/absurd-size", test_absurd_size);
  g_test_add_func ("/handoff/wire/reserve", test_reserve);
  g_test_add_func ("/handoff/wire/frame-header", test_frame_header);
  return g_test_run ();
}
