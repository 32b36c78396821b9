/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <stddef.h>

#include "weir-capabilities.h"

int
weir_capabilities_get (struct weir_capabilities *ret_capabilities)
{
  struct weir_capabilities sets = { 0 };
  uint64_t *const masks[] = { &sets.effective, &sets.permitted, &sets.inheritable };
  static const cap_flag_t flags[] = { CAP_EFFECTIVE, CAP_PERMITTED, CAP_INHERITABLE };
  cap_t state;

  state = cap_get_proc ();
  if (state == NULL)
    return -errno;
  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
    for (cap_value_t number = 0; number < 64; number++)
      {
        cap_flag_value_t value = CAP_CLEAR;

        /* Fails for numbers beyond those that the kernel knows. */
        if (cap_get_flag (state, number, flags[i], &value) == 0 && value == CAP_SET)
          *masks[i] |= WEIR_CAPABILITY (number);
      }
  if (cap_free (state) < 0)
    return -errno;
  *ret_capabilities = sets;
  return 0;
}

static int
fill (cap_t state, cap_flag_t flag, uint64_t mask)
{
  for (cap_value_t number = 0; number < 64; number++)
    if ((mask & WEIR_CAPABILITY (number)) != 0 &&
        cap_set_flag (state, flag, 1, &number, CAP_SET) < 0)
      return -errno;
  return 0;
}

int
weir_capabilities_set (const struct weir_capabilities *capabilities)
{
  struct weir_capabilities now;
  cap_t state;
  int r;

  state = cap_init ();
  if (state == NULL)
    return -errno;
  r = fill (state, CAP_EFFECTIVE, capabilities->effective);
  if (r == 0)
    r = fill (state, CAP_PERMITTED, capabilities->permitted);
  if (r == 0)
    r = fill (state, CAP_INHERITABLE, capabilities->inheritable);
  if (r == 0 && cap_set_proc (state) < 0)
    r = -errno;
  cap_free (state);
  if (r < 0)
    return r;

  r = weir_capabilities_get (&now);
  if (r < 0)
    return r;
  if (now.effective != capabilities->effective || now.permitted != capabilities->permitted ||
      now.inheritable != capabilities->inheritable)
    return -EPERM;
  return 0;
}
