/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the programs in the kernel cost per packet, as the kernel itself counts it
 * (bpf_stats_enabled), and what reading them costs at a tick.  In a network and a control group of
 * its own, so that nothing else is counted; nothing is asserted. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "source-bpf.h"
#include "weir-bpf-cgroups.h"
#include "weir-bpf-load.h"

#define GROUP_NAME "weir-bench"
#define PORT       9000
#define N_FLOWS    190000
#define N_SOCKETS  8
#define N_MOVING   1000
#define RUNS       9

static char bytes[65536];

static void
check (bool good, const char *what)
{
  if (good)
    return;
  fprintf (stderr, "%s: %s\n", what, strerror (errno));
  exit (1);
}

static double
get_ms (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

static void
isolate (void)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
  int fd;

  check (unshare (CLONE_NEWNET) == 0, "unshare");
  fd = socket (AF_INET, SOCK_DGRAM, 0);
  check (ioctl (fd, SIOCSIFFLAGS, &request) == 0, "lo");
  close (fd);
}

static void
move_to (int group)
{
  int fd = openat (group, "cgroup.procs", O_WRONLY);

  check (fd >= 0 && write (fd, "0", 1) == 1, "cgroup.procs");
  close (fd);
}

static struct sockaddr_in
make_address (uint16_t port)
{
  return (struct sockaddr_in) {
    .sin_family = AF_INET,
    .sin_port = htons (port),
    .sin_addr = { htonl (INADDR_LOOPBACK) },
  };
}

static int
make_socket (int type, uint16_t bind_to, uint16_t connect_to)
{
  const struct sockaddr_in local = make_address (bind_to), remote = make_address (connect_to);
  int fd = socket (AF_INET, type, 0), on = 1;

  check (fd >= 0, "socket");
  (void) setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind_to != 0)
    check (bind (fd, (const struct sockaddr *) &local, sizeof local) == 0, "bind");
  if (connect_to != 0)
    check (connect (fd, (const struct sockaddr *) &remote, sizeof remote) == 0, "connect");
  return fd;
}

/* ---- traffic ---- */

static void
run_udp (void)
{
  int receiver = make_socket (SOCK_DGRAM, PORT, 0), sender = make_socket (SOCK_DGRAM, 0, PORT);

  for (unsigned i = 0; i < 200000; i++)
    {
      check (send (sender, bytes, 100, 0) == 100, "send");
      (void) !recv (receiver, bytes, sizeof bytes, MSG_DONTWAIT);
    }
  close (receiver);
  close (sender);
}

static void
run_udp_peers (void)
{
  int receivers[500], sender = make_socket (SOCK_DGRAM, 0, 0);

  for (uint16_t i = 0; i < 500; i++)
    receivers[i] = make_socket (SOCK_DGRAM, (uint16_t) (PORT + i), 0);
  for (unsigned i = 0; i < 200000; i++)
    {
      const struct sockaddr_in to = make_address ((uint16_t) (PORT + i % 500));

      check (sendto (sender, bytes, 100, 0, (const struct sockaddr *) &to, sizeof to) == 100,
             "sendto");
      (void) !recv (receivers[i % 500], bytes, sizeof bytes, MSG_DONTWAIT);
    }
  for (uint16_t i = 0; i < 500; i++)
    close (receivers[i]);
  close (sender);
}

