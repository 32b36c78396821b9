/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "publisher-fixture.h"

/* More large flows that stand still than there are rows, and a tiny one that moves. */
static void
test_one_moves (struct fixture *fixture, gconstpointer data)
{
  guint64 sent[4501];

  for (guint i = 0; i < 4500; i++)
    sent[i] = 1000000 + i * 2;
  sent[4500] = 10;
  tick (fixture, sent, 4501);
  g_assert_cmpuint (g_hash_table_size (fixture->front.rows), ==, WEIR_ROWS_DEFAULT);
  g_assert_cmpuint (fixture->front.tick.flows_tracked, ==, 4501);
  g_assert_cmpuint (fixture->front.tick.flows_published, ==, WEIR_ROWS_DEFAULT);
  assert_sum (fixture, total (sent, 4501, 2), total (sent, 4501, 1));

  tick (fixture, sent, 4501);
  g_assert_null (row_of (fixture, 4500));
  /* The largest are there, and nothing takes turns. */
  g_assert_null (row_of (fixture, 0));
  g_assert_nonnull (row_of (fixture, 4499));
  g_assert_nonnull (row_of (fixture, 4500 - WEIR_ROWS_DEFAULT));
  tick (fixture, sent, 4501);
  g_assert_cmpuint (fixture->front.n_added + fixture->front.n_left, ==, 0);

  for (guint round = 0; round < 3; round++)
    {
      sent[4500] += 2;
      tick (fixture, sent, 4501);
      g_assert_nonnull (row_of (fixture, 4500));
      g_assert_cmpuint (row_of (fixture, 4500)->tx_rate, ==, 2);
      g_assert_cmpuint (g_hash_table_size (fixture->front.rows), ==, WEIR_ROWS_DEFAULT);
      assert_sum (fixture, total (sent, 4501, 2), total (sent, 4501, 1));
    }
  /* It gives its place back, and that is not an end. */
  tick (fixture, sent, 4501);
  g_assert_null (row_of (fixture, 4500));
  g_assert_cmpuint (fixture->front.n_left, ==, 1);
  g_assert_cmpuint (fixture->front.n_ended, ==, 0);
  assert_sum (fixture, total (sent, 4501, 2), total (sent, 4501, 1));
}

/* Everything changes all the time: the sum holds at every tick. */
static void
test_sums (struct fixture *fixture, gconstpointer data)
{
  guint64 sent[300] = { 0 }, gone_sent = 0, gone_received = 0;
  guint n = 100;

  fixture->publisher.rows_max = 40;
  for (guint round = 0; round < 60; round++)
    {
      for (guint i = 0; i < n; i++)
        {
          if (g_test_rand_int_range (0, 3) == 0)
            sent[i] += (guint64) g_test_rand_int_range (0, 5000) * 2;
        }
      /* One that nobody ever saw: born and dead in between. */
      {
        struct weir_conntrack_reading reading = nth (1000 + round, 0, 0);

        weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, fixture->now);
        count (&reading, 10 * round, 20 * round);
        weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, fixture->now);
        gone_sent += 10 * round;
        gone_received += 20 * round;
      }
      /* The last one ends with something more. */
      if (round % 3 == 0 && n > 50)
        {
          struct weir_conntrack_reading reading = nth (n - 1, sent[n - 1] + 7, sent[n - 1] / 2 + 9);

          weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, fixture->now);
          if (round > 0)
            {
              gone_sent += sent[n - 1] + 7;
              gone_received += sent[n - 1] / 2 + 9;
            }
          else
            {
              gone_sent += sent[n - 1] + 7;
              gone_received += sent[n - 1] / 2 + 9;
            }
          n--;
        }
      tick (fixture, sent, n);
      assert_sum (fixture, gone_received + total (sent, n, 2), gone_sent + total (sent, n, 1));
      g_assert_cmpuint (g_hash_table_size (fixture->front.rows), <=, 40);
    }
}

