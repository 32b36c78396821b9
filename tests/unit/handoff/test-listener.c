/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is believed, and who is not. */
#include "weir-listener-private.h"

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "handoff-fixture.h"

/* Of each peer: short, because a test waits for its end. */
#define DEADLINE_MS 2000

struct fixture
{
  char *runtime;
  char *directory;
  WeirListener *listener;
  WeirChild *child;
  GCancellable *cancellable;
  struct fixture_accept accept;
};

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->runtime = fixture_make_dir ();
  fixture->listener = weir_listener_new_with_deadline (fixture->runtime, DEADLINE_MS, &error);
  g_assert_no_error (error);
  fixture->directory = g_strdup (weir_listener_get_directory (fixture->listener));
  fixture->cancellable = g_cancellable_new ();
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  if (fixture->child != NULL && !fixture->accept.done)
    {
      g_cancellable_cancel (fixture->cancellable);
      fixture_wait (&fixture->accept.done);
      g_assert_error (fixture->accept.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  fixture_accept_clear (&fixture->accept);
  g_assert_finalize_object (g_steal_pointer (&fixture->listener));
  g_assert_false (g_file_test (fixture->directory, G_FILE_TEST_EXISTS));
  g_clear_object (&fixture->child);
  g_clear_object (&fixture->cancellable);
  g_free (fixture->directory);
  fixture_remove_dir (fixture->runtime);
}

static void
accept_child (struct fixture *fixture, WeirChild *child)
{
  fixture->child = child;
  weir_listener_accept_async (fixture->listener, child, fixture->cancellable, fixture_on_accept,
                              &fixture->accept);
}

/* Runs the main loop until so many peers were refused; more is a failure. */
static void
wait_refused (struct fixture *fixture, guint n)
{
  for (guint i = 0; i < 1000 && weir_listener_get_refused (fixture->listener) < n; i++)
    fixture_run (10);
  g_assert_cmpuint (weir_listener_get_refused (fixture->listener), ==, n);
  g_assert_false (fixture->accept.done);
}

static WeirChild *
spawn_stand_in (const char *what, const char *directory, uid_t expected_uid)
{
  g_autofree char *program = g_test_build_filename (G_TEST_BUILT, "handoff", "stand-in", NULL);
  const char *argv[] = { program, what, directory, NULL };
  const char *environment[] = { NULL };
  g_autoptr (GError) error = NULL;
  WeirChild *child = weir_child_spawn (argv, environment, expected_uid, &error);

  g_assert_no_error (error);
  return child;
}

static void
test_believed (struct fixture *fixture, gconstpointer data)
{
  const uint8_t zeros[WEIR_NONCE_SIZE] = { 0 };
  struct weir_hello hello = fixture_hello (fixture->directory);
  const struct weir_hello *said;
  g_autofd int fd = -1;

  accept_child (fixture, weir_child_new_self ());
  fd = fixture_dial (fixture->directory);
  fixture_say_hello (fd, &hello);
  fixture_wait (&fixture->accept.done);
  g_assert_no_error (fixture->accept.error);
  said = weir_channel_get_hello (fixture->accept.channel);
  g_assert_cmpstr (said->engine_version, ==, "test");
  g_assert_cmpuint (said->pid, ==, getpid ());
  g_assert_cmpmem (said->nonce, sizeof said->nonce, zeros, sizeof zeros);
  g_assert_cmpuint (weir_listener_get_refused (fixture->listener), ==, 0);
  /* One nonce, one use: nothing is left of it. */
  g_assert_false (g_file_test (fixture->directory, G_FILE_TEST_EXISTS));
}

static void
test_process (struct fixture *fixture, gconstpointer data)
{
  accept_child (fixture, spawn_stand_in ("hello", fixture->directory, geteuid ()));
  fixture_wait (&fixture->accept.done);
  g_assert_no_error (fixture->accept.error);
  g_assert_cmpuint (weir_channel_get_hello (fixture->accept.channel)->pid, ==,
                    weir_child_get_pid (fixture->child));
}

/* A HELLO in pieces, with frames right behind it. */
static void
test_pieces (struct fixture *fixture, gconstpointer data)
{
  struct weir_hello hello = fixture_hello (fixture->directory);
  struct weir_writer writer;
  g_autofd int fd = -1;

  accept_child (fixture, weir_child_new_self ());
  fd = fixture_dial (fixture->directory);
  weir_writer_init (&writer);
  weir_write_hello (&writer, &hello);
  for (gsize i = 0; i < writer.size; i++)
    {
      g_assert_false (fixture->accept.done);
      fixture_send (fd, writer.data + i, 1);
      fixture_run (2);
    }
  weir_writer_clear (&writer);
  fixture_wait (&fixture->accept.done);
  g_assert_no_error (fixture->accept.error);
}

static void
on_frame (WeirChannel *channel, const struct weir_frame *frame, gpointer data)
{
  g_assert_cmpuint (frame->type, ==, WEIR_MESSAGE_TICK);
  g_assert_cmpuint (frame->size, >, 0);
  *(gboolean *) data = TRUE;
}

static void
test_frames_behind_hello (struct fixture *fixture, gconstpointer data)
{
  struct weir_hello hello = fixture_hello (fixture->directory);
  struct weir_tick tick = { .sequence = 9 };
  struct weir_writer writer;
  gboolean ticked = FALSE;
  g_autofd int fd = -1;

  accept_child (fixture, weir_child_new_self ());
  fd = fixture_dial (fixture->directory);
  weir_writer_init (&writer);
  weir_write_hello (&writer, &hello);
  weir_write_tick (&writer, &tick);
  fixture_send (fd, writer.data, writer.size);
  weir_writer_clear (&writer);
  fixture_wait (&fixture->accept.done);
  g_assert_no_error (fixture->accept.error);
  g_signal_connect (fixture->accept.channel, "frame", G_CALLBACK (on_frame), &ticked);
  weir_channel_start (fixture->accept.channel);
  fixture_wait (&ticked);
}

static void
test_wrong_nonce (struct fixture *fixture, gconstpointer data)
{
  struct weir_hello hello = fixture_hello (fixture->directory);
  g_autofd int wrong = -1, right = -1;

  accept_child (fixture, weir_child_new_self ());
  wrong = fixture_dial (fixture->directory);
  hello.nonce[WEIR_NONCE_SIZE - 1] ^= 0x80;
  fixture_say_hello (wrong, &hello);
  wait_refused (fixture, 1);
  g_assert_true (fixture_is_closed (wrong));

  /* The right one is not hurt by it. */
  hello.nonce[WEIR_NONCE_SIZE - 1] ^= 0x80;
  right = fixture_dial (fixture->directory);
  fixture_say_hello (right, &hello);
  fixture_wait (&fixture->accept.done);
  g_assert_no_error (fixture->accept.error);
}

static void
test_other_process (struct fixture *fixture, gconstpointer data)
{
  g_autoptr (WeirChild) other = NULL;

  /* Expected: a process that does nothing of the kind.  Comes: one that knows the nonce. */
  accept_child (fixture, weir_child_new_self ());
  other = spawn_stand_in ("hello", fixture->directory, geteuid ());
  wait_refused (fixture, 1);
}

static void
test_other_user (struct fixture *fixture, gconstpointer data)
{

  /* The right process with the right nonce, as another user than it should be. */
  accept_child (fixture, spawn_stand_in ("hello", fixture->directory, geteuid () + 1));
  wait_refused (fixture, 1);
}

static void
on_exited (WeirChild *child, int wait_status, gpointer data)
{
  *(gboolean *) data = TRUE;
}

/* Said everything right, and ended: whoever holds its socket now is not it. */
static void
test_dead (struct fixture *fixture, gconstpointer data)
{
  gboolean exited = FALSE;
  WeirChild *child = spawn_stand_in ("hello-and-die", fixture->directory, geteuid ());

  g_signal_connect (child, "exited", G_CALLBACK (on_exited), &exited);
  fixture_wait (&exited);
  accept_child (fixture, child);
  wait_refused (fixture, 1);
}

static void
test_credentials (void)
{
  const struct ucred right = { .pid = 100, .uid = 0 }, zero = { .pid = 0, .uid = 0 },
                     negative = { .pid = -1, .uid = 0 };

  g_assert_true (weir_listener_credentials_match (&right, 0, 100));
  g_assert_false (weir_listener_credentials_match (&right, 0, 101));
  g_assert_false (weir_listener_credentials_match (&right, 1, 100));
  g_assert_false (weir_listener_credentials_match (&right, (uid_t) -1, 100));
  g_assert_false (weir_listener_credentials_match (&zero, 0, 0));
  g_assert_false (weir_listener_credentials_match (&negative, 0, -1));
  g_assert_false (weir_listener_credentials_match (&zero, 0, 100));
}

static void
test_silent (struct fixture *fixture, gconstpointer data)
{
  gint64 began, took;
  g_autofd int first = -1, second = -1;

  accept_child (fixture, weir_child_new_self ());
  began = g_get_monotonic_time ();
  first = fixture_dial (fixture->directory);
  fixture_run (1000);
  /* Every peer has a time of its own: a byte does not lengthen it, a newcomer does not either. */
  fixture_send (first, "\0", 1);
  second = fixture_dial (fixture->directory);
  fixture_run (500);
  g_assert_cmpuint (weir_listener_get_pending (fixture->listener), ==, 2);
  while (!fixture_is_closed (first))
    fixture_run (10);
  took = (g_get_monotonic_time () - began) / 1000;
  g_assert_cmpint (took, >=, DEADLINE_MS - 100);
  g_assert_cmpint (took, <=, DEADLINE_MS + 3000);
  g_assert_cmpuint (weir_listener_get_refused (fixture->listener), ==, 1);
  g_assert_cmpuint (weir_listener_get_pending (fixture->listener), ==, 1);
  g_assert_false (fixture_is_closed (second));
}

static void
test_nine_peers (struct fixture *fixture, gconstpointer data)
{
  struct weir_hello hello = fixture_hello (fixture->directory);
  int fds[WEIR_PENDING_PEERS_MAX + 1];

  accept_child (fixture, weir_child_new_self ());
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = fixture_dial (fixture->directory);
  /* The ninth speaks at once, but waits; the first is still there. */
  fixture_say_hello (fds[WEIR_PENDING_PEERS_MAX], &hello);
  fixture_run (300);
  g_assert_false (fixture->accept.done);
  g_assert_cmpuint (weir_listener_get_pending (fixture->listener), ==, WEIR_PENDING_PEERS_MAX);
  g_assert_cmpuint (weir_listener_get_refused (fixture->listener), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    g_assert_false (fixture_is_closed (fds[i]));

  /* A place becomes free: the ninth is taken. */
  close (fds[3]);
  fixture_wait (&fixture->accept.done);
  g_assert_no_error (fixture->accept.error);
  g_assert_cmpuint (weir_listener_get_refused (fixture->listener), ==, 1);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      if (i != 3)
        {
          g_assert_true (fixture_is_closed (fds[i]) == (i < WEIR_PENDING_PEERS_MAX));
          close (fds[i]);
        }
    }
}

static void
test_not_a_hello (struct fixture *fixture, gconstpointer data)
{
  const guint8 oversized[] = { 0x01, 0x01, 0, 0, WEIR_MESSAGE_HELLO, 0, 0, 0 };
  const guint8 short_hello[] = {
    2, 0, 0, 0, WEIR_MESSAGE_HELLO, 0, 0, 0, WEIR_PROTOCOL_VERSION, 0
  };
  const guint8 other_type[] = { 0, 0, 0, 0, WEIR_MESSAGE_TICK, 0, 0, 0 };
  const struct
  {
    const guint8 *bytes;
    gsize size;
  } cases[] = { { oversized, sizeof oversized },
                { short_hello, sizeof short_hello },
                { other_type, sizeof other_type } };

  accept_child (fixture, weir_child_new_self ());
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofd int fd = fixture_dial (fixture->directory);

      fixture_send (fd, cases[i].bytes, cases[i].size);
      wait_refused (fixture, i + 1);
      g_assert_true (fixture_is_closed (fd));
    }
  g_assert_false (fixture->accept.done);
}

