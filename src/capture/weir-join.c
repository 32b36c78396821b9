/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-join.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

int
weir_join_init (struct weir_join *join, uint32_t netns, bool sees_everybody, uint32_t flows_max)
{
  int result;

  *join = (struct weir_join) { .own = { .inode = netns } };
  weir_addresses_init (&join->own.addresses);
  weir_socket_index_init (&join->own.sockets);
  result = weir_flow_table_init (&join->table, flows_max);
  if (result == 0)
    result = weir_owners_init (&join->owners, sees_everybody);
  if (result == 0)
    result = weir_receivers_init (&join->receivers);
  if (result < 0)
    weir_join_clear (join);
  return result;
}

void
weir_join_clear (struct weir_join *join)
{
  while (join->n_others > 0)
    weir_join_remove_netns (join, join->others[0]);
  weir_flow_table_clear (&join->table);
  weir_addresses_clear (&join->own.addresses);
  weir_socket_index_clear (&join->own.sockets);
  weir_owners_clear (&join->owners);
  weir_receivers_clear (&join->receivers);
  weir_join_clear_bpf (join);
}

bool
weir_join_is_baseline (const struct weir_join *join, bool known)
{
  return !known || join->table.refused != join->refused_before;
}

void
weir_flow_set_flags (struct weir_flow *flow, uint32_t set, uint32_t cleared)
{
  uint32_t flags = (flow->flags & ~cleared) | set;

  if ((flags ^ flow->flags) & (WEIR_FLOW_HAS_SOCKET | WEIR_FLOW_HAS_CONNTRACK))
    flow->dirty |= WEIR_FLOW_STATE;
  flow->flags = flags;
}

void
weir_flow_set_direction (struct weir_flow *flow, enum weir_direction direction)
{
  if (flow->direction == direction)
    return;
  flow->direction = (uint8_t) direction;
  flow->dirty |= WEIR_FLOW_STATE;
}

/* What kernel programs count goes on where the other source's figure was. */
static bool
goes_on (const struct weir_flow *flow, enum weir_source source)
{
  return source == WEIR_SOURCE_BPF && flow->bytes_source != WEIR_SOURCE_NONE &&
         flow->extra->bpf->has_base;
}

void
weir_flow_set_bytes_source (struct weir_flow *flow, enum weir_source source)
{
  if (flow->bytes_source == source)
    return;
  /* Sources count differently (with headers or without, since when): the step from one figure to
   * the other is no speed. */
  if (flow->flags & WEIR_FLOW_WAS_SEEN && !goes_on (flow, source))
    flow->flags |= WEIR_FLOW_NO_RATE;
  flow->bytes_source = (uint8_t) source;
  flow->dirty |= WEIR_FLOW_BYTES;
}

void
weir_join_set_owner (struct weir_join *join, struct weir_flow *flow, uint32_t owner)
{
  if (flow->owner == owner)
    return;
  if (flow->owner != 0)
    weir_owners_get (&join->owners, flow->owner)->flows--;
  if (owner != 0)
    {
      weir_owners_get (&join->owners, owner)->flows++;
      weir_flow_table_mark (&join->table, flow, WEIR_MARK_OWNED);
    }
  else
    weir_flow_table_unmark (&join->table, flow, WEIR_MARK_OWNED);
  flow->owner = owner;
  flow->dirty |= WEIR_FLOW_OWNER;
}

void
weir_join_retire (struct weir_join *join, struct weir_flow *flow)
{
  weir_flow_set_flags (flow, WEIR_FLOW_IS_ENDED,
                       WEIR_FLOW_HAS_SOCKET | WEIR_FLOW_HAS_CONNTRACK | WEIR_FLOW_IN_TIME_WAIT);
  flow->state = WEIR_FLOW_STATE_CLOSED;
  flow->dirty |= WEIR_FLOW_STATE;
  weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
  weir_flow_table_unlink (&join->table, flow);
}

void
weir_join_remove (struct weir_join *join, struct weir_flow *flow)
{
  weir_join_set_owner (join, flow, 0);
  weir_join_leave_bpf (join, flow);
  weir_flow_table_remove (&join->table, flow);
}

/* ---- settling ---- */

