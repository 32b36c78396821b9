/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "weir-export.h"

/* What a spreadsheet takes for the beginning of a formula; the wide and small forms are folded to
 * these by some, and U+2212 is a minus sign to some. */
static const gunichar formula_marks[] = { '=',    '+',    '-',    '@',    0xff1d, 0xff0b, 0xff0d,
                                          0xff20, 0xfe62, 0xfe63, 0xfe66, 0xfe6b, 0x2212 };

static gboolean
is_formula_mark (gunichar c)
{
  for (gsize i = 0; i < G_N_ELEMENTS (formula_marks); i++)
    if (formula_marks[i] == c)
      return TRUE;
  return FALSE;
}

/* After these a reader that splits elsewhere than at commas may begin a new cell. */
static gboolean
is_separator (gunichar c)
{
  return c == ';' || c == ',' || c == '\t' || c == '|' || c == '"' || c == '\'';
}

/* Nothing to the eye: a reader may pass over it before it looks for a formula. */
static gboolean
is_blank (gunichar c)
{
  return g_unichar_isspace (c) || g_unichar_type (c) == G_UNICODE_FORMAT ||
         g_unichar_type (c) == G_UNICODE_SPACE_SEPARATOR;
}

gboolean
weir_export_is_control (gunichar c)
{
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0x061c ||
         c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void
append_escape (GString *text, gunichar c)
{
  switch (c)
    {
    case '\t':
      g_string_append (text, "\\t");
      break;
    case '\n':
      g_string_append (text, "\\n");
      break;
    case '\r':
      g_string_append (text, "\\r");
      break;
    default:
      g_string_append_printf (text, c < 0x80 ? "\\x%02x" : "\\u%04x", c);
    }
}

/* Control characters become visible, and no part that any reader could take for a cell begins with
 * what it could take for a formula. */
static char *
make_harmless (const char *text)
{
  GString *safe = g_string_new (NULL);
  const char *end = text + strlen (text);
  gboolean at_start = TRUE;

  while (text < end)
    {
      gunichar c = g_utf8_get_char_validated (text, end - text);
      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append_printf (safe, "\\x%02x", (guchar) *text++);
          at_start = FALSE;
          continue;
        }
      text = g_utf8_next_char (text);
      if (at_start && is_formula_mark (c))
        g_string_append_c (safe, '\'');
      if (weir_export_is_control (c))
        append_escape (safe, c);
      else
        g_string_append_unichar (safe, c);
      at_start = is_separator (c) || (at_start && (is_blank (c) || weir_export_is_control (c)));
    }
  return g_string_free_and_steal (safe);
}

void
weir_export_append_text_cell (GString *csv, const char *text)
{
  g_autofree char *safe = make_harmless (text != NULL ? text : "");

  /* RFC 4180 asks for quotes around the first two; the others keep other readers from splitting. */
  if (strpbrk (safe, "\",;|") == NULL && safe[0] != ' ' && !g_str_has_suffix (safe, " "))
    {
      g_string_append (csv, safe);
      return;
    }
  g_string_append_c (csv, '"');
  for (const char *at = safe; *at != '\0'; at++)
    {
      if (*at == '"')
        g_string_append_c (csv, '"');
      g_string_append_c (csv, *at);
    }
  g_string_append_c (csv, '"');
}
