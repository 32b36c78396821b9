/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>

#include "weir-capabilities.h"
#include "weir-rights.h"
#include "weir-status.h"

int
weir_rights_give_up (struct weir_rights *rights)
{
  static const struct weir_capabilities none;
  struct weir_process_status *process = &rights->process;
  struct weir_status status;
  int r;

  r = weir_capabilities_set (&none);
  if (r == 0)
    r = weir_status_read (rights->status, &status);
  if (r < 0)
    return r;
  if (status.cap_effective != 0 || status.cap_permitted != 0 || status.cap_inheritable != 0 ||
      status.cap_ambient != 0 || !status.no_new_privs)
    return -EPERM;
  process->cap_effective = status.cap_effective;
  process->cap_permitted = status.cap_permitted;
  process->cap_inheritable = status.cap_inheritable;
  process->cap_bounding = status.cap_bounding;
  process->cap_ambient = status.cap_ambient;
  return 0;
}
