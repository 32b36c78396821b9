/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "weir-named-sockets.h"

#define S UINT64_C (1000000000)

struct fixture
{
  struct weir_named_sockets *sockets;
  struct weir_owners owners;
};

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  fixture->sockets = g_new0 (struct weir_named_sockets, 1);
  g_assert_cmpint (weir_owners_init (&fixture->owners, true), ==, 0);
  weir_owners_give_up (&fixture->owners);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  g_free (fixture->sockets);
  weir_owners_clear (&fixture->owners);
}

static guint32
need_process (struct fixture *fixture, guint32 pid, guint32 uid)
{
  const struct weir_named_process process = { .pid = pid, .uid = uid, .comm = "program" };

  return weir_owners_need_process (&fixture->owners, &process, 2 * S, false, 2 * S);
}

static void
add (struct fixture *fixture, guint64 cookie, guint32 process)
{
  weir_named_sockets_add (fixture->sockets, &fixture->owners, cookie, process);
}

/* The looker says that the process is there. */
static void
answer (struct fixture *fixture, guint32 pid)
{
  const struct weir_looker_answer message = {
    .verb = WEIR_LOOKER_PROCESSES, .value = pid, .pid = pid, .start_time = 150, .comm = "program"
  };
  guint64 pids[WEIR_LOOKER_BATCH];

  g_assert_cmpuint (weir_owners_collect_processes (&fixture->owners, false, 2 * S, pids), ==, 1);
  weir_owners_answer (&fixture->owners, &message, 2 * S);
}

/* Who is written down as holder of the socket after a list has shown it. */
static guint32
show (struct fixture *fixture, guint64 cookie)
{
  const guint32 socket = weir_owners_need (&fixture->owners, (guint32) cookie, cookie, 0, 1, 3 * S);

  weir_named_sockets_show (fixture->sockets, &fixture->owners, cookie, socket);
  weir_named_sockets_settle (fixture->sockets, &fixture->owners);
  return weir_owners_get (&fixture->owners, socket)->pid;
}

static void
test_named (struct fixture *fixture, gconstpointer data)
{
  const guint32 first = need_process (fixture, 7, 1000), second = need_process (fixture, 8, 1000);

  add (fixture, 70, first);
  add (fixture, 71, first);
  /* What was said last holds. */
  add (fixture, 71, second);
  g_assert_cmpuint (fixture->sockets->n, ==, 2);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, first)->flows, ==, 1);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, second)->flows, ==, 1);

  /* Not before it is known that the process is there; one that waits is not forgotten. */
  g_assert_cmpuint (show (fixture, 71), ==, 0);
  weir_owners_sweep_processes (&fixture->owners, 100 * S);
  g_assert_true (weir_owners_get (&fixture->owners, second)->in_use);
  g_assert_cmpuint (fixture->sockets->n_listed, ==, 1);

  weir_named_sockets_remove (fixture->sockets, &fixture->owners, 71);
  weir_named_sockets_remove (fixture->sockets, &fixture->owners, 71);
  g_assert_cmpuint (fixture->sockets->n, ==, 1);
  g_assert_cmpuint (fixture->sockets->n_listed, ==, 0);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, second)->flows, ==, 0);
  g_assert_cmpuint (show (fixture, 71), ==, 0);
}

/* A place of the owners that is another socket's by now gets nobody. */
static void
test_other_socket (struct fixture *fixture, gconstpointer data)
{
  guint32 socket;

  add (fixture, 70, need_process (fixture, 7, 1000));
  answer (fixture, 7);
  socket = weir_owners_need (&fixture->owners, 70, 70, 0, 1, 3 * S);
  weir_named_sockets_show (fixture->sockets, &fixture->owners, 70, socket);
  weir_owners_sweep (&fixture->owners, 0, 2);
  g_assert_cmpuint (weir_owners_need (&fixture->owners, 80, 80, 0, 3, 3 * S), ==, socket);
  weir_named_sockets_settle (fixture->sockets, &fixture->owners);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, socket)->pid, ==, 0);
  g_assert_cmpuint (show (fixture, 70), ==, 7);
  g_assert_cmpuint (fixture->sockets->n, ==, 0);
}

/* Who names sockets without end loses the oldest of these, and nobody else loses any. */
static void
test_bounds (struct fixture *fixture, gconstpointer data)
{
  const guint32 few = need_process (fixture, 7, 1000);
  guint32 many;

  answer (fixture, 7);
  many = need_process (fixture, 8, 1001);
  answer (fixture, 8);
  for (guint64 i = 0; i < 10; i++)
    add (fixture, 1 + i, few);
  for (guint64 i = 0; i < 2 * WEIR_NAMED_SOCKETS_MAX; i++)
    add (fixture, 100 + i, many);
  g_assert_cmpuint (fixture->sockets->n, ==, WEIR_NAMED_SOCKETS_MAX);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, few)->flows, ==, 10);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, many)->flows, ==,
                    WEIR_NAMED_SOCKETS_MAX - 10);
  for (guint64 i = 0; i < 10; i++)
    g_assert_cmpuint (show (fixture, 1 + i), ==, 7);
  g_assert_cmpuint (show (fixture, 100 + WEIR_NAMED_SOCKETS_MAX + 9), ==, 0);
  g_assert_cmpuint (show (fixture, 100 + WEIR_NAMED_SOCKETS_MAX + 10), ==, 8);
  g_assert_cmpuint (show (fixture, 100 + 2 * WEIR_NAMED_SOCKETS_MAX - 1), ==, 8);
  g_assert_cmpuint (fixture->sockets->n, ==, WEIR_NAMED_SOCKETS_MAX - 12);

  /* There is room again, and in the end nothing is left. */
  for (guint64 i = 0; i < 12; i++)
    add (fixture, 50 + i, few);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, few)->flows, ==, 12);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, many)->flows, ==,
                    WEIR_NAMED_SOCKETS_MAX - 12);
  for (guint64 i = 0; i < 100 + 2 * WEIR_NAMED_SOCKETS_MAX; i++)
    weir_named_sockets_remove (fixture->sockets, &fixture->owners, i);
  g_assert_cmpuint (fixture->sockets->n, ==, 0);
  g_assert_cmpuint (weir_owners_get (&fixture->owners, many)->flows, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/named-sockets/named", struct fixture, NULL, set_up, test_named, tear_down);
  g_test_add ("/named-sockets/other-socket", struct fixture, NULL, set_up, test_other_socket,
              tear_down);
  g_test_add ("/named-sockets/bounds", struct fixture, NULL, set_up, test_bounds, tear_down);
  return g_test_run ();
}
