/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-recording.h"

#include <errno.h>
#include <string.h>

#include "handoff-fixture.h"
#include "wire-samples.h"

static void
append (const struct weir_frame *frame, gpointer data)
{
  if (frame->type != WEIR_MESSAGE_HELLO)
    weir_recording_append (data, (guint64) frame->type * 1000, frame);
}

/* Every message that an engine sends, and the requests, which a player passes on as they are. */
static GByteArray *
make_recording (void)
{
  struct weir_hello hello = sample_hello ();
  GByteArray *recording = weir_recording_new (&hello);
  struct weir_writer writer;

  weir_writer_init (&writer);
  sample_write_all (&writer);
  sample_foreach (&writer, append, recording);
  weir_writer_clear (&writer);
  return recording;
}

static void
test_round_trip (void)
{
  g_autoptr (GByteArray) bytes = make_recording ();
  const uint8_t zeros[WEIR_NONCE_SIZE] = { 0 };
  struct weir_recording recording;
  struct weir_frame frame;
  g_autoptr (GError) error = NULL;
  guint64 offset;
  guint n = 0;
  int r;

  g_assert_cmpmem (bytes->data, 12, "WEIRREC\n\1\0\0\0", 12);
  g_assert_true (weir_recording_open (&recording, bytes->data, bytes->len, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (recording.hello.view, ==, WEIR_VIEW_FULL);
  g_assert_cmpmem (recording.hello.nonce, WEIR_NONCE_SIZE, zeros, WEIR_NONCE_SIZE);
  while ((r = weir_recording_next (&recording, &offset, &frame)) == 1)
    {
      g_assert_cmpuint (offset, ==, frame.type * 1000);
      g_assert_cmpint (sample_read (&frame), ==, 0);
      n++;
    }
  g_assert_cmpint (r, ==, 0);
  g_assert_cmpuint (n, ==, 16);
}

/* Cut anywhere it is an error or, at the end of a frame, shorter; never a frame that is not there.
 */
static void
test_truncated (void)
{
  g_autoptr (GByteArray) bytes = make_recording ();
  guint n_whole = 0;

  for (guint size = 0; size < bytes->len; size++)
    {
      g_autofree guint8 *cut = g_memdup2 (bytes->data, size);
      struct weir_recording recording;
      struct weir_frame frame;
      g_autoptr (GError) error = NULL;
      guint64 offset;
      int r;

      if (!weir_recording_open (&recording, cut, size, &error))
        {
          g_assert_true (error != NULL && error->domain == WEIR_HANDOFF_ERROR);
          continue;
        }
      while ((r = weir_recording_next (&recording, &offset, &frame)) == 1)
        g_assert_cmpint (sample_read (&frame), ==, 0);
      if (r == 0)
        n_whole++;
      else
        g_assert_cmpint (r, ==, -EPROTO);
    }
  /* After the HELLO and after each frame but the last. */
  g_assert_cmpuint (n_whole, ==, 16);
}

static void
assert_refused (const GByteArray *bytes, guint at, guint8 value, int code)
{
  g_autofree guint8 *changed = g_memdup2 (bytes->data, bytes->len);
  struct weir_recording recording;
  g_autoptr (GError) error = NULL;

  changed[at] = value;
  g_assert_false (weir_recording_open (&recording, changed, bytes->len, &error));
  g_assert_error (error, WEIR_HANDOFF_ERROR, code);
}

static void
test_refused (void)
{
  g_autoptr (GByteArray) bytes = make_recording ();

  assert_refused (bytes, 0, 'w', WEIR_HANDOFF_ERROR_FAILED);
  assert_refused (bytes, 8, 2, WEIR_HANDOFF_ERROR_VERSION);
  /* Type of the first frame, and the protocol's version in it. */
  assert_refused (bytes, 12 + 8 + 4, WEIR_MESSAGE_TICK, WEIR_HANDOFF_ERROR_VERSION);
  assert_refused (bytes, 12 + 8 + 8, WEIR_PROTOCOL_VERSION + 1, WEIR_HANDOFF_ERROR_VERSION);
}

static void
test_oversized (void)
{
  struct weir_hello hello = sample_hello ();
  g_autoptr (GByteArray) bytes = weir_recording_new (&hello);
  g_autofree guint8 *body = g_malloc0 (WEIR_FRAME_BODY_MAX + 1);
  const guint8 header[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 16, 0, 6, 0, 0, 0 };
  struct weir_frame frame = { .type = WEIR_MESSAGE_TICK,
                              .body = body,
                              .size = WEIR_FRAME_BODY_MAX + 1 };
  struct weir_recording recording;
  guint64 offset;
  guint before = bytes->len;

  /* Such a frame cannot have come from an engine. */
  weir_recording_append (bytes, 0, &frame);
  g_assert_cmpuint (bytes->len, ==, before);
  g_byte_array_append (bytes, header, sizeof header);
  g_byte_array_append (bytes, body, WEIR_FRAME_BODY_MAX + 1);
  g_assert_true (weir_recording_open (&recording, bytes->data, bytes->len, NULL));
  g_assert_cmpint (weir_recording_next (&recording, &offset, &frame), ==, -EPROTO);
  g_assert_cmpint (weir_recording_next (&recording, &offset, &frame), ==, -EPROTO);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/recording/round-trip", test_round_trip);
  g_test_add_func ("/handoff/recording/truncated", test_truncated);
  g_test_add_func ("/handoff/recording/refused", test_refused);
  g_test_add_func ("/handoff/recording/oversized", test_oversized);
  return g_test_run ();
}