static void
test_rates (struct fixture *fixture, gconstpointer data)
{
  guint64 sent[] = { 5000, 0 };
  struct weir_flow_record *row;

  /* In the first tick of all nobody knows since when. */
  tick (fixture, sent, 1);
  row = row_of (fixture, 0);
  g_assert_true (row->has_bytes);
  g_assert_false (row->has_rates);
  sent[0] = 8000;
  fixture->now += S;
  tick (fixture, sent, 1);
  g_assert_true (row->has_rates);
  /* Two seconds. */
  g_assert_cmpuint (row->tx_rate, ==, 1500);
  g_assert_cmpuint (row->rx_rate, ==, 750);
  g_assert_cmpuint (fixture->front.tick.interval, ==, 2 * S);
  /* Standing still is said once. */
  tick (fixture, sent, 1);
  g_assert_cmpuint (row->tx_rate, ==, 0);
  g_assert_cmpuint (fixture->front.n_changed, ==, 1);
  tick (fixture, sent, 1);
  g_assert_cmpuint (fixture->front.n_changed, ==, 0);
  /* A new flow's first bytes are of the interval in which they were learnt. */
  sent[1] = 400;
  tick (fixture, sent, 2);
  row = row_of (fixture, 1);
  g_assert_true (row->has_rates);
  g_assert_cmpuint (row->tx_rate, ==, 400);
}

/* A dump that comes late says nothing about speed; the next one covers both intervals. */
static void
test_late_dump (struct fixture *fixture, gconstpointer data)
{
  guint64 sent[] = { 1000 };
  struct weir_flow_record *row;

  tick (fixture, sent, 1);
  sent[0] = 2000;
  tick (fixture, sent, 1);
  row = row_of (fixture, 0);
  g_assert_cmpuint (row->tx_rate, ==, 1000);
  fixture->now += S;
  publish (fixture);
  g_assert_cmpuint (fixture->front.n_changed, ==, 0);
  g_assert_cmpuint (row->tx_rate, ==, 1000);
  sent[0] = 6000;
  tick (fixture, sent, 1);
  g_assert_cmpuint (row->tx_rate, ==, 2000);
}

/* Between two dumps nobody knows what moves: what did keeps its row, and the speed of all that has
 * none stays what it was. */
static void
test_between_dumps (struct fixture *fixture, gconstpointer data)
{
  guint64 sent[12];

  fixture->publisher.rows_max = 4;
  for (guint i = 0; i < 12; i++)
    sent[i] = i < 4 ? 1000 : 1000000;
  tick (fixture, sent, 12);
  /* Four small ones move most, and two large ones a little. */
  for (guint i = 0; i < 6; i++)
    sent[i] += i < 4 ? 600 : 2;
  tick (fixture, sent, 12);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (row_of (fixture, i)->tx_rate, ==, 600);
  g_assert_cmpuint (fixture->front.tick.others_tx_rate, ==, 4);
  for (guint i = 0; i < 3; i++)
    {
      fixture->now += S;
      publish (fixture);
      g_assert_cmpuint (fixture->front.n_added + fixture->front.n_left + fixture->front.n_changed,
                        ==, 0);
      g_assert_cmpuint (fixture->front.tick.others_tx_rate, ==, 4);
      g_assert_cmpuint (fixture->front.tick.others_rx_rate, ==, 2);
      assert_sum (fixture, total (sent, 12, 2), total (sent, 12, 1));
    }
  /* Four seconds after the last reading. */
  sent[11] += 4000;
  tick (fixture, sent, 12);
  g_assert_cmpuint (row_of (fixture, 11)->tx_rate, ==, 1000);
  g_assert_cmpuint (fixture->front.tick.others_tx_rate, ==, 0);
  assert_sum (fixture, total (sent, 12, 2), total (sent, 12, 1));
}

/* Flows begin and end between dumps, too: the sum holds, whoever is looked at.  @data: some of them
 * are announced. */
static void
test_sums_between_dumps (struct fixture *fixture, gconstpointer data)
{
  guint64 sent[200] = { 0 }, gone_sent = 0, gone_received = 0;
  guint n = 100;

  fixture->publisher.rows_max = 30;
  for (guint round = 0; round < 120; round++)
    {
      gint turn = g_test_rand_int_range (0, 3);

      if (turn == 0 && n < 200)
        {
          struct weir_conntrack_reading reading = nth (n, 0, 0);

          sent[n++] = 0;
          weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, fixture->now);
          if (data != NULL && g_test_rand_bit ())
            announce (fixture, WEIR_ANNOUNCE_PATIENCE_MS, -1);
        }
      else if (turn == 1 && n > 50)
        {
          struct weir_conntrack_reading reading;

          n--;
          reading = nth (n, sent[n] + 70, sent[n] / 2 + 90);
          weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, fixture->now);
          gone_sent += sent[n] + 70;
          gone_received += sent[n] / 2 + 90;
        }
      if (round % 4 == 0)
        {
          for (guint i = 0; i < n; i++)
            sent[i] += g_test_rand_int_range (0, 4) == 0 ? 1000 + 2 * round : 0;
          tick (fixture, sent, n);
        }
      else
        {
          fixture->now += S;
          publish (fixture);
        }
      assert_sum (fixture, gone_received + total (sent, n, 2), gone_sent + total (sent, n, 1));
      g_assert_cmpuint (fixture->front.tick.flows_tracked, ==, n);
      g_assert_cmpuint (fixture->front.tick.flows_published, ==,
                        g_hash_table_size (fixture->front.rows));
    }
}

