/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "weir-cli-run.h"

static gboolean
parse (WeirCliOptions *options, const char *line, WeirCliExit *ret_exit)
{
  g_autofree char *whole = g_strconcat ("weir-cli ", line, NULL);
  g_auto (GStrv) arguments = NULL;

  g_assert_true (g_shell_parse_argv (whole, NULL, &arguments, NULL));
  return weir_cli_options_parse (options, arguments, ret_exit);
}

static void
test_good (void)
{
  static const struct
  {
    const char *line;
    const char *command;
    guint interval_ms;
    double duration;
    gboolean full;
    gboolean accounting;
    const char *output;
    WeirExportFormat format;
    const char *filter;
  } cases[] = {
    { "stream", "stream", 1000, -1, FALSE, FALSE, NULL, WEIR_EXPORT_CSV, "" },
    { "top -i 500ms -f 'rate > 1M'", "top", 500, -1, FALSE, FALSE, NULL, WEIR_EXPORT_CSV,
      "rate > 1M" },
    { "--full apps --duration=2m", "apps", 1000, 120, TRUE, FALSE, NULL, WEIR_EXPORT_CSV, "" },
    { "record -d 1.5 -o a.csv", "record", 1000, 1.5, FALSE, FALSE, "a.csv", WEIR_EXPORT_CSV, "" },
    { "record -o /x/b.json -i 2", "record", 2000, -1, FALSE, FALSE, "/x/b.json", WEIR_EXPORT_JSON,
      "" },
    { "record -o c.ndjson", "record", 1000, -1, FALSE, FALSE, "c.ndjson", WEIR_EXPORT_NDJSON, "" },
    { "record -o c.jsonl", "record", 1000, -1, FALSE, FALSE, "c.jsonl", WEIR_EXPORT_NDJSON, "" },
    { "listeners", "listeners", 1000, -1, FALSE, FALSE, NULL, WEIR_EXPORT_CSV, "" },
    { "sources --interval 0.25", "sources", 250, -1, FALSE, FALSE, NULL, WEIR_EXPORT_CSV, "" },
    { "apps --accounting --full", "apps", 1000, -1, TRUE, TRUE, NULL, WEIR_EXPORT_CSV, "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (WeirCliOptions) options = { 0 };
      WeirCliExit exit;
      g_test_message ("%s", cases[i].line);
      g_assert_true (parse (&options, cases[i].line, &exit));
      g_assert_cmpstr (options.command->name, ==, cases[i].command);
      g_assert_cmpuint (options.interval_ms, ==, cases[i].interval_ms);
      g_assert_cmpfloat (options.duration, ==, cases[i].duration);
      g_assert_cmpint (options.full, ==, cases[i].full);
      g_assert_cmpint (options.accounting, ==, cases[i].accounting);
      g_assert_cmpstr (options.output, ==, cases[i].output);
      g_assert_cmpint (options.format, ==, cases[i].format);
      g_assert_cmpstr (options.filter_text, ==, cases[i].filter);
      g_assert_nonnull (options.filter);
    }
}

static void
test_bad (void)
{
  static const char *const lines[] = {
    "",
    "watch",
    "stream tcp",
    "stream --nonsense",
    "stream --filter 'port:x'",
    "stream --filter '('",
    "stream --interval",
    "stream --interval 100ms",
    "stream --interval 2m",
    "stream --interval -1",
    "stream --interval x",
    "stream --duration 0",
    "stream --duration 1d",
    "stream --duration 999999h",
    "sources --duration 5",
    "stream --accounting",
    "listeners --filter port:22",
    "stream --output x.csv",
    "record",
    "record -o x.txt",
    "record -o csv",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_auto (WeirCliOptions) options = { 0 };
      WeirCliExit exit = WEIR_CLI_EXIT_DONE;
      g_test_message ("%s", lines[i]);
      g_assert_false (parse (&options, lines[i], &exit));
      g_assert_cmpint (exit, ==, WEIR_CLI_EXIT_USAGE);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli-options/good", test_good);
  g_test_add_func ("/cli-options/bad", test_bad);
  return g_test_run ();
}