static void
choose_bytes (struct weir_flow *flow)
{
  if (weir_flow_get_bpf (flow) != NULL)
    {
      weir_join_choose_base (flow);
      weir_flow_set_bytes_source (flow, WEIR_SOURCE_BPF);
    }
  else if (flow->flags & WEIR_FLOW_HAS_COUNTERS && !(flow->flags & WEIR_FLOW_TCP_MOVED_ON))
    weir_flow_set_bytes_source (flow, WEIR_SOURCE_CONNTRACK);
  else if (flow->flags & WEIR_FLOW_HAS_TCP_BYTES && !flow->is_elsewhere)
    weir_flow_set_bytes_source (flow, WEIR_SOURCE_SOCKDIAG);
}

static enum weir_flow_state
state_of_socket (uint8_t state)
{
  switch (state)
    {
    case WEIR_TCP_ESTABLISHED:
      return WEIR_FLOW_STATE_OPEN;
    case WEIR_TCP_SYN_SENT:
    case WEIR_TCP_SYN_RECV:
    case WEIR_TCP_NEW_SYN_RECV:
      return WEIR_FLOW_STATE_OPENING;
    case WEIR_TCP_FIN_WAIT1:
    case WEIR_TCP_FIN_WAIT2:
    case WEIR_TCP_CLOSE_WAIT:
    case WEIR_TCP_LAST_ACK:
    case WEIR_TCP_CLOSING:
      return WEIR_FLOW_STATE_CLOSING;
    case WEIR_TCP_CLOSE:
    case WEIR_TCP_TIME_WAIT:
      return WEIR_FLOW_STATE_CLOSED;
    default:
      return WEIR_FLOW_STATE_UNKNOWN;
    }
}

/* Whether the socket without a peer that served the flow is there no more. */
static bool
server_is_gone (struct weir_join *join, const struct weir_flow *flow)
{
  const struct weir_owner *owner = weir_owners_get (&join->owners, flow->owner);

  return owner != NULL && flow->key.protocol != IPPROTO_TCP &&
         (int32_t) (weir_join_get_netns (join, flow->key.netns)->round_before - owner->round) > 0;
}

/* Whether kernel programs know more of the flow's state than the last look at its socket showed. */
static bool
is_newer (const struct weir_flow *flow)
{
  return flow->has_bpf && (flow->extra->bpf->n_open == 0 ||
                           state_of_socket (flow->socket_state) == WEIR_FLOW_STATE_OPENING);
}

static void
choose_state (struct weir_join *join, struct weir_flow *flow)
{
  enum weir_flow_state state;

  if (flow->flags & WEIR_FLOW_IN_TIME_WAIT)
    state = WEIR_FLOW_STATE_CLOSED;
  else if (flow->flags & WEIR_FLOW_HAS_SOCKET && !is_newer (flow))
    state = state_of_socket (flow->socket_state);
  else if (flow->has_bpf)
    state = weir_join_get_counted_state (flow);
  else if (!(flow->flags & WEIR_FLOW_HAS_CONNTRACK) || flow->flags & WEIR_FLOW_HAD_SOCKET ||
           server_is_gone (join, flow))
    /* Its socket is gone, and conntrack only remembers it for a while. */
    state = WEIR_FLOW_STATE_CLOSED;
  else
    state = weir_join_get_tracked_state (flow);
  if (flow->state == state)
    return;
  flow->state = (uint8_t) state;
  flow->dirty |= WEIR_FLOW_STATE;
}

/* Whether both ends are here: where the addresses of a namespace are not known, its sockets tell.
 * The one that was known first could not know. */
static bool
meets_other_end (const struct weir_join *join, const struct weir_flow *flow)
{
  const struct weir_flow_key key = weir_flow_key_from_other_end (&flow->key);
  struct weir_flow *other = weir_flow_table_find (&join->table, &key);

  if (other != NULL && !(other->flags & WEIR_FLOW_HAD_CONNTRACK))
    weir_flow_set_direction (other, WEIR_DIRECTION_LOCAL);
  return other != NULL;
}

static void
choose_direction (struct weir_join *join, struct weir_flow *flow)
{
  const struct weir_netns *netns = weir_join_get_netns (join, flow->key.netns);
  struct weir_endpoint local = { .port = flow->key.local_port };
  struct weir_servers servers;

  /* What conntrack recorded is better than anything that could be concluded here; and frames have
   * no ends. */
  if (flow->flags & WEIR_FLOW_HAD_CONNTRACK || flow->key.family == 0)
    return;
  if (weir_addresses_is_local (&netns->addresses, flow->key.remote) ||
      (!netns->addresses.known && meets_other_end (join, flow)))
    weir_flow_set_direction (flow, WEIR_DIRECTION_LOCAL);
  if (flow->direction != WEIR_DIRECTION_UNKNOWN || flow->key.protocol != IPPROTO_TCP)
    return;
  memcpy (local.address, flow->key.local, 16);
  servers = weir_socket_index_find (&netns->sockets, &netns->addresses, IPPROTO_TCP, &local);
  if (servers.first != NULL && servers.first->listening)
    weir_flow_set_direction (flow, WEIR_DIRECTION_IN);
}

