/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every way in which a program can send and receive. */
#include "weir-flows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

/* Datagrams of one system call, and how many calls. */
#define BATCH  16
#define ROUNDS 4

/* Of each socket that sends datagrams one by one. */
#define DATAGRAMS 20

/* ---- streams ---- */

static int
make_file (size_t n)
{
  int fd = must (memfd_create ("weir-flows", MFD_CLOEXEC), "memfd");

  must (ftruncate (fd, (off_t) n), "memfd");
  return fd;
}

static void
send_file (int fd, size_t n)
{
  int file = make_file (n);

  while (n > 0)
    {
      ssize_t sent = sendfile (fd, file, NULL, n);

      if (sent <= 0)
        die ("sendfile");
      n -= (size_t) sent;
    }
  close (file);
}

/* From one descriptor to another through a pipe; @n bytes. */
static void
splice_through (int from, int to, size_t n)
{
  int ends[2];

  must (pipe2 (ends, O_CLOEXEC), "pipe");
  while (n > 0)
    {
      ssize_t in = splice (from, NULL, ends[1], NULL, n, 0);

      if (in <= 0)
        die ("splice into a pipe");
      n -= (size_t) in;
      while (in > 0)
        {
          ssize_t out = splice (ends[0], NULL, to, NULL, (size_t) in, 0);

          if (out <= 0)
            die ("splice out of a pipe");
          in -= out;
        }
    }
  close (ends[0]);
  close (ends[1]);
}

static void
send_by_splice (int fd, size_t n)
{
  int file = make_file (n);

  splice_through (file, fd, n);
  close (file);
}

