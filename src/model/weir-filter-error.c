/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-filter-error.h"

typedef struct
{
  WeirFilterPlace place;
} WeirFilterErrorPrivate;

static void
weir_filter_error_private_init (WeirFilterErrorPrivate *private)
{
}

static void
weir_filter_error_private_copy (const WeirFilterErrorPrivate *from, WeirFilterErrorPrivate *to)
{
  *to = *from;
}

static void
weir_filter_error_private_clear (WeirFilterErrorPrivate *private)
{
}

G_DEFINE_EXTENDED_ERROR (WeirFilterError, weir_filter_error)

void
weir_filter_error_set (GError **error, WeirFilterError code, const char *text, gsize start,
                       gsize end, const char *format, ...)
{
  va_list arguments;

  if (error == NULL)
    return;
  va_start (arguments, format);
  *error = g_error_new_valist (WEIR_FILTER_ERROR, code, format, arguments);
  va_end (arguments);
  WeirFilterErrorPrivate *private = weir_filter_error_get_private (*error);
  private->place = (WeirFilterPlace) {
    .start = start,
    .length = end - start,
    .char_start = g_utf8_strlen (text, start),
    .char_length = g_utf8_strlen (text + start, end - start),
  };
}

gboolean
weir_filter_error_get_place (const GError *error, WeirFilterPlace *ret_place)
{
  if (error == NULL || error->domain != WEIR_FILTER_ERROR)
    return FALSE;
  *ret_place = weir_filter_error_get_private (error)->place;
  return TRUE;
}
