/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets: who makes one, uses it and closes it. */
#pragma once

#include "weir-bpf-flows.h"

SEC ("cgroup/sock_create")
int
weir_create (struct bpf_sock *ctx)
{
  struct notes *notes = bpf_sk_storage_get (&sockets, ctx, 0, BPF_SK_STORAGE_GET_F_CREATE);

  if (!notes)
    {
      add_count (WEIR_BPF_COUNT_NO_MEMORY);
      return 1;
    }
  notes->cookie = bpf_get_socket_cookie (ctx);
  notes->netns_cookie = bpf_get_netns_cookie (ctx);
  notes->born = bpf_ktime_get_boot_ns ();
  notes->flags = WEIR_BPF_WHOLE;
  GET_CURRENT (&notes->opener);
  notes->user = notes->opener;
  /* Such a one receives without being bound. */
  if (ctx->type == TYPE_RAW)
    name_socket (notes, true);
  return 1;
}

/* Who closes a socket last may only have been handed it. */
static __always_inline bool
is_user (const struct notes *notes, const struct weir_bpf_owner *by)
{
  if (is_kernel_thread (by))
    return false;
  return !notes->user.cgroup_id ||
         (by->uid == notes->user.uid && by->cgroup_id == notes->user.cgroup_id) ||
         (by->uid == notes->opener.uid && by->cgroup_id == notes->opener.cgroup_id);
}

SEC ("cgroup/sock_release")
int
weir_release (struct bpf_sock *ctx)
{
  struct notes *notes = bpf_sk_storage_get (&sockets, ctx, 0, 0);
  struct weir_bpf_owner by = {};
  struct walk walk = {};

  if (!notes)
    return 1;
  make_own (notes, bpf_get_socket_cookie (ctx));
  GET_CURRENT (&by);
  if (is_user (notes, &by))
    set_user (notes, &by);
  __sync_fetch_and_or (&notes->flags, NOTES_RELEASED);
  if (notes->flags & NOTES_NAMED)
    tell_released (notes->cookie);
  walk.cookie = notes->cookie;
  walk.next = READ (notes->head);
  walk.user = notes->user;
  bpf_loop (n_slots, close_next, &walk, 0);
  /* Only where something is left: the kernel's share is not kept by socket. */
  if (walk.lost && (bpf_map_lookup_elem (&shares, &walk.cookie) ||
                    (ctx->type == TYPE_RAW && !(notes->flags & WEIR_BPF_WHOLE))))
    {
      add_count (WEIR_BPF_COUNT_CHAIN_LOST);
      bpf_loop (n_slots, close_if_its, &walk, 0);
    }
  return 1;
}

SEC ("cgroup/post_bind4")
int
weir_bind4 (struct bpf_sock *ctx)
{
  struct notes *notes = USE (ctx, ctx);

  if (notes)
    name_socket (notes, false);
  return 1;
}

SEC ("cgroup/post_bind6")
int
weir_bind6 (struct bpf_sock *ctx)
{
  struct notes *notes = USE (ctx, ctx);

  if (notes)
    name_socket (notes, false);
  return 1;
}

static __always_inline void
connect_by (struct bpf_sock_addr *ctx)
{
  struct bpf_sock *sk = ctx->sk;
  struct notes *notes;

  if (!sk)
    return;
  notes = USE (ctx, sk);
  if (notes)
    __sync_fetch_and_or (&notes->flags, WEIR_BPF_CONNECTED);
}

SEC ("cgroup/connect4")
int
weir_connect4 (struct bpf_sock_addr *ctx)
{
  connect_by (ctx);
  return 1;
}

SEC ("cgroup/connect6")
int
weir_connect6 (struct bpf_sock_addr *ctx)
{
  connect_by (ctx);
  return 1;
}

/* Only UDP, and only with an address. */
static __always_inline void
send_by (struct bpf_sock_addr *ctx)
{
  struct bpf_sock *sk = ctx->sk;
  struct notes *notes;

  if (!sk)
    return;
  notes = USE (ctx, sk);
  if (notes && sk->dst_port)
    __sync_fetch_and_or (&notes->flags, NOTES_ELSEWHERE);
  /* It was given a port by then if it had none. */
  if (notes && !sk->dst_port && !(notes->flags & NOTES_NAMED))
    name_socket (notes, false);
}

SEC ("cgroup/sendmsg4")
int
weir_sendmsg4 (struct bpf_sock_addr *ctx)
{
  send_by (ctx);
  return 1;
}

SEC ("cgroup/sendmsg6")
int
weir_sendmsg6 (struct bpf_sock_addr *ctx)
{
  send_by (ctx);
  return 1;
}

/* accept(2) asks for the address of the peer, if its caller wants to know it: there is no other way
 * to learn who accepts. */
static __always_inline void
accept_by (struct bpf_sock_addr *ctx)
{
  struct bpf_sock *sk = ctx->sk;

  if (sk)
    USE (ctx, sk);
}

SEC ("cgroup/getpeername4")
int
weir_getpeername4 (struct bpf_sock_addr *ctx)
{
  accept_by (ctx);
  return 1;
}

SEC ("cgroup/getpeername6")
int
weir_getpeername6 (struct bpf_sock_addr *ctx)
{
  accept_by (ctx);
  return 1;
}
