/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How slots of the kernel programs become rows.
 *
 * A slot is what one socket moved with one peer.  Several can be one flow: a slot that stood still
 * gives way to others and the flow goes on in a new one, and sockets can share addresses.  So of
 * each slot is kept what was read last, and what is more than that is added to its flow.
 *
 * The figures of a flow whose socket was made while the programs ran are exact from the first byte.
 * Of others a base is added, so that the figure goes on where another source's was: at the first
 * moment at which both are known, what that one says less what the programs had counted until then.
 * Between the reading of the one and of the other a tick may go by, and TCP's own counters know no
 * headers; that is the error. */
#include "weir-join.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S UINT64_C (1000000000)

/* A flow that nobody closes has ended when nothing moved for so long: as conntrack has it for UDP
 * that was answered. */
#define IDLE_END (120 * NS_PER_S)
/* One that was closed, and that the kernel does not say the end of. */
#define CLOSED_END (5 * NS_PER_S)
/* Bytes that can come after a connection was closed: a few segments, with the longest headers of IP
 * and TCP. */
#define REMAINS_MAX (16 * (60 + 60))
/* Flows that are looked at in a tick to see whether they stood still: all in turn, and nobody needs
 * to know of such an end by the second. */
#define IDLE_LOOKS 4096

int
weir_join_begin_bpf (struct weir_join *join, uint32_t n_slots, bool own_only)
{
  join->bpf.parts = calloc (n_slots, sizeof *join->bpf.parts);
  join->bpf.named = calloc (1, sizeof *join->bpf.named);
  if (join->bpf.parts == NULL || join->bpf.named == NULL)
    {
      weir_join_clear_bpf (join);
      return -ENOMEM;
    }
  join->bpf.n_parts = n_slots;
  join->bpf.own_only = own_only;
  join->bpf.next_unknown = WEIR_NETNS_UNKNOWN_FIRST;
  return 0;
}

void
weir_join_clear_bpf (struct weir_join *join)
{
  free (join->bpf.parts);
  free (join->bpf.named);
  free (join->bpf.segment_links);
  join->bpf = (struct weir_join_bpf) { 0 };
}

bool
weir_join_has_bpf (const struct weir_join *join)
{
  return join->bpf.parts != NULL;
}

bool
weir_join_has_process (const struct weir_join *join, const struct weir_flow *flow)
{
  const struct weir_owner *owner = weir_owners_get (&join->owners, flow->owner);

  return owner != NULL && owner->is_process;
}

/* ---- links ---- */

