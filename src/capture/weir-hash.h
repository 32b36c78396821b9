/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A keyed hash.  Remote peers choose addresses and ports, so without a secret they could choose
 * flows that all fall into one bucket. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct weir_hash_key
{
  uint64_t words[2];
};

/* Fills @ret_key from getrandom(2).  Returns 0 or a negative errno. */
int
weir_hash_key_init (struct weir_hash_key *ret_key);

/* SipHash-2-4 (Aumasson and Bernstein, 2012) of @size bytes. */
uint64_t
weir_hash (const struct weir_hash_key *key, const void *data, size_t size);
