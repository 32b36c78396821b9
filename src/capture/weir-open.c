/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Netlink remembers who opened a socket: for what needs CAP_NET_ADMIN the kernel asks it both of
 * the opener and of the sender of each request, and of nobody who merely receives (netlink(7),
 * __netlink_ns_capable()).  So sockets that are made here, by root, let the keeper ask for a
 * conntrack dump and let the meter, which has no capability, do nothing but read it.
 *
 * NETLINK_EXT_ACK and NETLINK_GET_STRICT_CHK stay off: nobody reads the kernel's prose, and libnl's
 * requests for links are older than the strict form.  NETLINK_NO_ENOBUFS stays off, too: an overrun
 * must be seen, because it is a loss that is reported.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-clock.h"
#include "weir-config-parse.h"
#include "weir-open.h"

/* A dump is handed over in pieces as they are read, so its buffer need not be large; events arrive
 * when they happen, and a second's worth of a busy machine must fit between two reads.  The memory
 * is used only while something is queued. */
#define DUMP_BUFFER   (1024 * 1024)
#define EVENTS_BUFFER (8 * 1024 * 1024)

/* How long the kernel may take to answer, and the sysctl to show up after its module. */
#define ANSWER_TIMEOUT_MS   500
#define ACCOUNTING_TRIES    10
#define ACCOUNTING_PAUSE_MS 20

/* Whether the size was forced beyond net.core.rmem_max, which takes CAP_NET_ADMIN in the initial
 * user namespace; else it is as large as everybody may have it. */
static bool
set_buffer (int fd, int size)
{
  if (setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) == 0)
    return true;
  (void) !setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  return false;
}

int
weir_open_netlink (int protocol, int buffer, const int *groups, size_t n_groups, int *ret_error)
{
  /* Any port of one's own; and the kernel's. */
  const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
  int fd;

  fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0)
    {
      *ret_error = errno;
      return -1;
    }
  (void) set_buffer (fd, buffer);
  /* Whoever is root of a namespace may send to every netlink socket in it, and what nobody wants to
   * read fills the buffer all the same: the kernel then stops a dump that runs.  A socket that is
   * connected to the kernel is not reached by anybody else. */
  if (bind (fd, (const struct sockaddr *) &any, sizeof any) < 0 ||
      connect (fd, (const struct sockaddr *) &any, sizeof any) < 0)
    goto refused;
  for (size_t i = 0; i < n_groups; i++)
    if (setsockopt (fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof groups[i]) < 0)
      goto refused;
  *ret_error = 0;
  return fd;

refused:
  *ret_error = errno;
  close (fd);
  return -1;
}

/* Joining the groups of conntrack takes CAP_NET_ADMIN over the network namespace, and so does
 * asking for a dump; the first can be tried without an effect.  Where it is refused, the socket for
 * dumps is of no use and is not kept. */
static void
open_conntrack (struct weir_descriptors *fds)
{
  static const int groups[] = { NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_DESTROY };

  fds->conntrack_dump = -1;
  fds->conntrack_events =
      weir_open_netlink (NETLINK_NETFILTER, EVENTS_BUFFER, groups, 2, &fds->conntrack_events_error);
  fds->conntrack_dump_error = fds->conntrack_events_error;
  if (fds->conntrack_events >= 0)
    fds->conntrack_dump =
        weir_open_netlink (NETLINK_NETFILTER, DUMP_BUFFER, NULL, 0, &fds->conntrack_dump_error);
}

/* Joining the groups asks for the module of conntrack without waiting for it, and without it there
 * is no sysctl to open; a request waits until it is there.  This one asks for four numbers, and the
 * answer comes before sendto(2) returns.  Whether there is conntrack is returned. */
static bool
load_conntrack (int fd, uint64_t deadline)
{
  static const struct
  {
    struct nlmsghdr header;
    struct nfgenmsg body;
  } request = {
    .header = {
      .nlmsg_len = sizeof request,
      .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS,
      .nlmsg_flags = NLM_F_REQUEST,
    },
    .body = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
  };
  static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
  union
  {
    struct nlmsghdr header;
    char bytes[512];
  } answer;
  ssize_t n;

  if (sendto (fd, &request, sizeof request, MSG_DONTWAIT | MSG_NOSIGNAL,
              (const struct sockaddr *) &kernel, sizeof kernel) != sizeof request ||
      poll (&poll_fd, 1, weir_clock_left (deadline, ANSWER_TIMEOUT_MS)) != 1)
    return false;
  n = recv (fd, &answer, sizeof answer, MSG_DONTWAIT);
  return n >= (ssize_t) sizeof answer.header &&
         answer.header.nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS);
}

