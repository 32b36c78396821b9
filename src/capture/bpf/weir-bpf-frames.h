/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames that packet sockets send: they pass no control group. */
#pragma once

#include "weir-bpf-count.h"

/* tcx (linux/bpf.h, Linux 6.6): whatever else looks at the frame goes on. */
#define GO_ON -1

static __always_inline uint64_t
find_frames (struct notes *notes, const struct weir_bpf_key *key)
{
  const uint64_t reference = find_known (notes, key);

  if (reference)
    return reference;
  return notes->retry == (uint32_t) get_epoch ()
             ? 0
             : make_flow (notes, key, WEIR_BPF_FRAMES | WEIR_BPF_FIRST_TX, 0);
}

/* A packet socket has no flows but an interface or two.  Nothing says when it is closed. */
static __noinline int
count_frame (struct __sk_buff *skb, struct bpf_sock *sk)
{
  struct notes *notes = bpf_sk_storage_get (&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  struct weir_bpf_key key = { .discriminator = skb->ifindex };
  struct weir_bpf_slot *slot;
  uint64_t reference;

  if (!notes)
    return count_homeless (skb, WEIR_BPF_SUM_NO_SOCKET, true);
  key.cookie = bpf_get_socket_cookie (skb);
  make_own (notes, key.cookie);
  if (knows_framer)
    note_sender (skb, notes, false);
  reference = READ (notes->cached);
  slot = follow (reference);
  if (!slot || !equals (&slot->key, &key))
    {
      reference = find_frames (notes, &key);
      slot = follow (reference);
    }
  if (!slot)
    return count_without_room (skb, notes, true);
  __sync_fetch_and_add (&slot->tx_bytes, skb->len);
  __sync_fetch_and_add (&slot->tx_packets, skb->gso_segs ? skb->gso_segs : 1);
  slot->ifindex = skb->ifindex;
  mark (slot, (uint32_t) reference - 1);
  return 0;
}

SEC ("tc")
int
weir_frames (struct __sk_buff *skb)
{
  struct bpf_sock *sk = skb->sk;

  if (!sk || sk->family != FAMILY_PACKET)
    return GO_ON;
  sk = bpf_sk_fullsock (sk);
  if (sk)
    count_frame (skb, sk);
  return GO_ON;
}
