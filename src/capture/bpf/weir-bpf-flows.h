/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flows: how one gets a slot, and what is in it then. */
#pragma once

#include "weir-bpf-who.h"

/* The kernel's own sockets are not made by anybody; nor were those that were there before the
 * programs.  The kernel has raw ones, and asks nobody for an echo. */
static __always_inline bool
is_kernels (struct __sk_buff *skb, const struct notes *notes, const struct bpf_sock *sk,
            const struct packet *packet, bool tx)
{
  uint8_t type = 0;

  if (!tx || sk->type != TYPE_RAW || notes->flags & WEIR_BPF_WHOLE || notes->user.pid)
    return false;
  if (packet->transport)
    (void) bpf_skb_load_bytes (skb, packet->transport, &type, sizeof type);
  return packet->protocol == PROTOCOL_TCP ||
         (packet->protocol == PROTOCOL_ICMP && type != ECHO_REQUEST) ||
         (packet->protocol == PROTOCOL_ICMPV6 && type != ECHO_REQUEST_V6);
}

static __noinline int
fill (struct weir_bpf_slot *slot, const struct notes *notes, const struct weir_bpf_key *key,
      uint32_t flags)
{
  empty (slot);
  slot->key = *key;
  slot->netns_cookie = key->netns ? key->netns : notes->netns_cookie;
  slot->born = bpf_ktime_get_boot_ns ();
  slot->flags = flags;
  slot->account = get_account (notes, flags);
  slot->ifindex = 0;
  /* TCP: one slot each. */
  slot->next = is_tcp (slot) ? 0 : NEXT_NOT_YET;
  slot->opener = notes->opener;
  slot->user = notes->user;
  /* Neither marked yet nor idle. */
  slot->epoch = get_epoch () - 1;
  return 0;
}

/* An entry of a table can become another flow's while it is read. */
static __always_inline bool
leads_to (uint64_t reference, const struct weir_bpf_key *key)
{
  const struct weir_bpf_slot *slot = follow (reference);

  return slot && equals (&slot->key, key);
}

static __always_inline uint64_t *
get_guess (const struct weir_bpf_key *key)
{
  const uint64_t *words = (const uint64_t *) key;
  /* Odd numbers without a pattern: the upper half of a product depends on all of its factors. */
  const uint64_t sum = words[0] * 0x9e3779b97f4a7c15ULL + words[1] * 0xbf58476d1ce4e5b9ULL +
                       words[2] * 0x94d049bb133111ebULL + words[3] * 0xd6e8feb86659fd93ULL +
                       words[4] * 0xa0761d6478bd642fULL + words[5] * 0xe7037ed1a0b428dbULL +
                       words[6] * 0x8ebc6af09c88c6e3ULL;
  uint32_t place = (uint32_t) (sum >> 32) & guesses_mask;

  return bpf_map_lookup_elem (&guesses, &place);
}

/* The reference of a flow that has a slot; 0: it has none. */
static __noinline uint64_t
find_known (struct notes *notes, const struct weir_bpf_key *key)
{
  uint64_t *guess = get_guess (key);
  uint64_t reference = guess ? READ (*guess) : 0;
  const uint64_t *known;

  if (!leads_to (reference, key))
    {
      known = bpf_map_lookup_elem (&flows, key);
      if (!known)
        return 0;
      reference = READ (*known);
      if (!leads_to (reference, key))
        return 0;
      if (guess)
        READ (*guess) = reference;
    }
  notes->cached = reference;
  return reference;
}

/* An entry that nobody could delete when its flow ended.  Not deleted now: it may be another one by
 * then.  What was found may be no entry any more, so it is looked for once more. */
static __always_inline bool
replace (uint64_t *entry, const struct weir_bpf_key *key, uint64_t before, uint64_t reference)
{
  if (follow (before) || __sync_val_compare_and_swap (entry, before, reference) != before)
    return false;
  entry = bpf_map_lookup_elem (&flows, key);
  return entry && READ (*entry) == reference;
}

/* Whether the slot is the flow's now; else another processor was faster, and *@ret_other is that
 * flow's reference. */
static __always_inline bool
enter (struct notes *notes, const struct weir_bpf_key *key, bool tcp, uint64_t before,
       uint64_t reference, uint64_t *ret_other)
{
  uint64_t *entry;

  if (tcp)
    {
      *ret_other = __sync_val_compare_and_swap (&notes->cached, before, reference);
      return *ret_other == before;
    }
  if (bpf_map_update_elem (&flows, key, &reference, BPF_NOEXIST) != 0)
    {
      entry = bpf_map_lookup_elem (&flows, key);
      if (!entry)
        {
          add_count (WEIR_BPF_COUNT_NO_MEMORY);
          *ret_other = 0;
          return false;
        }
      *ret_other = READ (*entry);
      if (leads_to (*ret_other, key))
        return false;
      if (!replace (entry, key, *ret_other, reference))
        {
          *ret_other = 0;
          return false;
        }
    }
  notes->cached = reference;
  return true;
}

