/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-ledger-routes.h"

#include <net/if_arp.h>
#include <string.h>

/* A VLAN on a bond in a bridge is three deep; nobody builds ten. */
#define DEPTH_MAX 8
#define BITS      128

/* <linux/if_arp.h> has them, and cannot be included beside <net/if_arp.h>. */
#define LINK_NONE 0xfffe

static const struct
{
  guint16 link_type;
  int header;
} headers[] = {
  { ARPHRD_ETHER, 14 },
  /* Taken off before it is counted (drivers/net/loopback.c). */
  { ARPHRD_LOOPBACK, 0 },
  { LINK_NONE, 0 },
  { ARPHRD_TUNNEL, 0 },
  { ARPHRD_TUNNEL6, 0 },
  { ARPHRD_SIT, 0 },
};

typedef struct
{
  guint8 address[16]; /* v4-mapped for IPv4 */
  guint bits;         /* of the v4-mapped form */
  gboolean is_own;    /* the address itself, not its network */
  WeirLedgerSide side;
} Route;

struct _WeirLedgerRoutes
{
  GArray *routes;        /* Route: own addresses first, then longer networks before shorter ones */
  WeirLedgerSide beyond; /* everything else */
  GArray *exits;         /* guint32: indices of interfaces that lead to a counted one */
  guint hash, generation;
};

WeirLedgerRoutes *
weir_ledger_routes_new (void)
{
  WeirLedgerRoutes *self = g_new0 (WeirLedgerRoutes, 1);

  self->routes = g_array_new (FALSE, FALSE, sizeof (Route));
  self->exits = g_array_new (FALSE, FALSE, sizeof (guint32));
  return self;
}

void
weir_ledger_routes_free (WeirLedgerRoutes *self)
{
  g_array_unref (self->routes);
  g_array_unref (self->exits);
  g_free (self);
}

/* A tap on a bridge is a virtual machine's network card. */
gboolean
weir_ledger_is_tunnel (const struct weir_interface_record *interface)
{
  return !(interface->flags & WEIR_INTERFACE_COUNTED) && interface->master == 0 &&
         (interface->type == WEIR_INTERFACE_TYPE_TUN ||
          interface->type == WEIR_INTERFACE_TYPE_WIREGUARD ||
          interface->type == WEIR_INTERFACE_TYPE_TUNNEL);
}

static int
get_header (const struct weir_interface_record *interface)
{
  for (gsize i = 0; i < G_N_ELEMENTS (headers); i++)
    if (headers[i].link_type == interface->link_type)
      return headers[i].header;
  return -1;
}

/* What the packets of @interface pass: itself, what it is built on, or a part of it. */
static const struct weir_interface_record *
find_exit (const struct weir_interface_record *interfaces, guint n,
           const struct weir_interface_record *interface, guint depth)
{
  if (interface->flags & WEIR_INTERFACE_COUNTED || weir_ledger_is_tunnel (interface))
    return interface;
  for (guint i = 0; i < n && depth < DEPTH_MAX; i++)
    {
      const struct weir_interface_record *other = &interfaces[i];
      gboolean is_part = other->master == interface->index;
      /* One of a pair leads to the other, not further. */
      gboolean is_lower =
          other->index == interface->lower && interface->type != WEIR_INTERFACE_TYPE_VETH;
      if (other == interface || !(is_part || is_lower))
        continue;
      const struct weir_interface_record *exit = find_exit (interfaces, n, other, depth + 1);
      if (exit != NULL)
        return exit;
    }
  return NULL;
}

static void
add_routes (WeirLedgerRoutes *self, const struct weir_interface_record *interface,
            const struct weir_interface_record *exit)
{
  WeirLedgerSide side = { exit != NULL, exit != NULL ? get_header (exit) : -1 };

  for (guint i = 0; i < interface->n_addresses; i++)
    {
      const struct weir_interface_address *address = &interface->addresses[i];
      Route route = { .bits = BITS, .is_own = TRUE, .side = { FALSE, -1 } };

      memcpy (route.address, address->address, sizeof route.address);
      g_array_append_val (self->routes, route);
      route.is_own = FALSE;
      route.bits = address->prefix_length + (address->family == 4 ? 96 : 0);
      route.side = side;
      if (route.bits < BITS)
        g_array_append_val (self->routes, route);
    }
}

