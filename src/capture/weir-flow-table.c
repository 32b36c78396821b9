/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-flow-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert (sizeof (struct weir_flow_key) == 48, "a key must have no padding: it is hashed");
_Static_assert (sizeof (struct weir_flow) == 224 && sizeof (struct weir_flow_extra) == 80 &&
                    sizeof (struct weir_flow_bpf) == 120,
                "the memory stated in the header");

#define FIRST_BUCKETS 1024

int
weir_flow_table_init (struct weir_flow_table *table, uint32_t max)
{
  int result;

  *table = (struct weir_flow_table) { .max = max < WEIR_FLOWS_MAX ? max : WEIR_FLOWS_MAX };
  result = weir_hash_key_init (&table->hash_key);
  if (result < 0)
    return result;
  table->by_key = calloc (FIRST_BUCKETS, sizeof *table->by_key);
  table->by_cookie = calloc (FIRST_BUCKETS, sizeof *table->by_cookie);
  table->marks = calloc (table->max, sizeof *table->marks);
  if (table->by_key == NULL || table->by_cookie == NULL || table->marks == NULL)
    {
      weir_flow_table_clear (table);
      return -ENOMEM;
    }
  table->n_buckets = FIRST_BUCKETS;
  table->next_id = 1;
  return 0;
}

static struct weir_flow *
at_slot (const struct weir_flow_table *table, uint32_t slot)
{
  return &table->chunks[slot / WEIR_FLOWS_PER_CHUNK][slot % WEIR_FLOWS_PER_CHUNK];
}

static void
free_extra (struct weir_flow *flow)
{
  if (flow->extra != NULL)
    free (flow->extra->bpf);
  free (flow->extra);
}

void
weir_flow_table_clear (struct weir_flow_table *table)
{
  for (uint32_t slot = 0; slot < table->n_slots; slot++)
    free_extra (at_slot (table, slot));
  for (uint32_t i = 0; i < WEIR_FLOW_CHUNKS; i++)
    free (table->chunks[i]);
  free (table->by_key);
  free (table->by_cookie);
  free (table->marks);
  *table = (struct weir_flow_table) { 0 };
}

static uint32_t *
key_bucket (const struct weir_flow_table *table, const struct weir_flow_key *key)
{
  return &table->by_key[weir_hash (&table->hash_key, key, sizeof *key) & (table->n_buckets - 1)];
}

/* Keyed, too: the kernel counts cookies up, and a local program can keep those that it wants. */
static uint32_t *
cookie_bucket (const struct weir_flow_table *table, uint64_t cookie)
{
  uint64_t hash = weir_hash (&table->hash_key, &cookie, sizeof cookie);

  return &table->by_cookie[hash & (table->n_buckets - 1)];
}

static void
link_key (struct weir_flow_table *table, struct weir_flow *flow)
{
  uint32_t *bucket = key_bucket (table, &flow->key);

  flow->next_by_key = *bucket;
  *bucket = flow->number;
}

static void
link_cookie (struct weir_flow_table *table, struct weir_flow *flow)
{
  uint32_t *bucket = cookie_bucket (table, flow->cookie);

  flow->next_by_cookie = *bucket;
  *bucket = flow->number;
}

static void
unlink_key (struct weir_flow_table *table, struct weir_flow *flow)
{
  uint32_t *at = key_bucket (table, &flow->key);

  while (*at != 0 && at_slot (table, *at - 1) != flow)
    at = &at_slot (table, *at - 1)->next_by_key;
  if (*at != 0)
    *at = flow->next_by_key;
  flow->next_by_key = 0;
}

static void
unlink_cookie (struct weir_flow_table *table, struct weir_flow *flow)
{
  uint32_t *at = cookie_bucket (table, flow->cookie);

  while (*at != 0 && at_slot (table, *at - 1) != flow)
    at = &at_slot (table, *at - 1)->next_by_cookie;
  if (*at != 0)
    *at = flow->next_by_cookie;
  flow->next_by_cookie = 0;
}

struct weir_flow *
weir_flow_table_find (const struct weir_flow_table *table, const struct weir_flow_key *key)
{
  for (uint32_t number = *key_bucket (table, key); number != 0;)
    {
      struct weir_flow *flow = at_slot (table, number - 1);

      if (memcmp (&flow->key, key, sizeof *key) == 0)
        {
          table->marks[number - 1] |= WEIR_MARK_TOUCHED;
          return flow;
        }
      number = flow->next_by_key;
    }
  return NULL;
}

