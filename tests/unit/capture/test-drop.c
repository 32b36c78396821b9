/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "in-child.h"
#include "weir-drop.h"

static const struct weir_plan plan = {
  .role = WEIR_ROLE_KEEPER,
  .elevated = true,
  .user = { 997, 996, true },
  .capabilities = 0x1000,
};

static const struct weir_status fitting = {
  .uids = { 997, 997, 997, 997 },
  .gids = { 996, 996, 996, 996 },
  .cap_permitted = 0x1000,
  .cap_effective = 0x1000,
  .no_new_privs = true,
};

static void
test_verify (void)
{
  struct weir_process_status process;

  g_assert_cmpint (weir_drop_verify (&plan, &fitting, &process), ==, 0);
  g_assert_cmpuint (process.role, ==, WEIR_ROLE_KEEPER);
  g_assert_cmpuint (process.pid, ==, getpid ());
  g_assert_cmpuint (process.uid, ==, 997);
  g_assert_cmphex (process.cap_effective, ==, 0x1000);
  g_assert_cmphex (process.layers_active, ==,
                   WEIR_LAYER_OWN_UID | WEIR_LAYER_CAPABILITIES | WEIR_LAYER_NO_NEW_PRIVS);
  g_assert_cmphex (process.layers_missing, ==, 0);
}

/* One thing more than planned, each in turn. */
static void
test_verify_refuses (void)
{
  for (unsigned i = 0; i < 14; i++)
    {
      struct weir_status status = fitting;
      struct weir_process_status process;

      if (i < 4)
        status.uids[i] = 0;
      else if (i < 8)
        status.gids[i - 4] = 0;
      else if (i == 8)
        status.n_groups = 1;
      else if (i == 9)
        status.cap_permitted |= 1;
      else if (i == 10)
        status.cap_effective |= 1;
      else if (i == 11)
        status.cap_inheritable = 1;
      else if (i == 12)
        status.cap_ambient = 1;
      else
        status.no_new_privs = false;
      g_assert_cmpint (weir_drop_verify (&plan, &status, &process), ==, -EPERM);
    }
}

static void
test_verify_missing (void)
{
  struct weir_status status = fitting;
  struct weir_process_status process;
  struct weir_plan other = plan;

  other.user.own = false;
  g_assert_cmpint (weir_drop_verify (&other, &status, &process), ==, 0);
  g_assert_cmphex (process.layers_missing, ==, WEIR_LAYER_OWN_UID);
  status.cap_bounding = 1;
  g_assert_cmpint (weir_drop_verify (&other, &status, &process), ==, 0);
  g_assert_cmphex (process.layers_missing, ==, WEIR_LAYER_OWN_UID | WEIR_LAYER_CAPABILITIES);
  g_assert_cmphex (process.layers_active, ==, WEIR_LAYER_NO_NEW_PRIVS);

  /* An ordinary user's: a uid of its own is not wanted, groups and bounding set stay. */
  other.elevated = false;
  other.capabilities = status.cap_effective = status.cap_permitted = 0;
  status.n_groups = 3;
  g_assert_cmpint (weir_drop_verify (&other, &status, &process), ==, 0);
  g_assert_cmphex (process.layers_missing, ==, 0);
  g_assert_cmphex (process.layers_active, ==, WEIR_LAYER_CAPABILITIES | WEIR_LAYER_NO_NEW_PRIVS);
}

static int
descriptors (void *data)
{
  const int keep[] = { 30, -1, 7, 30, 8 };
  const struct weir_plan keeping = { .keep = keep, .n_keep = G_N_ELEMENTS (keep) };

  for (int fd = 3; fd < 40; fd++)
    HOLDS (dup2 (0, fd) == fd);
  HOLDS (weir_drop_descriptors (&keeping, 12) == 0);
  for (int fd = 0; fd < 40; fd++)
    {
      const bool open = fcntl (fd, F_GETFD) >= 0;

      HOLDS (open == (fd < 3 || fd == 7 || fd == 8 || fd == 12 || fd == 30));
    }
  HOLDS (weir_drop_descriptors (&(struct weir_plan) { 0 }, -1) == 0);
  for (int fd = 0; fd < 40; fd++)
    HOLDS ((fcntl (fd, F_GETFD) >= 0) == (fd < 3));
  return 0;
}

static void
test_descriptors (void)
{
  g_assert_cmpint (in_child (descriptors, NULL), ==, 0);
}

static int
limits (void *data)
{
  const struct weir_plan limited = { .address_space = 512 << 20 };
  struct rlimit limit;

  HOLDS (setgid (1000) == 0 && setuid (1000) == 0);
  HOLDS (weir_drop_limits (&limited) == 0);
  HOLDS (getrlimit (RLIMIT_AS, &limit) == 0 && limit.rlim_max == 512 << 20);
  HOLDS (fork () < 0 && errno == EAGAIN);
  return 0;
}

static void
test_limits (void)
{
  g_assert_cmpint (in_child (limits, NULL), ==, 0);
}

/* Bits that somebody locked before stay, and do not keep ours from being set. */
static int
locked_bits (void *data)
{
  const int before = SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED;
  const int wanted = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  struct weir_plan root = { .elevated = true, .user = { 997, 997, true } };
  int bits;

  HOLDS (prctl (PR_SET_SECUREBITS, before, 0, 0, 0) == 0);
  HOLDS (weir_drop_privileges (&root) == 0);
  bits = prctl (PR_GET_SECUREBITS, 0, 0, 0, 0);
  HOLDS ((bits & wanted) == wanted && (bits & before) == before);
  return 0;
}

static void
test_locked_bits (void)
{
  g_assert_cmpint (in_child (locked_bits, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/drop/verify", test_verify);
  g_test_add_func ("/drop/verify/refuses", test_verify_refuses);
  g_test_add_func ("/drop/verify/missing", test_verify_missing);
  g_test_add_func ("/drop/descriptors", test_descriptors);
  g_test_add_func ("/drop/limits", test_limits);
  g_test_add_func ("/drop/locked-bits", test_locked_bits);
  return g_test_run ();
}
