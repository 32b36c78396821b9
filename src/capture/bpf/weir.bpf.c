/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The programs that the bpf source hangs on the root of the control groups.  They see every packet
 * that a socket of any network namespace sends or receives, and every socket that is made.
 *
 * Each of them returns 1, on every path: 0 would drop the packet, or refuse the call.
 *
 * They need nothing of the kernel but what programs were promised (linux/bpf.h): no type of the
 * kernel's own, so that they need not fit it, and are loaded under lockdown as well.  All are for
 * Linux 6.1; what is newer is asked for (knows_netns, knows_sender).
 */
#include "weir-bpf-slots.h"

char LICENSE[] SEC ("license") = "GPL";

/* ---- who ---- */

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

/* Not a function of the kernel's, because some kernels know parts of it only in some programs. */
#define GET_CURRENT(owner)                                                                         \
  do                                                                                               \
    {                                                                                              \
      (owner)->pid = get_pid ();                                                                   \
      (owner)->uid = bpf_get_current_uid_gid ();                                                   \
      (owner)->cgroup_id = bpf_get_current_cgroup_id ();                                           \
      bpf_get_current_comm ((owner)->comm, sizeof (owner)->comm);                                  \
    }                                                                                              \
  while (0)

static __always_inline bool
is_same (const struct weir_bpf_owner *a, const struct weir_bpf_owner *b)
{
  return a->pid == b->pid && a->uid == b->uid && a->cgroup_id == b->cgroup_id &&
         a->comm[0] == b->comm[0] && a->comm[1] == b->comm[1];
}

/* Four stores: who reads between them reads a mixture, and reads it again at the next tick. */
static __always_inline void
set_user (struct notes *notes, const struct weir_bpf_owner *user)
{
  struct weir_bpf_slot *slot;

  if (is_same (&notes->user, user))
    return;
  notes->user = *user;
  slot = follow (READ (notes->cached));
  if (!slot)
    return;
  slot->user = *user;
  mark (slot, (uint32_t) notes->cached - 1);
}

/* The notes of a socket that came from a listener are a copy of the listener's.  That there is a
 * copy says that the socket was made while the programs ran, and how. */
static __always_inline void
make_own (struct notes *notes, uint64_t cookie)
{
  const uint64_t before = READ (notes->cookie);

  if (before == cookie)
    return;
  /* Another processor may be here as well: of what is not a copy, all is 0 already. */
  if (before)
    {
      notes->flags = WEIR_BPF_WHOLE | WEIR_BPF_ACCEPTED;
      notes->cached = 0;
      notes->head = 0;
      notes->hand = 0;
      notes->retry = 0;
    }
  notes->born = bpf_ktime_get_boot_ns ();
  notes->cookie = cookie;
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
        set_user (used, &by);                                                                      \
      }                                                                                            \
    used;                                                                                          \
  })

/* ---- flows ---- */

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

static __always_inline void
fill (struct weir_bpf_slot *slot, const struct notes *notes, const struct weir_bpf_key *key,
      uint32_t flags)
{
  empty (slot);
  slot->key = *key;
  slot->netns_cookie = key->netns ? key->netns : notes->netns_cookie;
  slot->born = bpf_ktime_get_boot_ns ();
  slot->flags = flags;
  slot->ifindex = 0;
  /* TCP: one slot each. */
  slot->next = is_tcp (slot) ? 0 : NEXT_NOT_YET;
  slot->opener = notes->opener;
  slot->user = notes->user;
  /* Neither marked yet nor idle. */
  slot->epoch = get_epoch () - 1;
}

/* An entry of a table can become another flow's while it is read. */
static __always_inline bool
leads_to (uint64_t reference, const struct weir_bpf_key *key)
{
  const struct weir_bpf_slot *slot = follow (reference);

  return slot && equals (&slot->key, key);
}

/* Whether the slot is the flow's now; else another processor was faster, and *@ret_other is that
 * flow's reference. */
