/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-wire.h"

#include <errno.h>
#include <string.h>

static int
digit_value (char digit)
{
  if (digit >= '0' && digit <= '9')
    return digit - '0';
  if (digit >= 'a' && digit <= 'f')
    return digit - 'a' + 10;
  return -1;
}

int
weir_nonce_decode (const char *hex, size_t size, uint8_t ret_nonce[WEIR_NONCE_SIZE])
{
  uint8_t nonce[WEIR_NONCE_SIZE];

  if (size != WEIR_NONCE_HEX_SIZE)
    return -EINVAL;
  for (size_t i = 0; i < WEIR_NONCE_SIZE; i++)
    {
      int high = digit_value (hex[2 * i]), low = digit_value (hex[2 * i + 1]);

      if (high < 0 || low < 0)
        {
          explicit_bzero (nonce, sizeof nonce);
          return -EINVAL;
        }
      nonce[i] = (uint8_t) (high << 4 | low);
    }
  memcpy (ret_nonce, nonce, sizeof nonce);
  explicit_bzero (nonce, sizeof nonce);
  return 0;
}

void
weir_nonce_encode (const uint8_t nonce[WEIR_NONCE_SIZE], char ret_hex[WEIR_NONCE_HEX_SIZE + 1])
{
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < WEIR_NONCE_SIZE; i++)
    {
      ret_hex[2 * i] = digits[nonce[i] >> 4];
      ret_hex[2 * i + 1] = digits[nonce[i] & 15];
    }
  ret_hex[WEIR_NONCE_HEX_SIZE] = '\0';
}

bool
weir_nonce_equal (const uint8_t a[WEIR_NONCE_SIZE], const uint8_t b[WEIR_NONCE_SIZE])
{
  /* volatile: a compiler that sees the loop end early would tell how many bytes were right. */
  volatile uint8_t difference = 0;

  for (size_t i = 0; i < WEIR_NONCE_SIZE; i++)
    difference = difference | (a[i] ^ b[i]);
  return difference == 0;
}
