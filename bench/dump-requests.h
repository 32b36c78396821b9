/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bare dumps that both programs of the engine's benchmark ask the kernel for. */
#pragma once

#include <linux/inet_diag.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdint.h>
#include <sys/socket.h>

struct conntrack_request
{
  struct nlmsghdr header;
  struct nfgenmsg body;
};

struct socket_request
{
  struct nlmsghdr header;
  struct inet_diag_req_v2 body;
};

/* All entries of the connection tracking table. */
static inline struct conntrack_request
make_conntrack_request (void)
{
  return (struct conntrack_request) {
    .header = {
      .nlmsg_len = sizeof (struct conntrack_request),
      .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
    },
    .body = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
  };
}

/* All sockets of one family and protocol, with TCP's figures. */
static inline struct socket_request
make_socket_request (uint8_t family, uint8_t protocol)
{
  return (struct socket_request) {
    .header = {
      .nlmsg_len = sizeof (struct socket_request),
      .nlmsg_type = SOCK_DIAG_BY_FAMILY,
      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
    },
    .body = {
      .sdiag_family = family,
      .sdiag_protocol = protocol,
      .idiag_ext = 1 << (INET_DIAG_INFO - 1),
      .idiag_states = UINT32_MAX,
    },
  };
}