static int
compare_links (const void *a, const void *b)
{
  const uint32_t *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

void
weir_join_set_segment_links (struct weir_join *join, const uint32_t *links, size_t n)
{
  uint32_t *copy = NULL;

  if (n > 0)
    {
      copy = reallocarray (NULL, n, sizeof *copy);
      if (copy == NULL)
        return;
      memcpy (copy, links, n * sizeof *copy);
      qsort (copy, n, sizeof *copy, compare_links);
    }
  free (join->bpf.segment_links);
  join->bpf.segment_links = copy;
  join->bpf.n_segment_links = n;
  join->bpf.links_known = true;
}

/* Once and for all: a figure that was counted one way cannot go on the other way. */
static void
choose_links (const struct weir_join *join, struct weir_flow *flow, uint32_t ifindex)
{
  const struct weir_join_bpf *all = &join->bpf;
  struct weir_flow_bpf *bpf = flow->extra->bpf;

  if (bpf->links != WEIR_LINKS_NOT_KNOWN)
    return;
  /* Other namespaces mostly lead here through a pair of virtual interfaces. */
  if (flow->key.netns != join->own.inode)
    bpf->links = WEIR_LINKS_AGGREGATES;
  else if (all->links_known && ifindex != 0)
    bpf->links =
        all->n_segment_links > 0 && bsearch (&ifindex, all->segment_links, all->n_segment_links,
                                             sizeof ifindex, compare_links) != NULL
            ? WEIR_LINKS_SEGMENTS
            : WEIR_LINKS_AGGREGATES;
}

/* ---- from a slot to its flow ---- */

/* Kernels before 6.15 do not tell it of sockets that are older than the programs: then the dumps of
 * sockets do, and until they have been made nobody can say.  0: not known yet. */
static uint32_t
find_netns (struct weir_join *join, const struct weir_bpf_reading *reading)
{
  const struct weir_flow *known;

  /* Frames are seen on the interfaces of the engine's own namespace. */
  if (reading->flags & WEIR_BPF_FRAMES)
    return join->own.inode;
  if (reading->netns_cookie != 0)
    return weir_join_need_netns (join, reading->netns_cookie);
  known = weir_flow_table_find_cookie (&join->table, reading->cookie);
  if (known != NULL)
    return known->key.netns;
  return join->own.n_complete < 2 ? 0 : weir_join_need_netns (join, 0);
}

static void
make_key (uint32_t netns, const struct weir_bpf_reading *reading, struct weir_flow_key *ret_key)
{
  memset (ret_key, 0, sizeof *ret_key);
  memcpy (ret_key->local, reading->local.address, 16);
  memcpy (ret_key->remote, reading->remote.address, 16);
  /* Nothing but their sockets tells frames apart. */
  if (reading->family == 0)
    memcpy (ret_key->remote, &reading->cookie, sizeof reading->cookie);
  ret_key->local_port = reading->local.port;
  ret_key->remote_port = reading->remote.port;
  ret_key->netns = netns;
  ret_key->discriminator = reading->discriminator;
  ret_key->protocol = reading->protocol;
  ret_key->family = reading->family;
}

static bool
is_one_sockets (const struct weir_bpf_reading *reading)
{
  /* What the kernel refuses, and what programs make up, has a raw socket for many flows. */
  return (reading->protocol == IPPROTO_TCP &&
          !(reading->flags & (WEIR_BPF_RAW | WEIR_BPF_KERNEL))) ||
         reading->flags & WEIR_BPF_CONNECTED;
}

/* Whether @flow, which has the key of @reading, is an earlier connection between the same ends. */
static bool
is_earlier (const struct weir_flow *flow, const struct weir_bpf_reading *reading)
{
  const bool is_over =
      flow->flags & (WEIR_FLOW_IN_TIME_WAIT | WEIR_FLOW_SOCKET_DESTROYED) ||
      (flow->flags & WEIR_FLOW_HAD_SOCKET && !(flow->flags & WEIR_FLOW_HAS_SOCKET));

  if (reading->protocol != IPPROTO_TCP || flow->cookie == reading->cookie)
    return false;
  if (flow->cookie != 0 && !(flow->flags & WEIR_FLOW_IN_TIME_WAIT))
    return true;
  return is_over && reading->flags & WEIR_BPF_WHOLE;
}

/* The flow that the slot is a part of, made when there is none; NULL: no room. */
static struct weir_flow *
find_flow (struct weir_join *join, uint32_t netns, const struct weir_bpf_reading *reading,
           uint64_t now)
{
  struct weir_flow_key key;
  struct weir_flow *flow;
  bool is_new = false;

  make_key (netns, reading, &key);
  flow = weir_flow_table_find (&join->table, &key);
  if (flow != NULL && is_earlier (flow, reading))
    {
      weir_join_retire (join, flow);
      flow = NULL;
    }
  if (flow == NULL)
    {
      /* Packets that are refused have sockets, too: of the kernel's own anybody can make them. */
      flow = reading->flags & WEIR_BPF_KERNEL
                 ? weir_flow_table_add_without_socket (&join->table, &key, now)
                 : weir_flow_table_add (&join->table, &key, now);
      is_new = true;
    }
  if (flow == NULL)
    return NULL;
  if (weir_flow_need_bpf (flow) == NULL)
    {
      if (is_new)
        weir_join_remove (join, flow);
      return NULL;
    }
  return flow;
}

/* The slot begins, or goes on in another flow because the one that it was a part of has ended. */
static struct weir_flow *
begin_part (struct weir_join *join, uint32_t netns, struct weir_bpf_part *part,
            const struct weir_bpf_reading *reading, uint64_t now)
{
  struct weir_flow *flow = find_flow (join, netns, reading, now);
  struct weir_flow_bpf *bpf;

  if (flow == NULL)
    return NULL;
  bpf = flow->extra->bpf;
  if (!flow->has_bpf && bpf->moved_at == 0)
    {
      bpf->is_whole = reading->flags & WEIR_BPF_WHOLE;
      bpf->is_kernels = reading->flags & WEIR_BPF_KERNEL;
    }
  bpf->moved_at = now;
  bpf->is_moving = true;
  bpf->n_open++;
  flow->has_bpf = 1;
  flow->is_elsewhere = 0;
  flow->dirty |= WEIR_FLOW_STATE;
  weir_flow_table_unmark (&join->table, flow, WEIR_MARK_CLOSED | WEIR_MARK_IDLE);
  if (is_one_sockets (reading))
    {
      weir_flow_table_set_cookie (&join->table, flow, reading->cookie);
      weir_join_expect_in_dumps (join, flow);
    }
  /* Those that have a socket to themselves are closed some time. */
  else
    weir_flow_table_mark (&join->table, flow, WEIR_MARK_IDLE);
  part->flow = flow->number;
  part->flow_id = flow->id;
  part->is_open = true;
  part->opener_pid = part->user_pid = 0;
  return flow;
}

/* NULL: it has none (any more). */
static struct weir_flow *
get_flow (struct weir_join *join, const struct weir_bpf_part *part)
{
  struct weir_flow *flow = weir_flow_table_get (&join->table, part->flow);

  return flow != NULL && flow->id == part->flow_id ? flow : NULL;
}

static void
close_part (struct weir_join *join, struct weir_bpf_part *part)
{
  struct weir_flow *flow = get_flow (join, part);

  /* None is left when the kernel told that the socket is no more. */
  if (part->is_open && flow != NULL && flow->extra->bpf->n_open > 0 &&
      --flow->extra->bpf->n_open == 0)
    weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED | WEIR_MARK_IDLE);
  part->is_open = false;
}

