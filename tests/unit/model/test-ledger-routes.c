/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <net/if_arp.h>
#include <string.h>

#include "model-samples.h"
#include "weir-ledger-routes.h"

#define UP      WEIR_INTERFACE_UP
#define COUNTED (WEIR_INTERFACE_UP | WEIR_INTERFACE_COUNTED)
#define NO_LINK 0xfffe

static void
add_address (struct weir_interface_record *interface, const char *text, guint8 prefix)
{
  struct weir_interface_address *address = &interface->addresses[interface->n_addresses++];
  struct weir_endpoint endpoint;

  address->family = strchr (text, ':') != NULL ? 6 : 4;
  address->prefix_length = prefix;
  if (address->family == 4)
    sample_set_v4 (&endpoint, text, 0);
  else
    sample_set_v6 (&endpoint, text, 0);
  memcpy (address->address, endpoint.address, 16);
}

static WeirLedgerSide
find (WeirLedgerRoutes *routes, const char *text)
{
  struct weir_endpoint endpoint;

  if (strchr (text, ':') != NULL)
    sample_set_v6 (&endpoint, text, 0);
  else
    sample_set_v4 (&endpoint, text, 0);
  return weir_ledger_routes_find (routes, endpoint.address);
}

static void
check (WeirLedgerRoutes *routes, const char *text, gboolean crosses, int header)
{
  WeirLedgerSide side = find (routes, text);

  g_test_message ("%s", text);
  g_assert_cmpint (side.crosses, ==, crosses);
  if (crosses)
    g_assert_cmpint (side.header, ==, header);
}

/* A laptop: containers, a VLAN, a bridge with the card in it, a tunnel. */
static void
test_host (void)
{
  g_autoptr (WeirLedgerRoutes) routes = weir_ledger_routes_new ();
  struct weir_interface_record interfaces[] = {
    { .index = 1,
      .flags = UP | WEIR_INTERFACE_LOOPBACK,
      .type = WEIR_INTERFACE_TYPE_LOOPBACK,
      .link_type = ARPHRD_LOOPBACK },
    { .index = 2,
      .flags = COUNTED,
      .type = WEIR_INTERFACE_TYPE_PHYSICAL,
      .link_type = ARPHRD_ETHER,
      .master = 3,
      .rx_bytes = 1000 },
    { .index = 3, .flags = UP, .type = WEIR_INTERFACE_TYPE_BRIDGE, .link_type = ARPHRD_ETHER },
    { .index = 4, .flags = UP, .type = WEIR_INTERFACE_TYPE_BRIDGE, .link_type = ARPHRD_ETHER },
    { .index = 5,
      .flags = UP | WEIR_INTERFACE_PEER_ELSEWHERE,
      .type = WEIR_INTERFACE_TYPE_VETH,
      .link_type = ARPHRD_ETHER,
      .master = 4 },
    { .index = 6,
      .flags = UP,
      .type = WEIR_INTERFACE_TYPE_VLAN,
      .link_type = ARPHRD_ETHER,
      .lower = 3 },
    { .index = 7, .flags = UP, .type = WEIR_INTERFACE_TYPE_WIREGUARD, .link_type = NO_LINK },
    /* A virtual machine's tap on the containers' bridge is no tunnel. */
    { .index = 8,
      .flags = UP,
      .type = WEIR_INTERFACE_TYPE_TUN,
      .link_type = ARPHRD_ETHER,
      .master = 4 },
    { .index = 9,
      .flags = COUNTED,
      .type = WEIR_INTERFACE_TYPE_PHYSICAL,
      .link_type = ARPHRD_INFINIBAND,
      .rx_bytes = 10 },
  };

  add_address (&interfaces[0], "127.0.0.1", 8);
  add_address (&interfaces[0], "::1", 128);
  add_address (&interfaces[2], "192.0.2.10", 25);
  add_address (&interfaces[2], "fe80::10", 64);
  add_address (&interfaces[3], "172.17.0.1", 16);
  add_address (&interfaces[3], "fe80::11", 64);
  add_address (&interfaces[5], "198.51.100.1", 24);
  add_address (&interfaces[6], "10.9.0.1", 24);
  add_address (&interfaces[8], "203.0.113.1", 24);
  g_assert_true (weir_ledger_routes_update (routes, interfaces, G_N_ELEMENTS (interfaces)));

  check (routes, "127.0.0.1", FALSE, 0);
  check (routes, "127.1.2.3", FALSE, 0);
  check (routes, "::1", FALSE, 0);
  check (routes, "192.0.2.10", FALSE, 0);
  check (routes, "192.0.2.11", TRUE, 14);
  check (routes, "192.0.2.130", TRUE, 14);
  check (routes, "172.17.0.1", FALSE, 0);
  check (routes, "172.17.200.3", FALSE, 0);
  check (routes, "172.18.0.1", TRUE, 14);
  check (routes, "198.51.100.77", TRUE, 14);
  check (routes, "10.9.0.7", TRUE, 0);
  check (routes, "203.0.113.7", TRUE, -1);
  /* On two links: the one that leads out. */
  check (routes, "fe80::1234", TRUE, 14);
  check (routes, "2001:db8::1", TRUE, 14);
  g_assert_true (weir_ledger_is_tunnel (&interfaces[6]));
  g_assert_false (weir_ledger_is_tunnel (&interfaces[7]));
  g_assert_false (weir_ledger_is_tunnel (&interfaces[1]));
}

