/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a flow gets its slot, and how it gives it up.
 *
 * Whoever changes a tag from BUSY to something else, by compare and swap, has the slot for itself;
 * the generation in the tag tells one use from the next.  So no slot is ever given to two. */
#pragma once

#include "weir-bpf-packet.h"

#define SEARCHED_AT_ONCE 32

/* By a socket that has its share, for one of its own: at least every fourth slot, or of the
 * kernel's every sixteenth, but they may lie together. */
#define SEARCHED_FOR_OWN 512

/* Of a slot whose socket does not know yet which one comes next. */
#define NEXT_NOT_YET 0xffffffffU

static __always_inline uint64_t
make_tag (uint32_t generation, enum weir_bpf_slot_state state)
{
  return (uint64_t) generation << 32 | state;
}

static __always_inline uint32_t
get_generation (uint64_t tag)
{
  return tag >> 32;
}

/* References: the number of a slot plus 1, and a generation. */
static __always_inline uint64_t
make_reference (uint32_t number, uint32_t generation)
{
  return (uint64_t) generation << 32 | (number + 1);
}

/* The slot, as long as it is still that flow's, be it closed. */
static __always_inline struct weir_bpf_slot *
follow (uint64_t reference)
{
  struct weir_bpf_slot *slot;

  if (!reference)
    return 0;
  slot = get_slot ((uint32_t) reference - 1);
  return slot && get_generation (READ (slot->tag)) == get_generation (reference) ? slot : 0;
}

static __always_inline bool
equals (const struct weir_bpf_key *a, const struct weir_bpf_key *b)
{
  const uint64_t *x = (const uint64_t *) a, *y = (const uint64_t *) b;

  return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]) |
          (x[5] ^ y[5]) | (x[6] ^ y[6])) == 0;
}

static __always_inline bool
is_tcp (const struct weir_bpf_slot *slot)
{
  return slot->key.protocol == PROTOCOL_TCP && !(slot->flags & WEIR_BPF_RAW);
}

/* ---- shares ---- */

/* Whether a socket may have one more; if so, it is counted. */
static __always_inline bool
take_share (struct weir_bpf_control *shared, uint64_t cookie, uint32_t flags)
{
  const uint64_t none = 0;
  uint64_t *share;

  if (flags & WEIR_BPF_KERNEL)
    {
      if (READ (shared->kernel_slots) >= n_slots / WEIR_BPF_KERNEL_SHARE)
        return false;
      __sync_fetch_and_add (&shared->kernel_slots, 1);
      return true;
    }
  share = bpf_map_lookup_elem (&shares, &cookie);
  if (!share)
    {
      bpf_map_update_elem (&shares, &cookie, &none, BPF_NOEXIST);
      share = bpf_map_lookup_elem (&shares, &cookie);
    }
  if (!share || READ (*share) >= n_slots / WEIR_BPF_SOCKET_SHARE)
    return false;
  __sync_fetch_and_add (share, 1);
  return true;
}

static __always_inline void
give_share (struct weir_bpf_control *shared, uint64_t cookie, uint32_t flags)
{
  uint64_t *share;

  if (flags & WEIR_BPF_KERNEL)
    {
      __sync_fetch_and_add (&shared->kernel_slots, -1);
      return;
    }
  share = bpf_map_lookup_elem (&shares, &cookie);
  if (share && __sync_fetch_and_add (share, -1) <= 1)
    bpf_map_delete_elem (&shares, &cookie);
}

/* ---- taking one ---- */

struct search
{
  uint64_t hand, now;
  uint64_t cookie; /* of the only socket whose slots will do; 0: everybody's */
  uint64_t tag;    /* that the slot had which was found */
  uint32_t found;  /* one more than its number */
  bool kernels;    /* with a cookie: those of all sockets of the kernel will do instead */
};

/* Not is_tcp() alone: one that could not be put back has no entry any more. */
static __always_inline void
forget (struct weir_bpf_control *shared, struct weir_bpf_slot *slot)
{
  if (is_tcp (slot) || slot->flags & WEIR_BPF_CLOSED)
    return;
  bpf_map_delete_elem (&flows, &slot->key);
  give_share (shared, slot->key.cookie, slot->flags);
}

