/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-radix.h"

#include <string.h>

#define DIGIT_BITS   8
#define DIGIT_VALUES (1 << DIGIT_BITS)
#define N_DIGITS     (64 / DIGIT_BITS)

void
weir_radix_sort (WeirKey *keys, WeirKey *scratch, guint n)
{
  guint32 counts[N_DIGITS][DIGIT_VALUES] = { 0 };
  gboolean sorted = TRUE;

  for (guint i = 0; i < n; i++)
    {
      if (i > 0 && keys[i].key < keys[i - 1].key)
        sorted = FALSE;
      for (guint digit = 0; digit < N_DIGITS; digit++)
        counts[digit][(keys[i].key >> (digit * DIGIT_BITS)) % DIGIT_VALUES]++;
    }
  if (sorted)
    return;

  WeirKey *from = keys, *to = scratch;
  for (guint digit = 0; digit < N_DIGITS; digit++)
    {
      guint shift = digit * DIGIT_BITS;
      /* All rows agree on this digit, as most do in the upper half of ranks and small counters. */
      if (counts[digit][(from[0].key >> shift) % DIGIT_VALUES] == n)
        continue;
      guint32 position = 0;
      for (guint value = 0; value < DIGIT_VALUES; value++)
        {
          guint32 count = counts[digit][value];
          counts[digit][value] = position;
          position += count;
        }
      for (guint i = 0; i < n; i++)
        to[counts[digit][(from[i].key >> shift) % DIGIT_VALUES]++] = from[i];
      WeirKey *swap = from;
      from = to;
      to = swap;
    }
  if (from != keys)
    memcpy (keys, from, n * sizeof *keys);
}

guint64
weir_key_from_uint64 (guint64 value, gboolean descending)
{
  guint64 key = MIN (value, WEIR_KEY_ABSENT - 1);

  return descending ? WEIR_KEY_ABSENT - 1 - key : key;
}

guint64
weir_key_from_double (double value, gboolean descending)
{
  guint64 bits;

  /* IEEE 754: positive numbers order like their bits; negative ones the other way, below them. */
  memcpy (&bits, &value, sizeof bits);
  bits = bits >> 63 ? ~bits : bits | (G_GUINT64_CONSTANT (1) << 63);
  return weir_key_from_uint64 (bits, descending);
}
