/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The programs on this kernel, and a network namespace whose flows are looked at. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
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

struct stage
{
  struct weir_bpf_source source;
  uint64_t netns;   /* the cookie of our own */
  GArray *readings; /* struct weir_bpf_reading: the last one of each flow there */
  unsigned born, closed, ended;
  uint64_t since; /* flows that were born before do not count */
};

static inline uint64_t
stage_get_netns (void)
{
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  socklen_t size = sizeof (uint64_t);
  uint64_t cookie = 0;

  g_assert_cmpint (getsockopt (fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size), ==, 0);
  close (fd);
  return cookie;
}

/* A network of one's own, with a loopback. */
static inline void
stage_isolate (void)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
  int fd;

  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (ioctl (fd, SIOCSIFFLAGS, &request), ==, 0);
  close (fd);
}

static inline void
stage_init (struct stage *stage, const struct weir_bpf_opened *opened)
{
  *stage = (struct stage) { .netns = stage_get_netns () };
  stage->readings = g_array_new (FALSE, TRUE, sizeof (struct weir_bpf_reading));
  g_assert_cmpint (weir_bpf_source_init (&stage->source, opened), ==, 0);
}

static inline void
stage_open (struct stage *stage, uint32_t n_slots)
{
  struct weir_config config = { .bpf_flows_max = n_slots };
  struct weir_bpf_opened opened;

  weir_bpf_open (&config, WEIR_VIEW_FULL, UINT64_MAX, &opened);
  if (opened.state == WEIR_SOURCE_UNAVAILABLE)
    g_error ("%s: %s", opened.said, g_strerror (opened.error));
  stage_init (stage, &opened);
}

/* ---- a control group of one's own, so that nobody else's packets are seen ---- */

static inline void
stage_write_at (int folder, const char *name, const char *text)
{
  int fd = openat (folder, name, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, strlen (text));
  close (fd);
}