/* Whether a slot counts for the same share as the one that is looked for. */
static __always_inline bool
is_of_share (const struct weir_bpf_slot *slot, const struct search *search)
{
  const uint32_t flags = READ (slot->flags);

  if (flags & WEIR_BPF_CLOSED || is_tcp (slot) || !(flags & WEIR_BPF_KERNEL) == search->kernels)
    return false;
  return search->kernels || READ (slot->key.cookie) == search->cookie;
}

/* Ends with a slot that is the caller's; nobody was told of that yet. */
static long
look_at_next (uint32_t step, struct search *search)
{
  const uint32_t number = (search->hand + step) % n_slots;
  struct weir_bpf_slot *slot = get_slot (number);
  uint64_t tag, wanted;

  if (!slot)
    return 1;
  tag = READ (slot->tag);
  if ((uint32_t) tag != WEIR_BPF_SLOT_BUSY || READ (slot->epoch) + idle_epochs > search->now ||
      (search->cookie && !is_of_share (slot, search)))
    return 0;
  wanted = make_tag (get_generation (tag), WEIR_BPF_SLOT_CHANGING);
  if (__sync_val_compare_and_swap (&slot->tag, tag, wanted) != tag)
    return 0;
  search->tag = tag;
  search->found = number + 1;
  return 1;
}

/* Ends the flow whose slot was found. */
static __always_inline uint32_t
take_found (const struct search *search)
{
  struct weir_bpf_control *shared = get_control ();
  struct weir_bpf_slot *slot = search->found ? get_slot (search->found - 1) : 0;

  if (!slot || !shared)
    return 0;
  if (search->cookie)
    bpf_map_delete_elem (&flows, &slot->key);
  else
    {
      forget (shared, slot);
      shared->last_shortage = bpf_ktime_get_boot_ns ();
    }
  tell (WEIR_BPF_EVENT_ENDED, search->found - 1, get_generation (search->tag));
  add_count (WEIR_BPF_COUNT_EVICTED);
  return search->found;
}

/* From a flow that has not moved for long.  Its last figures have been read since, unless nobody
 * reads any. */
static __always_inline uint32_t
evict (struct weir_bpf_control *shared)
{
  struct search search = { .now = get_epoch () };

  search.hand = __sync_fetch_and_add (&shared->hand, SEARCHED_AT_ONCE);
  bpf_loop (SEARCHED_AT_ONCE, look_at_next, &search, 0);
  return take_found (&search);
}

/* From a flow of the same share, which then goes with the slot. */
static __noinline uint32_t
evict_own (struct notes *notes, uint64_t cookie, uint32_t flags)
{
  struct search search = { .now = get_epoch (), .cookie = cookie };

  search.kernels = flags & WEIR_BPF_KERNEL ? true : false;
  search.hand = READ (notes->hand);
  bpf_loop (SEARCHED_FOR_OWN, look_at_next, &search, 0);
  notes->hand = search.found ? search.found : search.hand + SEARCHED_FOR_OWN;
  return take_found (&search);
}

/* One more than the number of a slot that is nobody else's; 0: there is none. */
APART uint32_t
take_number (void)
{
  struct weir_bpf_control *shared = get_control ();
  uint32_t number;

  if (!shared)
    return 0;
  if (READ (shared->fresh) < n_slots)
    {
      const uint64_t fresh = __sync_fetch_and_add (&shared->fresh, 1);

      if (fresh < n_slots)
        return fresh + 1;
    }
  if (bpf_map_pop_elem (&freed, &number) == 0)
    return number + 1;
  return evict (shared);
}

#define RETIRE(here, slot, what)                                                                   \
  __sync_fetch_and_add (&(here)->sums[WEIR_BPF_SUM_RETIRED].what,                                  \
                        __sync_lock_test_and_set (&(slot)->what, 0))

