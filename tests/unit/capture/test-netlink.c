/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <glib.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink-builder.h"
#include "weir-netlink.h"

static guint
count_messages (const guint8 *data, gsize size)
{
  const guint8 *at = data;
  guint n = 0;

  while (weir_netlink_next (&at, data + size) != NULL)
    n++;
  g_assert_true (at == data + size);
  return n;
}

static void
test_messages (void)
{
  struct builder builder = { 0 };

  for (guint16 type = 20; type < 23; type++)
    builder_begin (&builder, type, "payload", 7);
  g_assert_cmpuint (count_messages (builder.data, builder.size), ==, 3);
  /* Cut anywhere: only whole messages are seen, and nothing is read beyond the end. */
  for (gsize size = 0; size < builder.size; size++)
    {
      g_autofree guint8 *copy = g_memdup2 (builder.data, size);

      g_assert_cmpuint (count_messages (copy, size), ==, size / (builder.size / 3));
    }
}

static void
test_hostile_lengths (void)
{
  static const guint32 lengths[] = { 0, 1, 15, 25, 0x7fffffff, 0xfffffff0, 0xffffffff };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      struct builder builder = { 0 };

      builder_begin (&builder, 20, "12345678", 8);
      builder_header (&builder)->nlmsg_len = lengths[i];
      g_assert_cmpuint (count_messages (builder.data, builder.size), ==, 0);
    }
}

static guint
count_attributes (struct builder *builder, gsize header_size)
{
  struct weir_attributes attributes;
  const void *data = NULL;
  guint16 type = 0;
  gsize size = 0;
  guint n = 0;

  weir_attributes_init (&attributes, builder_header (builder), header_size);
  while (weir_attributes_next (&attributes, &type, &data, &size))
    {
      g_assert_true ((const guint8 *) data + size <= attributes.end);
      n++;
    }
  return n;
}

static void
test_attributes (void)
{
  struct builder builder = { 0 };
  struct weir_attributes attributes;
  const void *data = NULL;
  guint16 type = 0;
  gsize size = 0;

  builder_begin (&builder, 20, "head", 4);
  builder_attribute (&builder, 3 | NLA_F_NESTED, "abc", 3);
  builder_attribute (&builder, 4, "", 0);
  g_assert_cmpuint (count_attributes (&builder, 4), ==, 2);
  weir_attributes_init (&attributes, builder_header (&builder), 4);
  g_assert_true (weir_attributes_next (&attributes, &type, &data, &size));
  g_assert_cmpuint (type, ==, 3);
  g_assert_cmpmem (data, size, "abc", 3);
  g_assert_true (weir_attributes_next (&attributes, &type, &data, &size));
  g_assert_cmpuint (size, ==, 0);
  g_assert_false (weir_attributes_next (&attributes, &type, &data, &size));

  /* A header that is larger than the message, and a message that ends inside an attribute. */
  g_assert_cmpuint (count_attributes (&builder, 400), ==, 0);
  builder_header (&builder)->nlmsg_len -= 6;
  g_assert_cmpuint (count_attributes (&builder, 4), ==, 0);
}

static void
test_hostile_attributes (void)
{
  static const guint16 lengths[] = { 0, 1, 3, 9, 0x7fff, 0xffff };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      struct nlattr header = { .nla_type = 1, .nla_len = lengths[i] };
      struct builder builder = { 0 };

      builder_begin (&builder, 20, "head", 4);
      builder_put (&builder, &header, sizeof header);
      builder_put (&builder, "data", 4);
      g_assert_cmpuint (count_attributes (&builder, 4), ==, 0);
    }
}

