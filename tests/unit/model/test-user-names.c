/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model-samples.h"
#include "weir-user-names.h"

static gboolean
root_is_known (gpointer data)
{
  return weir_user_names_get (0) != NULL;
}

static void
test_root (void)
{
  guint generation = weir_user_names_get_generation ();

  /* The first answer is not waited for. */
  g_assert_null (weir_user_names_get (0));
  sample_wait (root_is_known, NULL);
  g_assert_cmpstr (weir_user_names_get (0), ==, "root");
  g_assert_cmpuint (weir_user_names_get_generation (), ==, generation + 1);
}

static void
test_nobody_has_this_number (void)
{
  guint generation = weir_user_names_get_generation ();

  g_assert_null (weir_user_names_get (3999999999));
  for (gint64 end = g_get_monotonic_time () + 300 * 1000; g_get_monotonic_time () < end;)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
    }
  g_assert_null (weir_user_names_get (3999999999));
  g_assert_cmpuint (weir_user_names_get_generation (), ==, generation);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/user-names/root", test_root);
  g_test_add_func ("/user-names/nobody-has-this-number", test_nobody_has_this_number);
  return g_test_run ();
}
