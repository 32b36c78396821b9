/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The programs write while this reads, and nothing keeps them from it.  What can go wrong, and what
 * is done about it:
 *
 * - A slot is given to another flow while it is read.  Its tag is read before and after: a reading
 *   that has the same twice is of one flow.
 * - Counters move between the loads of two of them: bytes may be a packet ahead of packets.  The
 *   next reading has both.
 * - Whoever uses a socket changes, and half of the one and half of the other is read.  That flow is
 *   marked afterwards, and read again.
 * - A flow is marked once in an epoch, and moves on after it was read in that epoch.  So what was
 *   marked in the current epoch, or the one before, is read again the next time.
 * - Somebody is interrupted between taking a place on the list of what changed and writing it.  The
 *   place is remembered, and what is behind it is read; where it stays empty, or was overwritten by
 *   somebody who was late, all slots are read instead.
 * - More moved than may be read at once.  What there was when a reading began is read by the calls
 *   that follow, and what comes meanwhile by the next reading, which is therefore as bounded.
 */
#include "config.h"

#include "source-bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weir-addresses.h"

/* How often a slot is tried that changes while it is read. */
#define TRIES 4

/* For how many readings an entry is waited for. */
#define HELD_READINGS 4

struct weir_bpf_seen
{
  struct weir_bpf_sum sum;
  uint32_t generation;
  uint32_t reading; /* the last one that read it */
  bool told, closed;
  bool is_again; /* it waits in @again */
};

/* What one call of weir_bpf_source_read_changes() needs. */
struct call
{
  uint64_t epoch;
  unsigned left; /* slots that may still be looked at */
  weir_bpf_func func;
  void *data;
};

_Static_assert (sizeof (struct weir_bpf_key) == 56, "compared as seven words");
_Static_assert (sizeof (struct weir_bpf_socket_event) == 56, "not that of the other events");

/* ---- memory ---- */

static uint64_t
load (const uint64_t *word)
{
  return __atomic_load_n (word, __ATOMIC_RELAXED);
}

static uint32_t
get_generation (uint64_t tag)
{
  return (uint32_t) (tag >> 32);
}

/* 0, -ENOENT when nothing is in the slot, -EAGAIN when it does not stay the same for long enough.
 */
static int
copy_slot (const struct weir_bpf_slot *slot, struct weir_bpf_slot *ret_copy)
{
  const uint64_t *from = (const uint64_t *) slot;
  uint64_t *to = (uint64_t *) ret_copy;

  for (unsigned i = 0; i < TRIES; i++)
    {
      const uint64_t tag = __atomic_load_n (&slot->tag, __ATOMIC_ACQUIRE);

      if (get_generation (tag) == 0)
        return -ENOENT;
      for (size_t word = 0; word < sizeof *slot / sizeof *from; word++)
        to[word] = load (&from[word]);
      __atomic_thread_fence (__ATOMIC_ACQUIRE);
      if ((uint32_t) tag != WEIR_BPF_SLOT_CHANGING && load (&slot->tag) == tag)
        {
          ret_copy->tag = tag;
          return 0;
        }
    }
  return -EAGAIN;
}

