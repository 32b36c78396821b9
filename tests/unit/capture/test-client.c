/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "weir-client.h"

#define MS UINT64_C (1000000)
#define S  (1000 * MS)

struct fixture
{
  struct weir_client client;
  int front;
};

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), ==,
                   0);
  weir_client_init (&fixture->client, pair[0], 100 * S);
  fixture->front = pair[1];
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  close (fixture->client.fd);
  if (fixture->front >= 0)
    close (fixture->front);
  weir_client_clear (&fixture->client);
}

static void
say (struct fixture *fixture, const void *data, gsize size)
{
  g_assert_cmpint (send (fixture->front, data, size, MSG_NOSIGNAL), ==, (gssize) size);
}

static enum weir_client_end
wish_all (struct fixture *fixture, const struct weir_wish *wish, guint64 now)
{
  enum weir_client_end end;
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_write_start (&writer, wish);
  say (fixture, writer.data, writer.size);
  end = weir_client_read (&fixture->client, now);
  weir_writer_clear (&writer);
  return end;
}

static enum weir_client_end
wish (struct fixture *fixture, guint32 interval_ms, guint32 announce_ms, guint64 now)
{
  return wish_all (
      fixture, &(struct weir_wish) { .interval_ms = interval_ms, .announce_ms = announce_ms }, now);
}

static enum weir_client_end
start (struct fixture *fixture, guint32 interval_ms, guint64 now)
{
  return wish (fixture, interval_ms, 0, now);
}

static void
test_intervals (struct fixture *fixture, gconstpointer data)
{
  static const struct
  {
    guint32 wish;
    guint32 given;
    enum weir_cadence why;
  } cases[] = { { 0, WEIR_INTERVAL_FLOOR_MS, WEIR_CADENCE_FLOOR },
                { 1, WEIR_INTERVAL_FLOOR_MS, WEIR_CADENCE_FLOOR },
                { WEIR_INTERVAL_FLOOR_MS, WEIR_INTERVAL_FLOOR_MS, WEIR_CADENCE_AS_WISHED },
                { 1000, 1000, WEIR_CADENCE_AS_WISHED },
                { G_MAXUINT32, WEIR_INTERVAL_CEILING_MS, WEIR_CADENCE_AS_WISHED } };

  g_assert_cmpuint (weir_client_get_interval (&fixture->client, 100 * S), ==, G_MAXUINT64);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_cmpint (start (fixture, cases[i].wish, 100 * S), ==, WEIR_CLIENT_SERVING);
      g_assert_cmpuint (weir_client_get_interval (&fixture->client, 100 * S), ==,
                        cases[i].given * MS);
      g_assert_cmpint (weir_client_get_why (&fixture->client, 100 * S), ==, cases[i].why);
    }
}

static void
test_leash (struct fixture *fixture, gconstpointer data)
{
  guint64 now = 200 * S;

  /* Before START, too. */
  g_assert_false (weir_client_leash_is_out (&fixture->client, 160 * S));
  g_assert_true (weir_client_leash_is_out (&fixture->client, 160 * S + 1));
  g_assert_cmpint (start (fixture, 500, now), ==, WEIR_CLIENT_SERVING);
  g_assert_cmpuint (weir_client_get_interval (&fixture->client, now + 10 * S), ==, 500 * MS);
  g_assert_cmpuint (weir_client_get_interval (&fixture->client, now + 10 * S + 1), ==,
                    WEIR_INTERVAL_IDLE_MS * MS);
  g_assert_cmpint (weir_client_get_why (&fixture->client, now + 10 * S), ==,
                   WEIR_CADENCE_AS_WISHED);
  g_assert_cmpint (weir_client_get_why (&fixture->client, now + 10 * S + 1), ==,
                   WEIR_CADENCE_NOT_RENEWED);
  g_assert_false (weir_client_leash_is_out (&fixture->client, now + 60 * S));
  g_assert_true (weir_client_leash_is_out (&fixture->client, now + 60 * S + 1));
  /* Whoever wished for less gets no more for having been silent. */
  g_assert_cmpint (start (fixture, 30000, now), ==, WEIR_CLIENT_SERVING);
  g_assert_cmpuint (weir_client_get_interval (&fixture->client, now + 20 * S), ==, 30000 * MS);
  g_assert_cmpint (weir_client_get_why (&fixture->client, now + 20 * S), ==,
                   WEIR_CADENCE_AS_WISHED);
}

