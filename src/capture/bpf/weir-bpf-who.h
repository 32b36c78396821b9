/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who: what is noted of processes that make sockets and use them. */
#pragma once

#include "weir-bpf-slots.h"

/* Of the engine's pid namespace; 0: it has none there. */
static __always_inline uint32_t
get_pid (void)
{
  struct bpf_pidns_info numbers = {};

  if (!pid_namespace_inode)
    return bpf_get_current_pid_tgid () >> 32;
  if (!knows_pid_namespace ||
      bpf_get_ns_current_pid_tgid (pid_namespace_device, pid_namespace_inode, &numbers,
                                   sizeof numbers) != 0)
    return 0;
  return numbers.tgid;
}

/* Whose name is that of its process. */
static __always_inline bool
is_first_thread (void)
{
  const uint64_t numbers = bpf_get_current_pid_tgid ();

  return numbers >> 32 == (uint32_t) numbers;
}

/* Not a function of the kernel's, because some kernels know parts of it only in some programs. */
#define GET_CURRENT(owner)                                                                         \
  do                                                                                               \
    {                                                                                              \
      (owner)->pid = get_pid ();                                                                   \
      (owner)->uid = bpf_get_current_uid_gid ();                                                   \
      (owner)->cgroup_id = bpf_get_current_cgroup_id ();                                           \
      bpf_get_current_comm ((owner)->comm, sizeof (owner)->comm);                                  \
      if (!is_first_thread ())                                                                     \
        ((char *) (owner)->comm)[WEIR_BPF_COMM_SIZE - 1] = WEIR_BPF_COMM_THREADS;                  \
    }                                                                                              \
  while (0)

static __always_inline bool
is_same_process (const struct weir_bpf_owner *a, const struct weir_bpf_owner *b)
{
  return a->pid == b->pid && a->uid == b->uid && a->cgroup_id == b->cgroup_id;
}

static __always_inline bool
has_threads_name (const struct weir_bpf_owner *owner)
{
  return ((const char *) owner->comm)[WEIR_BPF_COMM_SIZE - 1] == WEIR_BPF_COMM_THREADS;
}

#define ROOT_CGROUP 1

/* Threads of the kernel work for anybody: they send what waited, and close files whose last owner
 * has ended.  They are root's and in no control group but the topmost one (the lower half of its
 * number is 1 always, fs/kernfs/dir.c); so are programs of root's where nobody makes groups, and
 * the names are what tells these apart.  Who hides behind one is still who made the socket. */
static __always_inline bool
is_kernel_thread (const struct weir_bpf_owner *owner)
{
  if (owner->uid != 0 || (uint32_t) owner->cgroup_id != ROOT_CGROUP)
    return false;
  return __builtin_memcmp (owner->comm, "kworker/", 8) == 0 ||
         __builtin_memcmp (owner->comm, "ksoftirqd/", 10) == 0 ||
         __builtin_memcmp (owner->comm, "irq/", 4) == 0 ||
         __builtin_memcmp (owner->comm, "napi/", 5) == 0;
}

/* Four stores: who reads between them reads a mixture, and reads it again at the next tick. */
static __always_inline void
set_user (struct notes *notes, struct weir_bpf_owner *user)
{
  const uint64_t reference = READ (notes->cached);
  struct weir_bpf_slot *slot;

  if (is_same_process (&notes->user, user) &&
      (has_threads_name (user) ||
       (notes->user.comm[0] == user->comm[0] && notes->user.comm[1] == user->comm[1])))
    return;
  if (has_threads_name (user) && is_same_process (&notes->opener, user))
    {
      user->comm[0] = notes->opener.comm[0];
      user->comm[1] = notes->opener.comm[1];
    }
  notes->user = *user;
  slot = follow (reference);
  if (!slot)
    return;
  /* Marked before as well: from here on it is not idle, so if it still is this flow's, nobody takes
   * it for another one while this is written. */
  mark (slot, (uint32_t) reference - 1);
  if (READ (slot->tag) != make_tag (get_generation (reference), WEIR_BPF_SLOT_BUSY))
    return;
  slot->user = *user;
  mark (slot, (uint32_t) reference - 1);
}

/* The notes of a socket that came from a listener are a copy of the listener's.  That there is a
 * copy says that the socket was made while the programs ran, and how.  Several processors may be
 * here, and one that is done may have given the socket a slot already: so nothing is cleared but
 * what the copy began with.  @head may stay: slots that it leads to have another cookie. */
