/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every call is checked, every effect is read back, and the whole is verified from
 * /proc/self/status afterwards: a call that is allowed to fail silently is how privileges stay
 * behind.
 *
 * An ordinary user's engine runs the same steps.  It has nothing to give up, and may do without
 * those that need a privilege themselves; what holds it is that it cannot gain any (no_new_privs).
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "weir-capabilities.h"
#include "weir-drop.h"
#include "weir-normalise.h"

/* ---- limits ---- */

int
weir_drop_limits (const struct weir_plan *plan)
{
  const struct
  {
    int resource;
    rlim_t most;
  } limits[] = {
    { RLIMIT_NPROC, 0 },   /* no further process or thread */
    { RLIMIT_CORE, 0 },    /* no image of what it knows on disk */
    { RLIMIT_FSIZE, 0 },   /* no file grows by its hand */
    { RLIMIT_MEMLOCK, 0 }, /* no memory that cannot be taken back */
    { RLIMIT_MSGQUEUE, 0 },
    { RLIMIT_NOFILE, WEIR_DESCRIPTORS_MAX },
    { RLIMIT_AS, plan->address_space }, /* a table that grows without end ends the engine only */
  };

  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
    {
      int r = weir_normalise_limit (limits[i].resource, limits[i].most, 0);

      if (r < 0)
        return r;
    }
  return 0;
}

/* ---- privileges ---- */

/* From here on uid 0 means nothing to exec and to the capability sets (NOROOT), nothing gets
 * ambient capabilities, and neither can be undone (LOCKED).  KEEP_CAPS lets the permitted set live
 * through the change of uid, for the one or two capabilities that a helper is to keep. */
static int
set_securebits (void)
{
  const int wanted = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED | SECBIT_KEEP_CAPS;
  int bits;

  /* A container may have locked others before, which are not to be had back. */
  bits = prctl (PR_GET_SECUREBITS, 0, 0, 0, 0);
  if (bits < 0 || prctl (PR_SET_SECUREBITS, (unsigned long) (bits | wanted), 0, 0, 0) < 0)
    return -errno;
  bits = prctl (PR_GET_SECUREBITS, 0, 0, 0, 0);
  return bits >= 0 && (bits & wanted) == wanted ? 0 : -EPERM;
}

/* Nobody here executes anything, so what exec could give back is nothing at all, for the helpers
 * with capabilities as well: a capability need not be in the bounding set to be held. */
static int
empty_bounding_set (void)
{
  for (unsigned long number = 0; number < 64; number++)
    {
      int present = prctl (PR_CAPBSET_READ, number, 0, 0, 0);

      if (present < 0 && errno == EINVAL)
        break; /* beyond the last that this kernel knows */
      if (present < 0)
        return -errno;
      if (present > 0 && prctl (PR_CAPBSET_DROP, number, 0, 0, 0) < 0)
        return -errno;
      if (present > 0 && prctl (PR_CAPBSET_READ, number, 0, 0, 0) != 0)
        return -EPERM;
    }
  return 0;
}

/* Groups first, while that is still allowed; then gid; then uid, which ends the permission for
 * both.  All three ids of each kind, so that there is no way back.  uid 0 must go even without
 * capabilities: it owns the files of the system. */
static int
become_user (const struct weir_user *user)
{
  uid_t uids[3];
  gid_t gids[3];

  if (setgroups (0, NULL) < 0 || setresgid (user->gid, user->gid, user->gid) < 0 ||
      setresuid (user->uid, user->uid, user->uid) < 0)
    return -errno;

  if (getgroups (0, NULL) != 0 || getresgid (&gids[0], &gids[1], &gids[2]) < 0 ||
      getresuid (&uids[0], &uids[1], &uids[2]) < 0)
    return -EPERM;
  for (size_t i = 0; i < 3; i++)
    if (uids[i] != user->uid || gids[i] != user->gid)
      return -EPERM;
  return 0;
}

/* Exactly what the role needs, and nothing that exec could inherit. */
static int
keep_capabilities (uint64_t wanted)
{
  const struct weir_capabilities exact = { .effective = wanted, .permitted = wanted };

  return weir_capabilities_set (&exact);
}

static int
clear_ambient (void)
{
  return prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ? -errno : 0;
}

