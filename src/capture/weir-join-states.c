/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the states of the connection tracking table mean: they are the kernel's own, one set for
 * each protocol that has any. */
#include "weir-join.h"

/* Before the kernel's headers, which then leave out what both define. */
#include <netinet/in.h>

#include <linux/netfilter/nf_conntrack_sctp.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

static enum weir_flow_state
state_of_tcp (uint8_t state)
{
  switch (state)
    {
    case TCP_CONNTRACK_SYN_SENT:
    case TCP_CONNTRACK_SYN_SENT2:
    case TCP_CONNTRACK_SYN_RECV:
      return WEIR_FLOW_STATE_OPENING;
    case TCP_CONNTRACK_ESTABLISHED:
      return WEIR_FLOW_STATE_OPEN;
    case TCP_CONNTRACK_FIN_WAIT:
    case TCP_CONNTRACK_CLOSE_WAIT:
    case TCP_CONNTRACK_LAST_ACK:
      return WEIR_FLOW_STATE_CLOSING;
    case TCP_CONNTRACK_TIME_WAIT:
    case TCP_CONNTRACK_CLOSE:
      return WEIR_FLOW_STATE_CLOSED;
    default:
      return WEIR_FLOW_STATE_UNKNOWN;
    }
}

static enum weir_flow_state
state_of_sctp (uint8_t state)
{
  switch (state)
    {
    case SCTP_CONNTRACK_COOKIE_WAIT:
    case SCTP_CONNTRACK_COOKIE_ECHOED:
    case SCTP_CONNTRACK_HEARTBEAT_SENT:
      return WEIR_FLOW_STATE_OPENING;
    case SCTP_CONNTRACK_ESTABLISHED:
    case SCTP_CONNTRACK_HEARTBEAT_ACKED:
      return WEIR_FLOW_STATE_OPEN;
    case SCTP_CONNTRACK_SHUTDOWN_SENT:
    case SCTP_CONNTRACK_SHUTDOWN_RECD:
    case SCTP_CONNTRACK_SHUTDOWN_ACK_SENT:
      return WEIR_FLOW_STATE_CLOSING;
    case SCTP_CONNTRACK_CLOSED:
      return WEIR_FLOW_STATE_CLOSED;
    default:
      return WEIR_FLOW_STATE_UNKNOWN;
    }
}

/* The kernel's include/linux/netfilter/nf_conntrack_dccp.h, until Linux 6.16; programs are not
 * given it. */
enum dccp_state
{
  DCCP_REQUEST = 1,
  DCCP_RESPOND = 2,
  DCCP_PARTOPEN = 3,
  DCCP_OPEN = 4,
  DCCP_CLOSEREQ = 5,
  DCCP_CLOSING = 6,
  DCCP_TIMEWAIT = 7,
};

static enum weir_flow_state
state_of_dccp (uint8_t state)
{
  switch (state)
    {
    case DCCP_REQUEST:
    case DCCP_RESPOND:
    case DCCP_PARTOPEN:
      return WEIR_FLOW_STATE_OPENING;
    case DCCP_OPEN:
      return WEIR_FLOW_STATE_OPEN;
    case DCCP_CLOSEREQ:
    case DCCP_CLOSING:
      return WEIR_FLOW_STATE_CLOSING;
    case DCCP_TIMEWAIT:
      return WEIR_FLOW_STATE_CLOSED;
    default:
      return WEIR_FLOW_STATE_UNKNOWN;
    }
}

enum weir_flow_state
weir_join_get_tracked_state (const struct weir_flow *flow)
{
  switch (flow->key.protocol)
    {
    case IPPROTO_TCP:
      return state_of_tcp (flow->ct_state);
    case IPPROTO_SCTP:
      return state_of_sctp (flow->ct_state);
    case IPPROTO_DCCP:
      /* Kernels that do not follow it track it like any other protocol. */
      return flow->ct_state == 0 ? WEIR_FLOW_STATE_OPEN : state_of_dccp (flow->ct_state);
    default:
      return WEIR_FLOW_STATE_OPEN;
    }
}
