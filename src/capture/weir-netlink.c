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

void
weir_attributes_init (struct weir_attributes *attributes, const struct nlmsghdr *message,
                      size_t header_size)
{
  const uint8_t *start = (const uint8_t *) message;
  size_t offset = NLMSG_HDRLEN + NLMSG_ALIGN (header_size);

  attributes->end = start + message->nlmsg_len;
  attributes->at = offset < message->nlmsg_len ? start + offset : attributes->end;
}

bool
weir_attributes_next (struct weir_attributes *attributes, uint16_t *ret_type, const void **ret_data,
                      size_t *ret_size)
{
  size_t left = (size_t) (attributes->end - attributes->at);
  struct nlattr header;
  size_t aligned;

  if (left < NLA_HDRLEN)
    return false;
  memcpy (&header, attributes->at, sizeof header);
  if (header.nla_len < NLA_HDRLEN || header.nla_len > left)
    return false;
  *ret_type = header.nla_type & NLA_TYPE_MASK;
  *ret_data = attributes->at + NLA_HDRLEN;
  *ret_size = header.nla_len - NLA_HDRLEN;
  aligned = NLA_ALIGN ((size_t) header.nla_len);
  attributes->at = aligned < left ? attributes->at + aligned : attributes->end;
  return true;
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
