/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "weir-cli-terminal.h"

/* Keys as text: letters for themselves, names of others in brackets. */
static char *
read_all (const char *bytes, gsize size, gsize *ret_left)
{
  static const char *const names[] = {
    [WEIR_CLI_KEY_ENTER] = "[enter]",    [WEIR_CLI_KEY_ESCAPE] = "[escape]",
    [WEIR_CLI_KEY_BACKSPACE] = "[back]", [WEIR_CLI_KEY_CLEAR] = "[clear]",
    [WEIR_CLI_KEY_INTERRUPT] = "[int]",  [WEIR_CLI_KEY_SUSPEND] = "[susp]",
    [WEIR_CLI_KEY_REDRAW] = "[redraw]",  [WEIR_CLI_KEY_UP] = "[up]",
    [WEIR_CLI_KEY_DOWN] = "[down]",      [WEIR_CLI_KEY_PAGE_UP] = "[pgup]",
    [WEIR_CLI_KEY_PAGE_DOWN] = "[pgdn]", [WEIR_CLI_KEY_HOME] = "[home]",
    [WEIR_CLI_KEY_END] = "[end]",
  };
  GString *keys = g_string_new (NULL);
  WeirCliKey key;

  while (weir_cli_terminal_read_key (&bytes, &size, &key))
    if (key.name == WEIR_CLI_KEY_CHARACTER)
      g_string_append_unichar (keys, key.character);
    else
      g_string_append (keys, names[key.name]);
  *ret_left = size;
  return g_string_free_and_steal (keys);
}

static void
test_keys (void)
{
  static const struct
  {
    const char *bytes;
    const char *keys;
    gsize left;
  } cases[] = {
    { "", "", 0 },
    { "q/x", "q/x", 0 },
    { "grüße火", "grüße火", 0 },
    { "\r\n\b\x7f\x15\x03\x1a\x0c", "[enter][enter][back][back][clear][int][susp][redraw]", 0 },
    { "\x1b", "[escape]", 0 },
    { "\x1b\x1b", "[escape][escape]", 0 },
    { "\x1bq", "[escape]q", 0 },
    { "\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[H\x1bOF\x1b[1~\x1b[4~x",
      "[up][down][pgup][pgdn][home][end][home][end]x", 0 },
    /* Keys that mean nothing leave no letters behind. */
    { "\x1b[15~a\x1b[1;5Cb\x1b[Z\x1b[200~c", "abc", 0 },
    { "\x01\x02\x07z", "z", 0 },
    /* A character that has not arrived whole stays; what is none is passed over. */
    { "a\xc3", "a", 1 },
    { "a\xff\xfe"
      "b",
      "ab", 0 },
    { "\u202e\xc2\x9b"
      "x",
      "x", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gsize left;
      g_autofree char *keys = read_all (cases[i].bytes, strlen (cases[i].bytes), &left);
      g_assert_cmpstr (keys, ==, cases[i].keys);
      g_assert_cmpuint (left, ==, cases[i].left);
    }
}

static void
test_noise (void)
{
  for (guint round = 0; round < 2000; round++)
    {
      char bytes[64];
      gsize left;
      for (gsize i = 0; i < sizeof bytes; i++)
        bytes[i] = g_test_rand_bit () ? "\x1b[O;~A5\xc3\xe2\x82"[g_test_rand_int_range (0, 10)]
                                      : g_test_rand_int_range (0, 256);
      g_autofree char *keys = read_all (bytes, sizeof bytes, &left);
      g_assert_true (g_utf8_validate (keys, -1, NULL));
      g_assert_cmpuint (left, <, 4);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli-terminal/keys", test_keys);
  g_test_add_func ("/cli-terminal/noise", test_noise);
  return g_test_run ();
}
