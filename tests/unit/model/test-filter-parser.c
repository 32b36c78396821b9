/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How terms are joined and quoted, and where mistakes are. */
#include <string.h>

#include "filter-samples.h"

static void
test_joining (void)
{
  static const struct
  {
    const char *text;
    gboolean matches;
  } cases[] = {
    { "curl and tcp", TRUE },
    { "curl AND udp", FALSE },
    { "curl udp", FALSE },
    { "curl or udp", TRUE },
    { "udp Or curl", TRUE },
    { "udp or icmp", FALSE },
    { "not udp", TRUE },
    { "NOT curl", FALSE },
    { "not not curl", TRUE },
    { "curl and not udp", TRUE },
    { "curl not tcp", FALSE },
    /* `and` binds tighter than `or`, `not` tightest. */
    { "udp and udp or curl", TRUE },
    { "curl or udp and udp", TRUE },
    { "(curl or udp) and udp", FALSE },
    { "not udp curl", TRUE },
    { "not (udp or curl)", FALSE },
    { "not udp or udp", TRUE },
    { "udp or udp or curl", TRUE },
    { "((curl))", TRUE },
    { "(curl)(tcp)", TRUE },
    { "(udp)(tcp)", FALSE },
    { "curl(tcp)", TRUE },
    { "port:443(udp)", FALSE },
    { "(port:443)", TRUE },
    { " ( port:443 or port:80 ) dir:out ", TRUE },
    { "rate>1k and not host:*.local", TRUE },
    { "rate > 1k", TRUE },
    { "rate >1k", TRUE },
    { "rate> 3k", FALSE },
    { "RATE >= 2K", TRUE },
    { "rate != 2k or pid = 1001", TRUE },
    { "comm = curl", TRUE },
    /* Words, not terms. */
    { "local :443", FALSE },
    { "curl :443", TRUE },
    { "198.51.100.7:443", TRUE },
    { "dead:beef::1", FALSE },
    { "fe80::1", FALSE },
    { "port", FALSE },
    { "*", FALSE },
    { "c*l", FALSE },
    { "> curl", FALSE },
    /* Quotes. */
    { "\"curl\"", TRUE },
    { "\"docker 0123456789ab\"", TRUE },
    { "\"docker  0123\"", FALSE },
    { "\"and\"", FALSE },
    { "\"port:443\"", FALSE },
    { "\"a\\\"b\"", FALSE },
    { "app:\"docker 0123456789ab\" tcp", TRUE },
    { "unit:\"docker-*\"", FALSE },
    { "\"(\"", FALSE },
    { "cu\"rl", FALSE },
    /* Regular expressions. */
    { "/^curl$/", TRUE },
    { "/^CURL$/", TRUE },
    { "/^url/", FALSE },
    { "/curl.tcp/", FALSE },
    { "not /wget|curl/", FALSE },
    { "/a\\/b/", FALSE },
    { "/198\\.51\\.(100|101)\\.7:443/ and tcp", TRUE },
    { "comm:/x y/ or comm:/c(?=url)/", TRUE },
    { "(/curl/)", TRUE },
  };
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  WeirFlow *flow = filter_sample_full (store);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (filter_sample_matches (cases[i].text, flow), ==, cases[i].matches);
}

