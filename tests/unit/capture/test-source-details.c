/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source-details.h"

#define MS G_GUINT64_CONSTANT (1000000)

struct fixture
{
  struct weir_details_source source;
  int meter, teller;
};

static const struct weir_details_request question = { 3, 77, 5 };

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
  fixture->meter = pair[0];
  fixture->teller = pair[1];
  weir_details_source_init (&fixture->source, fixture->meter, false);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  close (fixture->meter);
  if (fixture->teller >= 0)
    close (fixture->teller);
}

static void
reply (struct fixture *fixture, guint8 has, gboolean last)
{
  const struct weir_teller_answer answer = { .last = last,
                                             .details = { .request = question, .has = has } };

  g_assert_cmpint (send (fixture->teller, &answer, sizeof answer, 0), ==, sizeof answer);
  weir_details_source_read (&fixture->source);
}

/* What is told; FALSE: nothing. */
static gboolean
told (struct fixture *fixture, struct weir_details *details)
{
  struct weir_writer writer;
  struct weir_frame frame;
  gboolean any;

  weir_writer_init (&writer);
  weir_details_source_write (&fixture->source, &writer);
  any = writer.size > 0;
  if (any)
    {
      frame = (struct weir_frame) { .type = WEIR_MESSAGE_DETAILS,
                                    .body = writer.data + WEIR_FRAME_HEADER_SIZE,
                                    .size = writer.size - WEIR_FRAME_HEADER_SIZE };
      g_assert_cmpint (weir_read_details (&frame, details), ==, 0);
      g_assert_cmpmem (&details->request, sizeof question, &question, sizeof question);
    }
  weir_writer_clear (&writer);
  return any;
}

static void
test_answer (struct fixture *fixture, gconstpointer data)
{
  const struct weir_details_request other = { 4, 78, 6 };
  struct weir_details_request asked;
  struct weir_details details;

  g_assert_cmpuint (weir_details_source_get_due (&fixture->source), ==, G_MAXUINT64);
  weir_details_source_ask (&fixture->source, &question, 1000 * MS);
  g_assert_cmpint (recv (fixture->teller, &asked, sizeof asked, MSG_DONTWAIT), ==, sizeof asked);
  g_assert_cmpmem (&asked, sizeof asked, &question, sizeof question);
  /* One at a time. */
  weir_details_source_ask (&fixture->source, &other, 1000 * MS);
  g_assert_cmpint (recv (fixture->teller, &asked, sizeof asked, MSG_DONTWAIT), ==, -1);
  reply (fixture, WEIR_DETAILS_EXE | WEIR_DETAILS_COMMAND_LATE, FALSE);
  g_assert_false (told (fixture, &details));
  reply (fixture, WEIR_DETAILS_EXE | WEIR_DETAILS_COMMAND, TRUE);
  weir_details_source_ask (&fixture->source, &other, 1000 * MS);
  g_assert_cmpint (recv (fixture->teller, &asked, sizeof asked, MSG_DONTWAIT), ==, -1);
  g_assert_true (told (fixture, &details));
  g_assert_cmpuint (details.has, ==, WEIR_DETAILS_EXE | WEIR_DETAILS_COMMAND);
  g_assert_false (told (fixture, &details));
  weir_details_source_ask (&fixture->source, &other, 1000 * MS);
  g_assert_cmpint (recv (fixture->teller, &asked, sizeof asked, MSG_DONTWAIT), ==, sizeof asked);
}

/* What had come until then is told. */
static void
test_ends (struct fixture *fixture, gconstpointer data)
{
  struct weir_details details;

  weir_details_source_ask (&fixture->source, &question, 0);
  reply (fixture, WEIR_DETAILS_EXE | WEIR_DETAILS_COMMAND_LATE, FALSE);
  close (fixture->teller);
  fixture->teller = -1;
  weir_details_source_read (&fixture->source);
  g_assert_true (told (fixture, &details));
  g_assert_cmpuint (details.outcome, ==, WEIR_DETAILS_SHOWN);
  g_assert_cmpuint (details.has, ==, WEIR_DETAILS_EXE | WEIR_DETAILS_COMMAND_LATE);
  weir_details_source_ask (&fixture->source, &question, 0);
  g_assert_true (told (fixture, &details));
  g_assert_cmpuint (details.outcome, ==, WEIR_DETAILS_STOPPED);
}

static void
test_patience (struct fixture *fixture, gconstpointer data)
{
  struct weir_details details;
  guint64 due;

  weir_details_source_ask (&fixture->source, &question, 5000 * MS);
  due = weir_details_source_get_due (&fixture->source);
  g_assert_cmpuint (due, >, (5000 + WEIR_COMMAND_PATIENCE_MS) * MS);
  weir_details_source_advance (&fixture->source, due - 1);
  g_assert_false (told (fixture, &details));
  weir_details_source_advance (&fixture->source, due);
  g_assert_true (told (fixture, &details));
  g_assert_cmpuint (details.outcome, ==, WEIR_DETAILS_STOPPED);
}

/* A policy is told as one even where nobody is there to apply it. */
static void
test_policy (struct fixture *fixture, gconstpointer data)
{
  struct weir_details details;

  weir_details_source_init (&fixture->source, -1, true);
  weir_details_source_ask (&fixture->source, &question, 0);
  g_assert_true (told (fixture, &details));
  g_assert_cmpuint (details.outcome, ==, WEIR_DETAILS_REFUSED);
}

/* An answer to something else is none of our teller's. */
static void
test_nonsense (struct fixture *fixture, gconstpointer data)
{
  const struct weir_teller_answer answer = { .last = true };
  struct weir_details details;

  weir_details_source_ask (&fixture->source, &question, 0);
  g_assert_cmpint (send (fixture->teller, &answer, sizeof answer, 0), ==, sizeof answer);
  weir_details_source_read (&fixture->source);
  g_assert_true (told (fixture, &details));
  g_assert_cmpuint (details.outcome, ==, WEIR_DETAILS_STOPPED);
  g_assert_cmpint (fixture->source.fd, ==, -1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, struct fixture, NULL, set_up, function, tear_down)
  ADD ("/capture/source-details/answer", test_answer);
  ADD ("/capture/source-details/ends", test_ends);
  ADD ("/capture/source-details/patience", test_patience);
  ADD ("/capture/source-details/policy", test_policy);
  ADD ("/capture/source-details/nonsense", test_nonsense);
  return g_test_run ();
}
