/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the meter reads the events of kernel programs, and when it leaves them for later. */
#include <linux/bpf.h>

#include "meter-fixture.h"

#define RECORD 16

/* A record that says nothing, with @flags. */
static void
put_record (struct fixture *fixture, uint32_t flags)
{
  const uint32_t header = 8 | flags;

  memcpy (fixture->ring + *fixture->produced % RING_SIZE, &header, sizeof header);
  *fixture->produced += RECORD;
}

static bool
read_events (struct fixture *fixture)
{
  return weir_meter_read_bpf_events (fixture->meter, clocks.boot);
}

static uint64_t
get_due (struct fixture *fixture)
{
  return weir_meter_get_bpf_events_due (fixture->meter, clocks.awake);
}

/* Events without end: after a while they are read for a part of the time only, and not waited for
 * meanwhile. */
static void
test_flood (struct fixture *fixture, gconstpointer data)
{
  const uint64_t began = clocks.awake;
  unsigned n = 0;

  cost = WEIR_MS;
  while (clocks.awake < began + 1000 * WEIR_MS)
    {
      const uint64_t before = *fixture->consumed;
      uint64_t due;

      put_record (fixture, 0);
      g_assert_false (read_events (fixture));
      g_assert_cmpuint (*fixture->consumed, ==, *fixture->produced);
      n += *fixture->consumed > before;
      clocks.awake += WEIR_MS;
      due = get_due (fixture);
      if (due == UINT64_MAX)
        continue;
      put_record (fixture, 0);
      g_assert_false (read_events (fixture));
      g_assert_cmpuint (*fixture->consumed, <, *fixture->produced);
      clocks.awake = due;
      g_assert_cmpuint (get_due (fixture), ==, UINT64_MAX);
    }
  /* What may come at once (0.2 s), and a tenth of a second. */
  g_assert_cmpuint (n, >=, 200);
  g_assert_cmpuint (n, <=, 310);
}

/* One that is being written is not waited for without rest. */
static void
test_held_up (struct fixture *fixture, gconstpointer data)
{
  put_record (fixture, BPF_RINGBUF_BUSY_BIT);
  put_record (fixture, 0);
  g_assert_cmpuint (get_due (fixture), ==, UINT64_MAX);
  g_assert_false (read_events (fixture));
  g_assert_cmpuint (*fixture->consumed, ==, 0);
  g_assert_cmpuint (get_due (fixture), >, clocks.awake);
  g_assert_cmpuint (get_due (fixture), <=, clocks.awake + 10 * WEIR_MS);

  clocks.awake = get_due (fixture);
  memcpy (fixture->ring, &(uint32_t) { 8 }, sizeof (uint32_t));
  g_assert_false (read_events (fixture));
  g_assert_cmpuint (*fixture->consumed, ==, *fixture->produced);
  g_assert_cmpuint (get_due (fixture), ==, UINT64_MAX);
}

/* Dumps of connection tracking take less where nothing passes that only it counts, and nothing that
 * it would have told was lost. */
static void
test_share (struct fixture *fixture, gconstpointer data)
{
  struct weir_meter *meter = fixture->meter;

  g_assert_cmpuint (meter->governor.share, ==, WEIR_GOVERNOR_LEAST_SHARE);
  meter->conntrack_losses = 1;
  weir_meter_note_events (meter, 0, true);
  g_assert_cmpuint (meter->governor.share, ==, WEIR_GOVERNOR_SMALL_SHARE);
  meter->resync_wanted = false;
  weir_meter_end_conntrack (meter, true);
  g_assert_cmpuint (meter->governor.share, ==, WEIR_GOVERNOR_LEAST_SHARE);
  weir_join_conntrack_begin (&meter->join);
  meter->join.n_moved_now = 1;
  weir_meter_end_conntrack (meter, true);
  g_assert_cmpuint (meter->governor.share, ==, WEIR_GOVERNOR_SMALL_SHARE);
  /* What passes through is to be as new as without programs, from its first packet on. */
  meter->join.passing = 2;
  weir_meter_note_events (meter, meter->conntrack_losses, true);
  g_assert_cmpuint (meter->governor.share, ==, WEIR_GOVERNOR_SHARE);
  /* A dump that was asked for before shows nothing of it. */
  weir_join_conntrack_begin (&meter->join);
  weir_meter_end_conntrack (meter, true);
  g_assert_cmpuint (meter->governor.share, ==, WEIR_GOVERNOR_SHARE);
  /* It stands still. */
  weir_join_conntrack_begin (&meter->join);
  meter->join.n_forwarded_now = 1;
  weir_meter_end_conntrack (meter, true);
  g_assert_cmpuint (meter->governor.share, ==, WEIR_GOVERNOR_SMALL_SHARE);
  /* ... and nothing by what was read before. */
  weir_join_conntrack_begin (&meter->join);
  weir_meter_end_conntrack (meter, true);
  g_assert_cmpuint (meter->governor.share, ==, WEIR_GOVERNOR_LEAST_SHARE);
}

/* How often all is read is told as it is: what is too much for one tick takes several. */
static void
test_cadence (struct fixture *fixture, gconstpointer data)
{
  struct weir_meter *meter = fixture->meter;
  uint64_t interval;
  uint8_t why;

  weir_client_init (&meter->client, -1, clocks.awake);
  meter->client.started = true;
  meter->client.wish_ms = 1000;
  interval = weir_meter_get_cadence (meter, clocks.awake, &why);
  g_assert_cmpuint (why, ==, WEIR_CADENCE_AS_WISHED);
  meter->bpf_ticks = 3;
  g_assert_cmpuint (weir_meter_get_cadence (meter, clocks.awake, &why), ==, 3 * interval);
  g_assert_cmpuint (why, ==, WEIR_CADENCE_GOVERNED);
  meter->bpf_ticks_now = 5;
  g_assert_cmpuint (weir_meter_get_cadence (meter, clocks.awake, &why), ==, 5 * interval);
  meter->bpf_ticks = 1;
  meter->bpf_ticks_now = 0;
  g_assert_cmpuint (weir_meter_get_cadence (meter, clocks.awake, &why), ==, interval);
  g_assert_cmpuint (why, ==, WEIR_CADENCE_AS_WISHED);
  weir_client_clear (&meter->client);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/meter/bpf/flood", struct fixture, NULL, set_up, test_flood, tear_down);
  g_test_add ("/meter/bpf/held-up", struct fixture, NULL, set_up, test_held_up, tear_down);
  g_test_add ("/meter/bpf/share", struct fixture, NULL, set_up, test_share, tear_down);
  g_test_add ("/meter/bpf/cadence", struct fixture, NULL, set_up, test_cadence, tear_down);
  return g_test_run ();
}
