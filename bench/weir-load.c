/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the benchmark of the engine needs from the kernel: something to measure, and the bare dumps
 * to compare with.
 *
 *   weir-load entries N [ADDRESS]     makes N entries in the connection tracking table of this
 *                                     network namespace, as if ADDRESS (IPv4) had opened them
 *   weir-load sockets PROCESSES PAIRS each of PROCESSES holds PAIRS of connected sockets, one in
 *                                     ten of them UDP; prints a line when all do, and ends with its
 *                                     standard input
 *   weir-load dump conntrack|sockets  receives one dump and throws it away; prints the CPU time in
 *                                     ns, the number of buffers and of bytes
 *
 * `dump sockets` is TCP and UDP of both families; what else the engine asks for is mostly empty. */
#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dump-requests.h"

/* Longer than any run. */
#define ENTRY_TIMEOUT_S 1800

#define BUFFER 65536

_Noreturn static void
die (const char *what)
{
  fprintf (stderr, "weir-load: %s: %s\n", what, strerror (errno));
  exit (1);
}

static unsigned
read_number (const char *text)
{
  char *end = NULL;
  unsigned long number = strtoul (text, &end, 10);

  if (*text == '\0' || *end != '\0' || number > 1000000)
    {
      errno = EINVAL;
      die (text);
    }
  return (unsigned) number;
}

/* ---- entries ---- */

