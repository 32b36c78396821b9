/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Speaks like an engine and measures nothing: every figure is known to the tests.
 *
 *     fake-engine SCRIPT DIRECTORY
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "weir-wire.h"

#define TICK_MS 50

static int client = -1;
static unsigned sequence;
static struct weir_framer requests;
static unsigned n_requests;
static struct weir_wish last_wish;

static int
is (const char *script, const char *name)
{
  return strcmp (script, name) == 0;
}

static void
die (const char *what)
{
  perror (what);
  exit (WEIR_EXIT_HANDOFF);
}

static void
flush (struct weir_writer *writer)
{
  if (writer->error != 0)
    exit (WEIR_EXIT_RESOURCES);
  for (size_t sent = 0; sent < writer->size;)
    {
      ssize_t n = send (client, writer->data + sent, writer->size - sent, MSG_NOSIGNAL);
      if (n < 0)
        exit (WEIR_EXIT_DONE);
      sent += n;
    }
  weir_writer_clear (writer);
}

static void
dial (const char *directory, const char *script)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
  struct weir_hello hello = { .version = WEIR_PROTOCOL_VERSION };
  struct weir_writer writer;
  char hex[WEIR_NONCE_HEX_SIZE];

  if (chdir (directory) < 0)
    die (directory);
  int nonce = open ("nonce", O_RDONLY | O_CLOEXEC);
  if (nonce < 0 || read (nonce, hex, sizeof hex) != (ssize_t) sizeof hex ||
      weir_nonce_decode (hex, sizeof hex, hello.nonce) < 0)
    die ("nonce");
  close (nonce);
  client = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client < 0 || connect (client, (struct sockaddr *) &address, sizeof address) < 0)
    die ("socket");

  hello.pid = getpid ();
  hello.view = strstr (script, "full") != NULL ? WEIR_VIEW_FULL : WEIR_VIEW_LIMITED;
  if (is (script, "version"))
    hello.version++;
  weir_writer_init (&writer);
  weir_write_hello (&writer, &hello);
  flush (&writer);
}

/* 192.0.2.1:@port → 198.51.100.7:443; the last bytes of an IPv4 address are its value. */
static struct weir_flow_record
make_flow (uint64_t id, uint16_t port, int first)
{
  struct weir_flow_record record = {
    .id = id,
    .change = first ? WEIR_FLOW_ADDED : WEIR_FLOW_CHANGED,
    .groups = WEIR_FLOW_BYTES,
    .family = 4,
    .protocol = IPPROTO_TCP,
    .netns = 1,
    .local = { { [10] = 0xff, 0xff, 192, 0, 2, 1 }, port },
    .remote = { { [10] = 0xff, 0xff, 198, 51, 100, 7 }, 443 },
    .state = WEIR_FLOW_STATE_OPEN,
    .direction = WEIR_DIRECTION_OUT,
    .bytes_source = WEIR_SOURCE_BPF,
    .has_bytes = true,
    .has_rates = true,
    .rx_bytes = 1000 * (sequence + 1),
    .tx_bytes = 100,
    .rx_rate = 20000,
    .pid = 100 + port,
    .comm = "example",
  };

  if (first)
    record.groups |= WEIR_FLOW_KEY | WEIR_FLOW_STATE | WEIR_FLOW_OWNER;
  return record;
}

static void
write_interfaces (struct weir_writer *writer)
{
  static const struct weir_interface_record interfaces[] = {
    { .index = 1,
      .name = "lo",
      .flags = WEIR_INTERFACE_UP | WEIR_INTERFACE_LOOPBACK,
      .has_rates = true,
      .rx_rate = 777777,
      .tx_rate = 777777 },
    { .index = 2,
      .name = "eth0",
      .flags = WEIR_INTERFACE_UP | WEIR_INTERFACE_COUNTED,
      .has_rates = true,
      .rx_rate = 100000,
      .tx_rate = 5000 },
    { .index = 3,
      .name = "wlan0",
      .flags = WEIR_INTERFACE_UP | WEIR_INTERFACE_COUNTED,
      .has_rates = true,
      .rx_rate = 20000,
      .tx_rate = 1000 },
  };

  weir_write_interfaces (writer, interfaces, sizeof interfaces / sizeof *interfaces);
}

