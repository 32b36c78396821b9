/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "weir-strict.h"

static void
test_refuses (void)
{
  struct weir_process_status processes[] = {
    { .role = WEIR_ROLE_METER, .layers_active = 0x7f },
    { .role = WEIR_ROLE_KEEPER, .layers_active = 0x7f },
    { .role = WEIR_ROLE_LOOKER, .layers_active = 0x5f },
  };
  char what[128] = "";

  /* A layer that was not wanted is not missing. */
  g_assert_false (weir_strict_refuses (processes, 3, what, sizeof what));
  processes[2].layers_missing = WEIR_LAYER_SECCOMP;
  g_assert_false (weir_strict_refuses (processes, 2, what, sizeof what));
  g_assert_true (weir_strict_refuses (processes, 3, what, sizeof what));
  g_assert_cmpstr (what, ==, "looker: seccomp");
  processes[1].layers_missing = WEIR_LAYER_EMPTY_ROOT | WEIR_LAYER_EMPTY_NAMESPACES;
  g_assert_true (weir_strict_refuses (processes, 3, what, sizeof what));
  g_assert_cmpstr (what, ==, "keeper: empty-root, empty-namespaces");
  g_assert_true (weir_strict_refuses (processes, 3, what, 9));
  g_assert_cmpstr (what, ==, "keeper: ");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/capture/strict/refuses", test_refuses);
  return g_test_run ();
}
