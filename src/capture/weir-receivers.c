/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-receivers.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS    1024
#define FIRST_ROOM 64

int
weir_receivers_init (struct weir_receivers *receivers)
{
  int result;

  *receivers = (struct weir_receivers) { .next_id = 1 };
  result = weir_hash_key_init (&receivers->hash_key);
  if (result < 0)
    return result;
  receivers->buckets = calloc (BUCKETS, sizeof *receivers->buckets);
  return receivers->buckets != NULL ? 0 : -ENOMEM;
}

void
weir_receivers_clear (struct weir_receivers *receivers)
{
  free (receivers->items);
  free (receivers->buckets);
  *receivers = (struct weir_receivers) { 0 };
}

static uint32_t *
bucket_of (const struct weir_receivers *receivers, uint32_t inode)
{
  return &receivers->buckets[weir_hash (&receivers->hash_key, &inode, sizeof inode) % BUCKETS];
}

static struct weir_receiver *
find (const struct weir_receivers *receivers, uint32_t netns,
      const struct weir_socket_reading *reading)
{
  struct weir_receiver *receiver;

  for (uint32_t number = *bucket_of (receivers, reading->inode); number != 0;
       number = receiver->next)
    {
      receiver = &receivers->items[number - 1];
      if (receiver->inode == reading->inode && receiver->cookie == reading->cookie &&
          receiver->kind == reading->kind && receiver->netns == netns && !receiver->is_gone)
        return receiver;
    }
  return NULL;
}

static bool
has_room (const struct weir_receivers *receivers, uint8_t kind)
{
  if (receivers->n == WEIR_RECEIVERS_MAX)
    return false;
  return kind != WEIR_SOCKET_PORT ||
         receivers->n_ports < WEIR_RECEIVERS_MAX - WEIR_RECEIVERS_RESERVED;
}

/* Slots of what is gone are free once that was told, so there may be more than can be shown. */
static uint32_t
take_slot (struct weir_receivers *receivers)
{
  uint32_t number = receivers->first_free;

  if (number != 0)
    {
      receivers->first_free = receivers->items[number - 1].next;
      return number;
    }
  if (receivers->n_slots == receivers->capacity)
    {
      uint32_t capacity = receivers->capacity > 0 ? receivers->capacity * 2 : FIRST_ROOM;
      struct weir_receiver *items = NULL;

      if (capacity <= 2 * WEIR_RECEIVERS_MAX)
        items = reallocarray (receivers->items, capacity, sizeof *items);
      if (items == NULL)
        return 0;
      receivers->items = items;
      receivers->capacity = capacity;
    }
  return ++receivers->n_slots;
}

static struct weir_receiver *
add (struct weir_receivers *receivers, uint32_t netns, const struct weir_socket_reading *reading,
     uint64_t now)
{
  struct weir_receiver *receiver;
  uint32_t number = has_room (receivers, reading->kind) ? take_slot (receivers) : 0;

  if (number == 0)
    return NULL;
  receiver = &receivers->items[number - 1];
  /* With padding: fields are compared by bytes below. */
  memset (receiver, 0, sizeof *receiver);
  receiver->id = receivers->next_id++;
  receiver->cookie = reading->cookie;
  receiver->inode = reading->inode;
  receiver->netns = netns;
  receiver->first_seen = now;
  receiver->kind = reading->kind;
  receiver->in_use = true;
  receiver->next = *bucket_of (receivers, reading->inode);
  *bucket_of (receivers, reading->inode) = number;
  receivers->n++;
  receivers->n_ports += reading->kind == WEIR_SOCKET_PORT;
  return receiver;
}

static void
remove_slot (struct weir_receivers *receivers, struct weir_receiver *receiver)
{
  uint32_t number = (uint32_t) (receiver - receivers->items) + 1;
  uint32_t *at = bucket_of (receivers, receiver->inode);

  while (*at != number)
    at = &receivers->items[*at - 1].next;
  *at = receiver->next;
  *receiver = (struct weir_receiver) { .next = receivers->first_free };
  receivers->first_free = number;
}

