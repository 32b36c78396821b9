/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-filter-value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "weir-flow.h"

/* A regular expression can be made to need exponentially many steps, and every row of every tick
 * would pay for it.  A text here has at most a few hundred characters, for which an honest
 * expression needs some hundred steps; pcre2pattern(3), "SPECIAL START-OF-PATTERN ITEMS".  One that
 * exhausts its steps this often is not tried any more. */
#define REGEX_LIMITS      "(*LIMIT_MATCH=20000)(*LIMIT_DEPTH=500)(*LIMIT_HEAP=256)"
#define REGEX_EXHAUST_MAX 20

/* What a decimal fraction loses on its way through a double. */
#define TOLERANCE 1e-9

typedef struct
{
  const char *suffix;
  double factor;
} Unit;

static const Unit size_units[] = {
  { "", 1 },        { "k", 1e3 },     { "K", 1e3 },     { "M", 1e6 },
  { "G", 1e9 },     { "T", 1e12 },    { "Ki", 0x1p10 }, { "ki", 0x1p10 },
  { "Mi", 0x1p20 }, { "Gi", 0x1p30 }, { "Ti", 0x1p40 },
};
static const Unit duration_units[] = { { "ms", 1e-3 }, { "s", 1 }, { "m", 60 }, { "h", 3600 } };

static const guint8 mapped[12] = { [10] = 0xff, 0xff };

void
weir_filter_value_clear (WeirFilterValue *value)
{
  g_clear_pointer (&value->text, g_free);
  g_clear_pointer (&value->regex, g_regex_unref);
}

/* ---- text ---- */

void
weir_filter_value_init_text (WeirFilterValue *value, const char *text, WeirFilterStyle style,
                             gboolean whole)
{
  gboolean is_glob = style == WEIR_FILTER_BARE && strpbrk (text, "*?") != NULL;

  value->kind = is_glob ? WEIR_FILTER_VALUE_GLOB : WEIR_FILTER_VALUE_TEXT;
  value->text = weir_flow_fold_text (text);
  value->whole = whole;
}

/* After a mismatch only the last star can take one character more: what an earlier one could take
 * instead, the last one can take, too.  So this needs no more than pattern times text steps. */
static gboolean
match_glob (const char *pattern, const char *text)
{
  const char *star = NULL, *taken = NULL;

  while (*text != '\0')
    {
      if (*pattern == '*')
        {
          star = ++pattern;
          taken = text;
        }
      else if (*pattern == '?' || (*pattern != '\0' && *pattern == *text))
        {
          text = *pattern == '?' ? g_utf8_next_char (text) : text + 1;
          pattern++;
        }
      else if (star != NULL)
        {
          pattern = star;
          text = taken = g_utf8_next_char (taken);
        }
      else
        return FALSE;
    }
  while (*pattern == '*')
    pattern++;
  return *pattern == '\0';
}

static gboolean
match_folded (const WeirFilterValue *value, const char *text)
{
  g_autofree char *folded = weir_flow_fold_text (text);

  if (value->kind == WEIR_FILTER_VALUE_GLOB)
    return match_glob (value->text, folded);
  return value->whole ? g_str_equal (folded, value->text) : strstr (folded, value->text) != NULL;
}

/* ---- regular expressions ---- */

gboolean
weir_filter_value_init_regex (WeirFilterValue *value, const char *pattern, GError **error)
{
  const GRegexCompileFlags flags = G_REGEX_CASELESS | G_REGEX_MULTILINE | G_REGEX_NO_AUTO_CAPTURE;
  /* Without our limits, so that the message shows what was typed. */
  g_autoptr (GRegex) plain = g_regex_new (pattern, flags, 0, error);

  if (plain == NULL)
    return FALSE;
  g_autofree char *limited = g_strconcat (REGEX_LIMITS, pattern, NULL);
  GRegex *regex = g_regex_new (limited, flags | G_REGEX_OPTIMIZE, 0, error);
  if (regex == NULL)
    return FALSE;
  value->kind = WEIR_FILTER_VALUE_REGEX;
  value->regex = regex;
  return TRUE;
}

gboolean
weir_filter_value_has_given_up (const WeirFilterValue *value)
{
  return value->n_exhausted >= REGEX_EXHAUST_MAX;
}

gboolean
weir_filter_value_match_regex (WeirFilterValue *value, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (weir_filter_value_has_given_up (value))
    return FALSE;
  if (g_regex_match_full (value->regex, text, -1, 0, 0, NULL, &error))
    return TRUE;
  if (error != NULL)
    value->n_exhausted++;
  return FALSE;
}

/* ---- numbers ---- */

/* Digits with at most one point; the rest is for the caller. */
static gboolean
read_number (const char *text, double *ret_number, const char **ret_rest)
{
  gsize whole = strspn (text, "0123456789");
  gsize length = whole;

  if (text[whole] == '.')
    length += 1 + strspn (text + whole + 1, "0123456789");
  if (whole == 0 || text[length - 1] == '.')
    return FALSE;
  g_autofree char *number = g_strndup (text, length);
  *ret_number = g_ascii_strtod (number, NULL);
  *ret_rest = text + length;
  return TRUE;
}

static gboolean
read_with_unit (const char *text, const Unit *units, gsize n_units, double no_unit,
                double *ret_number)
{
  const char *suffix;
  double number;

  if (!read_number (text, &number, &suffix))
    return FALSE;
  if (*suffix == '\0')
    {
      *ret_number = number * no_unit;
      return TRUE;
    }
  for (gsize i = 0; i < n_units; i++)
    if (g_str_equal (units[i].suffix, suffix))
      {
        *ret_number = number * units[i].factor;
        return TRUE;
      }
  return FALSE;
}

