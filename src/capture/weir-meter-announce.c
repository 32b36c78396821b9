/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells of new flows before the tick, to front ends that wish it. */
#include "weir-meter-private.h"

/* At most a tenth of a processor: who makes connections without end gets them told of less often,
 * and in the end at the ticks.  That is what these would cost, for nothing is told twice; so it
 * need not be little, and 10 000 at once go through. */
#define ALLOWANCE_PART  10
#define ALLOWANCE_BURST (200 * WEIR_MS)

/* After a look that found nothing to tell. */
#define LOOK_GAP WEIR_MS

void
weir_meter_init_announce (struct weir_meter *meter)
{
  weir_allowance_init (&meter->announce.allowance, ALLOWANCE_PART, ALLOWANCE_BURST);
}

uint64_t
weir_meter_get_announce_due (const struct weir_meter *meter, uint64_t awake)
{
  const struct weir_announce *announce = &meter->announce;

  /* Before the first tick everything is new; and a front end that is behind gets no more. */
  if (weir_client_get_announce (&meter->client, awake) == 0 || meter->publisher.last_tick == 0 ||
      !weir_client_is_idle (&meter->client))
    return UINT64_MAX;
  if (meter->join.table.next_id != announce->seen_id ||
      (announce->waiting && meter->join.owners.news != announce->seen_owners))
    return announce->next;
  return announce->waiting ? announce->again : UINT64_MAX;
}

int
weir_meter_announce (struct weir_meter *meter, const struct weir_moment *now)
{
  struct weir_announce *announce = &meter->announce;
  struct weir_writer *writer = weir_client_get_writer (&meter->client);
  struct weir_moment began, ended;
  uint64_t wait;
  int n;

  if (weir_meter_get_announce_due (meter, now->awake) > now->awake)
    return 0;
  weir_allowance_update (&announce->allowance, now->awake);
  wait = weir_allowance_get_wait (&announce->allowance, 0);
  if (wait > 0)
    {
      announce->next = announce->again = now->awake + wait;
      return 0;
    }
  meter->read_clocks (&began);
  announce->seen_id = meter->join.table.next_id;
  announce->seen_owners = meter->join.owners.news;
  weir_join_settle_new (&meter->join, now->boot);
  n = weir_publisher_announce (&meter->publisher, &meter->join, now->boot, writer,
                               &announce->waiting);
  if (n > 0)
    weir_write_news (writer, now->boot);
  announce->again = now->awake + weir_client_get_announce (&meter->client, now->awake);
  announce->next = n > 0 ? announce->again : now->awake + LOOK_GAP;
  meter->read_clocks (&ended);
  weir_allowance_spend (&announce->allowance, ended.cpu - began.cpu);
  return n < 0 ? n : writer->error;
}