static void
receive_by_splice (int fd, size_t n)
{
  int nowhere = must (open ("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null");

  splice_through (fd, nowhere, n);
  close (nowhere);
}

/* What sendfile() can only send is received by splice(), without the bytes ever being copied, too.
 */
const struct way sendfile_way = { send_file, receive_by_splice };
const struct way splice_way = { send_by_splice, receive_by_splice };

static const struct way *chosen_way;
static const char *chosen_address;

static void
stream (unsigned number)
{
  const struct endpoint remote = make_endpoint (chosen_address, options.port);
  double began = now ();
  struct flow flow = { 0 };
  int fd = open_stream (&remote, &flow);

  exchange (fd, chosen_way, &flow, options.up + number, options.down + number);
  live_on (began);
  close (fd);
  tell (&flow);
}

static void
make_streams (const struct way *way, const char *address)
{
  chosen_way = way;
  chosen_address = address;
  spawn_served ("flows-stream", stream, options.count, 0, 0);
}

void
make_sendfile (void)
{
  make_streams (&sendfile_way, options.there);
}

void
make_splice (void)
{
  make_streams (&splice_way, options.there);
}

void
make_uring (void)
{
  make_streams (&uring_way, options.there);
}

/* ---- datagrams ---- */

static int
open_datagrams (const struct endpoint *remote, struct flow *flow, bool connected)
{
  int fd = open_socket (remote->address.ss_family, SOCK_DGRAM, 0);

  flow->protocol = "UDP";
  flow->remote = *remote;
  flow->opened = now ();
  if (connected)
    {
      must (connect (fd, (const struct sockaddr *) &remote->address, remote->size), "connect");
      learn_local (fd, flow);
    }
  return fd;
}

static void
exchange_batches (int fd, struct flow *flow)
{
  static char data[BATCH][DATAGRAM_MAX];
  struct iovec pieces[BATCH];
  struct mmsghdr messages[BATCH];

  for (unsigned round = 0; round < ROUNDS; round++)
    {
      for (unsigned i = 0; i < BATCH; i++)
        {
          fill_header (data[i], options.up, options.down);
          pieces[i] = (struct iovec) { .iov_base = data[i], .iov_len = options.up };
          messages[i] = (struct mmsghdr) { .msg_hdr = { .msg_iov = &pieces[i], .msg_iovlen = 1 } };
        }
      if (sendmmsg (fd, messages, BATCH, 0) != BATCH)
        die ("sendmmsg");
      for (unsigned i = 0; i < BATCH; i++)
        pieces[i].iov_len = DATAGRAM_MAX;
      if (recvmmsg (fd, messages, BATCH, 0, NULL) != BATCH)
        die ("recvmmsg");
      for (unsigned i = 0; i < BATCH; i++)
        flow->received += messages[i].msg_len;
    }
  flow->sent += (uint64_t) ROUNDS * BATCH * options.up;
  flow->packets_sent += ROUNDS * BATCH;
  flow->packets_received += ROUNDS * BATCH;
}

static void
datagrams (unsigned number)
{
  const struct endpoint remote = make_endpoint (chosen_address, options.port);
  double began = now ();
  struct flow flow = { 0 };
  int fd = open_datagrams (&remote, &flow, true);

  if (chosen_way == NULL)
    exchange_batches (fd, &flow);
  else
    exchange_datagrams (fd, &flow, DATAGRAMS + number, true);
  live_on (began);
  close (fd);
  tell (&flow);
}

void
make_mmsg (void)
{
  chosen_address = options.there;
  spawn_served ("flows-mmsg", datagrams, options.count, 0, 0);
}

void
make_udp (void)
{
  chosen_address = options.there;
  chosen_way = &plain_way;
  spawn_served ("flows-udp", datagrams, options.count, 0, 0);
}

/* One socket that is never connected, and a flow for each whom it sends to. */
static void
ask_peers (unsigned number)
{
  double began = now ();
  struct flow flow = { 0 };
  struct endpoint any = make_endpoint ("0.0.0.0", 0), bound;
  int fd = open_datagrams (&any, &flow, false);

  must (bind (fd, (const struct sockaddr *) &any.address, any.size), "bind");
  learn_local (fd, &flow);
  bound =
      make_endpoint (options.here, ntohs (((struct sockaddr_in *) &flow.local.address)->sin_port));
  for (unsigned i = 0; i < options.each; i++)
    {
      flow = (struct flow) { .protocol = "UDP", .local = bound, .opened = now () };
      flow.remote = peer_endpoint (number * options.each + i, options.port);
      exchange_datagrams (fd, &flow, 2, false);
      tell (&flow);
    }
  live_on (began);
}

void
make_peers (void)
{
  spawn_served ("flows-peers", ask_peers, options.count, 0, 0);
}

/* ---- addresses ---- */

/* Streams and datagrams to the same address. */
static void
make_both (const char *address, bool far, bool telling)
{
  struct server server = start_server (far, telling, 0);

  chosen_way = &plain_way;
  chosen_address = address;
  for (unsigned i = 0; i < options.count; i++)
    {
      spawn ("flows-stream", stream, i);
      spawn ("flows-udp", datagrams, i);
    }
  wait_for_children ();
  end_server (server);
}

void
make_ipv6 (void)
{
  make_both (options.there6, true, false);
}

void
make_dual (void)
{
  char mapped[64];

  snprintf (mapped, sizeof mapped, "::ffff:%s", options.there);
  make_both (mapped, true, false);
}

void
make_loopback (void)
{
  make_both ("127.0.0.1", false, true);
}

/* ---- slowly ---- */

static void
drip_stream (unsigned number)
{
  const struct endpoint remote = make_endpoint (options.there, options.port);
  struct flow flow = { 0 };
  int fd = open_stream (&remote, &flow);
  char data[16] = { 0 };
  unsigned n = options.seconds * 2;

  fill_header (data, (uint32_t) (n * sizeof data), 100 + number);
  for (unsigned i = 0; i < n; i++)
    {
      sleep_until (flow.opened + i * 0.5);
      send_all (fd, data, sizeof data);
    }
  plain_way.receive (fd, 100 + number);
  flow.sent = n * sizeof data;
  flow.received = 100 + number;
  close (fd);
  tell (&flow);
}

static void
drip_datagrams (unsigned number)
{
  const struct endpoint remote = make_endpoint (options.there, options.port);
  struct flow flow = { 0 };
  int fd = open_datagrams (&remote, &flow, true);

  for (unsigned i = 0; i < options.seconds * 2; i++)
    {
      sleep_until (flow.opened + i * 0.5);
      exchange_datagrams (fd, &flow, 1, true);
    }
  close (fd);
  tell (&flow);
}

void
make_drip (void)
{
  struct server server = start_server (true, false, 0);

  spawn ("flows-drip", drip_stream, 0);
  spawn ("flows-drip", drip_datagrams, 0);
  wait_for_children ();
  end_server (server);
}
