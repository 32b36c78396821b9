/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <glib.h>

#include "in-child.h"
#include "weir-capabilities.h"

static int
set_and_get (void *data)
{
  const uint64_t admin = WEIR_CAPABILITY (CAP_NET_ADMIN), trace = WEIR_CAPABILITY (CAP_SYS_PTRACE);
  struct weir_capabilities wanted = { .effective = admin, .permitted = admin | trace };
  struct weir_capabilities now;

  HOLDS (weir_capabilities_set (&wanted) == 0);
  HOLDS (weir_capabilities_get (&now) == 0);
  HOLDS (now.effective == admin && now.permitted == (admin | trace) && now.inheritable == 0);

  wanted.effective = admin | trace;
  wanted.inheritable = trace;
  HOLDS (weir_capabilities_set (&wanted) == 0);
  HOLDS (weir_capabilities_get (&now) == 0 && now.effective == wanted.effective &&
         now.inheritable == trace);

  /* What is not permitted any more does not come back. */
  wanted.permitted |= WEIR_CAPABILITY (CAP_CHOWN);
  HOLDS (weir_capabilities_set (&wanted) == -EPERM);
  wanted = (struct weir_capabilities) { 0 };
  HOLDS (weir_capabilities_set (&wanted) == 0);
  HOLDS (weir_capabilities_get (&now) == 0);
  HOLDS (now.effective == 0 && now.permitted == 0 && now.inheritable == 0);
  wanted.permitted = admin;
  HOLDS (weir_capabilities_set (&wanted) == -EPERM);
  return 0;
}

static void
test_set_and_get (void)
{
  g_assert_cmpint (in_child (set_and_get, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/capabilities/set-and-get", test_set_and_get);
  return g_test_run ();
}