static void
test_other_version (struct fixture *fixture, gconstpointer data)
{
  struct weir_hello hello = fixture_hello (fixture->directory);
  g_autofd int fd = -1;

  accept_child (fixture, weir_child_new_self ());
  hello.version++;
  fd = fixture_dial (fixture->directory);
  fixture_say_hello (fd, &hello);
  fixture_wait (&fixture->accept.done);
  g_assert_error (fixture->accept.error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_VERSION);
}

static void
test_second_use (struct fixture *fixture, gconstpointer data)
{
  test_believed (fixture, data);
  fixture_accept_clear (&fixture->accept);
  weir_listener_accept_async (fixture->listener, fixture->child, NULL, fixture_on_accept,
                              &fixture->accept);
  fixture_wait (&fixture->accept.done);
  g_assert_error (fixture->accept.error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_FAILED);
}

static void
test_cancelled (struct fixture *fixture, gconstpointer data)
{
  accept_child (fixture, weir_child_new_self ());
  g_cancellable_cancel (fixture->cancellable);
  fixture_wait (&fixture->accept.done);
  g_assert_error (fixture->accept.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (g_file_test (fixture->directory, G_FILE_TEST_EXISTS));
}

static void
test_runtime_dir_refused (void)
{
  char *base = fixture_make_dir ();
  g_autofree char *link = g_build_filename (base, "link", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (symlink (base, link));
  g_assert_null (weir_listener_new (link, &error));
  g_assert_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_RUNTIME_DIR);
  fixture_remove_dir (base);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                                            \
  g_test_add ("/handoff/listener/" name, struct fixture, NULL, set_up, func, tear_down)
  ADD ("believed", test_believed);
  ADD ("process", test_process);
  ADD ("pieces", test_pieces);
  ADD ("frames-behind-hello", test_frames_behind_hello);
  ADD ("wrong-nonce", test_wrong_nonce);
  ADD ("other-process", test_other_process);
  ADD ("other-user", test_other_user);
  ADD ("dead", test_dead);
  ADD ("silent", test_silent);
  ADD ("nine-peers", test_nine_peers);
  ADD ("not-a-hello", test_not_a_hello);
  ADD ("other-version", test_other_version);
  ADD ("second-use", test_second_use);
  ADD ("cancelled", test_cancelled);
#undef ADD
  g_test_add_func ("/handoff/listener/credentials", test_credentials);
  g_test_add_func ("/handoff/listener/runtime-dir-refused", test_runtime_dir_refused);
  return g_test_run ();
}