static void
test_announce (struct fixture *fixture, gconstpointer data)
{
  static const struct
  {
    guint32 wish, given;
  } cases[] = { { 0, 0 },
                { 1, WEIR_ANNOUNCE_FLOOR_MS },
                { WEIR_ANNOUNCE_FLOOR_MS, WEIR_ANNOUNCE_FLOOR_MS },
                { 250, 250 },
                { G_MAXUINT32, G_MAXUINT32 } };
  const guint64 now = 200 * S;

  g_assert_cmpuint (weir_client_get_announce (&fixture->client, 100 * S), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_cmpint (wish (fixture, 1000, cases[i].wish, 100 * S), ==, WEIR_CLIENT_SERVING);
      g_assert_cmpuint (weir_client_get_announce (&fixture->client, 100 * S), ==,
                        cases[i].given * MS);
    }
  /* Forgotten like the interval, even where that stays what it was. */
  g_assert_cmpint (wish (fixture, 30000, 20, now), ==, WEIR_CLIENT_SERVING);
  g_assert_cmpuint (weir_client_get_announce (&fixture->client, now + 10 * S), ==, 20 * MS);
  g_assert_cmpuint (weir_client_get_announce (&fixture->client, now + 10 * S + 1), ==, 0);
  /* Who says nothing of it any more has taken it back. */
  g_assert_cmpint (start (fixture, 1000, now + 20 * S), ==, WEIR_CLIENT_SERVING);
  g_assert_cmpuint (weir_client_get_announce (&fixture->client, now + 20 * S), ==, 0);
}

static void
test_rows (struct fixture *fixture, gconstpointer data)
{
  static const struct
  {
    guint32 wish, given;
  } cases[] = { { 0, WEIR_ROWS_DEFAULT },
                { 1, 1 },
                { WEIR_ROWS_MAX, WEIR_ROWS_MAX },
                { WEIR_ROWS_MAX + 1, WEIR_ROWS_MAX },
                { G_MAXUINT32, WEIR_ROWS_MAX } };

  g_assert_cmpuint (fixture->client.rows, ==, WEIR_ROWS_DEFAULT);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const struct weir_wish wish = { .interval_ms = 1000, .rows = cases[i].wish };

      g_assert_cmpint (wish_all (fixture, &wish, 100 * S), ==, WEIR_CLIENT_SERVING);
      g_assert_cmpuint (fixture->client.rows, ==, cases[i].given);
    }
}

static void
test_rate_limit (struct fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 2 * WEIR_REQUESTS_PER_SECOND; i++)
    g_assert_cmpint (start (fixture, 1000 + i, 100 * S), ==, WEIR_CLIENT_SERVING);
  g_assert_cmpuint (fixture->client.dropped, ==, WEIR_REQUESTS_PER_SECOND);
  g_assert_cmpuint (fixture->client.wish_ms, ==, 1000 + WEIR_REQUESTS_PER_SECOND - 1);
  /* A dropped request renews nothing. */
  g_assert_cmpint (start (fixture, 5000, 100 * S + 1), ==, WEIR_CLIENT_SERVING);
  g_assert_cmpuint (fixture->client.renewed, ==, 100 * S);
  /* After a while there is room again, but never for more than a second's worth. */
  g_assert_cmpint (start (fixture, 5000, 1000 * S), ==, WEIR_CLIENT_SERVING);
  g_assert_cmpuint (fixture->client.wish_ms, ==, 5000);
  for (guint i = 0; i < 2 * WEIR_REQUESTS_PER_SECOND; i++)
    g_assert_cmpint (start (fixture, 1000, 1000 * S), ==, WEIR_CLIENT_SERVING);
  g_assert_cmpuint (fixture->client.dropped, ==, 2 * WEIR_REQUESTS_PER_SECOND + 2);
}

static void
test_stop (struct fixture *fixture, gconstpointer data)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_write_stop (&writer);
  /* Byte by byte: what is not whole is nothing yet. */
  for (gsize i = 0; i < writer.size; i++)
    {
      say (fixture, writer.data + i, 1);
      g_assert_cmpint (weir_client_read (&fixture->client, 100 * S), ==,
                       i + 1 < writer.size ? WEIR_CLIENT_SERVING : WEIR_CLIENT_STOPPED);
    }
  weir_writer_clear (&writer);
}

static void
test_gone (struct fixture *fixture, gconstpointer data)
{
  close (fixture->front);
  fixture->front = -1;
  g_assert_cmpint (weir_client_read (&fixture->client, 100 * S), ==, WEIR_CLIENT_GONE);
}

