/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole handoff with a recording in place of an engine: listener, peer checks, channel. */
#include "weir-launcher.h"

#include <string.h>
#include <sys/wait.h>

#include "handoff-fixture.h"
#include "weir-recording.h"
#include "wire-samples.h"

struct fixture
{
  char *runtime;
  char *path;
  WeirLauncher *launcher;
  WeirListener *listener;
  WeirChild *child;
  struct fixture_accept accept;
  guint64 next_sequence;
  gboolean bye, closed, exited, checked;
  int wait_status;
  GError *check_error;
};

static void
record_tick (GByteArray *bytes, guint64 sequence, guint64 offset_ns)
{
  struct weir_tick tick = { .sequence = sequence };
  struct weir_writer writer;
  struct weir_frame frame;

  weir_writer_init (&writer);
  weir_write_tick (&writer, &tick);
  frame = (struct weir_frame) { .type = WEIR_MESSAGE_TICK,
                                .body = writer.data + WEIR_FRAME_HEADER_SIZE,
                                .size = writer.size - WEIR_FRAME_HEADER_SIZE };
  weir_recording_append (bytes, offset_ns, &frame);
  weir_writer_clear (&writer);
}

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  fixture->runtime = fixture_make_dir ();
  fixture->path = g_build_filename (fixture->runtime, "recording", NULL);
  fixture->listener = weir_listener_new (fixture->runtime, NULL);
  g_assert_nonnull (fixture->listener);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  fixture_accept_clear (&fixture->accept);
  /* A player notices that nobody listens any more, and lets go of everything. */
  if (fixture->child != NULL)
    fixture_wait (&fixture->exited);
  fixture_run (10);
  g_assert_finalize_object (g_steal_pointer (&fixture->listener));
  if (fixture->child != NULL)
    g_assert_finalize_object (g_steal_pointer (&fixture->child));
  g_assert_finalize_object (g_steal_pointer (&fixture->launcher));
  g_clear_error (&fixture->check_error);
  g_free (fixture->path);
  fixture_remove_dir (fixture->runtime);
}

/* @n ticks, @step_ns apart. */
static void
write_recording (struct fixture *fixture, guint n, guint64 step_ns, gsize cut)
{
  struct weir_hello hello = sample_hello ();
  g_autoptr (GByteArray) bytes = weir_recording_new (&hello);

  for (guint i = 0; i < n; i++)
    record_tick (bytes, i, i * step_ns);
  g_assert_true (g_file_set_contents (fixture->path, (const char *) bytes->data,
                                      (gssize) (bytes->len - cut), NULL));
}

static void
on_exited (WeirChild *child, int wait_status, gpointer data)
{
  struct fixture *fixture = data;

  fixture->exited = TRUE;
  fixture->wait_status = wait_status;
}

static void
on_frame (WeirChannel *channel, const struct weir_frame *frame, gpointer data)
{
  struct fixture *fixture = data;
  struct weir_tick tick;

  if (frame->type == WEIR_MESSAGE_BYE)
    {
      fixture->bye = TRUE;
      return;
    }
  g_assert_cmpint (weir_read_tick (frame, &tick), ==, 0);
  g_assert_cmpuint (tick.sequence, ==, fixture->next_sequence);
  fixture->next_sequence++;
}

static void
on_closed (WeirChannel *channel, GError *error, gpointer data)
{
  struct fixture *fixture = data;

  g_assert_no_error (error);
  fixture->closed = TRUE;
}

static void
launch (struct fixture *fixture, double speed)
{
  g_autoptr (GFile) file = g_file_new_for_path (fixture->path);
  g_autoptr (GError) error = NULL;

  fixture->launcher = weir_launcher_replay_new (file, speed);
  fixture->child = weir_launcher_launch (fixture->launcher,
                                         weir_listener_get_directory (fixture->listener), &error);
  g_assert_no_error (error);
  g_signal_connect (fixture->child, "exited", G_CALLBACK (on_exited), fixture);
}

static void
connect_channel (struct fixture *fixture)
{
  weir_listener_accept_async (fixture->listener, fixture->child, NULL, fixture_on_accept,
                              &fixture->accept);
  fixture_wait (&fixture->accept.done);
  g_assert_no_error (fixture->accept.error);
  g_signal_connect (fixture->accept.channel, "frame", G_CALLBACK (on_frame), fixture);
  g_signal_connect (fixture->accept.channel, "closed", G_CALLBACK (on_closed), fixture);
  weir_channel_start (fixture->accept.channel);
  weir_channel_send_start (fixture->accept.channel, &(struct weir_wish) { .interval_ms = 1000 });
}

static void
assert_explained (struct fixture *fixture, int code)
{
  g_autoptr (GError) error =
      weir_launcher_explain (fixture->launcher, fixture->child, fixture->wait_status);

  g_assert_error (error, WEIR_HANDOFF_ERROR, code);
}

