/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Capability sets as bit masks, bit n being capability n of capabilities(7). */
#pragma once

#include <stdint.h>
#include <sys/capability.h>

#define WEIR_CAPABILITY(number) (UINT64_C (1) << (number))

struct weir_capabilities
{
  uint64_t effective, permitted, inheritable;
};

/* Of this process. */
int
weir_capabilities_get (struct weir_capabilities *ret_capabilities);
/* Sets exactly these and reads them back; -EPERM also when the kernel shows others afterwards. */
int
weir_capabilities_set (const struct weir_capabilities *capabilities);
