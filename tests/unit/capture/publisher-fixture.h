/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A join, its publisher, and a front end that believes what it is told. */
#pragma once

#include <string.h>

#include "readings-builder.h"
#include "weir-publisher.h"

#define MS UINT64_C (1000000)

/* What a front end knows after each tick. */
struct front
{
  GHashTable *rows;  /* by id: struct weir_flow_record, with the newest of every group */
  GHashTable *ended; /* by id: those that ended with their last figures */
  struct weir_tick tick;
  guint n_added, n_changed, n_ended, n_left;
};

struct fixture
{
  struct weir_join join;
  struct weir_publisher publisher;
  struct front front;
  guint64 now;
};

static inline void
set_up (struct fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (weir_join_init (&fixture->join, 1, true, WEIR_FLOWS_MAX), ==, 0);
  own_addresses (&fixture->join.own.addresses, (const char *const[]) { "10.0.0.1", NULL });
  weir_publisher_init (&fixture->publisher, WEIR_ROWS_DEFAULT);
  fixture->front.rows = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  fixture->front.ended = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  fixture->now = 100 * S;
}

static inline void
tear_down (struct fixture *fixture, gconstpointer data)
{
  g_hash_table_unref (fixture->front.rows);
  g_hash_table_unref (fixture->front.ended);
  weir_publisher_clear (&fixture->publisher);
  weir_join_clear (&fixture->join);
}

static inline void
take (const struct weir_flow_record *record, void *data)
{
  struct front *front = data;
  struct weir_flow_record *row = g_hash_table_lookup (front->rows, &record->id);

  if (record->change == WEIR_FLOW_ADDED)
    {
      g_assert_null (row);
      g_assert_true (record->groups & WEIR_FLOW_KEY);
      row = g_memdup2 (record, sizeof *record);
      g_hash_table_insert (front->rows, &row->id, row);
      front->n_added++;
      return;
    }
  g_assert_nonnull (row);
  if (record->groups & WEIR_FLOW_BYTES)
    {
      row->has_bytes = record->has_bytes;
      row->rx_bytes = record->rx_bytes;
      row->tx_bytes = record->tx_bytes;
      row->has_rates = record->has_rates;
      row->rx_rate = record->rx_rate;
      row->tx_rate = record->tx_rate;
    }
  if (record->groups & WEIR_FLOW_STATE)
    row->state = record->state;
  if (record->groups & WEIR_FLOW_CONNTRACK)
    row->mark = record->mark;
  if (record->groups & WEIR_FLOW_OWNER)
    {
      row->owner_how = record->owner_how;
      row->owner_missing = record->owner_missing;
      row->pid = record->pid;
    }
  row->groups |= record->groups;
  if (record->change == WEIR_FLOW_CHANGED)
    {
      g_assert_cmpuint (record->groups, !=, 0);
      front->n_changed++;
      return;
    }
  if (record->groups == 0)
    front->n_left++;
  else
    {
      struct weir_flow_record *last = g_memdup2 (row, sizeof *row);

      g_hash_table_insert (front->ended, &last->id, last);
      front->n_ended++;
    }
  g_hash_table_remove (front->rows, &record->id);
}

static inline void
take_frames (struct front *front, const struct weir_writer *writer)
{
  struct weir_framer framer;
  struct weir_frame frame;
  gsize at = 0;

  front->n_added = front->n_changed = front->n_ended = front->n_left = 0;
  g_assert_cmpint (writer->error, ==, 0);
  weir_framer_init (&framer, WEIR_FRAME_BODY_MAX);
  while (at < writer->size)
    {
      gsize size;
      guint8 *room = weir_framer_reserve (&framer, &size);

      size = MIN (size, writer->size - at);
      memcpy (room, writer->data + at, size);
      weir_framer_commit (&framer, size);
      at += size;
      while (weir_framer_next (&framer, &frame) > 0)
        g_assert_cmpint (weir_read_flows (&frame, take, front), ==, 0);
    }
  weir_framer_clear (&framer);
}

