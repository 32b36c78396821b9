/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The last bytes of a TCP socket.
 *
 * The kernel counts the peer's FIN as a byte received, and in the last figures of a socket nothing
 * says whether one is among them.  What follows is from net/ipv4/tcp.c and tcp_input.c:
 *
 * - Who waits for the peer's FIN after close(2) gives the socket up as soon as its own FIN is
 *   acknowledged; remains in FIN_WAIT2 then wait, and no FIN was counted.  Had the FIN come first,
 *   or with that acknowledgement, it would lie in the queue that nobody reads any more: 1.
 * - Who reads the peer's FIN and closes after that leaves an empty queue, too, and a FIN that was
 *   counted, but no remains.
 * - Who shuts only its own direction, reads the peer's FIN and then closes leaves both: an empty
 *   queue, a FIN that was counted, and remains in TIME_WAIT, in which those of the first case are
 *   as soon as the peer's FIN has come.  Only a dump that saw the socket shut and not closed tells
 *   them apart; without one the first case is believed, which is the common one.
 * - close(2) with unread data, and a reset, leave no remains; a FIN of one's own that was never
 *   acknowledged tells them, too.
 *
 * So the next whole dump decides, which shows remains or not.
 */
#include "weir-join.h"

#include <netinet/in.h>
#include <string.h>

#define FIN_FLAGS                                                                                  \
  (WEIR_FLOW_AWAITS_DUMP | WEIR_FLOW_FIN_UNDECIDED | WEIR_FLOW_FIN_QUEUED |                        \
   WEIR_FLOW_OWN_FIN_MAYBE | WEIR_FLOW_SHUT_BY_OWNER)

enum certainty
{
  NO,
  YES,
  MAYBE,
};

/* Whether the end that goes had sent a FIN that was acknowledged.  Beyond the payload only that
 * and, at the end that connected, the SYN are acknowledged. */
static enum certainty
own_fin_acked (const struct weir_netns *netns, const struct weir_flow *flow,
               const struct weir_socket_reading *reading)
{
  struct weir_servers servers;

  if (reading->acked_beyond != 1)
    return reading->acked_beyond > 1 ? YES : NO;
  if (flow->direction == WEIR_DIRECTION_OUT)
    return NO;
  if (flow->direction == WEIR_DIRECTION_IN)
    return YES;
  servers =
      weir_socket_index_find (&netns->sockets, &netns->addresses, IPPROTO_TCP, &reading->local);
  return servers.first != NULL && servers.first->listening ? YES : MAYBE;
}

/* Whether a FIN is among the bytes received, as far as it can be told now. */
static enum certainty
fin_counted (const struct weir_flow *flow, const struct weir_socket_reading *reading,
             enum certainty own_fin)
{
  if (flow->flags & WEIR_FLOW_FIN_RECEIVED)
    return YES;
  /* Nothing came since the last reading, not even a FIN. */
  if (flow->flags & WEIR_FLOW_HAS_TCP_BYTES && reading->rx_bytes <= flow->tcp_rx_bytes)
    return NO;
  if (reading->rx_bytes == 0 || own_fin == NO)
    return NO;
  return own_fin == YES && reading->queue == 1 ? YES : MAYBE;
}

static void
end_bytes (const struct weir_netns *netns, struct weir_flow *flow,
           const struct weir_socket_reading *reading)
{
  enum certainty own_fin = own_fin_acked (netns, flow, reading);
  enum certainty fin = fin_counted (flow, reading, own_fin);

  weir_flow_set_tcp_bytes (flow, reading->rx_bytes - (fin != NO && reading->rx_bytes > 0),
                           reading->tx_bytes);
  if (fin == MAYBE)
    flow->flags |= WEIR_FLOW_FIN_UNDECIDED | (reading->queue > 0 ? WEIR_FLOW_FIN_QUEUED : 0) |
                   (own_fin == MAYBE ? WEIR_FLOW_OWN_FIN_MAYBE : 0);
}

void
weir_flow_forget_ending (struct weir_flow *flow)
{
  flow->flags &= ~(uint32_t) FIN_FLAGS;
}

void
weir_join_end_socket (struct weir_join *join, const struct weir_netns *netns,
                      struct weir_flow *flow, const struct weir_socket_reading *reading)
{
  /* Its bytes are known without that, and what remains of it makes no row. */
  if (flow->has_bpf)
    {
      weir_join_close_parts (join, flow);
      weir_flow_set_tcp_bytes (flow, reading->rx_bytes, reading->tx_bytes);
      return;
    }
  if (reading->has_bytes)
    end_bytes (netns, flow, reading);
  flow->flags |= WEIR_FLOW_AWAITS_DUMP;
  flow->socket_round = netns->round;
  weir_flow_table_mark (&join->table, flow, WEIR_MARK_SOCKET);
}

static bool
has_fin (const struct weir_flow *flow, uint8_t remains)
{
  if (remains == 0)
    return !(flow->flags & (WEIR_FLOW_OWN_FIN_MAYBE | WEIR_FLOW_FIN_QUEUED));
  return remains == WEIR_TCP_TIME_WAIT &&
         flow->flags & (WEIR_FLOW_FIN_QUEUED | WEIR_FLOW_SHUT_BY_OWNER);
}

static void
decide (struct weir_join *join, struct weir_flow *flow, uint8_t remains)
{
  /* Nothing has moved: it is only known better. */
  if (flow->flags & WEIR_FLOW_FIN_UNDECIDED && !has_fin (flow, remains))
    flow->tcp_rx_bytes++;
  weir_flow_forget_ending (flow);
  weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
}

void
weir_join_decide_ending (struct weir_join *join, const struct weir_netns *netns,
                         struct weir_flow *flow)
{
  if (!(flow->flags & WEIR_FLOW_AWAITS_DUMP))
    return;
  if (flow->flags & WEIR_FLOW_IN_TIME_WAIT && flow->socket_round == netns->round)
    decide (join, flow, flow->socket_state);
  /* The dump in which the socket went may have looked at its place before. */
  else if (flow->socket_round != netns->round)
    decide (join, flow, 0);
}

void
weir_join_give_up_endings (struct weir_join *join, const struct weir_netns *netns)
{
  struct weir_flow *flow;
  uint32_t slot = 0;

  while ((flow = weir_flow_table_next_marked (&join->table, &slot, WEIR_MARK_SOCKET)) != NULL)
    {
      if (flow->key.netns == netns->inode && flow->flags & WEIR_FLOW_AWAITS_DUMP)
        decide (join, flow, 0);
    }
}
