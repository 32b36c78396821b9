/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <glib.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "weir-keeper.h"
#include "weir-meter.h"

/* A meter in a thread of its own, and a front end that reads from it. */
struct fixture
{
  struct weir_meter_setup setup;
  struct weir_framer framer;
  GThread *meter;
  int front;
  int keeper;
};

static gpointer
run (gpointer data)
{
  return GINT_TO_POINTER (weir_meter_run (data));
}

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  fixture->setup = (struct weir_meter_setup) {
    .fds = { pair[0],
             -1,
             EPERM,
             -1,
             EPERM,
             -1,
             EPERM,
             -1,
             EPERM,
             -1,
             EPERM,
             -1,
             EPERM,
             -1,
             -1,
             -1,
             { -1, -1, -1, -1 },
             -1,
             EPERM,
             -1 },
    .netns = 1,
    .n_processes = 1,
  };
  memset (fixture->setup.nonce, 7, sizeof fixture->setup.nonce);
  fixture->front = pair[1];
  fixture->setup.fds.forwarding = -1;
  fixture->keeper = -1;
  weir_framer_init (&fixture->framer, WEIR_FRAME_BODY_MAX);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  int *fds[] = {
    &fixture->setup.fds.client, &fixture->setup.fds.route, &fixture->setup.fds.conntrack_dump,
    &fixture->setup.fds.keeper, &fixture->front,           &fixture->keeper
  };

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      if (*fds[i] >= 0)
        close (*fds[i]);
    }
  weir_framer_clear (&fixture->framer);
}

/* The next frame; its type is 0 at the end. */
static struct weir_frame
next (struct fixture *fixture)
{
  struct weir_frame frame = { 0 };
  gsize size;
  gssize n;

  while (weir_framer_next (&fixture->framer, &frame) == 0)
    {
      guint8 *room = weir_framer_reserve (&fixture->framer, &size);

      n = recv (fixture->front, room, size, 0);
      g_assert_cmpint (n, >=, 0);
      if (n == 0)
        return (struct weir_frame) { 0 };
      weir_framer_commit (&fixture->framer, (gsize) n);
    }
  return frame;
}

static void
start (struct fixture *fixture)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_write_start (&writer, &(struct weir_wish) { .interval_ms = 250 });
  g_assert_cmpint (send (fixture->front, writer.data, writer.size, 0), ==, (gssize) writer.size);
  weir_writer_clear (&writer);
}

static void
test_introduction (struct fixture *fixture, gconstpointer data)
{
  struct weir_source_status sources[WEIR_N_SOURCES];
  const guint8 nothing[WEIR_NONCE_SIZE] = { 0 };
  struct weir_hello hello;
  struct weir_frame frame;
  gsize n;

  fixture->setup.fds.route = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  fixture->setup.view = WEIR_VIEW_LIMITED;
  fixture->meter = g_thread_new ("meter", run, &fixture->setup);
  frame = next (fixture);
  g_assert_cmpint (weir_read_hello (&frame, &hello), ==, 0);
  g_assert_cmpuint (hello.version, ==, WEIR_PROTOCOL_VERSION);
  g_assert_cmpuint (hello.nonce[0], ==, 7);
  g_assert_cmpuint (frame.size, <=, WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  frame = next (fixture);
  g_assert_cmpuint (frame.type, ==, WEIR_MESSAGE_CONFINEMENT);
  frame = next (fixture);
  g_assert_cmpint (weir_read_sources (&frame, sources, WEIR_N_SOURCES, &n), ==, 0);
  g_assert_cmpuint (n, ==, WEIR_N_SOURCES);
  g_assert_cmpuint (sources[WEIR_SOURCE_CONNTRACK].reason, ==, WEIR_REASON_NEEDS_FULL_VIEW);
  g_assert_cmpuint (sources[WEIR_SOURCE_CONNTRACK].error, ==, EPERM);
  g_assert_cmpuint (sources[WEIR_SOURCE_INTERFACES].state, ==, WEIR_SOURCE_ACTIVE);
  /* Nothing more before START. */
  g_assert_cmpint (recv (fixture->front, &n, 1, MSG_DONTWAIT), ==, -1);
  start (fixture);
  do
    frame = next (fixture);
  while (frame.type == WEIR_MESSAGE_INTERFACES || frame.type == WEIR_MESSAGE_NAMESPACES);
  g_assert_cmpuint (frame.type, ==, WEIR_MESSAGE_TICK);
  g_assert_cmpmem (fixture->setup.nonce, WEIR_NONCE_SIZE, nothing, WEIR_NONCE_SIZE);
  shutdown (fixture->front, SHUT_RDWR);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (fixture->meter)), ==, WEIR_EXIT_DONE);
}

