/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int
weir_netlink_receive (int fd, void *buffer, size_t size)
{
  struct sockaddr_nl sender = { 0 };
  struct iovec part = { .iov_base = buffer, .iov_len = size };
  struct msghdr message = {
    .msg_name = &sender,
    .msg_namelen = sizeof sender,
    .msg_iov = &part,
    .msg_iovlen = 1,
  };
  ssize_t n;

  do
    n = recvmsg (fd, &message, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
  /* Any process may send to a netlink socket; only port 0 is the kernel. */
  if (message.msg_namelen != sizeof sender || sender.nl_family != AF_NETLINK || sender.nl_pid != 0)
    return -EAGAIN;
  /* Cut messages are lost messages. */
  if (message.msg_flags & MSG_TRUNC)
    return -ENOBUFS;
  return n > 0 ? (int) n : -EAGAIN;
}

const struct nlmsghdr *
weir_netlink_next (const uint8_t **at, const uint8_t *end)
{
  const struct nlmsghdr *message = (const void *) *at;
  size_t left = (size_t) (end - *at);

  if (left < sizeof *message || message->nlmsg_len < sizeof *message || message->nlmsg_len > left)
    {
      *at = end;
      return NULL;
    }
  *at = NLMSG_ALIGN (message->nlmsg_len) < left ? *at + NLMSG_ALIGN (message->nlmsg_len) : end;
  return message;
}

const void *
weir_netlink_payload (const struct nlmsghdr *message, size_t size)
{
  if (message->nlmsg_len < NLMSG_HDRLEN + size)
    return NULL;
  return (const uint8_t *) message + NLMSG_HDRLEN;
}

int
weir_netlink_read_events (int fd, unsigned budget, weir_message_func func, void *data,
                          uint64_t *losses)
{
  static _Alignas (struct nlmsghdr) uint8_t buffer[WEIR_NETLINK_BUFFER];

  for (; budget > 0; budget--)
    {
      const struct nlmsghdr *message;
      const uint8_t *at = buffer;
      int n = weir_netlink_receive (fd, buffer, sizeof buffer);

      if (n == 0)
        return 0;
      if (n == -ENOBUFS)
        ++*losses;
      else if (n < 0 && n != -EAGAIN)
        return n;
      if (n < 0)
        continue;
      while ((message = weir_netlink_next (&at, buffer + n)) != NULL)
        func (message, data);
    }
  return 1;
}

void
weir_attributes_init (struct weir_attributes *attributes, const struct nlmsghdr *message,
                      size_t header_size)
{
  const uint8_t *start = (const uint8_t *) message;
  size_t offset = NLMSG_HDRLEN + NLMSG_ALIGN (header_size);

  attributes->end = start + message->nlmsg_len;
  attributes->at = offset < message->nlmsg_len ? start + offset : attributes->end;
}

int
weir_netlink_error (const struct nlmsghdr *message)
{
  const void *payload = weir_netlink_payload (message, sizeof (int));
  int error = 0;

  /* Both messages begin with a negative errno; a NLMSG_DONE of old kernels is empty. */
  if (payload != NULL)
    memcpy (&error, payload, sizeof error);
  else if (message->nlmsg_type == NLMSG_ERROR)
    error = -EBADMSG;
  return error < 0 && error > -4096 ? -error : 0;
}
