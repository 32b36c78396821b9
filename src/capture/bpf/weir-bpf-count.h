/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packets: which flow each is of. */
#pragma once

#include "weir-bpf-flows.h"

static __always_inline void
count_packet (struct __sk_buff *skb, const struct packet *packet, struct weir_bpf_slot *slot,
              uint32_t number, bool tx)
{
  const uint32_t payload = packet->size - packet->headers, ifindex = skb->ifindex;

  __sync_fetch_and_add (tx ? &slot->tx_bytes : &slot->rx_bytes, packet->size);
  __sync_fetch_and_add (tx ? &slot->tx_packets : &slot->rx_packets, packet->segments);
  if (payload)
    __sync_fetch_and_add (tx ? &slot->tx_payload : &slot->rx_payload, payload);
  if (packet->segments > 1)
    __sync_fetch_and_add (tx ? &slot->tx_extra : &slot->rx_extra,
                          (uint64_t) (packet->segments - 1) * packet->headers);
  if (READ (slot->ifindex) != ifindex)
    slot->ifindex = ifindex;
  mark (slot, number);
}

/* A listener has no flow of its own: what it gets and sends belongs to connections that may never
 * be.  Anybody can send that, so it may not cost a slot. */
static __noinline int
count_handshake (struct __sk_buff *skb, const struct packet *packet, uint64_t netns_cookie, bool tx)
{
  struct weir_bpf_key key = { .cookie = netns_cookie };
  struct handshake *handshake, none = {};

  get_packet_key (skb, packet, true, &key);
  add_sum (WEIR_BPF_SUM_HANDSHAKES, tx, packet->size, packet->segments);
  handshake = bpf_map_lookup_elem (&handshakes, &key);
  if (!handshake)
    {
      bpf_map_update_elem (&handshakes, &key, &none, BPF_NOEXIST);
      handshake = bpf_map_lookup_elem (&handshakes, &key);
    }
  if (!handshake)
    return 1;
  __sync_fetch_and_add (tx ? &handshake->tx_bytes : &handshake->rx_bytes, packet->size);
  __sync_fetch_and_add (tx ? &handshake->tx_packets : &handshake->rx_packets, packet->segments);
  __sync_fetch_and_add (tx ? &handshake->tx_payload : &handshake->rx_payload,
                        packet->size - packet->headers);
  return 1;
}

/* TCP: one flow for each socket, until it is connected to somebody else. */
static __always_inline bool
is_flow_of (const struct weir_bpf_slot *slot, const struct bpf_sock *sk,
            const struct packet *packet)
{
  /* A socket that is done gives up its port before it is closed. */
  if ((sk->src_port && slot->key.local_port != sk->src_port) ||
      slot->key.remote_port != bpf_ntohs (sk->dst_port) || slot->key.family != packet->family)
    return false;
  if (packet->family == 4)
    return slot->key.remote[0] == sk->dst_ip4;
  return slot->key.remote[0] == sk->dst_ip6[0] && slot->key.remote[1] == sk->dst_ip6[1] &&
         slot->key.remote[2] == sk->dst_ip6[2] && slot->key.remote[3] == sk->dst_ip6[3];
}

/* Copies of what the kernel and other sockets get, too; who sent the like gets what answers it. */
static __always_inline bool
is_copy (const struct bpf_sock *sk, const struct packet *packet, bool tx)
{
  return !tx && sk->type == TYPE_RAW &&
         (has_ports (packet->protocol) || packet->protocol == PROTOCOL_ICMP ||
          packet->protocol == PROTOCOL_ICMPV6);
}

/* Where a packet goes that is in no slot. */
APART int
count_homeless (struct __sk_buff *skb, enum weir_bpf_sum_kind kind, uint32_t tx)
{
  const uint32_t segments = skb->gso_segs;

  add_sum (kind, tx, skb->len, segments ? segments : 1);
  return 1;
}

