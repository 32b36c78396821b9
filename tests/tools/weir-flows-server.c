/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The other end: reads what it is told to, and answers as much as it is asked for. */
#include "weir-flows.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS 65536
#define PEERS       64

/* Of datagrams that wait: none may be lost, however many come at once. */
#define BUFFER (8 << 20)

/* A connection, by its descriptor. */
struct connection
{
  uint8_t header[8];
  uint64_t received, up;
  uint32_t down;
  bool answered;
  double opened;
};

struct service
{
  int epoll, listener, datagrams, packets, leash;
  bool telling, ending;
  unsigned n_open;
  const struct process *opener;
  struct flow peers[PEERS]; /* of datagrams, when they are told of */
  unsigned n_peers;
};

static struct connection connections[CONNECTIONS];

static void
watch (struct service *service, int fd)
{
  struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

  if (fd >= 0)
    must (epoll_ctl (service->epoll, EPOLL_CTL_ADD, fd, &event), "epoll");
}

static void
accept_all (struct service *service)
{
  int fd;

  while ((fd = accept4 (service->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
    {
      if (fd >= CONNECTIONS)
        die ("too many connections");
      connections[fd] = (struct connection) { .opened = now () };
      service->n_open++;
      watch (service, fd);
    }
  if (errno != EAGAIN && errno != ECONNABORTED)
    die ("accept");
}

static void
end_connection (struct service *service, int fd)
{
  const struct connection *connection = &connections[fd];
  struct flow flow = {
    .protocol = "TCP",
    .sent = connection->down,
    .received = connection->received,
    .opened = connection->opened,
  };

  if (service->telling)
    {
      if (service->opener != NULL)
        flow.opener = *service->opener;
      learn_local (fd, &flow);
      flow.remote.size = sizeof flow.remote.address;
      must (getpeername (fd, (struct sockaddr *) &flow.remote.address, &flow.remote.size), "peer");
      tell (&flow);
    }
  close (fd);
  service->n_open--;
}

static void
read_connection (struct service *service, int fd)
{
  static char data[1 << 18];
  struct connection *connection = &connections[fd];
  ssize_t n = recv (fd, data, sizeof data, 0);

  if (n <= 0)
    {
      end_connection (service, fd);
      return;
    }
  for (ssize_t i = 0; i < n && connection->received + (uint64_t) i < sizeof connection->header; i++)
    connection->header[connection->received + (uint64_t) i] = (uint8_t) data[i];
  connection->received += (uint64_t) n;
  if (connection->received < sizeof connection->header)
    return;
  if (connection->up == 0)
    {
      uint32_t header[2];

      memcpy (header, connection->header, sizeof header);
      connection->up = header[0];
      connection->down = header[1];
    }
  /* A stream without an end is only read. */
  if (connection->received < connection->up || connection->answered || connection->up == UINT32_MAX)
    return;
  connection->answered = true;
  plain_way.send (fd, connection->down);
}

/* Datagrams from several processes of our own: each is a flow of its own. */
static void
note_datagram (struct service *service, const struct msghdr *message, size_t n, uint32_t down)
{
  struct flow *flow = NULL;

  for (unsigned i = 0; i < service->n_peers && flow == NULL; i++)
    {
      if (memcmp (&service->peers[i].remote.address, message->msg_name, message->msg_namelen) == 0)
        flow = &service->peers[i];
    }
  if (flow == NULL)
    {
      if (service->n_peers == PEERS)
        die ("too many peers");
      flow = &service->peers[service->n_peers++];
      *flow = (struct flow) { .protocol = "UDP", .opened = now () };
      memcpy (&flow->remote.address, message->msg_name, message->msg_namelen);
      /* Whoever sends from here sends to itself. */
      flow->local = flow->remote;
      ((struct sockaddr_in6 *) &flow->local.address)->sin6_port = htons ((uint16_t) options.port);
    }
  flow->received += n;
  flow->sent += down;
  flow->packets_received++;
  flow->packets_sent += down > 0;
}

/* What comes first says how long the answer is to be; it goes out from where it was sent to. */
static void
answer_datagrams (struct service *service)
{
  static char data[DATAGRAM_MAX];
  _Alignas (struct cmsghdr) char control[256];
  struct sockaddr_in6 peer;
  struct iovec piece = { .iov_base = data, .iov_len = sizeof data };
  struct msghdr message;
  ssize_t n;

  for (;;)
    {
      uint32_t header[2] = { 0 };

      piece.iov_len = sizeof data;
      message = (struct msghdr) { .msg_name = &peer,
                                  .msg_namelen = sizeof peer,
                                  .msg_iov = &piece,
                                  .msg_iovlen = 1,
                                  .msg_control = control,
                                  .msg_controllen = sizeof control };
      n = recvmsg (service->datagrams, &message, MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN)
        return;
      must ((int) n, "datagram");
      memcpy (header, data, (size_t) n < sizeof header ? (size_t) n : sizeof header);
      if (service->telling)
        note_datagram (service, &message, (size_t) n, header[1]);
      if (header[1] == 0)
        continue;
      piece.iov_len = header[1] < sizeof data ? header[1] : sizeof data;
      must ((int) sendmsg (service->datagrams, &message, 0), "answer");
    }
}

/* The whole packet comes back, without its IP header, to whom it came from. */
static void
answer_packet (struct service *service)
{
  uint8_t data[DATAGRAM_MAX + 60];
  struct sockaddr_in peer;
  _Alignas (struct cmsghdr) char control[256];
  struct iovec piece = { .iov_base = data, .iov_len = sizeof data };
  struct msghdr message = { .msg_name = &peer,
                            .msg_namelen = sizeof peer,
                            .msg_iov = &piece,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof control };
  ssize_t n = must ((int) recvmsg (service->packets, &message, 0), "packet");
  size_t header = (data[0] & 15u) * 4u;

  piece.iov_base = data + header;
  piece.iov_len = (size_t) n - header;
  must ((int) sendmsg (service->packets, &message, 0), "answer");
}

static void
dispatch (struct service *service, int fd)
{
  if (fd == service->leash)
    {
      service->ending = true;
      must (epoll_ctl (service->epoll, EPOLL_CTL_DEL, fd, NULL), "epoll");
    }
  else if (fd == service->listener)
    accept_all (service);
  else if (fd == service->datagrams)
    answer_datagrams (service);
  else if (fd == service->packets)
    answer_packet (service);
  else
    read_connection (service, fd);
}

void
serve (int listener, int datagrams, int packets, int leash, bool telling,
       const struct process *opener)
{
  struct service service = { .listener = listener,
                             .datagrams = datagrams,
                             .packets = packets,
                             .leash = leash,
                             .telling = telling,
                             .opener = opener };

  service.epoll = must (epoll_create1 (EPOLL_CLOEXEC), "epoll");
  watch (&service, listener);
  watch (&service, datagrams);
  watch (&service, packets);
  watch (&service, leash);
  while (!service.ending || service.n_open > 0)
    {
      struct epoll_event events[64];
      int n = epoll_wait (service.epoll, events, 64, -1);

      for (int i = 0; i < n; i++)
        dispatch (&service, events[i].data.fd);
    }
  for (unsigned i = 0; i < service.n_peers; i++)
    tell (&service.peers[i]);
}

static int
bind_anywhere (int type)
{
  const struct sockaddr_in6 address = { .sin6_family = AF_INET6,
                                        .sin6_port = htons ((uint16_t) options.port) };
  const int on = 1, off = 0;
  int fd = must (socket (AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");

  must (setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), "dual stack");
  must (setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "reuse of the address");
  must (bind (fd, (const struct sockaddr *) &address, sizeof address), "bind");
  return fd;
}

int
make_listener (void)
{
  int fd = bind_anywhere (SOCK_STREAM);

  must (listen (fd, 4096), "listen");
  return fd;
}

static int
make_packet_server (int protocol)
{
  const int on = 1;
  int fd;

  if (protocol == 0)
    return -1;
  fd = must (socket (AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol), "raw socket");
  must (setsockopt (fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on), "IP_PKTINFO");
  return fd;
}

struct server
start_server (bool far, bool telling, int protocol)
{
  int ready[2], leash[2];
  struct server server;
  char byte = 0;

  must (pipe2 (ready, O_CLOEXEC), "pipe");
  must (pipe2 (leash, O_CLOEXEC), "pipe");
  server.pid = must (fork (), "fork");
  if (server.pid == 0)
    {
      const int on = 1, buffer = BUFFER;
      int listener, datagrams, packets;

      prctl (PR_SET_PDEATHSIG, SIGKILL);
      prctl (PR_SET_NAME, "flows-server");
      close (leash[1]);
      if (far)
        enter_far ();
      listener = make_listener ();
      datagrams = bind_anywhere (SOCK_DGRAM);
      must (setsockopt (datagrams, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer),
            "SO_RCVBUFFORCE");
      must (setsockopt (datagrams, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on),
            "IPV6_RECVPKTINFO");
      packets = make_packet_server (protocol);
      must ((int) write (ready[1], &byte, 1), "ready");
      serve (listener, datagrams, packets, leash[0], telling, NULL);
      _exit (0);
    }
  close (ready[1]);
  close (leash[0]);
  if (read (ready[0], &byte, 1) != 1)
    die ("the server");
  close (ready[0]);
  server.leash = leash[1];
  return server;
}

void
end_server (struct server server)
{
  int status;

  close (server.leash);
  must (waitpid (server.pid, &status, 0), "the server");
  if (status != 0)
    die ("the server did not end well");
}

void
spawn_served (const char *name, void (*work) (unsigned number), unsigned n, unsigned seconds,
              int protocol)
{
  struct server server = start_server (true, false, protocol);

  spawn_over (name, work, n, seconds);
  end_server (server);
}
