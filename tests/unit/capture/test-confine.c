/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole order, on real processes: what the kernel shows, and what it then refuses. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <sys/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "in-child.h"
#include "weir-capabilities.h"
#include "weir-confine.h"

#define LAYERS (WEIR_LAYER_OWN_UID | WEIR_LAYER_CAPABILITIES | WEIR_LAYER_NO_NEW_PRIVS)
/* What would hide from the tests of privileges that these are gone. */
#define ROOMS  (WEIR_LAYER_EMPTY_ROOT | WEIR_LAYER_EMPTY_NAMESPACES)
#define FENCES (ROOMS | WEIR_LAYER_LANDLOCK | WEIR_LAYER_SECCOMP)

static int
elevated (void *data)
{
  const uint64_t wanted = *(const uint64_t *) data;
  const struct weir_plan plan = { .role = WEIR_ROLE_LOOKER,
                                  .elevated = true,
                                  .user = { 4242, 4243, true },
                                  .capabilities = wanted,
                                  .address_space = 1 << 30,
                                  .without = FENCES };
  struct weir_process_status process;
  const gid_t groups[] = { 0, 4, 24 };

  HOLDS (setgroups (3, groups) == 0);
  HOLDS (weir_confine (&plan, &process) == 0);
  HOLDS (process.uid == 4242 && process.role == WEIR_ROLE_LOOKER);
  HOLDS (process.cap_effective == wanted && process.cap_permitted == wanted);
  HOLDS (process.cap_bounding == 0 && process.cap_inheritable == 0 && process.cap_ambient == 0);
  HOLDS (process.layers_active == LAYERS && process.layers_missing == 0);

  HOLDS (getuid () == 4242 && getgid () == 4243 && getgroups (0, NULL) == 0);
  HOLDS (setuid (0) < 0 && setgid (0) < 0 && setgroups (3, groups) < 0);
  HOLDS (prctl (PR_GET_SECUREBITS) ==
         (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
          SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED));
  HOLDS (prctl (PR_GET_DUMPABLE) == 0);
  HOLDS (prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_PTRACE, 0, 0) < 0);
  HOLDS (open ("/etc/shadow", O_WRONLY) < 0);
  HOLDS ((open ("/etc/shadow", O_RDONLY) >= 0) ==
         ((wanted & WEIR_CAPABILITY (CAP_DAC_READ_SEARCH)) != 0));
  HOLDS (fork () < 0 && errno == EAGAIN);
  return 0;
}

static void
test_elevated (void)
{
  static const uint64_t masks[] = {
    0,
    WEIR_CAPABILITY (CAP_NET_ADMIN),
    WEIR_CAPABILITY (CAP_SYS_PTRACE) | WEIR_CAPABILITY (CAP_DAC_READ_SEARCH),
  };

  for (size_t i = 0; i < G_N_ELEMENTS (masks); i++)
    {
      uint64_t mask = masks[i];

      g_assert_cmpint (in_child (elevated, &mask), ==, 0);
    }
}

static int
ordinary (void *data)
{
  const struct weir_plan plan = {
    .role = WEIR_ROLE_METER, .user = { .uid = 1000 }, .address_space = 1 << 30, .without = FENCES
  };
  struct weir_process_status process;

  HOLDS (setgroups (0, NULL) == 0 && setgid (1000) == 0 && setuid (1000) == 0);
  HOLDS (prctl (PR_SET_DUMPABLE, 1) == 0);
  HOLDS (weir_confine (&plan, &process) == 0);
  HOLDS (prctl (PR_GET_DUMPABLE) == 0);
  HOLDS (process.uid == 1000 && process.cap_effective == 0 && process.no_new_privs == 1);
  HOLDS (process.layers_active == (WEIR_LAYER_CAPABILITIES | WEIR_LAYER_NO_NEW_PRIVS));
  HOLDS (process.layers_missing == 0);
  return 0;
}

static void
test_ordinary (void)
{
  g_assert_cmpint (in_child (ordinary, NULL), ==, 0);
}

/* A container's root without CAP_SETPCAP: it still becomes somebody else with nothing, and what
 * stays is named. */
