/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <time.h>

#include "weir-meter-private.h"

/* How long a tick waits for all that was asked.  What is late is merged into the next. */
#define PATIENCE (500 * WEIR_MS)
/* Without its own addresses the engine could not tell local flows from forwarded ones. */
#define PATIENCE_FOR_ADDRESSES (2000 * WEIR_MS)
/* A dump of the largest table takes less than a second. */
#define PATIENCE_WITH_DUMP (10000 * WEIR_MS)

static uint64_t
realtime (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_REALTIME, &now);
  return (uint64_t) now.tv_sec * 1000 * WEIR_MS + (uint64_t) now.tv_nsec;
}

static bool
waits_for_addresses (const struct weir_meter *meter)
{
  return !meter->join.own.addresses.known && meter->interfaces.running;
}

static uint64_t
get_deadline (const struct weir_meter *meter)
{
  return meter->tick_began + (waits_for_addresses (meter) ? PATIENCE_FOR_ADDRESSES : PATIENCE);
}

static uint64_t
get_next (const struct weir_meter *meter, uint64_t awake)
{
  uint64_t interval = weir_client_get_interval (&meter->client, awake);

  if (interval == UINT64_MAX)
    return UINT64_MAX;
  return meter->tick_began == 0 ? awake : meter->tick_began + interval;
}

bool
weir_meter_has_dumps (const struct weir_meter *meter)
{
  return meter->fds.conntrack_dump >= 0 && meter->fds.keeper >= 0 && !meter->keeper_stopped;
}

uint64_t
weir_meter_get_cadence (const struct weir_meter *meter, uint64_t awake, uint8_t *ret_why)
{
  uint64_t interval = weir_client_get_interval (&meter->client, awake);
  uint64_t dumps = interval;

  *ret_why = weir_client_get_why (&meter->client, awake);
  if (interval == UINT64_MAX)
    return interval;
  /* What kernel programs count is read at every tick, as far as it is not too much for one. */
  if (weir_meter_has_bpf (meter))
    dumps = interval * weir_meter_get_bpf_ticks (meter);
  else if (weir_meter_has_dumps (meter))
    dumps = weir_governor_get_interval (&meter->governor, interval);
  if (dumps > interval)
    *ret_why = WEIR_CADENCE_GOVERNED;
  return dumps;
}

uint64_t
weir_meter_get_due (const struct weir_meter *meter, uint64_t awake)
{
  uint64_t tick = meter->phase == WEIR_PHASE_IDLE ? get_next (meter, awake) : get_deadline (meter);
  uint64_t resync = weir_meter_get_resync_due (meter, awake);

  return tick < resync ? tick : resync;
}

static void
ask_conntrack (struct weir_meter *meter, uint64_t awake)
{
  uint64_t interval = weir_client_get_interval (&meter->client, awake);

  if (meter->conntrack.running)
    return;
  /* One that was too late for its tick. */
  weir_governor_finish (&meter->governor);
  if (!weir_governor_allows (&meter->governor, interval, awake))
    return;
  weir_governor_begin (&meter->governor, awake);
  meter->conntrack_repeated = false;
  weir_meter_ask_conntrack (meter, awake);
}

static void
ask_sockets (struct weir_meter *meter, const struct weir_moment *now)
{
  /* One that was too late for its tick. */
  weir_governor_finish (&meter->sockets_governor);
  if (!weir_meter_wants_sockets (meter, now->awake))
    {
      weir_meter_refresh_sockets (meter, now->boot);
      return;
    }
  weir_governor_begin (&meter->sockets_governor, now->awake);
  weir_join_sockets_begin (&meter->join, &meter->join.own);
  meter->join.own.asked_at = now->boot;
  (void) weir_sockdiag_start (&meter->sockdiag);
}

