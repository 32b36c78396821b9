/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source-sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "source-packet.h"
#include "weir-addresses.h"
#include "weir-netlink.h"

/* What this kernel has not got it rarely gets later, and asking may make it look for a module each
 * time: only every so often. */
#define LACKING_SERIES 64

static const struct
{
  uint8_t family, protocol;
} steps[WEIR_SOCKDIAG_STEPS] = {
  [WEIR_SOCKDIAG_TCP] = { AF_INET, IPPROTO_TCP },
  [WEIR_SOCKDIAG_UDP] = { AF_INET, IPPROTO_UDP },
  [WEIR_SOCKDIAG_UDP6] = { AF_INET6, IPPROTO_UDP },
  [WEIR_SOCKDIAG_UDPLITE] = { AF_INET, IPPROTO_UDPLITE },
  [WEIR_SOCKDIAG_UDPLITE6] = { AF_INET6, IPPROTO_UDPLITE },
  [WEIR_SOCKDIAG_SCTP] = { AF_INET, IPPROTO_SCTP },
  [WEIR_SOCKDIAG_SCTP6] = { AF_INET6, IPPROTO_SCTP },
  [WEIR_SOCKDIAG_DCCP] = { AF_INET, IPPROTO_DCCP },
  [WEIR_SOCKDIAG_DCCP6] = { AF_INET6, IPPROTO_DCCP },
  [WEIR_SOCKDIAG_RAW] = { AF_INET, IPPROTO_RAW },
  [WEIR_SOCKDIAG_RAW6] = { AF_INET6, IPPROTO_RAW },
  [WEIR_SOCKDIAG_PACKET] = { AF_PACKET, 0 },
};

/* SCTP_STATE_ESTABLISHED of the kernel. */
#define SCTP_ESTABLISHED 3

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
  if (info.tcpi_bytes_acked > sent_once)
    reading->acked_beyond = info.tcpi_bytes_acked - sent_once == 1 ? 1 : 2;

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
      else if (type == INET_DIAG_PROTOCOL && reading->kind == WEIR_SOCKET_RAW && size >= 1)
        reading->protocol = *(const uint8_t *) data;
      else if (type == INET_DIAG_SKV6ONLY && size >= 1)
        reading->v6_only = *(const uint8_t *) data != 0;
      else if (type == INET_DIAG_CGROUP_ID && size >= sizeof reading->cgroup_id)
        {
          memcpy (&reading->cgroup_id, data, sizeof reading->cgroup_id);
          reading->has_cgroup = reading->cgroup_id != 0;
        }
    }
}

/* What TCP and UDP have as a port is the protocol of a raw socket, also where the kernel is too old
 * to name it. */
static void
take_raw (struct weir_socket_reading *reading)
{
  reading->kind = WEIR_SOCKET_RAW;
  reading->protocol = (uint8_t) reading->local.port;
  reading->local.port = reading->remote.port = 0;
}

/* An association has states of its own (include/net/sctp/constants.h); endpoints have TCP's. */
static uint8_t
map_sctp_state (const struct weir_socket_reading *reading)
{
  if (reading->remote.port == 0)
    return reading->state;
  if (reading->state < SCTP_ESTABLISHED)
    return WEIR_TCP_SYN_SENT;
  return reading->state == SCTP_ESTABLISHED ? WEIR_TCP_ESTABLISHED : WEIR_TCP_FIN_WAIT1;
}

int
weir_sockdiag_parse (const struct nlmsghdr *message, enum weir_sockdiag_event event,
                     struct weir_socket_reading *ret_reading)
{
  struct weir_socket_reading reading = { 0 };
  struct inet_diag_msg diag;
  const void *payload = weir_netlink_payload (message, sizeof diag);