static bool
listens (const struct weir_socket_reading *reading)
{
  return reading->state == WEIR_TCP_LISTEN;
}

bool
weir_receivers_see (struct weir_receivers *receivers, uint32_t netns, uint32_t round,
                    const struct weir_socket_reading *reading, uint32_t owner, uint64_t now)
{
  struct weir_receiver *receiver = find (receivers, netns, reading);
  struct weir_receiver before;

  if (receiver == NULL)
    receiver = add (receivers, netns, reading, now);
  if (receiver == NULL)
    return false;
  memcpy (&before, receiver, sizeof before);
  memcpy (receiver->address, reading->local.address, sizeof receiver->address);
  receiver->port = reading->local.port;
  receiver->protocol = reading->kind == WEIR_SOCKET_PACKET ? reading->ethertype : reading->protocol;
  if (reading->kind != WEIR_SOCKET_PACKET)
    receiver->family = weir_address_is_v4 (reading->local.address) ? 4 : 6;
  receiver->uid = reading->uid;
  receiver->ifindex = reading->ifindex;
  receiver->cgroup_id = reading->has_cgroup ? reading->cgroup_id : 0;
  receiver->v6_only = reading->v6_only;
  receiver->is_promiscuous = reading->is_promiscuous;
  receiver->has_queue = listens (reading);
  receiver->queue = receiver->has_queue ? reading->queue : 0;
  receiver->backlog = receiver->has_queue ? reading->backlog : 0;
  receiver->owner = owner;
  if (!receiver->is_published || memcmp (&before, receiver, sizeof before) != 0)
    receiver->is_dirty = true;
  receiver->round = round;
  return true;
}

const struct weir_receiver *
weir_receivers_find_packet (const struct weir_receivers *receivers, uint32_t netns, uint64_t cookie)
{
  for (uint32_t i = 0; i < receivers->n_slots; i++)
    {
      const struct weir_receiver *receiver = &receivers->items[i];

      if (receiver->kind == WEIR_SOCKET_PACKET && receiver->cookie == cookie &&
          receiver->netns == netns && receiver->in_use && !receiver->is_gone)
        return receiver;
    }
  return NULL;
}

void
weir_receivers_sweep (struct weir_receivers *receivers, uint32_t netns, uint32_t round)
{
  for (uint32_t i = 0; i < receivers->n_slots; i++)
    {
      struct weir_receiver *receiver = &receivers->items[i];

      if (!receiver->in_use || receiver->is_gone || receiver->netns != netns ||
          (int32_t) (receiver->round - round) >= 0)
        continue;
      receivers->n--;
      receivers->n_ports -= receiver->kind == WEIR_SOCKET_PORT;
      receiver->owner = 0;
      receiver->is_gone = receiver->is_dirty = true;
      if (!receiver->is_published)
        remove_slot (receivers, receiver);
    }
}

void
weir_receivers_keep (struct weir_receivers *receivers, const struct weir_owners *owners,
                     uint32_t netns, enum weir_socket_kind kind, uint8_t family, uint32_t round)
{
  for (uint32_t i = 0; i < receivers->n_slots; i++)
    {
      struct weir_receiver *receiver = &receivers->items[i];
      struct weir_owner *owner;

      if (!receiver->in_use || receiver->is_gone || receiver->netns != netns ||
          receiver->kind != kind || receiver->family != family)
        continue;
      receiver->round = round;
      owner = weir_owners_get (owners, receiver->owner);
      if (owner != NULL)
        owner->round = round;
    }
}

/* ---- publication ---- */

static void
settle_owner (struct weir_receiver *receiver, const struct weir_owners *owners)
{
  const struct weir_owner *owner = weir_owners_get (owners, receiver->owner);
  uint8_t how = WEIR_OWNER_NONE, version = 0;
  /* Without an inode no process can hold it: the kernel's own. */
  uint8_t missing = receiver->inode == 0 ? WEIR_MISSING_KERNEL : WEIR_MISSING_NOT_FOUND;

  if (owner != NULL)
    {
      version = owner->version;
      missing = owner->missing;
      if (owner->pid != 0)
        how = WEIR_OWNER_TUPLE;
      else if (*weir_owners_get_cgroup (owners, owner) != '\0')
        how = WEIR_OWNER_CGROUP;
    }
  if (receiver->owner_how != how || receiver->owner_missing != missing ||
      receiver->owner_version != version)
    receiver->is_dirty = true;
  receiver->owner_how = how;
  receiver->owner_missing = missing;
  receiver->owner_version = version;
}

