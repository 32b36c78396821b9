/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read from memory that was made by hand, and does not always fit together. */
#include <glib.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "source-bpf.h"

#define N_SLOTS   16
#define N_CHANGES 16
#define RING_SIZE 4096

struct world
{
  struct weir_bpf_source source;
  struct weir_bpf_slot *slots;
  uint64_t *changes;
  struct weir_bpf_statistics *statistics;
  struct weir_bpf_control *control;
  uint64_t *produced;
  uint8_t *ring;
  GString *told; /* a letter for each piece of news, and the slot */
  struct weir_bpf_reading last;
};

static void *
make_memory (size_t size)
{
  void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (memory != MAP_FAILED);
  return memory;
}

static void
world_init (struct world *world)
{
  const size_t page = (size_t) sysconf (_SC_PAGESIZE);
  struct weir_bpf_opened opened = {
    .state = WEIR_SOURCE_ACTIVE,
    .n_slots = N_SLOTS,
    .n_changes = N_CHANGES,
    .ring = -1,
    .ring_size = RING_SIZE,
  };

  opened.slots = world->slots = make_memory (N_SLOTS * sizeof *world->slots);
  opened.changes = world->changes = make_memory (N_CHANGES * sizeof *world->changes);
  opened.statistics = world->statistics = make_memory (WEIR_BPF_CPUS * sizeof *world->statistics);
  opened.control = world->control = make_memory (sizeof *world->control);
  opened.ring_consumed = make_memory (page);
  world->produced = make_memory (page + 2 * RING_SIZE);
  opened.ring_produced = world->produced;
  world->ring = (uint8_t *) world->produced + page;
  opened.ring_data = world->ring;
  world->told = g_string_new (NULL);
  g_assert_cmpint (weir_bpf_source_init (&world->source, &opened), ==, 0);
}

static void
world_clear (struct world *world)
{
  weir_bpf_source_clear (&world->source);
  g_string_free (world->told, TRUE);
}

static void
take (const struct weir_bpf_reading *reading, enum weir_bpf_news news, void *data)
{
  struct world *world = data;

  world->last = *reading;
  g_string_append_printf (world->told, "%c%u ", "bcxenr"[news], reading -> slot);
}

/* All that was told since the last time: b born, c changed, x closed, e ended; n a socket was
 * named, r released. */
#define expect_told(world, text)                                                                   \
  do                                                                                               \
    {                                                                                              \
      g_assert_cmpstr ((world)->told->str, ==, text);                                              \
      g_string_truncate ((world)->told, 0);                                                        \
    }                                                                                              \
  while (0)

static uint64_t
get_epoch (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC_COARSE, &now);
  return ((uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec) >> WEIR_BPF_EPOCH_SHIFT;
}

static void
set_flow (struct world *world, uint32_t number, uint32_t generation, uint64_t bytes)
{
  struct weir_bpf_slot *slot = &world->slots[number];

  *slot = (struct weir_bpf_slot) {
    .tag = (uint64_t) generation << 32 | WEIR_BPF_SLOT_BUSY,
    .epoch = get_epoch () - 10,
    .rx_bytes = bytes,
    .rx_packets = 1,
    .key = { .cookie = 77,
             .local_port = 1000,
             .remote_port = 53,
             .protocol = IPPROTO_UDP,
             .family = 4 },
    .flags = WEIR_BPF_WHOLE | WEIR_BPF_FIRST_TX,
    .opener = { .pid = 5, .uid = 6, .cgroup_id = 7 },
  };
  slot->key.local[0] = htonl (0x7f000001);
  memset (slot->opener.comm, 'n', sizeof slot->opener.comm);
}

static void
put_change (struct world *world, uint32_t number)
{
  const uint64_t position = world->control->changes++;

  world->changes[position % N_CHANGES] = position << 32 | number;
}

/* A record with this header; the event is in it in any case. */
static void
put_record (struct world *world, uint32_t header, uint32_t kind, uint32_t slot, uint32_t generation)
{
  const struct weir_bpf_event event = { kind, slot, generation, 0 };
  uint8_t *at = world->ring + *world->produced % RING_SIZE;

  memcpy (at, &header, sizeof header);
  memcpy (at + 8, &event, sizeof event);
  *world->produced += 8 + sizeof event;
}

