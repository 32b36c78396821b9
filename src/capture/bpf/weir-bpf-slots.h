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

/* Who makes the flow of a socket, and of the flags that its slot gets. */
static __always_inline uint32_t
get_account (const struct notes *notes, uint32_t flags)
{
  if (flags & WEIR_BPF_KERNEL)
    return ACCOUNT_KERNEL;
  if (flags & WEIR_BPF_ACCEPTED)
    return ACCOUNT_ACCEPTED;
  if (!notes->opener.cgroup_id)
    return ACCOUNT_UNKNOWN;
  return notes->opener.uid < ACCOUNT_SUBORDINATE ? notes->opener.uid : ACCOUNT_SUBORDINATE;
}

/* Whether it leaves others enough when it takes another slot. */
static __always_inline bool
has_account_room (const struct weir_bpf_control *shared, uint32_t number)
{
  const struct account *account = bpf_map_lookup_elem (&accounts, &number);
  const uint64_t taken = READ (shared->taken);
  uint64_t has;

  if (!account || taken >= n_slots)
    return false;
  has = READ (account->slots);
  if (number == ACCOUNT_KERNEL && has >= n_slots / WEIR_BPF_KERNEL_SHARE)
    return false;
  return has < (n_slots - taken) * WEIR_BPF_ACCOUNT_TIMES;
}

static __always_inline bool
has_account_little (uint32_t number)
{
  const struct account *account = bpf_map_lookup_elem (&accounts, &number);

  return account && READ (account->slots) < n_slots / WEIR_BPF_ACCOUNT_SHARE;
}

/* TCP has one slot for each socket. */
static __always_inline bool
has_socket_room (uint64_t cookie)
{
  const uint64_t *has = bpf_map_lookup_elem (&shares, &cookie);

  return !has || READ (*has) < n_slots / WEIR_BPF_SOCKET_SHARE;
}

static __always_inline bool
counts_for_socket (const struct weir_bpf_slot *slot)
{
  return !is_tcp (slot) && slot->account != ACCOUNT_KERNEL;
}

static __always_inline void
take_share (struct weir_bpf_control *shared, const struct weir_bpf_slot *slot)
{
  const uint64_t cookie = slot->key.cookie, none = 0;
  const uint32_t number = slot->account;
  struct account *account = bpf_map_lookup_elem (&accounts, &number);
  uint64_t *has;

  __sync_fetch_and_add (&shared->taken, 1);
  if (account)
    __sync_fetch_and_add (&account->slots, 1);
  if (!counts_for_socket (slot))
    return;
  bpf_map_update_elem (&shares, &cookie, &none, BPF_NOEXIST);
  has = bpf_map_lookup_elem (&shares, &cookie);
  if (has)
    __sync_fetch_and_add (has, 1);
}

/* Of each flow once only, whoever ends it: true for him. */
static __always_inline bool
give_share (struct weir_bpf_control *shared, struct weir_bpf_slot *slot)
{
  const uint64_t cookie = slot->key.cookie;
  const uint32_t number = slot->account;
  struct account *account;
  uint64_t *has;

  if (__sync_fetch_and_or (&slot->flags, WEIR_BPF_CLOSED) & WEIR_BPF_CLOSED)
    return false;
  __sync_fetch_and_add (&shared->taken, -1);
  account = bpf_map_lookup_elem (&accounts, &number);
  if (account)
    __sync_fetch_and_add (&account->slots, -1);
  if (!counts_for_socket (slot))
    return true;
  has = bpf_map_lookup_elem (&shares, &cookie);
  if (has && __sync_fetch_and_add (has, -1) <= 1)
    bpf_map_delete_elem (&shares, &cookie);
  return true;
}

/* ---- taking one ---- */

/* Any account's */
#define ACCOUNT_ANY N_ACCOUNTS

struct search
{
  uint64_t hand, now;
  uint64_t cookie;  /* of the only socket whose slots will do; 0: all */
  uint64_t tag;     /* that the slot had which was found */
  uint32_t found;   /* one more than its number */
  uint32_t account; /* whose slots will do */
};

/* Not is_tcp() alone: one that could not be put back has no entry any more. */
static __always_inline void
forget (struct weir_bpf_control *shared, struct weir_bpf_slot *slot)
{
  if (give_share (shared, slot) && !is_tcp (slot))
    bpf_map_delete_elem (&flows, &slot->key);
}