static int
without_setpcap (void *data)
{
  const struct weir_plan plan = { .elevated = true,
                                  .user = { 4242, 4243, true },
                                  .capabilities = WEIR_CAPABILITY (CAP_NET_ADMIN),
                                  .address_space = 1 << 30,
                                  .without = FENCES };
  struct weir_process_status process;
  struct weir_capabilities sets;

  HOLDS (weir_capabilities_get (&sets) == 0);
  sets.effective &= ~WEIR_CAPABILITY (CAP_SETPCAP);
  sets.permitted &= ~WEIR_CAPABILITY (CAP_SETPCAP);
  HOLDS (weir_capabilities_set (&sets) == 0);
  HOLDS (weir_confine (&plan, &process) == 0);
  HOLDS (process.uid == 4242 && process.cap_permitted == plan.capabilities);
  HOLDS (process.cap_bounding != 0 && process.layers_missing == WEIR_LAYER_CAPABILITIES);
  return 0;
}

static void
test_without_setpcap (void)
{
  g_assert_cmpint (in_child (without_setpcap, NULL), ==, 0);
}

/* All of it: a process that can tell, and do nothing else. */
static int
whole (void *data)
{
  const struct weir_plan plan = { .role = *(const enum weir_role *) data,
                                  .elevated = true,
                                  .user = { 4242, 4243, true },
                                  .address_space = 1 << 30 };
  struct weir_process_status process;

  HOLDS (weir_confine (&plan, &process) == 0);
  HOLDS (process.layers_missing == 0);
  HOLDS (process.layers_active ==
         (LAYERS | (FENCES & ~(plan.role == WEIR_ROLE_LOOKER ? WEIR_LAYER_LANDLOCK : 0))));
  return socket (AF_INET, SOCK_DGRAM, 0) < 0 ? 0 : 1;
}

static void
test_whole (void)
{
  for (int i = 0; i < WEIR_N_ROLES; i++)
    {
      enum weir_role role = (enum weir_role) i;

      g_assert_cmpint (in_child (whole, &role), ==, 256 + SIGSYS);
    }
}

static int
without_sys_admin (void *data)
{
  const bool strict = *(const bool *) data;
  const struct weir_plan plan = { .role = WEIR_ROLE_LOOKER,
                                  .elevated = true,
                                  .strict = strict,
                                  .user = { 4242, 4243, true },
                                  .address_space = 1 << 30 };
  struct weir_process_status process;
  struct weir_capabilities sets;

  HOLDS (weir_capabilities_get (&sets) == 0);
  sets.effective &= ~WEIR_CAPABILITY (CAP_SYS_ADMIN);
  sets.permitted &= ~WEIR_CAPABILITY (CAP_SYS_ADMIN);
  HOLDS (weir_capabilities_set (&sets) == 0);
  HOLDS (weir_confine (&plan, &process) == (strict ? -EOPNOTSUPP : 0));
  HOLDS (process.layers_missing == ROOMS);
  HOLDS ((process.layers_active & LAYERS) == LAYERS);
  return 0;
}

/* Rooms that are refused are named, or fatal to the strict. */
static void
test_without_sys_admin (void)
{
  for (int i = 0; i < 2; i++)
    {
      bool strict = i == 1;

      g_assert_cmpint (in_child (without_sys_admin, &strict), ==, 0);
    }
}

/* A root that may not change its uid must not serve. */
static int
without_setuid (void *data)
{
  const struct weir_plan plan = { .elevated = true,
                                  .user = { 4242, 4243, true },
                                  .address_space = 1 << 30 };
  struct weir_process_status process;
  struct weir_capabilities sets;

  HOLDS (weir_capabilities_get (&sets) == 0);
  sets.effective &= ~WEIR_CAPABILITY (*(const int *) data);
  sets.permitted &= ~WEIR_CAPABILITY (*(const int *) data);
  HOLDS (weir_capabilities_set (&sets) == 0);
  HOLDS (weir_confine (&plan, &process) < 0);
  return 0;
}

static void
test_without_setuid (void)
{
  int number = CAP_SETUID;

  g_assert_cmpint (in_child (without_setuid, &number), ==, 0);
  number = CAP_SETGID;
  g_assert_cmpint (in_child (without_setuid, &number), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/confine/elevated", test_elevated);
  g_test_add_func ("/confine/ordinary", test_ordinary);
  g_test_add_func ("/confine/whole", test_whole);
  g_test_add_func ("/confine/without-setpcap", test_without_setpcap);
  g_test_add_func ("/confine/without-sys-admin", test_without_sys_admin);
  g_test_add_func ("/confine/without-setuid", test_without_setuid);
  return g_test_run ();
}
