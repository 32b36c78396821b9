/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes the place of a front end: waits for an engine, and prints all that it says, one JSON object
 * a line.
 *
 *   weir-record [--interval MS] [--announce MS] [--raw FILE] DIRECTORY
 *
 * DIRECTORY must not exist: it is made as a handoff directory (0700, with `nonce` and `socket`).
 * When it is ready for the engine `{"message":"ready"}` is printed.  After the HELLO START is sent,
 * and INTERVAL every few seconds.  A line on standard input is a request:
 *
 *   stop          sends STOP
 *   interval MS   sends INTERVAL and renews with it from then on
 *   quiet         renews no more
 *   deaf, hear    stops and begins again to read from the engine
 *   junk          sends a malformed request
 *   close         closes the connection and ends
 *
 * The end of standard input is the same as `close`.  When the engine closes, `{"message":"end"}` is
 * printed and the program ends with 0; it ends with 1 and a message when the engine breaks the
 * protocol.  With --raw FILE the engine's bytes after its HELLO are written there as they came.
 *
 * Each object has "message" (hello, sources, confinement, flow, interface, tick, error, bye).  A
 * flow's group that was not sent has no member.  Text from outside is escaped to ASCII, byte by
 * byte
 * (\u00XX). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "weir-wire.h"

#define RENEW_MS 3000

struct recorder
{
  int fd;
  FILE *raw;
  uint8_t nonce[WEIR_NONCE_SIZE];
  bool greeted, deaf, quiet;
  struct weir_wish wish;
  struct weir_framer framer;
};

_Noreturn static void
die (const char *what)
{
  fprintf (stderr, "weir-record: %s: %s\n", what, strerror (errno));
  exit (1);
}

static void
print_text (const char *name, const char *text)
{
  printf (",\"%s\":\"", name);
  for (const unsigned char *at = (const unsigned char *) text; *at != '\0'; at++)
    {
      if (*at < 0x20 || *at > 0x7e || *at == '"' || *at == '\\')
        printf ("\\u%04x", *at);
      else
        putchar (*at);
    }
  putchar ('"');
}

static void
print_address (const char *name, const uint8_t address[16], unsigned family)
{
  char text[INET6_ADDRSTRLEN] = "";

  if (family == 4)
    inet_ntop (AF_INET, address + 12, text, sizeof text);
  else
    inet_ntop (AF_INET6, address, text, sizeof text);
  print_text (name, text);
}

static void
print_endpoint (const char *name, const struct weir_endpoint *endpoint, unsigned family)
{
  char member[64];

  print_address (name, endpoint->address, family);
  snprintf (member, sizeof member, "%s_port", name);
  printf (",\"%s\":%u", member, endpoint->port);
}

static void
print_number (const char *name, uint64_t number)
{
  printf (",\"%s\":%" PRIu64, name, number);
}

static void
print_conntrack (const struct weir_flow_record *flow)
{
  print_number ("zone", flow->zone);
  print_number ("zone_direction", flow->zone_direction);
  if (flow->has_mark)
    print_number ("mark", flow->mark);
  if (flow->has_tracking_state)
    print_number ("tracking_state", flow->tracking_state);
  print_number ("answered", flow->answered);
}

