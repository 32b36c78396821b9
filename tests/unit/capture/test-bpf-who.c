/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom the programs name: who made a socket, and who uses it. */
#include <sys/prctl.h>
#include <threads.h>

#include "bpf-stage.h"

static struct stage stage;
static char bytes[1 << 16];

static void
begin (void)
{
  stage_begin (&stage);
}

static pid_t
in_child_named (const char *name, void (*func) (int fd), int fd)
{
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      FILE *file = fopen ("/proc/self/comm", "we");

      fputs (name, file);
      fclose (file);
      func (fd);
      _exit (0);
    }
  return pid;
}

static void
send_and_leave (int to)
{
  int fd = stage_socket (AF_INET, SOCK_DGRAM, 0);

  stage_send_to (fd, "x", 1, "127.0.0.1", stage_get_port (to));
}

/* Gone before anybody asks. */
static void
test_short_lived (void)
{
  int receiver = stage_socket (AF_INET, SOCK_DGRAM, 0);
  const struct weir_bpf_reading *flow;
  guint n_senders = 0;
  guint64 received = 0;

  begin ();
  stage_bind (receiver, "127.0.0.1", 0);
  for (unsigned i = 0; i < 50; i++)
    stage_await (in_child_named ("butterfly", send_and_leave, receiver));
  stage_read (&stage);
  for (guint i = 0; i < stage.readings->len; i++)
    {
      flow = stage_nth (&stage, i);
      received += flow->rx_bytes;
      if (flow->tx_bytes == 0)
        continue;
      n_senders++;
      g_assert_cmpstr (flow->opener.comm, ==, "butterfly");
      g_assert_cmpuint (flow->tx_bytes, ==, 29);
      g_assert_true (flow->flags & WEIR_BPF_CLOSED);
    }
  /* Two of them may get the same port, one after the other; they are one to the receiver. */
  g_assert_cmpuint (n_senders, ==, 50);
  g_assert_cmpuint (received, ==, 50 * 29);
  close (receiver);
}

#define WORKERS     8
#define CONNECTIONS 300
#define MESSAGE     1234

static void
connect_often (int unused)
{
  for (unsigned i = 0; i < CONNECTIONS; i++)
    {
      int listener = stage_socket (AF_INET, SOCK_STREAM, 0),
          client = stage_socket (AF_INET, SOCK_STREAM, 0), server;

      stage_bind (listener, "127.0.0.1", 0);
      if (listen (listener, 1) < 0)
        _exit (1);
      stage_connect (client, "127.0.0.1", stage_get_port (listener));
      server = accept (listener, NULL, NULL);
      stage_send (client, bytes, MESSAGE);
      stage_receive (server, MESSAGE);
      stage_part_ways (client, server);
      close (listener);
    }
}

/* All at the same time on all processors, while it is read: each is told of, whole and once. */
static void
test_many (void)
{
  unsigned n_clients = 0, n_servers = 0;
  uint64_t before, sent, counted = 0;
  pid_t workers[WORKERS];

  begin ();
  before = stage_get_loopback (NULL);
  for (unsigned i = 0; i < WORKERS; i++)
    workers[i] = in_child_named ("busy", connect_often, -1);
  for (unsigned n_left = WORKERS; n_left > 0;)
    {
      stage_read (&stage);
      g_usleep (5000);
      for (unsigned i = 0; i < WORKERS; i++)
        if (workers[i] > 0 && waitpid (workers[i], NULL, WNOHANG) == workers[i])
          {
            workers[i] = 0;
            n_left--;
          }
    }
  sent = stage_get_loopback (NULL) - before;
  stage_read (&stage);
  for (guint i = 0; i < stage.readings->len; i++)
    {
      const struct weir_bpf_reading *flow = stage_nth (&stage, i);

      counted += flow->tx_bytes;
      if (flow->protocol != IPPROTO_TCP)
        continue;
      g_assert_cmpstr (flow->opener.comm, ==, "busy");
      n_clients += flow->direction == WEIR_DIRECTION_OUT && flow->tx_payload == MESSAGE;
      n_servers += flow->direction == WEIR_DIRECTION_IN && flow->rx_payload == MESSAGE;
    }
  g_assert_cmpuint (n_clients, ==, WORKERS * CONNECTIONS);
  g_assert_cmpuint (n_servers, ==, WORKERS * CONNECTIONS);
  g_assert_cmpuint (counted, ==, sent);
}

static void
serve_once (int listener)
{
  struct sockaddr_in peer;
  socklen_t size = sizeof peer;
  int fd = accept (listener, (struct sockaddr *) &peer, &size);

  if (fd < 0 || send (fd, "hello", 5, 0) != 5)
    _exit (1);
}