static void
read_programs (struct fixture *fixture)
{
  fixture->now += S;
  fixture->publisher.read_at[WEIR_SOURCE_BPF] = fixture->now;
  if (fixture->publisher.events_only)
    fixture->publisher.read_at[WEIR_SOURCE_CONNTRACK] = fixture->now;
  publish (fixture);
}

/* Where kernel programs count and nobody reads the table of connection tracking: those that stand
 * still are looked at every half minute only, and what is told is right all the same.  @data: its
 * events are heard. */
static void
test_without_tracking (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading gone = nth (1, 0, 0);
  const guint64 sent[] = { 1000, 3000, 2000, 500 };

  fixture->publisher.events_only = data != NULL;
  fixture->publisher.rows_max = 2;
  for (guint i = 0; i < 4; i++)
    {
      struct weir_conntrack_reading reading = nth (i, 0, 0);
      struct weir_flow *flow;

      weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, fixture->now);
      flow = find_flow (&fixture->join, IPPROTO_TCP, "10.0.0.1", (guint16) (1000 + i),
                        "198.51.100.7", 1);
      weir_flow_need_bpf (flow)->tx_bytes = sent[i];
    }
  read_programs (fixture);
  g_assert_cmpuint (fixture->front.n_added, ==, 2);
  weir_join_conntrack (&fixture->join, &gone, WEIR_CONNTRACK_DESTROY, fixture->now);
  for (guint i = 0; i < 29; i++)
    {
      read_programs (fixture);
      g_assert_cmpuint (fixture->front.n_added, ==, 0);
      assert_sum (fixture, 0, 6500);
    }
  read_programs (fixture);
  g_assert_cmpuint (fixture->front.n_added, ==, 1);
  g_assert_cmpuint (row_of (fixture, 0)->tx_bytes, ==, 1000);
  assert_sum (fixture, 0, 6500);
}

/* A flow that is born and dies between two ticks is told whole. */
static void
test_born_and_dead (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = nth (5, 0, 0);
  struct weir_flow_record *last;
  GHashTableIter iter;
  guint64 sent[] = { 1 };

  tick (fixture, sent, 1);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, fixture->now);
  count (&reading, 700, 300);
  weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, fixture->now);
  tick (fixture, sent, 1);
  g_assert_cmpuint (fixture->front.n_added, ==, 1);
  g_assert_cmpuint (fixture->front.n_ended, ==, 1);
  g_hash_table_iter_init (&iter, fixture->front.ended);
  g_assert_true (g_hash_table_iter_next (&iter, NULL, (gpointer *) &last));
  g_assert_cmpuint (last->tx_bytes, ==, 700);
  g_assert_cmpuint (last->rx_bytes, ==, 300);
  g_assert_true (last->has_rates);
  g_assert_cmpuint (last->tx_rate, ==, 700);
  g_assert_cmpuint (fixture->join.table.n_flows, ==, 1);
}

/* All rows are taken by flows that move: who was short is told of all the same, and so is the end
 * of one that had given way, up to a bound. */
static void
test_told_late (struct fixture *fixture, gconstpointer data)
{
  guint64 sent[] = { 1000, 2000, 3000, 4000, 2, 2 }, short_sent = 0, short_received = 0;

  fixture->publisher.rows_max = 4;
  tick (fixture, sent, 6);
  for (guint round = 0; round < 2; round++)
    {
      guint n_short = round == 0 ? 3 : 10;

      for (guint i = 0; i < 4; i++)
        sent[i] += 100000;
      for (guint i = 0; i < n_short; i++)
        {
          struct weir_conntrack_reading reading = nth (100 + round * 100 + i, 0, 0);

          weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, fixture->now);
          count (&reading, 10, 20);
          weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, fixture->now);
          short_sent += 10;
          short_received += 20;
        }
      tick (fixture, sent, 6);
      g_assert_cmpuint (fixture->front.n_ended, ==, MIN (n_short, 4));
      g_assert_cmpuint (fixture->front.tick.flows_published, ==, 4);
      assert_sum (fixture, short_received + total (sent, 6, 2), short_sent + total (sent, 6, 1));
    }
  g_assert_null (row_of (fixture, 5));
  {
    struct weir_conntrack_reading last = nth (5, 12, 6);

    weir_join_conntrack (&fixture->join, &last, WEIR_CONNTRACK_DESTROY, fixture->now);
  }
  for (guint i = 0; i < 4; i++)
    sent[i] += 100000;
  tick (fixture, sent, 5);
  g_assert_cmpuint (fixture->front.n_ended, ==, 1);
  assert_sum (fixture, 6 + short_received + total (sent, 5, 2),
              12 + short_sent + total (sent, 5, 1));
}

