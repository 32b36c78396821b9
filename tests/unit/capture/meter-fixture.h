/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A meter that has kernel programs, in memory of its own, and clocks that stand still. */
#pragma once

#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "weir-meter-private.h"

#define RING_SIZE 4096

struct fixture
{
  struct weir_meter *meter;
  uint64_t *produced, *consumed;
  uint8_t *ring;
};

/* What the clocks say, and what of the processor's time each look at them shows more. */
static struct weir_moment clocks;
static uint64_t cost;

static inline void
read_clocks (struct weir_moment *ret_now)
{
  clocks.cpu += cost;
  *ret_now = clocks;
}

static inline void *
make_memory (size_t size)
{
  void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (memory != MAP_FAILED);
  return memory;
}

static inline void
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

static inline void
tear_down (struct fixture *fixture, gconstpointer data)
{
  fixture->meter->bpf.opened.ring = -1;
  weir_bpf_source_clear (&fixture->meter->bpf);
  weir_join_clear (&fixture->meter->join);
  g_free (fixture->meter);
}