struct weir_flow *
weir_flow_table_find_cookie (const struct weir_flow_table *table, uint64_t cookie)
{
  if (cookie == 0)
    return NULL;
  for (uint32_t number = *cookie_bucket (table, cookie); number != 0;)
    {
      struct weir_flow *flow = at_slot (table, number - 1);

      if (flow->cookie == cookie)
        {
          table->marks[number - 1] |= WEIR_MARK_TOUCHED;
          return flow;
        }
      number = flow->next_by_cookie;
    }
  return NULL;
}

/* Doubles the indexes.  Without memory for it the chains just get longer. */
static void
grow_buckets (struct weir_flow_table *table)
{
  uint32_t n = table->n_buckets * 2;
  uint32_t *by_key = calloc (n, sizeof *by_key);
  uint32_t *by_cookie = calloc (n, sizeof *by_cookie);
  uint32_t *old_by_key = table->by_key, *old_by_cookie = table->by_cookie;

  if (by_key == NULL || by_cookie == NULL)
    {
      free (by_key);
      free (by_cookie);
      return;
    }
  table->by_key = by_key;
  table->by_cookie = by_cookie;
  table->n_buckets = n;
  /* Only what is linked now may be linked again: flows can be in the table without an index. */
  for (uint32_t i = 0; i < n / 2; i++)
    {
      uint32_t number, next;

      for (number = old_by_key[i]; number != 0; number = next)
        {
          struct weir_flow *flow = at_slot (table, number - 1);

          next = flow->next_by_key;
          link_key (table, flow);
        }
      for (number = old_by_cookie[i]; number != 0; number = next)
        {
          struct weir_flow *flow = at_slot (table, number - 1);

          next = flow->next_by_cookie;
          link_cookie (table, flow);
        }
    }
  free (old_by_key);
  free (old_by_cookie);
}

static uint32_t
take_slot (struct weir_flow_table *table)
{
  uint32_t number = table->first_free;

  if (number != 0)
    {
      table->first_free = at_slot (table, number - 1)->next_by_key;
      return number;
    }
  if (table->n_slots >= table->max)
    return 0;
  if (table->n_slots % WEIR_FLOWS_PER_CHUNK == 0)
    {
      struct weir_flow *chunk = calloc (WEIR_FLOWS_PER_CHUNK, sizeof *chunk);

      if (chunk == NULL)
        return 0;
      table->chunks[table->n_slots / WEIR_FLOWS_PER_CHUNK] = chunk;
    }
  return ++table->n_slots;
}

struct weir_flow *
weir_flow_table_add (struct weir_flow_table *table, const struct weir_flow_key *key, uint64_t now)
{
  uint32_t number = take_slot (table);
  struct weir_flow *flow;

  if (number == 0)
    {
      table->refused++;
      return NULL;
    }
  flow = at_slot (table, number - 1);
  *flow = (struct weir_flow) {
    .key = *key,
    .id = table->next_id++,
    .first_seen = now,
    .bytes_source = WEIR_SOURCE_NONE,
    .owner_missing = WEIR_MISSING_NOT_YET,
    .dirty = WEIR_FLOW_KEY | WEIR_FLOW_STATE | WEIR_FLOW_OWNER,
    .in_use = 1,
    .number = number,
  };
  table->marks[number - 1] = WEIR_MARK_IN_USE | WEIR_MARK_TOUCHED | WEIR_MARK_NEW;
  if (++table->n_flows > table->n_buckets)
    grow_buckets (table);
  link_key (table, flow);
  return flow;
}

struct weir_flow *
weir_flow_table_add_without_socket (struct weir_flow_table *table, const struct weir_flow_key *key,
                                    uint64_t now)
{
  if (table->n_flows >= table->max - table->max / WEIR_FLOWS_RESERVED)
    {
      table->refused++;
      return NULL;
    }
  return weir_flow_table_add (table, key, now);
}

void
weir_flow_table_unlink (struct weir_flow_table *table, struct weir_flow *flow)
{
  unlink_key (table, flow);
  weir_flow_table_set_cookie (table, flow, 0);
}

void
weir_flow_table_remove (struct weir_flow_table *table, struct weir_flow *flow)
{
  uint32_t number = flow->number;

  weir_flow_table_unlink (table, flow);
  free_extra (flow);
  *flow = (struct weir_flow) { .next_by_key = table->first_free };
  table->marks[number - 1] = 0;
  table->first_free = number;
  table->n_flows--;
}

void
weir_flow_table_rekey (struct weir_flow_table *table, struct weir_flow *flow,
                       const struct weir_flow_key *key)
{
  unlink_key (table, flow);
  flow->key = *key;
  flow->dirty |= WEIR_FLOW_KEY;
  link_key (table, flow);
}

