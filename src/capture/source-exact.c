/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source-exact.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "source-sockdiag.h"
#include "weir-addresses.h"
#include "weir-netlink.h"

/* Buffers that are read for one answer that does not come, as of a request that was given up. */
#define STRAY_MAX 64
/* ... and for the sockets of one port. */
#define LIST_MAX 16

struct request
{
  struct nlmsghdr header;
  struct inet_diag_req_v2 body;
};

void
weir_exact_init (struct weir_exact *exact, int fd)
{
  *exact = (struct weir_exact) { .fd = fd };
}

static void
set_endpoint (bool v4, const uint8_t address[16], uint16_t port, __be32 ret_address[4],
              __be16 *ret_port)
{
  if (v4)
    memcpy (ret_address, address + 12, 4);
  else
    memcpy (ret_address, address, 16);
  *ret_port = htons (port);
}

static struct request
make_request (const struct weir_flow_key *key, uint32_t sequence)
{
  /* IPv4 also finds a dual-stack socket that speaks it: the kernel files it by the short address.
   */
  const bool v4 = key->family == 4;
  struct request request = {
    .header = {
      .nlmsg_len = sizeof request,
      .nlmsg_type = SOCK_DIAG_BY_FAMILY,
      .nlmsg_flags = NLM_F_REQUEST,
      .nlmsg_seq = sequence,
    },
    .body = {
      .sdiag_family = v4 ? AF_INET : AF_INET6,
      .sdiag_protocol = key->protocol,
      .idiag_ext = 1 << (INET_DIAG_INFO - 1),
      .idiag_states = UINT32_MAX,
      .id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
    },
  };
  struct inet_diag_sockid *id = &request.body.id;

  /* UDP takes the packet's point of view, TCP the socket's (net/ipv4/udp_diag.c says: for
   * historical reasons). */
  if (key->protocol == IPPROTO_UDP)
    {
      set_endpoint (v4, key->remote, key->remote_port, id->idiag_src, &id->idiag_sport);
      set_endpoint (v4, key->local, key->local_port, id->idiag_dst, &id->idiag_dport);
    }
  else
    {
      set_endpoint (v4, key->local, key->local_port, id->idiag_src, &id->idiag_sport);
      set_endpoint (v4, key->remote, key->remote_port, id->idiag_dst, &id->idiag_dport);
    }
  return request;
}

static int
send_all (const struct weir_exact *exact, const void *data, size_t size)
{
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

  return sendto (exact->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                 (const struct sockaddr *) &kernel, sizeof kernel) < 0
             ? -errno
             : 0;
}

int
weir_exact_ask (struct weir_exact *exact, const struct weir_flow_key *keys, size_t n,
                struct weir_socket_reading *ret_readings, bool *ret_found)
{
  static _Alignas (struct nlmsghdr) uint8_t buffer[WEIR_NETLINK_BUFFER];
  struct request requests[WEIR_EXACT_BATCH] = { 0 };
  const uint32_t first = exact->sequence + 1;
  size_t n_answered = 0;
  int result;

  memset (ret_found, 0, n * sizeof ret_found[0]);
  if (exact->fd < 0 || n == 0 || n > WEIR_EXACT_BATCH)
    return -EBADF;
  for (size_t i = 0; i < n; i++)
    requests[i] = make_request (&keys[i], ++exact->sequence);
  result = send_all (exact, requests, n * sizeof requests[0]);
  for (size_t reads = 0; result == 0 && n_answered < n && reads < n + STRAY_MAX; reads++)
    {
      const struct nlmsghdr *message;
      const uint8_t *at = buffer;
      int size = weir_netlink_receive (exact->fd, buffer, sizeof buffer);

      if (size == 0)
        break;
      if (size < 0 && size != -EAGAIN && size != -ENOBUFS)
        result = size;
      if (size < 0)
        continue;
      while ((message = weir_netlink_next (&at, buffer + size)) != NULL)
        {
          const uint32_t which = message->nlmsg_seq - first;

          if (which >= n)
            continue;
          n_answered++;
          ret_readings[which] = (struct weir_socket_reading) { .protocol = keys[which].protocol };
          /* An error is how the kernel says that there is none. */
          if (message->nlmsg_type == SOCK_DIAG_BY_FAMILY &&
              weir_sockdiag_parse (message, WEIR_SOCKDIAG_SOCKET, &ret_readings[which]) == 0)
            ret_found[which] = true;
        }
    }
  return result;
}

/* 1 at the end of the list, 0 when there is more, or a negative errno. */
static int
read_bound (const uint8_t *at, const uint8_t *end, uint32_t sequence, uint8_t protocol,
            uint16_t port, struct weir_socket_index *index)
{
  const struct nlmsghdr *message;

  while ((message = weir_netlink_next (&at, end)) != NULL)
    {
      struct weir_socket_reading reading = { .protocol = protocol };

      if (message->nlmsg_seq != sequence)
        continue;
      if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
        {
          const int error = weir_netlink_error (message);

          /* A kernel without IPv6 has no such sockets. */
          return error == 0 || error == ENOENT || error == EAFNOSUPPORT ? 1 : -error;
        }
      if (weir_sockdiag_parse (message, WEIR_SOCKDIAG_SOCKET, &reading) == 0 &&
          reading.local.port == port && reading.remote.port == 0)
        weir_socket_index_add (index, &reading);
    }
  return 0;
}

static int
list_family (struct weir_exact *exact, uint8_t family, uint8_t protocol, uint16_t port,
             struct weir_socket_index *index)
{
  static _Alignas (struct nlmsghdr) uint8_t buffer[WEIR_NETLINK_BUFFER];
  struct request request = {
    .header = {
      .nlmsg_len = sizeof request,
      .nlmsg_type = SOCK_DIAG_BY_FAMILY,
      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
      .nlmsg_seq = ++exact->sequence,
    },
    .body = {
      .sdiag_family = family,
      .sdiag_protocol = protocol,
      .idiag_states = 1U << (protocol == IPPROTO_TCP ? WEIR_TCP_LISTEN : WEIR_TCP_CLOSE),
      .id.idiag_sport = htons (port),
    },
  };
  int result = send_all (exact, &request, sizeof request);

  for (unsigned reads = 0; result == 0 && reads < LIST_MAX; reads++)
    {
      int size = weir_netlink_receive (exact->fd, buffer, sizeof buffer);

      if (size == -EAGAIN)
        continue;
      if (size <= 0)
        return size < 0 ? size : -EPROTO;
      result = read_bound (buffer, buffer + size, exact->sequence, protocol, port, index);
      if (result > 0)
        return 0;
    }
  return result < 0 ? result : -E2BIG;
}

int
weir_exact_list_bound (struct weir_exact *exact, uint8_t protocol, uint16_t port,
                       struct weir_socket_index *index)
{
  int result;

  if (exact->fd < 0)
    return -EBADF;
  weir_socket_index_begin (index);
  result = list_family (exact, AF_INET, protocol, port, index);
  if (result == 0)
    result = list_family (exact, AF_INET6, protocol, port, index);
  /* Since when they are there is not told. */
  weir_socket_index_complete (index, 0);
  return result;
}