/* The mark under the text is where the mistake is. */
static const struct
{
  const char *text;
  const char *mark;
  WeirFilterError code;
  const char *said;
} mistakes[] = {
  { "and", "^^^", WEIR_FILTER_ERROR_SYNTAX, "instead of “and”" },
  { "curl and", "     ^^^", WEIR_FILTER_ERROR_SYNTAX, "after “and”" },
  { "curl or  ", "     ^^", WEIR_FILTER_ERROR_SYNTAX, "after “or”" },
  { "curl or or x", "        ^^", WEIR_FILTER_ERROR_SYNTAX, "instead of “or”" },
  { "not", "^^^", WEIR_FILTER_ERROR_SYNTAX, "after “not”" },
  { "(curl", "^", WEIR_FILTER_ERROR_SYNTAX, "closing parenthesis" },
  { "x (a (b)", "  ^", WEIR_FILTER_ERROR_SYNTAX, "closing parenthesis" },
  { "curl)", "    ^", WEIR_FILTER_ERROR_SYNTAX, "opening parenthesis" },
  { "()", " ^", WEIR_FILTER_ERROR_SYNTAX, "instead of “)”" },
  { "(", "^", WEIR_FILTER_ERROR_SYNTAX, "after “(”" },
  { "port:", "^^^^^", WEIR_FILTER_ERROR_SYNTAX, "“port:443”" },
  { "x port>= ", "  ^^^^^^", WEIR_FILTER_ERROR_SYNTAX, "value after “port>=”" },
  { "port: 443", "^^^^^", WEIR_FILTER_ERROR_SYNTAX, "value" },
  { "rate >", "^^^^^^", WEIR_FILTER_ERROR_SYNTAX, "value" },
  { "(port:)", " ^^^^^", WEIR_FILTER_ERROR_SYNTAX, "value" },
  { "tcp prot:udp", "    ^^^^", WEIR_FILTER_ERROR_KEY, "“prot” is no key" },
  { "x=1", "^", WEIR_FILTER_ERROR_KEY, "app, comm, pid" },
  { "https://example.org", "^^^^^", WEIR_FILTER_ERROR_KEY, "quotes" },
  { "app>5", "   ^", WEIR_FILTER_ERROR_OPERATOR, "no order" },
  { "user >= 5", "     ^^", WEIR_FILTER_ERROR_OPERATOR, "“!=”" },
  { "state<open", "     ^", WEIR_FILTER_ERROR_OPERATOR, "no order" },
  { "port:http", "     ^^^^", WEIR_FILTER_ERROR_VALUE, "65535" },
  { "port:65536", "     ^^^^^", WEIR_FILTER_ERROR_VALUE, "65535" },
  { "port:-1", "     ^^", WEIR_FILTER_ERROR_VALUE, "number" },
  { "port:1k", "     ^^", WEIR_FILTER_ERROR_VALUE, "number" },
  { "port>4*", "     ^^", WEIR_FILTER_ERROR_VALUE, "number" },
  { "port>/4/", "     ^^^", WEIR_FILTER_ERROR_VALUE, "number" },
  { "pid:99999999999", "    ^^^^^^^^^^^", WEIR_FILTER_ERROR_VALUE, "4294967295" },
  { "rate>fast", "     ^^^^", WEIR_FILTER_ERROR_VALUE, "Mi" },
  { "rate>1m", "     ^^", WEIR_FILTER_ERROR_VALUE, "Mi" },
  { "rate>1e9", "     ^^^", WEIR_FILTER_ERROR_VALUE, "Mi" },
  { "rate>.5M", "     ^^^", WEIR_FILTER_ERROR_VALUE, "Mi" },
  { "rate>5.M", "     ^^^", WEIR_FILTER_ERROR_VALUE, "Mi" },
  { "rate>1Mib", "     ^^^^", WEIR_FILTER_ERROR_VALUE, "Mi" },
  { "rate:*", "     ^", WEIR_FILTER_ERROR_VALUE, "Mi" },
  { "rate:/1/", "     ^^^", WEIR_FILTER_ERROR_VALUE, "Mi" },
  { "rate>inf", "     ^^^", WEIR_FILTER_ERROR_VALUE, "Mi" },
  { "rate>0x10", "     ^^^^", WEIR_FILTER_ERROR_VALUE, "Mi" },
  { "age>5M", "    ^^", WEIR_FILTER_ERROR_VALUE, "ms, s, m or h" },
  { "rtt<1d", "    ^^", WEIR_FILTER_ERROR_VALUE, "ms, s, m or h" },
  { "state:opened", "      ^^^^^^", WEIR_FILTER_ERROR_VALUE, "opening, open" },
  { "dir:up", "    ^^", WEIR_FILTER_ERROR_VALUE, "forwarded" },
  { "src:owners", "    ^^^^^^", WEIR_FILTER_ERROR_VALUE, "conntrack" },
  { "proto:tpc", "      ^^^", WEIR_FILTER_ERROR_VALUE, "protocol" },
  { "proto:256", "      ^^^", WEIR_FILTER_ERROR_VALUE, "protocol" },
  { "ip:10.0.0", "   ^^^^^^", WEIR_FILTER_ERROR_VALUE, "network" },
  { "ip:10.0.0.0/33", "   ^^^^^^^^^^^", WEIR_FILTER_ERROR_VALUE, "network" },
  { "ip:::/129", "   ^^^^^^", WEIR_FILTER_ERROR_VALUE, "network" },
  { "ip:10.0.0.0/", "   ^^^^^^^^^", WEIR_FILTER_ERROR_VALUE, "network" },
  { "ip:300.1.1.1", "   ^^^^^^^^^", WEIR_FILTER_ERROR_VALUE, "network" },
  { "\"curl", "^^^^^", WEIR_FILTER_ERROR_SYNTAX, "quotation mark" },
  { "x \"\"", "  ^^", WEIR_FILTER_ERROR_SYNTAX, "between the quotation marks" },
  { "app:\"", "    ^", WEIR_FILTER_ERROR_SYNTAX, "quotation mark" },
  { "\"a\"b", "   ^", WEIR_FILTER_ERROR_SYNTAX, "space" },
  { "/a/i tcp", "   ^", WEIR_FILTER_ERROR_SYNTAX, "space" },
  { "/user.slice", "^^^^^^^^^^^", WEIR_FILTER_ERROR_SYNTAX, "slash" },
  { "//", "^^", WEIR_FILTER_ERROR_SYNTAX, "slashes" },
  { "tcp /(/", "    ^^^", WEIR_FILTER_ERROR_REGEX, "regular expression" },
  { "comm:/[/ x", "     ^^^", WEIR_FILTER_ERROR_REGEX, "regular expression" },
};

