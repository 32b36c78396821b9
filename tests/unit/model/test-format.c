/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "model-samples.h"
#include "weir-format.h"

#define NBSP "\u00a0"

static void
assert_text (char *text, const char *expected)
{
  g_assert_cmpstr (text, ==, expected);
  g_free (text);
}

static void
test_rates (void)
{
  assert_text (weir_format_rate (WEIR_ABSENT, FALSE), "—");
  assert_text (weir_format_rate (0, FALSE), "—");
  assert_text (weir_format_rate (1, FALSE), "1" NBSP "B/s");
  assert_text (weir_format_rate (999, FALSE), "999" NBSP "B/s");
  assert_text (weir_format_rate (999.7, FALSE), "1.0" NBSP "kB/s");
  assert_text (weir_format_rate (38000, FALSE), "38.0" NBSP "kB/s");
  assert_text (weir_format_rate (99960, FALSE), "100" NBSP "kB/s");
  assert_text (weir_format_rate (612345, FALSE), "612" NBSP "kB/s");
  assert_text (weir_format_rate (999600, FALSE), "1.0" NBSP "MB/s");
  assert_text (weir_format_rate (4.8e6, FALSE), "4.8" NBSP "MB/s");
  assert_text (weir_format_rate (1.24e9, FALSE), "1.2" NBSP "GB/s");
  assert_text (weir_format_rate (1e16, FALSE), "10000" NBSP "TB/s");
}

static void
test_bits (void)
{
  assert_text (weir_format_rate (4.75e6, TRUE), "38.0" NBSP "Mbit/s");
  assert_text (weir_format_rate (1, TRUE), "8" NBSP "bit/s");
  assert_text (weir_format_rate (WEIR_ABSENT, TRUE), "—");
}

static void
test_bytes (void)
{
  assert_text (weir_format_bytes (WEIR_ABSENT), "—");
  assert_text (weir_format_bytes (0), "0" NBSP "B");
  assert_text (weir_format_bytes (612e6), "612" NBSP "MB");
  assert_text (weir_format_bytes (1536), "1.5" NBSP "kB");
  /* Not a number is no figure either. */
  assert_text (weir_format_bytes (NAN), "—");
}

static void
test_durations (void)
{
  assert_text (weir_format_duration_us (-1), "—");
  assert_text (weir_format_duration_us (12400), "12.4" NBSP "ms");
  assert_text (weir_format_duration_us (80), "0.1" NBSP "ms");
  assert_text (weir_format_duration_us (250000), "250" NBSP "ms");
  assert_text (weir_format_duration_us (1500000), "1.5" NBSP "s");
}

static void
test_sanitise (void)
{
  static const struct
  {
    const char *text;
    const char *expected;
  } cases[] = {
    { "firefox", "firefox" },
    { "Grüße", "Grüße" },
    { "<b>&amp;", "<b>&amp;" },
    { "a\tb\nc\rd", "a\ufffdb\ufffdc\ufffdd" },
    { "\x7f", "\ufffd" },
    { "c1\xc2\x85\xc2\x9b", "c1\ufffd\ufffd" },
    { "\u2028\u2029", "\ufffd\ufffd" },
    { "gpj\u202eexe\u202c", "gpj\ufffdexe\ufffd" },
    { "\u2066\u2069\u200e\u200f\u061c", "\ufffd\ufffd\ufffd\ufffd\ufffd" },
    { "bad\xff\xfe!", "bad\ufffd\ufffd!" },
    { "cut\xe2\x82", "cut\ufffd\ufffd" },
    { "over\xc0\xaf", "over\ufffd\ufffd" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_text (weir_format_sanitise (cases[i].text, -1), cases[i].expected);
  assert_text (weir_format_sanitise (NULL, -1), "");
  assert_text (weir_format_sanitise ("0123456789abcdef", 4), "0123");
  assert_text (weir_format_sanitise ("ab\0cd", 5), "ab");
}

static void
test_endpoints (void)
{
  struct weir_endpoint endpoint;

  sample_set_v4 (&endpoint, "198.51.100.7", 443);
  assert_text (weir_format_endpoint (4, endpoint.address, 443, TRUE), "198.51.100.7:443");
  assert_text (weir_format_endpoint (4, endpoint.address, 0, FALSE), "198.51.100.7");
  sample_set_v6 (&endpoint, "2001:db8::1", 443);
  assert_text (weir_format_endpoint (6, endpoint.address, 443, TRUE), "[2001:db8::1]:443");
  assert_text (weir_format_endpoint (6, endpoint.address, 0, FALSE), "2001:db8::1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/format/rates", test_rates);
  g_test_add_func ("/format/bits", test_bits);
  g_test_add_func ("/format/bytes", test_bytes);
  g_test_add_func ("/format/durations", test_durations);
  g_test_add_func ("/format/sanitise", test_sanitise);
  g_test_add_func ("/format/endpoints", test_endpoints);
  return g_test_run ();
}