  if (payload == NULL ||
      (message->nlmsg_type != SOCK_DIAG_BY_FAMILY && message->nlmsg_type != TCPDIAG_GETSOCK))
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
  reading.queue = diag.idiag_rqueue;
  reading.backlog = diag.idiag_wqueue;
  /* The caller knows which dump it asked for; only TCP has destroy events here. */
  reading.protocol = ret_reading->protocol;
  if (reading.protocol == IPPROTO_RAW)
    take_raw (&reading);
  else if (reading.protocol == IPPROTO_SCTP)
    reading.state = map_sctp_state (&reading);
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
send_request (struct weir_sockdiag *diag, struct nlmsghdr *header, size_t size)
{
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

  header->nlmsg_len = (uint32_t) size;
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  header->nlmsg_seq = ++diag->sequence;
  diag->interrupted = false;
  if (sendto (diag->fd, header, size, MSG_DONTWAIT | MSG_NOSIGNAL,
              (const struct sockaddr *) &kernel, sizeof kernel) < 0)
    return -errno;
  return 0;
}

/* The older form of the request knows no family and gets both: to find the sockets of one the
 * kernel walks all its tables, and so it does that once. */
static int
ask_tcp (struct weir_sockdiag *diag)
{
  struct
  {
    struct nlmsghdr header;
    struct inet_diag_req request;
  } message = {
    .header = { .nlmsg_type = TCPDIAG_GETSOCK },
    .request = {
      .idiag_family = AF_INET,
      .idiag_ext = 1 << (INET_DIAG_INFO - 1),
      .idiag_states = UINT32_MAX,
    },
  };

  return send_request (diag, &message.header, sizeof message);
}

static int
ask_by_family (struct weir_sockdiag *diag)
{
  struct
  {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } message = {
    .header = { .nlmsg_type = SOCK_DIAG_BY_FAMILY },
    .request = {
      .sdiag_family = steps[diag->step].family,
      .sdiag_protocol = steps[diag->step].protocol,
      .idiag_states = UINT32_MAX,
    },
  };

  return send_request (diag, &message.header, sizeof message);
}

static int
ask_packet (struct weir_sockdiag *diag)
{
  struct
  {
    struct nlmsghdr header;
    struct packet_diag_req request;
  } message = {
    .header = { .nlmsg_type = SOCK_DIAG_BY_FAMILY },
    .request = { .sdiag_family = AF_PACKET, .pdiag_show = WEIR_PACKET_SHOW },
  };

  return send_request (diag, &message.header, sizeof message);
}

static int
ask (struct weir_sockdiag *diag)
{
  if (diag->step == WEIR_SOCKDIAG_TCP)
    return ask_tcp (diag);
  return diag->step == WEIR_SOCKDIAG_PACKET ? ask_packet (diag) : ask_by_family (diag);
}

int
weir_sockdiag_start (struct weir_sockdiag *diag)
{
  int result;

  diag->step = 0;
  diag->repeated = false;
  diag->error = 0;
  diag->series++;
  result = ask (diag);
  diag->running = result == 0;
  if (result < 0)
    diag->error = -result;
  return result;
}

static bool
is_lacking (int error)
{
  return error == ENOENT || error == EAFNOSUPPORT;
}

static bool
is_left_out (const struct weir_sockdiag *diag)
{
  return is_lacking (diag->step_errors[diag->step]) && diag->series % LACKING_SERIES != 0;
}

/* A dump has ended.  Returns 1 when it was the last one. */
static int
finish_step (struct weir_sockdiag *diag, int error)
{
  int result;

  diag->step_errors[diag->step] = error;
  /* A protocol that this kernel was built without has no sockets. */
  if (error != 0 && !is_lacking (error) && diag->step < WEIR_SOCKDIAG_UDPLITE)
    diag->error = error;
  if (error == 0 && diag->interrupted && !diag->repeated)
    diag->repeated = true;
  else
    {
      diag->repeated = false;
      do
        diag->step++;
      while (diag->step < WEIR_SOCKDIAG_STEPS && is_left_out (diag));
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
parse_step (const struct weir_sockdiag *diag, const struct nlmsghdr *message,
            struct weir_socket_reading *ret_reading)
{
  if (diag->step == WEIR_SOCKDIAG_PACKET)
    return weir_packet_parse (message, ret_reading);
  ret_reading->protocol = steps[diag->step].protocol;
  return weir_sockdiag_parse (message, WEIR_SOCKDIAG_SOCKET, ret_reading);
}

static int
read_buffer (struct weir_sockdiag *diag, const uint8_t *at, const uint8_t *end,
             weir_socket_func func, void *data)
{
  const struct nlmsghdr *message;

  while ((message = weir_netlink_next (&at, end)) != NULL)
    {
      struct weir_socket_reading reading = { 0 };

      /* What is left of a dump that was given up must not end the next one. */
      if (message->nlmsg_seq != diag->sequence)
        continue;
      if (message->nlmsg_flags & NLM_F_DUMP_INTR)
        diag->interrupted = true;
      if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
        return finish_step (diag, weir_netlink_error (message));
      if (parse_step (diag, message, &reading) == 0)
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