/* Whether a program without any privilege can have sockets of @protocol. */
static bool
has_sockets (uint8_t protocol)
{
  switch (protocol)
    {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
    case IPPROTO_DCCP:
      return true;
    default:
      return false;
    }
}

/* Kernels before 6.10 do not say who sends a frame; who has the socket is listed (packet_diag). */
static void
find_framer (struct weir_join *join, struct weir_flow *flow)
{
  const struct weir_receiver *receiver;
  uint64_t cookie;

  memcpy (&cookie, flow->key.remote, sizeof cookie);
  receiver = weir_receivers_find_packet (&join->receivers, flow->key.netns, cookie);
  if (receiver == NULL || receiver->owner == 0)
    return;
  weir_flow_set_flags (flow, WEIR_FLOW_HAS_UID | WEIR_FLOW_OWNER_IS_EXACT, 0);
  flow->uid = receiver->uid;
  weir_join_set_owner (join, flow, receiver->owner);
}

static bool
is_kernels (const struct weir_flow *flow)
{
  const struct weir_flow_bpf *bpf = weir_flow_get_bpf (flow);

  return bpf != NULL && bpf->is_kernels;
}

static enum weir_owner_missing
why_no_owner (struct weir_join *join, const struct weir_flow *flow)
{
  const struct weir_netns *netns = weir_join_get_netns (join, flow->key.netns);

  if (is_kernels (flow))
    return WEIR_MISSING_KERNEL;
  if (flow->key.family == 0)
    return netns->sockets_known ? WEIR_MISSING_NOT_FOUND : WEIR_MISSING_NOT_YET;
  /* What a namespace has claimed stays that one's. */
  if (flow->direction == WEIR_DIRECTION_FORWARDED)
    return flow->owner_missing == WEIR_MISSING_OTHER_NAMESPACE ? WEIR_MISSING_OTHER_NAMESPACE
                                                               : WEIR_MISSING_FORWARDED;
  /* Only what no program can bring about is the kernel's own. */
  if (!has_sockets (flow->key.protocol) && !weir_flow_is_sent_icmp (flow) &&
      !weir_socket_index_has_raw (&netns->sockets, flow->key.protocol))
    return WEIR_MISSING_KERNEL;
  /* Which raw socket sent something nobody can know, nor does every kernel list the sockets of all
   * protocols; what goes to a group may have any number of receivers. */
  if ((flow->key.protocol != IPPROTO_TCP && flow->key.protocol != IPPROTO_UDP &&
       flow->key.protocol != IPPROTO_UDPLITE) ||
      weir_addresses_is_group (&netns->addresses, flow->key.local))
    return WEIR_MISSING_NOT_FOUND;
  if (!netns->sockets_known)
    return WEIR_MISSING_NOT_YET;
  /* Not accepted yet, by one of several that listen alike. */
  if (flow->flags & WEIR_FLOW_HAS_SOCKET && flow->state == WEIR_FLOW_STATE_OPEN)
    return WEIR_MISSING_NOT_FOUND;
  /* As the search ended. */
  return flow->owner_missing == WEIR_MISSING_NOT_FOUND ? WEIR_MISSING_NOT_FOUND : WEIR_MISSING_GONE;
}

