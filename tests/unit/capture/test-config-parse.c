/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compiled with the sanitizers: whatever the text, nothing outside of it is read. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "bpf/weir-bpf-layout.h"
#include "weir-config-parse.h"

static int
find (bool group, const char *name, uint32_t *ret_id)
{
  if (!g_str_equal (name, group ? "wheel" : "ann"))
    return -ENOENT;
  *ret_id = group ? 10 : 1000;
  return 0;
}

static void
parse (const char *text, gsize size, struct weir_config *config)
{
  /* A copy that ends where it ends. */
  g_autofree char *exact = g_memdup2 (text, size);

  *config = weir_config_defaults;
  weir_config_parse (exact, size, find, config);
}

static void
test_good (void)
{
  static const char text[] = "# of this computer\n"
                             "\n"
                             "[poll]\n"
                             "min_interval_ms = 2000\r\n"
                             "[ limits ]\n"
                             "\t rows_max=100 \t\n"
                             "flows_max = 262144\n"
                             "engines_per_user = 8\n"
                             "; people\n"
                             "[process_details]\n"
                             "disclosure = permissive\n"
                             "allow_users = ann, 1001 4294967294,\n"
                             "allow_groups=wheel,0\n"
                             "[confinement]\n"
                             "strict = yes\n"
                             "keep_capabilities = yes\n"
                             "[sources]\n"
                             "conntrack = no\n"
                             "owners = yes\n"
                             "namespaces = no\n"
                             "bpf = no\n"
                             "[limits]\n"
                             "bpf_flows_max = 131072";
  struct weir_config config;

  parse (text, strlen (text), &config);
  g_assert_cmpuint (config.n_notices, ==, 0);
  g_assert_cmpuint (config.min_interval_ms, ==, 2000);
  g_assert_cmpuint (config.rows_max, ==, 100);
  g_assert_cmpuint (config.flows_max, ==, 262144);
  g_assert_cmpuint (config.engines_per_user, ==, 8);
  g_assert_cmpuint (config.disclosure, ==, WEIR_DISCLOSE_ALL);
  g_assert_cmpuint (config.allow_users.n, ==, 3);
  g_assert_cmpuint (config.allow_users.ids[0], ==, 1000);
  g_assert_cmpuint (config.allow_users.ids[1], ==, 1001);
  g_assert_cmpuint (config.allow_users.ids[2], ==, 4294967294);
  g_assert_cmpuint (config.allow_groups.n, ==, 2);
  g_assert_cmpuint (config.allow_groups.ids[0], ==, 10);
  g_assert_cmpuint (config.allow_groups.ids[1], ==, 0);
  g_assert_cmpuint (config.strict, ==, 1);
  g_assert_cmpuint (config.keep_capabilities, ==, 1);
  g_assert_cmpuint (config.off, ==, WEIR_OFF_CONNTRACK | WEIR_OFF_NAMESPACES | WEIR_OFF_BPF);
  g_assert_cmpuint (config.bpf_flows_max, ==, 131072);
}