/* Who listens is one, who accepts another. */
static void
test_inherited_listener (void)
{
  int listener = stage_socket (AF_INET, SOCK_STREAM, 0),
      client = stage_socket (AF_INET, SOCK_STREAM, 0);
  const struct weir_bpf_reading *flow;
  pid_t pid;

  begin ();
  stage_bind (listener, "127.0.0.1", 0);
  g_assert_cmpint (listen (listener, 8), ==, 0);
  pid = in_child_named ("heir", serve_once, listener);
  stage_connect (client, "127.0.0.1", stage_get_port (listener));
  stage_receive (client, 5);
  stage_await (pid);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_TCP, stage_get_port (listener), stage_get_port (client));
  g_assert_true (stage_is_me (&flow->opener));
  g_assert_cmpstr (flow->user.comm, ==, "heir");
  g_assert_cmpuint (flow->user.pid, !=, flow->opener.pid);
  close (client);
  close (listener);
}

static void
use_passed (int channel)
{
  char control[CMSG_SPACE (sizeof (int))], byte;
  struct iovec part = { &byte, 1 };
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
  };
  int fd;

  if (recvmsg (channel, &message, 0) != 1)
    _exit (1);
  memcpy (&fd, CMSG_DATA (CMSG_FIRSTHDR (&message)), sizeof fd);
  if (send (fd, "hello", 5, 0) != 5)
    _exit (2);
}

static void
pass (int channel, int fd)
{
  char control[CMSG_SPACE (sizeof fd)] = "";
  struct iovec part = { (char *) "x", 1 };
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
  };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);

  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (sizeof fd);
  memcpy (CMSG_DATA (header), &fd, sizeof fd);
  g_assert_cmpint (sendmsg (channel, &message, 0), ==, 1);
}

/* Connected by one and used by another. */
static void
test_passed (void)
{
  int receiver = stage_socket (AF_INET, SOCK_DGRAM, 0),
      sender = stage_socket (AF_INET, SOCK_DGRAM, 0), ends[2];
  const struct weir_bpf_reading *flow;
  pid_t pid;

  begin ();
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_DGRAM, 0, ends), ==, 0);
  stage_bind (receiver, "127.0.0.1", 0);
  stage_connect (sender, "127.0.0.1", stage_get_port (receiver));
  pid = in_child_named ("foster", use_passed, ends[1]);
  pass (ends[0], sender);
  stage_await (pid);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_UDP, stage_get_port (sender), stage_get_port (receiver));
  g_assert_true (stage_is_me (&flow->opener));
  g_assert_cmpstr (flow->user.comm, ==, "foster");
  close (ends[0]);
  close (ends[1]);
  close (receiver);
  close (sender);
}

static void
close_as_other (int fd)
{
  if (setresuid (65534, 65534, 65534) < 0)
    _exit (1);
  g_usleep (200000);
  close (fd);
}

/* Who only closes last has not used it. */
static void
test_closed_by_other (void)
{
  int receiver = stage_socket (AF_INET, SOCK_DGRAM, 0),
      sender = stage_socket (AF_INET, SOCK_DGRAM, 0);
  const struct weir_bpf_reading *flow;
  pid_t pid;

  begin ();
  stage_bind (receiver, "127.0.0.1", 0);
  stage_connect (sender, "127.0.0.1", stage_get_port (receiver));
  stage_send (sender, bytes, 10);
  pid = in_child_named ("undertaker", close_as_other, sender);
  close (sender);
  stage_await (pid);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_UDP, 0, stage_get_port (receiver));
  g_assert_true (flow->flags & WEIR_BPF_CLOSED);
  g_assert_true (stage_is_me (&flow->user));
  close (receiver);
}

/* ---- threads ---- */

struct strand
{
  int fd;
  uint16_t port;
};

static int
connect_as_strand (void *data)
{
  struct strand *strand = data;

  if (prctl (PR_SET_NAME, "strand") < 0)
    return 1;
  stage_connect (strand->fd, "127.0.0.1", strand->port);
  stage_send (strand->fd, bytes, 10);
  return 0;
}

static int
send_as_strand (void *data)
{
  struct strand *strand = data;

  if (prctl (PR_SET_NAME, "strand") < 0)
    return 1;
  strand->fd = stage_socket (AF_INET, SOCK_DGRAM, 0);
  stage_send_to (strand->fd, bytes, 10, "127.0.0.1", strand->port);
  return 0;
}

static void
in_thread (int (*func) (void *data), struct strand *strand)
{
  thrd_t thread;
  int status;

  g_assert_cmpint (thrd_create (&thread, func, strand), ==, thrd_success);
  g_assert_cmpint (thrd_join (thread, &status), ==, thrd_success);
  g_assert_cmpint (status, ==, 0);
}

