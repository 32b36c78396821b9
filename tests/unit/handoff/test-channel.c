/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-channel-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "handoff-fixture.h"

struct fixture
{
  WeirChannel *channel;
  int own; /* the channel's descriptor, for its options only */
  int peer;
  GArray *types;
  gboolean closed;
  guint n_closed;
  GError *error;
};

static void
on_frame (WeirChannel *channel, const struct weir_frame *frame, gpointer data)
{
  struct fixture *fixture = data;

  g_array_append_val (fixture->types, frame->type);
}

static void
on_closed (WeirChannel *channel, GError *error, gpointer data)
{
  struct fixture *fixture = data;

  fixture->n_closed++;
  fixture->closed = TRUE;
  fixture->error = error != NULL ? g_error_copy (error) : NULL;
}

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  const struct weir_hello hello = { .version = WEIR_PROTOCOL_VERSION,
                                    .view = WEIR_VIEW_FULL,
                                    .nonce = { 1, 2, 3 } };
  struct weir_framer framer;
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  g_assert_no_errno (fcntl (fds[0], F_SETFL, O_NONBLOCK));
  weir_framer_init (&framer, WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  fixture->channel = weir_channel_new_take (fds[0], &framer, &hello);
  fixture->own = fds[0];
  fixture->peer = fds[1];
  fixture->types = g_array_new (FALSE, FALSE, sizeof (uint16_t));
  g_signal_connect (fixture->channel, "frame", G_CALLBACK (on_frame), fixture);
  g_signal_connect (fixture->channel, "closed", G_CALLBACK (on_closed), fixture);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  if (fixture->channel != NULL)
    g_assert_finalize_object (fixture->channel);
  g_clear_fd (&fixture->peer, NULL);
  g_array_unref (fixture->types);
  g_clear_error (&fixture->error);
}

static void
send_types (struct fixture *fixture, const uint16_t *types, gsize n)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  for (gsize i = 0; i < n; i++)
    {
      weir_write_frame_begin (&writer, (enum weir_message) types[i]);
      weir_write_u8 (&writer, 0);
      weir_write_frame_end (&writer);
    }
  fixture_send (fixture->peer, writer.data, writer.size);
  weir_writer_clear (&writer);
}

static void
test_hello (struct fixture *fixture, gconstpointer data)
{
  const struct weir_hello *hello = weir_channel_get_hello (fixture->channel);

  g_assert_cmpuint (hello->view, ==, WEIR_VIEW_FULL);
  for (guint i = 0; i < WEIR_NONCE_SIZE; i++)
    g_assert_cmpuint (hello->nonce[i], ==, 0);
}

/* What a front end has no use for does not reach it. */
static void
test_skips (struct fixture *fixture, gconstpointer data)
{
  const uint16_t sent[] = { WEIR_MESSAGE_TICK,
                            0,
                            WEIR_MESSAGE_HELLO,
                            WEIR_MESSAGE_LAST_OF_ENGINE + 1,
                            500,
                            WEIR_MESSAGE_STOP,
                            WEIR_MESSAGE_START,
                            65535,
                            WEIR_MESSAGE_BYE };
  const uint16_t expected[] = { WEIR_MESSAGE_TICK, WEIR_MESSAGE_BYE };

  send_types (fixture, sent, G_N_ELEMENTS (sent));
  g_clear_fd (&fixture->peer, NULL);
  fixture_run (20);
  /* Nothing happens before it is started. */
  g_assert_cmpuint (fixture->types->len, ==, 0);
  weir_channel_start (fixture->channel);
  fixture_wait (&fixture->closed);
  g_assert_no_error (fixture->error);
  g_assert_cmpmem (fixture->types->data, fixture->types->len * 2, expected, sizeof expected);
  fixture_run (20);
  g_assert_cmpuint (fixture->n_closed, ==, 1);
}

static void
test_cut_short (struct fixture *fixture, gconstpointer data)
{
  fixture_send (fixture->peer, "\5\0\0\0\6\0\0\0abc", 11);
  weir_channel_start (fixture->channel);
  g_clear_fd (&fixture->peer, NULL);
  fixture_wait (&fixture->closed);
  g_assert_error (fixture->error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE);
}