/* Sockets that are made from now on are in it; so are children. */
static inline int
stage_enter_group (char ret_name[64])
{
  bool whole;
  int top = weir_bpf_cgroups_open (&whole), fd;

  g_assert_cmpint (top, >=, 0);
  snprintf (ret_name, 64, "weir-test-%lu", (unsigned long) stage_get_netns ());
  (void) mkdirat (top, ret_name, 0700);
  fd = openat (top, ret_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  stage_write_at (fd, "cgroup.procs", "0");
  close (top);
  return fd;
}

static inline void
stage_leave_group (int group, const char *name)
{
  bool whole;
  int top = weir_bpf_cgroups_open (&whole);

  stage_write_at (top, "cgroup.procs", "0");
  g_assert_cmpint (unlinkat (top, name, AT_REMOVEDIR), ==, 0);
  close (top);
  close (group);
}

/* Like stage_open(), and nobody else's packets come in. */
static inline void
stage_open_in (struct stage *stage, int group, uint32_t n_slots, uint64_t idle_ns)
{
  struct weir_bpf_opened opened;

  weir_bpf_opened_init (&opened, WEIR_REASON_NONE, 0, "");
  if (weir_bpf_load (group, n_slots, idle_ns, UINT64_MAX, &opened) < 0)
    g_error ("%s: %s", opened.said, g_strerror (opened.error));
  opened.state = WEIR_SOURCE_ACTIVE;
  stage_init (stage, &opened);
}

static inline void
stage_close (struct stage *stage)
{
  weir_bpf_source_clear (&stage->source);
  g_array_unref (stage->readings);
}

static inline struct weir_bpf_reading *
stage_nth (struct stage *stage, guint n)
{
  return &g_array_index (stage->readings, struct weir_bpf_reading, n);
}

static inline void
stage_take (const struct weir_bpf_reading *reading, enum weir_bpf_news news, void *data)
{
  struct stage *stage = data;

  stage->ended += news == WEIR_BPF_NEWS_ENDED;
  if (news == WEIR_BPF_NEWS_ENDED || reading->netns_cookie != stage->netns ||
      reading->born < stage->since)
    return;
  stage->born += news == WEIR_BPF_NEWS_BORN;
  stage->closed += news == WEIR_BPF_NEWS_CLOSED;
  for (guint i = 0; i < stage->readings->len; i++)
    if (stage_nth (stage, i)->slot == reading->slot &&
        stage_nth (stage, i)->generation == reading->generation)
      {
        *stage_nth (stage, i) = *reading;
        return;
      }
  g_array_append_val (stage->readings, *reading);
}

/* All that there is to know by now. */
static inline void
stage_read (struct stage *stage)
{
  while (weir_bpf_source_read_events (&stage->source, 1000, stage_take, stage))
    continue;
  weir_bpf_source_read_changes (&stage->source, UINT_MAX, stage_take, stage);
}

/* From here on. */
static inline void
stage_begin (struct stage *stage)
{
  struct timespec now;

  stage_read (stage);
  g_array_set_size (stage->readings, 0);
  stage->born = stage->closed = stage->ended = 0;
  clock_gettime (CLOCK_BOOTTIME, &now);
  stage->since = (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

/* The only flow of @protocol with these ports; 0 is any. */
static inline struct weir_bpf_reading *
stage_find (struct stage *stage, uint8_t protocol, uint16_t local, uint16_t remote)
{
  struct weir_bpf_reading *found = NULL;

  for (guint i = 0; i < stage->readings->len; i++)
    {
      struct weir_bpf_reading *reading = stage_nth (stage, i);

      if (reading->protocol != protocol || (local != 0 && reading->local.port != local) ||
          (remote != 0 && reading->remote.port != remote))
        continue;
      g_assert_null (found);
      found = reading;
    }
  g_assert_nonnull (found);
  return found;
}

/* What the loopback counts: the bytes of every packet once, from the network header on. */
static inline uint64_t
stage_get_loopback (uint64_t *ret_packets)
{
  FILE *file = fopen ("/proc/thread-self/net/dev", "re");
  uint64_t bytes = 0, packets = 0;
  char line[512];

  g_assert_nonnull (file);
  while (fgets (line, sizeof line, file) != NULL)
    if (sscanf (line, " lo: %lu %lu", &bytes, &packets) == 2)
      break;
  fclose (file);
  if (ret_packets != NULL)
    *ret_packets = packets;
  return bytes;
}

/* ---- processes ---- */

/* Whether a process is this one. */
static inline bool
stage_is_me (const struct weir_bpf_process *process)
{
  char comm[WEIR_BPF_COMM_SIZE] = "";
  FILE *file = fopen ("/proc/self/comm", "re");

  g_assert_nonnull (fgets (comm, sizeof comm, file));
  fclose (file);
  comm[strcspn (comm, "\n")] = '\0';
  return process->uid == getuid () && process->cgroup_id != 0 && strcmp (process->comm, comm) == 0;
}

static inline void
stage_await (pid_t pid)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

/* ---- sockets ---- */

static inline int
stage_socket (int family, int type, int protocol)
{
  int fd = socket (family, type | SOCK_CLOEXEC, protocol);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static inline uint16_t
stage_get_port (int fd)
{
  struct sockaddr_in6 address; /* the port is at the same place in both */
  socklen_t size = sizeof address;

  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &size), ==, 0);
  return ntohs (address.sin6_port);
}

static inline struct sockaddr_storage
stage_address (const char *text, uint16_t port, socklen_t *ret_size)
{
  struct sockaddr_storage address = { 0 };
  struct sockaddr_in *v4 = (struct sockaddr_in *) &address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) &address;

  if (inet_pton (AF_INET, text, &v4->sin_addr) == 1)
    {
      v4->sin_family = AF_INET;
      v4->sin_port = htons (port);
      *ret_size = sizeof *v4;
    }
  else
    {
      g_assert_cmpint (inet_pton (AF_INET6, text, &v6->sin6_addr), ==, 1);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons (port);
      *ret_size = sizeof *v6;
    }
  return address;
}

static inline void
stage_bind (int fd, const char *text, uint16_t port)
{
  socklen_t size;
  struct sockaddr_storage address = stage_address (text, port, &size);

  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, size), ==, 0);
}

static inline void
stage_connect (int fd, const char *text, uint16_t port)
{
  socklen_t size;
  struct sockaddr_storage address = stage_address (text, port, &size);

  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, size), ==, 0);
}

static inline void
stage_send_to (int fd, const void *data, size_t n, const char *text, uint16_t port)
{
  socklen_t size;
  struct sockaddr_storage address = stage_address (text, port, &size);

  g_assert_cmpint (sendto (fd, data, n, 0, (struct sockaddr *) &address, size), ==, n);
}

static inline void
stage_send (int fd, const void *data, size_t n)
{
  for (const char *at = data; n > 0;)
    {
      ssize_t sent = send (fd, at, n, MSG_NOSIGNAL);

      g_assert_cmpint (sent, >, 0);
      at += sent;
      n -= (size_t) sent;
    }
}

static inline void
stage_receive (int fd, size_t n)
{
  static char buffer[65536];

  while (n > 0)
    {
      ssize_t got = recv (fd, buffer, MIN (n, sizeof buffer), 0);

      g_assert_cmpint (got, >, 0);
      n -= (size_t) got;
    }
}

/* So that both are sockets to the end: what TIME_WAIT gets and sends passes none. */
static inline void
stage_part_ways (int client, int server)
{
  char byte;

  g_assert_cmpint (shutdown (client, SHUT_WR), ==, 0);
  g_assert_cmpint (recv (server, &byte, 1, 0), ==, 0);
  close (server);
  g_assert_cmpint (recv (client, &byte, 1, 0), ==, 0);
  close (client);
}