static void
test_no_source (struct fixture *fixture, gconstpointer data)
{
  enum weir_bye_reason reason;
  struct weir_error error;
  struct weir_frame frame;

  fixture->meter = g_thread_new ("meter", run, &fixture->setup);
  do
    frame = next (fixture);
  while (frame.type == WEIR_MESSAGE_HELLO || frame.type == WEIR_MESSAGE_CONFINEMENT ||
         frame.type == WEIR_MESSAGE_SOURCES);
  g_assert_cmpint (weir_read_error (&frame, &error), ==, 0);
  g_assert_cmpuint (error.code, ==, WEIR_ERROR_SOURCES);
  frame = next (fixture);
  g_assert_cmpint (weir_read_bye (&frame, &reason), ==, 0);
  g_assert_cmpint (reason, ==, WEIR_BYE_ERROR);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (fixture->meter)), ==, WEIR_EXIT_SOURCES);
}

/* The keeper says yes and nothing ever comes: ticks come all the same. */
static void
test_silent_dump (struct fixture *fixture, gconstpointer data)
{
  const guint8 answer[WEIR_KEEPER_ANSWER_SIZE] = { WEIR_KEEPER_DONE };
  guint8 verb;
  guint ticks = 0;
  gint64 began;
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
  fixture->setup.fds.keeper = pair[0];
  fixture->keeper = pair[1];
  fixture->setup.fds.conntrack_dump =
      socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_USERSOCK);
  fixture->setup.view = WEIR_VIEW_FULL;
  fixture->meter = g_thread_new ("meter", run, &fixture->setup);
  start (fixture);
  began = g_get_monotonic_time ();
  g_assert_cmpint (recv (fixture->keeper, &verb, 1, 0), ==, 1);
  g_assert_cmpuint (verb, ==, WEIR_KEEPER_DUMP);
  g_assert_cmpint (send (fixture->keeper, answer, sizeof answer, 0), ==, sizeof answer);
  while (ticks < 3)
    ticks += next (fixture).type == WEIR_MESSAGE_TICK;
  g_assert_cmpint (g_get_monotonic_time () - began, <, 4 * G_USEC_PER_SEC);
  /* One dump at a time. */
  g_assert_cmpint (recv (fixture->keeper, &verb, 1, MSG_DONTWAIT), ==, -1);
  shutdown (fixture->front, SHUT_RDWR);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (fixture->meter)), ==, WEIR_EXIT_DONE);
}

/* Makes the kernel announce loopback's size @n times. */
static void
make_events (guint n)
{
  struct ifreq request = { .ifr_name = "lo" };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  for (guint i = 0; i < n; i++)
    {
      request.ifr_mtu = 2000 + (int) i;
      g_assert_cmpint (ioctl (fd, SIOCSIFMTU, &request), ==, 0);
    }
  close (fd);
}