void
weir_flow_table_set_cookie (struct weir_flow_table *table, struct weir_flow *flow, uint64_t cookie)
{
  if (flow->cookie == cookie)
    return;
  if (flow->cookie != 0)
    unlink_cookie (table, flow);
  flow->cookie = cookie;
  if (cookie != 0)
    link_cookie (table, flow);
}

struct weir_flow_extra *
weir_flow_need_extra (struct weir_flow *flow)
{
  if (flow->extra == NULL)
    flow->extra = calloc (1, sizeof *flow->extra);
  return flow->extra;
}

struct weir_flow_bpf *
weir_flow_need_bpf (struct weir_flow *flow)
{
  struct weir_flow_extra *extra = weir_flow_need_extra (flow);

  if (extra == NULL)
    return NULL;
  if (extra->bpf == NULL)
    extra->bpf = calloc (1, sizeof *extra->bpf);
  return extra->bpf;
}

struct weir_flow *
weir_flow_table_next (const struct weir_flow_table *table, uint32_t *slot)
{
  return weir_flow_table_next_marked (table, slot, WEIR_MARK_IN_USE);
}

struct weir_flow *
weir_flow_table_next_marked (const struct weir_flow_table *table, uint32_t *slot, uint8_t marks)
{
  const uint64_t wanted = marks * UINT64_C (0x0101010101010101);
  uint32_t at = *slot;

  while (at < table->n_slots)
    {
      uint64_t eight;

      /* Most have nothing to do: eight at a time. */
      if (at % 8 == 0 && table->n_slots - at >= 8)
        {
          memcpy (&eight, table->marks + at, sizeof eight);
          if ((eight & wanted) == 0)
            {
              at += 8;
              continue;
            }
        }
      if (table->marks[at++] & marks)
        {
          *slot = at;
          return at_slot (table, at - 1);
        }
    }
  *slot = at;
  return NULL;
}

struct weir_flow *
weir_flow_table_get (const struct weir_flow_table *table, uint32_t number)
{
  if (number == 0 || number > table->n_slots || table->marks[number - 1] == 0)
    return NULL;
  return at_slot (table, number - 1);
}

void
weir_flow_table_mark (struct weir_flow_table *table, const struct weir_flow *flow, uint8_t marks)
{
  table->marks[flow->number - 1] |= marks;
}

void
weir_flow_table_unmark (struct weir_flow_table *table, const struct weir_flow *flow, uint8_t marks)
{
  table->marks[flow->number - 1] &= (uint8_t) ~marks;
}

bool
weir_flow_table_is_marked (const struct weir_flow_table *table, const struct weir_flow *flow,
                           uint8_t marks)
{
  return (table->marks[flow->number - 1] & marks) != 0;
}

static void
get_bpf_bytes (const struct weir_flow_bpf *bpf, uint64_t *ret_rx, uint64_t *ret_tx)
{
  const bool segments = bpf->links == WEIR_LINKS_SEGMENTS;

  *ret_rx = bpf->base_rx_bytes + bpf->rx_bytes + (segments ? bpf->rx_extra : 0);
  *ret_tx = bpf->base_tx_bytes + bpf->tx_bytes + (segments ? bpf->tx_extra : 0);
}

bool
weir_flow_get_packets (const struct weir_flow *flow, uint64_t *ret_rx, uint64_t *ret_tx)
{
  const struct weir_flow_bpf *bpf = weir_flow_get_bpf (flow);

  switch (flow->bytes_source)
    {
    case WEIR_SOURCE_BPF:
      *ret_rx = bpf->base_rx_packets + bpf->rx_packets;
      *ret_tx = bpf->base_tx_packets + bpf->tx_packets;
      return true;
    case WEIR_SOURCE_CONNTRACK:
      *ret_rx = flow->ct_rx_packets;
      *ret_tx = flow->ct_tx_packets;
      return true;
    default:
      return false;
    }
}

bool
weir_flow_get_bytes (const struct weir_flow *flow, uint64_t *ret_rx, uint64_t *ret_tx)
{
  switch (flow->bytes_source)
    {
    case WEIR_SOURCE_CONNTRACK:
      *ret_rx = flow->ct_rx_bytes;
      *ret_tx = flow->ct_tx_bytes;
      return true;
    case WEIR_SOURCE_BPF:
      get_bpf_bytes (flow->extra->bpf, ret_rx, ret_tx);
      return true;
    case WEIR_SOURCE_SOCKDIAG:
      *ret_rx = flow->tcp_rx_bytes;
      *ret_tx = flow->tcp_tx_bytes;
      return true;
    default:
      return false;
    }
}