static void
put_event (struct world *world, uint32_t kind, uint32_t slot, uint32_t generation)
{
  put_record (world, sizeof (struct weir_bpf_event), kind, slot, generation);
}

static void
put_socket_event (struct world *world, uint32_t kind, uint32_t is_opener)
{
  const struct weir_bpf_socket_event event = { kind, is_opener, 77, 88, { 5, 6, 7, { 0 } } };
  uint8_t *at = world->ring + *world->produced % RING_SIZE;

  *(uint32_t *) (void *) at = sizeof event;
  memcpy (at + 8, &event, sizeof event);
  *world->produced += 8 + sizeof event;
}

static bool
read_events (struct world *world)
{
  return weir_bpf_source_read_events (&world->source, 100, take, world);
}

static void
read_changes (struct world *world)
{
  weir_bpf_source_read_changes (&world->source, UINT_MAX, take, world);
}

/* ---- tests ---- */

static void
test_reading (struct world *world, const void *data)
{
  static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };
  struct weir_bpf_reading reading;

  set_flow (world, 3, 1, 100);
  put_event (world, WEIR_BPF_EVENT_BORN, 3, 1);
  g_assert_false (read_events (world));
  expect_told (world, "b3 ");
  g_assert_cmpuint (world->last.generation, ==, 1);
  g_assert_cmpuint (world->last.cookie, ==, 77);
  g_assert_cmpuint (world->last.rx_bytes, ==, 100);
  g_assert_cmpuint (world->last.local.port, ==, 1000);
  g_assert_cmpuint (world->last.remote.port, ==, 53);
  g_assert_cmpmem (world->last.local.address, 16, mapped, 16);
  g_assert_cmpuint (world->last.direction, ==, WEIR_DIRECTION_OUT);
  g_assert_cmpuint (world->last.opener.pid, ==, 5);
  g_assert_cmpuint (world->last.opener.uid, ==, 6);
  g_assert_cmpuint (world->last.opener.cgroup_id, ==, 7);
  g_assert_cmpstr (world->last.opener.comm, ==, "nnnnnnnnnnnnnnn");
  g_assert_cmpuint (world->last.user.pid, ==, 0);
  g_assert_true (weir_bpf_source_read_flow (&world->source, 3, 1, &reading));
  g_assert_false (weir_bpf_source_read_flow (&world->source, 3, 2, &reading));
  g_assert_false (weir_bpf_source_read_flow (&world->source, 4, 1, &reading));
  g_assert_false (weir_bpf_source_read_flow (&world->source, N_SLOTS, 1, &reading));
}

static void
test_directions (struct world *world, const void *data)
{
  static const struct
  {
    uint8_t protocol;
    uint32_t flags;
    enum weir_direction direction;
  } cases[] = {
    { IPPROTO_TCP, WEIR_BPF_CONNECTED | WEIR_BPF_FIRST_RX, WEIR_DIRECTION_OUT },
    { IPPROTO_TCP, WEIR_BPF_ACCEPTED | WEIR_BPF_FIRST_TX, WEIR_DIRECTION_IN },
    { IPPROTO_TCP, WEIR_BPF_FIRST_TX, WEIR_DIRECTION_UNKNOWN },
    { IPPROTO_UDP, WEIR_BPF_FIRST_TX, WEIR_DIRECTION_UNKNOWN },
    { IPPROTO_UDP, WEIR_BPF_WHOLE | WEIR_BPF_FIRST_RX, WEIR_DIRECTION_IN },
    { IPPROTO_UDP, WEIR_BPF_WHOLE | WEIR_BPF_CONTINUED | WEIR_BPF_FIRST_RX,
      WEIR_DIRECTION_UNKNOWN },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      struct weir_bpf_reading reading;

      set_flow (world, 0, 1, 100);
      world->slots[0].key.protocol = cases[i].protocol;
      world->slots[0].flags = cases[i].flags;
      g_assert_true (weir_bpf_source_read_flow (&world->source, 0, 1, &reading));
      g_assert_cmpuint (reading.direction, ==, cases[i].direction);
    }
}

