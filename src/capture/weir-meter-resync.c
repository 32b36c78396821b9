/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When events of the connection tracking table were lost, the table is read at once.
 *
 * What cannot be got back are flows that began and ended unheard, and what a flow moved between its
 * last dump and an end that nobody heard of: hence the loss is counted and shown.  All else is in
 * the table: flows whose beginning was lost, and by their absence those whose end was.
 *
 * The kernel drops events until the queue was empty once (netlink_overrun(), NETLINK_S_CONGESTED),
 * and says so only once: a dump that began before is none that would make up for it. */
#include "weir-meter-private.h"

void
weir_meter_note_events (struct weir_meter *meter, uint64_t losses_before, bool drained)
{
  if (meter->conntrack_losses != losses_before)
    meter->resync_wanted = true;
  /* What passes through may have begun. */
  weir_meter_choose_share (meter);
  meter->events_drained = drained;
}

static bool
wants_resync (const struct weir_meter *meter, uint64_t awake)
{
  return meter->resync_wanted && !meter->conntrack.running && weir_meter_has_dumps (meter) &&
         weir_client_get_interval (&meter->client, awake) != UINT64_MAX;
}

uint64_t
weir_meter_get_resync_due (const struct weir_meter *meter, uint64_t awake)
{
  return wants_resync (meter, awake) ? weir_governor_get_affordable (&meter->governor) : UINT64_MAX;
}

void
weir_meter_resync (struct weir_meter *meter, uint64_t awake)
{
  if (!wants_resync (meter, awake) || !meter->events_drained ||
      awake < weir_governor_get_affordable (&meter->governor))
    return;
  weir_governor_finish (&meter->governor);
  weir_governor_begin (&meter->governor, awake);
  meter->conntrack_repeated = false;
  weir_meter_ask_conntrack (meter, awake);
}
