/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The meter's loop.  One thread, one poll(2), no descriptor that was not there at the start. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "weir-meter-private.h"
#include "weir-meter.h"
#include "weir-strict.h"

/* How long the last words may take. */
#define FAREWELL_MS 200
/* How long the front end may take to believe an engine that gives up before START. */
#define LINGER_MS 1000

enum
{
  CLIENT,
  SOCKET_EVENTS,
  CONNTRACK_EVENTS,
  SOCKETS,
  CONNTRACK,
  ROUTE,
  KEEPER,
  LOOKER,
  TELLER,
  PROGRAMS,
  FORWARDING,
  N_DESCRIPTORS,
};

/* Those of other namespaces follow. */
#define POLLED_MAX (N_DESCRIPTORS + WEIR_NAMESPACES_POLLED_MAX)

static uint64_t
read_clock (clockid_t clock)
{
  struct timespec now = { 0 };

  clock_gettime (clock, &now);
  return (uint64_t) now.tv_sec * 1000 * WEIR_MS + (uint64_t) now.tv_nsec;
}

static void
read_system_clocks (struct weir_moment *ret_now)
{
  ret_now->awake = read_clock (CLOCK_MONOTONIC);
  ret_now->boot = read_clock (CLOCK_BOOTTIME);
  ret_now->cpu = read_clock (CLOCK_THREAD_CPUTIME_ID);
}

static struct weir_moment
get_now (const struct weir_meter *meter)
{
  struct weir_moment now;

  meter->read_clocks (&now);
  return now;
}