static bool
grow (uint64_t *sum, uint64_t *seen, uint64_t value)
{
  if (value <= *seen)
    return false;
  *sum += value - *seen;
  *seen = value;
  return true;
}

/* Whether anything moved. */
static bool
add_counters (struct weir_flow_bpf *bpf, struct weir_bpf_part *part,
              const struct weir_bpf_reading *reading)
{
  bool moved = grow (&bpf->rx_bytes, &part->rx_bytes, reading->rx_bytes);

  moved |= grow (&bpf->tx_bytes, &part->tx_bytes, reading->tx_bytes);
  moved |= grow (&bpf->rx_packets, &part->rx_packets, reading->rx_packets);
  moved |= grow (&bpf->tx_packets, &part->tx_packets, reading->tx_packets);
  moved |= grow (&bpf->rx_payload, &part->rx_payload, reading->rx_payload);
  moved |= grow (&bpf->tx_payload, &part->tx_payload, reading->tx_payload);
  moved |= grow (&bpf->rx_extra, &part->rx_extra, reading->rx_extra);
  moved |= grow (&bpf->tx_extra, &part->tx_extra, reading->tx_extra);
  return moved;
}

/* Of a socket whose flow was told the end of: its own row would be one for a handful of bytes. */
static void
add_late (struct weir_join_bpf *all, struct weir_bpf_part *part,
          const struct weir_bpf_reading *reading)
{
  struct weir_flow_bpf rest = { 0 };

  add_counters (&rest, part, reading);
  all->late_rx_bytes += rest.rx_bytes;
  all->late_tx_bytes += rest.tx_bytes;
}

/* ---- owners ---- */

static uint32_t
need_process (struct weir_join *join, const struct weir_bpf_process *process, uint64_t since,
              bool is_opener, uint64_t now)
{
  struct weir_named_process named = {
    .pid = process->pid,
    .uid = process->uid,
    .cgroup_id = process->cgroup_id,
    .has_threads_name = process->has_threads_name,
  };

  memcpy (named.comm, process->comm, sizeof named.comm);
  named.comm[sizeof named.comm - 1] = '\0';
  return weir_owners_need_process (&join->owners, &named, since, is_opener, now);
}

static void
set_opener (struct weir_join *join, struct weir_flow *flow, uint32_t opener)
{
  struct weir_flow_bpf *bpf = weir_flow_get_bpf (flow);

  if (bpf == NULL || bpf->opener == opener)
    return;
  if (bpf->opener != 0)
    weir_owners_get (&join->owners, bpf->opener)->flows--;
  if (opener != 0)
    weir_owners_get (&join->owners, opener)->flows++;
  bpf->opener = opener;
  flow->dirty |= WEIR_FLOW_OPENER;
}

/* Names are those of threads, or of programs that were executed since. */
static bool
is_same_process (const struct weir_bpf_process *a, const struct weir_bpf_process *b)
{
  return a->pid == b->pid && a->uid == b->uid && a->cgroup_id == b->cgroup_id;
}

