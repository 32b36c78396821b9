/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-export-json.h"

#include <string.h>

#include "weir-export.h"

/* How much of @text, nearly always all of it, stands in JSON as it is. */
static gsize
count_plain (const char *text)
{
  const char *at = text;

  while (*at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\')
    at++;
  return (gsize) (at - text);
}

void
weir_export_append_json_string (GString *json, const char *text)
{
  const char *end = text + strlen (text);

  g_string_append_c (json, '"');
  while (text < end)
    {
      const gsize n_plain = count_plain (text);
      if (n_plain > 0)
        {
          g_string_append_len (json, text, (gssize) n_plain);
          text += n_plain;
          continue;
        }
      gunichar c = g_utf8_get_char_validated (text, end - text);
      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append (json, "\\ufffd");
          text++;
          continue;
        }
      if (c == '"' || c == '\\')
        g_string_append_printf (json, "\\%c", (char) c);
      else if (weir_export_is_control (c))
        g_string_append_printf (json, "\\u%04x", c);
      else
        g_string_append_unichar (json, c);
      text = g_utf8_next_char (text);
    }
  g_string_append_c (json, '"');
}

void
weir_export_append_json_members (GString *json, const WeirExportRow *row)
{
  g_autoptr (GString) cell = g_string_new (NULL);

  for (guint i = 0; i < weir_export_n_columns; i++)
    {
      const WeirExportColumn *column = &weir_export_columns[i];
      g_string_append (json, i > 0 ? ",\"" : "\"");
      g_string_append (json, column->name);
      g_string_append (json, "\":");
      g_string_truncate (cell, 0);
      column->append (row, cell);
      if (cell->len == 0)
        g_string_append (json, "null");
      else if (column->kind == WEIR_EXPORT_NUMBER)
        g_string_append_len (json, cell->str, cell->len);
      else
        weir_export_append_json_string (json, cell->str);
    }
}
