/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A keeper with nothing but CAP_NET_ADMIN, asked by a process with no capability that shares its
 * socket. */
#include "config.h"

#include <errno.h>
#include <glib.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "in-child.h"
#include "weir-capabilities.h"
#include "weir-confine.h"
#include "weir-keeper.h"

static int
open_netlink (void)
{
  const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);

  return fd >= 0 && bind (fd, (const struct sockaddr *) &any, sizeof any) == 0 ? fd : -1;
}

static pid_t
start_keeper (int conntrack, const struct weir_accounting *accounting, int *ret_fd)
{
  const struct weir_plan plan = { .role = WEIR_ROLE_KEEPER,
                                  .elevated = true,
                                  .user = { 4242, 4242, true },
                                  .capabilities = WEIR_CAPABILITY (CAP_NET_ADMIN),
                                  .address_space = 1 << 30 };
  struct weir_rights rights = { .status = -1 };
  int ends[2];
  pid_t pid;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return -1;
  pid = fork ();
  if (pid == 0)
    {
      const int keep[] = { conntrack, ends[1] };
      struct weir_plan own = plan;

      own.keep = keep;
      own.n_keep = 2;
      own.peer = ends[1];
      own.ret_status = &rights.status;
      if (weir_confine (&own, &rights.process) < 0)
        _exit (99);
      _exit (weir_keeper_serve (ends[1], conntrack, -1, accounting, &rights) == 0 ? 0 : 1);
    }
  close (ends[1]);
  *ret_fd = ends[0];
  return pid;
}

static char
ask (int fd, const char *verb, size_t size)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
  char answer = 0;

  if (send (fd, verb, size, MSG_NOSIGNAL) != (ssize_t) size || poll (&poll_fd, 1, 2000) != 1 ||
      recv (fd, &answer, 1, 0) != 1)
    return 0;
  return answer;
}

