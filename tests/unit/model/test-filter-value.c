/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "weir-filter-value.h"

static gboolean
matches (WeirFilterValue *value, WeirFilterOperator op, const char *text)
{
  WeirFilterProbe probe = { .value = value, .op = op };

  weir_filter_probe_text (&probe, text);
  return weir_filter_probe_get_answer (&probe);
}

static void
test_globs (void)
{
  static const struct
  {
    const char *pattern, *text;
    gboolean matches;
  } cases[] = {
    { "*", "", TRUE },
    { "*", "x", TRUE },
    { "?", "", FALSE },
    { "?", "ü", TRUE },
    { "??", "ü", FALSE },
    { "a*", "a", TRUE },
    { "a*", "ba", FALSE },
    { "*a", "bba", TRUE },
    { "*a", "ab", FALSE },
    { "a*b*c", "a1b2b3c", TRUE },
    { "a*b*c", "a1c2b", FALSE },
    { "*.example.org", "www.example.org", TRUE },
    { "*.example.org", "example.org", FALSE },
    { "**?**", "x", TRUE },
    { "*ab", "aab", TRUE },
    { "*ü?", "xxüß", FALSE }, /* ß folds to two letters */
    { "*ü??", "xxüß", TRUE },
    { "GR*", "Grün", TRUE },
    { "gr*", "GRÜN", TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      WeirFilterValue value = { 0 };
      weir_filter_value_init_text (&value, cases[i].pattern, WEIR_FILTER_BARE, FALSE);
      g_test_message ("%s with %s", cases[i].pattern, cases[i].text);
      g_assert_cmpint (matches (&value, WEIR_FILTER_HAS, cases[i].text), ==, cases[i].matches);
      weir_filter_value_clear (&value);
    }
}

/* Work grows with pattern times text, not with a power of it. */
static void
test_glob_is_cheap (void)
{
  g_autoptr (GString) pattern = g_string_new (NULL);
  g_autofree char *text = g_strnfill (20000, 'a');
  WeirFilterValue value = { 0 };
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < 50; i++)
    g_string_append (pattern, "*a");
  g_string_append (pattern, "*b");
  weir_filter_value_init_text (&value, pattern->str, WEIR_FILTER_BARE, FALSE);
  g_assert_false (matches (&value, WEIR_FILTER_HAS, text));
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_USEC_PER_SEC);
  weir_filter_value_clear (&value);
}

static void
test_regex_gives_up (void)
{
  g_autofree char *text =
      g_strconcat ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "!", NULL);
  g_autoptr (GError) error = NULL;
  WeirFilterValue value = { 0 };
  gint64 start = g_get_monotonic_time ();

  g_assert_true (weir_filter_value_init_regex (&value, "^(a+)+$", &error));
  g_assert_no_error (error);
  g_assert_true (matches (&value, WEIR_FILTER_HAS, "aaa"));
  g_assert_false (weir_filter_value_has_given_up (&value));
  for (guint i = 0; i < 100000; i++)
    g_assert_false (matches (&value, WEIR_FILTER_HAS, text));
  g_assert_true (weir_filter_value_has_given_up (&value));
  g_assert_false (matches (&value, WEIR_FILTER_HAS, "aaa"));
  g_assert_cmpint (g_get_monotonic_time () - start, <, 2 * G_USEC_PER_SEC);
  weir_filter_value_clear (&value);
}

/* A pattern cannot raise the limits. */
static void
test_regex_keeps_limits (void)
{
  g_autofree char *text = g_strconcat ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "!", NULL);
  WeirFilterValue value = { 0 };

  g_assert_true (weir_filter_value_init_regex (
      &value, "(*LIMIT_MATCH=4000000000)(*LIMIT_DEPTH=4000000000)^(a+)+$", NULL));
  for (guint i = 0; i < 100; i++)
    matches (&value, WEIR_FILTER_HAS, text);
  g_assert_true (weir_filter_value_has_given_up (&value));
  weir_filter_value_clear (&value);
}

static void
test_regex_text (void)
{
  static const struct
  {
    const char *pattern, *text;
    gboolean matches;
  } cases[] = {
    { "grü", "Grün", TRUE },      { "GRÜ", "grün", TRUE },       { "^x$", "a\nx\nb", TRUE },
    { "straße", "Straße", TRUE }, { "a.b", "a\nb", FALSE },      { "\\.", "x", FALSE },
    { "(?=x)x", "x", TRUE },      { "[[:digit:]]+", "7", TRUE },
  };
  g_autoptr (GError) error = NULL;
  WeirFilterValue bad = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      WeirFilterValue value = { 0 };
      g_assert_true (weir_filter_value_init_regex (&value, cases[i].pattern, NULL));
      g_test_message ("%s with %s", cases[i].pattern, cases[i].text);
      g_assert_cmpint (matches (&value, WEIR_FILTER_HAS, cases[i].text), ==, cases[i].matches);
      weir_filter_value_clear (&value);
    }
  /* The message shows what was typed, nothing of ours. */
  g_assert_false (weir_filter_value_init_regex (&bad, "x(", &error));
  g_assert_error (error, G_REGEX_ERROR, G_REGEX_ERROR_UNMATCHED_PARENTHESIS);
  g_assert_null (strstr (error->message, "LIMIT"));
}

static void
test_durations (void)
{
  static const struct
  {
    const char *text;
    double seconds; /* -1: refused */
  } cases[] = {
    { "0", 0 },       { "5", 10 },    { "250ms", 0.25 }, { "1.5s", 1.5 }, { "2m", 120 },
    { "0.5h", 1800 }, { "", -1 },     { "s", -1 },       { "-1s", -1 },   { "1 s", -1 },
    { "1s2", -1 },    { "1,5s", -1 }, { "1sm", -1 },     { "+1", -1 },    { "1.", -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      WeirFilterValue value = { .number = -1 };
      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (weir_filter_value_init_duration (&value, cases[i].text, 2), ==,
                       cases[i].seconds >= 0);
      g_assert_cmpfloat (value.number, ==, cases[i].seconds);
    }
}

/* Nothing offered: no answer but no, and not even `!=` holds. */
static void
test_absent (void)
{
  for (WeirFilterOperator op = WEIR_FILTER_HAS; op <= WEIR_FILTER_AT_MOST; op++)
    {
      WeirFilterValue number = { 0 }, text = { 0 };
      WeirFilterProbe probe = { .value = &number, .op = op };

      g_assert_true (weir_filter_value_init_size (&number, "0"));
      weir_filter_value_init_text (&text, "x", WEIR_FILTER_BARE, TRUE);
      g_assert_false (weir_filter_probe_get_answer (&probe));
      weir_filter_probe_number (&probe, -1.0);
      weir_filter_probe_text (&probe, "0");
      g_assert_false (weir_filter_probe_get_answer (&probe));
      g_assert_false (matches (&text, op, NULL));
      weir_filter_value_clear (&text);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/filter-value/globs", test_globs);
  g_test_add_func ("/filter-value/glob-is-cheap", test_glob_is_cheap);
  g_test_add_func ("/filter-value/regex-gives-up", test_regex_gives_up);
  g_test_add_func ("/filter-value/regex-keeps-limits", test_regex_keeps_limits);
  g_test_add_func ("/filter-value/regex-text", test_regex_text);
  g_test_add_func ("/filter-value/durations", test_durations);
  g_test_add_func ("/filter-value/absent", test_absent);
  return g_test_run ();
}