/* Every eighth is IPv6, every fourth UDP; all of them answered and far from their end. */
static void
describe_entry (struct nf_conntrack *entry, unsigned number, uint32_t address)
{
  const bool v6 = number % 8 == 7, udp = number % 4 == 3;
  /* 198.18.0.0/15 and 2001:2::/48 are for benchmarks. */
  const uint32_t remote = htonl (0xc6120000u + number / 50000 + 1);
  const uint8_t local_v6[16] = { 0x20, 1, 0, 2, [15] = 1 };
  const uint8_t remote_v6[16] = { 0x20, 1, 0, 2, [14] = (uint8_t) (number / 50000), [15] = 2 };
  const uint16_t port = htons ((uint16_t) (1024 + number % 50000));

  nfct_set_attr_u8 (entry, ATTR_L3PROTO, v6 ? AF_INET6 : AF_INET);
  if (v6)
    {
      nfct_set_attr (entry, ATTR_IPV6_SRC, local_v6);
      nfct_set_attr (entry, ATTR_IPV6_DST, remote_v6);
    }
  else
    {
      nfct_set_attr_u32 (entry, ATTR_IPV4_SRC, address);
      nfct_set_attr_u32 (entry, ATTR_IPV4_DST, remote);
    }
  nfct_set_attr_u8 (entry, ATTR_L4PROTO, udp ? IPPROTO_UDP : IPPROTO_TCP);
  nfct_set_attr_u16 (entry, ATTR_PORT_SRC, port);
  nfct_set_attr_u16 (entry, ATTR_PORT_DST, htons (443));
  nfct_setobjopt (entry, NFCT_SOPT_SETUP_REPLY);
  if (!udp)
    nfct_set_attr_u8 (entry, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
  nfct_set_attr_u32 (entry, ATTR_TIMEOUT, ENTRY_TIMEOUT_S);
  nfct_set_attr_u32 (entry, ATTR_STATUS, IPS_SEEN_REPLY | IPS_ASSURED);
}

static void
make_entries (unsigned n, const char *address)
{
  struct nfct_handle *handle = nfct_open (CONNTRACK, 0);
  struct in_addr local;

  if (inet_pton (AF_INET, address, &local) != 1)
    die (address);
  if (handle == NULL)
    die ("conntrack");
  for (unsigned i = 0; i < n; i++)
    {
      struct nf_conntrack *entry = nfct_new ();

      if (entry == NULL)
        die ("entry");
      describe_entry (entry, i, local.s_addr);
      if (nfct_query (handle, NFCT_Q_CREATE, entry) < 0)
        die ("creating an entry");
      nfct_destroy (entry);
    }
  nfct_close (handle);
}

/* ---- sockets ---- */

static int
open_socket (int type)
{
  int fd = socket (AF_INET, type | SOCK_CLOEXEC, 0);

  if (fd < 0)
    die ("socket");
  return fd;
}

static void
bind_somewhere (int fd, struct sockaddr_in *ret_address)
{
  socklen_t size = sizeof *ret_address;

  *ret_address =
      (struct sockaddr_in) { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  if (bind (fd, (struct sockaddr *) ret_address, sizeof *ret_address) < 0 ||
      getsockname (fd, (struct sockaddr *) ret_address, &size) < 0)
    die ("bind");
}

/* The descriptors stay open until the process ends. */
static void
hold_pair (bool udp)
{
  int type = udp ? SOCK_DGRAM : SOCK_STREAM;
  int server = open_socket (type), client = open_socket (type);
  struct sockaddr_in here, there;

  bind_somewhere (server, &there);
  if (!udp && listen (server, 1) < 0)
    die ("listen");
  if (udp)
    bind_somewhere (client, &here);
  if (connect (client, (struct sockaddr *) &there, sizeof there) < 0)
    die ("connect");
  if (udp)
    {
      if (connect (server, (struct sockaddr *) &here, sizeof here) < 0)
        die ("connect");
    }
  else
    {
      if (accept4 (server, NULL, NULL, SOCK_CLOEXEC) < 0)
        die ("accept");
      close (server);
    }
  if (send (client, "weir", 4, 0) != 4)
    die ("send");
}

_Noreturn static void
hold_sockets (unsigned n_pairs, int ready, int leash)
{
  char byte = 0;

  for (unsigned i = 0; i < n_pairs; i++)
    hold_pair (i % 10 == 9);
  if (write (ready, &byte, 1) != 1)
    die ("ready");
  /* Nobody ever writes: this is the end of the one that holds the other end. */
  if (read (leash, &byte, 1) < 0)
    die ("leash");
  _exit (0);
}

static void
make_sockets (unsigned n_processes, unsigned n_pairs)
{
  int ready[2], leash[2];
  char byte;

  if (pipe (ready) < 0 || pipe (leash) < 0)
    die ("pipe");
  for (unsigned i = 0; i < n_processes; i++)
    {
      pid_t pid = fork ();

      if (pid < 0)
        die ("fork");
      if (pid > 0)
        continue;
      close (ready[0]);
      close (leash[1]);
      hold_sockets (n_pairs, ready[1], leash[0]);
    }
  close (ready[1]);
  for (unsigned i = 0; i < n_processes; i++)
    {
      if (read (ready[0], &byte, 1) != 1)
        die ("a process that holds sockets");
    }
  puts ("ready");
  fflush (stdout);
  while (read (STDIN_FILENO, &byte, 1) > 0)
    continue;
  close (leash[1]);
  while (wait (NULL) > 0)
    continue;
}

/* ---- bare dumps ---- */

struct dump
{
  int fd;
  uint64_t n_buffers, n_bytes;
};

static void
send_request (const struct dump *dump, const void *request, size_t size)
{
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

  if (sendto (dump->fd, request, size, 0, (const struct sockaddr *) &kernel, sizeof kernel) < 0)
    die ("request");
}

static bool
ends_here (const uint8_t *at)
{
  struct nlmsghdr header;

  memcpy (&header, at, sizeof header);
  return header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR;
}

/* The end is a message of its own; where it shares a buffer, it is the last 20 bytes. */
static void
receive_all (struct dump *dump)
{
  static _Alignas (struct nlmsghdr) uint8_t buffer[BUFFER];
  ssize_t n;

  do
    {
      n = recv (dump->fd, buffer, sizeof buffer, 0);
      if (n < (ssize_t) (NLMSG_HDRLEN + sizeof (int)))
        die ("dump");
      dump->n_buffers++;
      dump->n_bytes += (uint64_t) n;
    }
  while (!ends_here (buffer) && !ends_here (buffer + n - NLMSG_HDRLEN - sizeof (int)));
}

static void
dump_conntrack (struct dump *dump)
{
  const struct conntrack_request request = make_conntrack_request ();

  send_request (dump, &request, sizeof request);
  receive_all (dump);
}

static void
dump_sockets (struct dump *dump)
{
  static const struct
  {
    uint8_t family, protocol;
  } steps[] = {
    { AF_INET, IPPROTO_TCP },
    { AF_INET6, IPPROTO_TCP },
    { AF_INET, IPPROTO_UDP },
    { AF_INET6, IPPROTO_UDP },
  };

  for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++)
    {
      const struct socket_request request =
          make_socket_request (steps[i].family, steps[i].protocol);

      send_request (dump, &request, sizeof request);
      receive_all (dump);
    }
}

static uint64_t
cpu_time (void)
{
  struct timespec now;

  if (clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now) < 0)
    die ("clock");
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static void
print_dump (const char *what)
{
  const bool conntrack = strcmp (what, "conntrack") == 0;
  struct dump dump = { 0 };
  uint64_t began;

  dump.fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
                    conntrack ? NETLINK_NETFILTER : NETLINK_SOCK_DIAG);
  if (dump.fd < 0)
    die ("netlink");
  began = cpu_time ();
  if (conntrack)
    dump_conntrack (&dump);
  else
    dump_sockets (&dump);
  printf ("%llu %llu %llu\n", (unsigned long long) (cpu_time () - began),
          (unsigned long long) dump.n_buffers, (unsigned long long) dump.n_bytes);
}

int
main (int argc, char **argv)
{
  if (argc >= 3 && argc <= 4 && strcmp (argv[1], "entries") == 0)
    make_entries (read_number (argv[2]), argc == 4 ? argv[3] : "127.0.0.1");
  else if (argc == 4 && strcmp (argv[1], "sockets") == 0)
    make_sockets (read_number (argv[2]), read_number (argv[3]));
  else if (argc == 3 && strcmp (argv[1], "dump") == 0)
    print_dump (argv[2]);
  else
    {
      fputs ("usage: weir-load entries N [ADDRESS]\n"
             "       weir-load sockets PROCESSES PAIRS\n"
             "       weir-load dump conntrack|sockets\n",
             stderr);
      return 1;
    }
  return 0;
}
