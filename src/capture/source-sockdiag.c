/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source-sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "weir-addresses.h"
#include "weir-netlink.h"

static const struct
{
  uint8_t family, protocol;
} steps[WEIR_SOCKDIAG_STEPS] = {
  { AF_INET, IPPROTO_TCP },
  { AF_INET6, IPPROTO_TCP },
  { AF_INET, IPPROTO_UDP },
  { AF_INET6, IPPROTO_UDP },
};

#define HAS_FIELD(size, field)                                                                     \
  ((size) >= offsetof (struct tcp_info, field) + sizeof (((struct tcp_info *) NULL)->field))

/* The kernel's struct may be shorter (older) or longer (newer) than ours: only fields that lie
 * whole inside it count. */
static void
read_tcp_info (const void *data, size_t size, enum weir_sockdiag_event event,
               struct weir_socket_reading *reading)
{
  struct tcp_info info = { 0 };
  uint64_t sent_once;

  memcpy (&info, data, size < sizeof info ? size : sizeof info);
  if (HAS_FIELD (size, tcpi_total_retrans))
    {
      reading->has_times = true;
      reading->rtt_us = info.tcpi_rtt;
      reading->retransmits = info.tcpi_total_retrans;
    }
  /* bytes_sent came last, with Linux 4.19. */
  if (!HAS_FIELD (size, tcpi_bytes_retrans))
    return;
  sent_once = info.tcpi_bytes_sent >= info.tcpi_bytes_retrans
                  ? info.tcpi_bytes_sent - info.tcpi_bytes_retrans
                  : 0;
  reading->has_bytes = true;
  reading->tx_bytes = sent_once;
  reading->rx_bytes = info.tcpi_bytes_received;

  /* bytes_received grows with the sequence number, and a FIN takes one (net/ipv4/tcp_input.c,
   * tcp_rcv_nxt_update).  Who still has a state tells by it whether one was received. */
  reading->fin_counted = event == WEIR_SOCKDIAG_SOCKET && (reading->state == WEIR_TCP_CLOSE_WAIT ||
                                                           reading->state == WEIR_TCP_LAST_ACK ||
                                                           reading->state == WEIR_TCP_CLOSING);
  /* A connection whose own FIN was never acknowledged did not end in order, and a reset is no FIN.
   */
  reading->fin_may_count = event == WEIR_SOCKDIAG_DESTROYED && info.tcpi_bytes_received > 0 &&
                           info.tcpi_bytes_acked > sent_once;

  /* Only the end that connected sent a SYN that was acknowledged as a byte: with everything
   * acknowledged and no FIN sent yet, bytes_acked says which end this is. */
  if (event == WEIR_SOCKDIAG_SOCKET &&
      (reading->state == WEIR_TCP_ESTABLISHED || reading->state == WEIR_TCP_CLOSE_WAIT) &&
      info.tcpi_unacked == 0)
    {
      if (info.tcpi_bytes_acked == sent_once + 1)
        reading->direction = WEIR_DIRECTION_OUT;
      else if (info.tcpi_bytes_acked == sent_once)
        reading->direction = WEIR_DIRECTION_IN;
    }
}

static void
read_endpoint (uint8_t family, const __be32 address[4], __be16 port, struct weir_endpoint *ret)
{
  if (family == AF_INET)
    weir_address_map_v4 (address, ret->address);
  else
    memcpy (ret->address, address, 16);
  ret->port = ntohs (port);
}

static void
read_attributes (const struct nlmsghdr *message, enum weir_sockdiag_event event,
                 struct weir_socket_reading *reading)
{
  struct weir_attributes attributes;
  const void *data;
  uint16_t type;
  size_t size;

  weir_attributes_init (&attributes, message, sizeof (struct inet_diag_msg));
  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      if (type == INET_DIAG_INFO && reading->protocol == IPPROTO_TCP)
        read_tcp_info (data, size, event, reading);
      else if (type == INET_DIAG_SKV6ONLY && size >= 1)
        reading->v6_only = *(const uint8_t *) data != 0;
      else if (type == INET_DIAG_CGROUP_ID && size >= sizeof reading->cgroup_id)
        {
          memcpy (&reading->cgroup_id, data, sizeof reading->cgroup_id);
          reading->has_cgroup = reading->cgroup_id != 0;
        }
    }
}

int
weir_sockdiag_parse (const struct nlmsghdr *message, enum weir_sockdiag_event event,
                     struct weir_socket_reading *ret_reading)
{
  struct weir_socket_reading reading = { 0 };
  struct inet_diag_msg diag;
  const void *payload = weir_netlink_payload (message, sizeof diag);

  if (payload == NULL || message->nlmsg_type != SOCK_DIAG_BY_FAMILY)
    return -EPROTO;
  memcpy (&diag, payload, sizeof diag);
  if (diag.idiag_family != AF_INET && diag.idiag_family != AF_INET6)
    return -EPROTO;