/* What nobody may have read is in the sum of what was retired. */
static __always_inline void
empty (struct weir_bpf_slot *slot)
{
  struct weir_bpf_statistics *here = get_statistics ();

  if (!here)
    return;
  RETIRE (here, slot, rx_bytes);
  RETIRE (here, slot, tx_bytes);
  RETIRE (here, slot, rx_packets);
  RETIRE (here, slot, tx_packets);
  slot->rx_payload = slot->tx_payload = slot->rx_extra = slot->tx_extra = 0;
}

/* ---- giving it back ---- */

/* Of a slot that was just made FREE by the caller.  Where that fails it stays BUSY, and is found
 * when it has been idle. */
static __always_inline void
push (struct weir_bpf_slot *slot, uint32_t number, uint64_t busy_tag)
{
  if (bpf_map_push_elem (&freed, &number, 0) == 0)
    return;
  __sync_lock_test_and_set (&slot->tag, busy_tag);
  add_count (WEIR_BPF_COUNT_NOT_FREED);
}

/* One that nobody was told of, because another processor was faster. */
static __always_inline void
put_back (struct weir_bpf_slot *slot, uint32_t number, uint64_t tag)
{
  __sync_fetch_and_or (&slot->flags, WEIR_BPF_CLOSED);
  mark (slot, number);
  if (__sync_val_compare_and_swap (&slot->tag, tag,
                                   make_tag (get_generation (tag), WEIR_BPF_SLOT_FREE)) == tag)
    push (slot, number, tag);
}

/* @user: 0 leaves it as it is. */
static __noinline int
close_slot (struct weir_bpf_control *shared, struct weir_bpf_slot *slot, uint32_t number,
            uint64_t tag, const struct weir_bpf_owner *user)
{
  const uint32_t generation = get_generation (tag);

  if (__sync_val_compare_and_swap (&slot->tag, tag, make_tag (generation, WEIR_BPF_SLOT_FREE)) !=
      tag)
    return 0;
  if (user)
    slot->user = *user;
  forget (shared, slot);
  __sync_fetch_and_or (&slot->flags, WEIR_BPF_CLOSED);
  mark (slot, number);
  tell (WEIR_BPF_EVENT_CLOSED, number, generation);
  add_count (WEIR_BPF_COUNT_CLOSED);
  push (slot, number, tag);
  return 0;
}

struct walk
{
  uint64_t cookie;
  uint32_t next; /* one more than the number */
  uint32_t lost;
  struct weir_bpf_owner user;
};

/* One step along the slots of a socket.  One that was evicted is another's now, and where the way
 * would have gone on is not known any more. */
static long
close_next (uint32_t step, struct walk *walk)
{
  struct weir_bpf_control *shared = get_control ();
  const uint32_t number = walk->next - 1;
  struct weir_bpf_slot *slot;
  uint32_t next;
  uint64_t tag;

  if (!walk->next || !shared)
    return 1;
  slot = get_slot (number);
  if (!slot)
    return 1;
  tag = READ (slot->tag);
  next = READ (slot->next);
  /* One that is not in use was evicted and given to the same socket again: the way goes in a
   * circle. */
  if (READ (slot->key.cookie) != walk->cookie || READ (slot->tag) != tag ||
      (uint32_t) tag != WEIR_BPF_SLOT_BUSY)
    {
      walk->lost = 1;
      return 1;
    }
  close_slot (shared, slot, number, tag, &walk->user);
  if (next == NEXT_NOT_YET)
    {
      walk->lost = 1;
      return 1;
    }
  walk->next = next;
  return 0;
}

/* Where the way was lost: looks at all. */
static long
close_if_its (uint32_t number, struct walk *walk)
{
  struct weir_bpf_control *shared = get_control ();
  struct weir_bpf_slot *slot = get_slot (number);
  uint64_t tag;

  if (!slot || !shared)
    return 1;
  tag = READ (slot->tag);
  if ((uint32_t) tag == WEIR_BPF_SLOT_BUSY && READ (slot->key.cookie) == walk->cookie &&
      READ (slot->tag) == tag)
    close_slot (shared, slot, number, tag, &walk->user);
  return 0;
}