/* @differs: from who uses the socket. */
static void
take_opener (struct weir_join *join, struct weir_flow *flow, const struct weir_bpf_reading *reading,
             bool differs, uint64_t now)
{
  const struct weir_owner *known =
      weir_owners_get (&join->owners, weir_flow_get_bpf (flow)->opener);

  if (!differs)
    set_opener (join, flow, 0);
  else if (known == NULL || known->pid != reading->opener.pid)
    set_opener (join, flow, need_process (join, &reading->opener, reading->born, true, now));
}

/* Who uses the socket is its owner, and who made it is told besides when that is another one. */
static void
take_processes (struct weir_join *join, struct weir_flow *flow, struct weir_bpf_part *part,
                const struct weir_bpf_reading *reading, enum weir_bpf_news news, uint64_t now)
{
  const struct weir_bpf_process *user = &reading->user, *opener = &reading->opener;
  /* One that was seen using it only now may be younger than the flow. */
  const uint64_t since = news == WEIR_BPF_NEWS_BORN ? reading->born : now;
  uint32_t owner;

  /* Also of who has no number in the engine's pid namespace. */
  if (opener->cgroup_id != 0 && !(flow->flags & WEIR_FLOW_HAS_UID))
    {
      flow->flags |= WEIR_FLOW_HAS_UID;
      flow->uid = opener->uid;
      flow->dirty |= WEIR_FLOW_OWNER;
    }
  if (user->pid == 0)
    user = opener;
  if (user->pid == 0 || (part->user_pid == user->pid && part->opener_pid == opener->pid))
    return;
  /* Also when there is no room for it: it is not looked for anew whenever something moves. */
  part->user_pid = user->pid;
  part->opener_pid = opener->pid;
  owner = need_process (join, user, since, false, now);
  if (owner == 0)
    return;
  weir_flow_set_flags (flow, WEIR_FLOW_OWNER_IS_EXACT, WEIR_FLOW_OWNER_IS_SHARED);
  weir_join_set_owner (join, flow, owner);
  take_opener (join, flow, reading, opener->pid != 0 && !is_same_process (opener, user), now);
  /* Who only uses it may have been given it from another namespace. */
  if (opener->pid != 0)
    weir_join_note_maker (join, reading->netns_cookie,
                          is_same_process (opener, user) ? owner : flow->extra->bpf->opener,
                          reading->born);
  if (user->cgroup_id != 0 && flow->cgroup_id != user->cgroup_id)
    {
      flow->cgroup_id = user->cgroup_id;
      flow->dirty |= WEIR_FLOW_OWNER;
    }
}

/* Anybody may send to the socket, so there may be no flow of it. */
static void
name_socket (struct weir_join *join, const struct weir_bpf_reading *reading, uint64_t now)
{
  const bool is_opener = reading->user.pid == 0;
  const uint32_t process = need_process (join, is_opener ? &reading->opener : &reading->user,
                                         reading->born, is_opener, now);

  if (process != 0)
    weir_named_sockets_add (join->bpf.named, &join->owners, reading->cookie, process);
}

/* ---- readings ---- */

static void
take_facts (struct weir_join *join, struct weir_flow *flow, const struct weir_bpf_reading *reading)
{
  /* Of frames only those are counted that leave. */
  const uint8_t direction =
      reading->flags & WEIR_BPF_FRAMES ? WEIR_DIRECTION_OUT : reading->direction;

  if (direction != WEIR_DIRECTION_UNKNOWN && flow->direction == WEIR_DIRECTION_UNKNOWN &&
      !(flow->flags & WEIR_FLOW_HAD_CONNTRACK))
    weir_flow_set_direction (flow, direction);
  if (flow->key.netns == join->own.inode && reading->ifindex != 0 &&
      flow->ifindex != reading->ifindex)
    {
      flow->ifindex = reading->ifindex;
      flow->dirty |= WEIR_FLOW_STATE;
    }
  choose_links (join, flow, reading->ifindex);
}