static void
begin (struct weir_meter *meter, const struct weir_moment *now)
{
  const uint64_t awake = now->awake;
  uint64_t next = get_next (meter, awake);

  /* A steady beat, unless it was missed altogether. */
  meter->tick_began = awake - next < 100 * WEIR_MS ? next : awake;
  meter->phase = WEIR_PHASE_READING;
  weir_meter_read_accounting (meter);
  if (meter->conntrack.running && awake - meter->conntrack_asked > PATIENCE_WITH_DUMP)
    weir_meter_end_conntrack (meter, false);
  ask_conntrack (meter, awake);
  weir_forwarding_ask (&meter->forwarding, awake);
  if (meter->fds.route >= 0 && !meter->interfaces.running)
    (void) weir_interfaces_start (&meter->interfaces);
  if (meter->fds.sock_diag >= 0 && !meter->sockdiag.running)
    ask_sockets (meter, now);
  weir_meter_start_namespaces (meter, now);
}

static int
publish (struct weir_meter *meter, const struct weir_moment *moment)
{
  const uint64_t now = moment->boot;
  uint64_t cadence;
  uint8_t why;
  struct weir_writer *writer = weir_client_get_writer (&meter->client);
  struct weir_tick tick;
  int result;

  meter->phase = WEIR_PHASE_IDLE;
  /* Without a keeper there are no dumps: what events say is all there is. */
  meter->publisher.events_only = meter->keeper_stopped || meter->posture.left_conntrack;
  if (meter->publisher.events_only)
    meter->publisher.read_at[WEIR_SOURCE_CONNTRACK] = now;
  weir_meter_read_bpf (meter, now);
  weir_join_settle (&meter->join, now);
  weir_meter_advance_posture (meter, moment->awake);
  if (!weir_client_is_idle (&meter->client))
    {
      /* The front end is still busy with an earlier one: nothing is forgotten, it all stays to be
       * told. */
      meter->coalesced++;
      return 0;
    }
  cadence = weir_meter_get_cadence (meter, moment->awake, &why);
  meter->is_governed = why == WEIR_CADENCE_GOVERNED && !weir_meter_has_bpf (meter);
  weir_meter_write_posture (meter, writer);
  weir_meter_write_sources (meter, writer);
  /* Who wishes to hear of flows between two ticks wishes to hear of all. */
  meter->publisher.tells_all = weir_client_get_announce (&meter->client, moment->awake) != 0;
  result = weir_publisher_publish (&meter->publisher, &meter->join, now, writer, &tick);
  if (result < 0)
    return result;
  weir_interfaces_publish (&meter->interfaces, writer);
  weir_join_publish_receivers (&meter->join, writer);
  weir_namespaces_publish (&meter->namespaces, writer);
  tick.realtime = realtime ();
  tick.coalesced = meter->coalesced;
  tick.cadence_ms = (uint32_t) (cadence / WEIR_MS);
  tick.cadence = why;
  weir_write_tick (writer, &tick);
  return writer->error;
}

/* Publishes; what that takes after a dump is part of what the dump costs. */
static int
publish_and_count (struct weir_meter *meter, const struct weir_moment *now)
{
  struct weir_moment began, ended;
  int result;

  meter->read_clocks (&began);
  result = publish (meter, now);
  meter->read_clocks (&ended);
  if (!meter->conntrack.running)
    {
      weir_governor_spend (&meter->governor, ended.cpu - began.cpu);
      weir_governor_finish (&meter->governor);
    }
  return result;
}

int
weir_meter_advance (struct weir_meter *meter, const struct weir_moment *now)
{
  bool late;

  weir_meter_resync (meter, now->awake);
  if (meter->phase == WEIR_PHASE_IDLE)
    {
      if (get_next (meter, now->awake) > now->awake)
        return 0;
      begin (meter, now);
    }
  late = now->awake >= get_deadline (meter);
  if (meter->phase == WEIR_PHASE_READING)
    {
      if (!late && (meter->sockdiag.running || meter->conntrack.running ||
                    meter->interfaces.running || meter->namespaces.running))
        return 0;
      meter->phase = WEIR_PHASE_NAMING;
    }
  weir_owners_source_ask (&meter->owners, &meter->join.owners, now->boot);
  if (!late && meter->owners.asking && weir_owners_waits (&meter->join.owners))
    return 0;
  return publish_and_count (meter, now);
}
