/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-hash.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int
weir_hash_key_init (struct weir_hash_key *ret_key)
{
  struct weir_hash_key key;
  ssize_t n;

  /* The call itself: the C library's (2.41) may do it in user space, and sets that up with calls
   * that the meter's filter does not have. */
  do
    n = syscall (SYS_getrandom, &key, sizeof key, 0);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return -errno;
  if ((size_t) n != sizeof key)
    return -EIO;
  *ret_key = key;
  return 0;
}

static inline uint64_t
rotate (uint64_t value, unsigned bits)
{
  return value << bits | value >> (64 - bits);
}

static inline void
sip_round (uint64_t v[4])
{
  v[0] += v[1];
  v[2] += v[3];
  v[1] = rotate (v[1], 13) ^ v[0];
  v[3] = rotate (v[3], 16) ^ v[2];
  v[0] = rotate (v[0], 32) + v[3];
  v[2] += v[1];
  v[3] = rotate (v[3], 21) ^ v[0];
  v[1] = rotate (v[1], 17) ^ v[2];
  v[2] = rotate (v[2], 32);
}

/* The reference's byte order, so that its test vectors hold on every machine. */
static inline uint64_t
little_endian (const uint8_t *bytes, size_t size)
{
  uint64_t value = 0;

  for (size_t i = size; i > 0; i--)
    value = value << 8 | bytes[i - 1];
  return value;
}

uint64_t
weir_hash (const struct weir_hash_key *key, const void *data, size_t size)
{
  const uint8_t *at = data;
  const uint8_t *end = at + (size & ~(size_t) 7);
  uint64_t word;
  uint64_t v[4] = {
    key->words[0] ^ 0x736f6d6570736575u,
    key->words[1] ^ 0x646f72616e646f6du,
    key->words[0] ^ 0x6c7967656e657261u,
    key->words[1] ^ 0x7465646279746573u,
  };

  for (; at < end; at += 8)
    {
      word = little_endian (at, 8);
      v[3] ^= word;
      sip_round (v);
      sip_round (v);
      v[0] ^= word;
    }
  word = little_endian (at, size & 7) | (uint64_t) (size & 0xff) << 56;
  v[3] ^= word;
  sip_round (v);
  sip_round (v);
  v[0] ^= word;
  v[2] ^= 0xff;
  for (int i = 0; i < 4; i++)
    sip_round (v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
