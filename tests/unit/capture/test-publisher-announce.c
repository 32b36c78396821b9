/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is told before the tick, and what the tick makes of it. */
#include "publisher-fixture.h"

/* An event of connection tracking, which never has counters. */
static void
begin_flow (struct fixture *fixture, guint number)
{
  struct weir_conntrack_reading reading = nth (number, 0, 0);

  reading.has_counters = false;
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, fixture->now);
}

/* ... which does have them. */
static void
end_flow (struct fixture *fixture, guint number, guint64 sent, guint64 received)
{
  struct weir_conntrack_reading reading = nth (number, sent, received);

  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, fixture->now);
}

/* The socket of a flow, as an answer to a question shows it. */
static void
show_socket (struct fixture *fixture, guint number)
{
  struct weir_conntrack_reading entry = nth (number, 0, 0);
  struct weir_socket_reading socket =
      socket_reading ("10.0.0.1", entry.orig_src.port, "198.51.100.7", entry.orig_dst.port);

  weir_join_socket (&fixture->join, &fixture->join.own, &socket, WEIR_SOCKDIAG_SOCKET,
                    fixture->now);
}

/* Process 77 has the socket. */
static void
find_owner (struct fixture *fixture)
{
  struct weir_looker_answer answer = {
    .verb = WEIR_LOOKER_OWNERS, .value = 100, .pid = 77, .start_time = 1, .comm = "program"
  };

  weir_owners_answer (&fixture->join.owners, &answer, fixture->now);
}

/* A flow is a row before the tick, and its speed is measured as if it had not been. */
static void
test_announced (struct fixture *fixture, gconstpointer data)
{
  /* A thousand a second, from when the tick before was. */
  const guint64 moved = 1300 + WEIR_ANNOUNCE_PATIENCE_MS;
  guint64 sent[] = { 5000, moved };
  struct weir_flow_record *row;

  tick (fixture, sent, 1);
  fixture->now += 300 * MS;
  /* No socket of it was seen, which at the tick means that it is gone. */
  weir_join_sockets_begin (&fixture->join, &fixture->join.own);
  weir_join_sockets_complete (&fixture->join, &fixture->join.own);
  begin_flow (fixture, 1);
  /* Its owner is waited for. */
  g_assert_true (announce (fixture, 0, 0));
  g_assert_true (announce (fixture, WEIR_ANNOUNCE_PATIENCE_MS, 1));
  row = row_of (fixture, 1);
  g_assert_nonnull (row);
  g_assert_cmpuint (row->first_seen, ==, fixture->now - WEIR_ANNOUNCE_PATIENCE_MS * MS);
  g_assert_false (row->groups & WEIR_FLOW_BYTES);
  /* Nobody has looked: that it is gone would be a guess. */
  g_assert_cmpuint (row->owner_how, ==, WEIR_OWNER_NONE);
  g_assert_cmpuint (row->owner_missing, ==, WEIR_MISSING_NOT_YET);
  g_assert_true (weir_flow_table_is_marked (
      &fixture->join.table, weir_flow_table_get (&fixture->join.table, 2), WEIR_MARK_ROW));
  /* Told once; and not waited for without end. */
  g_assert_true (announce (fixture, 10, 0));
  g_assert_false (announce (fixture, 300, 0));
  fixture->now -= 310 * MS;
  tick (fixture, sent, 2);
  g_assert_cmpuint (fixture->front.n_added, ==, 0);
  g_assert_cmpuint (row->tx_bytes, ==, moved);
  g_assert_true (row->has_rates);
  g_assert_cmpuint (row->owner_missing, ==, WEIR_MISSING_GONE);
  g_assert_cmpuint (row->tx_rate, ==, 1000);
  assert_sum (fixture, 2500 + moved / 2, 5000 + moved);
  g_assert_false (announce (fixture, 0, 0));
}

/* The first tick tells its bytes, even when it has read nothing that could be a speed. */
static void
test_announced_unread (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = nth (1, 70, 30);
  guint64 sent[] = { 5000 };

  tick (fixture, sent, 1);
  begin_flow (fixture, 1);
  announce (fixture, WEIR_ANNOUNCE_PATIENCE_MS, 1);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_ENTRY, fixture->now);
  publish (fixture);
  g_assert_cmpuint (row_of (fixture, 1)->tx_bytes, ==, 70);
  g_assert_false (row_of (fixture, 1)->has_rates);
  assert_sum (fixture, 2500 + 30, 5000 + 70);
}

static void
test_announced_owner (struct fixture *fixture, gconstpointer data)
{
  struct weir_looker_request request = { 0 };
  guint64 sent[] = { 5000, 10, 10 };
  struct weir_flow_record *row;

  tick (fixture, sent, 1);
  begin_flow (fixture, 1);
  show_socket (fixture, 1);
  g_assert_cmpuint (weir_owners_collect (&fixture->join.owners, fixture->now, &request), ==, 1);
  g_assert_true (announce (fixture, WEIR_ANNOUNCE_PATIENCE_MS, 1));
  row = row_of (fixture, 1);
  g_assert_cmpuint (row->owner_missing, ==, WEIR_MISSING_NOT_YET);
  /* It becomes known: said at once, and once. */
  find_owner (fixture);
  g_assert_false (announce (fixture, 10, 1));
  g_assert_cmpuint (row->owner_how, ==, WEIR_OWNER_TUPLE);
  g_assert_cmpuint (row->pid, ==, 77);
  g_assert_false (announce (fixture, 10, 0));
  tick (fixture, sent, 2);
  g_assert_cmpuint (row->pid, ==, 77);
  /* One whose owner is known is not held back at all. */
  end_flow (fixture, 1, 10, 5);
  begin_flow (fixture, 2);
  show_socket (fixture, 2);
  g_assert_false (announce (fixture, 0, 1));
  g_assert_cmpuint (row_of (fixture, 2)->pid, ==, 77);
}

