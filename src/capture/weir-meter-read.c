/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "weir-keeper.h"
#include "weir-meter-private.h"

/* Buffers that are read before the loop looks at everything else again: events first and most, for
 * they are lost when they are not read.  A millisecond or so of them: who makes connections as fast
 * as they are read here must not keep everybody from being told of any. */
#define EVENTS_BUDGET 256
/* Of each other namespace: whoever is root in one can send events there without end. */
#define NAMESPACE_EVENTS_BUDGET 64
#define EVENTS_ROUNDS           256
#define DUMP_BUDGET             32
/* Other namespaces have one part in so many of a processor. */
#define NAMESPACES_SHARE 50
/* ... and this where kernel programs tell most of it. */
#define NAMESPACES_SMALL_SHARE WEIR_GOVERNOR_LEAST_SHARE
/* One verb, one answer: more than a few is no keeper of this program. */
#define KEEPER_BUDGET 8

struct reading
{
  struct weir_meter *meter;
  uint64_t now;
};

static void
take_socket (const struct weir_socket_reading *socket, enum weir_sockdiag_event event, void *data)
{
  const struct reading *reading = data;

  weir_join_socket (&reading->meter->join, &reading->meter->join.own, socket, event, reading->now);
}

static void
take_entry (const struct weir_conntrack_reading *entry, enum weir_conntrack_event event, void *data)
{
  const struct reading *reading = data;

  weir_join_conntrack (&reading->meter->join, entry, event, reading->now);
}

/* Between receiving a part of a dump and believing it: what events are queued now are newer than it
 * or as new, so that the join can tell what of it is no longer true. */
static void
read_events_first (void *data)
{
  const struct reading *reading = data;

  /* Bounded: under a flood of events the front end must be heard all the same. */
  for (unsigned i = 0; i < EVENTS_ROUNDS && weir_meter_read_events (reading->meter, reading->now);
       i++)
    continue;
}

bool
weir_meter_read_events (struct weir_meter *meter, uint64_t now)
{
  struct reading reading = { meter, now };
  bool more = weir_meter_read_bpf_events (meter, now);
  int result;

  if (meter->fds.sock_events >= 0 && meter->socket_events_error == 0)
    {
      result = weir_sockdiag_read_events (meter->fds.sock_events, EVENTS_BUDGET, take_socket,
                                          &reading, &meter->socket_losses);
      if (result < 0)
        meter->socket_events_error = -result;
      more |= result > 0;
    }
  if (meter->fds.conntrack_events >= 0 && meter->conntrack_events_error == 0)
    {
      const uint64_t losses = meter->conntrack_losses;

      result = weir_conntrack_read_events (meter->fds.conntrack_events, EVENTS_BUDGET, take_entry,
                                           &reading, &meter->conntrack_losses);
      if (result < 0)
        meter->conntrack_events_error = -result;
      weir_meter_note_events (meter, losses, result <= 0);
      more |= result > 0;
    }
  return more;
}

/* Those that the series did not have. */
static void
read_proc_sockets (struct weir_meter *meter, struct reading *reading)
{
  const int *errors = meter->sockdiag.step_errors;

  meter->raw_error = 0;
  for (enum weir_proc_table table = 0; table < WEIR_PROC_TABLES; table++)
    {
      int result;

      if ((table == WEIR_PROC_RAW && errors[WEIR_SOCKDIAG_RAW] == 0) ||
          (table == WEIR_PROC_RAW6 && errors[WEIR_SOCKDIAG_RAW6] == 0))
        continue;
      /* Without IPv6 there is no file, and there are no sockets. */
      if (meter->fds.proc_sockets[table] < 0 &&
          (table == WEIR_PROC_RAW6 || table == WEIR_PROC_ICMP6))
        continue;
      result = meter->fds.proc_sockets[table] < 0
                   ? -ENOENT
                   : weir_proc_sockets_read (meter->fds.proc_sockets[table], table, take_socket,
                                             reading);
      if (result == 0)
        continue;
      meter->raw_error = -result;
      /* What it did not come to has not ended by that. */
      weir_receivers_keep (&meter->join.receivers, &meter->join.owners, meter->join.own.inode,
                           weir_proc_sockets_get_kind (table), weir_proc_sockets_get_family (table),
                           meter->join.own.round);
    }
}

void
weir_meter_read_sockets (struct weir_meter *meter, uint64_t now)
{
  struct reading reading = { meter, now };

  if (!meter->sockdiag.running ||
      weir_sockdiag_read (&meter->sockdiag, DUMP_BUDGET, read_events_first, take_socket,
                          &reading) == 0)
    return;
  if (meter->sockdiag.error != 0)
    return;
  read_proc_sockets (meter, &reading);
  weir_join_sockets_complete (&meter->join, &meter->join.own);
  meter->publisher.read_at[WEIR_SOURCE_SOCKDIAG] = now;
}

void
weir_meter_end_conntrack (struct weir_meter *meter, bool complete)
{
  meter->conntrack.running = false;
  weir_join_conntrack_end (&meter->join, complete);
  weir_meter_choose_share (meter);
}

void
weir_meter_lose_keeper (struct weir_meter *meter)
{
  meter->keeper_stopped = true;
  if (meter->conntrack.running)
    weir_meter_end_conntrack (meter, false);
  weir_meter_stop_bpf (meter);
}

