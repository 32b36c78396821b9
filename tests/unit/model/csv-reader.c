/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "csv-reader.h"

static const char *
read_cell (const char *at, char separator, GString *cell)
{
  gboolean quoted = *at == '"';

  if (quoted)
    at++;
  while (*at != '\0')
    {
      if (quoted && at[0] == '"' && at[1] == '"')
        at++;
      else if (quoted && *at == '"')
        {
          quoted = FALSE;
          at++;
          continue;
        }
      else if (!quoted && (*at == separator || *at == '\r' || *at == '\n'))
        break;
      g_string_append_c (cell, *at++);
    }
  return at;
}

GPtrArray *
csv_read (const char *text, char separator)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);

  while (*text != '\0')
    {
      GPtrArray *row = g_ptr_array_new_with_free_func (g_free);
      for (;;)
        {
          g_autoptr (GString) cell = g_string_new (NULL);
          text = read_cell (text, separator, cell);
          g_ptr_array_add (row, g_string_free_and_steal (g_steal_pointer (&cell)));
          if (*text != separator)
            break;
          text++;
        }
      while (*text == '\r' || *text == '\n')
        text++;
      g_ptr_array_add (rows, row);
    }
  return rows;
}
