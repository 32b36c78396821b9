/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "readings-builder.h"
#include "weir-addresses.h"

static const char *const OWN[] = { "192.0.2.1", "2001:db8::1", "224.0.0.5", NULL };

static gboolean
local (const struct weir_addresses *addresses, const char *address)
{
  return weir_addresses_is_local (addresses, endpoint (address, 0).address);
}

static gboolean
group (const struct weir_addresses *addresses, const char *address)
{
  return weir_addresses_is_group (addresses, endpoint (address, 0).address);
}

static void
test_kinds (void)
{
  g_assert_true (weir_address_is_v4 (endpoint ("0.0.0.0", 0).address));
  g_assert_false (weir_address_is_v4 (endpoint ("::", 0).address));
  g_assert_true (weir_address_is_any (endpoint ("0.0.0.0", 0).address));
  g_assert_true (weir_address_is_any (endpoint ("::", 0).address));
  g_assert_false (weir_address_is_any (endpoint ("::1", 0).address));
  g_assert_false (weir_address_is_any (endpoint ("0.0.0.1", 0).address));
  g_assert_true (weir_address_is_loopback (endpoint ("127.255.0.9", 0).address));
  g_assert_false (weir_address_is_loopback (endpoint ("128.0.0.1", 0).address));
  g_assert_true (weir_address_is_loopback (endpoint ("::1", 0).address));
  /* The address 127.0.0.1 of a dual-stack socket is the same as that of any other. */
  g_assert_true (weir_address_is_loopback (endpoint ("::ffff:127.0.0.1", 0).address));
}

static void
test_local (void)
{
  struct weir_addresses addresses;

  weir_addresses_init (&addresses);
  /* Loopback is, before anything was read. */
  g_assert_true (local (&addresses, "127.1.2.3"));
  g_assert_true (local (&addresses, "::1"));
  g_assert_false (local (&addresses, "192.0.2.1"));
  g_assert_false (addresses.known);

  own_addresses (&addresses, OWN);
  g_assert_true (addresses.known);
  g_assert_true (local (&addresses, "192.0.2.1"));
  g_assert_true (local (&addresses, "::ffff:192.0.2.1"));
  g_assert_true (local (&addresses, "2001:db8::1"));
  g_assert_false (local (&addresses, "192.0.2.2"));
  g_assert_false (local (&addresses, "0.0.0.0"));
  /* Whoever configures such a thing: multicast is nobody's own. */
  g_assert_false (local (&addresses, "224.0.0.5"));

  /* The next reading replaces all of it. */
  own_addresses (&addresses, (const char *const[]) { "198.51.100.1", NULL });
  g_assert_true (local (&addresses, "198.51.100.1"));
  g_assert_false (local (&addresses, "192.0.2.1"));
  weir_addresses_clear (&addresses);
}

static void
test_group (void)
{
  struct weir_addresses addresses;

  weir_addresses_init (&addresses);
  g_assert_true (group (&addresses, "224.0.0.251"));
  g_assert_true (group (&addresses, "239.255.255.250"));
  g_assert_true (group (&addresses, "255.255.255.255"));
  g_assert_true (group (&addresses, "ff02::fb"));
  g_assert_false (group (&addresses, "240.0.0.1"));
  g_assert_false (group (&addresses, "fe80::1"));
  g_assert_false (group (&addresses, "192.0.2.255"));

  weir_addresses_begin (&addresses);
  weir_addresses_add (&addresses, endpoint ("192.0.2.1", 0).address);
  weir_addresses_add_broadcast (&addresses, endpoint ("192.0.2.255", 0).address);
  weir_addresses_complete (&addresses);
  g_assert_true (group (&addresses, "192.0.2.255"));
  g_assert_false (local (&addresses, "192.0.2.255"));
  g_assert_true (local (&addresses, "192.0.2.1"));
  weir_addresses_clear (&addresses);
}

static void
test_many (void)
{
  struct weir_addresses addresses;
  guint8 address[16] = { 0x20, 0x01 };

  weir_addresses_init (&addresses);
  weir_addresses_begin (&addresses);
  for (guint i = 0; i < WEIR_ADDRESSES_MAX + 1000; i++)
    {
      address[12] = (guint8) (i >> 16);
      address[13] = (guint8) (i >> 8);
      address[14] = (guint8) i;
      weir_addresses_add (&addresses, address);
    }
  weir_addresses_complete (&addresses);
  g_assert_cmpuint (addresses.own.n, ==, WEIR_ADDRESSES_MAX);
  address[12] = 0;
  address[13] = 0x12;
  address[14] = 0x34;
  g_assert_true (weir_addresses_is_local (&addresses, address));
  weir_addresses_clear (&addresses);
}

static void
test_room (void)
{
  struct weir_addresses addresses;

  weir_addresses_init (&addresses);
  weir_addresses_begin (&addresses);
  for (guint i = 0; i < WEIR_ADDRESSES_MAX + 3; i++)
    {
      const guint8 address[16] = { 0x20, 1, [13] = (guint8) (i >> 16), (guint8) (i >> 8),
                                   (guint8) i };

      weir_addresses_add (&addresses, address);
    }
  weir_addresses_complete (&addresses);
  g_assert_cmpuint (addresses.own.n, ==, WEIR_ADDRESSES_MAX);
  g_assert_cmpuint (addresses.refused, ==, 3);
  weir_addresses_clear (&addresses);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/addresses/kinds", test_kinds);
  g_test_add_func ("/addresses/local", test_local);
  g_test_add_func ("/addresses/group", test_group);
  g_test_add_func ("/addresses/many", test_many);
  g_test_add_func ("/addresses/room", test_room);
  return g_test_run ();
}