/* A process that kernel programs named is known by its start as well, which has to be asked for. */
static void
test_announced_start (struct fixture *fixture, gconstpointer data)
{
  const struct weir_named_process process = { .pid = 7, .uid = 1000, .comm = "program" };
  guint64 sent[] = { 5000 }, pids[WEIR_LOOKER_BATCH];
  struct weir_looker_answer answer = {
    .verb = WEIR_LOOKER_PROCESSES, .value = 7, .pid = 7, .start_time = 1, .comm = "program"
  };
  struct weir_owners *owners = &fixture->join.owners;
  struct weir_flow *flow;

  tick (fixture, sent, 1);
  for (guint i = 1; i < 3; i++)
    {
      begin_flow (fixture, i);
      flow = weir_flow_table_get (&fixture->join.table, i + 1);
      weir_join_set_owner (
          &fixture->join, flow,
          weir_owners_need_process (owners, &process, fixture->now, false, fixture->now));
      g_assert_true (announce (fixture, 0, 0));
      /* In the second round nobody answers in time. */
      if (i == 2)
        {
          announce (fixture, WEIR_ANNOUNCE_PATIENCE_MS, 1);
          g_assert_cmpuint (row_of (fixture, i)->pid, ==, 7);
          continue;
        }
      g_assert_cmpuint (weir_owners_collect_processes (owners, false, fixture->now, pids), ==, 1);
      weir_owners_answer (owners, &answer, fixture->now);
      g_assert_false (announce (fixture, 1, 1));
      g_assert_cmpuint (row_of (fixture, i)->start_time, ==, 1);
      fixture->now += 20 * S;
    }
}

/* One that ends before it is told of is told of as well; the end of either comes with the tick. */
static void
test_announced_end (struct fixture *fixture, gconstpointer data)
{
  guint64 sent[] = { 5000 };
  struct weir_flow_record *last;
  GHashTableIter iter;

  tick (fixture, sent, 1);
  begin_flow (fixture, 1);
  announce (fixture, WEIR_ANNOUNCE_PATIENCE_MS, 1);
  end_flow (fixture, 1, 990, 500);
  begin_flow (fixture, 2);
  end_flow (fixture, 2, 990, 500);
  announce (fixture, WEIR_ANNOUNCE_PATIENCE_MS, 1);
  fixture->now -= 2 * WEIR_ANNOUNCE_PATIENCE_MS * MS;
  tick (fixture, sent, 1);
  g_assert_cmpuint (fixture->front.n_added, ==, 0);
  g_assert_cmpuint (fixture->front.n_ended, ==, 2);
  assert_sum (fixture, 2500 + 1000, 5000 + 1980);
  g_hash_table_iter_init (&iter, fixture->front.ended);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &last))
    {
      g_assert_cmpuint (last->tx_rate, ==, 990);
      g_assert_cmpuint (last->state, ==, WEIR_FLOW_STATE_CLOSED);
    }
}

/* Who finds no place waits for the tick, which chooses among all. */
static void
test_announced_room (struct fixture *fixture, gconstpointer data)
{
  guint64 sent[] = { 5000, 5000, 5000, 0, 0, 900 };

  fixture->publisher.rows_max = 4;
  tick (fixture, sent, 3);
  for (guint i = 3; i < 6; i++)
    begin_flow (fixture, i);
  g_assert_true (announce (fixture, WEIR_ANNOUNCE_PATIENCE_MS, 1));
  begin_flow (fixture, 6);
  announce (fixture, WEIR_ANNOUNCE_PATIENCE_MS, 0);
  end_flow (fixture, 6, 70, 30);
  tick (fixture, sent, 6);
  g_assert_cmpuint (g_hash_table_size (fixture->front.rows), ==, 4);
  g_assert_nonnull (row_of (fixture, 5));
  g_assert_cmpuint (fixture->front.tick.flows_published, ==, 4);
  assert_sum (fixture, total (sent, 6, 2) + 30, total (sent, 6, 1) + 70);
}

/* Whether something passes through is not certain before addresses and sockets were read. */
static void
test_announced_forwarded (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = conntrack_reading ("10.0.0.2", 1000, "198.51.100.7", 443);
  guint64 sent[] = { 5000 };

  tick (fixture, sent, 1);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, fixture->now);
  g_assert_false (announce (fixture, WEIR_ANNOUNCE_PATIENCE_MS, 0));
  tick (fixture, sent, 1);
  g_assert_cmpuint (fixture->front.n_added, ==, 1);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/publisher-announce/" name, struct fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("announced", test_announced);
  ADD ("unread", test_announced_unread);
  ADD ("owner", test_announced_owner);
  ADD ("start", test_announced_start);
  ADD ("end", test_announced_end);
  ADD ("room", test_announced_room);
  ADD ("forwarded", test_announced_forwarded);
  return g_test_run ();
}