/* Its one use is over; left on, a later change of uid would keep capabilities again. */
static int
stop_keeping (void)
{
  if (prctl (PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
    return -errno;
  return prctl (PR_GET_KEEPCAPS, 0, 0, 0, 0) == 0 ? 0 : -EPERM;
}

/* Other processes of the same uid cannot attach to it, read its memory or take its descriptors.
 * After the last change of uid, which sets this anew. */
static int
forbid_attaching (void)
{
  if (prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
    return -errno;
  return prctl (PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -EPERM;
}

/* No set-user-id bit and no file capability will ever give it anything again. */
static int
forbid_new_privileges (void)
{
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return -errno;
  return prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -EPERM;
}

/* Its socket is the leash of a helper: it reads end of file when the meter is gone.  The death
 * signal is a second one for a helper that is not reading just then; it is only delivered where the
 * meter may signal the helper, that is where they are the same user and Landlock does not keep the
 * meter from it (weir-landlock.c): in the limited view.  It is set after the change of credentials,
 * which clears it, and what happened before that is seen from the parent's pid. */
static int
attach_leash (pid_t parent)
{
  if (prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
    return -errno;
  return getppid () == parent ? 0 : -ESRCH;
}

int
weir_drop_privileges (const struct weir_plan *plan)
{
  struct weir_capabilities now;
  int r;

  r = weir_capabilities_get (&now);
  if (r < 0)
    return r;

  /* Both steps take CAP_SETPCAP.  A container may have withheld it from a root of its own: then the
   * bounding set stays, and weir_drop_verify() names it as missing. */
  if ((now.effective & WEIR_CAPABILITY (CAP_SETPCAP)) != 0)
    {
      r = set_securebits ();
      if (r == 0)
        r = empty_bounding_set ();
    }
  else if (plan->capabilities != 0 && prctl (PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
    r = -errno;

  if (r == 0 && plan->elevated)
    r = become_user (&plan->user);
  if (r == 0)
    r = keep_capabilities (plan->capabilities);
  if (r == 0)
    r = clear_ambient ();
  if (r == 0)
    r = stop_keeping ();
  if (r == 0)
    r = forbid_attaching ();
  if (r == 0)
    r = forbid_new_privileges ();
  if (r == 0 && plan->leash > 0)
    r = attach_leash (plan->leash);
  return r;
}

/* ---- descriptors ---- */

static int
compare_ints (const void *a, const void *b)
{
  const int x = *(const int *) a, y = *(const int *) b;

  return (x > y) - (x < y);
}

int
weir_drop_descriptors (const struct weir_plan *plan, int also)
{
  int sorted[WEIR_DESCRIPTORS_MAX];
  unsigned int first = STDERR_FILENO + 1;
  size_t n = 0;

  if (plan->n_keep + 1 > sizeof sorted / sizeof sorted[0])
    return -EINVAL;
  for (size_t i = 0; i < plan->n_keep; i++)
    if (plan->keep[i] >= (int) first)
      sorted[n++] = plan->keep[i];
  if (also >= (int) first)
    sorted[n++] = also;
  qsort (sorted, n, sizeof sorted[0], compare_ints);

  /* By what is kept rather than by what is known to be open: a descriptor that somebody forgets
   * about is closed, too. */
  for (size_t i = 0; i < n; i++)
    {
      const unsigned int kept = (unsigned int) sorted[i];

      if (kept > first && close_range (first, kept - 1, 0) < 0)
        return -errno;
      if (kept >= first)
        first = kept + 1;
    }
  return close_range (first, ~0U, 0) < 0 ? -errno : 0;
}

/* ---- verification ---- */

int
weir_drop_verify (const struct weir_plan *plan, const struct weir_status *status,
                  struct weir_process_status *ret_process)
{
  struct weir_process_status process = { .role = (uint8_t) plan->role };

  for (size_t i = 0; i < 4; i++)
    if (status->uids[i] != plan->user.uid || (plan->elevated && status->gids[i] != plan->user.gid))
      return -EPERM;
  if (plan->elevated && status->n_groups != 0)
    return -EPERM;
  if (status->cap_effective != plan->capabilities || status->cap_permitted != plan->capabilities ||
      status->cap_inheritable != 0 || status->cap_ambient != 0 || !status->no_new_privs)
    return -EPERM;

  process.pid = (uint32_t) getpid ();
  process.uid = status->uids[1];
  process.cap_effective = status->cap_effective;
  process.cap_permitted = status->cap_permitted;
  process.cap_inheritable = status->cap_inheritable;
  process.cap_bounding = status->cap_bounding;
  process.cap_ambient = status->cap_ambient;
  process.no_new_privs = 1;
  process.layers_active = WEIR_LAYER_NO_NEW_PRIVS;

  /* An ordinary user's engine cannot change its bounding set and has no use for one. */
  if (plan->elevated && status->cap_bounding != 0)
    process.layers_missing |= WEIR_LAYER_CAPABILITIES;
  else
    process.layers_active |= WEIR_LAYER_CAPABILITIES;

  /* It also is meant to run as that user; with capabilities of its own (from its file) it is not.
   */
  if (plan->user.own)
    process.layers_active |= WEIR_LAYER_OWN_UID;
  else if (plan->elevated || plan->capabilities != 0)
    process.layers_missing |= WEIR_LAYER_OWN_UID;

  *ret_process = process;
  return 0;
}