/* The next verb: when it came, in ms from now, or -1 when there is none in @wait_ms. */
static gint
wait_for_verb (struct fixture *fixture, gint wait_ms)
{
  struct pollfd keeper = { .fd = fixture->keeper, .events = POLLIN };
  const guint8 answer[WEIR_KEEPER_ANSWER_SIZE] = { WEIR_KEEPER_BUSY };
  gint64 began = g_get_monotonic_time ();
  guint8 verb;

  if (poll (&keeper, 1, wait_ms) == 0)
    return -1;
  g_assert_cmpint (recv (fixture->keeper, &verb, 1, 0), ==, 1);
  g_assert_cmpuint (verb, ==, WEIR_KEEPER_DUMP);
  /* Which ends it. */
  g_assert_cmpint (send (fixture->keeper, answer, sizeof answer, 0), ==, sizeof answer);
  return (gint) ((g_get_monotonic_time () - began) / 1000);
}

static GMutex clocks;

/* Clocks that the test can hold, and the meter with them. */
static void
read_held_clocks (struct weir_moment *ret_now)
{
  g_mutex_lock (&clocks);
  ret_now->awake = (guint64) g_get_monotonic_time () * 1000;
  ret_now->boot = ret_now->awake;
  g_mutex_unlock (&clocks);
}

/* Events that were lost make a dump at once, long before the next tick; events that were not, none.
 * Any group of the kernel will do, for what is not of conntrack is passed over. */
static void
test_lost_events (struct fixture *fixture, gconstpointer data)
{
  const struct sockaddr_nl groups = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
  const int small = 1;
  struct weir_writer writer;
  int pair[2], events;

  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  events = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  g_assert_cmpint (bind (events, (const struct sockaddr *) &groups, sizeof groups), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
  fixture->setup.fds.keeper = pair[0];
  fixture->keeper = pair[1];
  fixture->setup.fds.conntrack_events = events;
  fixture->setup.fds.conntrack_dump =
      socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_USERSOCK);
  fixture->setup.view = WEIR_VIEW_FULL;
  fixture->setup.read_clocks = read_held_clocks;
  fixture->meter = g_thread_new ("meter", run, &fixture->setup);
  weir_writer_init (&writer);
  weir_write_start (&writer, &(struct weir_wish) { .interval_ms = 60000 });
  g_assert_cmpint (send (fixture->front, writer.data, writer.size, 0), ==, (gssize) writer.size);
  weir_writer_clear (&writer);
  while (next (fixture).type != WEIR_MESSAGE_TICK)
    continue;
  /* The first tick's. */
  g_assert_cmpint (wait_for_verb (fixture, 1000), >=, 0);

  make_events (1);
  g_assert_cmpint (wait_for_verb (fixture, 300), ==, -1);
  g_assert_cmpint (setsockopt (events, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), ==, 0);
  g_mutex_lock (&clocks);
  make_events (100);
  g_mutex_unlock (&clocks);
  g_assert_cmpint (wait_for_verb (fixture, 2000), >=, 0);
  while (wait_for_verb (fixture, 300) >= 0)
    continue;
  shutdown (fixture->front, SHUT_RDWR);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (fixture->meter)), ==, WEIR_EXIT_DONE);
  close (events);
}

/* How long the machine has slept, as the injected clock tells. */
static guint slept_s;

static void
read_clocks (struct weir_moment *ret_now)
{
  ret_now->awake = (guint64) g_get_monotonic_time () * 1000;
  ret_now->boot = ret_now->awake + (guint64) g_atomic_int_get (&slept_s) * 1000000000;
}