static void
take_closed (struct weir_join *join, struct weir_flow *flow, struct weir_bpf_part *part,
             uint64_t now)
{
  close_part (join, part);
  flow->extra->bpf->was_closed = true;
  flow->extra->bpf->moved_at = now;
  flow->dirty |= WEIR_FLOW_STATE;
  if (flow->extra->bpf->n_open > 0)
    return;
  weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED | WEIR_MARK_CLOSED);
  /* Of TCP something goes on, and the kernel tells when it is over. */
  if (flow->key.protocol != IPPROTO_TCP)
    weir_flow_set_flags (flow, 0, WEIR_FLOW_HAS_SOCKET);
}

void
weir_join_close_parts (struct weir_join *join, struct weir_flow *flow)
{
  struct weir_flow_bpf *bpf = weir_flow_get_bpf (flow);

  if (!flow->has_bpf || flow->key.protocol != IPPROTO_TCP || bpf->n_open == 0)
    return;
  bpf->n_open = 0;
  bpf->was_closed = true;
  flow->dirty |= WEIR_FLOW_STATE;
  weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED | WEIR_MARK_CLOSED);
}

void
weir_join_bpf (struct weir_join *join, const struct weir_bpf_reading *reading,
               enum weir_bpf_news news, uint64_t now)
{
  struct weir_bpf_part *part;
  struct weir_flow *flow;
  uint32_t netns;

  if (news == WEIR_BPF_NEWS_NAMED)
    name_socket (join, reading, now);
  else if (news == WEIR_BPF_NEWS_RELEASED)
    weir_named_sockets_remove (join->bpf.named, &join->owners, reading->cookie);
  if (news >= WEIR_BPF_NEWS_NAMED || reading->slot >= join->bpf.n_parts)
    return;
  part = &join->bpf.parts[reading->slot];
  if (part->is_used && part->generation != reading->generation)
    {
      close_part (join, part);
      part->is_used = false;
    }
  if (news == WEIR_BPF_NEWS_ENDED)
    {
      /* The connection may well go on, in another slot. */
      if (part->is_used)
        close_part (join, part);
      part->is_used = false;
      return;
    }
  if (!part->is_used)
    *part = (struct weir_bpf_part) { .generation = reading->generation, .is_used = true };
  flow = get_flow (join, part);
  if (flow == NULL)
    {
      netns = find_netns (join, reading);
      if (netns == 0 || (join->bpf.own_only && netns != join->own.inode))
        return;
      if (part->flow == 0 || !(reading->flags & WEIR_BPF_CLOSED))
        flow = begin_part (join, netns, part, reading, now);
      /* The first of it was read after its end was heard. */
      if (flow != NULL && flow->flags & WEIR_FLOW_SOCKET_DESTROYED)
        weir_join_close_parts (join, flow);
    }
  if (flow == NULL)
    {
      add_late (&join->bpf, part, reading);
      return;
    }
  if (add_counters (flow->extra->bpf, part, reading))
    {
      flow->extra->bpf->moved_at = now;
      flow->extra->bpf->is_moving = true;
      weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
    }
  take_facts (join, flow, reading);
  take_processes (join, flow, part, reading, news, now);
  if (flow->dirty != 0)
    weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
  if (news == WEIR_BPF_NEWS_CLOSED || (reading->flags & WEIR_BPF_CLOSED && part->is_open))
    take_closed (join, flow, part, now);
}

/* ---- settling ---- */

static uint64_t
beyond (uint64_t other, uint64_t counted)
{
  return other > counted ? other - counted : 0;
}

static uint64_t
at_least_one (uint64_t n)
{
  return n > 0 ? n : 1;
}

/* The last packets of a connection that this end closed have no socket any more, and kernel
 * programs see none of them (tcp_timewait_state_process() in net/ipv4/tcp_minisocks.c); connection
 * tracking counts them.  They are headers only, and few: anything else is a difference of another
 * kind.  Its packets are those before they are cut to segments. */
static void
add_remains (struct weir_flow *flow, struct weir_flow_bpf *bpf)
{
  const uint64_t rx_bytes = beyond (flow->ct_rx_bytes, bpf->rx_bytes);
  const uint64_t tx_bytes = beyond (flow->ct_tx_bytes, bpf->tx_bytes);

  if (flow->key.protocol != IPPROTO_TCP || bpf->n_open > 0 || !bpf->was_closed ||
      !(flow->flags & WEIR_FLOW_HAS_COUNTERS) || rx_bytes > REMAINS_MAX || tx_bytes > REMAINS_MAX)
    return;
  bpf->base_rx_packets =
      rx_bytes > 0 ? at_least_one (beyond (flow->ct_rx_packets, bpf->rx_packets)) : 0;
  bpf->base_tx_packets =
      tx_bytes > 0 ? at_least_one (beyond (flow->ct_tx_packets, bpf->tx_packets)) : 0;
  bpf->base_rx_bytes = rx_bytes;
  bpf->base_tx_bytes = tx_bytes;
}

