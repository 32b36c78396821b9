/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The numbers are those of linux/netfilter/nf_conntrack_tcp.h and nf_conntrack_sctp.h; those of
 * DCCP were never given to programs (include/linux/netfilter/nf_conntrack_dccp.h, until Linux
 * 6.16). */
#include "config.h"

#include "weir-tracking-words.h"

#include <netinet/in.h>

static const char *const tcp_words[] = {
  NULL,         "syn-sent", "syn-recv",  "established", "fin-wait",
  "close-wait", "last-ack", "time-wait", "close",       "syn-sent2",
};

static const char *const sctp_words[] = {
  NULL,
  "closed",
  "cookie-wait",
  "cookie-echoed",
  "established",
  "shutdown-sent",
  "shutdown-recd",
  "shutdown-ack-sent",
  "heartbeat-sent",
  "heartbeat-acked",
};

static const char *const dccp_words[] = {
  NULL, "request", "respond", "partopen", "open", "closereq", "closing", "timewait",
};

const char *
weir_tracking_state_get_word (guint8 protocol, guint8 state)
{
  switch (protocol)
    {
    case IPPROTO_TCP:
      return state < G_N_ELEMENTS (tcp_words) ? tcp_words[state] : NULL;
    case IPPROTO_SCTP:
      return state < G_N_ELEMENTS (sctp_words) ? sctp_words[state] : NULL;
    case IPPROTO_DCCP:
      return state < G_N_ELEMENTS (dccp_words) ? dccp_words[state] : NULL;
    default:
      return NULL;
    }
}