/* Whether a slot counts for the same share as the one that is looked for. */
static __always_inline bool
is_of_share (const struct weir_bpf_slot *slot, const struct search *search)
{
  if (search->account == ACCOUNT_ANY)
    return true;
  if (READ (slot->flags) & WEIR_BPF_CLOSED)
    return false;
  if (search->cookie)
    return READ (slot->key.cookie) == search->cookie && counts_for_socket (slot);
  return READ (slot->account) == search->account;
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
      !is_of_share (slot, search))
    return 0;
  wanted = make_tag (get_generation (tag), WEIR_BPF_SLOT_CHANGING);
  if (__sync_val_compare_and_swap (&slot->tag, tag, wanted) != tag)
    return 0;
  search->tag = tag;
  search->found = number + 1;
  return 1;
}

/* Other sockets than the one that asks lost a slot: flows of theirs may have been there before. */
static __always_inline void
note_shortage (struct weir_bpf_control *shared, uint32_t number)
{
  const uint64_t now = bpf_ktime_get_boot_ns ();
  struct account *account = bpf_map_lookup_elem (&accounts, &number);

  if (account)
    account->last_shortage = now;
  else
    shared->last_shortage = now;
}

/* Whether flows of a socket may have been there before, for that reason. */
static __always_inline bool
had_shortage (const struct weir_bpf_control *shared, const struct notes *notes, uint32_t number)
{
  const struct account *account = bpf_map_lookup_elem (&accounts, &number);

  return shared->last_shortage > notes->born || (account && account->last_shortage > notes->born);
}

/* Ends the flow whose slot was found. */
static __always_inline uint32_t
take_found (const struct search *search)
{
  struct weir_bpf_control *shared = get_control ();
  struct weir_bpf_slot *slot = search->found ? get_slot (search->found - 1) : 0;

  if (!slot || !shared)
    return 0;
  forget (shared, slot);
  if (!search->cookie)
    note_shortage (shared, search->account);
  tell (WEIR_BPF_EVENT_ENDED, search->found - 1, get_generation (search->tag));
  add_count (WEIR_BPF_COUNT_EVICTED);
  return search->found;
}

/* From a flow that has not moved for long, of that account.  Its last figures have been read since,
 * unless nobody reads any.  One more than the number; 0: there is none. */
APART uint32_t
evict (uint32_t account)
{
  struct search search = { .now = get_epoch (), .account = account };
  struct weir_bpf_control *shared = get_control ();

  if (!shared)
    return 0;
  search.hand = READ (shared->hand);
  bpf_loop (SEARCHED_AT_ONCE, look_at_next, &search, 0);
  shared->hand = search.found ? search.found : search.hand + SEARCHED_AT_ONCE;
  return take_found (&search);
}

/* The same, from those of the same socket, or of the kernel's: where these lie is known better. */
static __noinline uint32_t
evict_own (struct notes *notes, uint64_t cookie, uint32_t account)
{
  struct search search = { .now = get_epoch (), .account = account };

  search.cookie = account == ACCOUNT_KERNEL ? 0 : cookie;
  search.hand = READ (notes->hand);
  bpf_loop (SEARCHED_FOR_OWN, look_at_next, &search, 0);
  notes->hand = search.found ? search.found : search.hand + SEARCHED_FOR_OWN;
  return take_found (&search);
}

/* One more than the number of a slot that no flow has; 0: there is none. */
APART uint32_t
take_free (void)
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
  return 0;
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
put_back (struct weir_bpf_control *shared, struct weir_bpf_slot *slot, uint32_t number,
          uint64_t tag)
{
  give_share (shared, slot);
  mark (slot, number);
  if (__sync_val_compare_and_swap (&slot->tag, tag,
                                   make_tag (get_generation (tag), WEIR_BPF_SLOT_FREE)) == tag)
    push (slot, number, tag);
}

/* Of the flow that has @generation, unless somebody else has ended it: else the number would be put
 * back twice.  @user: 0 leaves it as it is. */
static __noinline int
close_slot (struct weir_bpf_control *shared, struct weir_bpf_slot *slot, uint32_t number,
            uint32_t generation, const struct weir_bpf_owner *user)
{
  const uint64_t tag = make_tag (generation, WEIR_BPF_SLOT_BUSY);

  if (__sync_val_compare_and_swap (&slot->tag, tag, make_tag (generation, WEIR_BPF_SLOT_FREE)) !=
      tag)
    return 0;
  if (user)
    slot->user = *user;
  forget (shared, slot);
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
  close_slot (shared, slot, number, get_generation (tag), &walk->user);
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
    close_slot (shared, slot, number, get_generation (tag), &walk->user);
  return 0;
}