static inline void
publish (struct fixture *fixture)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_join_settle (&fixture->join, fixture->now);
  g_assert_cmpint (weir_publisher_publish (&fixture->publisher, &fixture->join, fixture->now,
                                           &writer, &fixture->front.tick),
                   ==, 0);
  take_frames (&fixture->front, &writer);
  weir_writer_clear (&writer);
}

/* What is told before the tick, @ms later; whether there may be more. */
static inline bool
announce (struct fixture *fixture, guint ms, gint expected)
{
  struct weir_writer writer;
  bool waiting;
  gint n;

  fixture->now += ms * MS;
  weir_writer_init (&writer);
  weir_join_settle_new (&fixture->join, fixture->now);
  n = weir_publisher_announce (&fixture->publisher, &fixture->join, fixture->now, &writer,
                               &waiting);
  g_assert_cmpint (n, >=, 0);
  if (expected >= 0)
    g_assert_cmpint (n, ==, expected);
  take_frames (&fixture->front, &writer);
  weir_writer_clear (&writer);
  g_assert_cmpuint (fixture->front.n_added + fixture->front.n_changed, ==, n);
  g_assert_cmpuint (fixture->front.n_ended + fixture->front.n_left, ==, 0);
  g_assert_cmpuint (g_hash_table_size (fixture->front.rows), <=, fixture->publisher.rows_max);
  return waiting;
}

/* The sum that always holds: rows, rows that ended, and others are all bytes of all flows. */
static inline void
assert_sum (struct fixture *fixture, guint64 rx, guint64 tx)
{
  guint64 sum_rx = fixture->front.tick.others_rx_bytes,
          sum_tx = fixture->front.tick.others_tx_bytes;
  GHashTable *tables[] = { fixture->front.rows, fixture->front.ended };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      struct weir_flow_record *row;
      GHashTableIter iter;

      g_hash_table_iter_init (&iter, tables[i]);
      while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &row))
        {
          sum_rx += row->has_bytes ? row->rx_bytes : 0;
          sum_tx += row->has_bytes ? row->tx_bytes : 0;
        }
    }
  g_assert_cmpuint (sum_rx, ==, rx);
  g_assert_cmpuint (sum_tx, ==, tx);
}

static inline struct weir_conntrack_reading
nth (guint number, guint64 sent, guint64 received)
{
  struct weir_conntrack_reading reading =
      conntrack_reading ("10.0.0.1", (guint16) (1000 + number % 60000), "198.51.100.7",
                         (guint16) (1 + number / 60000));

  reading.id = number + 1;
  count (&reading, sent, received);
  return reading;
}

/* A whole dump of @n flows with the figures in @sent (and half of it received), one second later.
 */
static inline void
tick (struct fixture *fixture, const guint64 *sent, guint n)
{
  fixture->now += S;
  weir_join_conntrack_begin (&fixture->join);
  for (guint i = 0; i < n; i++)
    {
      struct weir_conntrack_reading reading = nth (i, sent[i], sent[i] / 2);

      weir_join_conntrack (&fixture->join, &reading, WEIR_CONNTRACK_ENTRY, fixture->now);
    }
  weir_join_conntrack_end (&fixture->join, true);
  fixture->publisher.read_at[WEIR_SOURCE_CONNTRACK] = fixture->now;
  publish (fixture);
}

static inline guint64
total (const guint64 *values, guint n, guint64 divisor)
{
  guint64 sum = 0;

  for (guint i = 0; i < n; i++)
    sum += values[i] / divisor;
  return sum;
}

static inline struct weir_flow_record *
row_of (struct fixture *fixture, guint number)
{
  struct weir_conntrack_reading reading = nth (number, 0, 0);
  struct weir_flow_record *row;
  GHashTableIter iter;

  g_hash_table_iter_init (&iter, fixture->front.rows);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &row))
    {
      if (row->local.port == reading.orig_src.port && row->remote.port == reading.orig_dst.port)
        return row;
    }
  return NULL;
}
