/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes, clocks, streams and lines of the truth. */
#include "weir-flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* For an answer that was lost. */
#define PATIENCE_S 10

/* How long a child stays a zombie at the most. */
#define REAP_S 0.002

void
die (const char *what)
{
  fprintf (stderr, "weir-flows: %s: %s\n", what, strerror (errno));
  exit (1);
}

void
not_here (const char *why)
{
  fprintf (stderr, "%s\n", why);
  exit (EXIT_NOT_HERE);
}

int
must (int result, const char *what)
{
  if (result < 0)
    die (what);
  return result;
}

double
now (void)
{
  struct timespec time;

  must (clock_gettime (CLOCK_BOOTTIME, &time), "clock");
  return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

void
sleep_until (double moment)
{
  double left = moment - now ();
  struct timespec time = { .tv_sec = (time_t) left };

  if (left <= 0)
    return;
  time.tv_nsec = (long) ((left - (double) time.tv_sec) * 1e9);
  while (nanosleep (&time, &time) < 0 && errno == EINTR)
    continue;
}

/* /proc is that of the one who looks, also in a process of another PID namespace. */
struct process
myself (void)
{
  struct process found = { 0 };
  char text[1024];
  int fd = must (open ("/proc/self/stat", O_RDONLY | O_CLOEXEC), "/proc/self/stat");
  ssize_t n = read (fd, text, sizeof text - 1);
  const char *at;

  close (fd);
  if (n <= 0)
    die ("/proc/self/stat");
  text[n] = '\0';
  at = strrchr (text, ')');
  found.pid = atoi (text);
  /* The name is field 2, and the start time field 22. */
  for (int field = 2; at != NULL && field < 22; field++)
    at = strchr (at + 1, ' ');
  if (at == NULL)
    die ("fields of /proc/self/stat");
  found.start_time = strtoull (at + 1, NULL, 10);
  return found;
}

static void
print_endpoint (char *text, size_t size, const struct endpoint *endpoint)
{
  char address[INET6_ADDRSTRLEN];
  unsigned port;

  if (endpoint->address.ss_family == AF_INET6)
    {
      const struct sockaddr_in6 *in6 = (const void *) &endpoint->address;

      inet_ntop (AF_INET6, &in6->sin6_addr, address, sizeof address);
      port = ntohs (in6->sin6_port);
    }
  else
    {
      const struct sockaddr_in *in = (const void *) &endpoint->address;

      inet_ntop (AF_INET, &in->sin_addr, address, sizeof address);
      port = ntohs (in->sin_port);
    }
  snprintf (text, size, "[\"%s\",%u]", address, port);
}

void
tell (const struct flow *flow)
{
  const struct process user = myself ();
  const struct process opener = flow->opener.pid != 0 ? flow->opener : user;
  char line[1024], local[96], remote[96];
  struct stat net;
  int n;

  must (stat ("/proc/self/ns/net", &net), "/proc/self/ns/net");
  print_endpoint (local, sizeof local, &flow->local);
  print_endpoint (remote, sizeof remote, &flow->remote);
  n = snprintf (line, sizeof line,
                "{\"protocol\":\"%s\",\"netns\":%llu,\"local\":%s,\"remote\":%s,\"pid\":%d,"
                "\"start_time\":%llu,\"opener\":[%d,%llu],\"sent\":%llu,\"received\":%llu,"
                "\"packets_sent\":%llu,\"packets_received\":%llu,\"opened\":%.6f}\n",
                flow->protocol, (unsigned long long) net.st_ino, local, remote, user.pid,
                user.start_time, opener.pid, opener.start_time, (unsigned long long) flow->sent,
                (unsigned long long) flow->received, (unsigned long long) flow->packets_sent,
                (unsigned long long) flow->packets_received, flow->opened);
  /* One write is one line, whoever else writes to the same file. */
  if (write (STDOUT_FILENO, line, (size_t) n) != n)
    die ("the truth");
}

struct endpoint
make_endpoint (const char *address, unsigned port)
{
  struct endpoint made = { 0 };
  struct sockaddr_in *in = (void *) &made.address;
  struct sockaddr_in6 *in6 = (void *) &made.address;

  if (inet_pton (AF_INET, address, &in->sin_addr) == 1)
    {
      in->sin_family = AF_INET;
      in->sin_port = htons ((uint16_t) port);
      made.size = sizeof *in;
      return made;
    }
  if (inet_pton (AF_INET6, address, &in6->sin6_addr) != 1)
    {
      errno = EINVAL;
      die (address);
    }
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons ((uint16_t) port);
  made.size = sizeof *in6;
  return made;
}

struct endpoint
peer_endpoint (unsigned number, unsigned port)
{
  struct endpoint made = make_endpoint (options.peers, port);
  struct sockaddr_in *in = (void *) &made.address;

  in->sin_addr.s_addr = htonl (ntohl (in->sin_addr.s_addr) + number);
  return made;
}

void
learn_local (int fd, struct flow *flow)
{
  flow->local.size = sizeof flow->local.address;
  must (getsockname (fd, (struct sockaddr *) &flow->local.address, &flow->local.size),
        "local address");
}

void
enter_far (void)
{
  char path[256];
  int fd;

  snprintf (path, sizeof path, "/run/netns/%s", options.far);
  fd = must (open (path, O_RDONLY | O_CLOEXEC), path);
  must (setns (fd, CLONE_NEWNET), path);
  close (fd);
}

/* Of those that spawn() made. */
static unsigned n_running;
static int worst;

pid_t
spawn (const char *name, void (*work) (unsigned number), unsigned number)
{
  pid_t parent = getpid (), pid = must (fork (), "fork");

  if (pid > 0)
    {
      n_running++;
      return pid;
    }
  n_running = 0;
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  prctl (PR_SET_NAME, name);
  /* In a PID namespace of its own it has none. */
  if (getppid () != parent && getppid () != 0)
    _exit (1);
  work (number);
  _exit (0);
}

/* Whether a child has ended; with WNOHANG only one that has already. */
static bool
reap (int how)
{
  int status;

  if (must (waitpid (-1, &status, how), "wait") == 0)
    return false;
  n_running--;
  if (!WIFEXITED (status))
    worst = 1;
  else if (WEXITSTATUS (status) != 0 && worst != 1)
    worst = WEXITSTATUS (status);
  return true;
}

void
wait_for_children (void)
{
  while (n_running > 0)
    reap (0);
  if (worst != 0)
    exit (worst);
}

/* Whoever ends is let go at once, as by a shell: nothing of it stays in /proc. */
static void
reap_until (double moment)
{
  do
    {
      while (n_running > 0 && reap (WNOHANG))
        continue;
      sleep_until (n_running > 0 && now () + REAP_S < moment ? now () + REAP_S : moment);
    }
  while (now () < moment);
}

void
spawn_over (const char *name, void (*work) (unsigned number), unsigned n, unsigned seconds)
{
  double began = now ();

  for (unsigned i = 0; i < n; i++)
    {
      reap_until (began + (double) i * seconds / n);
      spawn (name, work, i);
    }
  wait_for_children ();
}

void
live_on (double began)
{
  sleep_until (began + options.life_ms / 1e3);
}

void
fill_header (void *data, uint32_t up, uint32_t down)
{
  const uint32_t header[2] = { up, down };

  memcpy (data, header, sizeof header);
}

void
send_all (int fd, const void *data, size_t n)
{
  for (const char *at = data; n > 0;)
    {
      ssize_t sent = send (fd, at, n, MSG_NOSIGNAL);

      if (sent < 0)
        die ("send");
      at += sent;
      n -= (size_t) sent;
    }
}

static void
send_plainly (int fd, size_t n)
{
  static const char data[65536];

  for (size_t size; n > 0; n -= size)
    {
      size = n < sizeof data ? n : sizeof data;
      send_all (fd, data, size);
    }
}

static void
receive_plainly (int fd, size_t n)
{
  static char data[65536];

  while (n > 0)
    {
      ssize_t got = recv (fd, data, n < sizeof data ? n : sizeof data, 0);

      if (got <= 0)
        die ("receive");
      n -= (size_t) got;
    }
}

const struct way plain_way = { send_plainly, receive_plainly };

int
open_socket (int family, int type, int protocol)
{
  const struct timeval patience = { .tv_sec = PATIENCE_S };
  int fd = must (socket (family, type | SOCK_CLOEXEC, protocol), "socket");

  must (setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "SO_RCVTIMEO");
  return fd;
}

int
open_stream (const struct endpoint *remote, struct flow *flow)
{
  const int on = 1;
  int fd = open_socket (remote->address.ss_family, SOCK_STREAM, 0);

  must (setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
  flow->protocol = "TCP";
  flow->remote = *remote;
  flow->opened = now ();
  must (connect (fd, (const struct sockaddr *) &remote->address, remote->size), "connect");
  learn_local (fd, flow);
  return fd;
}

void
exchange (int fd, const struct way *way, struct flow *flow, size_t up, size_t down)
{
  char header[8];

  fill_header (header, (uint32_t) up, (uint32_t) down);
  send_all (fd, header, sizeof header);
  if (up > sizeof header)
    way->send (fd, up - sizeof header);
  if (down > 0)
    way->receive (fd, down);
  flow->sent += up;
  flow->received += down;
}

void
exchange_datagrams (int fd, struct flow *flow, unsigned n, bool connected)
{
  char data[DATAGRAM_MAX] = { 0 };
  const struct sockaddr *to = connected ? NULL : (const void *) &flow->remote.address;

  fill_header (data, options.up, options.down);
  for (unsigned i = 0; i < n; i++)
    {
      must ((int) sendto (fd, data, options.up, 0, to, connected ? 0 : flow->remote.size), "send");
      if (options.down > 0 && recv (fd, data + 8, sizeof data - 8, 0) != (ssize_t) options.down)
        die ("answer");
    }
  flow->sent += (uint64_t) n * options.up;
  flow->received += (uint64_t) n * options.down;
  flow->packets_sent += n;
  flow->packets_received += options.down > 0 ? n : 0;
}