static __always_inline bool
enter (struct notes *notes, const struct weir_bpf_key *key, bool tcp, uint64_t before,
       uint64_t reference, uint64_t *ret_other)
{
  uint64_t *other;

  if (tcp)
    {
      *ret_other = __sync_val_compare_and_swap (&notes->cached, before, reference);
      return *ret_other == before;
    }
  if (bpf_map_update_elem (&flows, key, &reference, BPF_NOEXIST) == 0)
    {
      notes->cached = reference;
      return true;
    }
  other = bpf_map_lookup_elem (&flows, key);
  *ret_other = other ? READ (*other) : 0;
  if (!leads_to (*ret_other, key))
    *ret_other = 0;
  if (!other)
    add_count (WEIR_BPF_COUNT_NO_MEMORY);
  return false;
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
 * that is idle; what flows are new is not known of him from then on. */
static __always_inline uint32_t
take_place (struct notes *notes, uint64_t cookie, uint32_t flags, bool tcp)
{
  struct weir_bpf_control *shared = get_control ();
  uint32_t number;

  if (!shared)
    return 0;
  if (!tcp && !take_share (shared, cookie, flags))
    {
      __sync_fetch_and_or (&notes->flags, NOTES_MISSED);
      return evict_own (notes, cookie, flags);
    }
  number = take_number ();
  if (number)
    return number;
  shared->last_shortage = bpf_ktime_get_boot_ns ();
  if (!tcp)
    give_share (shared, cookie, flags);
  return 0;
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
  number = take_place (notes, key->cookie, flags, tcp);
  slot = number ? get_slot (number - 1) : 0;
  if (!slot)
    return 0;
  number--;
  tag = make_tag (get_generation (slot->tag), WEIR_BPF_SLOT_CHANGING);
  __sync_lock_test_and_set (&slot->tag, tag);
  if (notes->flags & NOTES_MISSED || (!tcp && shared->last_shortage > notes->born))
    flags |= WEIR_BPF_CONTINUED;
  fill (slot, notes, key, flags);
  tag = make_tag (get_generation (tag) + 1, WEIR_BPF_SLOT_BUSY);
  reference = make_reference (number, get_generation (tag));
  __sync_lock_test_and_set (&slot->tag, tag);
  if (!enter (notes, key, tcp, before, reference, &other))
    {
      put_back (slot, number, tag);
      if (!tcp)
        give_share (shared, key->cookie, flags);
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
    close_slot (shared, slot, number, tag, 0);
  return reference;
}

/* ---- packets ---- */

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

/* The user of a UDP socket that was connected by somebody else: nothing but its packets shows him.
 * Who runs while a packet is sent is its sender, unless something in between had the packet wait;
 * such things are in another control group than the socket. */
static __always_inline void
note_sender (struct __sk_buff *skb, struct notes *notes)
{
  const uint32_t pid = get_pid ();
  struct weir_bpf_owner sender = {};

  if (pid == 0 || pid == notes->user.pid || bpf_get_current_cgroup_id () != bpf_skb_cgroup_id (skb))
    return;
  GET_CURRENT (&sender);
  set_user (notes, &sender);
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

static __always_inline int
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

static __noinline int
count_new_tcp (struct __sk_buff *skb, struct bpf_sock *sk, const struct packet *packet,
               struct notes *notes, bool tx)
{
  struct weir_bpf_control *shared = get_control ();
  struct weir_bpf_key key = { .cookie = bpf_get_socket_cookie (skb) };
  struct weir_bpf_slot *slot;
  uint64_t before, reference;
  uint32_t flags;

  make_own (notes, key.cookie);
  if (notes->flags & NOTES_RELEASED)
    return count_homeless (skb, WEIR_BPF_SUM_LATE, tx);
  if (!shared || notes->retry == (uint32_t) get_epoch ())
    return count_without_room (skb, notes, tx);
  before = READ (notes->cached);
  slot = follow (before);
  flags = get_flow_flags (notes, tx);
  if (slot && is_flow_of (slot, sk, packet))
    return count_in (skb, packet, before, tx);
  /* It is connected to somebody else, or lost its slot. */
  if (slot)
    close_slot (shared, slot, (uint32_t) before - 1, READ (slot->tag), 0);
  else if (before)
    flags |= WEIR_BPF_CONTINUED;
  get_socket_key (sk, packet, &key);
  reference = make_flow (notes, &key, flags, before);
  return reference ? count_in (skb, packet, reference, tx) : count_without_room (skb, notes, tx);
}

static __always_inline int
count_tcp (struct __sk_buff *skb, struct bpf_sock *sk, const struct packet *packet,
           struct notes *notes, bool tx)
{
  const uint64_t reference = READ (notes->cached);
  struct weir_bpf_slot *slot;

  if (sk->state == STATE_LISTEN)
    return count_handshake (skb, packet, notes->netns_cookie, tx);
  slot = follow (reference);
  if (!slot || !is_flow_of (slot, sk, packet))
    return count_new_tcp (skb, sk, packet, notes, tx);
  count_packet (skb, packet, slot, (uint32_t) reference - 1, tx);
  return 1;
}

/* The slot of the last packet was another flow's. */
static __noinline int
count_other_flow (struct __sk_buff *skb, struct bpf_sock *sk, const struct packet *packet,
                  struct notes *notes, const struct weir_bpf_key *key)
{
  const uint64_t *known = bpf_map_lookup_elem (&flows, key);
  const bool tx = packet->tx;
  uint64_t reference = known ? READ (*known) : 0;
  uint32_t flags;

  if (leads_to (reference, key))
    {
      notes->cached = reference;
      return count_in (skb, packet, reference, tx);
    }
  if (known && !follow (reference))
    bpf_map_delete_elem (&flows, key);
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

/* A socket with many flows; where it is connected, what it says holds, because addresses in packets
 * may have been translated on their way out. */
static __always_inline int
count_other (struct __sk_buff *skb, struct bpf_sock *sk, const struct packet *packet,
             struct notes *notes, bool tx)
{
  uint64_t reference;
  struct weir_bpf_key key = { .cookie = bpf_get_socket_cookie (skb) };
  struct weir_bpf_slot *slot;

  make_own (notes, key.cookie);
  if (knows_sender && tx && sk->type != TYPE_RAW)
    note_sender (skb, notes);
  if (sk->type != TYPE_RAW && sk->dst_port && has_ports (packet->protocol) &&
      !(tx && notes->flags & NOTES_ELSEWHERE))
    get_socket_key (sk, packet, &key);
  else
    get_packet_key (skb, packet, sk->type != TYPE_RAW, &key);
  /* The kernel's own are one for each processor. */
  if (knows_netns && sk->type == TYPE_RAW && !(notes->flags & WEIR_BPF_WHOLE))
    key.netns = bpf_get_netns_cookie (skb);
  reference = READ (notes->cached);
  slot = follow (reference);
  if (!slot || !equals (&slot->key, &key))
    return count_other_flow (skb, sk, packet, notes, &key);
  count_packet (skb, packet, slot, (uint32_t) reference - 1, tx);
  return 1;
}

static __always_inline int
count (struct __sk_buff *skb, bool tx)
{
  struct bpf_sock *sk = skb->sk;
  struct packet packet = { .tx = tx };
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
             ? count_tcp (skb, sk, &packet, notes, tx)
             : count_other (skb, sk, &packet, notes, tx);
}

SEC ("cgroup_skb/egress")
int
weir_egress (struct __sk_buff *skb)
{
  count (skb, true);
  return 1;
}

SEC ("cgroup_skb/ingress")
int
weir_ingress (struct __sk_buff *skb)
{
  count (skb, false);
  return 1;
}

/* ---- frames ---- */

/* tcx (linux/bpf.h, Linux 6.6): whatever else looks at the frame goes on. */
#define GO_ON -1

static __noinline uint64_t
find_frames (struct notes *notes, const struct weir_bpf_key *key)
{
  const uint64_t *known = bpf_map_lookup_elem (&flows, key);
  const uint64_t reference = known ? READ (*known) : 0;

  if (leads_to (reference, key))
    {
      notes->cached = reference;
      return reference;
    }
  if (known && !follow (reference))
    bpf_map_delete_elem (&flows, key);
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
    note_sender (skb, notes);
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

/* ---- sockets ---- */

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
  return 1;
}

/* Files whose last owner has ended may be closed by the kernel itself. */
static __always_inline bool
is_worker (const struct weir_bpf_owner *by)
{
  return __builtin_memcmp (by->comm, "kworker", 7) == 0;
}

/* Who closes a socket last may only have been handed it. */
static __always_inline bool
is_user (const struct notes *notes, const struct weir_bpf_owner *by)
{
  if (is_worker (by))
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
  USE (ctx, ctx);
  return 1;
}

SEC ("cgroup/post_bind6")
int
weir_bind6 (struct bpf_sock *ctx)
{
  USE (ctx, ctx);
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