/* What a thread calls itself is not what its process is called. */
static void
test_thread (void)
{
  int receiver = stage_socket (AF_INET, SOCK_DGRAM, 0);
  struct strand strand = { stage_socket (AF_INET, SOCK_DGRAM, 0), 0 };
  const struct weir_bpf_reading *flow;

  begin ();
  stage_bind (receiver, "127.0.0.1", 0);
  strand.port = stage_get_port (receiver);
  in_thread (connect_as_strand, &strand);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_UDP, stage_get_port (strand.fd), strand.port);
  g_assert_true (stage_is_me (&flow->opener));
  g_assert_true (stage_is_me (&flow->user));
  g_assert_cmpuint (flow->user.pid, ==, flow->opener.pid);
  close (strand.fd);
  close (receiver);
}

/* It is all that is known until the first thread comes by. */
static void
test_thread_alone (void)
{
  int receiver = stage_socket (AF_INET, SOCK_DGRAM, 0);
  struct strand strand = { -1, 0 };
  const struct weir_bpf_reading *flow;
  uint16_t port;

  begin ();
  stage_bind (receiver, "127.0.0.1", 0);
  strand.port = stage_get_port (receiver);
  in_thread (send_as_strand, &strand);
  port = stage_get_port (strand.fd);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_UDP, port, strand.port);
  g_assert_cmpstr (flow->user.comm, ==, "strand");
  g_assert_true (flow->opener.has_threads_name && flow->user.has_threads_name);
  stage_send_to (strand.fd, bytes, 10, "127.0.0.1", strand.port);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_UDP, port, strand.port);
  g_assert_true (stage_is_me (&flow->user));
  g_assert_false (flow->user.has_threads_name);
  g_assert_cmpuint (flow->user.pid, ==, flow->opener.pid);
  close (strand.fd);
  close (receiver);
}

/* ---- threads of the kernel ---- */

static void
connect_to_other (int fd)
{
  stage_connect (fd, "127.0.0.2", stage_get_port (fd));
  stage_send (fd, bytes, 10);
}

static void
connect_in_group (int fd)
{
  char name[64];
  int group = stage_enter_group (name);

  connect_to_other (fd);
  stage_leave_group (group, name);
}

/* The user of a socket that a process called @name has used. */
static struct weir_bpf_process
get_user_after (const char *name, void (*func) (int fd))
{
  int fd = stage_socket (AF_INET, SOCK_DGRAM, 0);
  struct weir_bpf_process user;
  uint16_t port;

  begin ();
  stage_bind (fd, "127.0.0.1", 0);
  port = stage_get_port (fd);
  stage_await (in_child_named (name, func, fd));
  stage_read (&stage);
  user = stage_find (&stage, IPPROTO_UDP, port, port)->user;
  g_assert_true (stage_is_me (&stage_find (&stage, IPPROTO_UDP, port, port)->opener));
  close (fd);
  return user;
}

static void
test_kernel_thread (void)
{
  const char *const names[] = { "kworker/u8:1", "ksoftirqd/0", "irq/16-eth0", "napi/eth0-1" };
  struct weir_bpf_process user;

  user = get_user_after ("worker", connect_to_other);
  g_assert_cmpstr (user.comm, ==, "worker");
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    {
      user = get_user_after (names[i], connect_to_other);
      g_assert_true (stage_is_me (&user));
      /* None of the kernel's is there. */
      user = get_user_after (names[i], connect_in_group);
      g_assert_cmpstr (user.comm, ==, names[i]);
    }
}

/* ---- sockets that anybody may send to ---- */

/* What was told of one socket since the last call, by its cookie. */
struct told
{
  uint64_t cookie;
  unsigned named, released;
  struct weir_bpf_reading last;
};

static uint64_t
get_cookie (int fd)
{
  socklen_t size = sizeof (uint64_t);
  uint64_t cookie = 0;

  g_assert_cmpint (getsockopt (fd, SOL_SOCKET, SO_COOKIE, &cookie, &size), ==, 0);
  return cookie;
}

static void
take_socket (const struct weir_bpf_reading *reading, enum weir_bpf_news news, void *data)
{
  struct told *told = data;

  if (reading->cookie != told->cookie)
    return;
  told->released += news == WEIR_BPF_NEWS_RELEASED;
  if (news != WEIR_BPF_NEWS_NAMED)
    return;
  told->named++;
  told->last = *reading;
}

static struct told
read_told (uint64_t cookie)
{
  struct told told = { .cookie = cookie };

  while (weir_bpf_source_read_events (&stage.source, 1000, take_socket, &told))
    continue;
  return told;
}