static void
write_states (struct weir_writer *writer, const char *script, int full)
{
  struct weir_source_status sources[] = {
    { .source = WEIR_SOURCE_SOCKDIAG, .state = WEIR_SOURCE_ACTIVE },
    { .source = WEIR_SOURCE_CONNTRACK,
      .state = full ? WEIR_SOURCE_ACTIVE : WEIR_SOURCE_UNAVAILABLE,
      .reason = full ? WEIR_REASON_NONE : WEIR_REASON_NEEDS_FULL_VIEW },
    { .source = WEIR_SOURCE_BPF,
      .state = WEIR_SOURCE_UNAVAILABLE,
      .reason = WEIR_REASON_VERIFIER,
      .error = EACCES,
      .said = "R2 is\033 no pointer" },
  };
  struct weir_process_status process = { .role = WEIR_ROLE_METER, .pid = getpid () };

  if (strstr (script, "uncounted") != NULL)
    {
      sources[1].state = WEIR_SOURCE_DEGRADED;
      sources[1].reason = WEIR_REASON_ACCOUNTING_OFF;
    }
  else if (strstr (script, "counted") != NULL)
    sources[1].reason = WEIR_REASON_ACCOUNTING_SWITCHED;
  weir_write_sources (writer, sources, sizeof sources / sizeof *sources);
  weir_write_confinement (writer, &process, 1);
}

static void
write_namespaces (struct weir_writer *writer)
{
  const struct weir_namespace_record records[] = {
    { .inode = 7, .how = WEIR_NAMESPACE_OWN, .state = WEIR_NAMESPACE_READ, .n_sockets = 3 },
    { .inode = 8, .how = WEIR_NAMESPACE_OPENED, .comm = "init\033[31m", .pid = 5 },
    { .inode = 9, .how = WEIR_NAMESPACE_LISTED, .comm = "sleep", .pid = 6, .name = "web" },
  };

  weir_write_namespaces (writer, records, 3, 2);
}

static void
write_notices (struct weir_writer *writer)
{
  static const struct weir_notice notices[] = {
    { WEIR_NOTICE_CONFIG_BAD_VALUE, 7, "rows_max=\033[31mmany" },
    { 999, 1, "of a later version" },
    { WEIR_NOTICE_CONFIG_MORE, 2, "" },
  };

  weir_write_notices (writer, notices, 3);
}

static uint64_t
now (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);
  return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* The full view numbers the same flows otherwise, and sees one more. */
static void
tick (const char *script)
{
  const int full = strstr (script, "full") != NULL;
  struct weir_tick time = { .sequence = sequence,
                            .monotonic = now (CLOCK_BOOTTIME),
                            .realtime = now (CLOCK_REALTIME),
                            .interval = sequence > 0 ? 250000000 : 0,
                            .flows_refused = last_wish.interval_ms,
                            .flows_published = last_wish.rows,
                            .cadence_ms = last_wish.announce_ms,
                            .coalesced = n_requests };
  struct weir_writer writer;

  weir_writer_init (&writer);
  if (sequence == 0)
    write_states (&writer, script, full);
  if (sequence == 0 && strstr (script, "notices") != NULL)
    write_notices (&writer);
  if (sequence == 0)
    write_namespaces (&writer);
  struct weir_flows_writer *flows = weir_flows_writer_new (&writer);
  if (flows == NULL)
    exit (WEIR_EXIT_RESOURCES);
  for (unsigned i = 0; i < (full ? 4 : 3); i++)
    {
      struct weir_flow_record record = make_flow (full ? 90 - i : 1 + i, 40000 + i, sequence == 0);
      weir_flows_writer_add (flows, &record);
    }
  weir_flows_writer_finish (flows);
  write_interfaces (&writer);
  weir_write_tick (&writer, &time);
  flush (&writer);
  sequence++;
}

/* One more flow, before the next tick. */
static void
announce (void)
{
  struct weir_flow_record record = make_flow (1000 + sequence, 50000 + sequence, 1);
  struct weir_flows_writer *flows;
  struct weir_writer writer;

  weir_writer_init (&writer);
  flows = weir_flows_writer_new (&writer);
  if (flows == NULL)
    exit (WEIR_EXIT_RESOURCES);
  record.has_rates = false;
  weir_flows_writer_add (flows, &record);
  weir_flows_writer_finish (flows);
  weir_write_news (&writer, now (CLOCK_BOOTTIME));
  flush (&writer);
}

/* Process 1 is the system's, 2 has ended, 3 is never answered, and all others are "example"; unless
 * @script refuses all. */