static void
print_flow (const struct weir_flow_record *flow, void *data)
{
  static const char *const changes[] = { "", "added", "changed", "ended" };

  printf ("{\"message\":\"flow\",\"id\":%" PRIu64 ",\"change\":\"%s\"", flow->id,
          changes[flow->change]);
  print_number ("groups", flow->groups);
  if (flow->groups & WEIR_FLOW_KEY)
    {
      print_number ("family", flow->family);
      print_number ("protocol", flow->protocol);
      print_number ("netns", flow->netns);
      print_endpoint ("local", &flow->local, flow->family);
      print_endpoint ("remote", &flow->remote, flow->family);
      print_number ("first_seen", flow->first_seen);
    }
  if (flow->groups & WEIR_FLOW_STATE)
    {
      print_number ("state", flow->state);
      print_number ("direction", flow->direction);
      print_number ("sources", flow->sources);
      print_number ("ifindex", flow->ifindex);
    }
  if (flow->groups & WEIR_FLOW_BYTES)
    {
      print_number ("bytes_source", flow->bytes_source);
      if (flow->has_bytes)
        {
          print_number ("rx_bytes", flow->rx_bytes);
          print_number ("tx_bytes", flow->tx_bytes);
        }
      if (flow->has_packets)
        {
          print_number ("rx_packets", flow->rx_packets);
          print_number ("tx_packets", flow->tx_packets);
        }
      if (flow->has_rates)
        {
          print_number ("rx_rate", flow->rx_rate);
          print_number ("tx_rate", flow->tx_rate);
        }
      else
        printf (",\"rx_rate\":null,\"tx_rate\":null");
    }
  if (flow->groups & WEIR_FLOW_TCP)
    {
      print_number ("rtt_us", flow->rtt_us);
      print_number ("retransmits", flow->retransmits);
    }
  if (flow->groups & WEIR_FLOW_OWNER)
    {
      print_number ("owner_how", flow->owner_how);
      print_number ("owner_missing", flow->owner_missing);
      print_number ("pid", flow->pid);
      print_number ("start_time", flow->start_time);
      if (flow->has_uid)
        print_number ("uid", flow->uid);
      print_number ("cgroup_id", flow->cgroup_id);
      print_text ("comm", flow->comm);
      print_text ("cgroup", flow->cgroup);
    }
  if (flow->groups & WEIR_FLOW_NAT)
    {
      print_endpoint ("nat_local", &flow->nat_local, flow->family);
      print_endpoint ("nat_remote", &flow->nat_remote, flow->family);
    }
  if (flow->groups & WEIR_FLOW_CONNTRACK)
    print_conntrack (flow);
  if (flow->groups & WEIR_FLOW_OPENER)
    {
      print_number ("opener_pid", flow->opener_pid);
      print_number ("opener_start_time", flow->opener_start_time);
      print_number ("opener_uid", flow->opener_uid);
      print_text ("opener_comm", flow->opener_comm);
    }
  puts ("}");
}

static void
print_interface (const struct weir_interface_record *interface, void *data)
{
  printf ("{\"message\":\"interface\",\"index\":%" PRIu32, interface->index);
  print_text ("name", interface->name);
  print_text ("kind", interface->kind);
  print_number ("flags", interface->flags);
  print_number ("mtu", interface->mtu);
  print_number ("rx_bytes", interface->rx_bytes);
  print_number ("tx_bytes", interface->tx_bytes);
  print_number ("rx_packets", interface->rx_packets);
  print_number ("tx_packets", interface->tx_packets);
  print_number ("type", interface->type);
  print_number ("link_type", interface->link_type);
  print_number ("master", interface->master);
  print_number ("lower", interface->lower);
  if (interface->has_rates)
    {
      print_number ("rx_rate", interface->rx_rate);
      print_number ("tx_rate", interface->tx_rate);
    }
  printf (",\"addresses\":[");
  for (unsigned i = 0; i < interface->n_addresses; i++)
    {
      const struct weir_interface_address *address = &interface->addresses[i];

      printf ("%s{\"prefix\":%u", i > 0 ? "," : "", address->prefix_length);
      print_address ("address", address->address, address->family);
      putchar ('}');
    }
  puts ("]}");
}

static int
print_sources (const struct weir_frame *frame)
{
  struct weir_source_status sources[WEIR_N_SOURCES];
  size_t n = 0;
  int result = weir_read_sources (frame, sources, WEIR_N_SOURCES, &n);

  for (size_t i = 0; result == 0 && i < n; i++)
    {
      printf ("{\"message\":\"source\",\"source\":%u,\"state\":%u,\"reason\":%u,\"error\":%d,"
              "\"losses\":%" PRIu64,
              sources[i].source, sources[i].state, sources[i].reason, sources[i].error,
              sources[i].losses);
      print_text ("said", sources[i].said);
      puts ("}");
    }
  return result;
}

