/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-cli-text.h"

#include <string.h>

#define GAP      "  "
#define ELLIPSIS "…"

static guint
get_char_width (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

guint
weir_cli_text_get_width (const char *text)
{
  guint width = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    width += get_char_width (g_utf8_get_char (text));
  return width;
}

static void
append_spaces (GString *to, guint n)
{
  for (guint i = 0; i < n; i++)
    g_string_append_c (to, ' ');
}

void
weir_cli_text_append (GString *to, const char *text, guint width, gboolean at_end)
{
  guint needed = weir_cli_text_get_width (text), taken = 0;

  if (needed <= width)
    {
      if (at_end)
        append_spaces (to, width - needed);
      g_string_append (to, text);
      if (!at_end)
        append_spaces (to, width - needed);
      return;
    }
  if (width == 0)
    return;
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      guint char_width = get_char_width (g_utf8_get_char (text));
      if (taken + char_width > width - 1)
        break;
      g_string_append_unichar (to, g_utf8_get_char (text));
      taken += char_width;
    }
  g_string_append (to, ELLIPSIS);
  append_spaces (to, width - taken - 1);
}

static void
append_row (GString *to, const WeirCliColumn *columns, guint n_columns, const guint *widths,
            char *const *cells)
{
  for (guint i = 0; i < n_columns; i++)
    {
      const char *cell = cells != NULL ? cells[i] : columns[i].title;
      if (i > 0)
        g_string_append (to, GAP);
      /* No spaces at the end of a line. */
      if (i + 1 == n_columns && !columns[i].at_end)
        g_string_append (to, cell);
      else
        weir_cli_text_append (to, cell, widths[i], columns[i].at_end);
    }
  while (to->len > 0 && to->str[to->len - 1] == ' ')
    g_string_truncate (to, to->len - 1);
  g_string_append_c (to, '\n');
}

char *
weir_cli_text_make_table (const WeirCliColumn *columns, guint n_columns, GPtrArray *rows)
{
  GString *table = g_string_new (NULL);
  g_autofree guint *widths = g_new (guint, n_columns);

  for (guint i = 0; i < n_columns; i++)
    {
      widths[i] = weir_cli_text_get_width (columns[i].title);
      for (guint row = 0; row < rows->len; row++)
        {
          char **cells = rows->pdata[row];
          widths[i] = MAX (widths[i], weir_cli_text_get_width (cells[i]));
        }
    }
  append_row (table, columns, n_columns, widths, NULL);
  for (guint row = 0; row < rows->len; row++)
    append_row (table, columns, n_columns, widths, rows->pdata[row]);
  return g_string_free_and_steal (table);
}

GString *
weir_cli_text_to_locale (const char *text)
{
  const char *charset;

  if (g_get_charset (&charset))
    return g_string_new (text);
  g_autofree char *converted =
      g_convert_with_fallback (text, -1, charset, "UTF-8", "?", NULL, NULL, NULL);
  return g_string_new (converted != NULL ? converted : "");
}