static void
answer (const char *script, const struct weir_frame *frame)
{
  struct weir_details details = { .has = WEIR_DETAILS_EXE | WEIR_DETAILS_CWD | WEIR_DETAILS_COMMAND,
                                  .exe = "/usr/bin/ex\033ample",
                                  .cwd = "/",
                                  .command = "example\0two words\0\0--x",
                                  .command_size = 22 };
  struct weir_writer writer;

  if (weir_read_details_of (frame, &details.request) < 0)
    exit (WEIR_EXIT_USAGE);
  if (details.request.pid == 3)
    return;
  if (details.request.pid < 3 || strstr (script, "refuses") != NULL)
    {
      details.has = 0;
      details.outcome = details.request.pid == 2 ? WEIR_DETAILS_GONE : WEIR_DETAILS_REFUSED;
    }
  weir_writer_init (&writer);
  weir_write_details (&writer, &details);
  flush (&writer);
}

static void
take_requests (const char *script)
{
  struct weir_frame frame;
  size_t size;
  uint8_t *room = weir_framer_reserve (&requests, &size);
  ssize_t n = room != NULL ? read (client, room, size) : -1;

  if (n <= 0)
    exit (WEIR_EXIT_DONE);
  weir_framer_commit (&requests, n);
  while (weir_framer_next (&requests, &frame) == 1)
    {
      if (frame.type == WEIR_MESSAGE_DETAILS_OF)
        {
          answer (script, &frame);
          continue;
        }
      n_requests++;
      if (frame.type == WEIR_MESSAGE_STOP)
        exit (WEIR_EXIT_DONE);
      if ((frame.type == WEIR_MESSAGE_START) != (n_requests == 1) ||
          (frame.type == WEIR_MESSAGE_START ? weir_read_start (&frame, &last_wish)
                                            : weir_read_interval (&frame, &last_wish)) < 0)
        exit (WEIR_EXIT_USAGE);
    }
}

/* Requests are reported and not obeyed: the cadence is the test's. The end of the connection is. */
static void
wait_ms (const char *script, int ms)
{
  uint64_t end = now (CLOCK_MONOTONIC) + ms * 1000000ull;

  for (uint64_t at = now (CLOCK_MONOTONIC); at < end; at = now (CLOCK_MONOTONIC))
    {
      struct pollfd poll_fd = { .fd = client, .events = POLLIN };
      if (poll (&poll_fd, 1, (end - at) / 1000000 + 1) > 0)
        take_requests (script);
    }
}

/* Who ends before the front end has believed him is not heard: PROTOCOL.md, "BYE". */
static void
say_error (void)
{
  struct pollfd poll_fd = { .fd = client, .events = POLLIN };
  struct weir_error error = { .code = WEIR_ERROR_CONFINEMENT,
                              .error = EPERM,
                              .what = "set\x1buid" };
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_write_error (&writer, &error);
  weir_write_bye (&writer, WEIR_BYE_ERROR);
  flush (&writer);
  for (char byte; poll (&poll_fd, 1, 1000) > 0 && read (client, &byte, sizeof byte) > 0;)
    continue;
  exit (WEIR_EXIT_CONFINEMENT);
}

static void
say_nonsense (const char *script)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_write_frame_begin (&writer, WEIR_MESSAGE_TICK);
  weir_write_u8 (&writer, 1);
  weir_write_frame_end (&writer);
  flush (&writer);
  wait_ms (script, 10000);
}

int
main (int argc, char **argv)
{
  if (argc != 3)
    return WEIR_EXIT_USAGE;
  const char *script = argv[1];

  if (strncmp (script, "exit-", 5) == 0)
    return strtol (script + 5, NULL, 10);
  if (is (script, "never-connects"))
    {
      sleep (60);
      return WEIR_EXIT_DONE;
    }
  weir_framer_init (&requests, WEIR_REQUEST_BODY_MAX);
  dial (argv[2], script);
  if (is (script, "says-error"))
    say_error ();
  if (is (script, "version"))
    wait_ms (script, 10000);
  for (;;)
    {
      tick (script);
      if (last_wish.announce_ms > 0)
        announce ();
      if (strstr (script, "dies") != NULL && sequence == 5)
        raise (SIGKILL);
      if (is (script, "nonsense") && sequence == 3)
        say_nonsense (script);
      if (is (script, "pauses") && sequence == 4)
        wait_ms (script, 2500);
      wait_ms (script, TICK_MS);
    }
}