gboolean
weir_filter_value_init_integer (WeirFilterValue *value, const char *text, guint64 max)
{
  gboolean is_hex = g_ascii_strncasecmp (text, "0x", 2) == 0;
  guint64 number;

  if (!g_ascii_string_to_unsigned (is_hex ? text + 2 : text, is_hex ? 16 : 10, 0, max, &number,
                                   NULL))
    return FALSE;
  value->kind = WEIR_FILTER_VALUE_NUMBER;
  value->number = number;
  return TRUE;
}

gboolean
weir_filter_value_init_size (WeirFilterValue *value, const char *text)
{
  if (!read_with_unit (text, size_units, G_N_ELEMENTS (size_units), 1, &value->number))
    return FALSE;
  value->kind = WEIR_FILTER_VALUE_NUMBER;
  return TRUE;
}

gboolean
weir_filter_value_init_duration (WeirFilterValue *value, const char *text, double unit)
{
  if (!read_with_unit (text, duration_units, G_N_ELEMENTS (duration_units), unit, &value->number))
    return FALSE;
  value->kind = WEIR_FILTER_VALUE_NUMBER;
  return TRUE;
}

static gboolean
compare (WeirFilterOperator op, double found, double wanted)
{
  gboolean same = fabs (found - wanted) <= TOLERANCE * MAX (fabs (found), fabs (wanted));

  switch (op)
    {
    case WEIR_FILTER_OVER:
      return !same && found > wanted;
    case WEIR_FILTER_UNDER:
      return !same && found < wanted;
    case WEIR_FILTER_AT_LEAST:
      return same || found > wanted;
    case WEIR_FILTER_AT_MOST:
      return same || found < wanted;
    case WEIR_FILTER_HAS:
    case WEIR_FILTER_IS:
    case WEIR_FILTER_IS_NOT:
      return same;
    default:
      g_assert_not_reached ();
    }
}

/* ---- networks ---- */

static gboolean
is_mapped (const guint8 address[16])
{
  return memcmp (address, mapped, sizeof mapped) == 0;
}

gboolean
weir_filter_value_init_network (WeirFilterValue *value, const char *text)
{
  const char *slash = strchr (text, '/');
  g_autofree char *address = g_strndup (text, strcspn (text, "/"));
  gsize length = strlen (address);
  guint8 bytes[16];
  guint64 prefix = 128;

  if (length > 2 && address[0] == '[' && address[length - 1] == ']')
    {
      memmove (address, address + 1, length - 2);
      address[length - 2] = '\0';
    }
  gboolean is_v4 = inet_pton (AF_INET, address, bytes + sizeof mapped) == 1;
  if (is_v4)
    memcpy (bytes, mapped, sizeof mapped);
  else if (inet_pton (AF_INET6, address, bytes) != 1)
    return FALSE;
  if (slash != NULL)
    {
      if (!g_ascii_string_to_unsigned (slash + 1, 10, 0, is_v4 ? 32 : 128, &prefix, NULL))
        return FALSE;
      prefix += is_v4 ? 8 * sizeof mapped : 0;
    }
  value->kind = WEIR_FILTER_VALUE_NETWORK;
  memcpy (value->address, bytes, sizeof bytes);
  value->prefix = prefix;
  return TRUE;
}

static gboolean
match_network (const WeirFilterValue *value, const guint8 address[16])
{
  guint whole = value->prefix / 8, bits = value->prefix % 8;

  /* ::/0 is all of IPv6; that IPv4 is stored inside of it is our own affair. */
  if (is_mapped (address) && (value->prefix < 8 * sizeof mapped || !is_mapped (value->address)))
    return FALSE;
  if (memcmp (address, value->address, whole) != 0)
    return FALSE;
  return bits == 0 || (address[whole] ^ value->address[whole]) >> (8 - bits) == 0;
}

/* ---- probes ---- */

gboolean
weir_filter_probe_wants_text (const WeirFilterProbe *probe)
{
  return probe->value->kind < WEIR_FILTER_VALUE_NUMBER;
}

void
weir_filter_probe_text (WeirFilterProbe *probe, const char *text)
{
  WeirFilterValueKind kind = probe->value->kind;

  if (text == NULL || !weir_filter_probe_wants_text (probe))
    return;
  probe->present = TRUE;
  if (probe->matched)
    return;
  if (kind == WEIR_FILTER_VALUE_REGEX)
    probe->matched = weir_filter_value_match_regex (probe->value, text);
  else
    probe->matched = match_folded (probe->value, text);
}

void
weir_filter_probe_number (WeirFilterProbe *probe, double number)
{
  if (probe->value->kind != WEIR_FILTER_VALUE_NUMBER || number < 0)
    return;
  probe->present = TRUE;
  probe->matched = probe->matched || compare (probe->op, number, probe->value->number);
}

void
weir_filter_probe_integer (WeirFilterProbe *probe, guint64 number)
{
  char text[24];

  if (probe->value->kind == WEIR_FILTER_VALUE_NUMBER)
    {
      weir_filter_probe_number (probe, number);
      return;
    }
  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, number);
  weir_filter_probe_text (probe, text);
}

void
weir_filter_probe_address (WeirFilterProbe *probe, const guint8 address[16])
{
  if (probe->value->kind != WEIR_FILTER_VALUE_NETWORK)
    return;
  probe->present = TRUE;
  probe->matched = probe->matched || match_network (probe->value, address);
}

gboolean
weir_filter_probe_get_answer (const WeirFilterProbe *probe)
{
  return probe->op == WEIR_FILTER_IS_NOT ? probe->present && !probe->matched : probe->matched;
}
