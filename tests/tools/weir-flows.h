/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kinds of traffic of weir-flows share. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Exit code of a kind that this kernel does not allow. */
#define EXIT_NOT_HERE 77

/* Longest datagram that is sent or answered. */
#define DATAGRAM_MAX 1400

struct options
{
  const char *far;    /* network namespace of the other end */
  const char *here;   /* IPv4 address of this end */
  const char *there;  /* of the other end */
  const char *there6; /* likewise */
  const char *peers;  /* first of many addresses of the other end, IPv4 */
  const char *device; /* of this end, towards the other */
  const char *mac;    /* of the other end, as aa:bb:cc:dd:ee:ff */
  const char *cgroup; /* folder of a control group that may be used; empty: none */
  unsigned port;      /* where the other end listens */
  unsigned count;     /* processes, or connections; what it counts depends on the kind */
  unsigned each;      /* connections of each process */
  unsigned seconds;   /* over which they begin */
  unsigned life_ms;   /* from the start of a process (or connection) to its end */
  unsigned up, down;  /* payload of a connection, or of a datagram */
};

/* A process as the engine is to name it: as seen from /proc. */
struct process
{
  int pid;
  unsigned long long start_time;
};

struct endpoint
{
  struct sockaddr_storage address;
  socklen_t size;
};

/* One end of a flow: what is printed of it.  Payload is what follows the header of the transport
 * protocol, or of IP where there is none. */
struct flow
{
  const char *protocol;
  struct endpoint local, remote;
  uint64_t sent, received;
  uint64_t packets_sent, packets_received; /* none: a stream */
  double opened;                           /* CLOCK_BOOTTIME just before the first packet */
  struct process opener;                   /* pid 0: the same as the user, who prints */
};

/* The two ways of a stream; both end the process when they fail. */
struct way
{
  void (*send) (int fd, size_t n);
  void (*receive) (int fd, size_t n);
};

extern struct options options;
extern const struct way plain_way, sendfile_way, splice_way;

/* ---- weir-flows-common.c ---- */

_Noreturn void
die (const char *what);
_Noreturn void
not_here (const char *why);
/* @result unless it is negative. */
int
must (int result, const char *what);

double
now (void);
void
sleep_until (double moment);
struct process
myself (void);
/* Prints one line of @flow, whose user is the calling process. */
void
tell (const struct flow *flow);

struct endpoint
make_endpoint (const char *address, unsigned port);
/* The @number-th of the many addresses of the other end. */
struct endpoint
peer_endpoint (unsigned number, unsigned port);
void
learn_local (int fd, struct flow *flow);
void
enter_far (void);

/* A child that is called @name, does this, and ends with the calling process. */
pid_t
spawn (const char *name, void (*work) (unsigned number), unsigned number);
/* Waits for all that spawn() made; ends with the worst of what they ended with, unless all is well.
 */
void
wait_for_children (void);
/* So many children, evenly in so many seconds; all of them have ended when it returns. */
void
spawn_over (const char *name, void (*work) (unsigned number), unsigned n, unsigned seconds);
/* Lets the sockets be for the rest of what a process is to live. */
void
live_on (double began);

void
send_all (int fd, const void *data, size_t n);
/* A socket that does not wait for ever. */
int
open_socket (int family, int type, int protocol);
/* A TCP connection to @remote, from before its first packet. */
int
open_stream (const struct endpoint *remote, struct flow *flow);
/* Tells the server what is to go either way, and sends and receives it.  @up is at least eight. */
void
exchange (int fd, const struct way *way, struct flow *flow, size_t up, size_t down);
/* Sends and receives @n datagrams over @fd, one at a time. */
void
exchange_datagrams (int fd, struct flow *flow, unsigned n, bool connected);
/* The beginning of each stream and each datagram: what comes, and what is to be answered. */
void
fill_header (void *data, uint32_t up, uint32_t down);

/* ---- weir-flows-server.c ---- */

struct server
{
  pid_t pid;
  int leash;
};

/* Serves streams and datagrams at options.port of every address, and packets of @protocol (0:
 * none); in the far namespace, or here.  @telling prints its ends, too. */
struct server
start_server (bool far, bool telling, int protocol);
/* Serves the connections of @listener until @leash ends. */
void
serve (int listener, int datagrams, int packets, int leash, bool telling,
       const struct process *opener);
int
make_listener (void);
void
end_server (struct server server);
/* spawn_over(), with a server in the far namespace meanwhile that does not tell. */
void
spawn_served (const char *name, void (*work) (unsigned number), unsigned n, unsigned seconds,
              int protocol);

/* ---- weir-flows-uring.c ---- */

extern const struct way uring_way;

/* ---- kinds ---- */

void
make_live (void);
void
make_churn (void);
void
make_bursts (void);
void
make_small (void);
void
make_sendfile (void);
void
make_splice (void);
void
make_uring (void);
void
make_mmsg (void);
void
make_udp (void);
void
make_peers (void);
void
make_ipv6 (void);
void
make_dual (void);
void
make_loopback (void);
void
make_raw (void);
void
make_icmp (void);
void
make_packet (void);
void
make_drip (void);
void
make_passed (void);
void
make_inherited (void);
void
make_container (void);
void
make_moving (void);
void
make_bulk (void);