/* Once, when somebody has a port that others can send to; and once, when nobody has it any more. */
static void
check_named (int fd, bool by_opener)
{
  const uint64_t cookie = get_cookie (fd);
  const struct told told = read_told (cookie);
  const struct weir_bpf_process *named = by_opener ? &told.last.opener : &told.last.user;
  struct told closed;

  g_assert_cmpuint (told.named, ==, 1);
  g_assert_cmpuint (told.released, ==, 0);
  g_assert_cmpuint (named->pid, ==, getpid ());
  g_assert_true (stage_is_me (named));
  g_assert_cmpuint (told.last.born, >, 0);
  close (fd);
  closed = read_told (cookie);
  g_assert_cmpuint (closed.named, ==, 0);
  g_assert_cmpuint (closed.released, ==, 1);
}

static void
test_bound (void)
{
  const struct
  {
    int family, type, protocol;
    const char *address;
  } cases[] = {
    { AF_INET, SOCK_STREAM, 0, "127.0.0.1" },
    { AF_INET6, SOCK_STREAM, 0, "::1" },
    { AF_INET, SOCK_DGRAM, 0, "0.0.0.0" },
    { AF_INET6, SOCK_DGRAM, 0, "::" },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      int fd = stage_socket (cases[i].family, cases[i].type, cases[i].protocol);

      g_assert_cmpuint (read_told (get_cookie (fd)).named, ==, 0);
      stage_bind (fd, cases[i].address, 0);
      check_named (fd, false);
    }
}

/* It has somebody's name from the beginning. */
static void
test_raw (void)
{
  check_named (stage_socket (AF_INET, SOCK_RAW, IPPROTO_ICMP), true);
  check_named (stage_socket (AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), true);
}

/* One of the ends of a new connection, over which something was sent; the other one is closed. */
static int
connect_to (int listener, bool is_client)
{
  int client = stage_socket (AF_INET, SOCK_STREAM, 0), accepted;

  stage_connect (client, "127.0.0.1", stage_get_port (listener));
  accepted = accept (listener, NULL, NULL);
  g_assert_cmpint (accepted, >=, 0);
  stage_send (client, "x", 1);
  close (is_client ? accepted : client);
  return is_client ? client : accepted;
}

/* Given a port by the kernel. */
static void
test_not_bound (void)
{
  int listener = stage_socket (AF_INET, SOCK_STREAM, 0);
  int sender = stage_socket (AF_INET, SOCK_DGRAM, 0);

  stage_send_to (sender, "x", 1, "127.3.0.1", 9);
  check_named (sender, false);

  g_assert_cmpint (listen (listener, 1), ==, 0);
  g_assert_cmpuint (read_told (get_cookie (listener)).named, ==, 0);
  close (connect_to (listener, true));
  check_named (listener, true);
}

/* Ends of connections are no such sockets. */
static void
test_connected (void)
{
  int listener = stage_socket (AF_INET, SOCK_STREAM, 0);

  stage_bind (listener, "127.0.0.1", 0);
  g_assert_cmpint (listen (listener, 1), ==, 0);
  for (unsigned i = 0; i < 2; i++)
    {
      int fd = connect_to (listener, i == 0);
      const uint64_t cookie = get_cookie (fd);
      struct told told;

      close (fd);
      told = read_told (cookie);
      g_assert_cmpuint (told.named + told.released, ==, 0);
    }
  close (listener);
}

int
main (int argc, char **argv)
{
  int code;

  g_test_init (&argc, &argv, NULL);
  stage_isolate ();
  /* So large that slots are not used again, however late this gets to read. */
  stage_open (&stage, WEIR_BPF_FLOWS_DEFAULT);
  g_test_add_func ("/bpf/who/short-lived", test_short_lived);
  g_test_add_func ("/bpf/who/many", test_many);
  g_test_add_func ("/bpf/who/inherited-listener", test_inherited_listener);
  g_test_add_func ("/bpf/who/passed", test_passed);
  g_test_add_func ("/bpf/who/closed-by-other", test_closed_by_other);
  g_test_add_func ("/bpf/who/thread", test_thread);
  g_test_add_func ("/bpf/who/thread-alone", test_thread_alone);
  g_test_add_func ("/bpf/who/kernel-thread", test_kernel_thread);
  g_test_add_func ("/bpf/who/bound", test_bound);
  g_test_add_func ("/bpf/who/raw", test_raw);
  g_test_add_func ("/bpf/who/not-bound", test_not_bound);
  g_test_add_func ("/bpf/who/connected", test_connected);
  code = g_test_run ();
  stage_close (&stage);
  return code;
}