static uint64_t
get_epoch (void)
{
  struct timespec now;

  /* The clock of bpf_ktime_get_coarse_ns(). */
  clock_gettime (CLOCK_MONOTONIC_COARSE, &now);
  return ((uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec) >> WEIR_BPF_EPOCH_SHIFT;
}

/* ---- readings ---- */

static uint8_t
find_direction (const struct weir_bpf_slot *slot)
{
  if (slot->flags & WEIR_BPF_ACCEPTED)
    return WEIR_DIRECTION_IN;
  if (slot->key.protocol == IPPROTO_TCP && slot->flags & WEIR_BPF_CONNECTED)
    return WEIR_DIRECTION_OUT;
  /* Who sends first has opened it, if this was the first. */
  if (!(slot->flags & WEIR_BPF_WHOLE) || slot->flags & WEIR_BPF_CONTINUED)
    return WEIR_DIRECTION_UNKNOWN;
  if (slot->flags & WEIR_BPF_FIRST_TX)
    return WEIR_DIRECTION_OUT;
  return slot->flags & WEIR_BPF_FIRST_RX ? WEIR_DIRECTION_IN : WEIR_DIRECTION_UNKNOWN;
}

static struct weir_endpoint
read_endpoint (const uint32_t address[4], uint16_t port, uint8_t family)
{
  struct weir_endpoint endpoint = { .port = port };

  if (family == 0)
    return endpoint;
  if (family == 4)
    weir_address_map_v4 (address, endpoint.address);
  else
    memcpy (endpoint.address, address, sizeof endpoint.address);
  return endpoint;
}

static struct weir_bpf_process
read_process (const struct weir_bpf_owner *owner)
{
  struct weir_bpf_process process = {
    .pid = owner->pid,
    .uid = owner->uid,
    .cgroup_id = owner->cgroup_id,
  };

  memcpy (process.comm, owner->comm, sizeof process.comm);
  process.has_threads_name = process.comm[sizeof process.comm - 1] == WEIR_BPF_COMM_THREADS;
  process.comm[sizeof process.comm - 1] = '\0';
  return process;
}

static void
make_reading (const struct weir_bpf_slot *slot, uint32_t number,
              struct weir_bpf_reading *ret_reading)
{
  const struct weir_bpf_key *key = &slot->key;

  *ret_reading = (struct weir_bpf_reading) {
    .slot = number,
    .generation = get_generation (slot->tag),
    .flags = slot->flags,
    .cookie = key->cookie,
    .netns_cookie = slot->netns_cookie,
    .protocol = key->protocol,
    .family = key->family,
    .direction = find_direction (slot),
    .local = read_endpoint (key->local, key->local_port, key->family),
    .remote = read_endpoint (key->remote, key->remote_port, key->family),
    .discriminator = key->discriminator,
    .ifindex = slot->ifindex,
    .born = slot->born,
    .rx_bytes = slot->rx_bytes,
    .tx_bytes = slot->tx_bytes,
    .rx_packets = slot->rx_packets,
    .tx_packets = slot->tx_packets,
    .rx_payload = slot->rx_payload,
    .tx_payload = slot->tx_payload,
    .rx_extra = slot->rx_extra,
    .tx_extra = slot->tx_extra,
    .opener = read_process (&slot->opener),
    .user = read_process (&slot->user),
  };
}

/* A slot whose flow nobody was told of, because it never got that far, has moved nothing. */
static bool
is_flow (const struct weir_bpf_slot *slot)
{
  return (slot->key.family == 4 || slot->key.family == 6 || (slot->flags & WEIR_BPF_FRAMES) != 0) &&
         slot->rx_packets + slot->tx_packets > 0;
}

/* ---- what was told ---- */

static void
add_sum (struct weir_bpf_sum *sum, const struct weir_bpf_sum *more)
{
  sum->rx_bytes += more->rx_bytes;
  sum->tx_bytes += more->tx_bytes;
  sum->rx_packets += more->rx_packets;
  sum->tx_packets += more->tx_packets;
}

static void
tell_ended (uint32_t number, uint32_t generation, weir_bpf_func func, void *data)
{
  const struct weir_bpf_reading reading = { .slot = number, .generation = generation };

  func (&reading, WEIR_BPF_NEWS_ENDED, data);
}

/* What comes now is another flow's. */
static void
forget (struct weir_bpf_source *source, uint32_t number, weir_bpf_func func, void *data)
{
  struct weir_bpf_seen *seen = &source->seen[number];

  add_sum (&source->retired_seen, &seen->sum);
  if (seen->told)
    tell_ended (number, seen->generation, func, data);
  *seen = (struct weir_bpf_seen) { .reading = seen->reading, .is_again = seen->is_again };
}

static void
tell (struct weir_bpf_source *source, uint32_t number, const struct weir_bpf_slot *slot,
      weir_bpf_func func, void *data)
{
  struct weir_bpf_seen *seen = &source->seen[number];
  struct weir_bpf_reading reading;
  bool closes;

  if (seen->generation != get_generation (slot->tag))
    forget (source, number, func, data);
  seen->generation = get_generation (slot->tag);
  if (!is_flow (slot))
    return;
  seen->sum = (struct weir_bpf_sum) {
    .rx_bytes = slot->rx_bytes,
    .tx_bytes = slot->tx_bytes,
    .rx_packets = slot->rx_packets,
    .tx_packets = slot->tx_packets,
  };
  make_reading (slot, number, &reading);
  closes = (slot->flags & WEIR_BPF_CLOSED) != 0 && !seen->closed;
  if (!seen->told)
    func (&reading, WEIR_BPF_NEWS_BORN, data);
  else if (!closes)
    func (&reading, WEIR_BPF_NEWS_CHANGED, data);
  if (closes)
    func (&reading, WEIR_BPF_NEWS_CLOSED, data);
  seen->told = true;
  seen->closed = seen->closed || closes;
}

/* ---- events ---- */

static void
read_event (struct weir_bpf_source *source, const struct weir_bpf_event *event, weir_bpf_func func,
            void *data)
{
  struct weir_bpf_slot slot;
  struct weir_bpf_seen *seen;

  if (event->slot >= source->opened.n_slots || event->kind < WEIR_BPF_EVENT_BORN ||
      event->kind > WEIR_BPF_EVENT_ENDED)
    {
      source->bad_events++;
      return;
    }
  seen = &source->seen[event->slot];
  if (event->kind == WEIR_BPF_EVENT_ENDED)
    {
      if (seen->told && seen->generation == event->generation)
        {
          tell_ended (event->slot, event->generation, func, data);
          seen->told = false;
        }
      return;
    }
  /* What is missed here, the tick finds. */
  if (copy_slot (&source->opened.slots[event->slot], &slot) == 0 &&
      get_generation (slot.tag) == event->generation &&
      !(seen->told && seen->generation == event->generation && event->kind == WEIR_BPF_EVENT_BORN))
    tell (source, event->slot, &slot, func, data);
}

static void
read_socket_event (struct weir_bpf_source *source, const struct weir_bpf_socket_event *event,
                   weir_bpf_func func, void *data)
{
  struct weir_bpf_reading reading = { .cookie = event->cookie, .born = event->since };

  switch (event->kind)
    {
    case WEIR_BPF_EVENT_NAMED:
      *(event->is_opener ? &reading.opener : &reading.user) = read_process (&event->owner);
      func (&reading, WEIR_BPF_NEWS_NAMED, data);
      break;
    case WEIR_BPF_EVENT_RELEASED:
      func (&reading, WEIR_BPF_NEWS_RELEASED, data);
      break;
    default:
      source->bad_events++;
    }
}

/* What is in a record, and how much. */
struct record
{
  uint32_t size; /* 0: nothing that counts */
  union
  {
    struct weir_bpf_event flow;
    struct weir_bpf_socket_event socket;
  };
};

/* The size of the record at @at with its header, or 0: it is not written yet. */
static uint64_t
read_record (const struct weir_bpf_opened *opened, uint64_t at, struct record *ret_record)
{
  const uint8_t *record = opened->ring_data + (at & (opened->ring_size - 1));
  const uint32_t header =
      __atomic_load_n ((const uint32_t *) (const void *) record, __ATOMIC_ACQUIRE);
  const uint32_t size = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

  if ((header & BPF_RINGBUF_BUSY_BIT) != 0)
    return 0;
  ret_record->size = 0;
  if ((header & BPF_RINGBUF_DISCARD_BIT) == 0 &&
      (size == sizeof ret_record->flow || size == sizeof ret_record->socket))
    {
      ret_record->size = size;
      memcpy (&ret_record->socket, record + BPF_RINGBUF_HDR_SZ, size);
    }
  return BPF_RINGBUF_HDR_SZ + (((uint64_t) size + 7) & ~(uint64_t) 7);
}

bool
weir_bpf_source_read_events (struct weir_bpf_source *source, unsigned budget, weir_bpf_func func,
                             void *data)
{
  const struct weir_bpf_opened *opened = &source->opened;
  uint64_t at, end;

  source->is_held_up = false;
  if (source->seen == NULL)
    return false;
  at = __atomic_load_n (opened->ring_consumed, __ATOMIC_RELAXED);
  end = __atomic_load_n (opened->ring_produced, __ATOMIC_ACQUIRE);
  for (; at < end && budget > 0; budget--)
    {
      struct record record;
      const uint64_t size = read_record (opened, at, &record);

      if (size == 0)
        {
          source->is_held_up = true;
          return false;
        }
      if (record.size == sizeof record.flow)
        read_event (source, &record.flow, func, data);
      else if (record.size == sizeof record.socket)
        read_socket_event (source, &record.socket, func, data);
      else
        source->bad_events++;
      /* A size that leads beyond the end is none: begin again where the kernel is. */
      at = size <= end - at ? at + size : end;
      __atomic_store_n (opened->ring_consumed, at, __ATOMIC_RELEASE);
    }
  return at < end;
}

/* ---- changes ---- */

static void
look_again (struct weir_bpf_source *source, uint32_t number)
{
  struct weir_bpf_seen *seen = &source->seen[number];

  if (seen->is_again)
    return;
  seen->is_again = true;
  source->again[(source->again_at + source->n_again++) % source->opened.n_slots] = number;
}

/* Each slot once in a reading. */
static void
visit (struct weir_bpf_source *source, uint32_t number, struct call *call)
{
  struct weir_bpf_slot slot;
  int r;

  if (number >= source->opened.n_slots || source->seen[number].reading == source->reading)
    return;
  source->seen[number].reading = source->reading;
  call->left--;
  r = copy_slot (&source->opened.slots[number], &slot);
  if (r == -ENOENT)
    return;
  source->torn += r < 0;
  if (r < 0 || slot.epoch + 1 >= call->epoch)
    look_again (source, number);
  if (r == 0)
    tell (source, number, &slot, call->func, call->data);
}

static uint32_t
take_again (struct weir_bpf_source *source)
{
  const uint32_t number = source->again[source->again_at];

  source->again_at = (source->again_at + 1) % source->opened.n_slots;
  source->n_again--;
  source->left_again--;
  source->seen[number].is_again = false;
  return number;
}

static void
read_again (struct weir_bpf_source *source, struct call *call)
{
  while (source->left_again > 0 && call->left > 0)
    visit (source, take_again (source), call);
}

/* 0: *@ret_number; below: it is not written yet; above: another one has its place. */
static int32_t
read_entry (const struct weir_bpf_opened *opened, uint64_t position, uint32_t *ret_number)
{
  const uint64_t place = position & (opened->n_changes - 1);
  const uint64_t entry = __atomic_load_n (&opened->changes[place], __ATOMIC_ACQUIRE);

  *ret_number = (uint32_t) entry;
  return (int32_t) ((uint32_t) (entry >> 32) - (uint32_t) position);
}

static bool
hold (struct weir_bpf_source *source, uint64_t position, uint32_t reading)
{
  if (source->n_held == WEIR_BPF_HELD_MAX || source->reading - reading >= HELD_READINGS)
    return false;
  source->held[source->n_held].position = position;
  source->held[source->n_held++].reading = reading;
  return true;
}

/* Whether it is known what all entries are that were waited for, or they may still be written. */
static bool
read_held (struct weir_bpf_source *source, struct call *call)
{
  for (; source->left_held > 0 && call->left > 0; source->left_held--)
    {
      const uint64_t position = source->held[0].position;
      const uint32_t reading = source->held[0].reading;
      uint32_t number;
      const int32_t ahead = read_entry (&source->opened, position, &number);

      source->n_held--;
      memmove (source->held, source->held + 1, source->n_held * sizeof source->held[0]);
      if (ahead > 0 || (ahead < 0 && !hold (source, position, reading)))
        return false;
      if (ahead == 0)
        visit (source, number, call);
    }
  return true;
}

static bool
is_overrun (const struct weir_bpf_source *source)
{
  const uint64_t written = __atomic_load_n (&source->opened.control->changes, __ATOMIC_ACQUIRE);

  return source->read_changes < source->end &&
         written - source->read_changes > source->opened.n_changes;
}

/* Whether nothing was overrun of the entries that the reading is to have. */
static bool
read_list (struct weir_bpf_source *source, struct call *call)
{
  for (; source->read_changes < source->end && call->left > 0; source->read_changes++)
    {
      uint32_t number;
      const int32_t ahead = read_entry (&source->opened, source->read_changes, &number);

      if (ahead > 0 || (ahead < 0 && !hold (source, source->read_changes, source->reading)))
        return false;
      if (ahead == 0)
        visit (source, number, call);
    }
  return true;
}

static uint32_t
get_n_used (const struct weir_bpf_opened *opened)
{
  const uint64_t used = load (&opened->control->fresh);

  return used < opened->n_slots ? (uint32_t) used : opened->n_slots;
}

/* All slots instead of the list, those that this reading has had as well: what they moved since was
 * on what is lost of it. */
static void
begin_scan (struct weir_bpf_source *source)
{
  source->full_scans++;
  source->reading++;
  source->read_changes = source->end =
      __atomic_load_n (&source->opened.control->changes, __ATOMIC_ACQUIRE);
  source->n_held = source->left_held = 0;
  while (source->left_again > 0)
    (void) take_again (source);
  source->scan_at = 0;
  source->scan_end = get_n_used (&source->opened);
}

bool
weir_bpf_source_read_changes (struct weir_bpf_source *source, unsigned budget, weir_bpf_func func,
                              void *data)
{
  struct call call = { .epoch = get_epoch (), .left = budget, .func = func, .data = data };

  if (source->seen == NULL)
    return true;
  if (!source->is_reading)
    {
      source->is_reading = true;
      source->reading++;
      source->left_again = source->n_again;
      source->left_held = source->n_held;
      source->end = __atomic_load_n (&source->opened.control->changes, __ATOMIC_ACQUIRE);
    }
  if (is_overrun (source))
    begin_scan (source);
  /* First, so that none of these was read by this reading yet and would be left out. */
  read_again (source, &call);
  if (!read_held (source, &call) || !read_list (source, &call))
    begin_scan (source);
  for (; source->scan_at < source->scan_end && call.left > 0; source->scan_at++)
    visit (source, source->scan_at, &call);
  source->is_reading = source->left_again > 0 || source->left_held > 0 ||
                       source->read_changes < source->end || source->scan_at < source->scan_end;
  return !source->is_reading;
}

bool
weir_bpf_source_read_flow (struct weir_bpf_source *source, uint32_t slot, uint32_t generation,
                           struct weir_bpf_reading *ret_reading)
{
  struct weir_bpf_slot copy;

  if (source->seen == NULL || slot >= source->opened.n_slots ||
      copy_slot (&source->opened.slots[slot], &copy) < 0 ||
      get_generation (copy.tag) != generation || !is_flow (&copy))
    return false;
  make_reading (&copy, slot, ret_reading);
  return true;
}

/* ---- totals ---- */

static uint64_t
subtract (uint64_t from, uint64_t what)
{
  return from > what ? from - what : 0;
}

void
weir_bpf_source_get_totals (const struct weir_bpf_source *source,
                            struct weir_bpf_totals *ret_totals)
{
  const struct weir_bpf_opened *opened = &source->opened;
  const struct weir_bpf_sum *retired = &ret_totals->sums[WEIR_BPF_SUM_RETIRED];

  *ret_totals = (struct weir_bpf_totals) { 0 };
  if (source->seen == NULL)
    return;
  for (unsigned cpu = 0; cpu < WEIR_BPF_CPUS; cpu++)
    {
      const uint64_t *from = (const uint64_t *) &opened->statistics[cpu];
      struct weir_bpf_statistics here;
      uint64_t *to = (uint64_t *) &here;

      for (size_t word = 0; word < sizeof here / sizeof *to; word++)
        to[word] = load (&from[word]);
      for (unsigned i = 0; i < WEIR_BPF_N_SUMS; i++)
        add_sum (&ret_totals->sums[i], &here.sums[i]);
      for (unsigned i = 0; i < WEIR_BPF_N_COUNTS; i++)
        ret_totals->counts[i] += here.counts[i];
    }
  ret_totals->unread = (struct weir_bpf_sum) {
    .rx_bytes = subtract (retired->rx_bytes, source->retired_seen.rx_bytes),
    .tx_bytes = subtract (retired->tx_bytes, source->retired_seen.tx_bytes),
    .rx_packets = subtract (retired->rx_packets, source->retired_seen.rx_packets),
    .tx_packets = subtract (retired->tx_packets, source->retired_seen.tx_packets),
  };
  ret_totals->full_scans = source->full_scans;
  ret_totals->torn = source->torn;
  ret_totals->bad_events = source->bad_events;
  ret_totals->used_slots = get_n_used (opened);
}

int
weir_bpf_source_init (struct weir_bpf_source *source, const struct weir_bpf_opened *opened)
{
  struct weir_bpf_source fresh = { .opened = *opened };

  if (opened->state != WEIR_SOURCE_UNAVAILABLE)
    {
      fresh.seen = calloc (opened->n_slots, sizeof *fresh.seen);
      fresh.again = calloc (opened->n_slots, sizeof *fresh.again);
      if (fresh.seen == NULL || fresh.again == NULL)
        {
          free (fresh.seen);
          free (fresh.again);
          return -ENOMEM;
        }
    }
  *source = fresh;
  return 0;
}

void
weir_bpf_source_clear (struct weir_bpf_source *source)
{
  free (source->seen);
  free (source->again);
  weir_bpf_close (&source->opened);
  *source = (struct weir_bpf_source) { .opened = source->opened };
}

int
weir_bpf_source_get_fd (const struct weir_bpf_source *source)
{
  return source->seen != NULL ? source->opened.ring : -1;
}
