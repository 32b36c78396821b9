/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "weir-wire.h"
#include "wire-samples.h"

static struct weir_frame
only_frame (const struct weir_writer *writer)
{
  g_assert_cmpint (writer->error, ==, 0);
  return (struct weir_frame) {
    .type = (uint16_t) (writer->data[4] | writer->data[5] << 8),
    .body = writer->data + WEIR_FRAME_HEADER_SIZE,
    .size = writer->size - WEIR_FRAME_HEADER_SIZE,
  };
}

static int
round_trip (const struct weir_details *details, struct weir_details *back)
{
  struct weir_writer writer;
  struct weir_frame frame;
  int r;

  weir_writer_init (&writer);
  weir_write_details (&writer, details);
  frame = only_frame (&writer);
  r = weir_read_details (&frame, back);
  weir_writer_clear (&writer);
  return r;
}

static void
set_command (struct weir_details *details, const char *command, gsize size)
{
  memcpy (details->command, command, size);
  details->command_size = (uint16_t) size;
}

static void
test_request (void)
{
  const struct weir_details_request request = { 1, 2, G_MAXUINT64 };
  struct weir_details_request back;
  struct weir_writer writer;
  struct weir_frame frame;

  weir_writer_init (&writer);
  weir_write_details_of (&writer, &request);
  frame = only_frame (&writer);
  g_assert_cmpuint (frame.size, <=, WEIR_REQUEST_BODY_MAX);
  g_assert_cmpint (weir_read_details_of (&frame, &back), ==, 0);
  g_assert_cmpmem (&request, sizeof request, &back, sizeof back);
  frame.size--;
  g_assert_cmpint (weir_read_details_of (&frame, &back), ==, -EPROTO);
  weir_writer_clear (&writer);
}

static void
test_whole (void)
{
  struct weir_details details = { .request = { 9, 77, 5 }, .has = 0x7f }, back;

  memset (details.exe, 'e', WEIR_STRING_MAX);
  g_strlcpy (details.cwd, "/home/ann", sizeof details.cwd);
  set_command (&details, "a\0\0two words", 12);
  g_assert_cmpint (round_trip (&details, &back), ==, 0);
  g_assert_cmpmem (&details, sizeof details, &back, sizeof back);

  /* As long as may be, of one argument and of nothing but ends. */
  memset (details.command, 'c', WEIR_COMMAND_MAX);
  details.command_size = WEIR_COMMAND_MAX;
  g_assert_cmpint (round_trip (&details, &back), ==, 0);
  g_assert_cmpmem (&details, sizeof details, &back, sizeof back);
  memset (details.command, 0, WEIR_COMMAND_MAX);
  g_assert_cmpint (round_trip (&details, &back), ==, 0);
  g_assert_cmpmem (&details, sizeof details, &back, sizeof back);
}

/* What there is not is not sent, whatever is in the fields. */
static void
test_absent (void)
{
  struct weir_details details = { .request = { 9, 77, 5 }, .outcome = WEIR_DETAILS_REFUSED }, back;

  g_strlcpy (details.exe, "/secret", sizeof details.exe);
  set_command (&details, "secret", 6);
  g_assert_cmpint (round_trip (&details, &back), ==, 0);
  g_assert_cmpuint (back.outcome, ==, WEIR_DETAILS_REFUSED);
  g_assert_cmpuint (back.has, ==, 0);
  g_assert_cmpstr (back.exe, ==, "");
  g_assert_cmpuint (back.command_size, ==, 0);
  details.outcome = WEIR_DETAILS_STOPPED + 1;
  g_assert_cmpint (round_trip (&details, &back), ==, -EPROTO);
}

/* A command line that somebody made longer than may be. */
static void
test_too_long (void)
{
  struct weir_writer writer;
  struct weir_frame frame;
  struct weir_details back;

  for (guint i = 0; i < 3; i++)
    {
      const guint16 counts[] = { 0, WEIR_COMMAND_MAX + 2, 2 };

      weir_writer_init (&writer);
      weir_write_frame_begin (&writer, WEIR_MESSAGE_DETAILS);
      weir_write_u64 (&writer, 0);
      weir_write_u64 (&writer, 0);
      weir_write_u8 (&writer, 0);
      weir_write_u8 (&writer, WEIR_DETAILS_COMMAND);
      weir_write_u16 (&writer, counts[i]);
      for (guint n = 0; n < counts[i]; n++)
        {
          const guint16 length = i == 2 ? WEIR_COMMAND_MAX / 2 : 0;

          weir_write_u16 (&writer, length);
          for (guint at = 0; at < length; at++)
            weir_write_u8 (&writer, 'x');
        }
      weir_write_frame_end (&writer);
      frame = only_frame (&writer);
      g_assert_cmpint (weir_read_details (&frame, &back), ==, -EPROTO);
      weir_writer_clear (&writer);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/wire-details/request", test_request);
  g_test_add_func ("/handoff/wire-details/whole", test_whole);
  g_test_add_func ("/handoff/wire-details/absent", test_absent);
  g_test_add_func ("/handoff/wire-details/too-long", test_too_long);
  return g_test_run ();
}