/* Who wants to hear of all hears of those beyond that bound at later ticks; also of these there is
 * no end without one. */
/* What is not watched any more has not ended: it gives its row away, and its bytes are known. */
static void
test_unwatched (struct fixture *fixture, gconstpointer data)
{
  guint64 sent[] = { 5000, 3000 };

  tick (fixture, sent, 2);
  tick (fixture, sent, 2);
  g_assert_cmpuint (g_hash_table_size (fixture->front.rows), ==, 2);
  weir_join_leave_conntrack (&fixture->join);
  fixture->now += S;
  publish (fixture);
  g_assert_cmpuint (fixture->front.n_left, ==, 2);
  g_assert_cmpuint (g_hash_table_size (fixture->front.rows), ==, 0);
  g_assert_cmpuint (g_hash_table_size (fixture->front.ended), ==, 0);
  g_assert_cmpuint (fixture->join.table.n_flows, ==, 0);
  assert_sum (fixture, total (sent, 2, 2), total (sent, 2, 1));
}

static void
test_told_later (struct fixture *fixture, gconstpointer data)
{
  const guint n_short = 4 + 4 * 8 + 5;
  guint64 sent[] = { 1000, 2000, 3000, 4000 };
  guint n_ended = 0;

  fixture->publisher.rows_max = 4;
  fixture->publisher.tells_all = true;
  tick (fixture, sent, 4);
  for (guint i = 0; i < n_short; i++)
    {
      struct weir_conntrack_reading reading = nth (100 + i, 0, 0);

      weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, fixture->now);
      count (&reading, 10, 20);
      weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, fixture->now);
    }
  for (guint round = 0; round < 10; round++)
    {
      tick (fixture, sent, 4);
      g_assert_cmpuint (fixture->front.n_ended, ==, round < 9 ? 4 : 0);
      g_assert_cmpuint (g_hash_table_size (fixture->front.rows), ==, 4);
      n_ended += fixture->front.n_ended;
      assert_sum (fixture, n_short * 20 + total (sent, 4, 2), n_short * 10 + total (sent, 4, 1));
    }
  g_assert_cmpuint (n_ended, ==, n_short - 5);
  g_assert_cmpuint (fixture->join.table.n_flows, ==, 4);
}

/* However many rows there may be, those that wait leave room for flows that live. */
static void
test_told_later_bound (struct fixture *fixture, gconstpointer data)
{
  const guint n_short = 2 * WEIR_ROWS_MAX + 5;
  guint64 sent[] = { 1000 };

  fixture->publisher.rows_max = WEIR_ROWS_MAX;
  fixture->publisher.tells_all = true;
  tick (fixture, sent, 1);
  for (guint i = 0; i < n_short; i++)
    {
      struct weir_conntrack_reading reading = nth (100 + i, 0, 0);

      weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, fixture->now);
      weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, fixture->now);
    }
  tick (fixture, sent, 1);
  g_assert_cmpuint (fixture->front.n_ended, ==, WEIR_ROWS_MAX);
  g_assert_cmpuint (fixture->join.table.n_flows, ==, 1 + WEIR_ROWS_MAX);
  tick (fixture, sent, 1);
  g_assert_cmpuint (fixture->front.n_ended, ==, WEIR_ROWS_MAX);
  g_assert_cmpuint (fixture->join.table.n_flows, ==, 1);
}

/* Frames have no ends, whatever tells them apart here. */
static void
test_frames (struct fixture *fixture, gconstpointer data)
{
  struct weir_flow_key key = { .netns = 1, .discriminator = 2 };
  struct weir_flow_record *row;
  GHashTableIter iter;

  memset (key.remote, 7, 8);
  g_assert_nonnull (weir_flow_table_add (&fixture->join.table, &key, fixture->now));
  weir_flow_table_get (&fixture->join.table, 1)->flags |= WEIR_FLOW_HAS_SOCKET;
  publish (fixture);
  g_hash_table_iter_init (&iter, fixture->front.rows);
  g_assert_true (g_hash_table_iter_next (&iter, NULL, (gpointer *) &row));
  g_assert_cmpuint (row->family, ==, 0);
  g_assert_cmpuint (row->first_seen, ==, fixture->now);
  for (guint i = 0; i < 16; i++)
    g_assert_cmpuint (row->local.address[i] | row->remote.address[i], ==, 0);
}