static void
test_bad_events (struct world *world, const void *data)
{
  struct weir_bpf_totals totals;

  set_flow (world, 2, 9, 1);
  put_event (world, WEIR_BPF_EVENT_BORN, N_SLOTS, 1);
  put_event (world, 0, 2, 9);
  put_event (world, 4, 2, 9);
  put_record (world, 8, WEIR_BPF_EVENT_BORN, 2, 9); /* its second half is no header to speak of */
  g_assert_false (read_events (world));
  weir_bpf_source_get_totals (&world->source, &totals);
  g_assert_cmpuint (totals.bad_events, >=, 4);
  expect_told (world, "");

  /* Of another generation, or already gone: nothing to tell. */
  put_event (world, WEIR_BPF_EVENT_BORN, 2, 8);
  put_event (world, WEIR_BPF_EVENT_ENDED, 2, 8);
  put_event (world, WEIR_BPF_EVENT_BORN, 5, 1);
  g_assert_false (read_events (world));
  expect_told (world, "");

  /* Longer than all that there is. */
  put_record (world, 0x3fffffff, WEIR_BPF_EVENT_BORN, 2, 9);
  g_assert_false (read_events (world));
  put_event (world, WEIR_BPF_EVENT_BORN, 2, 9);
  g_assert_false (read_events (world));
  expect_told (world, "b2 ");
}

/* Of no flow, and of another size; then what follows is found. */
static void
test_socket_events (struct world *world, const void *data)
{
  struct weir_bpf_totals totals;

  put_socket_event (world, WEIR_BPF_EVENT_NAMED, 0);
  g_assert_false (read_events (world));
  expect_told (world, "n0 ");
  g_assert_cmpuint (world->last.cookie, ==, 77);
  g_assert_cmpuint (world->last.born, ==, 88);
  g_assert_cmpuint (world->last.user.pid, ==, 5);
  g_assert_cmpuint (world->last.user.uid, ==, 6);
  g_assert_cmpuint (world->last.opener.pid, ==, 0);
  put_socket_event (world, WEIR_BPF_EVENT_NAMED, 1);
  g_assert_false (read_events (world));
  expect_told (world, "n0 ");
  g_assert_cmpuint (world->last.opener.pid, ==, 5);
  g_assert_cmpuint (world->last.user.pid, ==, 0);

  put_socket_event (world, WEIR_BPF_EVENT_RELEASED, 0);
  put_socket_event (world, 3, 0);
  set_flow (world, 1, 1, 1);
  put_event (world, WEIR_BPF_EVENT_BORN, 1, 1);
  g_assert_false (read_events (world));
  expect_told (world, "r0 b1 ");
  weir_bpf_source_get_totals (&world->source, &totals);
  g_assert_cmpuint (totals.bad_events, ==, 1);
}

static void
test_unfinished_record (struct world *world, const void *data)
{
  uint32_t *header = (uint32_t *) (void *) world->ring;

  set_flow (world, 1, 1, 1);
  put_record (world, sizeof (struct weir_bpf_event) | BPF_RINGBUF_BUSY_BIT, WEIR_BPF_EVENT_BORN, 1,
              1);
  g_assert_false (read_events (world));
  expect_told (world, "");
  *header &= ~BPF_RINGBUF_BUSY_BIT;
  g_assert_false (read_events (world));
  expect_told (world, "b1 ");
}

static void
test_budget (struct world *world, const void *data)
{
  for (uint32_t i = 0; i < 3; i++)
    {
      set_flow (world, i, 1, 1);
      put_event (world, WEIR_BPF_EVENT_BORN, i, 1);
    }
  g_assert_true (weir_bpf_source_read_events (&world->source, 2, take, world));
  expect_told (world, "b0 b1 ");
  g_assert_false (weir_bpf_source_read_events (&world->source, 2, take, world));
  expect_told (world, "b2 ");
}

static void
test_changes (struct world *world, const void *data)
{
  set_flow (world, 1, 1, 1);
  set_flow (world, 2, 1, 1);
  put_change (world, 1);
  put_change (world, 1);
  put_change (world, N_SLOTS);
  put_change (world, 2);
  read_changes (world);
  expect_told (world, "b1 b2 ");
  read_changes (world);
  expect_told (world, "");

  /* Closed without an event. */
  world->slots[2].flags |= WEIR_BPF_CLOSED;
  world->slots[2].tag &= ~(uint64_t) WEIR_BPF_SLOT_BUSY;
  put_change (world, 2);
  read_changes (world);
  expect_told (world, "x2 ");
  put_event (world, WEIR_BPF_EVENT_CLOSED, 2, 1);
  read_events (world);
  expect_told (world, "c2 ");
}