static void
test_fast (struct fixture *fixture, gconstpointer data)
{
  write_recording (fixture, 20000, G_GUINT64_CONSTANT (1000000000), 0);
  launch (fixture, 0);
  connect_channel (fixture);
  g_assert_cmpuint (weir_channel_get_hello (fixture->accept.channel)->view, ==, WEIR_VIEW_FULL);
  fixture_wait (&fixture->closed);
  fixture_wait (&fixture->exited);
  g_assert_cmpuint (fixture->next_sequence, ==, 20000);
  assert_explained (fixture, WEIR_HANDOFF_ERROR_ENGINE);
  g_assert_false (weir_child_is_alive (fixture->child));
}

static void
test_in_time (struct fixture *fixture, gconstpointer data)
{
  gint64 began, took;

  /* Ten ticks, half a second apart, ten times faster: 450 ms from first to last. */
  write_recording (fixture, 10, 500000000, 0);
  launch (fixture, 10);
  began = g_get_monotonic_time ();
  connect_channel (fixture);
  fixture_wait (&fixture->closed);
  took = (g_get_monotonic_time () - began) / 1000;
  g_assert_cmpint (took, >=, 430);
  g_assert_cmpint (took, <=, 4000);
  g_assert_cmpuint (fixture->next_sequence, ==, 10);
}

static void
test_stop (struct fixture *fixture, gconstpointer data)
{
  write_recording (fixture, 100, G_GUINT64_CONSTANT (10000000000), 0);
  launch (fixture, 1);
  connect_channel (fixture);
  fixture_run (50);
  g_assert_cmpuint (fixture->next_sequence, ==, 1);
  weir_channel_send_stop (fixture->accept.channel);
  fixture_wait (&fixture->closed);
  g_assert_true (fixture->bye);
  fixture_wait (&fixture->exited);
  g_assert_cmpint (fixture->wait_status, ==, 0);
}

/* The front end closes in the middle of it: as with an engine, that is the end. */
static void
test_leash (struct fixture *fixture, gconstpointer data)
{
  write_recording (fixture, 100, G_GUINT64_CONSTANT (10000000000), 0);
  launch (fixture, 1);
  connect_channel (fixture);
  fixture_run (20);
  g_assert_false (fixture->exited);
  weir_channel_close (fixture->accept.channel);
  fixture_wait (&fixture->exited);
}

/* Nobody ever accepts. */
static void
test_abandoned (struct fixture *fixture, gconstpointer data)
{
  write_recording (fixture, 100, G_GUINT64_CONSTANT (10000000000), 0);
  launch (fixture, 1);
  fixture_run (50);
  g_clear_object (&fixture->listener);
  fixture_wait (&fixture->exited);
  fixture->listener = weir_listener_new (fixture->runtime, NULL);
}

static void
test_damaged (struct fixture *fixture, gconstpointer data)
{
  write_recording (fixture, 3, 0, 5);
  launch (fixture, 0);
  connect_channel (fixture);
  fixture_wait (&fixture->exited);
  fixture_wait (&fixture->closed);
  g_assert_cmpuint (fixture->next_sequence, ==, 2);
  assert_explained (fixture, WEIR_HANDOFF_ERROR_FAILED);
}

static void
test_not_a_recording (struct fixture *fixture, gconstpointer data)
{
  g_assert_true (g_file_set_contents (fixture->path, "#!/bin/sh", -1, NULL));
  launch (fixture, 0);
  fixture_wait (&fixture->exited);
  assert_explained (fixture, WEIR_HANDOFF_ERROR_FAILED);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  struct fixture *fixture = data;
  gboolean good =
      weir_launcher_check_finish (WEIR_LAUNCHER (source), result, &fixture->check_error);

  g_assert_true (good == (fixture->check_error == NULL));
  fixture->checked = TRUE;
}

static void
test_check (struct fixture *fixture, gconstpointer data)
{
  g_autoptr (GFile) file = g_file_new_for_path (fixture->path);

  fixture->launcher = weir_launcher_replay_new (file, 1);
  weir_launcher_check_async (fixture->launcher, NULL, on_checked, fixture);
  fixture_wait (&fixture->checked);
  g_assert_error (fixture->check_error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_MISSING);
  g_clear_error (&fixture->check_error);

  write_recording (fixture, 1, 0, 0);
  fixture->checked = FALSE;
  weir_launcher_check_async (fixture->launcher, NULL, on_checked, fixture);
  fixture_wait (&fixture->checked);
  g_assert_no_error (fixture->check_error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                                            \
  g_test_add ("/handoff/launcher-replay/" name, struct fixture, NULL, set_up, func, tear_down)
  ADD ("fast", test_fast);
  ADD ("in-time", test_in_time);
  ADD ("stop", test_stop);
  ADD ("leash", test_leash);
  ADD ("abandoned", test_abandoned);
  ADD ("damaged", test_damaged);
  ADD ("not-a-recording", test_not_a_recording);
  ADD ("check", test_check);
#undef ADD
  return g_test_run ();
}