/* For reading: whether bytes are counted is shown by the meter, and changed by the keeper. */
static void
open_accounting (struct weir_descriptors *fds, uint64_t deadline)
{
  const bool loaded = fds->conntrack_dump >= 0 && load_conntrack (fds->conntrack_dump, deadline);

  for (unsigned i = 0; i <= ACCOUNTING_TRIES; i++)
    {
      fds->accounting = open (WEIR_ACCOUNTING_PATH, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
      fds->accounting_error = fds->accounting < 0 ? errno : 0;
      if (!loaded || fds->accounting_error != ENOENT || i == ACCOUNTING_TRIES)
        return;
      poll (NULL, 0, weir_clock_left (deadline, ACCOUNTING_PAUSE_MS));
    }
}

static void
open_sock_diag (struct weir_descriptors *fds)
{
  static const int groups[] = { SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY };

  fds->sock_diag =
      weir_open_netlink (NETLINK_SOCK_DIAG, DUMP_BUFFER, NULL, 0, &fds->sock_diag_error);
  /* Of its own, so that an answer never has to be told from a part of a dump. */
  fds->sock_exact =
      weir_open_netlink (NETLINK_SOCK_DIAG, DUMP_BUFFER, NULL, 0, &fds->sock_exact_error);
  fds->sock_events =
      weir_open_netlink (NETLINK_SOCK_DIAG, EVENTS_BUFFER, groups, 2, &fds->sock_events_error);
}

/* A file below /proc/net stays that of the network namespace in which it was opened. */
static void
open_proc_sockets (struct weir_descriptors *fds)
{
  for (enum weir_proc_table table = 0; table < WEIR_PROC_TABLES; table++)
    {
      char path[64];

      snprintf (path, sizeof path, "/proc/self/net/%s", weir_proc_sockets_get_name (table));
      fds->proc_sockets[table] = open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    }
}

/* Full is what may see everything, of the whole machine.  In a user namespace there is a root who
 * opens conntrack of a network of its own; only the initial one's may force a buffer.  A kernel
 * without conntrack does not make the view limited.  The looker has a say, too (weir-fork.c). */
static enum weir_view
find_view (const struct weir_descriptors *fds)
{
  if (fds->conntrack_dump < 0 &&
      (fds->conntrack_dump_error == EPERM || fds->conntrack_dump_error == EACCES))
    return WEIR_VIEW_LIMITED;
  return fds->route >= 0 && set_buffer (fds->route, DUMP_BUFFER) ? WEIR_VIEW_FULL
                                                                 : WEIR_VIEW_LIMITED;
}

/* How kernel programs call a network namespace. */
static uint64_t
get_cookie (int fd)
{
  uint64_t cookie = 0;
  socklen_t size = sizeof cookie;

  return fd >= 0 && getsockopt (fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

int
weir_open (struct weir_meter_setup *setup, uint64_t deadline)
{
  static const int netconf_groups[] = { RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF };
  const uint32_t off = weir_config_or_defaults (setup->config)->off;
  struct weir_descriptors *fds = &setup->fds;
  struct stat info;
  int error, r;

  if ((off & WEIR_OFF_CONNTRACK) == 0)
    open_conntrack (fds);
  else
    fds->conntrack_dump = fds->conntrack_events = -1;
  open_sock_diag (fds);
  fds->route = weir_open_netlink (NETLINK_ROUTE, DUMP_BUFFER, NULL, 0, &fds->route_error);
  fds->forwarding = weir_open_netlink (NETLINK_ROUTE, DUMP_BUFFER, netconf_groups, 2, &error);
  /* For one question (weir-wireless.h); what else generic netlink has to offer to those who have no
   * capability is there for everybody. */
  fds->generic = weir_open_netlink (NETLINK_GENERIC, DUMP_BUFFER, NULL, 0, &error);

  open_accounting (fds, deadline);
  open_proc_sockets (fds);

  setup->view = find_view (fds);
  setup->netns = stat ("/proc/self/ns/net", &info) == 0 ? (uint32_t) info.st_ino : 0;
  setup->netns_cookie = get_cookie (fds->sock_diag);
  if (setup->view != WEIR_VIEW_FULL || setup->netns == 0 || (off & WEIR_OFF_NAMESPACES) != 0)
    return 0;
  r = weir_namespaces_open (setup->netns, deadline, &setup->namespaces);
  for (uint32_t i = 0; i < setup->namespaces.n; i++)
    setup->namespaces.items[i].cookie = get_cookie (setup->namespaces.items[i].sock_diag);
  return r;
}

/* What cannot be put back now will be by another; it is no reason not to serve. */
static void
repair_accounting (const struct weir_meter_setup *setup, struct weir_config *config)
{
  const int r = weir_accounting_repair ("/run", setup->netns);

  if (r == WEIR_ACCOUNTING_PUT_BACK)
    weir_config_note (config, WEIR_NOTICE_ACCOUNTING_RESTORED, 0, "", 0);
  else if (r == WEIR_ACCOUNTING_NOT_OURS)
    weir_config_note (config, WEIR_NOTICE_ACCOUNTING_RECORD, 0, "", 0);
  else if (r < 0)
    weir_config_note (config, WEIR_NOTICE_ACCOUNTING_NOT_RESTORED, (uint32_t) -r, "", 0);
}

int
weir_open_accounting (const struct weir_caller *caller, const struct weir_meter_setup *setup,
                      uint64_t deadline, struct weir_config *config,
                      struct weir_accounting *ret_accounting)
{
  const struct weir_descriptors *fds = &setup->fds;
  int error, r;

  *ret_accounting = (struct weir_accounting) { -1, -1 };
  if (caller->elevated && (!caller->accounting || fds->conntrack_dump < 0 || fds->accounting < 0))
    repair_accounting (setup, config);
  if (!caller->accounting)
    return WEIR_EXIT_DONE;

  /* A kernel that tracks nothing counts nothing, and neither does one that is not to be asked: that
   * is no refusal, and SOURCES says it. */
  if (fds->conntrack_dump < 0 || fds->accounting < 0)
    {
      error = fds->conntrack_dump < 0 ? fds->conntrack_dump_error : fds->accounting_error;
      return error == EPERM || error == EACCES ? WEIR_EXIT_REFUSED : WEIR_EXIT_DONE;
    }

  r = weir_accounting_open ("/run", setup->netns, deadline, ret_accounting);
  if (r == 0)
    return WEIR_EXIT_DONE;
  return r == -EPERM ? WEIR_EXIT_RUN_DIR : WEIR_EXIT_REFUSED;
}