static void
fill_owner (struct weir_receiver_record *record, const struct weir_receiver *receiver,
            const struct weir_owners *owners)
{
  const struct weir_owner *owner = weir_owners_get (owners, receiver->owner);

  record->owner_how = receiver->owner_how;
  record->owner_missing = receiver->owner_missing;
  record->has_uid = receiver->inode != 0;
  record->uid = receiver->uid;
  record->cgroup_id = receiver->cgroup_id;
  if (owner == NULL || receiver->owner_how == WEIR_OWNER_NONE)
    return;
  if (receiver->owner_how != WEIR_OWNER_CGROUP)
    {
      record->pid = owner->pid;
      record->start_time = owner->start_time;
      memcpy (record->comm, owner->comm, sizeof record->comm);
    }
  strncpy (record->cgroup, weir_owners_get_cgroup (owners, owner), WEIR_STRING_MAX);
}

static void
write_receiver (struct weir_receivers_writer *writer, const struct weir_receiver *receiver,
                const struct weir_owners *owners)
{
  struct weir_receiver_record record = {
    .id = receiver->id,
    .change = receiver->is_gone        ? WEIR_RECEIVER_GONE
              : receiver->is_published ? WEIR_RECEIVER_CHANGED
                                       : WEIR_RECEIVER_ADDED,
    .kind = receiver->kind,
    .family = receiver->family,
    .protocol = receiver->protocol,
    .v6_only = receiver->v6_only,
    .is_promiscuous = receiver->is_promiscuous,
    .has_queue = receiver->has_queue,
    .local = { .port = receiver->port },
    .ifindex = receiver->ifindex,
    .netns = receiver->netns,
    .inode = receiver->inode,
    .cookie = receiver->cookie,
    .first_seen = receiver->first_seen,
    .queue = receiver->queue,
    .backlog = receiver->backlog,
  };

  memcpy (record.local.address, receiver->address, sizeof record.local.address);
  fill_owner (&record, receiver, owners);
  weir_receivers_writer_add (writer, &record);
}

/* Whether there is anything to tell. */
static bool
settle (struct weir_receivers *receivers, const struct weir_owners *owners)
{
  bool any = false;

  for (uint32_t i = 0; i < receivers->n_slots; i++)
    {
      struct weir_receiver *receiver = &receivers->items[i];

      if (!receiver->in_use)
        continue;
      if (!receiver->is_gone)
        settle_owner (receiver, owners);
      any = any || receiver->is_dirty;
    }
  return any;
}

void
weir_receivers_publish (struct weir_receivers *receivers, const struct weir_owners *owners,
                        uint32_t not_listed, struct weir_writer *writer)
{
  const struct weir_receivers_summary summary = {
    .total = receivers->n + not_listed,
    .not_listed = not_listed,
  };
  struct weir_receivers_writer out;

  /* The first time in any case: that there are none is worth knowing, too. */
  if (!settle (receivers, owners) && receivers->was_shown &&
      receivers->shown.total == summary.total && receivers->shown.not_listed == summary.not_listed)
    return;
  receivers->shown = summary;
  receivers->was_shown = true;
  weir_receivers_writer_begin (&out, writer, &summary);
  for (uint32_t i = 0; i < receivers->n_slots; i++)
    {
      struct weir_receiver *receiver = &receivers->items[i];

      if (!receiver->in_use || !receiver->is_dirty)
        continue;
      write_receiver (&out, receiver, owners);
      receiver->is_dirty = false;
      receiver->is_published = true;
      if (receiver->is_gone)
        remove_slot (receivers, receiver);
    }
  weir_receivers_writer_end (&out);
}
