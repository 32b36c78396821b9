/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sorts rows by 64-bit keys: linear in the number of rows, stable, without a callback for each
 * comparison. */
typedef struct
{
  guint64 key;
  guint32 index;
} WeirKey;

/* Sorts @n keys ascending; equal keys keep their order.  @scratch has room for @n, too. */
void
weir_radix_sort (WeirKey *keys, WeirKey *scratch, guint n);

/* Never given by the functions below: sorts after every value, whatever the direction. */
#define WEIR_KEY_ABSENT G_MAXUINT64

/* Keys that compare like their values, and the opposite way with @descending. */
guint64
weir_key_from_double (double value, gboolean descending);
guint64
weir_key_from_uint64 (guint64 value, gboolean descending);

G_END_DECLS