void
weir_join_choose_base (struct weir_flow *flow)
{
  struct weir_flow_bpf *bpf = weir_flow_get_bpf (flow);

  if (bpf != NULL && bpf->is_whole)
    add_remains (flow, bpf);
  if (bpf == NULL || bpf->is_whole || bpf->has_base)
    return;
  if (flow->flags & WEIR_FLOW_HAS_COUNTERS && !(flow->flags & WEIR_FLOW_TCP_MOVED_ON))
    {
      bpf->base_rx_bytes = beyond (flow->ct_rx_bytes, bpf->rx_bytes);
      bpf->base_tx_bytes = beyond (flow->ct_tx_bytes, bpf->tx_bytes);
      bpf->base_rx_packets = beyond (flow->ct_rx_packets, bpf->rx_packets);
      bpf->base_tx_packets = beyond (flow->ct_tx_packets, bpf->tx_packets);
    }
  else if (flow->flags & WEIR_FLOW_HAS_TCP_BYTES)
    {
      bpf->base_rx_bytes = beyond (flow->tcp_rx_bytes, bpf->rx_payload);
      bpf->base_tx_bytes = beyond (flow->tcp_tx_bytes, bpf->tx_payload);
    }
  else
    return;
  bpf->has_base = true;
  /* What was before belongs to no interval, unless it was shown. */
  if (flow->bytes_source == WEIR_SOURCE_BPF || flow->bytes_source == WEIR_SOURCE_NONE)
    flow->flags |= WEIR_FLOW_NO_RATE;
}

enum weir_flow_state
weir_join_get_counted_state (const struct weir_flow *flow)
{
  const struct weir_flow_bpf *bpf = weir_flow_get_bpf (flow);

  if (bpf->n_open == 0 && bpf->was_closed)
    return flow->key.protocol == IPPROTO_TCP && !(flow->flags & WEIR_FLOW_SOCKET_DESTROYED)
               ? WEIR_FLOW_STATE_CLOSING
               : WEIR_FLOW_STATE_CLOSED;
  if (flow->key.protocol == IPPROTO_TCP && bpf->is_whole &&
      (bpf->rx_packets == 0 || bpf->tx_packets == 0))
    return WEIR_FLOW_STATE_OPENING;
  return WEIR_FLOW_STATE_OPEN;
}

static bool
is_over (const struct weir_flow *flow, uint64_t now)
{
  const struct weir_flow_bpf *bpf = flow->extra->bpf;
  const uint64_t idle = now > bpf->moved_at ? now - bpf->moved_at : 0;

  if (bpf->n_open > 0 || !bpf->was_closed)
    return idle >= IDLE_END;
  return flow->key.protocol != IPPROTO_TCP || flow->flags & WEIR_FLOW_SOCKET_DESTROYED ||
         idle >= CLOSED_END;
}

static void
end_if_over (struct weir_join *join, struct weir_flow *flow, uint64_t now)
{
  if (!is_over (flow, now))
    return;
  flow->has_bpf = 0;
  flow->dirty |= WEIR_FLOW_STATE;
  weir_flow_table_unmark (&join->table, flow, WEIR_MARK_CLOSED | WEIR_MARK_IDLE);
  weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
}

void
weir_join_settle_bpf (struct weir_join *join, uint64_t now)
{
  struct weir_flow *flow;

  for (uint32_t slot = 0;
       (flow = weir_flow_table_next_marked (&join->table, &slot, WEIR_MARK_CLOSED));)
    end_if_over (join, flow, now);
  for (unsigned i = 0; i < IDLE_LOOKS; i++)
    {
      flow = weir_flow_table_next_marked (&join->table, &join->bpf.idle_at, WEIR_MARK_IDLE);
      if (flow == NULL)
        {
          join->bpf.idle_at = 0;
          break;
        }
      end_if_over (join, flow, now);
    }
}

void
weir_join_leave_bpf (struct weir_join *join, struct weir_flow *flow)
{
  set_opener (join, flow, 0);
}
