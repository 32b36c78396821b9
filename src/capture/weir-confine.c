/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order, and why it is that one:
 *
 *   1. namespaces and the empty root, which take what only root may;
 *   2. limits, because raising what a caller left too low takes a privilege;
 *   3. secure bits, bounding set, groups, gid, uid, capabilities, ambient set, KEEP_CAPS, dumpable,
 *      no_new_privs: each needs what the later ones take away (weir-drop.c says so step by step);
 *   4. Landlock, which takes no_new_privs and nothing else;
 *   5. descriptors that are not on the list, after the last step that opens or uses one;
 *   6. seccomp, the one step that needs none of the calls that it takes away;
 *   7. the kernel's own word for the result.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "weir-confine.h"
#include "weir-landlock.h"
#include "weir-room.h"
#include "weir-seccomp.h"

int
weir_confine (const struct weir_plan *plan, struct weir_process_status *ret_process)
{
  struct weir_process_status process;
  struct weir_layers layers = { 0 };
  struct weir_status status;
  int fd, r;

  /* Opened by the process that it is about, and before it loses sight of /proc. */
  fd = open ("/proc/self/status", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return -errno;

  r = weir_room_enter (plan, &layers);
  if (r == 0)
    r = weir_drop_limits (plan);
  if (r == 0)
    r = weir_drop_privileges (plan);
  if (r == 0)
    r = weir_landlock_restrict (plan, &layers);
  if (r >= 0)
    r = weir_drop_descriptors (plan, fd);
  if (r == 0)
    r = weir_seccomp_load (plan, &layers);
  if (r == 0)
    r = weir_status_read (fd, &status);
  if (r == 0)
    r = weir_drop_verify (plan, &status, &process);
  if (plan->ret_status != NULL && r == 0)
    *plan->ret_status = fd;
  else
    close (fd);
  if (r < 0)
    return r;

  /* A filter of ours, or of whoever started us: either way the kernel must know of one. */
  if ((layers.active & WEIR_LAYER_SECCOMP) != 0 && status.seccomp != WEIR_SECCOMP_FILTER)
    return -EPERM;
  process.layers_active |= layers.active;
  process.layers_missing |= layers.missing;
  *ret_process = process;
  return plan->strict && process.layers_missing != 0 ? -EOPNOTSUPP : 0;
}
