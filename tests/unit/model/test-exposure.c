/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <linux/if_ether.h>

#include "model-samples.h"
#include "weir-exposure.h"

static void
test_addresses (void)
{
  static const struct
  {
    const char *address;
    WeirExposure exposure;
  } cases[] = {
    { "0.0.0.0", WEIR_EXPOSURE_ANYWHERE },     { "192.0.2.1", WEIR_EXPOSURE_ANYWHERE },
    { "192.168.1.1", WEIR_EXPOSURE_ANYWHERE }, { "127.0.0.1", WEIR_EXPOSURE_LOOPBACK },
    { "127.0.0.53", WEIR_EXPOSURE_LOOPBACK },  { "128.0.0.1", WEIR_EXPOSURE_ANYWHERE },
    { "169.254.3.4", WEIR_EXPOSURE_LINK },     { "224.0.0.251", WEIR_EXPOSURE_LINK },
    { "224.0.1.1", WEIR_EXPOSURE_ANYWHERE },   { "239.255.255.250", WEIR_EXPOSURE_ANYWHERE },
    { "::", WEIR_EXPOSURE_ANYWHERE },          { "2001:db8::1", WEIR_EXPOSURE_ANYWHERE },
    { "::1", WEIR_EXPOSURE_LOOPBACK },         { "fe80::1", WEIR_EXPOSURE_LINK },
    { "febf::1", WEIR_EXPOSURE_LINK },         { "fec0::1", WEIR_EXPOSURE_ANYWHERE },
    { "fd00::1", WEIR_EXPOSURE_ANYWHERE },     { "ff02::fb", WEIR_EXPOSURE_LINK },
    { "ff01::1", WEIR_EXPOSURE_LOOPBACK },     { "ff12::1", WEIR_EXPOSURE_LINK },
    { "ff0e::1", WEIR_EXPOSURE_ANYWHERE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gboolean is_v6 = strchr (cases[i].address, ':') != NULL;
      struct weir_receiver_record record = { .kind = WEIR_SOCKET_PORT, .protocol = 17 };

      g_test_message ("%s", cases[i].address);
      record.family = is_v6 ? 6 : 4;
      if (is_v6)
        sample_set_v6 (&record.local, cases[i].address, 53);
      else
        sample_set_v4 (&record.local, cases[i].address, 53);
      g_assert_cmpint (weir_exposure_find (&record), ==, cases[i].exposure);
      g_assert_nonnull (weir_exposure_get_name (cases[i].exposure));
      /* Whatever the address: nothing else comes in there. */
      record.ifindex = 1;
      g_assert_cmpint (weir_exposure_find (&record), ==, WEIR_EXPOSURE_LOOPBACK);
    }
}

static void
test_kinds (void)
{
  struct weir_receiver_record packet = { .kind = WEIR_SOCKET_PACKET, .protocol = ETH_P_ALL };
  struct weir_receiver_record raw = { .kind = WEIR_SOCKET_RAW, .family = 6, .protocol = 58 };

  g_assert_cmpint (weir_exposure_find (&packet), ==, WEIR_EXPOSURE_ANYWHERE);
  packet.ifindex = 2;
  g_assert_cmpint (weir_exposure_find (&packet), ==, WEIR_EXPOSURE_ANYWHERE);
  packet.ifindex = 1;
  g_assert_cmpint (weir_exposure_find (&packet), ==, WEIR_EXPOSURE_LOOPBACK);
  packet.protocol = 0;
  g_assert_cmpint (weir_exposure_find (&packet), ==, WEIR_EXPOSURE_NONE);

  g_assert_cmpint (weir_exposure_find (&raw), ==, WEIR_EXPOSURE_ANYWHERE);
  raw.protocol = 255;
  g_assert_cmpint (weir_exposure_find (&raw), ==, WEIR_EXPOSURE_NONE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/exposure/addresses", test_addresses);
  g_test_add_func ("/exposure/kinds", test_kinds);
  return g_test_run ();
}
