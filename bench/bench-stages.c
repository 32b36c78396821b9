/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the meter's time goes: one dump of this network namespace's connections and one of its
 * sockets are kept, and go through the meter's own functions again and again, without any process
 * or socket in between.  Medians of CPU time in the steady state, where nothing is new. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dump-requests.h"
#include "weir-conntrack-parse.h"
#include "weir-join.h"
#include "weir-netlink.h"
#include "weir-publisher.h"

#define RUNS 9
#define S    UINT64_C (1000000000)

/* A dump as it was received; every message begins where messages may begin. */
struct capture
{
  uint8_t *data;
  size_t size, capacity;
};

enum stage
{
  PARSE_ENTRIES,
  JOIN_ENTRIES,
  PARSE_SOCKETS,
  JOIN_SOCKETS,
  OWNERS,
  SETTLE,
  PUBLISH,
  N_STAGES,
};

static const char *const stage_names[N_STAGES] = {
  "read the entries of conntrack", "join them",        "read the sockets", "join them",
  "owners: sweep and ask",         "settle the flows", "publish",
};

struct bench
{
  struct capture entries, sockets;
  struct weir_conntrack_reading *entry_readings;
  struct weir_socket_reading *socket_readings;
  size_t n_entries, n_sockets;
  struct weir_join join;
  struct weir_publisher publisher;
  uint64_t now;
  double milliseconds[N_STAGES][RUNS];
};

_Noreturn static void
die (const char *what)
{
  fprintf (stderr, "bench-stages: %s: %s\n", what, strerror (errno));
  exit (1);
}

static double
now_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

static void *
need_memory (void *memory, size_t n, size_t size)
{
  memory = reallocarray (memory, n > 0 ? n : 1, size);
  if (memory == NULL)
    die ("memory");
  return memory;
}

/* ---- capturing ---- */

/* Receives one dump; true when it is whole. */
static bool
receive (int fd, struct capture *capture)
{
  for (;;)
    {
      const uint8_t *at, *end;
      const struct nlmsghdr *message;
      ssize_t n;

      if (capture->capacity - capture->size < WEIR_NETLINK_BUFFER)
        {
          capture->capacity = capture->capacity * 2 + WEIR_NETLINK_BUFFER;
          capture->data = need_memory (capture->data, capture->capacity, 1);
        }
      n = recv (fd, capture->data + capture->size, WEIR_NETLINK_BUFFER, 0);
      if (n <= 0)
        return false;
      at = capture->data + capture->size;
      end = at + n;
      capture->size += NLMSG_ALIGN ((size_t) n);
      while ((message = weir_netlink_next (&at, end)) != NULL)
        {
          if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
            return weir_netlink_error (message) == 0;
        }
    }
}

static bool
capture (int protocol, const void *request, size_t size, struct capture *ret)
{
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  bool good;

  if (fd < 0)
    return false;
  good = send (fd, request, size, 0) == (ssize_t) size && receive (fd, ret);
  close (fd);
  return good;
}

static void
capture_entries (struct bench *bench)
{
  const struct conntrack_request request = make_conntrack_request ();

  if (!capture (NETLINK_NETFILTER, &request, sizeof request, &bench->entries))
    die ("conntrack");
}

/* TCP is enough: what UDP costs is the same. */
static void
capture_sockets (struct bench *bench)
{
  const struct socket_request request = make_socket_request (AF_INET, IPPROTO_TCP);

  if (!capture (NETLINK_SOCK_DIAG, &request, sizeof request, &bench->sockets))
    die ("sock_diag");
}

static void
learn_addresses (struct weir_addresses *addresses)
{
  struct ifaddrs *all;

  if (getifaddrs (&all) < 0)
    die ("addresses");
  weir_addresses_begin (addresses);
  for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next)
    {
      uint8_t address[16];

      if (at->ifa_addr == NULL)
        continue;
      if (at->ifa_addr->sa_family == AF_INET)
        weir_address_map_v4 (&((const struct sockaddr_in *) (const void *) at->ifa_addr)->sin_addr,
                             address);
      else if (at->ifa_addr->sa_family == AF_INET6)
        memcpy (address, &((const struct sockaddr_in6 *) (const void *) at->ifa_addr)->sin6_addr,
                16);
      else
        continue;
      weir_addresses_add (addresses, address);
    }
  weir_addresses_complete (addresses);
  freeifaddrs (all);
}

/* ---- stages ---- */

static void
parse_entries (struct bench *bench)
{
  const uint8_t *at = bench->entries.data;
  const struct nlmsghdr *message;

  bench->n_entries = 0;
  while ((message = weir_netlink_next (&at, bench->entries.data + bench->entries.size)) != NULL)
    {
      if (weir_conntrack_parse (message, &bench->entry_readings[bench->n_entries]) == 0)
        bench->n_entries++;
    }
}

static void
parse_sockets (struct bench *bench)
{
  const uint8_t *at = bench->sockets.data;
  const struct nlmsghdr *message;

  bench->n_sockets = 0;
  while ((message = weir_netlink_next (&at, bench->sockets.data + bench->sockets.size)) != NULL)
    {
      struct weir_socket_reading *reading = &bench->socket_readings[bench->n_sockets];

      reading->protocol = IPPROTO_TCP;
      if (weir_sockdiag_parse (message, WEIR_SOCKDIAG_SOCKET, reading) == 0)
        bench->n_sockets++;
    }
}

