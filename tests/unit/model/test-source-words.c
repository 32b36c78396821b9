/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "weir-posture-words.h"
#include "weir-source-words.h"

/* Whatever a reader of the protocol lets pass has words, and every reason comes with an advice. */
static void
test_all_have_words (void)
{
  for (guint source = 0; source < WEIR_N_SOURCES; source++)
    g_assert_cmpstr (weir_source_words_get_name (source), !=, "—");
  for (guint state = WEIR_SOURCE_UNAVAILABLE; state <= WEIR_SOURCE_ACTIVE; state++)
    g_assert_cmpstr (weir_source_words_get_state (state), !=, "—");
  for (guint reason = WEIR_REASON_NONE + 1; reason <= WEIR_REASON_LAST; reason++)
    {
      g_assert_cmpstr (weir_source_words_get_reason (reason), !=, "—");
      g_assert_nonnull (weir_source_words_get_reason (reason));
      g_assert_nonnull (weir_source_words_get_advice (reason));
    }
  g_assert_null (weir_source_words_get_reason (WEIR_REASON_NONE));
  g_assert_null (weir_source_words_get_advice (WEIR_REASON_NONE));
}

/* What the system said of a right that is known to be missing, say, is only noise. */
static void
test_cause (void)
{
  g_assert_true (weir_source_words_has_cause (WEIR_REASON_REFUSED));
  g_assert_true (weir_source_words_has_cause (WEIR_REASON_VERIFIER));
  g_assert_false (weir_source_words_has_cause (WEIR_REASON_NEEDS_FULL_VIEW));
  g_assert_false (weir_source_words_has_cause (WEIR_REASON_NO_RIGHT));
  g_assert_false (weir_source_words_has_cause (60000));
}

/* Why a right is kept is said once, however many processes keep one. */
static void
test_posture (void)
{
  struct weir_process_status processes[3] = { { .role = WEIR_ROLE_METER },
                                              { .role = WEIR_ROLE_LOOKER },
                                              { .role = WEIR_ROLE_LOOKER } };
  g_autofree char *nothing = weir_posture_words_make (processes, 3);

  g_assert_null (weir_posture_words_make (processes, 0));
  g_assert_nonnull (strstr (nothing, "No process"));
  for (guint8 keeps = WEIR_KEEPING_UNDECIDED; keeps <= WEIR_KEEPING_LAST; keeps++)
    {
      g_autofree char *words = NULL;

      processes[1].keeps = processes[2].keeps = keeps;
      processes[1].cap_permitted = processes[2].cap_permitted = 4;
      words = weir_posture_words_make (processes, 3);
      g_assert_cmpstr (words, !=, nothing);
      g_assert_null (strchr (words, '\n'));
      g_assert_cmpint (weir_posture_words_is_undecided (processes, 3), ==,
                       keeps == WEIR_KEEPING_UNDECIDED);
    }
  /* Nothing is claimed that is not said. */
  processes[1].keeps = processes[2].keeps = WEIR_KEEPING_NOTHING;
  g_assert_null (weir_posture_words_make (processes, 3));
}

static void
test_unknown (void)
{
  g_assert_cmpstr (weir_source_words_get_name (WEIR_SOURCE_NONE), ==, "—");
  g_assert_cmpstr (weir_source_words_get_state (200), ==, "—");
  g_assert_cmpstr (weir_source_words_get_reason (60000), ==, "—");
  g_assert_null (weir_source_words_get_advice (60000));
}

static void
test_cadence (void)
{
  g_autofree char *rare = weir_source_words_make_cadence (WEIR_CADENCE_GOVERNED, 8000);
  g_autofree char *floor = weir_source_words_make_cadence (WEIR_CADENCE_FLOOR, 250);

  g_assert_null (weir_source_words_make_cadence (WEIR_CADENCE_AS_WISHED, 1000));
  g_assert_null (weir_source_words_make_cadence (200, 1000));
  g_assert_nonnull (strstr (rare, "8\302\240s"));
  g_assert_nonnull (strstr (floor, "0.25\302\240s"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/source-words/all-have-words", test_all_have_words);
  g_test_add_func ("/source-words/cause", test_cause);
  g_test_add_func ("/source-words/posture", test_posture);
  g_test_add_func ("/source-words/unknown", test_unknown);
  g_test_add_func ("/source-words/cadence", test_cadence);
  return g_test_run ();
}
