/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source-owners.h"

#define S UINT64_C (1000000000)

struct fixture
{
  struct weir_owners_source source;
  struct weir_owners owners;
  int looker;
};

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), ==,
                   0);
  g_assert_cmpint (weir_owners_init (&fixture->owners, true), ==, 0);
  weir_owners_source_init (&fixture->source, pair[0]);
  fixture->looker = pair[1];
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  if (fixture->source.fd >= 0)
    close (fixture->source.fd);
  if (fixture->looker >= 0)
    close (fixture->looker);
  weir_owners_clear (&fixture->owners);
}

static gboolean
receive (struct fixture *fixture, struct weir_looker_request *request)
{
  return recv (fixture->looker, request, sizeof *request, 0) == sizeof *request;
}

static void
answer (struct fixture *fixture, guint32 verb, guint32 serial, guint64 value, guint32 pid)
{
  struct weir_looker_answer message = {
    .verb = verb, .serial = serial, .value = value, .pid = pid
  };

  g_assert_cmpint (send (fixture->looker, &message, sizeof message, 0), ==, sizeof message);
}

static void
test_batches (struct fixture *fixture, gconstpointer data)
{
  struct weir_looker_request request;
  guint total = 0;

  for (guint32 inode = 1; inode <= 600; inode++)
    weir_owners_need (&fixture->owners, inode, inode, 0, 1, S);
  weir_owners_source_ask (&fixture->source, &fixture->owners, S);
  /* One at a time, however often it is tried. */
  weir_owners_source_ask (&fixture->source, &fixture->owners, S);
  while (receive (fixture, &request))
    {
      g_assert_cmpuint (request.verb, ==, WEIR_LOOKER_OWNERS);
      g_assert_cmpuint (request.n_values, <=, WEIR_LOOKER_BATCH);
      g_assert_false (receive (fixture, &request));
      total += request.n_values;
      for (guint i = 0; i < request.n_values; i++)
        {
          answer (fixture, WEIR_LOOKER_OWNERS, request.serial, request.values[i], 42);
          if (i % 32 == 0)
            weir_owners_source_read (&fixture->source, &fixture->owners, S);
        }
      answer (fixture, 0, request.serial, 0, 0);
      weir_owners_source_read (&fixture->source, &fixture->owners, S);
    }
  g_assert_cmpuint (total, ==, 600);
  g_assert_false (fixture->source.asking);
  g_assert_false (weir_owners_waits (&fixture->owners));
}

static void
test_cgroups_follow (struct fixture *fixture, gconstpointer data)
{
  struct weir_looker_request request;

  weir_owners_need (&fixture->owners, 1, 1, 900, 1, S);
  weir_owners_source_ask (&fixture->source, &fixture->owners, S);
  g_assert_true (receive (fixture, &request));
  answer (fixture, WEIR_LOOKER_OWNERS, request.serial, 1, 42);
  answer (fixture, 0, request.serial, 0, 0);
  weir_owners_source_read (&fixture->source, &fixture->owners, S);
  g_assert_true (receive (fixture, &request));
  g_assert_cmpuint (request.verb, ==, WEIR_LOOKER_CGROUPS);
  g_assert_cmpuint (request.n_values, ==, 1);
  g_assert_cmpuint (request.values[0], ==, 900);
}

/* An answer to something that was asked for earlier answers nothing. */
static void
test_stale_answer (struct fixture *fixture, gconstpointer data)
{
  struct weir_looker_request request;

  weir_owners_need (&fixture->owners, 1, 1, 0, 1, S);
  weir_owners_source_ask (&fixture->source, &fixture->owners, S);
  g_assert_true (receive (fixture, &request));
  answer (fixture, WEIR_LOOKER_OWNERS, request.serial - 1, 1, 42);
  answer (fixture, 0, request.serial - 1, 0, 0);
  weir_owners_source_read (&fixture->source, &fixture->owners, S);
  g_assert_true (fixture->source.asking);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, 1)->pid, ==, 0);
}

