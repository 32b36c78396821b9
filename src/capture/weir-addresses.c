/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-addresses.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

void
weir_address_map_v4 (const void *v4, uint8_t ret_address[16])
{
  memcpy (ret_address, v4_prefix, sizeof v4_prefix);
  memcpy (ret_address + sizeof v4_prefix, v4, 4);
}

bool
weir_address_is_v4 (const uint8_t address[16])
{
  return memcmp (address, v4_prefix, sizeof v4_prefix) == 0;
}

static bool
is_all (const uint8_t *bytes, size_t n, uint8_t value)
{
  for (size_t i = 0; i < n; i++)
    {
      if (bytes[i] != value)
        return false;
    }
  return true;
}

bool
weir_address_is_any (const uint8_t address[16])
{
  return weir_address_is_v4 (address) ? is_all (address + 12, 4, 0) : is_all (address, 16, 0);
}

bool
weir_address_is_loopback (const uint8_t address[16])
{
  if (weir_address_is_v4 (address))
    return address[12] == 127;
  return is_all (address, 15, 0) && address[15] == 1;
}

void
weir_addresses_init (struct weir_addresses *addresses)
{
  *addresses = (struct weir_addresses) { 0 };
}

void
weir_addresses_clear (struct weir_addresses *addresses)
{
  free (addresses->own.items);
  free (addresses->broadcast.items);
  free (addresses->next_own.items);
  free (addresses->next_broadcast.items);
  weir_addresses_init (addresses);
}

static bool
list_add (struct weir_address_list *list, const uint8_t address[16])
{
  if (list->n == list->capacity)
    {
      size_t capacity = list->capacity > 0 ? list->capacity * 2 : 16;
      void *items = NULL;

      if (capacity <= WEIR_ADDRESSES_MAX)
        items = reallocarray (list->items, capacity, 16);
      if (items == NULL)
        return false;
      list->items = items;
      list->capacity = capacity;
    }
  memcpy (list->items[list->n++], address, 16);
  return true;
}

static int
compare (const void *a, const void *b)
{
  return memcmp (a, b, 16);
}

static bool
list_has (const struct weir_address_list *list, const uint8_t address[16])
{
  return list->n > 0 && bsearch (address, list->items, list->n, 16, compare) != NULL;
}

/* Returns whether that changed anything. */
static bool
list_replace (struct weir_address_list *list, struct weir_address_list *next)
{
  struct weir_address_list old = *list;

  if (next->n > 1)
    qsort (next->items, next->n, 16, compare);
  *list = *next;
  *next = old;
  next->n = 0;
  return list->n != old.n || (old.n > 0 && memcmp (list->items, old.items, old.n * 16) != 0);
}

void
weir_addresses_begin (struct weir_addresses *addresses)
{
  addresses->next_own.n = 0;
  addresses->next_broadcast.n = 0;
}

void
weir_addresses_add (struct weir_addresses *addresses, const uint8_t address[16])
{
  addresses->refused += !list_add (&addresses->next_own, address);
}

void
weir_addresses_add_broadcast (struct weir_addresses *addresses, const uint8_t address[16])
{
  addresses->refused += !list_add (&addresses->next_broadcast, address);
}

void
weir_addresses_complete (struct weir_addresses *addresses)
{
  bool changed = list_replace (&addresses->own, &addresses->next_own);

  changed = list_replace (&addresses->broadcast, &addresses->next_broadcast) || changed;
  addresses->version += changed;
  addresses->known = true;
}

bool
weir_addresses_is_group (const struct weir_addresses *addresses, const uint8_t address[16])
{
  if (!weir_address_is_v4 (address))
    return address[0] == 0xff;
  return (address[12] & 0xf0) == 0xe0 || is_all (address + 12, 4, 0xff) ||
         list_has (&addresses->broadcast, address);
}

bool
weir_addresses_is_local (const struct weir_addresses *addresses, const uint8_t address[16])
{
  return weir_address_is_loopback (address) ||
         (list_has (&addresses->own, address) && !weir_addresses_is_group (addresses, address));
}
