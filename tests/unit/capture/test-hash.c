/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "weir-hash.h"

/* The first values of the reference's table: key 00 01 .. 0f, messages of 0, 1, 2 ... bytes. */
static void
test_vectors (void)
{
  static const guint64 expected[] = {
    0x726fdb47dd0e0e31u, 0x74f839c593dc67fdu, 0x0d6c8009d9a94f5au,
    0x85676696d7fb7e2du, 0xcf2794e0277187b7u, 0x18765564cd99a68du,
    0xcbc9466e58fee3ceu, 0xab0200f58b01d137u, 0x93f5f5799a932462u
  };
  const struct weir_hash_key key = { { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u } };
  guint8 message[9];

  for (guint i = 0; i < G_N_ELEMENTS (message); i++)
    message[i] = (guint8) i;
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_cmphex (weir_hash (&key, message, i), ==, expected[i]);
}

static void
test_keys_differ (void)
{
  struct weir_hash_key a, b;

  g_assert_cmpint (weir_hash_key_init (&a), ==, 0);
  g_assert_cmpint (weir_hash_key_init (&b), ==, 0);
  g_assert_cmphex (weir_hash (&a, "flow", 4), !=, weir_hash (&b, "flow", 4));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hash/vectors", test_vectors);
  g_test_add_func ("/hash/keys-differ", test_keys_differ);
  return g_test_run ();
}
