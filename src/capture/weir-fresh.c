/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-fresh.h"

#define MS UINT64_C (1000000)

/* From the announcement, or the answer before. */
static const uint64_t delays[WEIR_FRESH_TRIES] = { 0, 5 * MS, 25 * MS, 90 * MS };

/* Whoever was not asked for until then is as well found by the next dump. */
#define STALE (250 * MS)

void
weir_fresh_add (struct weir_fresh *fresh, const struct weir_flow *flow, uint8_t try, uint64_t now)
{
  struct weir_fresh_queue *queue;

  if (try >= WEIR_FRESH_TRIES)
    return;
  queue = &fresh->queues[try];
  if (queue->n == WEIR_FRESH_MAX)
    {
      /* The newest has the best chance to be there still. */
      queue->first = (queue->first + 1) % WEIR_FRESH_MAX;
      queue->n--;
      fresh->dropped++;
    }
  queue->items[(queue->first + queue->n++) % WEIR_FRESH_MAX] = (struct weir_fresh_flow) {
    .id = flow->id,
    .due = now + delays[try],
    .number = flow->number,
    .try = try,
  };
}

static struct weir_flow *
take_from (struct weir_fresh *fresh, struct weir_fresh_queue *queue,
           const struct weir_flow_table *table, uint64_t now, uint8_t *ret_try)
{
  while (queue->n > 0 && queue->items[queue->first].due <= now)
    {
      const struct weir_fresh_flow *item = &queue->items[queue->first];
      struct weir_flow *flow = weir_flow_table_get (table, item->number);

      queue->first = (queue->first + 1) % WEIR_FRESH_MAX;
      queue->n--;
      if (flow == NULL || flow->id != item->id ||
          flow->flags & (WEIR_FLOW_IS_ENDED | WEIR_FLOW_OWNER_IS_EXACT))
        continue;
      if (now - item->due > STALE)
        {
          fresh->dropped++;
          continue;
        }
      *ret_try = item->try;
      return flow;
    }
  return NULL;
}

struct weir_flow *
weir_fresh_take (struct weir_fresh *fresh, const struct weir_flow_table *table, uint64_t now,
                 uint8_t *ret_try)
{
  struct weir_flow *flow = NULL;

  for (unsigned i = 0; i < WEIR_FRESH_TRIES && flow == NULL; i++)
    flow = take_from (fresh, &fresh->queues[i], table, now, ret_try);
  return flow;
}

uint64_t
weir_fresh_get_due (const struct weir_fresh *fresh)
{
  uint64_t due = UINT64_MAX;

  for (unsigned i = 0; i < WEIR_FRESH_TRIES; i++)
    {
      const struct weir_fresh_queue *queue = &fresh->queues[i];

      if (queue->n > 0 && queue->items[queue->first].due < due)
        due = queue->items[queue->first].due;
    }
  return due;
}