static void
make_pair (int *ret_client, int *ret_server)
{
  int listener = make_socket (SOCK_STREAM, PORT, 0), on = 1;

  check (listen (listener, 16) == 0, "listen");
  *ret_client = make_socket (SOCK_STREAM, 0, PORT);
  *ret_server = accept (listener, NULL, NULL);
  check (*ret_server >= 0, "accept");
  (void) setsockopt (*ret_client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  close (listener);
}

static void
run_tcp_small (void)
{
  int client, server;

  make_pair (&client, &server);
  for (unsigned i = 0; i < 100000; i++)
    {
      check (send (client, bytes, 100, 0) == 100, "send");
      check (recv (server, bytes, 100, MSG_WAITALL) == 100, "recv");
    }
  close (client);
  close (server);
}

static void
run_tcp_bulk (void)
{
  int client, server;

  make_pair (&client, &server);
  for (unsigned i = 0; i < 20000; i++)
    {
      check (send (client, bytes, sizeof bytes, 0) == sizeof bytes, "send");
      check (recv (server, bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes, "recv");
    }
  close (client);
  close (server);
}

static void
run_connections (void)
{
  int client, server;

  for (unsigned i = 0; i < 5000; i++)
    {
      make_pair (&client, &server);
      check (send (client, bytes, 100, 0) == 100, "send");
      close (client);
      close (server);
    }
}

/* ---- what the kernel counted ---- */

struct figure
{
  char name[16];
  uint64_t runs, ns;
};

static void
read_figures (const struct weir_bpf_opened *opened, struct figure figures[WEIR_BPF_LINKS_MAX])
{
  for (uint32_t i = 0; i < opened->n_links; i++)
    {
      struct bpf_link_info link = { 0 };
      struct bpf_prog_info info = { 0 };
      uint32_t link_size = sizeof link, info_size = sizeof info;
      int fd;

      check (bpf_obj_get_info_by_fd (opened->links[i], &link, &link_size) == 0, "link");
      fd = bpf_prog_get_fd_by_id (link.prog_id);
      check (fd >= 0 && bpf_obj_get_info_by_fd (fd, &info, &info_size) == 0, "program");
      close (fd);
      memcpy (figures[i].name, info.name, sizeof figures[i].name);
      figures[i].runs = info.run_cnt;
      figures[i].ns = info.run_time_ns;
    }
}

static void
ignore (const struct weir_bpf_reading *reading, enum weir_bpf_news news, void *data)
{
  ++*(unsigned *) data;
}

static void
read_all (struct weir_bpf_source *source)
{
  unsigned n = 0;

  while (weir_bpf_source_read_events (source, 1000, ignore, &n))
    continue;
  weir_bpf_source_read_changes (source, UINT_MAX, ignore, &n);
}

static void
measure_runs (struct weir_bpf_source *source)
{
  static const struct
  {
    const char *name;
    void (*run) (void);
  } kinds[] = {
    { "UDP, one peer", run_udp },
    { "UDP, 500 peers in turn", run_udp_peers },
    { "TCP, 100 bytes at a time", run_tcp_small },
    { "TCP, as much as goes", run_tcp_bulk },
    { "TCP connections", run_connections },
  };
  int statistics = bpf_enable_stats (BPF_STATS_RUN_TIME);

  check (statistics >= 0, "bpf_stats_enabled");
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    {
      struct figure before[WEIR_BPF_LINKS_MAX] = { 0 }, after[WEIR_BPF_LINKS_MAX] = { 0 };

      read_figures (&source->opened, before);
      kinds[i].run ();
      read_figures (&source->opened, after);
      read_all (source);
      printf ("%s\n", kinds[i].name);
      for (uint32_t j = 0; j < source->opened.n_links; j++)
        {
          const uint64_t runs = after[j].runs - before[j].runs;

          if (runs >= 1000)
            printf ("  %-16.15s %8lu runs %8.0f ns each\n", after[j].name, runs,
                    (double) (after[j].ns - before[j].ns) / (double) runs);
        }
    }
  close (statistics);
}

/* ---- reading ---- */

static int
compare (const void *a, const void *b)
{
  const double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

/* Sends to ports where nobody is; the answers are the kernel's. */
static void
send_to_all (const int senders[N_SOCKETS], unsigned from, unsigned n)
{
  for (unsigned i = from; i < from + n; i++)
    {
      struct sockaddr_in to = make_address ((uint16_t) (1 + i / N_SOCKETS));

      (void) !sendto (senders[i % N_SOCKETS], bytes, 10, 0, (const struct sockaddr *) &to,
                      sizeof to);
    }
}

static void
measure_reading (struct weir_bpf_source *source, unsigned n_moving)
{
  const struct timespec pause = { 0, 600 * 1000000 };
  int senders[N_SOCKETS];
  double times[RUNS];
  unsigned told = 0;

  for (unsigned i = 0; i < N_SOCKETS; i++)
    senders[i] = make_socket (SOCK_DGRAM, 0, 0);
  for (unsigned i = 0; i < N_FLOWS; i += 1000)
    {
      send_to_all (senders, i, 1000);
      read_all (source);
    }
  for (unsigned run = 0; run < RUNS; run++)
    {
      double begin;

      nanosleep (&pause, NULL);
      weir_bpf_source_read_changes (source, UINT_MAX, ignore, &told);
      send_to_all (senders, run * n_moving, n_moving);
      nanosleep (&pause, NULL);
      told = 0;
      begin = get_ms (CLOCK_PROCESS_CPUTIME_ID);
      weir_bpf_source_read_changes (source, UINT_MAX, ignore, &told);
      times[run] = get_ms (CLOCK_PROCESS_CPUTIME_ID) - begin;
    }
  qsort (times, RUNS, sizeof times[0], compare);
  printf ("%u flows, %u moved: %u told of in %.3f ms (median of %d)\n", N_FLOWS, n_moving, told,
          times[RUNS / 2], RUNS);
  for (unsigned i = 0; i < N_SOCKETS; i++)
    close (senders[i]);
}

static void
open_source (int group, uint32_t n_slots, struct weir_bpf_source *ret_source)
{
  const double begin = get_ms (CLOCK_MONOTONIC);
  struct weir_bpf_opened opened;

  weir_bpf_opened_init (&opened, WEIR_REASON_NONE, 0, "");
  if (weir_bpf_load (group, n_slots, WEIR_BPF_IDLE_NS, UINT64_MAX, &opened) < 0)
    {
      fprintf (stderr, "%s: %s\n", opened.said, strerror (opened.error));
      exit (1);
    }
  printf ("%u slots: loaded in %.0f ms\n", n_slots, get_ms (CLOCK_MONOTONIC) - begin);
  opened.state = WEIR_SOURCE_ACTIVE;
  check (weir_bpf_source_init (ret_source, &opened) == 0, "memory");
}

static void
run_in (int group)
{
  struct weir_bpf_source source;

  move_to (group);
  isolate ();
  open_source (group, WEIR_BPF_FLOWS_DEFAULT, &source);
  measure_runs (&source);
  weir_bpf_source_clear (&source);
  open_source (group, WEIR_BPF_FLOWS_MAX, &source);
  measure_reading (&source, N_MOVING);
  measure_reading (&source, 0);
  weir_bpf_source_clear (&source);
}

int
main (void)
{
  int status, top, group;
  bool whole;
  pid_t pid;

  top = weir_bpf_cgroups_open (&whole);
  check (top >= 0, "cgroup v2");
  (void) mkdirat (top, GROUP_NAME, 0700);
  group = openat (top, GROUP_NAME, O_RDONLY | O_DIRECTORY);
  check (group >= 0, GROUP_NAME);
  fflush (stdout);
  pid = fork ();
  check (pid >= 0, "fork");
  if (pid == 0)
    {
      run_in (group);
      exit (0);
    }
  check (waitpid (pid, &status, 0) == pid, "waitpid");
  check (unlinkat (top, GROUP_NAME, AT_REMOVEDIR) == 0, GROUP_NAME);
  return status != 0;
}
