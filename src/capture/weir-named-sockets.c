/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-named-sockets.h"

/* Keyed: who makes very many sockets can keep those with the cookies that he wants. */
static uint32_t *
bucket_of (struct weir_named_sockets *sockets, const struct weir_owners *owners, uint64_t cookie)
{
  return &sockets
              ->buckets[weir_hash (&owners->hash_key, &cookie, sizeof cookie) % WEIR_NAMED_BUCKETS];
}

static struct weir_named_socket *
get (struct weir_named_sockets *sockets, uint32_t number)
{
  return number != 0 ? &sockets->items[number - 1] : NULL;
}

static void
leave_user (struct weir_named_sockets *sockets, const struct weir_named_socket *item)
{
  struct weir_named_user *user = &sockets->users[item->user];
  struct weir_named_socket *older = get (sockets, item->older), *newer = get (sockets, item->newer);

  *(older != NULL ? &older->newer : &user->oldest) = item->newer;
  *(newer != NULL ? &newer->older : &user->newest) = item->older;
  user->n--;
}

static void
remove_item (struct weir_named_sockets *sockets, struct weir_owners *owners, uint32_t number)
{
  struct weir_named_socket *item = get (sockets, number);
  uint32_t *at = bucket_of (sockets, owners, item->cookie);

  while (*at != number)
    at = &get (sockets, *at)->next;
  *at = item->next;
  leave_user (sockets, item);
  weir_owners_get (owners, item->process)->flows--;
  sockets->n_listed -= item->socket != 0;
  sockets->n--;
  *item = (struct weir_named_socket) { .next = sockets->first_free };
  sockets->first_free = number;
}

static uint32_t
find_most (const struct weir_named_sockets *sockets)
{
  uint32_t most = 0;

  for (uint32_t i = 1; i < WEIR_USER_BUCKETS; i++)
    {
      if (sockets->users[i].n > sockets->users[most].n)
        most = i;
    }
  return most;
}

static uint32_t
take_slot (struct weir_named_sockets *sockets, struct weir_owners *owners)
{
  uint32_t number;

  if (sockets->first_free == 0 && sockets->n_slots < WEIR_NAMED_SOCKETS_MAX)
    return ++sockets->n_slots;
  if (sockets->first_free == 0)
    remove_item (sockets, owners, sockets->users[find_most (sockets)].oldest);
  number = sockets->first_free;
  sockets->first_free = get (sockets, number)->next;
  return number;
}

static uint32_t
find (struct weir_named_sockets *sockets, const struct weir_owners *owners, uint64_t cookie)
{
  uint32_t number = *bucket_of (sockets, owners, cookie);

  while (number != 0 && get (sockets, number)->cookie != cookie)
    number = get (sockets, number)->next;
  return number;
}

void
weir_named_sockets_add (struct weir_named_sockets *sockets, struct weir_owners *owners,
                        uint64_t cookie, uint32_t process)
{
  struct weir_owner *owner = weir_owners_get (owners, process);
  const uint32_t user = (uint32_t) (weir_hash (&owners->hash_key, &owner->uid, sizeof owner->uid) %
                                    WEIR_USER_BUCKETS);
  struct weir_named_user *its = &sockets->users[user];
  uint32_t number, *bucket;

  owner->flows++;
  weir_named_sockets_remove (sockets, owners, cookie);
  number = take_slot (sockets, owners);
  bucket = bucket_of (sockets, owners, cookie);
  *get (sockets, number) = (struct weir_named_socket) {
    .cookie = cookie,
    .process = process,
    .older = its->newest,
    .next = *bucket,
    .user = user,
  };
  *bucket = number;
  *(its->newest != 0 ? &get (sockets, its->newest)->newer : &its->oldest) = number;
  its->newest = number;
  its->n++;
  sockets->n++;
}

void
weir_named_sockets_remove (struct weir_named_sockets *sockets, struct weir_owners *owners,
                           uint64_t cookie)
{
  const uint32_t number = find (sockets, owners, cookie);

  if (number != 0)
    remove_item (sockets, owners, number);
}

void
weir_named_sockets_show (struct weir_named_sockets *sockets, const struct weir_owners *owners,
                         uint64_t cookie, uint32_t socket)
{
  struct weir_named_socket *item = NULL;

  /* Of every socket in a list, so mostly in vain. */
  if (sockets->n > 0)
    item = get (sockets, find (sockets, owners, cookie));
  if (item == NULL)
    return;
  sockets->n_listed += (socket != 0) - (item->socket != 0);
  item->socket = socket;
}

/* Whether there is nothing more to be done for it. */
static bool
settle_item (const struct weir_named_socket *item, struct weir_owners *owners)
{
  const struct weir_owner *socket = weir_owners_get (owners, item->socket);

  /* Its place may be another socket's meanwhile. */
  if (socket == NULL || !socket->in_use || socket->is_process || socket->cookie != item->cookie)
    return false;
  return weir_owners_name_holder (owners, item->socket, item->process);
}

void
weir_named_sockets_settle (struct weir_named_sockets *sockets, struct weir_owners *owners)
{
  for (uint32_t number = 1; number <= sockets->n_slots && sockets->n_listed > 0; number++)
    {
      if (settle_item (get (sockets, number), owners))
        remove_item (sockets, owners, number);
    }
}