/* It may move on without being put on the list again. */
static void
test_current_epoch (struct world *world, const void *data)
{
  set_flow (world, 1, 1, 1);
  world->slots[1].epoch = get_epoch ();
  put_change (world, 1);
  read_changes (world);
  expect_told (world, "b1 ");
  world->slots[1].rx_bytes = 50;
  read_changes (world);
  expect_told (world, "c1 ");
  g_assert_cmpuint (world->last.rx_bytes, ==, 50);
  world->slots[1].epoch = get_epoch () - 2;
  read_changes (world);
  expect_told (world, "c1 ");
  read_changes (world);
  expect_told (world, "");
}

/* An entry that somebody is about to write keeps nobody waiting, and nothing is left out. */
static void
test_unwritten_change (struct world *world, const void *data)
{
  for (uint32_t i = 1; i <= 3; i++)
    {
      set_flow (world, i, 1, 1);
      put_change (world, i);
    }
  world->changes[1] = 0;
  g_assert_true (weir_bpf_source_read_changes (&world->source, UINT_MAX, take, world));
  expect_told (world, "b1 b3 ");
  g_assert_true (weir_bpf_source_read_changes (&world->source, UINT_MAX, take, world));
  expect_told (world, "");
  world->changes[1] = UINT64_C (1) << 32 | 2;
  read_changes (world);
  expect_told (world, "b2 ");
  read_changes (world);
  expect_told (world, "");
}

static uint64_t
count_scans (const struct world *world)
{
  struct weir_bpf_totals totals;

  weir_bpf_source_get_totals (&world->source, &totals);
  return totals.full_scans;
}

/* One that is never written, or was written by somebody who was late, over another one. */
static void
test_lost_change (struct world *world, const void *data)
{
  for (uint32_t i = 0; i < 3; i++)
    set_flow (world, i, 1, 1);
  world->control->fresh = 3;
  put_change (world, 0);
  put_change (world, 1);
  put_change (world, 2);
  world->changes[1] = 0;
  for (unsigned i = 0; i < 4; i++)
    {
      g_assert_cmpuint (count_scans (world), ==, 0);
      read_changes (world);
    }
  expect_told (world, "b0 b2 ");
  read_changes (world);
  g_assert_cmpuint (count_scans (world), ==, 1);
  expect_told (world, "c0 b1 c2 ");
  read_changes (world);
  expect_told (world, "");

  /* Once round meanwhile. */
  put_change (world, 1);
  world->changes[3] = 0;
  read_changes (world);
  expect_told (world, "");
  for (unsigned i = 0; i < N_CHANGES; i++)
    put_change (world, 0);
  read_changes (world);
  g_assert_cmpuint (count_scans (world), ==, 2);
  expect_told (world, "c0 c1 c2 ");
}

/* More than are waited for. */
static void
test_many_unwritten (struct world *world, const void *data)
{
  for (uint32_t i = 0; i < 3; i++)
    set_flow (world, i, 1, 1);
  world->control->fresh = 3;
  put_change (world, 0);
  read_changes (world);
  expect_told (world, "b0 ");
  for (unsigned n = 0; n < WEIR_BPF_HELD_MAX; n += N_CHANGES)
    {
      g_assert_cmpuint (count_scans (world), ==, 0);
      world->control->changes += N_CHANGES;
      read_changes (world);
    }
  expect_told (world, "");
  world->control->changes++;
  read_changes (world);
  g_assert_cmpuint (count_scans (world), ==, 1);
  expect_told (world, "c0 b1 b2 ");
}

static void
test_overrun (struct world *world, const void *data)
{
  struct weir_bpf_totals totals;

  for (uint32_t i = 0; i < 5; i++)
    set_flow (world, i, 1, 1);
  world->control->fresh = 4;
  for (unsigned i = 0; i < N_CHANGES + 1; i++)
    put_change (world, 4);
  read_changes (world);
  expect_told (world, "b0 b1 b2 b3 ");
  weir_bpf_source_get_totals (&world->source, &totals);
  g_assert_cmpuint (totals.full_scans, ==, 1);
  g_assert_cmpuint (totals.used_slots, ==, 4);
  put_change (world, 4);
  read_changes (world);
  expect_told (world, "b4 ");

  /* Overtaken while it is read: the entry is a newer one. */
  world->control->fresh = UINT64_MAX;
  world->changes[world->control->changes % N_CHANGES] =
      (world->control->changes + N_CHANGES) << 32 | 4;
  world->control->changes++;
  read_changes (world);
  expect_told (world, "c0 c1 c2 c3 c4 ");
  weir_bpf_source_get_totals (&world->source, &totals);
  g_assert_cmpuint (totals.full_scans, ==, 2);
  g_assert_cmpuint (totals.used_slots, ==, N_SLOTS);
}

