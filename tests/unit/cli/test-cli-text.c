/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-cli-text.h"

static void
test_widths (void)
{
  g_assert_cmpuint (weir_cli_text_get_width (""), ==, 0);
  g_assert_cmpuint (weir_cli_text_get_width ("plain"), ==, 5);
  g_assert_cmpuint (weir_cli_text_get_width ("Grüße"), ==, 5);
  g_assert_cmpuint (weir_cli_text_get_width ("u\u0308"), ==, 1);
  g_assert_cmpuint (weir_cli_text_get_width ("火狐"), ==, 4);
}

static void
test_cells (void)
{
  static const struct
  {
    const char *text;
    guint width;
    gboolean at_end;
    const char *expected;
  } cases[] = {
    { "ab", 4, FALSE, "ab  " },
    { "ab", 4, TRUE, "  ab" },
    { "abcd", 4, FALSE, "abcd" },
    { "abcde", 4, FALSE, "abc…" },
    { "abcde", 4, TRUE, "abc…" },
    { "abcde", 1, FALSE, "…" },
    { "abcde", 0, FALSE, "" },
    { "", 2, FALSE, "  " },
    { "火狐", 4, FALSE, "火狐" },
    { "火狐狐", 5, FALSE, "火狐…" },
    { "火狐狐", 4, FALSE, "火… " },
    { "火狐", 5, TRUE, " 火狐" },
    { "u\u0308bcd", 3, FALSE, "u\u0308b…" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) cell = g_string_new (NULL);
      weir_cli_text_append (cell, cases[i].text, cases[i].width, cases[i].at_end);
      g_assert_cmpstr (cell->str, ==, cases[i].expected);
      g_assert_cmpuint (weir_cli_text_get_width (cell->str), ==, cases[i].width);
    }
}

static void
test_table (void)
{
  const WeirCliColumn columns[] = { { "Name", FALSE }, { "N", TRUE }, { "Why", FALSE } };
  char *first[] = { (char *) "火", (char *) "12345", (char *) "because", NULL };
  char *second[] = { (char *) "longer", (char *) "1", (char *) "", NULL };
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  g_autofree char *empty = weir_cli_text_make_table (columns, G_N_ELEMENTS (columns), rows);
  g_assert_cmpstr (empty, ==, "Name  N  Why\n");
  g_ptr_array_add (rows, first);
  g_ptr_array_add (rows, second);
  g_autofree char *table = weir_cli_text_make_table (columns, G_N_ELEMENTS (columns), rows);
  g_assert_cmpstr (table, ==,
                   "Name        N  Why\n"
                   "火      12345  because\n"
                   "longer      1\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli-text/widths", test_widths);
  g_test_add_func ("/cli-text/cells", test_cells);
  g_test_add_func ("/cli-text/table", test_table);
  return g_test_run ();
}