static int
print_confinement (const struct weir_frame *frame)
{
  struct weir_process_status processes[2 * WEIR_N_ROLES];
  size_t n = 0;
  int result = weir_read_confinement (frame, processes, 2 * WEIR_N_ROLES, &n);

  for (size_t i = 0; result == 0 && i < n; i++)
    printf ("{\"message\":\"confinement\",\"role\":%u,\"pid\":%" PRIu32 ",\"uid\":%" PRIu32
            ",\"cap_effective\":%" PRIu64 ",\"layers_active\":%" PRIu32
            ",\"layers_missing\":%" PRIu32 "}\n",
            processes[i].role, processes[i].pid, processes[i].uid, processes[i].cap_effective,
            processes[i].layers_active, processes[i].layers_missing);
  return result;
}

static void
print_namespace (const struct weir_namespace_record *namespace, void *data)
{
  bool *first = data;

  printf ("%s{\"inode\":%" PRIu32, *first ? "" : ",", namespace->inode);
  *first = false;
  print_number ("how", namespace->how);
  print_number ("state", namespace->state);
  printf (",\"error\":%d", namespace->error);
  print_number ("n_sockets", namespace->n_sockets);
  print_number ("interval_ms", namespace->interval_ms);
  print_number ("losses", namespace->losses);
  print_number ("pid", namespace->pid);
  print_number ("start_time", namespace->start_time);
  print_text ("comm", namespace->comm);
  print_text ("name", namespace->name);
  putchar ('}');
}

static int
print_namespaces (const struct weir_frame *frame)
{
  uint32_t left_out;
  bool first = true;
  int result;

  printf ("{\"message\":\"namespaces\",\"namespaces\":[");
  result = weir_read_namespaces (frame, print_namespace, &first, &left_out);
  putchar (']');
  print_number ("left_out", left_out);
  puts ("}");
  return result;
}

static int
print_news (const struct weir_frame *frame)
{
  uint64_t monotonic;

  if (weir_read_news (frame, &monotonic) < 0)
    return -EPROTO;
  printf ("{\"message\":\"news\"");
  print_number ("monotonic", monotonic);
  puts ("}");
  return 0;
}

static int
print_tick (const struct weir_frame *frame)
{
  struct weir_tick tick;
  int result = weir_read_tick (frame, &tick);

  if (result < 0)
    return result;
  printf ("{\"message\":\"tick\",\"sequence\":%" PRIu64, tick.sequence);
  print_number ("monotonic", tick.monotonic);
  print_number ("realtime", tick.realtime);
  print_number ("interval", tick.interval);
  print_number ("flows_tracked", tick.flows_tracked);
  print_number ("flows_published", tick.flows_published);
  print_number ("others_rx_bytes", tick.others_rx_bytes);
  print_number ("others_tx_bytes", tick.others_tx_bytes);
  print_number ("others_rx_rate", tick.others_rx_rate);
  print_number ("others_tx_rate", tick.others_tx_rate);
  print_number ("flows_refused", tick.flows_refused);
  print_number ("coalesced", tick.coalesced);
  print_number ("cadence_ms", tick.cadence_ms);
  print_number ("cadence", tick.cadence);
  puts ("}");
  return 0;
}

static int
print_end (const struct weir_frame *frame)
{
  struct weir_error error;
  enum weir_bye_reason reason;
  int result;

  if (frame->type == WEIR_MESSAGE_BYE)
    {
      result = weir_read_bye (frame, &reason);
      if (result == 0)
        printf ("{\"message\":\"bye\",\"reason\":%d}\n", (int) reason);
      return result;
    }
  result = weir_read_error (frame, &error);
  if (result == 0)
    {
      printf ("{\"message\":\"error\",\"code\":%u,\"error\":%d", error.code, error.error);
      print_text ("what", error.what);
      puts ("}");
    }
  return result;
}