/* What is too much for one call the next ones read; what moves meanwhile, the next reading. */
static void
test_rest (struct world *world, const void *data)
{
  for (uint32_t i = 0; i < 5; i++)
    {
      set_flow (world, i, 1, 1);
      put_change (world, i);
    }
  world->slots[1].epoch = get_epoch () + 100;
  g_assert_false (weir_bpf_source_read_changes (&world->source, 2, take, world));
  expect_told (world, "b0 b1 ");
  world->slots[0].rx_bytes = 50;
  put_change (world, 0);
  put_change (world, 3);
  g_assert_false (weir_bpf_source_read_changes (&world->source, 2, take, world));
  expect_told (world, "b2 b3 ");
  g_assert_true (weir_bpf_source_read_changes (&world->source, 2, take, world));
  expect_told (world, "b4 ");
  g_assert_false (weir_bpf_source_read_changes (&world->source, 2, take, world));
  expect_told (world, "c1 c0 ");
  g_assert_true (weir_bpf_source_read_changes (&world->source, 2, take, world));
  expect_told (world, "c3 ");
}

/* The same where the list was overrun, and so all are looked at. */
static void
test_rest_of_all (struct world *world, const void *data)
{
  for (uint32_t i = 0; i < 5; i++)
    set_flow (world, i, 1, 1);
  world->control->fresh = 5;
  for (unsigned i = 0; i < N_CHANGES + 1; i++)
    put_change (world, 4);
  g_assert_false (weir_bpf_source_read_changes (&world->source, 3, take, world));
  expect_told (world, "b0 b1 b2 ");
  put_change (world, 1);
  g_assert_true (weir_bpf_source_read_changes (&world->source, 3, take, world));
  expect_told (world, "b3 b4 ");
  g_assert_true (weir_bpf_source_read_changes (&world->source, 3, take, world));
  expect_told (world, "c1 ");
}

/* What waits to be looked at again is looked at once where all are. */
static void
test_again_of_all (struct world *world, const void *data)
{
  for (uint32_t i = 0; i < 3; i++)
    {
      set_flow (world, i, 1, 1);
      world->slots[i].epoch = get_epoch () + 100;
    }
  world->control->fresh = 3;
  for (unsigned i = 0; i < N_CHANGES + 1; i++)
    put_change (world, 0);
  g_assert_true (weir_bpf_source_read_changes (&world->source, 3, take, world));
  expect_told (world, "b0 b1 b2 ");
  for (unsigned i = 0; i < N_CHANGES + 1; i++)
    put_change (world, 0);
  g_assert_true (weir_bpf_source_read_changes (&world->source, 3, take, world));
  expect_told (world, "c0 c1 c2 ");
  g_assert_true (weir_bpf_source_read_changes (&world->source, 3, take, world));
  expect_told (world, "c0 c1 c2 ");
}

struct figures
{
  uint64_t before[N_SLOTS]; /* when the reading began */
  uint64_t told[N_SLOTS];
  unsigned n;
};

static void
note (const struct weir_bpf_reading *reading, enum weir_bpf_news news, void *data)
{
  struct figures *figures = data;

  figures->told[reading->slot] = reading->rx_bytes;
  figures->n++;
}

/* As a program does it: marked once in an epoch, be it this one or one that is long over. */
static void
move_any (struct world *world)
{
  const uint32_t number = (uint32_t) g_test_rand_int_range (0, N_SLOTS);
  struct weir_bpf_slot *slot = &world->slots[number];
  const bool is_over = g_test_rand_bit ();
  const uint64_t epoch = get_epoch () - (is_over ? 10 : 0);

  slot->rx_bytes++;
  if (is_over || slot->epoch != epoch)
    put_change (world, number);
  slot->epoch = epoch;
}