static int
introduce (struct weir_meter *meter, struct weir_meter_setup *setup)
{
  struct weir_writer *writer = weir_client_get_writer (&meter->client);
  struct weir_hello hello = {
    .version = WEIR_PROTOCOL_VERSION,
    .pid = (uint32_t) getpid (),
    .view = (uint8_t) setup->view,
  };
  int result;

  /* Room that grew by realloc(3) would leave a copy of the nonce behind. */
  weir_writer_reserve (writer, WEIR_FRAME_HEADER_SIZE + WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  memcpy (hello.nonce, setup->nonce, sizeof hello.nonce);
  snprintf (hello.engine_version, sizeof hello.engine_version, "%s", WEIR_VERSION);
  weir_write_hello (writer, &hello);
  explicit_bzero (setup->nonce, sizeof setup->nonce);
  explicit_bzero (hello.nonce, sizeof hello.nonce);
  result = writer->error < 0 ? writer->error : weir_client_flush (&meter->client);
  /* The very first bytes on an empty socket are never too many. */
  if (result == 0 && !weir_client_is_idle (&meter->client))
    result = -EPIPE;
  if (writer->data != NULL)
    explicit_bzero (writer->data, writer->capacity);
  if (result < 0)
    return result;

  weir_meter_write_posture (meter, writer);
  weir_meter_write_sources (meter, writer);
  if (meter->config->n_notices > 0)
    weir_write_notices (writer, meter->config->notices, meter->config->n_notices);
  return writer->error < 0 ? writer->error : weir_client_flush (&meter->client);
}

/* A front end believes nobody whose process has ended: until it has heard the last words and
 * closes, the process stays.  What it sends meanwhile is not for anybody any more. */
static void
linger (const struct weir_meter *meter)
{
  struct pollfd client = { .fd = meter->client.fd, .events = POLLIN };
  uint64_t end = get_now (meter).awake + LINGER_MS * WEIR_MS;
  uint64_t now;

  if (meter->client.started)
    return;
  while ((now = get_now (meter).awake) < end)
    {
      uint8_t unread[256];
      ssize_t n;

      if (poll (&client, 1, (int) ((end - now) / WEIR_MS) + 1) <= 0)
        continue;
      n = recv (meter->client.fd, unread, sizeof unread, MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        return;
    }
}

/* Says why the engine ends, as far as anybody still listens. */
static void
say_goodbye (struct weir_meter *meter, enum weir_bye_reason reason, enum weir_error_code code,
             int error, const char *what)
{
  struct weir_writer *writer = weir_client_get_writer (&meter->client);
  struct pollfd client = { .fd = meter->client.fd, .events = POLLOUT };
  uint64_t end = get_now (meter).awake + FAREWELL_MS * WEIR_MS;

  /* After a failed write the stream may have ended inside a frame. */
  if (writer->error < 0)
    return;
  if (code != WEIR_ERROR_NONE)
    {
      struct weir_error message = { .code = (uint16_t) code, .error = error };

      snprintf (message.what, sizeof message.what, "%s", what);
      weir_write_error (writer, &message);
    }
  weir_write_bye (writer, reason);
  while (weir_client_flush (&meter->client) == 0 && !weir_client_is_idle (&meter->client))
    {
      uint64_t now = get_now (meter).awake;

      if (now >= end || poll (&client, 1, (int) ((end - now) / WEIR_MS) + 1) <= 0)
        break;
    }
  if (reason != WEIR_BYE_STOPPED)
    linger (meter);
}

/* How many there are is returned. */
static unsigned
list_descriptors (const struct weir_meter *meter, uint64_t awake, struct pollfd polled[POLLED_MAX])
{
  const struct weir_descriptors *fds = &meter->fds;

  /* A negative descriptor is ignored by poll(2). */
  for (unsigned i = 0; i < N_DESCRIPTORS; i++)
    polled[i] = (struct pollfd) { .fd = -1, .events = POLLIN };
  polled[CLIENT].fd = fds->client;
  if (!weir_client_is_idle (&meter->client))
    polled[CLIENT].events |= POLLOUT;
  if (meter->socket_events_error == 0)
    polled[SOCKET_EVENTS].fd = fds->sock_events;
  if (meter->conntrack_events_error == 0)
    polled[CONNTRACK_EVENTS].fd = fds->conntrack_events;
  if (meter->sockdiag.running)
    polled[SOCKETS].fd = fds->sock_diag;
  if (meter->conntrack.running)
    polled[CONNTRACK].fd = fds->conntrack_dump;
  if (meter->interfaces.running)
    polled[ROUTE].fd = fds->route;
  if (!meter->keeper_stopped)
    polled[KEEPER].fd = fds->keeper;
  if (meter->forwarding.running || meter->forwarding.known)
    polled[FORWARDING].fd = meter->forwarding.fd;
  polled[LOOKER].fd = meter->owners.fd;
  polled[TELLER].fd = meter->details.fd;
  if (weir_meter_get_bpf_events_due (meter, awake) == UINT64_MAX)
    polled[PROGRAMS].fd = weir_bpf_source_get_fd (&meter->bpf);
  return N_DESCRIPTORS + weir_namespaces_poll (&meter->namespaces, polled + N_DESCRIPTORS);
}

static int
wait_for_events (struct weir_meter *meter, struct pollfd polled[POLLED_MAX], bool more,
                 unsigned *ret_n)
{
  struct weir_moment moment = get_now (meter);
  uint64_t now = moment.awake;
  uint64_t due = weir_meter_get_due (meter, now);
  uint64_t announce = weir_meter_get_announce_due (meter, now);
  uint64_t events = weir_meter_get_bpf_events_due (meter, now);
  uint64_t lookup = weir_lookup_get_due (&meter->lookup, &meter->join, &meter->owners);
  uint64_t leash = meter->client.renewed + WEIR_LEASH_MS * WEIR_MS;
  uint64_t wait;

  *ret_n = list_descriptors (meter, now, polled);
  if (leash < due)
    due = leash;
  if (announce < due)
    due = announce;
  if (events < due)
    due = events;
  if (weir_details_source_get_due (&meter->details) < due)
    due = weir_details_source_get_due (&meter->details);
  wait = due > now ? due - now : 0;
  if (lookup != UINT64_MAX && (lookup <= moment.boot || lookup - moment.boot < wait))
    wait = lookup > moment.boot ? lookup - moment.boot : 0;
  /* Rounded up: waking a little too early would mean to wake twice. */
  if (poll (polled, *ret_n, more ? 0 : (int) (wait / WEIR_MS) + (wait % WEIR_MS > 0)) < 0 &&
      errno != EINTR)
    return -errno;
  return 0;
}

/* Asks for what the front end wants to know of a process, and tells what is known by now. */
static void
tell_details (struct weir_meter *meter, uint64_t awake)
{
  struct weir_client *client = &meter->client;

  if (client->wants_details)
    weir_details_source_ask (&meter->details, &client->details, awake);
  client->wants_details = false;
  weir_details_source_advance (&meter->details, awake);
  if (weir_client_is_idle (client))
    weir_details_source_write (&meter->details, weir_client_get_writer (client));
}

/* Whatever the front end wished last, within what the administrator allows. */
static void
limit_rows (struct weir_meter *meter)
{
  const uint32_t wished = meter->client.rows, allowed = meter->config->rows_max;

  meter->publisher.rows_max = wished < allowed ? wished : allowed;
}

/* One turn of the loop. */
static int
turn (struct weir_meter *meter, bool *more, enum weir_client_end *ret_end)
{
  struct pollfd polled[POLLED_MAX];
  struct weir_moment now;
  unsigned n_polled;
  int result;

  result = wait_for_events (meter, polled, *more, &n_polled);
  if (result < 0)
    return result;
  now = get_now (meter);
  /* Before all else: events are lost when they are not read, and everything that a dump says has to
   * be compared with what they said before.  First those of the kernel programs, who know of a
   * socket before anybody else does. */
  *more = weir_meter_read_events (meter, now.boot);
  if (weir_meter_read_namespace_events (meter, polled + N_DESCRIPTORS, n_polled - N_DESCRIPTORS,
                                        now.boot))
    *more = true;
  if (polled[CLIENT].revents & ~POLLOUT)
    *ret_end = weir_client_read (&meter->client, now.awake);
  limit_rows (meter);
  if (*ret_end == WEIR_CLIENT_SERVING && weir_client_leash_is_out (&meter->client, now.awake))
    *ret_end = WEIR_CLIENT_LEASH;
  if (*ret_end != WEIR_CLIENT_SERVING)
    return 0;

  weir_lookup_advance (&meter->lookup, &meter->join, &meter->owners, now.boot);
  if (polled[KEEPER].revents)
    weir_meter_read_keeper (meter);
  if (polled[LOOKER].revents)
    weir_owners_source_read (&meter->owners, &meter->join.owners, now.boot);
  if (polled[TELLER].revents)
    weir_details_source_read (&meter->details);
  if (polled[ROUTE].revents && weir_interfaces_read (&meter->interfaces, now.boot) > 0 &&
      meter->interfaces.error == 0)
    weir_meter_note_links (meter);
  if (polled[FORWARDING].revents)
    weir_forwarding_read (&meter->forwarding);
  if (polled[SOCKETS].revents)
    {
      uint64_t began = get_now (meter).cpu;

      weir_meter_read_sockets (meter, now.boot);
      weir_governor_spend (&meter->sockets_governor, get_now (meter).cpu - began);
      if (!meter->sockdiag.running)
        weir_governor_finish (&meter->sockets_governor);
    }
  if (polled[CONNTRACK].revents)
    {
      uint64_t began = get_now (meter).cpu;

      weir_meter_read_conntrack (meter, &now);
      weir_governor_spend (&meter->governor, get_now (meter).cpu - began);
    }

  tell_details (meter, now.awake);
  weir_meter_read_namespaces (meter, &now);

  result = weir_meter_advance (meter, &now);
  if (result == 0)
    result = weir_meter_announce (meter, &now);
  if (result == 0 && weir_client_flush (&meter->client) < 0)
    *ret_end = WEIR_CLIENT_GONE;
  return result;
}

static int
serve (struct weir_meter *meter, const struct weir_meter_setup *setup)
{
  enum weir_client_end end = WEIR_CLIENT_SERVING;
  bool more = false;
  int result = 0;
  char what[128];

  if (meter->config->strict != 0 &&
      weir_strict_refuses (setup->processes, setup->n_processes, what, sizeof what))
    {
      say_goodbye (meter, WEIR_BYE_ERROR, WEIR_ERROR_STRICT, 0, what);
      return WEIR_EXIT_STRICT;
    }
  if (!weir_meter_has_source (meter))
    {
      say_goodbye (meter, WEIR_BYE_ERROR, WEIR_ERROR_SOURCES, meter->fds.sock_diag_error,
                   "no source could be opened");
      return WEIR_EXIT_SOURCES;
    }
  while (end == WEIR_CLIENT_SERVING && result == 0)
    result = turn (meter, &more, &end);
  if (result < 0)
    {
      say_goodbye (meter, WEIR_BYE_ERROR, WEIR_ERROR_INTERNAL, -result, "meter");
      return WEIR_EXIT_RESOURCES;
    }
  if (end == WEIR_CLIENT_STOPPED)
    say_goodbye (meter, WEIR_BYE_STOPPED, WEIR_ERROR_NONE, 0, "");
  else if (end == WEIR_CLIENT_LEASH)
    say_goodbye (meter, WEIR_BYE_LEASH, WEIR_ERROR_NONE, 0, "");
  else if (end == WEIR_CLIENT_BROKE_PROTOCOL)
    say_goodbye (meter, WEIR_BYE_ERROR, WEIR_ERROR_PROTOCOL, EPROTO, "request");
  return WEIR_EXIT_DONE;
}

static void
begin_namespaces (struct weir_meter *meter, const struct weir_meter_setup *setup)
{
  weir_namespaces_init (&meter->namespaces, &meter->join, &setup->namespaces);
  for (unsigned i = 0; i < setup->n_processes; i++)
    meter->namespaces.own_pids[i] = setup->processes[i].pid;
  /* Nobody would tell when one is to be let go. */
  if (setup->fds.looker < 0)
    weir_namespaces_stop (&meter->namespaces);
  else if ((meter->config->off & WEIR_OFF_NAMESPACES) == 0)
    meter->owners.namespaces = &meter->namespaces;
}

int
weir_meter_run (struct weir_meter_setup *setup)
{
  struct weir_meter *meter = calloc (1, sizeof *meter);
  int code = WEIR_EXIT_RESOURCES;

  if (meter == NULL)
    return code;
  meter->config = weir_config_or_defaults (setup->config);
  meter->fds = setup->fds;
  meter->view = setup->view;
  meter->looks_at_all_users = setup->looks_at_all_users;
  meter->accounting = -1;
  meter->counts = setup->counts;
  meter->read_clocks = setup->read_clocks != NULL ? setup->read_clocks : read_system_clocks;
  weir_client_init (&meter->client, setup->fds.client, get_now (meter).awake);
  meter->client.floor_ms = meter->config->min_interval_ms;
  weir_publisher_init (&meter->publisher, 0);
  weir_sockdiag_init (&meter->sockdiag, setup->fds.sock_diag);
  meter->conntrack.fd = setup->fds.conntrack_dump;
  weir_owners_source_init (&meter->owners, setup->fds.looker);
  weir_details_source_init (&meter->details, setup->fds.teller, setup->tells_nothing);
  weir_forwarding_init (&meter->forwarding, setup->fds.forwarding);
  weir_meter_init_announce (meter);
  weir_lookup_init (&meter->lookup, setup->fds.sock_exact);
  if (weir_bpf_source_init (&meter->bpf, &setup->bpf) == 0 &&
      weir_join_init (&meter->join, setup->netns, setup->looks_at_all_users,
                      meter->config->flows_max) == 0)
    {
      weir_interfaces_init (&meter->interfaces, setup->fds.route, &meter->join.own.addresses);
      weir_interfaces_set_wireless (&meter->interfaces, setup->fds.generic);
      begin_namespaces (meter, setup);
      weir_meter_read_accounting (meter);
      if (weir_meter_begin_bpf (meter, setup) == 0)
        {
          weir_meter_begin_posture (meter, setup);
          code = introduce (meter, setup) == 0 ? serve (meter, setup) : WEIR_EXIT_HANDOFF;
        }
      weir_interfaces_clear (&meter->interfaces);
      weir_namespaces_clear (&meter->namespaces);
      weir_join_clear (&meter->join);
    }
  weir_bpf_source_clear (&meter->bpf);
  weir_lookup_clear (&meter->lookup);
  weir_publisher_clear (&meter->publisher);
  weir_client_clear (&meter->client);
  free (meter);
  return code;
}