static void
test_oversized (struct fixture *fixture, gconstpointer data)
{
  const uint16_t tick = WEIR_MESSAGE_TICK;

  send_types (fixture, &tick, 1);
  fixture_send (fixture->peer, "\1\0\x10\0\6\0\0\0", 8);
  weir_channel_start (fixture->channel);
  fixture_wait (&fixture->closed);
  g_assert_error (fixture->error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_FAILED);
  g_assert_cmpuint (fixture->types->len, ==, 1);
  g_assert_true (fixture_is_closed (fixture->peer));
}

static void
on_frame_close (WeirChannel *channel, const struct weir_frame *frame, gpointer data)
{
  weir_channel_close (channel);
}

static void
test_close_from_within (struct fixture *fixture, gconstpointer data)
{
  const uint16_t ticks[] = { WEIR_MESSAGE_TICK, WEIR_MESSAGE_TICK };

  g_signal_connect (fixture->channel, "frame", G_CALLBACK (on_frame_close), NULL);
  send_types (fixture, ticks, 2);
  weir_channel_start (fixture->channel);
  fixture_run (50);
  g_assert_cmpuint (fixture->types->len, ==, 1);
  g_assert_cmpuint (fixture->n_closed, ==, 0);
  g_assert_true (fixture_is_closed (fixture->peer));
}

static void
on_frame_unref (WeirChannel *channel, const struct weir_frame *frame, gpointer data)
{
  struct fixture *fixture = data;

  g_clear_object (&fixture->channel);
}

static void
test_unref_from_within (struct fixture *fixture, gconstpointer data)
{
  const uint16_t tick = WEIR_MESSAGE_TICK;

  g_signal_connect (fixture->channel, "frame", G_CALLBACK (on_frame_unref), fixture);
  g_object_add_weak_pointer (G_OBJECT (fixture->channel), (gpointer *) &fixture->channel);
  send_types (fixture, &tick, 1);
  weir_channel_start (fixture->channel);
  fixture_run (50);
  g_assert_null (fixture->channel);
  g_assert_true (fixture_is_closed (fixture->peer));
}

struct fairness
{
  struct fixture *fixture;
  guint largest_step, before, turns;
};

static gboolean
on_turn (gpointer data)
{
  struct fairness *fairness = data;
  guint now = fairness->fixture->types->len;

  fairness->largest_step = MAX (fairness->largest_step, now - fairness->before);
  fairness->before = now;
  fairness->turns++;
  return G_SOURCE_CONTINUE;
}

/* A flood of frames does not keep other sources of the same priority waiting. */
static void
test_fair (struct fixture *fixture, gconstpointer data)
{
  struct fairness fairness = { .fixture = fixture };
  uint16_t types[1000];
  guint source;

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    types[i] = WEIR_MESSAGE_TICK;
  send_types (fixture, types, G_N_ELEMENTS (types));
  send_types (fixture, types, G_N_ELEMENTS (types));
  g_clear_fd (&fixture->peer, NULL);
  source = g_idle_add_full (G_PRIORITY_DEFAULT, on_turn, &fairness, NULL);
  weir_channel_start (fixture->channel);
  fixture_wait (&fixture->closed);
  g_source_remove (source);
  g_assert_no_error (fixture->error);
  g_assert_cmpuint (fixture->types->len, ==, 2000);
  g_assert_cmpuint (fairness.largest_step, <=, 300);
  g_assert_cmpuint (fairness.turns, >, 5);
}