static void
join_entries (struct bench *bench)
{
  weir_join_conntrack_begin (&bench->join);
  for (size_t i = 0; i < bench->n_entries; i++)
    weir_join_conntrack (&bench->join, &bench->entry_readings[i], WEIR_CONNTRACK_ENTRY, bench->now);
  weir_join_conntrack_end (&bench->join, true);
}

static void
join_sockets (struct bench *bench)
{
  weir_join_sockets_begin (&bench->join, &bench->join.own);
  for (size_t i = 0; i < bench->n_sockets; i++)
    weir_join_socket (&bench->join, &bench->join.own, &bench->socket_readings[i],
                      WEIR_SOCKDIAG_SOCKET, bench->now);
  weir_join_sockets_complete (&bench->join, &bench->join.own);
}

/* All sockets are this process's. */
static void
answer_owners (struct bench *bench, const uint64_t *inodes, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    {
      struct weir_looker_answer answer = {
        .verb = WEIR_LOOKER_OWNERS,
        .value = inodes[i],
        .pid = (uint32_t) getpid (),
        .start_time = 1,
        .comm = "bench",
        .cgroup = "/bench.scope",
      };

      weir_owners_answer (&bench->join.owners, &answer, bench->now);
    }
  weir_owners_answered (&bench->join.owners, 0, bench->now);
}

static void
settle_owners (struct bench *bench)
{
  struct weir_looker_request request = { 0 };
  uint32_t n;

  while ((n = weir_owners_collect (&bench->join.owners, bench->now, &request)) > 0)
    answer_owners (bench, request.values, n);
}

/* What a tick asks when nobody is new. */
static void
look_for_owners (struct bench *bench)
{
  struct weir_looker_request request = { 0 };

  weir_owners_sweep (&bench->join.owners, 0, bench->join.socket_round - 1);
  (void) weir_owners_collect (&bench->join.owners, 1, &request);
  (void) weir_owners_waits (&bench->join.owners);
}

static void
settle (struct bench *bench)
{
  weir_join_settle (&bench->join, bench->now);
}

static void
publish (struct bench *bench)
{
  struct weir_writer writer;
  struct weir_tick tick;

  weir_writer_init (&writer);
  bench->publisher.read_at[WEIR_SOURCE_CONNTRACK] = bench->now;
  bench->publisher.read_at[WEIR_SOURCE_SOCKDIAG] = bench->now;
  if (weir_publisher_publish (&bench->publisher, &bench->join, bench->now, &writer, &tick) < 0)
    die ("publish");
  weir_writer_clear (&writer);
}

static void
run_stage (struct bench *bench, enum stage stage, unsigned run, void (*func) (struct bench *bench))
{
  double began = now_ms ();

  func (bench);
  bench->milliseconds[stage][run] = now_ms () - began;
}

static void
measure (struct bench *bench)
{
  for (unsigned run = 0; run < RUNS; run++)
    {
      bench->now += S;
      run_stage (bench, PARSE_ENTRIES, run, parse_entries);
      run_stage (bench, JOIN_ENTRIES, run, join_entries);
      run_stage (bench, PARSE_SOCKETS, run, parse_sockets);
      run_stage (bench, JOIN_SOCKETS, run, join_sockets);
      run_stage (bench, OWNERS, run, look_for_owners);
      run_stage (bench, SETTLE, run, settle);
      run_stage (bench, PUBLISH, run, publish);
    }
}

static int
compare_doubles (const void *a, const void *b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return (left > right) - (left < right);
}

static size_t
count_messages (const struct capture *capture)
{
  const uint8_t *at = capture->data;
  size_t n = 0;

  while (weir_netlink_next (&at, capture->data + capture->size) != NULL)
    n++;
  return n;
}

int
main (void)
{
  static struct bench bench = { .now = 1000 * S };

  if (weir_join_init (&bench.join, 1, true, WEIR_FLOWS_MAX) < 0)
    die ("join");
  weir_publisher_init (&bench.publisher, WEIR_ROWS_DEFAULT);
  learn_addresses (&bench.join.own.addresses);
  capture_entries (&bench);
  capture_sockets (&bench);
  bench.entry_readings =
      need_memory (NULL, count_messages (&bench.entries), sizeof *bench.entry_readings);
  bench.socket_readings =
      need_memory (NULL, count_messages (&bench.sockets), sizeof *bench.socket_readings);

  /* The first round is no steady state. */
  measure (&bench);
  settle_owners (&bench);
  measure (&bench);
  printf ("%zu entries, %zu TCP sockets, %u flows\n", bench.n_entries, bench.n_sockets,
          bench.join.table.n_flows);
  for (unsigned stage = 0; stage < N_STAGES; stage++)
    {
      qsort (bench.milliseconds[stage], RUNS, sizeof (double), compare_doubles);
      printf ("  %-30s %8.2f ms\n", stage_names[stage], bench.milliseconds[stage][RUNS / 2]);
    }
  return 0;
}