static int
greet (struct recorder *recorder, const struct weir_frame *frame)
{
  struct weir_writer writer;
  struct weir_hello hello;

  if (weir_read_hello (frame, &hello) < 0 || !weir_nonce_equal (hello.nonce, recorder->nonce))
    return -EPROTO;
  printf ("{\"message\":\"hello\",\"version\":%u,\"pid\":%" PRIu32 ",\"view\":%u", hello.version,
          hello.pid, hello.view);
  print_text ("engine_version", hello.engine_version);
  puts ("}");
  recorder->greeted = true;
  weir_writer_init (&writer);
  weir_write_start (&writer, &recorder->wish);
  if (writer.error < 0 ||
      send (recorder->fd, writer.data, writer.size, MSG_NOSIGNAL) != (ssize_t) writer.size)
    die ("START");
  weir_writer_clear (&writer);
  return 0;
}

static int
print_frame (struct recorder *recorder, const struct weir_frame *frame)
{
  if (!recorder->greeted)
    return greet (recorder, frame);
  switch (frame->type)
    {
    case WEIR_MESSAGE_SOURCES:
      return print_sources (frame);
    case WEIR_MESSAGE_CONFINEMENT:
      return print_confinement (frame);
    case WEIR_MESSAGE_FLOWS:
      return weir_read_flows (frame, print_flow, NULL);
    case WEIR_MESSAGE_INTERFACES:
      return weir_read_interfaces (frame, print_interface, NULL);
    case WEIR_MESSAGE_NAMESPACES:
      return print_namespaces (frame);
    case WEIR_MESSAGE_NEWS:
      return print_news (frame);
    case WEIR_MESSAGE_TICK:
      return print_tick (frame);
    case WEIR_MESSAGE_ERROR:
    case WEIR_MESSAGE_BYE:
      return print_end (frame);
    default:
      return 0;
    }
}

/* False at the end of the connection. */
static bool
receive (struct recorder *recorder)
{
  struct weir_frame frame;
  size_t size = 0;
  uint8_t *at = weir_framer_reserve (&recorder->framer, &size);
  ssize_t n;
  int result;

  if (at == NULL)
    die ("buffer");
  n = recv (recorder->fd, at, size, 0);
  if (n <= 0)
    return false;
  if (recorder->raw != NULL && recorder->greeted)
    fwrite (at, 1, (size_t) n, recorder->raw);
  weir_framer_commit (&recorder->framer, (size_t) n);
  while ((result = weir_framer_next (&recorder->framer, &frame)) > 0)
    {
      result = print_frame (recorder, &frame);
      if (result < 0)
        break;
    }
  if (result < 0)
    {
      errno = -result;
      die ("the engine broke the protocol");
    }
  fflush (stdout);
  return true;
}

static void
request (struct recorder *recorder, bool stop)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  if (stop)
    weir_write_stop (&writer);
  else
    weir_write_interval (&writer, &recorder->wish);
  /* The engine may have ended meanwhile, which is seen when reading. */
  (void) !send (recorder->fd, writer.data, writer.size, MSG_NOSIGNAL);
  weir_writer_clear (&writer);
}

/* False: to close. */
static bool
obey (struct recorder *recorder)
{
  static const uint8_t junk[] = { 2, 0, 0, 0, WEIR_MESSAGE_INTERVAL, 0, 0, 0, 1, 2 };
  char line[64];

  if (fgets (line, sizeof line, stdin) == NULL)
    return false;
  if (strncmp (line, "interval ", 9) == 0)
    {
      recorder->wish.interval_ms = (uint32_t) strtoul (line + 9, NULL, 10);
      request (recorder, false);
    }
  else if (strcmp (line, "stop\n") == 0)
    request (recorder, true);
  else if (strcmp (line, "quiet\n") == 0)
    recorder->quiet = true;
  else if (strcmp (line, "deaf\n") == 0)
    recorder->deaf = true;
  else if (strcmp (line, "hear\n") == 0)
    recorder->deaf = false;
  else if (strcmp (line, "junk\n") == 0)
    (void) !send (recorder->fd, junk, sizeof junk, MSG_NOSIGNAL);
  else
    return strcmp (line, "close\n") != 0;
  return true;
}