static __always_inline void
make_own (struct notes *notes, uint64_t cookie)
{
  const uint64_t before = READ (notes->cookie);

  if (before == cookie)
    return;
  if (before)
    {
      const uint64_t cached = READ (notes->cached);
      const uint32_t flags = READ (notes->flags);

      /* Unchanged: nobody was done when these two were read. */
      if (__sync_val_compare_and_swap (&notes->cookie, before, before) != before)
        return;
      __sync_val_compare_and_swap (&notes->cached, cached, 0);
      __sync_val_compare_and_swap (&notes->flags, flags, WEIR_BPF_WHOLE | WEIR_BPF_ACCEPTED);
      notes->hand = 0;
      notes->retry = 0;
    }
  notes->born = bpf_ktime_get_boot_ns ();
  __sync_val_compare_and_swap (&notes->cookie, before, cookie);
}

/* Somebody calls something with the socket. */
#define USE(ctx, socket)                                                                           \
  ({                                                                                               \
    struct notes *used = bpf_sk_storage_get (&sockets, socket, 0, BPF_SK_STORAGE_GET_F_CREATE);    \
    struct weir_bpf_owner by = {};                                                                 \
                                                                                                   \
    if (used)                                                                                      \
      {                                                                                            \
        make_own (used, bpf_get_socket_cookie (ctx));                                              \
        used->netns_cookie = bpf_get_netns_cookie (ctx);                                           \
        GET_CURRENT (&by);                                                                         \
        if (!is_kernel_thread (&by))                                                               \
          set_user (used, &by);                                                                    \
      }                                                                                            \
    used;                                                                                          \
  })

/* ---- sockets that anybody may send to ---- */

static __always_inline bool
may_be_named (const struct notes *notes)
{
  const uint32_t number = get_account (notes, 0);
  const uint32_t now = get_epoch ();
  struct account *account = bpf_map_lookup_elem (&accounts, &number);

  if (!account)
    return false;
  if (READ (account->named_epoch) != now)
    {
      account->named_epoch = now;
      account->named = 0;
    }
  return __sync_fetch_and_add (&account->named, 1) < WEIR_BPF_NAMED_MAX;
}

/* Once for each socket; one that finds no room is told of when it sends or is connected to. */
static __noinline int
name_socket (struct notes *notes, bool is_opener)
{
  const struct weir_bpf_owner *owner = is_opener ? &notes->opener : &notes->user;
  struct weir_bpf_socket_event *event;

  if (notes->flags & (NOTES_NAMED | NOTES_RELEASED) || !owner->pid || !may_be_named (notes))
    return 0;
  event = bpf_ringbuf_reserve (&events, sizeof *event, 0);
  if (!event)
    {
      add_count_here (WEIR_BPF_COUNT_RING_FULL);
      return 0;
    }
  event->kind = WEIR_BPF_EVENT_NAMED;
  event->is_opener = is_opener;
  event->cookie = notes->cookie;
  event->since = is_opener ? notes->born : bpf_ktime_get_boot_ns ();
  event->owner = *owner;
  bpf_ringbuf_submit (event, 0);
  __sync_fetch_and_or (&notes->flags, NOTES_NAMED);
  return 0;
}

static __noinline int
tell_released (uint64_t cookie)
{
  struct weir_bpf_socket_event *event = bpf_ringbuf_reserve (&events, sizeof *event, 0);

  if (!event)
    {
      add_count_here (WEIR_BPF_COUNT_RING_FULL);
      return 0;
    }
  *event = (struct weir_bpf_socket_event) { .kind = WEIR_BPF_EVENT_RELEASED, .cookie = cookie };
  bpf_ringbuf_submit (event, 0);
  return 0;
}

/* The user of a UDP socket that was connected by somebody else: nothing but its packets shows him.
 * Who runs while a packet is sent is its sender, unless something in between had the packet wait;
 * such things are in another control group than the socket.  Where the socket may be one of the
 * kernel's own, its threads send, and have any name. */
static __always_inline void
note_sender (struct __sk_buff *skb, struct notes *notes, bool may_be_kernels)
{
  const uint32_t pid = get_pid ();
  struct weir_bpf_owner sender = {};

  if (pid == 0 || pid == notes->user.pid || bpf_get_current_cgroup_id () != bpf_skb_cgroup_id (skb))
    return;
  GET_CURRENT (&sender);
  if (is_kernel_thread (&sender) ||
      (may_be_kernels && sender.uid == 0 && (uint32_t) sender.cgroup_id == ROOT_CGROUP))
    return;
  set_user (notes, &sender);
}