/* Its capabilities go when what is under way is done, and nobody is looked for after that. */
static void
test_gives_up (struct fixture *fixture, gconstpointer data)
{
  const struct weir_process_status report = { .role = WEIR_ROLE_LOOKER, .pid = 7 };
  struct weir_looker_request request;
  guint8 verb = 0;

  weir_owners_need (&fixture->owners, 1, 1, 0, 1, S);
  weir_owners_need (&fixture->owners, 2, 2, 0, 1, S);
  weir_owners_source_ask (&fixture->source, &fixture->owners, S);
  g_assert_true (receive (fixture, &request));
  weir_owners_source_give_up (&fixture->source);
  weir_owners_source_ask (&fixture->source, &fixture->owners, S);
  g_assert_cmpint (recv (fixture->looker, &verb, 1, 0), ==, -1);
  answer (fixture, WEIR_LOOKER_OWNERS, request.serial, 1, 42);
  answer (fixture, 0, request.serial, 0, 0);
  weir_owners_source_read (&fixture->source, &fixture->owners, S);
  g_assert_cmpint (recv (fixture->looker, &verb, 1, 0), ==, 1);
  g_assert_cmpuint (verb, ==, WEIR_RIGHTS_GIVE_UP);
  g_assert_false (fixture->source.has_report);
  g_assert_cmpint (send (fixture->looker, &report, sizeof report, 0), ==, sizeof report);
  weir_owners_source_read (&fixture->source, &fixture->owners, S);
  g_assert_true (fixture->source.has_report);
  g_assert_cmpuint (fixture->source.report.pid, ==, 7);

  g_assert_cmpuint (weir_owners_get (&fixture->owners, 1)->pid, ==, 42);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, 2)->missing, ==, WEIR_MISSING_GIVEN_UP);
  weir_owners_need (&fixture->owners, 3, 3, 0, 1, S);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, 3)->missing, ==, WEIR_MISSING_GIVEN_UP);
  g_assert_false (weir_owners_waits (&fixture->owners));
  /* Only whether who was found is still there. */
  weir_owners_source_ask (&fixture->source, &fixture->owners, 2 * S);
  g_assert_true (receive (fixture, &request));
  g_assert_cmpuint (request.verb, ==, WEIR_LOOKER_PROCESSES);
  g_assert_cmpuint (request.n_values, ==, 1);
  g_assert_cmpuint (request.values[0], ==, 42);
  answer (fixture, WEIR_LOOKER_PROCESSES, request.serial, 42, 0);
  answer (fixture, 0, request.serial, 0, 0);
  weir_owners_source_read (&fixture->source, &fixture->owners, 2 * S);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, 1)->pid, ==, 0);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, 1)->missing, ==, WEIR_MISSING_GIVEN_UP);
}

/* What it does not give up it goes on with. */
static void
test_keeps (struct fixture *fixture, gconstpointer data)
{
  const struct weir_process_status report = { .cap_permitted = 4, .keeps = WEIR_KEEPING_HIDDEN };
  struct weir_looker_request request;
  guint8 verb = 0;

  weir_owners_need (&fixture->owners, 1, 1, 0, 1, S);
  weir_owners_source_give_up (&fixture->source);
  weir_owners_source_ask (&fixture->source, &fixture->owners, S);
  g_assert_cmpint (recv (fixture->looker, &verb, 1, 0), ==, 1);
  g_assert_cmpint (send (fixture->looker, &report, sizeof report, 0), ==, sizeof report);
  weir_owners_source_read (&fixture->source, &fixture->owners, S);
  g_assert_true (fixture->source.has_report);
  weir_owners_source_ask (&fixture->source, &fixture->owners, S);
  g_assert_true (receive (fixture, &request));
  g_assert_cmpuint (request.verb, ==, WEIR_LOOKER_OWNERS);
}

static void
test_ends (struct fixture *fixture, gconstpointer data)
{
  int fd = fixture->source.fd;

  weir_owners_need (&fixture->owners, 1, 1, 0, 1, S);
  weir_owners_source_ask (&fixture->source, &fixture->owners, S);
  close (fixture->looker);
  fixture->looker = -1;
  weir_owners_source_read (&fixture->source, &fixture->owners, S);
  g_assert_true (fixture->source.stopped);
  g_assert_cmpint (fixture->source.fd, ==, -1);
  g_assert_false (fixture->source.asking);
  /* Nothing is asked of nobody. */
  weir_owners_need (&fixture->owners, 2, 2, 0, 1, S);
  weir_owners_source_ask (&fixture->source, &fixture->owners, S);
  g_assert_false (fixture->source.asking);
  close (fd);
}

static void
test_wrong_size (struct fixture *fixture, gconstpointer data)
{
  int fd = fixture->source.fd;

  weir_owners_need (&fixture->owners, 1, 1, 0, 1, S);
  weir_owners_source_ask (&fixture->source, &fixture->owners, S);
  g_assert_cmpint (send (fixture->looker, "short", 5, 0), ==, 5);
  weir_owners_source_read (&fixture->source, &fixture->owners, S);
  g_assert_true (fixture->source.stopped);
  close (fd);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/source-owners/" name, struct fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("batches", test_batches);
  ADD ("cgroups-follow", test_cgroups_follow);
  ADD ("stale-answer", test_stale_answer);
  ADD ("gives-up", test_gives_up);
  ADD ("keeps", test_keeps);
  ADD ("ends", test_ends);
  ADD ("wrong-size", test_wrong_size);
  return g_test_run ();
}
