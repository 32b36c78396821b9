/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the meter reads the events of kernel programs, and when it leaves them for later. */
#include <glib.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "weir-meter-private.h"

#define RING_SIZE 4096
#define RECORD    16

struct fixture
{
  struct weir_meter *meter;
  uint64_t *produced, *consumed;
  uint8_t *ring;
};

/* What the clocks say, and what of the processor's time each look at them shows more. */
static struct weir_moment clocks;
static uint64_t cost;

static void
read_clocks (struct weir_moment *ret_now)
{
  clocks.cpu += cost;
  *ret_now = clocks;
}

static void *
make_memory (size_t size)
{
  void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (memory != MAP_FAILED);
  return memory;
}

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  const size_t page = (size_t) sysconf (_SC_PAGESIZE);
  struct weir_meter_setup setup = { .netns = 1 };
  struct weir_bpf_opened opened = {
    .state = WEIR_SOURCE_ACTIVE,
    .n_slots = 1,
    .n_changes = 1,
    .ring_size = RING_SIZE,
  };

  clocks = (struct weir_moment) { .awake = 100 * WEIR_MS, .boot = 100 * WEIR_MS };
  cost = 0;
  opened.ring = STDIN_FILENO;
  opened.slots = make_memory (sizeof *opened.slots);
  opened.changes = make_memory (sizeof *opened.changes);
  opened.statistics = make_memory (WEIR_BPF_CPUS * sizeof *opened.statistics);
  opened.control = make_memory (sizeof *opened.control);
  opened.ring_consumed = fixture->consumed = make_memory (page);
  fixture->produced = make_memory (page + 2 * RING_SIZE);
  opened.ring_produced = fixture->produced;
  opened.ring_data = fixture->ring = (uint8_t *) fixture->produced + page;
  fixture->meter = g_new0 (struct weir_meter, 1);
  fixture->meter->read_clocks = read_clocks;
  fixture->meter->config = weir_config_or_defaults (NULL);
  g_assert_cmpint (weir_bpf_source_init (&fixture->meter->bpf, &opened), ==, 0);
  g_assert_cmpint (weir_join_init (&fixture->meter->join, 1, true, 100), ==, 0);
  g_assert_cmpint (weir_meter_begin_bpf (fixture->meter, &setup), ==, 0);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  fixture->meter->bpf.opened.ring = -1;
  weir_bpf_source_clear (&fixture->meter->bpf);
  weir_join_clear (&fixture->meter->join);
  g_free (fixture->meter);
}

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