/* A night asleep is no silence of the front end's: the leash holds and ticks go on as before. */
static void
test_suspend (struct fixture *fixture, gconstpointer data)
{
  struct weir_tick tick = { 0 };
  struct weir_frame frame;
  guint64 before;

  fixture->setup.read_clocks = read_clocks;
  fixture->setup.fds.route = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  fixture->meter = g_thread_new ("meter", run, &fixture->setup);
  start (fixture);
  do
    frame = next (fixture);
  while (frame.type != WEIR_MESSAGE_TICK);
  g_assert_cmpint (weir_read_tick (&frame, &tick), ==, 0);
  before = tick.monotonic;
  g_atomic_int_set (&slept_s, 8 * 3600);
  for (guint ticks = 0; ticks < 3;)
    {
      frame = next (fixture);
      g_assert_cmpuint (frame.type, !=, WEIR_MESSAGE_BYE);
      g_assert_cmpuint (frame.type, !=, 0);
      if (frame.type != WEIR_MESSAGE_TICK)
        continue;
      g_assert_cmpint (weir_read_tick (&frame, &tick), ==, 0);
      /* One may have been on its way. */
      if (++ticks == 3)
        g_assert_cmpuint (tick.monotonic - before, >, UINT64_C (8) * 3600 * 1000000000);
    }
  /* At the pace that was asked for, not at that of a wish that was forgotten. */
  g_assert_cmpuint (tick.interval, <, UINT64_C (1000000000));
  g_atomic_int_set (&slept_s, 0);
  shutdown (fixture->front, SHUT_RDWR);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (fixture->meter)), ==, WEIR_EXIT_DONE);
}

/* An engine that gives up before START is there until it was heard, or for a second. */
static void
test_lingers (struct fixture *fixture, gconstpointer data)
{
  gint64 began = g_get_monotonic_time ();
  struct weir_frame frame;

  fixture->meter = g_thread_new ("meter", run, &fixture->setup);
  do
    frame = next (fixture);
  while (frame.type != WEIR_MESSAGE_BYE);
  if (data != NULL)
    shutdown (fixture->front, SHUT_RDWR);
  else
    start (fixture);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (fixture->meter)), ==, WEIR_EXIT_SOURCES);
  if (data != NULL)
    g_assert_cmpint (g_get_monotonic_time () - began, <, 900000);
  else
    {
      g_assert_cmpint (g_get_monotonic_time () - began, >=, 900000);
      g_assert_cmpint (g_get_monotonic_time () - began, <, 3000000);
    }
}

/* That accounting cannot be looked at does not mean that it is on. */
static void
test_accounting_unknown (struct fixture *fixture, gconstpointer data)
{
  struct weir_source_status sources[WEIR_N_SOURCES];
  struct weir_frame frame;
  int pair[2];
  gsize n;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
  fixture->setup.fds.keeper = pair[0];
  fixture->keeper = pair[1];
  fixture->setup.fds.conntrack_dump =
      socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_USERSOCK);
  fixture->setup.fds.conntrack_events =
      socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_USERSOCK);
  fixture->setup.fds.accounting_error = ENOENT;
  fixture->meter = g_thread_new ("meter", run, &fixture->setup);
  do
    frame = next (fixture);
  while (frame.type != WEIR_MESSAGE_SOURCES);
  g_assert_cmpint (weir_read_sources (&frame, sources, WEIR_N_SOURCES, &n), ==, 0);
  g_assert_cmpuint (sources[WEIR_SOURCE_CONNTRACK].state, ==, WEIR_SOURCE_DEGRADED);
  g_assert_cmpuint (sources[WEIR_SOURCE_CONNTRACK].reason, ==, WEIR_REASON_KERNEL_LACKS);
  g_assert_cmpuint (sources[WEIR_SOURCE_CONNTRACK].error, ==, ENOENT);
  shutdown (fixture->front, SHUT_RDWR);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (fixture->meter)), ==, WEIR_EXIT_DONE);
  close (fixture->setup.fds.conntrack_events);
}

static void
read_clocks_without_cpu (struct weir_moment *ret_now)
{
  *ret_now = (struct weir_moment) { .awake = (guint64) g_get_monotonic_time () * 1000 };
  ret_now->boot = ret_now->awake;
}

static void
open_governed (struct fixture *fixture)
{
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
  fixture->setup.read_clocks = read_clocks_without_cpu;
  fixture->setup.fds.keeper = pair[0];
  fixture->keeper = pair[1];
  fixture->setup.fds.conntrack_dump =
      socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_USERSOCK);
  fixture->setup.fds.conntrack_events =
      socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_USERSOCK);
  fixture->setup.fds.accounting = memfd_create ("accounting", MFD_CLOEXEC);
  g_assert_cmpint (write (fixture->setup.fds.accounting, "1\n", 2), ==, 2);
  fixture->setup.view = WEIR_VIEW_FULL;
}