/* There was no slot.  Looking for one takes long, so a socket does it once in an epoch. */
static __noinline int
count_without_room (struct __sk_buff *skb, struct notes *notes, bool tx)
{
  const uint32_t now = get_epoch ();

  if (notes->retry != now)
    {
      notes->retry = now;
      add_count (WEIR_BPF_COUNT_NO_ROOM);
    }
  __sync_fetch_and_or (&notes->flags, NOTES_MISSED);
  return count_homeless (skb, WEIR_BPF_SUM_NO_ROOM, tx);
}

/* The socket was there before the programs, or is one of the kernel's. */
static __noinline struct notes *
note_stranger (struct __sk_buff *skb, struct bpf_sock *sk)
{
  struct notes *notes = bpf_sk_storage_get (&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

  if (!notes)
    {
      add_count (WEIR_BPF_COUNT_NO_MEMORY);
      return 0;
    }
  make_own (notes, bpf_get_socket_cookie (skb));
  if (knows_netns)
    notes->netns_cookie = bpf_get_netns_cookie (skb);
  return notes;
}

static __noinline int
count_in (struct __sk_buff *skb, const struct packet *packet, uint64_t reference, bool tx)
{
  struct weir_bpf_slot *slot = follow (reference);

  if (!slot)
    return count_homeless (skb, WEIR_BPF_SUM_LATE, tx);
  count_packet (skb, packet, slot, (uint32_t) reference - 1, tx);
  return 1;
}

static __always_inline uint32_t
get_flow_flags (const struct notes *notes, bool tx)
{
  return (notes->flags & (WEIR_BPF_WHOLE | WEIR_BPF_CONNECTED | WEIR_BPF_ACCEPTED)) |
         (tx ? WEIR_BPF_FIRST_TX : WEIR_BPF_FIRST_RX);
}

/* @key: the caller's memory, to be filled, because stack is short. */
static __noinline int
count_new_tcp (struct __sk_buff *skb, struct bpf_sock *sk, const struct packet *packet,
               struct notes *notes, struct weir_bpf_key *key)
{
  struct weir_bpf_control *shared = get_control ();
  const bool tx = packet->tx;
  struct weir_bpf_slot *slot;
  uint64_t before, reference;
  uint32_t flags;

  *key = (struct weir_bpf_key) { .cookie = bpf_get_socket_cookie (skb) };
  make_own (notes, key->cookie);
  if (notes->flags & NOTES_RELEASED)
    return count_homeless (skb, WEIR_BPF_SUM_LATE, tx);
  if (!shared || notes->retry == (uint32_t) get_epoch ())
    return count_without_room (skb, notes, tx);
  before = READ (notes->cached);
  slot = follow (before);
  flags = get_flow_flags (notes, tx);
  if (slot && is_flow_of (slot, sk, packet))
    return count_in (skb, packet, before, tx);
  /* It is connected to somebody else, or lost its slot; it comes here again where there was no room
   * for what it is connected to. */
  if (slot)
    close_slot (shared, slot, (uint32_t) before - 1, get_generation (before), 0);
  else if (before)
    flags |= WEIR_BPF_CONTINUED;
  get_socket_key (sk, packet, key);
  reference = make_flow (notes, key, flags, before);
  return reference ? count_in (skb, packet, reference, tx) : count_without_room (skb, notes, tx);
}

static __always_inline int
count_tcp (struct __sk_buff *skb, struct bpf_sock *sk, const struct packet *packet,
           struct notes *notes, struct weir_bpf_key *key, bool tx)
{
  const uint64_t reference = READ (notes->cached);
  struct weir_bpf_slot *slot;

  /* One that nobody bound before listen(2) was not seen until now. */
  if (sk->state == STATE_LISTEN && !(notes->flags & NOTES_NAMED))
    name_socket (notes, true);
  if (sk->state == STATE_LISTEN)
    return count_handshake (skb, packet, notes->netns_cookie, tx);
  slot = follow (reference);
  if (!slot || !is_flow_of (slot, sk, packet))
    return count_new_tcp (skb, sk, packet, notes, key);
  count_packet (skb, packet, slot, (uint32_t) reference - 1, tx);
  return 1;
}

static __noinline int
count_new_other (struct __sk_buff *skb, struct bpf_sock *sk, const struct packet *packet,
                 struct notes *notes, const struct weir_bpf_key *key)
{
  const bool tx = packet->tx;
  uint64_t reference;
  uint32_t flags;

  if (is_copy (sk, packet, tx))
    return count_homeless (skb, WEIR_BPF_SUM_COPIES, tx);
  if (notes->flags & NOTES_RELEASED)
    return count_homeless (skb, WEIR_BPF_SUM_LATE, tx);
  if (notes->retry == (uint32_t) get_epoch ())
    return count_without_room (skb, notes, tx);
  flags = get_flow_flags (notes, tx);
  if (sk->type == TYPE_RAW)
    flags |= WEIR_BPF_RAW;
  if (is_kernels (skb, notes, sk, packet, tx))
    flags |= WEIR_BPF_KERNEL;
  reference = make_flow (notes, key, flags, 0);
  return reference ? count_in (skb, packet, reference, tx) : count_without_room (skb, notes, tx);
}

/* Whether what a socket sends is sent while its sender runs.  SCTP and DCCP answer, send again and
 * wait for their turn by themselves. */
static __always_inline bool
shows_sender (const struct bpf_sock *sk)
{
  return sk->type != TYPE_RAW &&
         (sk->protocol == PROTOCOL_UDP || sk->protocol == PROTOCOL_UDPLITE ||
          sk->protocol == PROTOCOL_ICMP || sk->protocol == PROTOCOL_ICMPV6);
}

/* A socket with many flows; where it is connected, what it says holds, because addresses in packets
 * may have been translated on their way out. */
static __always_inline int
count_other (struct __sk_buff *skb, struct bpf_sock *sk, const struct packet *packet,
             struct notes *notes, struct weir_bpf_key *key, bool tx)
{
  uint64_t reference;
  struct weir_bpf_slot *slot;

  /* Only of what is accepted notes can be a copy, and such sockets are no datagram ones. */
  *key = (struct weir_bpf_key) { .cookie = sk->type == TYPE_DATAGRAM ? READ (notes->cookie) : 0 };
  if (!key->cookie)
    {
      key->cookie = bpf_get_socket_cookie (skb);
      make_own (notes, key->cookie);
    }
  if (knows_sender && tx && shows_sender (sk))
    note_sender (skb, notes, !(notes->flags & WEIR_BPF_WHOLE));
  if (sk->type != TYPE_RAW && sk->dst_port && has_ports (packet->protocol) &&
      !(tx && notes->flags & NOTES_ELSEWHERE))
    get_socket_key (sk, packet, key);
  else
    get_packet_key (skb, packet, sk->type != TYPE_RAW, key);
  /* The kernel's own are one for each processor. */
  if (knows_netns && sk->type == TYPE_RAW && !(notes->flags & WEIR_BPF_WHOLE))
    key->netns = bpf_get_netns_cookie (skb);
  reference = READ (notes->cached);
  slot = follow (reference);
  if (!slot || !equals (&slot->key, key))
    {
      reference = find_known (notes, key);
      slot = follow (reference);
    }
  if (!slot)
    return count_new_other (skb, sk, packet, notes, key);
  count_packet (skb, packet, slot, (uint32_t) reference - 1, tx);
  return 1;
}

static __always_inline int
count (struct __sk_buff *skb, bool tx)
{
  struct bpf_sock *sk = skb->sk;
  struct packet packet = { .tx = tx };
  struct weir_bpf_key key;
  struct notes *notes;

  sk = sk ? bpf_sk_fullsock (sk) : 0;
  if (!sk)
    return count_homeless (skb, WEIR_BPF_SUM_NO_SOCKET, tx);
  notes = bpf_sk_storage_get (&sockets, sk, 0, 0);
  if (!notes)
    notes = note_stranger (skb, sk);
  if (!notes)
    return count_homeless (skb, WEIR_BPF_SUM_NO_SOCKET, tx);
  read_packet (skb, &packet);
  return sk->protocol == PROTOCOL_TCP && sk->type == TYPE_STREAM
             ? count_tcp (skb, sk, &packet, notes, &key, tx)
             : count_other (skb, sk, &packet, notes, &key, tx);
}
