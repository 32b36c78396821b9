/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source-conntrack.h"

static void
do_nothing (void *data)
{
}

static void
count_entry (const struct weir_conntrack_reading *reading, enum weir_conntrack_event event,
             void *data)
{
  ++*(guint *) data;
}

static void
ask_for_dump (int fd, guint32 sequence)
{
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  const struct
  {
    struct nlmsghdr header;
    struct nfgenmsg body;
  } request = { { sizeof request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
                  NLM_F_REQUEST | NLM_F_DUMP, sequence, 0 },
                { AF_UNSPEC, NFNETLINK_V0, 0 } };

  g_assert_cmpint (
      sendto (fd, &request, sizeof request, 0, (const struct sockaddr *) &kernel, sizeof kernel),
      ==, sizeof request);
}

/* What is left of a dump that was given up is neither entries nor the end of the next one. */
static void
test_given_up (void)
{
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
  struct weir_conntrack_dump dump = { .fd = fd, .running = true, .sequence = 2 };
  guint n_entries = 0;

  g_assert_cmpint (fd, >=, 0);
  ask_for_dump (fd, 1);
  g_assert_cmpint (weir_conntrack_read (&dump, 100, do_nothing, count_entry, &n_entries), ==, 0);
  g_assert_true (dump.running);
  g_assert_cmpuint (n_entries, ==, 0);
  ask_for_dump (fd, 2);
  g_assert_cmpint (weir_conntrack_read (&dump, 100, do_nothing, count_entry, &n_entries), ==, 1);
  g_assert_false (dump.running);
  g_assert_cmpint (dump.error, ==, 0);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/source-conntrack/given-up", test_given_up);
  return g_test_run ();
}
