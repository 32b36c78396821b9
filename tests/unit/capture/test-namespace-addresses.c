/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses as rtnetlink tells them, by hand and from a namespace of this test's own. */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "readings-builder.h"
#include "weir-namespace-addresses.h"

struct message
{
  struct nlmsghdr header;
  struct ifaddrmsg body;
  guint8 attributes[256];
};

static void
begin_message (struct message *message, guint8 family)
{
  memset (message, 0, sizeof *message);
  message->header.nlmsg_type = RTM_NEWADDR;
  message->header.nlmsg_len = NLMSG_LENGTH (sizeof message->body);
  message->body.ifa_family = family;
}

static void
add_attribute (struct message *message, guint16 type, const void *data, guint16 size)
{
  guint8 *at = (guint8 *) message + NLMSG_ALIGN (message->header.nlmsg_len);
  const struct nlattr header = { .nla_len = (guint16) (NLA_HDRLEN + size), .nla_type = type };

  memcpy (at, &header, sizeof header);
  memcpy (at + NLA_HDRLEN, data, size);
  message->header.nlmsg_len = NLMSG_ALIGN (message->header.nlmsg_len) + NLA_ALIGN (header.nla_len);
}

static gboolean
is_local (const struct weir_addresses *addresses, const char *text)
{
  return weir_addresses_is_local (addresses, endpoint (text, 0).address);
}

static void
test_messages (void)
{
  const guint8 here[] = { 10, 0, 0, 1 }, there[] = { 10, 0, 0, 2 }, all[] = { 10, 0, 0, 255 };
  const guint8 v6[16] = { 0xfd, [15] = 1 };
  struct weir_addresses addresses;
  struct message message;

  weir_addresses_init (&addresses);
  weir_addresses_begin (&addresses);
  begin_message (&message, AF_INET);
  add_attribute (&message, IFA_ADDRESS, there, 4);
  add_attribute (&message, IFA_LOCAL, here, 4);
  add_attribute (&message, IFA_BROADCAST, all, 4);
  weir_namespace_addresses_message (&addresses, &message.header);
  begin_message (&message, AF_INET6);
  add_attribute (&message, IFA_ADDRESS, v6, 16);
  weir_namespace_addresses_message (&addresses, &message.header);
  /* Neither of these is one. */
  begin_message (&message, AF_INET6);
  add_attribute (&message, IFA_ADDRESS, there, 4);
  weir_namespace_addresses_message (&addresses, &message.header);
  message.header.nlmsg_type = RTM_DELADDR;
  weir_namespace_addresses_message (&addresses, &message.header);
  begin_message (&message, AF_INET);
  message.header.nlmsg_len = NLMSG_LENGTH (sizeof message.body - 1);
  weir_namespace_addresses_message (&addresses, &message.header);
  weir_addresses_complete (&addresses);

  g_assert_cmpuint (addresses.own.n, ==, 2);
  g_assert_true (is_local (&addresses, "10.0.0.1"));
  g_assert_true (is_local (&addresses, "fd00::1"));
  g_assert_false (is_local (&addresses, "10.0.0.2"));
  g_assert_true (weir_addresses_is_group (&addresses, endpoint ("10.0.0.255", 0).address));
  weir_addresses_clear (&addresses);
}

static void
set_address (const char *text)
{
  struct ifreq request = { .ifr_name = "lo" };
  struct sockaddr_in *address = (struct sockaddr_in *) &request.ifr_addr;
  int fd = socket (AF_INET, SOCK_DGRAM, 0);

  address->sin_family = AF_INET;
  inet_pton (AF_INET, text, &address->sin_addr);
  g_assert_cmpint (ioctl (fd, SIOCSIFADDR, &request), ==, 0);
  close (fd);
}

static int
read_all (int fd, guint32 sequence, struct weir_addresses *addresses)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
  int result = weir_namespace_addresses_ask (fd, sequence, addresses);

  while (result == 0)
    {
      g_assert_cmpint (poll (&poll_fd, 1, 2000), ==, 1);
      result = weir_namespace_addresses_read (fd, sequence, addresses);
    }
  return result;
}

static void
test_changes (void)
{
  static const int groups[] = { RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR };
  struct weir_addresses addresses;
  int fd;

  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    g_assert_cmpint (
        setsockopt (fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof groups[i]), ==, 0);
  weir_addresses_init (&addresses);
  g_assert_cmpint (read_all (fd, 1, &addresses), ==, 1);
  g_assert_true (addresses.known);
  g_assert_false (is_local (&addresses, "192.0.2.1"));
  g_assert_false (weir_namespace_addresses_changed (fd));

  set_address ("192.0.2.1");
  g_assert_true (weir_namespace_addresses_changed (fd));
  g_assert_false (weir_namespace_addresses_changed (fd));
  g_assert_cmpint (read_all (fd, 2, &addresses), ==, 1);
  g_assert_true (is_local (&addresses, "192.0.2.1"));

  /* Told of in the middle of a reading: it has to be repeated. */
  g_assert_cmpint (weir_namespace_addresses_ask (fd, 3, &addresses), ==, 0);
  set_address ("192.0.2.2");
  g_assert_cmpint (weir_namespace_addresses_read (fd, 3, &addresses), !=, 0);
  weir_namespace_addresses_changed (fd);
  g_assert_cmpint (read_all (fd, 4, &addresses), ==, 1);
  g_assert_true (is_local (&addresses, "192.0.2.2"));
  weir_addresses_clear (&addresses);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/namespace-addresses/messages", test_messages);
  g_test_add_func ("/namespace-addresses/changes", test_changes);
  return g_test_run ();
}