/* Frames go where they were put. */
static void
check_frames (WeirLedgerRoutes *routes, guint32 ifindex, gboolean crosses)
{
  WeirLedgerSide side = weir_ledger_routes_find_frames (routes, ifindex);

  g_assert_cmpint (side.crosses, ==, crosses);
  if (crosses)
    g_assert_cmpint (side.header, ==, 0);
}

static void
test_changes (void)
{
  g_autoptr (WeirLedgerRoutes) routes = weir_ledger_routes_new ();
  struct weir_interface_record interface = {
    .index = 2, .flags = UP, .type = WEIR_INTERFACE_TYPE_VETH, .link_type = ARPHRD_ETHER
  };

  g_assert_true (weir_ledger_routes_update (routes, NULL, 0));
  guint generation = weir_ledger_routes_get_generation (routes);
  check (routes, "192.0.2.1", FALSE, 0);
  g_assert_false (weir_ledger_routes_update (routes, NULL, 0));
  g_assert_cmpuint (weir_ledger_routes_get_generation (routes), ==, generation);
  g_assert_true (weir_ledger_routes_update (routes, &interface, 1));
  check (routes, "192.0.2.1", FALSE, 0);
  check_frames (routes, 2, FALSE);
  interface.flags = COUNTED;
  g_assert_true (weir_ledger_routes_update (routes, &interface, 1));
  check (routes, "192.0.2.1", TRUE, 14);
  check_frames (routes, 2, TRUE);
  check_frames (routes, 3, FALSE);
  /* Counters change all the time and mean nothing here. */
  interface.rx_bytes = 7;
  g_assert_false (weir_ledger_routes_update (routes, &interface, 1));
  add_address (&interface, "192.0.2.1", 24);
  g_assert_true (weir_ledger_routes_update (routes, &interface, 1));
  check (routes, "192.0.2.1", FALSE, 0);
  check (routes, "192.0.2.2", TRUE, 14);
}

/* Interfaces that are each other's masters, as nobody but a hostile engine would say. */
static void
test_circle (void)
{
  g_autoptr (WeirLedgerRoutes) routes = weir_ledger_routes_new ();
  struct weir_interface_record interfaces[] = {
    { .index = 2, .master = 3, .lower = 3, .flags = UP },
    { .index = 3, .master = 2, .lower = 2, .flags = UP },
  };

  add_address (&interfaces[0], "192.0.2.1", 24);
  g_assert_true (weir_ledger_routes_update (routes, interfaces, 2));
  check (routes, "192.0.2.2", FALSE, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ledger-routes/host", test_host);
  g_test_add_func ("/ledger-routes/changes", test_changes);
  g_test_add_func ("/ledger-routes/circle", test_circle);
  return g_test_run ();
}
