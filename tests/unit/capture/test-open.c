/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "in-child.h"
#include "weir-open.h"

/* Open, close-on-exec, non-blocking, and a member of exactly these groups. */
static int
check_netlink (int fd, int protocol, uint32_t groups)
{
  int own_protocol = -1, size_of_buffer = 0;
  uint32_t own_groups[8] = { 0 };
  socklen_t size = sizeof own_protocol;

  HOLDS (fd >= 0);
  HOLDS (fcntl (fd, F_GETFD) == FD_CLOEXEC);
  HOLDS ((fcntl (fd, F_GETFL) & O_NONBLOCK) != 0);
  HOLDS (getsockopt (fd, SOL_SOCKET, SO_PROTOCOL, &own_protocol, &size) == 0);
  HOLDS (own_protocol == protocol);
  size = sizeof own_groups;
  HOLDS (getsockopt (fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, own_groups, &size) == 0);
  HOLDS (own_groups[0] == groups && own_groups[1] == 0);
  size = sizeof size_of_buffer;
  HOLDS (getsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size_of_buffer, &size) == 0);
  HOLDS (geteuid () != 0 || size_of_buffer >= 1024 * 1024);
  return 0;
}

static int
as_anybody (const struct weir_meter_setup *setup)
{
  const struct weir_descriptors *fds = &setup->fds;
  const uint32_t destroyed =
      1U << (SKNLGRP_INET_TCP_DESTROY - 1) | 1U << (SKNLGRP_INET6_TCP_DESTROY - 1);
  struct stat info;
  int r;

  r = check_netlink (fds->sock_diag, NETLINK_SOCK_DIAG, 0);
  if (r == 0)
    r = check_netlink (fds->sock_events, NETLINK_SOCK_DIAG, destroyed);
  if (r == 0)
    r = check_netlink (fds->route, NETLINK_ROUTE, 0);
  if (r != 0)
    return r;
  HOLDS (fds->sock_diag_error == 0 && fds->sock_events_error == 0 && fds->route_error == 0);
  HOLDS (fds->accounting >= 0 && (fcntl (fds->accounting, F_GETFL) & O_ACCMODE) == O_RDONLY);
  HOLDS (stat ("/proc/self/ns/net", &info) == 0 && setup->netns == info.st_ino);
  return 0;
}

/* Not even root gets anything to one of the engine's sockets: only the kernel does. */
static bool
is_refused (int fd, int protocol)
{
  const int stranger = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  struct sockaddr_nl address;
  socklen_t size = sizeof address;
  bool refused;

  refused = stranger >= 0 && getsockname (fd, (struct sockaddr *) &address, &size) == 0 &&
            sendto (stranger, "x", 1, 0, (const struct sockaddr *) &address, size) < 0 &&
            errno == ECONNREFUSED;
  close (stranger);
  return refused;
}

static int
as_root (void *data)
{
  struct weir_meter_setup setup = { 0 };
  const struct weir_descriptors *fds = &setup.fds;
  char byte;
  int r;

  HOLDS (weir_open (&setup, UINT64_MAX) == 0);
  r = as_anybody (&setup);
  if (r == 0)
    r = check_netlink (fds->conntrack_dump, NETLINK_NETFILTER, 0);
  if (r == 0)
    r = check_netlink (fds->conntrack_events, NETLINK_NETFILTER,
                       1U << (NFNLGRP_CONNTRACK_NEW - 1) | 1U << (NFNLGRP_CONNTRACK_DESTROY - 1));
  if (r != 0)
    return r;
  HOLDS (fds->conntrack_dump_error == 0 && fds->conntrack_events_error == 0);
  HOLDS (setup.view == WEIR_VIEW_FULL);
  HOLDS (is_refused (fds->sock_diag, NETLINK_SOCK_DIAG));
  HOLDS (is_refused (fds->route, NETLINK_ROUTE));
  HOLDS (is_refused (fds->conntrack_dump, NETLINK_NETFILTER));
  /* Whatever was asked to load the module has been answered and read. */
  HOLDS (recv (fds->conntrack_dump, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
  return 0;
}

static int
as_user (void *data)
{
  struct weir_meter_setup setup = { 0 };
  int r;

  HOLDS (setgroups (0, NULL) == 0 && setgid (1000) == 0 && setuid (1000) == 0);
  HOLDS (weir_open (&setup, UINT64_MAX) == 0);
  r = as_anybody (&setup);
  if (r != 0)
    return r;
  HOLDS (setup.fds.conntrack_dump == -1 && setup.fds.conntrack_dump_error == EPERM);
  HOLDS (setup.fds.conntrack_events == -1 && setup.fds.conntrack_events_error == EPERM);
  HOLDS (setup.view == WEIR_VIEW_LIMITED);
  return 0;
}

static void
test_root (void)
{
  g_assert_cmpint (in_child (as_root, NULL), ==, 0);
}

static void
test_user (void)
{
  g_assert_cmpint (in_child (as_user, NULL), ==, 0);
}

/* What is refused is recorded, and nothing else goes wrong. */
static int
without_descriptors (void *data)
{
  struct weir_meter_setup setup = { 0 };
  int fd = open ("/dev/null", O_RDONLY);

  while (fd >= 0)
    fd = dup (0);
  HOLDS (weir_open (&setup, UINT64_MAX) == 0);
  HOLDS (setup.fds.sock_diag == -1 && setup.fds.sock_diag_error == EMFILE);
  HOLDS (setup.fds.conntrack_dump == -1 && setup.fds.conntrack_dump_error == EMFILE);
  HOLDS (setup.fds.route == -1 && setup.fds.accounting == -1 &&
         setup.fds.accounting_error == EMFILE);
  HOLDS (setup.view == WEIR_VIEW_LIMITED);
  return 0;
}

static void
test_without_descriptors (void)
{
  g_assert_cmpint (in_child (without_descriptors, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/open/root", test_root);
  g_test_add_func ("/open/user", test_user);
  g_test_add_func ("/open/without-descriptors", test_without_descriptors);
  return g_test_run ();
}