/* What is wrong with a text, and where. */
static const struct
{
  const char *text;
  guint code, line;
  const char *about;
} bad[] = {
  { "[pol]\nmin_interval_ms=1\nnonsense\n", WEIR_NOTICE_CONFIG_UNKNOWN_SECTION, 1, "pol" },
  { "[limits]\nbpf_flows_max=63\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "bpf_flows_max=63" },
  { "[limits]\nbpf_flows_max=262145\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "bpf_flows_max=262145" },
  { "[]\n", WEIR_NOTICE_CONFIG_UNKNOWN_SECTION, 1, "" },
  { "[POLL]", WEIR_NOTICE_CONFIG_UNKNOWN_SECTION, 1, "POLL" },
  { "\n[poll]\nmax_interval_ms=1\n", WEIR_NOTICE_CONFIG_UNKNOWN_KEY, 3, "max_interval_ms" },
  { "[poll]\nrows_max=1\n", WEIR_NOTICE_CONFIG_UNKNOWN_KEY, 2, "rows_max" },
  { "strict=yes\n", WEIR_NOTICE_CONFIG_SYNTAX, 1, "strict=yes" },
  { "[poll\n", WEIR_NOTICE_CONFIG_SYNTAX, 1, "[poll" },
  { "\357\273\277[poll]\n", WEIR_NOTICE_CONFIG_SYNTAX, 1, "\357\273\277[poll]" },
  { "[poll]\n=5\n", WEIR_NOTICE_CONFIG_SYNTAX, 2, "=5" },
  { "[poll]\nmin_interval_ms\n", WEIR_NOTICE_CONFIG_SYNTAX, 2, "min_interval_ms" },
  { "[poll]\nmin_interval_ms 5\x01\x7f\n", WEIR_NOTICE_CONFIG_SYNTAX, 2, "min_interval_ms 5??" },
  { "[poll]\nmin_interval_ms=\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "min_interval_ms=" },
  { "[poll]\nmin_interval_ms=249\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "min_interval_ms=249" },
  { "[poll]\nmin_interval_ms=60001\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "min_interval_ms=60001" },
  { "[poll]\nmin_interval_ms=0500\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "min_interval_ms=0500" },
  { "[poll]\nmin_interval_ms=+500\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "min_interval_ms=+500" },
  { "[poll]\nmin_interval_ms=500ms\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "min_interval_ms=500ms" },
  { "[poll]\nmin_interval_ms=5 00\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "min_interval_ms=5 00" },
  { "[limits]\nrows_max=0\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "rows_max=0" },
  { "[limits]\nrows_max=32769\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "rows_max=32769" },
  { "[limits]\nrows_max=-1\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "rows_max=-1" },
  { "[limits]\nflows_max=262145\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "flows_max=262145" },
  { "[limits]\nengines_per_user=0\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "engines_per_user=0" },
  { "[limits]\nengines_per_user=9\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "engines_per_user=9" },
  { "[limits]\nflows_max=4294967297\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "flows_max=4294967297" },
  { "[limits]\nflows_max=18446744073709551617\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2,
    "flows_max=18446744073709551617" },
  { "[process_details]\ndisclosure=all\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "disclosure=all" },
  { "[process_details]\ndisclosure=Owner\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "disclosure=Owner" },
  { "[process_details]\nallow_users=bob\n", WEIR_NOTICE_CONFIG_UNKNOWN_NAME, 2, "bob" },
  { "[process_details]\nallow_users=wheel\n", WEIR_NOTICE_CONFIG_UNKNOWN_NAME, 2, "wheel" },
  { "[process_details]\nallow_users=-1\n", WEIR_NOTICE_CONFIG_UNKNOWN_NAME, 2, "-1" },
  { "[process_details]\nallow_users=4294967295\n", WEIR_NOTICE_CONFIG_UNKNOWN_NAME, 2,
    "4294967295" },
  { "[process_details]\nallow_groups=ann\n", WEIR_NOTICE_CONFIG_UNKNOWN_NAME, 2, "ann" },
  { "[confinement]\nstrict=true\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "strict=true" },
  { "[confinement]\nstrict=yes # really\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2,
    "strict=yes # really" },
  { "[sources]\nconntrack=off\n", WEIR_NOTICE_CONFIG_BAD_VALUE, 2, "conntrack=off" },
  { "[sources]\nsockdiag=no\n", WEIR_NOTICE_CONFIG_UNKNOWN_KEY, 2, "sockdiag" },
};

static void
test_bad (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      struct weir_config config, expected = weir_config_defaults;

      g_test_message ("%s", bad[i].text);
      parse (bad[i].text, strlen (bad[i].text), &config);
      g_assert_cmpuint (config.n_notices, ==, 1);
      g_assert_cmpuint (config.notices[0].code, ==, bad[i].code);
      g_assert_cmpuint (config.notices[0].number, ==, bad[i].line);
      g_assert_cmpstr (config.notices[0].text, ==, bad[i].about);
      /* The default holds, and nothing else has changed. */
      config.n_notices = 0;
      memset (config.notices, 0, sizeof config.notices);
      expected.allow_users.given = config.allow_users.given;
      expected.allow_groups.given = config.allow_groups.given;
      g_assert_cmpmem (&config, sizeof config, &expected, sizeof expected);
    }
}

static void
test_repeated (void)
{
  static const char text[] = "[limits]\nrows_max=x\nrows_max=7\nrows_max=8\n"
                             "[sources]\nconntrack=no\n[limits]\nrows_max=9\n[sources]\n"
                             "conntrack=yes\n";
  struct weir_config config;

  parse (text, strlen (text), &config);
  g_assert_cmpuint (config.rows_max, ==, 7);
  g_assert_cmpuint (config.off, ==, WEIR_OFF_CONNTRACK);
  g_assert_cmpuint (config.n_notices, ==, 4);
  g_assert_cmpuint (config.notices[0].code, ==, WEIR_NOTICE_CONFIG_BAD_VALUE);
  for (guint i = 1; i < 4; i++)
    g_assert_cmpuint (config.notices[i].code, ==, WEIR_NOTICE_CONFIG_REPEATED);
  g_assert_cmpuint (config.notices[1].number, ==, 4);
  g_assert_cmpuint (config.notices[2].number, ==, 8);
  g_assert_cmpuint (config.notices[3].number, ==, 10);
}

/* Mistakes without end are counted, lists without end are cut, and a text may hold anything. */
static void
test_bounds (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  struct weir_config config;

  for (guint i = 0; i < 100; i++)
    g_string_append (text, "what\n");
  parse (text->str, text->len, &config);
  g_assert_cmpuint (config.n_notices, ==, WEIR_NOTICES_MAX);
  g_assert_cmpuint (config.notices[WEIR_NOTICES_MAX - 1].code, ==, WEIR_NOTICE_CONFIG_MORE);
  g_assert_cmpuint (config.notices[WEIR_NOTICES_MAX - 1].number, ==, 100 - WEIR_NOTICES_MAX + 1);

  g_string_assign (text, "[process_details]\nallow_users=");
  for (guint i = 0; i < 2 * WEIR_CONFIG_IDS_MAX; i++)
    g_string_append_printf (text, "%u,", i);
  parse (text->str, text->len, &config);
  g_assert_cmpuint (config.allow_users.n, ==, WEIR_CONFIG_IDS_MAX);
  g_assert_cmpuint (config.n_notices, ==, 1);
  g_assert_cmpuint (config.notices[0].code, ==, WEIR_NOTICE_CONFIG_TOO_MANY);
  g_assert_cmpstr (config.notices[0].text, ==, "allow_users");

  g_string_assign (text, "[poll]\n");
  for (guint i = 0; i < 5000; i++)
    g_string_append_c (text, 'x');
  parse (text->str, text->len, &config);
  g_assert_cmpuint (config.n_notices, ==, 1);
  g_assert_cmpuint (config.notices[0].code, ==, WEIR_NOTICE_CONFIG_SYNTAX);
  g_assert_cmpuint (strlen (config.notices[0].text), ==, 127);

  parse ("[poll]\nmin_interval_ms=500\0\n", 28, &config);
  g_assert_cmpuint (config.min_interval_ms, ==, WEIR_INTERVAL_FLOOR_MS);
  g_assert_cmpstr (config.notices[0].text, ==, "min_interval_ms=500?");
  parse ("[process_details]\nallow_users=ann\0ie", 36, &config);
  g_assert_cmpuint (config.allow_users.n, ==, 0);
  g_assert_cmpuint (config.n_notices, ==, 1);
  parse ("", 0, &config);
  g_assert_cmpuint (config.n_notices, ==, 0);
}

/* Whatever comes of it can be used. */
static void
check (const struct weir_config *config)
{
  g_assert_cmpuint (config->min_interval_ms, >=, WEIR_INTERVAL_FLOOR_MS);
  g_assert_cmpuint (config->min_interval_ms, <=, WEIR_INTERVAL_CEILING_MS);
  g_assert_cmpuint (config->rows_max, >=, 1);
  g_assert_cmpuint (config->rows_max, <=, WEIR_ROWS_MAX);
  g_assert_cmpuint (config->flows_max, >=, 1);
  g_assert_cmpuint (config->flows_max, <=, WEIR_FLOWS_MAX);
  g_assert_cmpuint (config->engines_per_user, >=, 1);
  g_assert_cmpuint (config->engines_per_user, <=, 8);
  g_assert_cmpuint (config->disclosure, <=, WEIR_DISCLOSE_NOTHING);
  g_assert_cmpuint (config->strict, <=, 1);
  g_assert_cmpuint (config->keep_capabilities, <=, 1);
  g_assert_cmpuint (config->off, <=, 15);
  g_assert_cmpuint (config->bpf_flows_max, >=, WEIR_BPF_FLOWS_MIN);
  g_assert_cmpuint (config->bpf_flows_max, <=, WEIR_BPF_FLOWS_MAX);
  g_assert_cmpuint (config->allow_users.n, <=, WEIR_CONFIG_IDS_MAX);
  g_assert_cmpuint (config->allow_groups.n, <=, WEIR_CONFIG_IDS_MAX);
  g_assert_cmpuint (config->n_notices, <=, WEIR_NOTICES_MAX);
  for (gsize i = 0; i < config->n_notices; i++)
    {
      g_assert_cmpuint (config->notices[i].code, >=, WEIR_NOTICE_CONFIG_SYNTAX);
      g_assert_cmpuint (config->notices[i].code, <=, WEIR_NOTICE_CONFIG_MORE);
      g_assert_nonnull (memchr (config->notices[i].text, '\0', sizeof config->notices[i].text));
    }
}

static void
test_mutated (void)
{
  static const char seed[] = "[poll]\nmin_interval_ms=500\n[limits]\nrows_max=100\nflows_max=1000\n"
                             "[process_details]\ndisclosure=permissive\nallow_users=ann,1001\n"
                             "allow_groups=wheel 10\n[confinement]\nstrict=yes\n"
                             "[sources]\nconntrack=no\nowners=no\nnamespaces=no\nbpf=no\n";
  static const char bytes[] = "[]=\n\r,#; \t09ay\0\xff";
  GRand *random = g_rand_new_with_seed (20261121);
  guint n_changed = 0;

  for (guint round = 0; round < 100000; round++)
    {
      gsize size = sizeof seed - 1;
      g_autofree char *text = g_memdup2 (seed, size);
      struct weir_config config;

      for (gint n = g_rand_int_range (random, 0, 8); n > 0; n--)
        text[g_rand_int_range (random, 0, (gint32) size)] =
            bytes[g_rand_int_range (random, 0, sizeof bytes - 1)];
      if (g_rand_boolean (random))
        size = (gsize) g_rand_int_range (random, 0, (gint32) size + 1);
      parse (text, size, &config);
      check (&config);
      n_changed += config.n_notices > 0;
    }
  /* Most changes are seen: the test reaches the places where mistakes are told. */
  g_assert_cmpuint (n_changed, >, 50000);
  g_rand_free (random);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/capture/config-parse/good", test_good);
  g_test_add_func ("/capture/config-parse/bad", test_bad);
  g_test_add_func ("/capture/config-parse/repeated", test_repeated);
  g_test_add_func ("/capture/config-parse/bounds", test_bounds);
  g_test_add_func ("/capture/config-parse/mutated", test_mutated);
  return g_test_run ();
}