/* Answers all requests: the kernel is busy, and finding that out took 30 ms of CPU time.  Returns
 * how many there were. */
static gpointer
answer_dearly (gpointer data)
{
  const guint8 answer[WEIR_KEEPER_ANSWER_SIZE] = { WEIR_KEEPER_BUSY, 30000 & 255, 30000 >> 8 };
  const struct fixture *fixture = data;
  guint8 verb;
  guint n = 0;

  while (recv (fixture->keeper, &verb, 1, 0) == 1)
    {
      g_assert_cmpint (send (fixture->keeper, answer, sizeof answer, MSG_NOSIGNAL), ==,
                       sizeof answer);
      n++;
    }
  return GUINT_TO_POINTER (n);
}

/* Dumps that would take an eighth of a processor are asked for at every third tick, and both the
 * tick and the source say so. */
static void
test_governed (struct fixture *fixture, gconstpointer data)
{
  struct weir_source_status sources[WEIR_N_SOURCES];
  guint n_dumps, n_ticks = 0;
  struct weir_tick tick = { 0 };
  struct weir_frame frame;
  GThread *keeper;
  gsize n;

  open_governed (fixture);
  keeper = g_thread_new ("keeper", answer_dearly, fixture);
  fixture->meter = g_thread_new ("meter", run, &fixture->setup);
  start (fixture);
  while (n_ticks < 10)
    {
      frame = next (fixture);
      if (frame.type == WEIR_MESSAGE_SOURCES)
        g_assert_cmpint (weir_read_sources (&frame, sources, WEIR_N_SOURCES, &n), ==, 0);
      if (frame.type != WEIR_MESSAGE_TICK)
        continue;
      g_assert_cmpint (weir_read_tick (&frame, &tick), ==, 0);
      n_ticks++;
    }
  g_assert_cmpuint (tick.cadence_ms, ==, 750);
  g_assert_cmpuint (tick.cadence, ==, WEIR_CADENCE_GOVERNED);
  /* Ticks themselves are as frequent as ever. */
  g_assert_cmpuint (tick.interval, <, UINT64_C (500000000));
  g_assert_cmpuint (sources[WEIR_SOURCE_CONNTRACK].state, ==, WEIR_SOURCE_ACTIVE);
  g_assert_cmpuint (sources[WEIR_SOURCE_CONNTRACK].reason, ==, WEIR_REASON_GOVERNED);
  shutdown (fixture->front, SHUT_RDWR);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (fixture->meter)), ==, WEIR_EXIT_DONE);
  shutdown (fixture->keeper, SHUT_RDWR);
  n_dumps = GPOINTER_TO_UINT (g_thread_join (keeper));
  /* At the ticks 1, 4, 7 and 10, if the machine is fast enough. */
  g_assert_cmpuint (n_dumps, >=, 3);
  g_assert_cmpuint (n_dumps, <=, 5);
  close (fixture->setup.fds.conntrack_events);
  close (fixture->setup.fds.accounting);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/meter/" name, struct fixture, NULL, set_up, function, tear_down)

/* The front end did not wait for the HELLO. */
static void
test_unheard (struct fixture *fixture, gconstpointer data)
{
  close (fixture->front);
  fixture->front = -1;
  g_assert_cmpint (weir_meter_run (&fixture->setup), ==, WEIR_EXIT_HANDOFF);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("introduction", test_introduction);
  ADD ("no-source", test_no_source);
  ADD ("unheard", test_unheard);
  ADD ("silent-dump", test_silent_dump);
  ADD ("suspend", test_suspend);
  ADD ("governed", test_governed);
  ADD ("lost-events", test_lost_events);
  ADD ("lingers", test_lingers);
  g_test_add ("/meter/heard", struct fixture, "", set_up, test_lingers, tear_down);
  ADD ("accounting-unknown", test_accounting_unknown);
  return g_test_run ();
}
