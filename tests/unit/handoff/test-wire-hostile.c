/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What holds for every message: cut anywhere it is refused, and changed anywhere it is either
 * refused or read within its bounds (this program is built with the address sanitizer). */
#include <errno.h>
#include <string.h>

#include "weir-wire.h"
#include "wire-samples.h"

static void
truncate_everywhere (const struct weir_frame *frame, gpointer data)
{
  g_assert_cmpint (sample_read (frame), ==, 0);
  for (size_t size = 0; size < frame->size; size++)
    {
      g_autofree guint8 *body = g_memdup2 (frame->body, size);
      struct weir_frame cut = { .type = frame->type, .body = body, .size = size };

      /* What older front ends wish. */
      if ((frame->type == WEIR_MESSAGE_START || frame->type == WEIR_MESSAGE_INTERVAL) &&
          (size == 4 || size == 8))
        {
          g_assert_cmpint (sample_read (&cut), ==, 0);
          continue;
        }
      if (sample_read (&cut) != -EPROTO)
        g_error ("message %u of %zu bytes was accepted when cut at %zu", frame->type, frame->size,
                 size);
    }
}

static void
test_truncated (void)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  sample_write_all (&writer);
  sample_foreach (&writer, truncate_everywhere, NULL);
  weir_writer_clear (&writer);
}

static void
append (const struct weir_frame *frame, gpointer data)
{
  g_autofree guint8 *body = g_malloc (frame->size + 5);
  struct weir_frame longer = { .type = frame->type, .body = body, .size = frame->size + 5 };

  if (frame->size > 0)
    memcpy (body, frame->body, frame->size);
  memset (body + frame->size, 0xff, 5);
  g_assert_cmpint (sample_read (&longer), ==, 0);
}

static void
test_longer (void)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  sample_write_all (&writer);
  sample_foreach (&writer, append, NULL);
  weir_writer_clear (&writer);
}

struct mutation
{
  GRand *random;
  guint n_refused, n_read;
};

/* Values at which bounds go wrong. */
static guint8
interesting_byte (GRand *random)
{
  const guint8 bytes[] = { 0, 1, 2, 3, 4, 15, 16, 17, 63, 64, 65, 127, 128, 254, 255 };

  return bytes[g_rand_int_range (random, 0, G_N_ELEMENTS (bytes))];
}

static void
mutate (const struct weir_frame *frame, gpointer data)
{
  struct mutation *mutation = data;
  GRand *random = mutation->random;
  gsize size = frame->size;
  g_autofree guint8 *body = NULL;
  struct weir_frame changed = *frame;

  if (size == 0)
    return;
  if (g_rand_int_range (random, 0, 4) == 0)
    size = (gsize) g_rand_int_range (random, 1, (gint) size + 1);
  body = g_memdup2 (frame->body, size);
  for (gint n = g_rand_int_range (random, 1, 9); n > 0; n--)
    {
      gsize at = (gsize) g_rand_int_range (random, 0, (gint) size);

      body[at] = g_rand_boolean (random) ? (guint8) g_rand_int (random) : interesting_byte (random);
    }
  changed.body = body;
  changed.size = size;
  if (g_rand_int_range (random, 0, 16) == 0)
    changed.type = (uint16_t) g_rand_int_range (random, 0, 70);
  if (sample_read (&changed) == 0)
    mutation->n_read++;
  else
    mutation->n_refused++;
}

static void
test_mutated (void)
{
  struct mutation mutation = { .random = g_rand_new_with_seed (20250101) };
  struct weir_writer writer;

  weir_writer_init (&writer);
  sample_write_all (&writer);
  for (guint round = 0; round < 6000; round++)
    sample_foreach (&writer, mutate, &mutation);
  g_test_message ("%u frames read, %u refused", mutation.n_read, mutation.n_refused);
  /* Both ways were taken: the mutations neither break everything nor nothing. */
  g_assert_cmpuint (mutation.n_read, >, 1000);
  g_assert_cmpuint (mutation.n_refused, >, 1000);
  weir_writer_clear (&writer);
  g_rand_free (mutation.random);
}

/* The same for the stream: headers change, too, and pieces come as they like. */
static void
test_mutated_stream (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (77);
  struct weir_writer writer;

  weir_writer_init (&writer);
  sample_write_all (&writer);
  for (guint round = 0; round < 5000; round++)
    {
      g_autofree guint8 *bytes = g_memdup2 (writer.data, writer.size);
      struct weir_framer framer;
      struct weir_frame frame;
      gsize at = 0;
      int next = 0;

      for (guint n = 0; n < 10; n++)
        bytes[g_rand_int_range (random, 0, (gint) writer.size)] = interesting_byte (random);
      weir_framer_init (&framer, g_rand_boolean (random) ? 256 : 4096);
      while (at < writer.size && next == 0)
        {
          size_t room, n;
          uint8_t *place = weir_framer_reserve (&framer, &room);

          g_assert_nonnull (place);
          n = (gsize) g_rand_int_range (random, 1, 600);
          n = MIN (MIN (room, n), writer.size - at);
          memcpy (place, bytes + at, n);
          weir_framer_commit (&framer, n);
          at += n;
          while ((next = weir_framer_next (&framer, &frame)) == 1)
            {
              int r = sample_read (&frame);

              g_assert_true (r == 0 || r == -EPROTO || r == -EPROTONOSUPPORT);
            }
        }
      g_assert_true (next == 0 || next == -EMSGSIZE);
      weir_framer_clear (&framer);
    }
  weir_writer_clear (&writer);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/wire-hostile/truncated", test_truncated);
  g_test_add_func ("/handoff/wire-hostile/longer", test_longer);
  g_test_add_func ("/handoff/wire-hostile/mutated", test_mutated);
  g_test_add_func ("/handoff/wire-hostile/mutated-stream", test_mutated_stream);
  return g_test_run ();
}