static void
choose_owner (struct weir_join *join, struct weir_flow *flow, uint64_t now)
{
  const struct weir_owner *owner;
  uint8_t how = WEIR_OWNER_NONE, missing = WEIR_MISSING_NOTHING, version = 0;

  if (flow->owner == 0 && !(flow->flags & WEIR_FLOW_OWNER_IS_NOBODY) && !is_kernels (flow) &&
      flow->direction != WEIR_DIRECTION_FORWARDED &&
      (has_sockets (flow->key.protocol) || weir_flow_is_sent_echo (flow)))
    weir_join_borrow_owner (join, flow, now);
  if (flow->owner == 0 && flow->key.family == 0)
    find_framer (join, flow);

  if (flow->owner != 0 && flow->flags & WEIR_FLOW_OWNER_IS_SHARED)
    weir_join_choose_shared (join, flow, now, &how, &missing);
  owner = weir_owners_get (&join->owners, flow->owner);
  if (owner == NULL)
    missing = why_no_owner (join, flow);
  else
    version = owner->version;
  if (owner != NULL && !(flow->flags & WEIR_FLOW_OWNER_IS_SHARED))
    {
      missing = owner->missing;
      if (owner->is_process)
        how = WEIR_OWNER_BORN;
      else if (owner->pid != 0)
        how = flow->flags & WEIR_FLOW_OWNER_IS_EXACT ? WEIR_OWNER_TUPLE : WEIR_OWNER_LISTENER;
      else if (*weir_owners_get_cgroup (&join->owners, owner) != '\0')
        how = WEIR_OWNER_CGROUP;
    }
  if (flow->owner_how != how || flow->owner_missing != missing || flow->owner_version != version)
    flow->dirty |= WEIR_FLOW_OWNER;
  flow->owner_how = how;
  flow->owner_missing = missing;
  flow->owner_version = version;
}

static void
choose_all (struct weir_join *join, struct weir_flow *flow, uint64_t now)
{
  uint8_t dirty = flow->dirty;

  choose_bytes (flow);
  if (!(flow->flags & WEIR_FLOW_IS_ENDED))
    {
      choose_state (join, flow);
      choose_direction (join, flow);
    }
  choose_owner (join, flow, now);
  if (flow->dirty != dirty)
    weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
}

static void
settle_flow (struct weir_join *join, struct weir_flow *flow, uint64_t now)
{
  choose_all (join, flow, now);
  /* While a dump runs it may still show an entry that an event has already ended: keeping the flow
   * is what tells the two apart. */
  if (!(flow->flags & (WEIR_FLOW_IS_ENDED | WEIR_FLOW_HAS_SOCKET | WEIR_FLOW_HAS_CONNTRACK |
                       WEIR_FLOW_AWAITS_DUMP)) &&
      !flow->has_bpf && !join->conntrack_dumping)
    weir_join_retire (join, flow);
}

static struct weir_join_news
get_news (const struct weir_join *join)
{
  const struct weir_addresses *own = &join->own.addresses;
  struct weir_join_news news = {
    .owners = join->owners.news,
    .changes = join->n_changes,
    .addresses = own->version + own->known,
  };

  for (unsigned i = 0; i < join->n_others; i++)
    news.addresses += join->others[i]->addresses.version + join->others[i]->addresses.known;
  return news;
}

/* While a dump runs, sockets are shown one by one. */
static bool
is_dumping (const struct weir_join *join)
{
  if (join->own.dumping)
    return true;
  for (unsigned i = 0; i < join->n_others; i++)
    {
      if (join->others[i]->dumping)
        return true;
    }
  return false;
}

/* The marks of the flows that may have changed: those that were looked up since the last time, and
 * those that have an owner when there is news of anybody. */
static uint8_t
choose_marks (struct weir_join *join)
{
  const struct weir_join_news news = get_news (join), *before = &join->settled_news;
  const bool same = news.owners == before->owners && news.changes == before->changes &&
                    news.addresses == before->addresses && !is_dumping (join);

  join->settled_news = news;
  return same ? WEIR_MARK_TOUCHED : WEIR_MARK_TOUCHED | WEIR_MARK_OWNED;
}

void
weir_join_settle (struct weir_join *join, uint64_t now)
{
  struct weir_flow *flow;
  uint32_t slot;
  uint8_t marks;

  /* Before news of owners are looked for. */
  if (weir_join_has_bpf (join))
    weir_named_sockets_settle (join->bpf.named, &join->owners);
  marks = choose_marks (join);
  join->settled++;
  if (weir_join_has_bpf (join))
    {
      weir_join_learn_namespaces (join);
      weir_join_settle_bpf (join, now);
    }
  /* First, because it makes flows and removes some. */
  for (slot = 0; (flow = weir_flow_table_next_marked (&join->table, &slot, WEIR_MARK_TOUCHED));)
    {
      if (!(flow->flags & WEIR_FLOW_IS_ENDED))
        weir_join_reorient (join, flow);
    }
  for (slot = 0; (flow = weir_flow_table_next_marked (&join->table, &slot, marks));)
    settle_flow (join, flow, now);
}

void
weir_join_settle_new (struct weir_join *join, uint64_t now)
{
  struct weir_flow *flow;

  for (uint32_t slot = 0;
       (flow = weir_flow_table_next_marked (&join->table, &slot, WEIR_MARK_NEW));)
    choose_all (join, flow, now);
}