static void
test_protocol (struct fixture *fixture, gconstpointer data)
{
  static const guint8 later[] = { 2, 0, 0, 0, 200, 0, 9, 9, 'x', 'y' };

  g_assert_cmpint (weir_client_read (&fixture->client, 100 * S), ==, WEIR_CLIENT_SERVING);
  /* What a later front end may say is skipped. */
  say (fixture, later, sizeof later);
  g_assert_cmpint (weir_client_read (&fixture->client, 100 * S), ==, WEIR_CLIENT_SERVING);
}

static void
test_details (struct fixture *fixture, gconstpointer data)
{
  guint8 question[] = {
    16, 0, 0, 0, WEIR_MESSAGE_DETAILS_OF, 0, 0, 0, 1, 0, 0, 0, 77, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0
  };

  say (fixture, question, sizeof question);
  g_assert_cmpint (weir_client_read (&fixture->client, 100 * S), ==, WEIR_CLIENT_SERVING);
  g_assert_true (fixture->client.wants_details);
  g_assert_cmpuint (fixture->client.details.number, ==, 1);
  g_assert_cmpuint (fixture->client.details.pid, ==, 77);
  g_assert_cmpuint (fixture->client.details.start_time, ==, 5);
  /* Not more often than other requests. */
  for (guint i = 0; i < 2 * WEIR_REQUESTS_PER_SECOND; i++)
    {
      question[8] = (guint8) i;
      say (fixture, question, sizeof question);
    }
  while (fixture->client.dropped == 0)
    g_assert_cmpint (weir_client_read (&fixture->client, 100 * S), ==, WEIR_CLIENT_SERVING);
  g_assert_cmpuint (fixture->client.details.number, <, WEIR_REQUESTS_PER_SECOND);
}

static void
test_broken (struct fixture *fixture, gconstpointer data)
{
  static const guint8 cases[][12] = {
    { 2, 0, 0, 0, WEIR_MESSAGE_INTERVAL, 0, 0, 0, 1, 2 }, /* too short */
    { 0, 0, 0, 0, WEIR_MESSAGE_HELLO, 0, 0, 0 },          /* an engine's message */
    { 65, 0, 0, 0, WEIR_MESSAGE_START, 0, 0, 0 },         /* too long */
    { 0, 0, 0, 0, WEIR_MESSAGE_DETAILS_OF, 0, 0, 0 },     /* too short */
    { 255, 255, 255, 255, WEIR_MESSAGE_START, 0, 0, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      struct fixture another;

      set_up (&another, NULL);
      say (&another, cases[i], sizeof cases[i]);
      g_assert_cmpint (weir_client_read (&another.client, 100 * S), ==, WEIR_CLIENT_BROKE_PROTOCOL);
      tear_down (&another, NULL);
    }
}

/* A front end that does not read never makes the engine wait, and loses nothing. */
static void
test_slow_reader (struct fixture *fixture, gconstpointer data)
{
  g_autofree guint8 *large = g_malloc (900000), *received = g_malloc (1);
  struct weir_writer *writer = weir_client_get_writer (&fixture->client);
  gsize total = 0;
  gssize n;

  for (gsize i = 0; i < 900000; i++)
    large[i] = (guint8) (i * 7);
  weir_write_bytes (writer, large, 900000);
  g_assert_cmpint (weir_client_flush (&fixture->client), ==, 0);
  g_assert_false (weir_client_is_idle (&fixture->client));
  received = g_realloc (received, 900000);
  while (total < 900000)
    {
      n = recv (fixture->front, received + total, 900000 - total, 0);
      if (n < 0)
        g_assert_cmpint (weir_client_flush (&fixture->client), ==, 0);
      else
        total += (gsize) n;
    }
  g_assert_true (weir_client_is_idle (&fixture->client));
  g_assert_cmpmem (received, total, large, 900000);
  close (fixture->front);
  fixture->front = -1;
  weir_write_bytes (weir_client_get_writer (&fixture->client), "x", 1);
  g_assert_cmpint (weir_client_flush (&fixture->client), <, 0);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/client/" name, struct fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("intervals", test_intervals);
  ADD ("leash", test_leash);
  ADD ("announce", test_announce);
  ADD ("rows", test_rows);
  ADD ("rate-limit", test_rate_limit);
  ADD ("stop", test_stop);
  ADD ("gone", test_gone);
  ADD ("protocol", test_protocol);
  ADD ("details", test_details);
  ADD ("broken", test_broken);
  ADD ("slow-reader", test_slow_reader);
  return g_test_run ();
}
