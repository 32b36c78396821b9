/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "weir-wire.h"

#include <glib.h>

#define HEX "00ff10a5deadbeef0123456789abcdef00112233445566778899aabbccddeeff"

static void
test_round_trip (void)
{
  uint8_t nonce[WEIR_NONCE_SIZE];
  char hex[WEIR_NONCE_HEX_SIZE + 1];

  g_assert_cmpint (weir_nonce_decode (HEX, strlen (HEX), nonce), ==, 0);
  g_assert_cmphex (nonce[1], ==, 0xff);
  g_assert_cmphex (nonce[3], ==, 0xa5);
  weir_nonce_encode (nonce, hex);
  g_assert_cmpstr (hex, ==, HEX);
}

static void
test_refused (void)
{
  uint8_t nonce[WEIR_NONCE_SIZE] = { 42 };
  const char bad[] = { 'A', 'g', ' ', '\n', '\0', '/', ':', '`', -1 };

  g_assert_cmpint (weir_nonce_decode (HEX, 63, nonce), ==, -EINVAL);
  g_assert_cmpint (weir_nonce_decode (HEX "0", 65, nonce), ==, -EINVAL);
  g_assert_cmpint (weir_nonce_decode (HEX, 0, nonce), ==, -EINVAL);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      for (guint at = 0; at < WEIR_NONCE_HEX_SIZE; at++)
        {
          g_autofree char *hex = g_strdup (HEX);

          hex[at] = bad[i];
          g_assert_cmpint (weir_nonce_decode (hex, WEIR_NONCE_HEX_SIZE, nonce), ==, -EINVAL);
        }
    }
  g_assert_cmpuint (nonce[0], ==, 42);
}

static void
test_equal (void)
{
  uint8_t a[WEIR_NONCE_SIZE], b[WEIR_NONCE_SIZE];

  g_assert_cmpint (weir_nonce_decode (HEX, strlen (HEX), a), ==, 0);
  memcpy (b, a, sizeof b);
  g_assert_true (weir_nonce_equal (a, b));
  for (guint bit = 0; bit < WEIR_NONCE_SIZE * 8; bit++)
    {
      b[bit / 8] ^= (uint8_t) (1 << bit % 8);
      g_assert_false (weir_nonce_equal (a, b));
      b[bit / 8] = a[bit / 8];
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/nonce/round-trip", test_round_trip);
  g_test_add_func ("/handoff/nonce/refused", test_refused);
  g_test_add_func ("/handoff/nonce/equal", test_equal);
  return g_test_run ();
}