/* The connection is there: what its listener saw of it is its own. */
static __noinline int
fold_handshake (const struct weir_bpf_key *of, uint64_t netns_cookie, struct weir_bpf_slot *slot)
{
  struct weir_bpf_key key = *of;
  struct handshake *handshake;

  key.cookie = netns_cookie;
  handshake = bpf_map_lookup_elem (&handshakes, &key);
  if (!handshake)
    return 0;
  __sync_fetch_and_add (&slot->rx_bytes, handshake->rx_bytes);
  __sync_fetch_and_add (&slot->tx_bytes, handshake->tx_bytes);
  __sync_fetch_and_add (&slot->rx_packets, handshake->rx_packets);
  __sync_fetch_and_add (&slot->tx_packets, handshake->tx_packets);
  __sync_fetch_and_add (&slot->rx_payload, handshake->rx_payload);
  __sync_fetch_and_add (&slot->tx_payload, handshake->tx_payload);
  add_sum (WEIR_BPF_SUM_FOLDED, false, handshake->rx_bytes, handshake->rx_packets);
  add_sum (WEIR_BPF_SUM_FOLDED, true, handshake->tx_bytes, handshake->tx_packets);
  bpf_map_delete_elem (&handshakes, &key);
  return 0;
}

/* Number of a slot for a flow, plus 1.  Who has the share that he may have gives up one of his own
 * that is idle; what flows are new is not known of a socket from then on that did. */
static __always_inline uint32_t
take_place (struct weir_bpf_control *shared, struct notes *notes, uint64_t cookie, uint32_t flags,
            bool tcp)
{
  const uint32_t account = get_account (notes, flags);
  const bool has_room = has_account_room (shared, account);
  uint32_t number;

  if (account == ACCOUNT_KERNEL ? !has_room : !tcp && !has_socket_room (cookie))
    {
      __sync_fetch_and_or (&notes->flags, NOTES_MISSED);
      return evict_own (notes, cookie, account);
    }
  number = has_room ? take_free () : evict (account);
  if (!number && (has_room || has_account_little (account)))
    number = evict (ACCOUNT_ANY);
  return number;
}

/* Gives the flow a slot; 0: there is none for it. */
static __noinline uint64_t
make_flow (struct notes *notes, const struct weir_bpf_key *key, uint32_t flags, uint64_t before)
{
  struct weir_bpf_control *shared = get_control ();
  const bool tcp = key->protocol == PROTOCOL_TCP && !(flags & WEIR_BPF_RAW);
  struct weir_bpf_slot *slot;
  uint64_t tag, other, reference;
  uint32_t number;

  if (!shared)
    return 0;
  number = take_place (shared, notes, key->cookie, flags, tcp);
  slot = number ? get_slot (number - 1) : 0;
  if (!slot)
    return 0;
  number--;
  tag = make_tag (get_generation (slot->tag), WEIR_BPF_SLOT_CHANGING);
  __sync_lock_test_and_set (&slot->tag, tag);
  if (notes->flags & NOTES_MISSED ||
      (!tcp && had_shortage (shared, notes, get_account (notes, flags))))
    flags |= WEIR_BPF_CONTINUED;
  fill (slot, notes, key, flags);
  take_share (shared, slot);
  tag = make_tag (get_generation (tag) + 1, WEIR_BPF_SLOT_BUSY);
  reference = make_reference (number, get_generation (tag));
  __sync_lock_test_and_set (&slot->tag, tag);
  if (!enter (notes, key, tcp, before, reference, &other))
    {
      put_back (shared, slot, number, tag);
      return other;
    }
  other = __sync_lock_test_and_set (&notes->head, number + 1);
  if (!tcp)
    {
      slot->next = other;
      /* The oldest are where it began. */
      if (!other)
        notes->hand = number;
    }
  if (tcp && flags & WEIR_BPF_ACCEPTED)
    fold_handshake (key, notes->netns_cookie, slot);
  tell (WEIR_BPF_EVENT_BORN, number, get_generation (tag));
  add_count (WEIR_BPF_COUNT_BIRTHS);
  /* It was closed meanwhile, and nobody saw this one. */
  if (READ (notes->flags) & NOTES_RELEASED)
    close_slot (shared, slot, number, get_generation (tag), 0);
  return reference;
}
