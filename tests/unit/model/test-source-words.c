/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-source-words.h"

/* Whatever a reader of the protocol lets pass has words, and every reason comes with an advice. */
static void
test_all_have_words (void)
{
  for (guint source = 0; source < WEIR_N_SOURCES; source++)
    g_assert_cmpstr (weir_source_words_get_name (source), !=, "—");
  for (guint state = WEIR_SOURCE_UNAVAILABLE; state <= WEIR_SOURCE_ACTIVE; state++)
    g_assert_cmpstr (weir_source_words_get_state (state), !=, "—");
  for (guint reason = WEIR_REASON_NONE + 1; reason <= WEIR_REASON_NOT_BUILT; reason++)
    {
      g_assert_cmpstr (weir_source_words_get_reason (reason), !=, "—");
      g_assert_nonnull (weir_source_words_get_reason (reason));
      g_assert_nonnull (weir_source_words_get_advice (reason));
    }
  g_assert_null (weir_source_words_get_reason (WEIR_REASON_NONE));
  g_assert_null (weir_source_words_get_advice (WEIR_REASON_NONE));
}

static void
test_unknown (void)
{
  g_assert_cmpstr (weir_source_words_get_name (WEIR_SOURCE_NONE), ==, "—");
  g_assert_cmpstr (weir_source_words_get_state (200), ==, "—");
  g_assert_cmpstr (weir_source_words_get_reason (60000), ==, "—");
  g_assert_null (weir_source_words_get_advice (60000));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/source-words/all-have-words", test_all_have_words);
  g_test_add_func ("/source-words/unknown", test_unknown);
  return g_test_run ();
}