static void
test_errors (void)
{
  struct builder builder = { 0 };
  gint32 error = -ENOENT;

  builder_begin (&builder, NLMSG_ERROR, &error, sizeof error);
  g_assert_cmpint (weir_netlink_error (builder_header (&builder)), ==, ENOENT);
  error = 0;
  builder_begin (&builder, NLMSG_DONE, &error, sizeof error);
  g_assert_cmpint (weir_netlink_error (builder_header (&builder)), ==, 0);
  /* Not a negative errno. */
  error = G_MININT32;
  builder_begin (&builder, NLMSG_ERROR, &error, sizeof error);
  g_assert_cmpint (weir_netlink_error (builder_header (&builder)), ==, 0);
  builder_begin (&builder, NLMSG_DONE, NULL, 0);
  g_assert_cmpint (weir_netlink_error (builder_header (&builder)), ==, 0);
  builder_begin (&builder, NLMSG_ERROR, NULL, 0);
  g_assert_cmpint (weir_netlink_error (builder_header (&builder)), ==, EBADMSG);
}

/* Another process may send to a netlink socket as well: that is not the kernel speaking. */
static void
test_sender (void)
{
  struct sockaddr_nl address = { .nl_family = AF_NETLINK };
  socklen_t size = sizeof address;
  int receiver = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);
  int sender = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);
  struct builder builder = { 0 };
  guint8 buffer[256];

  g_assert_cmpint (receiver, >=, 0);
  g_assert_cmpint (bind (receiver, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (getsockname (receiver, (struct sockaddr *) &address, &size), ==, 0);
  g_assert_cmpint (weir_netlink_receive (receiver, buffer, sizeof buffer), ==, 0);
  builder_begin (&builder, 20, "false", 5);
  g_assert_cmpint (
      sendto (sender, builder.data, builder.size, 0, (struct sockaddr *) &address, sizeof address),
      ==, (gssize) builder.size);
  g_assert_cmpint (weir_netlink_receive (receiver, buffer, sizeof buffer), ==, -EAGAIN);
  g_assert_cmpint (weir_netlink_receive (receiver, buffer, sizeof buffer), ==, 0);
  close (receiver);
  close (sender);
}

/* Makes the kernel announce loopback's size @n times. */
static void
change_interface (guint n)
{
  struct ifreq request = { .ifr_name = "lo" };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  for (guint i = 0; i < n; i++)
    {
      request.ifr_mtu = 2000 + (int) i;
      g_assert_cmpint (ioctl (fd, SIOCSIFMTU, &request), ==, 0);
    }
  close (fd);
}

static void
count_event (const struct nlmsghdr *message, void *data)
{
  *(guint *) data += message->nlmsg_type == RTM_NEWLINK;
}

/* Events that overran the buffer are counted, those before and after are read. */
static void
test_overrun (void)
{
  const struct sockaddr_nl groups = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
  const int small = 1;
  guint64 losses = 0;
  guint n = 0;
  int fd;

  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  g_assert_cmpint (setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), ==, 0);
  g_assert_cmpint (bind (fd, (const struct sockaddr *) &groups, sizeof groups), ==, 0);

  change_interface (1);
  g_assert_cmpint (weir_netlink_read_events (fd, 10, count_event, &n, &losses), ==, 0);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (losses, ==, 0);
  change_interface (100);
  g_assert_cmpint (weir_netlink_read_events (fd, 200, count_event, &n, &losses), ==, 0);
  g_assert_cmpuint (n, <, 101);
  g_assert_cmpuint (losses, ==, 1);
  change_interface (1);
  n = 0;
  g_assert_cmpint (weir_netlink_read_events (fd, 1, count_event, &n, &losses), ==, 1);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (losses, ==, 1);
  close (fd);
  g_assert_cmpint (weir_netlink_read_events (fd, 1, count_event, &n, &losses), ==, -EBADF);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/netlink/messages", test_messages);
  g_test_add_func ("/netlink/hostile-lengths", test_hostile_lengths);
  g_test_add_func ("/netlink/attributes", test_attributes);
  g_test_add_func ("/netlink/hostile-attributes", test_hostile_attributes);
  g_test_add_func ("/netlink/errors", test_errors);
  g_test_add_func ("/netlink/sender", test_sender);
  g_test_add_func ("/netlink/overrun", test_overrun);
  return g_test_run ();
}