/* fe80::/64 is the network of every interface: one that leads out comes first. */
static int
compare (gconstpointer a, gconstpointer b)
{
  const Route *left = a, *right = b;

  if (left->is_own != right->is_own)
    return left->is_own ? -1 : 1;
  if (left->bits != right->bits)
    return left->bits > right->bits ? -1 : 1;
  return right->side.crosses - left->side.crosses;
}

static guint
hash_bytes (guint hash, gconstpointer data, gsize size)
{
  const guint8 *bytes = data;

  for (gsize i = 0; i < size; i++)
    hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

static guint
hash_interfaces (const struct weir_interface_record *interfaces, guint n)
{
  guint hash = 2166136261u;

  for (guint i = 0; i < n; i++)
    {
      const struct weir_interface_record *interface = &interfaces[i];
      const guint32 relations[] = { interface->index, interface->flags, interface->type,
                                    interface->master, interface->lower };
      hash = hash_bytes (hash, relations, sizeof relations);
      for (guint j = 0; j < interface->n_addresses; j++)
        {
          hash = hash_bytes (hash, interface->addresses[j].address, 16);
          hash = hash_bytes (hash, &interface->addresses[j].prefix_length, 1);
        }
    }
  return hash;
}

gboolean
weir_ledger_routes_update (WeirLedgerRoutes *self, const struct weir_interface_record *interfaces,
                           guint n_interfaces)
{
  guint hash = hash_interfaces (interfaces, n_interfaces);
  guint64 most = 0;

  if (self->generation > 0 && hash == self->hash)
    return FALSE;
  self->hash = hash;
  self->generation++;
  g_array_set_size (self->routes, 0);
  g_array_set_size (self->exits, 0);
  self->beyond = (WeirLedgerSide) { FALSE, -1 };
  for (guint i = 0; i < n_interfaces; i++)
    {
      const struct weir_interface_record *interface = &interfaces[i];
      guint64 bytes = interface->rx_bytes + interface->tx_bytes;

      const struct weir_interface_record *exit = find_exit (interfaces, n_interfaces, interface, 0);

      add_routes (self, interface, exit);
      if (exit != NULL)
        g_array_append_val (self->exits, interface->index);
      /* Routes are not read: of several counted interfaces the busiest stands for all. */
      if (!(interface->flags & WEIR_INTERFACE_COUNTED) || (self->beyond.crosses && bytes <= most))
        continue;
      self->beyond = (WeirLedgerSide) { TRUE, get_header (interface) };
      most = bytes;
    }
  g_array_sort (self->routes, compare);
  return TRUE;
}

guint
weir_ledger_routes_get_generation (WeirLedgerRoutes *self)
{
  return self->generation;
}

static gboolean
has_prefix (const guint8 address[16], const Route *route)
{
  guint whole = route->bits / 8, rest = route->bits % 8;

  return memcmp (address, route->address, whole) == 0 &&
         (rest == 0 || ((address[whole] ^ route->address[whole]) >> (8 - rest)) == 0);
}

WeirLedgerSide
weir_ledger_routes_find (WeirLedgerRoutes *self, const guint8 address[16])
{
  for (guint i = 0; i < self->routes->len; i++)
    {
      const Route *route = &g_array_index (self->routes, Route, i);
      if (has_prefix (address, route))
        return route->side;
    }
  return self->beyond;
}

WeirLedgerSide
weir_ledger_routes_find_frames (WeirLedgerRoutes *self, guint32 ifindex)
{
  for (guint i = 0; i < self->exits->len; i++)
    if (g_array_index (self->exits, guint32, i) == ifindex)
      return (WeirLedgerSide) { TRUE, 0 };
  return (WeirLedgerSide) { FALSE, -1 };
}
