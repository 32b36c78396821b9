/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-format.h"

#include <arpa/inet.h>
#include <langinfo.h>
#include <math.h>
#include <string.h>

#include <glib/gi18n-lib.h>

#include "weir-flow.h"

#define ABSENT_TEXT "\u2014"

/* TRANSLATORS: units after a number; keep the non-breaking space. */
static const char *const byte_units[] = { N_ ("%s\u00a0B"),
                                          N_ ("%s\u00a0kB"),
                                          N_ ("%s\u00a0MB"),
                                          N_ ("%s\u00a0GB"),
                                          N_ ("%s\u00a0TB"),
                                          N_ ("%s\u00a0PB"),
                                          NULL };
static const char *const rate_units[] = { N_ ("%s\u00a0B/s"),  N_ ("%s\u00a0kB/s"),
                                          N_ ("%s\u00a0MB/s"), N_ ("%s\u00a0GB/s"),
                                          N_ ("%s\u00a0TB/s"), NULL };
static const char *const bit_units[] = { N_ ("%s\u00a0bit/s"),  N_ ("%s\u00a0kbit/s"),
                                         N_ ("%s\u00a0Mbit/s"), N_ ("%s\u00a0Gbit/s"),
                                         N_ ("%s\u00a0Tbit/s"), NULL };

/* Translated units come from our own catalogue, whose formats msgfmt has checked against the
 * source. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static char *
print_unit (const char *format, const char *number)
{
  return g_strdup_printf (g_dgettext (GETTEXT_PACKAGE, format), number);
}
#pragma GCC diagnostic pop

/* @value to @decimals (0 or 1) places.  glibc gives the digits of the locale for integers only. */
static char *
print_number (double value, int decimals)
{
  if (decimals == 0)
    return g_strdup_printf ("%I" G_GINT64_MODIFIER "d", (gint64) llround (value));

  gint64 tenths = llround (value * 10);
  return g_strdup_printf ("%I" G_GINT64_MODIFIER "d%s%Id", tenths / 10, nl_langinfo (RADIXCHAR),
                          (int) (tenths % 10));
}

/* Three significant digits at most after the first unit: a column of them stays narrow and still.
 */
static char *
print_scaled (double value, const char *const *units)
{
  guint unit = 0;

  /* 999.5 would be printed as 1000. */
  while (value >= 999.5 && units[unit + 1] != NULL)
    {
      value /= 1000;
      unit++;
    }

  /* 99.95 to 99.99 would round to "100.0". */
  g_autofree char *number = print_number (value, unit == 0 || value >= 99.95 ? 0 : 1);
  return print_unit (units[unit], number);
}

char *
weir_format_rate (double bytes_per_second, gboolean bits)
{
  double value = bits ? bytes_per_second * 8 : bytes_per_second;

  if (!(value >= 0.5))
    return g_strdup (ABSENT_TEXT);
  return print_scaled (value, bits ? bit_units : rate_units);
}

char *
weir_format_bytes (double bytes)
{
  if (!(bytes >= 0))
    return g_strdup (ABSENT_TEXT);
  return print_scaled (bytes, byte_units);
}

char *
weir_format_duration_us (gint64 microseconds)
{
  g_autofree char *number = NULL;

  if (microseconds < 0)
    return g_strdup (ABSENT_TEXT);
  double ms = microseconds / 1000.0;
  if (ms >= 999.5)
    {
      number = print_number (ms / 1000, 1);
      /* TRANSLATORS: seconds */
      return print_unit (N_ ("%s\u00a0s"), number);
    }
  number = print_number (ms, ms >= 99.95 ? 0 : 1);
  /* TRANSLATORS: milliseconds */
  return print_unit (N_ ("%s\u00a0ms"), number);
}

/* What could move the cursor, break a line or turn the reading direction of what stands around. */
static gboolean
is_unsafe (gunichar c)
{
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
         c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *
weir_format_sanitise (const char *text, gssize size)
{
  if (text == NULL)
    return g_strdup ("");
  const char *end = text + (size < 0 ? strlen (text) : strnlen (text, size));
  GString *safe = g_string_sized_new (end - text);

  while (text < end)
    {
      gunichar c = g_utf8_get_char_validated (text, end - text);
      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append (safe, "\ufffd");
          text++;
          continue;
        }
      if (is_unsafe (c))
        g_string_append (safe, "\ufffd");
      else
        g_string_append_unichar (safe, c);
      text = g_utf8_next_char (text);
    }
  return g_string_free_and_steal (safe);
}

char *
weir_format_endpoint (guint8 family, const guint8 address[16], guint16 port, gboolean has_port)
{
  char text[INET6_ADDRSTRLEN];

  if (family == 4)
    inet_ntop (AF_INET, address + 12, text, sizeof text);
  else
    inet_ntop (AF_INET6, address, text, sizeof text);
  if (!has_port)
    return g_strdup (text);
  return g_strdup_printf (family == 4 ? "%s:%u" : "[%s]:%u", text, port);
}