static int
listen_in (struct recorder *recorder, const char *directory)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  char hex[WEIR_NONCE_HEX_SIZE + 1];
  int listener, nonce, fd;

  if (getrandom (recorder->nonce, sizeof recorder->nonce, 0) != sizeof recorder->nonce)
    die ("getrandom");
  weir_nonce_encode (recorder->nonce, hex);
  if (mkdir (directory, 0700) < 0 || chdir (directory) < 0)
    die (directory);
  nonce = open ("nonce", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (nonce < 0 || write (nonce, hex, WEIR_NONCE_HEX_SIZE) != WEIR_NONCE_HEX_SIZE)
    die ("nonce");
  close (nonce);
  strcpy (address.sun_path, "socket");
  listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind (listener, (struct sockaddr *) &address, sizeof address) < 0 ||
      listen (listener, 1) < 0)
    die ("socket");
  puts ("{\"message\":\"ready\"}");
  fflush (stdout);
  fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    die ("accept");
  close (listener);
  unlink ("socket");
  unlink ("nonce");
  return fd;
}

static int64_t
now_ms (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
main (int argc, char **argv)
{
  struct recorder recorder = { .wish.interval_ms = 1000 };
  const char *directory = NULL;
  int64_t renew_at;

  for (int i = 1; i < argc; i++)
    {
      if (strcmp (argv[i], "--interval") == 0 && i + 1 < argc)
        recorder.wish.interval_ms = (uint32_t) strtoul (argv[++i], NULL, 10);
      else if (strcmp (argv[i], "--announce") == 0 && i + 1 < argc)
        recorder.wish.announce_ms = (uint32_t) strtoul (argv[++i], NULL, 10);
      else if (strcmp (argv[i], "--rows") == 0 && i + 1 < argc)
        recorder.wish.rows = (uint32_t) strtoul (argv[++i], NULL, 10);
      else if (strcmp (argv[i], "--raw") == 0 && i + 1 < argc)
        {
          recorder.raw = fopen (argv[++i], "we");
          if (recorder.raw == NULL)
            die (argv[i]);
        }
      else
        directory = argv[i];
    }
  if (directory == NULL)
    {
      fputs (
          "usage: weir-record [--interval MS] [--announce MS] [--rows N] [--raw FILE] DIRECTORY\n",
          stderr);
      return 1;
    }
  setvbuf (stdin, NULL, _IONBF, 0);
  weir_framer_init (&recorder.framer, WEIR_FRAME_BODY_MAX);
  recorder.fd = listen_in (&recorder, directory);
  renew_at = now_ms () + RENEW_MS;
  for (bool open = true; open;)
    {
      struct pollfd polled[] = {
        { .fd = recorder.deaf ? -1 : recorder.fd, .events = POLLIN },
        { .fd = STDIN_FILENO, .events = POLLIN },
      };
      int64_t left = renew_at - now_ms ();

      if (poll (polled, 2, recorder.quiet ? -1 : left > 0 ? (int) left : 0) < 0 && errno != EINTR)
        die ("poll");
      if (!recorder.quiet && now_ms () >= renew_at)
        {
          request (&recorder, false);
          renew_at = now_ms () + RENEW_MS;
        }
      if (polled[0].revents && !receive (&recorder))
        {
          puts ("{\"message\":\"end\"}");
          open = false;
        }
      if (open && polled[1].revents)
        open = obey (&recorder);
    }
  if (recorder.raw != NULL)
    fclose (recorder.raw);
  return 0;
}