/* Whatever moves, whenever: once a reading is through, all is told that had moved before it. */
static void
test_nothing_is_lost (struct world *world, const void *data)
{
  struct figures figures = { 0 };
  unsigned n_readings = 0;

  for (uint32_t i = 0; i < N_SLOTS; i++)
    set_flow (world, i, 1, 0);
  world->control->fresh = N_SLOTS;
  for (unsigned round = 0; round < 20000; round++)
    {
      /* At times more than the list has room for. */
      const gint n = g_test_rand_int_range (0, g_test_rand_int_range (0, 10) == 0 ? 200 : 4);
      const unsigned budget = (unsigned) g_test_rand_int_range (1, 6);

      for (gint i = 0; i < n; i++)
        move_any (world);
      for (uint32_t i = 0; i < N_SLOTS && !world->source.is_reading; i++)
        figures.before[i] = world->slots[i].rx_bytes;
      figures.n = 0;
      if (!weir_bpf_source_read_changes (&world->source, budget, note, &figures))
        {
          g_assert_cmpuint (figures.n, <=, budget);
          continue;
        }
      n_readings++;
      for (uint32_t i = 0; i < N_SLOTS; i++)
        g_assert_cmpuint (figures.told[i], >=, figures.before[i]);
    }
  g_assert_cmpuint (n_readings, >, 1000);
  g_assert_cmpuint (world->source.full_scans, >, 100);
}

/* While a slot is given away there is nothing to be read in it; afterwards there is. */
static void
test_changing (struct world *world, const void *data)
{
  struct weir_bpf_totals totals;

  set_flow (world, 1, 1, 1);
  world->slots[1].tag = UINT64_C (1) << 32 | WEIR_BPF_SLOT_CHANGING;
  put_change (world, 1);
  put_event (world, WEIR_BPF_EVENT_BORN, 1, 1);
  read_events (world);
  read_changes (world);
  expect_told (world, "");
  weir_bpf_source_get_totals (&world->source, &totals);
  g_assert_cmpuint (totals.torn, ==, 1);
  world->slots[1].tag = UINT64_C (1) << 32 | WEIR_BPF_SLOT_BUSY;
  read_changes (world);
  expect_told (world, "b1 ");
}

/* What was in a slot that was used again is known to have been, read or not. */
static void
test_generations (struct world *world, const void *data)
{
  struct weir_bpf_totals totals;

  set_flow (world, 1, 1, 100);
  put_change (world, 1);
  read_changes (world);
  expect_told (world, "b1 ");

  set_flow (world, 1, 2, 7);
  world->statistics[3].sums[WEIR_BPF_SUM_RETIRED].rx_bytes = 130;
  world->statistics[5].sums[WEIR_BPF_SUM_RETIRED].rx_packets = 2;
  put_change (world, 1);
  read_changes (world);
  expect_told (world, "e1 b1 ");
  weir_bpf_source_get_totals (&world->source, &totals);
  g_assert_cmpuint (totals.sums[WEIR_BPF_SUM_RETIRED].rx_bytes, ==, 130);
  g_assert_cmpuint (totals.unread.rx_bytes, ==, 30);
  g_assert_cmpuint (totals.unread.rx_packets, ==, 1);

  /* Told by an event, and not once more. */
  put_event (world, WEIR_BPF_EVENT_ENDED, 1, 2);
  read_events (world);
  expect_told (world, "e1 ");
  g_assert_cmpuint (world->last.generation, ==, 2);
  set_flow (world, 1, 3, 7);
  put_change (world, 1);
  read_changes (world);
  expect_told (world, "b1 ");
}

static void
test_never_moved (struct world *world, const void *data)
{
  set_flow (world, 1, 1, 0);
  world->slots[1].rx_packets = 0;
  put_change (world, 1);
  set_flow (world, 2, 1, 5);
  world->slots[2].key.family = 9;
  put_change (world, 2);
  put_event (world, WEIR_BPF_EVENT_BORN, 1, 1);
  read_events (world);
  read_changes (world);
  expect_told (world, "");
}

