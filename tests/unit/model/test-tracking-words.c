/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <netinet/in.h>

#include "weir-tracking-words.h"

static void
test_words (void)
{
  g_assert_cmpstr (weir_tracking_state_get_word (IPPROTO_TCP, 3), ==, "established");
  g_assert_cmpstr (weir_tracking_state_get_word (IPPROTO_TCP, 9), ==, "syn-sent2");
  g_assert_cmpstr (weir_tracking_state_get_word (IPPROTO_SCTP, 4), ==, "established");
  g_assert_cmpstr (weir_tracking_state_get_word (IPPROTO_SCTP, 8), ==, "heartbeat-sent");
  g_assert_cmpstr (weir_tracking_state_get_word (IPPROTO_DCCP, 4), ==, "open");
}

/* Whatever an engine says. */
static void
test_all_numbers (void)
{
  guint n = 0;

  for (guint protocol = 0; protocol < 256; protocol++)
    {
      g_assert_null (weir_tracking_state_get_word ((guint8) protocol, 0));
      for (guint state = 0; state < 256; state++)
        n += weir_tracking_state_get_word ((guint8) protocol, (guint8) state) != NULL;
    }
  g_assert_cmpuint (n, ==, 9 + 9 + 7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tracking-words/words", test_words);
  g_test_add_func ("/tracking-words/all-numbers", test_all_numbers);
  return g_test_run ();
}
