/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order, and why it is that one:
 *
 *   1. limits, because raising what a caller left too low takes a privilege;
 *   2. secure bits, bounding set, groups, gid, uid, capabilities, ambient set, KEEP_CAPS, dumpable,
 *      no_new_privs: each needs what the later ones take away (weir-drop.c says so step by step);
 *   3. descriptors that are not on the list, after the last step that opens or uses one;
 *   4. the kernel's own word for the result.
 *
 * Namespaces and an empty root belong before 1, Landlock between 2 and 3, seccomp after 4.  This
 * version of the engine has none of the three; their bits are in neither layers_active nor
 * layers_missing.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "weir-confine.h"

int
weir_confine (const struct weir_plan *plan, struct weir_process_status *ret_process)
{
  struct weir_status status;
  int fd, r;

  /* Opened by the process that it is about, and before it loses sight of /proc. */
  fd = open ("/proc/self/status", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return -errno;

  r = weir_drop_limits (plan);
  if (r == 0)
    r = weir_drop_privileges (plan);
  if (r == 0)
    r = weir_drop_descriptors (plan, fd);
  if (r == 0)
    r = weir_status_read (fd, &status);
  if (r == 0)
    r = weir_drop_verify (plan, &status, ret_process);
  close (fd);
  return r;
}