static void
test_unavailable (void)
{
  struct weir_bpf_opened opened;
  struct weir_bpf_source source;
  struct weir_bpf_totals totals;

  weir_bpf_opened_init (&opened, WEIR_REASON_NO_CGROUPS, 2, "cgroup v2");
  g_assert_cmpint (weir_bpf_source_init (&source, &opened), ==, 0);
  g_assert_cmpint (weir_bpf_source_get_fd (&source), ==, -1);
  g_assert_false (weir_bpf_source_read_events (&source, 1, take, NULL));
  weir_bpf_source_read_changes (&source, UINT_MAX, take, NULL);
  weir_bpf_source_get_totals (&source, &totals);
  g_assert_cmpuint (totals.used_slots, ==, 0);
  g_assert_cmpuint (source.opened.reason, ==, WEIR_REASON_NO_CGROUPS);
  weir_bpf_source_clear (&source);
}

/* ---- while it is written ---- */

static gboolean writing;

/* Two flows take turns in one slot; all figures of a flow are its generation. */
static gpointer
write_slot (gpointer data)
{
  struct world *world = data;
  struct weir_bpf_slot *slot = &world->slots[0];

  for (uint32_t generation = 2; g_atomic_int_get (&writing); generation++)
    {
      __atomic_store_n (&slot->tag, (uint64_t) (generation - 1) << 32 | WEIR_BPF_SLOT_CHANGING,
                        __ATOMIC_SEQ_CST);
      __atomic_thread_fence (__ATOMIC_SEQ_CST);
      slot->rx_bytes = slot->tx_bytes = slot->rx_extra = slot->born = generation;
      slot->key.cookie = generation;
      slot->user.pid = slot->ifindex = generation;
      __atomic_store_n (&slot->tag, (uint64_t) generation << 32 | WEIR_BPF_SLOT_BUSY,
                        __ATOMIC_SEQ_CST);
    }
  return NULL;
}

static void
check_whole (const struct weir_bpf_reading *reading, enum weir_bpf_news news, void *data)
{
  unsigned *n_told = data;

  if (news == WEIR_BPF_NEWS_ENDED || reading->generation == 1)
    return;
  g_assert_cmpuint (reading->rx_bytes, ==, reading->generation);
  g_assert_cmpuint (reading->tx_bytes, ==, reading->generation);
  g_assert_cmpuint (reading->rx_extra, ==, reading->generation);
  g_assert_cmpuint (reading->born, ==, reading->generation);
  g_assert_cmpuint (reading->cookie, ==, reading->generation);
  g_assert_cmpuint (reading->user.pid, ==, reading->generation);
  g_assert_cmpuint (reading->ifindex, ==, reading->generation);
  ++*n_told;
}

static void
test_torn (struct world *world, const void *data)
{
  unsigned n_told = 0;
  GThread *writer;

  set_flow (world, 0, 1, 1);
  writing = TRUE;
  writer = g_thread_new ("writer", write_slot, world);
  for (unsigned i = 0; i < 200000 || n_told < 100; i++)
    {
      put_change (world, 0);
      weir_bpf_source_read_changes (&world->source, UINT_MAX, check_whole, &n_told);
    }
  g_atomic_int_set (&writing, FALSE);
  g_thread_join (writer);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/source-bpf/" name, struct world, NULL, setup, function, teardown)

static void
setup (struct world *world, const void *data)
{
  world_init (world);
}

static void
teardown (struct world *world, const void *data)
{
  world_clear (world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("reading", test_reading);
  ADD ("directions", test_directions);
  ADD ("bad-events", test_bad_events);
  ADD ("socket-events", test_socket_events);
  ADD ("unfinished-record", test_unfinished_record);
  ADD ("budget", test_budget);
  ADD ("changes", test_changes);
  ADD ("current-epoch", test_current_epoch);
  ADD ("unwritten-change", test_unwritten_change);
  ADD ("lost-change", test_lost_change);
  ADD ("many-unwritten", test_many_unwritten);
  ADD ("overrun", test_overrun);
  ADD ("rest", test_rest);
  ADD ("rest-of-all", test_rest_of_all);
  ADD ("again-of-all", test_again_of_all);
  ADD ("nothing-is-lost", test_nothing_is_lost);
  ADD ("changing", test_changing);
  ADD ("generations", test_generations);
  ADD ("never-moved", test_never_moved);
  ADD ("torn", test_torn);
  g_test_add_func ("/source-bpf/unavailable", test_unavailable);
  return g_test_run ();
}