/* Nothing is published while the front end is slow; then everything is, against what it knew. */
static void
test_coalesced (struct fixture *fixture, gconstpointer data)
{
  guint64 sent[] = { 1000, 0 };
  struct weir_conntrack_reading reading = nth (1, 50, 60);
  struct weir_flow_record *row;

  tick (fixture, sent, 1);
  row = row_of (fixture, 0);
  for (guint round = 0; round < 3; round++)
    {
      struct weir_conntrack_reading moved = nth (0, 2000 + 1000 * round, 1000 + 500 * round);

      fixture->now += S;
      read_entries (&fixture->join, &moved, 1, fixture->now);
      fixture->publisher.read_at[WEIR_SOURCE_CONNTRACK] = fixture->now;
      weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_NEW, fixture->now);
      weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_DESTROY, fixture->now);
      weir_join_settle (&fixture->join, fixture->now);
      reading = nth (1 + round + 1, 50, 60);
    }
  publish (fixture);
  g_assert_cmpuint (row->tx_bytes, ==, 4000);
  g_assert_cmpuint (row->tx_rate, ==, 1000);
  g_assert_cmpuint (fixture->front.tick.interval, ==, 3 * S);
  g_assert_cmpuint (fixture->front.n_ended, ==, 3);
  assert_sum (fixture, 3 * 60 + row->rx_bytes, 3 * 50 + 4000);
}

/* UDP that nobody counts has no figures, which is not the same as zero. */
static void
test_absent (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = nth (0, 0, 0);
  struct weir_flow_record *row;

  reading.has_counters = false;
  read_entries (&fixture->join, &reading, 1, fixture->now);
  publish (fixture);
  row = row_of (fixture, 0);
  g_assert_nonnull (row);
  g_assert_false (row->groups & WEIR_FLOW_BYTES);
  g_assert_false (row->groups & WEIR_FLOW_TCP);
  g_assert_false (row->groups & WEIR_FLOW_NAT);
}

/* What connection tracking says comes with the row, and again only when it is something else. */
static void
test_tracking (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading = nth (0, 0, 0);
  struct weir_flow_record *row;

  reading.zone = 7;
  reading.zone_direction = WEIR_ZONE_ORIG;
  reading.has_mark = true;
  reading.mark = 0xcafe;
  for (guint tick = 0; tick < 3; tick++)
    {
      if (tick == 2)
        reading.mark = 0xbeef;
      read_entries (&fixture->join, &reading, 1, fixture->now);
      publish (fixture);
      fixture->now += S;
      g_assert_cmpuint (fixture->front.n_added, ==, tick == 0);
      g_assert_cmpuint (fixture->front.n_changed, ==, tick == 2);
      row = row_of (fixture, 0);
      g_assert_true (row->groups & WEIR_FLOW_CONNTRACK);
      g_assert_cmpuint (row->zone, ==, 7);
      g_assert_cmpuint (row->zone_direction, ==, WEIR_ZONE_ORIG);
      g_assert_true (row->has_mark);
      g_assert_cmphex (row->mark, ==, tick == 2 ? 0xbeef : 0xcafe);
      g_assert_cmpint (row->has_tracking_state, ==, reading.has_state);
      g_assert_false (row->answered);
    }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/publisher/" name, struct fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("one-moves", test_one_moves);
  ADD ("sums", test_sums);
  ADD ("rates", test_rates);
  ADD ("late-dump", test_late_dump);
  ADD ("between-dumps", test_between_dumps);
  ADD ("sums-between-dumps", test_sums_between_dumps);
  ADD ("without-tracking", test_without_tracking);
  g_test_add ("/publisher/events-only", struct fixture, "", set_up, test_without_tracking,
              tear_down);
  ADD ("born-and-dead", test_born_and_dead);
  ADD ("told-late", test_told_late);
  ADD ("told-later", test_told_later);
  ADD ("unwatched", test_unwatched);
  ADD ("told-later-bound", test_told_later_bound);
  ADD ("frames", test_frames);
  ADD ("coalesced", test_coalesced);
  ADD ("absent", test_absent);
  ADD ("tracking", test_tracking);
  g_test_add ("/publisher/sums-announced", struct fixture, "", set_up, test_sums_between_dumps,
              tear_down);
  return g_test_run ();
}