static void
test_mistakes (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (mistakes); i++)
    {
      g_autoptr (GError) error = NULL;
      WeirFilterPlace place;

      g_test_message ("%s", mistakes[i].text);
      g_assert_null (weir_filter_new (mistakes[i].text, &error));
      g_assert_error (error, WEIR_FILTER_ERROR, (int) mistakes[i].code);
      g_assert_true (weir_filter_error_get_place (error, &place));
      g_test_message ("%s", error->message);
      g_assert_cmpuint (place.start, ==, strspn (mistakes[i].mark, " "));
      g_assert_cmpuint (place.start + place.length, ==, strlen (mistakes[i].mark));
      g_assert_nonnull (strstr (error->message, mistakes[i].said));
      g_assert_null (weir_filter_new (mistakes[i].text, NULL));
    }
}

/* A place is told in bytes and in characters, and copies of the error know it, too. */
static void
test_places_beyond_ascii (void)
{
  g_autoptr (GError) error = NULL;
  WeirFilterPlace place;

  g_assert_null (weir_filter_new ("grüße port:höher", &error));
  g_autoptr (GError) copy = g_error_copy (error);
  g_assert_true (weir_filter_error_get_place (copy, &place));
  g_assert_cmpuint (place.start, ==, strlen ("grüße port:"));
  g_assert_cmpuint (place.length, ==, strlen ("höher"));
  g_assert_cmpint (place.char_start, ==, 11);
  g_assert_cmpint (place.char_length, ==, 5);

  g_autoptr (GError) other = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no");
  g_assert_false (weir_filter_error_get_place (other, &place));
  g_assert_false (weir_filter_error_get_place (NULL, &place));
}

static void
test_bounds (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  WeirFilterPlace place;

  for (guint i = 0; i < 63; i++)
    g_string_append (text, "(");
  g_string_append (text, "x");
  for (guint i = 0; i < 63; i++)
    g_string_append (text, ")");
  g_autoptr (WeirFilter) deep = weir_filter_new (text->str, &error);
  g_assert_no_error (error);

  g_string_prepend (text, "not ");
  g_assert_null (weir_filter_new (text->str, &error));
  g_assert_error (error, WEIR_FILTER_ERROR, WEIR_FILTER_ERROR_TOO_LONG);
  g_clear_error (&error);

  g_string_truncate (text, 0);
  while (text->len < 4095)
    g_string_append (text, "ü ");
  g_string_truncate (text, 4095);
  g_autoptr (WeirFilter) wide = weir_filter_new (text->str, &error);
  g_assert_no_error (error);
  g_string_append (text, "üü");
  g_assert_null (weir_filter_new (text->str, &error));
  g_assert_error (error, WEIR_FILTER_ERROR, WEIR_FILTER_ERROR_TOO_LONG);
  g_assert_true (weir_filter_error_get_place (error, &place));
  g_assert_cmpuint (place.start + place.length, ==, text->len);
  g_assert_cmpint (place.char_length, >, 0);
}

/* Whatever is pasted is understood or refused, with a place inside of the text. */
static void
test_noise (void)
{
  static const char *const pieces[] = { "(",    ")",  "and ", "or ", "not ", "port",  ":",  "=",
                                        "!=",   ">",  "<=",   " ",   "\"",   "/",     "\\", "*",
                                        "rate", "1M", "x",    "ü",   "\xff", "app",   "[",  "443",
                                        "age",  "5s", "ip",   "::",  "/8",   "state", "\n", "?" };
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  WeirFlow *flow = filter_sample_full (store);
  guint n_understood = 0, n_refused = 0;

  for (guint round = 0; round < 20000; round++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GError) error = NULL;
      for (int n = g_test_rand_int_range (1, 12); n > 0; n--)
        g_string_append (text, pieces[g_test_rand_int_range (0, G_N_ELEMENTS (pieces))]);
      g_autoptr (WeirFilter) filter = weir_filter_new (text->str, &error);
      g_assert_true ((filter == NULL) == (error != NULL));
      if (filter != NULL)
        {
          weir_filter_match (filter, flow);
          n_understood++;
          continue;
        }
      WeirFilterPlace place;
      g_autofree char *valid = g_utf8_make_valid (text->str, -1);
      g_assert_true (weir_filter_error_get_place (error, &place));
      g_assert_cmpuint (place.length, >, 0);
      g_assert_cmpuint (place.start + place.length, <=, strlen (valid));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      n_refused++;
    }
  g_assert_cmpuint (n_understood, >, 1000);
  g_assert_cmpuint (n_refused, >, 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/filter-parser/joining", test_joining);
  g_test_add_func ("/filter-parser/mistakes", test_mistakes);
  g_test_add_func ("/filter-parser/places-beyond-ascii", test_places_beyond_ascii);
  g_test_add_func ("/filter-parser/bounds", test_bounds);
  g_test_add_func ("/filter-parser/noise", test_noise);
  return g_test_run ();
}
