/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-filter-term.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "weir-filter-error.h"

gboolean
weir_filter_term_init_regex (WeirFilterValue *value, const char *text, gsize start,
                             const WeirFilterToken *token, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (weir_filter_value_init_regex (value, token->text, &reason))
    return TRUE;
  weir_filter_error_set (error, WEIR_FILTER_ERROR_REGEX, text, start, token->end,
                         /* TRANSLATORS: what the library of regular expressions says */
                         _ ("Expected a regular expression: %s"), reason->message);
  return FALSE;
}

static gboolean
has_order (WeirFilterOperator op)
{
  return op >= WEIR_FILTER_OVER;
}

static gboolean
refuse_value (const char *text, const WeirFilterToken *token, GError **error)
{
  const char *format = NULL;
  g_autofree char *words = NULL;

  switch (token->key->kind)
    {
    case WEIR_FILTER_KEY_WORD:
      if (token->key->words == NULL)
        {
          format = _ ("Expected the name or the number of a protocol, as in “%s”.");
          break;
        }
      words = g_strjoinv (", ", (char **) token->key->words);
      weir_filter_error_set (error, WEIR_FILTER_ERROR_VALUE, text, token->value_start, token->end,
                             /* TRANSLATORS: a list of words that are not translated */
                             _ ("Expected one of %s."), words);
      return FALSE;
    case WEIR_FILTER_KEY_ADDRESS:
      format = _ ("Expected an address or a network, as in “%s”.");
      break;
    case WEIR_FILTER_KEY_INTEGER:
      weir_filter_error_set (error, WEIR_FILTER_ERROR_VALUE, text, token->value_start, token->end,
                             _ ("Expected a number up to %u, as in “%s”."), token->key->max,
                             token->key->example);
      return FALSE;
    case WEIR_FILTER_KEY_SIZE:
      format = _ ("Expected a number, with k, M, G, T, Ki, Mi, Gi or Ti after it if you like, as "
                  "in “%s”.");
      break;
    case WEIR_FILTER_KEY_DURATION:
      format = _ ("Expected a number with ms, s, m or h after it, as in “%s”.");
      break;
    default:
      g_assert_not_reached ();
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  /* All with one %s; msgfmt checks the translations against them. */
  weir_filter_error_set (error, WEIR_FILTER_ERROR_VALUE, text, token->value_start, token->end,
                         format, token->key->example);
#pragma GCC diagnostic pop
  return FALSE;
}

static gboolean
knows_word (const WeirFilterKey *key, const char *text)
{
  if (key->words == NULL)
    return key->is_word (text);
  for (gsize i = 0; key->words[i] != NULL; i++)
    if (g_ascii_strcasecmp (key->words[i], text) == 0)
      return TRUE;
  return FALSE;
}

/* Whether @text is wild for a key that is no text itself: figures have no stars of their own. */
static gboolean
is_glob (const WeirFilterToken *token)
{
  return token->style == WEIR_FILTER_BARE && strpbrk (token->text, "*?") != NULL;
}

static gboolean
init_plain (WeirFilterValue *value, const WeirFilterToken *token)
{
  const WeirFilterKey *key = token->key;
  gboolean whole = token->op != WEIR_FILTER_HAS;

  switch (key->kind)
    {
    case WEIR_FILTER_KEY_TEXT:
      weir_filter_value_init_text (value, token->text, token->style, whole);
      return TRUE;
    case WEIR_FILTER_KEY_WORD:
      weir_filter_value_init_text (value, token->text, token->style, TRUE);
      return is_glob (token) || knows_word (key, token->text);
    case WEIR_FILTER_KEY_ENDPOINT:
      /* A part of an address is text, but 10.0.0.1 is not meant to find 10.0.0.11. */
      if (token->style == WEIR_FILTER_QUOTED ||
          !weir_filter_value_init_network (value, token->text))
        weir_filter_value_init_text (value, token->text, token->style, whole);
      return TRUE;
    case WEIR_FILTER_KEY_ADDRESS:
      if (!is_glob (token))
        return weir_filter_value_init_network (value, token->text);
      weir_filter_value_init_text (value, token->text, token->style, TRUE);
      return TRUE;
    case WEIR_FILTER_KEY_INTEGER:
      if (!is_glob (token) || has_order (token->op))
        return weir_filter_value_init_integer (value, token->text, key->max);
      weir_filter_value_init_text (value, token->text, token->style, TRUE);
      return TRUE;
    case WEIR_FILTER_KEY_SIZE:
      return weir_filter_value_init_size (value, token->text);
    case WEIR_FILTER_KEY_DURATION:
      return weir_filter_value_init_duration (value, token->text, key->unit);
    default:
      g_assert_not_reached ();
    }
}

gboolean
weir_filter_term_init (WeirFilterValue *value, const char *text, const WeirFilterToken *token,
                       GError **error)
{
  const WeirFilterKey *key = token->key;

  if (has_order (token->op) && !weir_filter_key_has_order (key))
    {
      weir_filter_error_set (error, WEIR_FILTER_ERROR_OPERATOR, text, token->op_start,
                             token->op_end, _ ("“%s” has no order: expected “:”, “=” or “!=”."),
                             key->name);
      return FALSE;
    }
  if (token->style == WEIR_FILTER_REGEX && !has_order (token->op) &&
      key->kind <= WEIR_FILTER_KEY_INTEGER)
    return weir_filter_term_init_regex (value, text, token->value_start, token, error);
  if (token->style != WEIR_FILTER_REGEX && init_plain (value, token))
    return TRUE;
  return refuse_value (text, token, error);
}
