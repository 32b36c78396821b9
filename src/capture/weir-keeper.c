/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CAP_NET_ADMIN on a netlink socket can do anything to the network, so this process does one thing
 * with it: it sends the same 20 bytes, numbered.  Nothing of them is chosen by whoever asks, it
 * never reads from the netlink socket (the meter does, and parses), and it opens nothing.
 */
#include "config.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "weir-keeper.h"

/* A dump walks the whole table in the kernel.  The meter asks four times a second at most, and once
 * more when a dump was interrupted; a meter that was taken over gets no more than this. */
#define DUMP_PAUSE_NS 50000000

static uint64_t
read_clock (clockid_t clock)
{
  struct timespec now = { 0 };

  clock_gettime (clock, &now);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

/* A dump of all families that is already running makes the kernel answer EBUSY on the shared
 * socket, where the meter sees it; here only what sendto(2) itself says is known. */
static uint8_t
request_dump (int conntrack, uint32_t sequence)
{
  const struct
  {
    struct nlmsghdr header;
    struct nfgenmsg body;
  } request = {
    .header = {
      .nlmsg_len = sizeof request,
      .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
      .nlmsg_seq = sequence,
    },
    .body = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
  };
  /* Explicit, because a connected or bound peer could be another process. */
  static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  ssize_t n;

  n = sendto (conntrack, &request, sizeof request, MSG_DONTWAIT | MSG_NOSIGNAL,
              (const struct sockaddr *) &kernel, sizeof kernel);
  if (n == (ssize_t) sizeof request)
    return WEIR_KEEPER_DONE;
  if (n < 0 && (errno == EAGAIN || errno == EBUSY || errno == ENOBUFS))
    return WEIR_KEEPER_BUSY;
  return WEIR_KEEPER_FAILED;
}

/* Answers, and says what the CPU time was since @began. */
static int
answer_dump (int fd, uint8_t answer, uint64_t began)
{
  uint64_t cpu_us = (read_clock (CLOCK_THREAD_CPUTIME_ID) - began) / 1000;
  uint8_t bytes[WEIR_KEEPER_ANSWER_SIZE] = { answer, (uint8_t) cpu_us, (uint8_t) (cpu_us >> 8),
                                             (uint8_t) (cpu_us >> 16), (uint8_t) (cpu_us >> 24) };

  if (send (fd, bytes, sizeof bytes, MSG_NOSIGNAL) != sizeof bytes)
    return errno == EPIPE ? 0 : -errno;
  return 1;
}

/* Returns when there is something to receive from @fd.  What must be put back is never held by one
 * process alone: without its twin this one gives it up at once, and goes on with all else. */
static int
wait_for_verb (int fd, int *twin, const struct weir_accounting *accounting)
{
  while (*twin >= 0)
    {
      struct pollfd polled[] = { { .fd = fd, .events = POLLIN }, { .fd = *twin } };

      if (poll (polled, 2, -1) < 0 && errno != EINTR)
        return -errno;
      if (polled[1].revents != 0)
        {
          weir_accounting_leave (accounting);
          *twin = -1;
        }
      if (polled[0].revents != 0)
        break;
    }
  return 0;
}

static int
retire (int fd, int *conntrack, struct weir_rights *rights)
{
  int r;

  close (*conntrack);
  *conntrack = -1;
  r = weir_rights_give_up (rights);
  if (r == 0)
    r = weir_rights_report (rights, fd);
  if (r < 0)
    return r == -EPIPE ? 0 : r;
  return 1;
}

/* 1, or what weir_keeper_serve() is to return. */
static int
receive (int fd, uint8_t *ret_verb)
{
  ssize_t n;

  do
    n = recv (fd, ret_verb, sizeof *ret_verb, MSG_TRUNC);
  while (n < 0 && errno == EINTR);
  if (n <= 0)
    return n < 0 && errno != ECONNRESET ? -errno : 0;
  return n == sizeof *ret_verb ? 1 : -EPROTO;
}

int
weir_keeper_serve (int fd, int conntrack, int twin, const struct weir_accounting *accounting,
                   struct weir_rights *rights)
{
  uint64_t last = 0, began;
  uint32_t sequence = 0;
  int r;

  for (;;)
    {
      uint8_t verb = 0, answer;

      r = wait_for_verb (fd, &twin, accounting);
      if (r == 0)
        r = receive (fd, &verb);
      if (r <= 0)
        return r;

      /* Our own meter never sends anything else, so whoever does is not to be served further. */
      if (conntrack < 0 || (verb != WEIR_KEEPER_DUMP &&
                            (verb != WEIR_KEEPER_RETIRE || accounting != NULL || rights == NULL)))
        return -EPROTO;
      if (verb == WEIR_KEEPER_RETIRE)
        {
          r = retire (fd, &conntrack, rights);
          if (r <= 0)
            return r;
          continue;
        }

      sequence++;
      answer = WEIR_KEEPER_BUSY;
      began = read_clock (CLOCK_THREAD_CPUTIME_ID);
      if (last == 0 || read_clock (CLOCK_MONOTONIC) - last >= DUMP_PAUSE_NS)
        {
          answer = request_dump (conntrack, sequence);
          last = read_clock (CLOCK_MONOTONIC);
        }
      r = answer_dump (fd, answer, began);
      if (r <= 0)
        return r;
    }
}