static void
test_requests (struct fixture *fixture, gconstpointer data)
{
  struct weir_framer framer;
  struct weir_frame frame;
  struct weir_wish wish;
  size_t room;
  uint8_t *place;
  ssize_t n;

  weir_channel_send_start (fixture->channel, &(struct weir_wish) { .interval_ms = 1000 });
  weir_channel_send_interval (
      fixture->channel, &(struct weir_wish) { .interval_ms = 250, .announce_ms = 20, .rows = 7 });
  weir_channel_send_stop (fixture->channel);
  weir_framer_init (&framer, WEIR_REQUEST_BODY_MAX);
  place = weir_framer_reserve (&framer, &room);
  n = recv (fixture->peer, place, room, 0);
  g_assert_cmpint (n, ==, 20 + 20 + 8);
  weir_framer_commit (&framer, (size_t) n);
  g_assert_cmpint (weir_framer_next (&framer, &frame), ==, 1);
  g_assert_cmpint (weir_read_start (&frame, &wish), ==, 0);
  g_assert_cmpuint (wish.interval_ms, ==, 1000);
  g_assert_cmpint (weir_framer_next (&framer, &frame), ==, 1);
  g_assert_cmpint (weir_read_interval (&frame, &wish), ==, 0);
  g_assert_cmpuint (wish.interval_ms, ==, 250);
  g_assert_cmpuint (wish.announce_ms, ==, 20);
  g_assert_cmpuint (wish.rows, ==, 7);
  g_assert_cmpint (weir_framer_next (&framer, &frame), ==, 1);
  g_assert_cmpuint (frame.type, ==, WEIR_MESSAGE_STOP);
  weir_framer_clear (&framer);
}

static void
test_deaf_peer (struct fixture *fixture, gconstpointer data)
{
  weir_channel_start (fixture->channel);
  for (guint i = 0; i < 100000 && !fixture->closed; i++)
    weir_channel_send_interval (fixture->channel, &(struct weir_wish) { .interval_ms = i });
  g_assert_cmpuint (fixture->n_closed, ==, 1);
  g_assert_error (fixture->error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE);
  /* Of no effect, and no crash. */
  weir_channel_send_stop (fixture->channel);
  weir_channel_start (fixture->channel);
  g_assert_cmpuint (fixture->n_closed, ==, 1);
}

/* Requests wait while the peer is slow, and arrive complete and in order. */
static void
test_slow_peer (struct fixture *fixture, gconstpointer data)
{
  const int small = 1;
  guint n = 204; /* 4080 bytes: just within the queue, were nothing sent at all */
  guint8 bytes[20];

  /* The least that the kernel allows is less than a page: some of these must wait. */
  g_assert_no_errno (setsockopt (fixture->own, SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
  weir_channel_start (fixture->channel);
  for (guint i = 0; i < n; i++)
    weir_channel_send_interval (fixture->channel, &(struct weir_wish) { .interval_ms = i });
  for (guint i = 0; i < n; i++)
    {
      struct weir_reader reader;
      gssize got = -1;

      while ((got = recv (fixture->peer, bytes, sizeof bytes, MSG_DONTWAIT)) < 0)
        fixture_run (2);
      g_assert_cmpint (got, ==, sizeof bytes);
      weir_reader_init (&reader, bytes + WEIR_FRAME_HEADER_SIZE, 4);
      g_assert_cmpuint (weir_read_u32 (&reader), ==, i);
    }
  g_assert_false (fixture->closed);
}

/* The engine's last words count, even when a request can no longer reach it. */
static void
test_words_before_death (struct fixture *fixture, gconstpointer data)
{
  const uint16_t bye = WEIR_MESSAGE_BYE;

  weir_channel_send_interval (fixture->channel, &(struct weir_wish) { .interval_ms = 1 });
  send_types (fixture, &bye, 1);
  /* With our request unread: the kernel resets the connection. */
  g_clear_fd (&fixture->peer, NULL);
  weir_channel_send_interval (fixture->channel, &(struct weir_wish) { .interval_ms = 2 });
  g_assert_false (fixture->closed);
  weir_channel_start (fixture->channel);
  fixture_wait (&fixture->closed);
  g_assert_no_error (fixture->error);
  g_assert_cmpuint (fixture->types->len, ==, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                                            \
  g_test_add ("/handoff/channel/" name, struct fixture, NULL, set_up, func, tear_down)
  ADD ("hello", test_hello);
  ADD ("skips", test_skips);
  ADD ("cut-short", test_cut_short);
  ADD ("oversized", test_oversized);
  ADD ("close-from-within", test_close_from_within);
  ADD ("unref-from-within", test_unref_from_within);
  ADD ("fair", test_fair);
  ADD ("requests", test_requests);
  ADD ("deaf-peer", test_deaf_peer);
  ADD ("slow-peer", test_slow_peer);
  ADD ("words-before-death", test_words_before_death);
#undef ADD
  return g_test_run ();
}
