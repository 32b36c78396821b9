/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-actions.h"

static gboolean
is_made_from_table (const WeirAction *action)
{
  return g_str_has_prefix (action->name, "app.") || g_str_has_prefix (action->name, "win.");
}

static void
test_complete (void)
{
  guint n_actions;
  const WeirAction *actions = weir_actions_get (&n_actions);

  for (guint i = 0; i < n_actions; i++)
    {
      g_test_message ("%s", actions[i].name);
      g_assert_nonnull (actions[i].title);
      g_assert_cmpstr (actions[i].title, !=, "");
      g_assert_true (is_made_from_table (&actions[i]) ==
                     ((actions[i].activate != NULL) != (actions[i].property != NULL)));
      if (*actions[i].name != '\0')
        g_assert_true (g_action_name_is_valid (strchr (actions[i].name, '.') + 1));
      if (actions[i].parameter_type != NULL)
        g_assert_true (g_variant_type_string_is_valid (actions[i].parameter_type));
      /* What is listed can be reached by keys. */
      g_assert_true (actions[i].section == WEIR_SECTION_NONE || actions[i].accels[0] != NULL);
    }
}

static void
test_unique (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  guint n_actions;
  const WeirAction *actions = weir_actions_get (&n_actions);

  for (guint i = 0; i < n_actions; i++)
    if (*actions[i].name != '\0')
      g_assert_true (g_hash_table_add (seen, (char *) actions[i].name));
}

static void
test_accels (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n_actions, n_accels = 0;
  const WeirAction *actions = weir_actions_get (&n_actions);

  for (guint i = 0; i < n_actions; i++)
    for (guint j = 0; j < G_N_ELEMENTS (actions[i].accels) && actions[i].accels[j] != NULL; j++)
      {
        guint keyval;
        GdkModifierType state;

        g_test_message ("%s: %s", actions[i].title, actions[i].accels[j]);
        g_assert_cmpuint (j, <, G_N_ELEMENTS (actions[i].accels) - 1);
        g_assert_true (gtk_accelerator_parse (actions[i].accels[j], &keyval, &state));
        g_assert_true (g_hash_table_add (seen, gtk_accelerator_name (keyval, state)));
        n_accels++;
      }
  g_assert_cmpuint (n_accels, >, 8);
}

static void
test_nothing_elevates_on_the_bus (void)
{
  guint n_actions, n_view = 0;
  const WeirAction *actions = weir_actions_get (&n_actions);

  for (guint i = 0; i < n_actions; i++)
    {
      if (g_str_has_prefix (actions[i].name, "view."))
        n_view++;
      if (is_made_from_table (&actions[i]))
        g_assert_null (strstr (actions[i].name, "unlock"));
    }
  g_assert_cmpuint (n_view, >=, 3);
}

static void
test_sections (void)
{
  for (WeirActionSection section = 0; section < WEIR_N_SECTIONS; section++)
    g_assert_cmpstr (weir_actions_get_section_title (section), !=, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/actions/complete", test_complete);
  g_test_add_func ("/actions/unique", test_unique);
  g_test_add_func ("/actions/accels", test_accels);
  g_test_add_func ("/actions/nothing-elevates-on-the-bus", test_nothing_elevates_on_the_bus);
  g_test_add_func ("/actions/sections", test_sections);
  return g_test_run ();
}