  read_endpoint (diag.idiag_family, diag.id.idiag_src, diag.id.idiag_sport, &reading.local);
  read_endpoint (diag.idiag_family, diag.id.idiag_dst, diag.id.idiag_dport, &reading.remote);
  reading.on_v6_socket = diag.idiag_family == AF_INET6;
  /* A dual-stack socket speaks IPv4 when its peer is v4-mapped. */
  reading.family = weir_address_is_v4 (reading.remote.address) ? 4 : 6;
  reading.state = diag.idiag_state;
  reading.cookie = (uint64_t) diag.id.idiag_cookie[1] << 32 | diag.id.idiag_cookie[0];
  reading.inode = diag.idiag_inode;
  reading.uid = diag.idiag_uid;
  reading.ifindex = diag.id.idiag_if;
  /* The caller knows which dump it asked for; only TCP has destroy events here. */
  reading.protocol = ret_reading->protocol;
  read_attributes (message, event, &reading);
  *ret_reading = reading;
  return 0;
}

void
weir_sockdiag_init (struct weir_sockdiag *diag, int fd)
{
  *diag = (struct weir_sockdiag) { .fd = fd };
}

static int
ask (struct weir_sockdiag *diag)
{
  struct
  {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } message = {
    .header = {
      .nlmsg_len = sizeof message,
      .nlmsg_type = SOCK_DIAG_BY_FAMILY,
      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
      .nlmsg_seq = ++diag->sequence,
    },
    .request = {
      .sdiag_family = steps[diag->step].family,
      .sdiag_protocol = steps[diag->step].protocol,
      .idiag_ext = 1 << (INET_DIAG_INFO - 1),
      .idiag_states = UINT32_MAX,
    },
  };
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

  diag->interrupted = false;
  if (sendto (diag->fd, &message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL,
              (const struct sockaddr *) &kernel, sizeof kernel) < 0)
    return -errno;
  return 0;
}

int
weir_sockdiag_start (struct weir_sockdiag *diag)
{
  int result;

  diag->step = 0;
  diag->repeated = false;
  diag->error = 0;
  result = ask (diag);
  diag->running = result == 0;
  if (result < 0)
    diag->error = -result;
  return result;
}

/* A dump has ended.  Returns 1 when it was the last one. */
static int
finish_step (struct weir_sockdiag *diag, int error)
{
  int result;

  /* A protocol that this kernel was built without has no sockets; all others failing is an error.
   */
  if (error != 0 && error != ENOENT && error != EAFNOSUPPORT)
    diag->error = error;
  if (error == 0 && diag->interrupted && !diag->repeated)
    diag->repeated = true;
  else
    {
      diag->repeated = false;
      diag->step++;
    }
  if (diag->step == WEIR_SOCKDIAG_STEPS || diag->error != 0)
    {
      diag->running = false;
      return 1;
    }
  result = ask (diag);
  if (result < 0)
    {
      diag->error = -result;
      diag->running = false;
      return 1;
    }
  return 0;
}

static int
read_buffer (struct weir_sockdiag *diag, const uint8_t *at, const uint8_t *end,
             weir_socket_func func, void *data)
{
  const struct nlmsghdr *message;

  while ((message = weir_netlink_next (&at, end)) != NULL)
    {
      struct weir_socket_reading reading = { .protocol = steps[diag->step].protocol };

      /* What is left of a dump that was given up must not end the next one. */
      if (message->nlmsg_seq != diag->sequence)
        continue;
      if (message->nlmsg_flags & NLM_F_DUMP_INTR)
        diag->interrupted = true;
      if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
        return finish_step (diag, weir_netlink_error (message));
      if (weir_sockdiag_parse (message, WEIR_SOCKDIAG_SOCKET, &reading) == 0)
        func (&reading, WEIR_SOCKDIAG_SOCKET, data);
    }
  return 0;
}

int
weir_sockdiag_read (struct weir_sockdiag *diag, unsigned budget, void (*before) (void *data),
                    weir_socket_func func, void *data)
{
  static _Alignas (struct nlmsghdr) uint8_t buffer[WEIR_NETLINK_BUFFER];

  while (diag->running && budget-- > 0)
    {
      int n = weir_netlink_receive (diag->fd, buffer, sizeof buffer);

      if (n == 0)
        return 0;
      if (n == -EAGAIN)
        continue;
      if (n < 0)
        {
          diag->error = -n;
          diag->running = false;
          return 1;
        }
      before (data);
      if (read_buffer (diag, buffer, buffer + n, func, data) > 0)
        return 1;
    }
  return diag->running ? 0 : 1;
}

struct listener
{
  weir_socket_func func;
  void *data;
};

static void
take_event (const struct nlmsghdr *message, void *data)
{
  struct weir_socket_reading reading = { .protocol = IPPROTO_TCP };
  const struct listener *listener = data;

  if (weir_sockdiag_parse (message, WEIR_SOCKDIAG_DESTROYED, &reading) == 0)
    listener->func (&reading, WEIR_SOCKDIAG_DESTROYED, listener->data);
}

int
weir_sockdiag_read_events (int fd, unsigned budget, weir_socket_func func, void *data,
                           uint64_t *losses)
{
  struct listener listener = { func, data };

  return weir_netlink_read_events (fd, budget, take_event, &listener, losses);
}