/* 0 when the dump with this number comes in whole, else the error. */
static int
receive_dump (int conntrack, guint32 sequence)
{
  _Alignas (struct nlmsghdr) char buffer[65536];
  struct pollfd poll_fd = { .fd = conntrack, .events = POLLIN };

  while (poll (&poll_fd, 1, 2000) == 1)
    {
      ssize_t size = recv (conntrack, buffer, sizeof buffer, 0);

      for (const struct nlmsghdr *h = (const struct nlmsghdr *) buffer;
           size > 0 && NLMSG_OK (h, (size_t) size); h = NLMSG_NEXT (h, size))
        {
          if (h->nlmsg_seq != sequence)
            return -EBADMSG;
          if (h->nlmsg_type == NLMSG_DONE)
            return 0;
          if (h->nlmsg_type == NLMSG_ERROR)
            return ((const struct nlmsgerr *) NLMSG_DATA (h))->error;
          if (h->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
            return -EPROTO;
        }
    }
  return -ETIMEDOUT;
}

static int
ask_ourselves (int conntrack)
{
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  struct
  {
    struct nlmsghdr header;
    struct nfgenmsg body;
  } request = { { sizeof request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
                  NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
                { AF_UNSPEC, NFNETLINK_V0, 0 } };

  return sendto (conntrack, &request, sizeof request, 0, (const struct sockaddr *) &kernel,
                 sizeof kernel) == sizeof request
             ? receive_dump (conntrack, 1)
             : -errno;
}

static int
meter_and_keeper (void *data)
{
  const struct weir_plan meter = { .role = WEIR_ROLE_METER,
                                   .elevated = true,
                                   .user = { 4243, 4243, true },
                                   .address_space = 1 << 30,
                                   .without = WEIR_LAYER_SECCOMP /* it sleeps, and waits */ };
  struct weir_process_status process;
  int conntrack = open_netlink (), fd = -1, status, keep[2];
  struct weir_plan own = meter;
  pid_t pid;

  HOLDS (conntrack >= 0);
  pid = start_keeper (conntrack, NULL, &fd);
  HOLDS (pid > 0);
  keep[0] = conntrack;
  keep[1] = fd;
  own.keep = keep;
  own.n_keep = 2;
  HOLDS (weir_confine (&own, &process) == 0);

  HOLDS (ask_ourselves (conntrack) == -EPERM);
  for (guint32 i = 1; i <= 3; i++)
    {
      g_usleep (60000);
      HOLDS (ask (fd, "d", 1) == WEIR_KEEPER_DONE);
      HOLDS (receive_dump (conntrack, i) == 0);
    }
  /* At once again: it keeps its pace, and counts on. */
  HOLDS (ask (fd, "d", 1) == WEIR_KEEPER_BUSY);
  g_usleep (60000);
  HOLDS (ask (fd, "d", 1) == WEIR_KEEPER_DONE);
  HOLDS (receive_dump (conntrack, 5) == 0);

  close (fd);
  HOLDS (waitpid (pid, &status, 0) == pid && WIFEXITED (status) && WEXITSTATUS (status) == 0);
  return 0;
}

static void
test_dump (void)
{
  g_assert_cmpint (in_child (meter_and_keeper, NULL), ==, 0);
}

static int
malformed (void *data)
{
  static const char *const verbs[] = { "x", "D", "dd", "d ", "\1" };

  for (size_t i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      int conntrack = open_netlink (), fd = -1, status;
      pid_t pid = start_keeper (conntrack, NULL, &fd);

      HOLDS (pid > 0);
      HOLDS (ask (fd, verbs[i], strlen (verbs[i])) == 0);
      HOLDS (waitpid (pid, &status, 0) == pid && WIFEXITED (status) && WEXITSTATUS (status) == 1);
      HOLDS (recv (conntrack, &status, 1, 0) < 0 && errno == EAGAIN);
      close (conntrack);
      close (fd);
    }
  return 0;
}

/* What /proc shows of a process that it can do. */
static guint64
get_capabilities (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", pid);
  g_autofree char *text = NULL;
  guint64 all = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return G_MAXUINT64;
  for (const char *at = text; (at = strstr (at, "\nCap")) != NULL; at++)
    all |= g_ascii_strtoull (strchr (at, ':') + 1, NULL, 16);
  return all;
}

static int
retires (void *data)
{
  int conntrack = open_netlink (), fd = -1, status;
  pid_t pid = start_keeper (conntrack, NULL, &fd);
  struct weir_process_status process;

  HOLDS (pid > 0);
  HOLDS (ask (fd, "d", 1) == WEIR_KEEPER_DONE);
  HOLDS (receive_dump (conntrack, 1) == 0);
  HOLDS (get_capabilities (pid) == WEIR_CAPABILITY (CAP_NET_ADMIN));
  HOLDS (send (fd, "r", 1, 0) == 1);
  HOLDS (recv (fd, &process, sizeof process, 0) == sizeof process);
  HOLDS (process.pid == (guint32) pid && process.role == WEIR_ROLE_KEEPER);
  HOLDS ((process.cap_effective | process.cap_permitted | process.cap_inheritable |
          process.cap_bounding | process.cap_ambient) == 0);
  HOLDS (get_capabilities (pid) == 0);
  /* It has nothing left to do anything with, and serves nobody who asks for it. */
  HOLDS (ask (fd, data, 1) == 0);
  HOLDS (recv (conntrack, &status, 1, 0) < 0 && errno == EAGAIN);
  HOLDS (waitpid (pid, &status, 0) == pid && WIFEXITED (status) && WEXITSTATUS (status) == 1);
  return 0;
}

static int
ends_when_retired (void *data)
{
  int conntrack = open_netlink (), fd = -1, status;
  pid_t pid = start_keeper (conntrack, NULL, &fd);
  struct weir_process_status process;

  HOLDS (send (fd, "r", 1, 0) == 1);
  HOLDS (recv (fd, &process, sizeof process, 0) == sizeof process);
  close (fd);
  HOLDS (waitpid (pid, &status, 0) == pid && WIFEXITED (status) && WEXITSTATUS (status) == 0);
  return 0;
}

/* Without the capability it could not put back what it switched on. */
static int
does_not_retire (void *data)
{
  const struct weir_accounting accounting = { -1, -1 };
  int conntrack = open_netlink (), fd = -1, status;
  pid_t pid = start_keeper (conntrack, &accounting, &fd);

  HOLDS (pid > 0);
  HOLDS (ask (fd, "r", 1) == 0);
  HOLDS (waitpid (pid, &status, 0) == pid && WIFEXITED (status) && WEXITSTATUS (status) == 1);
  return 0;
}

static void
test_retires (void)
{
  g_assert_cmpint (in_child (retires, (char *) "d"), ==, 0);
  g_assert_cmpint (in_child (retires, (char *) "r"), ==, 0);
  g_assert_cmpint (in_child (ends_when_retired, NULL), ==, 0);
  g_assert_cmpint (in_child (does_not_retire, NULL), ==, 0);
}

static void
test_malformed (void)
{
  g_assert_cmpint (in_child (malformed, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keeper/dump", test_dump);
  g_test_add_func ("/keeper/retires", test_retires);
  g_test_add_func ("/keeper/malformed", test_malformed);
  return g_test_run ();
}