void
weir_meter_ask_conntrack (struct weir_meter *meter, uint64_t awake)
{
  const uint8_t verb = WEIR_KEEPER_DUMP;

  if (meter->fds.conntrack_dump < 0 || meter->fds.keeper < 0 || meter->keeper_stopped ||
      meter->conntrack.running || meter->posture.keeper_asked)
    return;
  if (send (meter->fds.keeper, &verb, sizeof verb, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof verb)
    {
      weir_meter_lose_keeper (meter);
      return;
    }
  meter->conntrack.sequence++;
  /* Before the keeper's answer: what it asks for may be here before that. */
  meter->conntrack.running = true;
  meter->conntrack.interrupted = false;
  meter->conntrack.error = 0;
  meter->conntrack_asked = awake;
  if (meter->events_drained)
    meter->resync_wanted = false;
  weir_join_conntrack_begin (&meter->join);
}

/* A keeper's answer to each of its verbs; they are told apart by their sizes. */
union keeper_answer
{
  uint8_t dump[WEIR_KEEPER_ANSWER_SIZE];
  struct weir_process_status retired;
};

/* What asking for the dump has cost the keeper, in ns. */
static uint64_t
get_keeper_cost (const uint8_t answer[WEIR_KEEPER_ANSWER_SIZE])
{
  uint32_t cpu_us = answer[1] | (uint32_t) answer[2] << 8 | (uint32_t) answer[3] << 16 |
                    (uint32_t) answer[4] << 24;

  return cpu_us * UINT64_C (1000);
}

static void
take_dump_answer (struct weir_meter *meter, const uint8_t answer[WEIR_KEEPER_ANSWER_SIZE])
{
  weir_governor_spend (&meter->governor, get_keeper_cost (answer));
  if (answer[0] == WEIR_KEEPER_DONE || !meter->conntrack.running)
    return;
  if (answer[0] != WEIR_KEEPER_BUSY)
    meter->conntrack.error = EPERM;
  weir_meter_end_conntrack (meter, false);
}

void
weir_meter_read_keeper (struct weir_meter *meter)
{
  union keeper_answer answer;
  ssize_t n;

  for (unsigned i = 0; i < KEEPER_BUDGET && meter->fds.keeper >= 0 && !meter->keeper_stopped; i++)
    {
      n = recv (meter->fds.keeper, &answer, sizeof answer, MSG_DONTWAIT | MSG_TRUNC);
      if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
      if (n == sizeof answer.dump)
        take_dump_answer (meter, answer.dump);
      else if (n == sizeof answer.retired && meter->posture.keeper_asked)
        weir_meter_take_report (meter, &answer.retired);
      else
        {
          /* End of file, or no keeper of this program. */
          weir_meter_lose_keeper (meter);
          return;
        }
    }
}

void
weir_meter_read_conntrack (struct weir_meter *meter, const struct weir_moment *now)
{
  struct reading reading = { meter, now->boot };

  if (!meter->conntrack.running ||
      weir_conntrack_read (&meter->conntrack, DUMP_BUDGET, read_events_first, take_entry,
                           &reading) == 0)
    return;
  weir_meter_end_conntrack (meter, meter->conntrack.error == 0);
  if (meter->conntrack.error == 0 && meter->conntrack.interrupted && !meter->conntrack_repeated)
    {
      meter->conntrack_repeated = true;
      weir_meter_ask_conntrack (meter, now->awake);
      return;
    }
  if (meter->conntrack.error == 0)
    meter->publisher.read_at[WEIR_SOURCE_CONNTRACK] = now->boot;
  /* The kernel was still busy with an older dump: no failure, just nothing new. */
  else if (meter->conntrack.error == EBUSY)
    meter->conntrack.error = 0;
}

void
weir_meter_read_accounting (struct weir_meter *meter)
{
  char text[8];
  ssize_t n;

  meter->accounting = -1;
  if (meter->fds.accounting < 0)
    return;
  n = pread (meter->fds.accounting, text, sizeof text, 0);
  if (n > 0)
    meter->accounting = text[0] != '0';
}

static uint64_t
cpu_now (const struct weir_meter *meter)
{
  struct weir_moment now;

  meter->read_clocks (&now);
  return now.cpu;
}

bool
weir_meter_read_namespace_events (struct weir_meter *meter, const struct pollfd *polled, unsigned n,
                                  uint64_t now)
{
  const uint64_t began = cpu_now (meter);
  bool more;

  more = weir_namespaces_read_events (&meter->namespaces, polled, n, NAMESPACE_EVENTS_BUDGET, now);
  weir_namespaces_spend_on_events (&meter->namespaces, cpu_now (meter) - began);
  return more;
}

void
weir_meter_start_namespaces (struct weir_meter *meter, const struct weir_moment *now)
{
  const uint64_t began = cpu_now (meter);
  const uint64_t interval = weir_client_get_interval (&meter->client, now->awake);
  const bool has_bpf = weir_meter_has_bpf (meter);

  weir_namespaces_start (&meter->namespaces,
                         interval / (has_bpf ? NAMESPACES_SMALL_SHARE : NAMESPACES_SHARE), has_bpf,
                         now);
  weir_namespaces_spend (&meter->namespaces, cpu_now (meter) - began);
}

void
weir_meter_read_namespaces (struct weir_meter *meter, const struct weir_moment *now)
{
  uint64_t began;

  if (!meter->namespaces.running)
    return;
  began = cpu_now (meter);
  weir_namespaces_read (&meter->namespaces, DUMP_BUDGET, now);
  weir_namespaces_spend (&meter->namespaces, cpu_now (meter) - began);
}
