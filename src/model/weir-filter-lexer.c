/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-filter-lexer.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "weir-filter-error.h"

/* Longer ones first: the first that fits is taken. */
static const struct
{
  const char *text;
  WeirFilterOperator op;
  gboolean may_stand_apart; /* with spaces around it; `user :443` are two words */
} operators[] = {
  { "!=", WEIR_FILTER_IS_NOT, TRUE },  { ">=", WEIR_FILTER_AT_LEAST, TRUE },
  { "<=", WEIR_FILTER_AT_MOST, TRUE }, { ">", WEIR_FILTER_OVER, TRUE },
  { "<", WEIR_FILTER_UNDER, TRUE },    { "=", WEIR_FILTER_IS, TRUE },
  { ":", WEIR_FILTER_HAS, FALSE },
};

static const struct
{
  const char *word;
  WeirFilterTokenKind kind;
} joints[] = {
  { "and", WEIR_FILTER_TOKEN_AND },
  { "or", WEIR_FILTER_TOKEN_OR },
  { "not", WEIR_FILTER_TOKEN_NOT },
};

void
weir_filter_token_clear (WeirFilterToken *token)
{
  g_clear_pointer (&token->text, g_free);
}

static gsize
skip_space (const char *text, gsize at)
{
  while (text[at] != '\0' && g_unichar_isspace (g_utf8_get_char (text + at)))
    at = g_utf8_next_char (text + at) - text;
  return at;
}

static gboolean
ends_word (const char *text, gsize at)
{
  return text[at] == '\0' || text[at] == '(' || text[at] == ')' ||
         g_unichar_isspace (g_utf8_get_char (text + at));
}

static gsize
find_word_end (const char *text, gsize at)
{
  while (!ends_word (text, at))
    at = g_utf8_next_char (text + at) - text;
  return at;
}

/* Of the operator at @at; 0: there is none. */
static gsize
match_operator (const char *text, gsize at, gboolean apart, WeirFilterOperator *ret_op)
{
  for (gsize i = 0; i < G_N_ELEMENTS (operators); i++)
    if (g_str_has_prefix (text + at, operators[i].text) && (!apart || operators[i].may_stand_apart))
      {
        *ret_op = operators[i].op;
        return strlen (operators[i].text);
      }
  return 0;
}

/* Up to the next unescaped @mark.  In quotes \" and \\ are what they escape; an expression keeps
 * its backslashes, they mean the same to it. */
static gboolean
read_enclosed (const char *text, gsize *at, char mark, char **ret_inside, GError **error)
{
  g_autoptr (GString) inside = g_string_new (NULL);
  gsize start = *at, end = start + 1;

  for (; text[end] != '\0' && text[end] != mark; end++)
    {
      if (text[end] == '\\' && (text[end + 1] == mark || text[end + 1] == '\\'))
        {
          if (mark == '/')
            g_string_append_c (inside, '\\');
          end++;
        }
      g_string_append_c (inside, text[end]);
    }
  if (text[end] == '\0')
    {
      weir_filter_error_set (error, WEIR_FILTER_ERROR_SYNTAX, text, start, end,
                             mark == '"' ? _ ("Expected a quotation mark (\") at the end.")
                                         : _ ("Expected a slash (/) at the end of the regular "
                                              "expression. For a word that begins with one, put "
                                              "it in quotes."));
      return FALSE;
    }
  if (inside->len == 0)
    {
      weir_filter_error_set (error, WEIR_FILTER_ERROR_SYNTAX, text, start, end + 1,
                             mark == '"' ? _ ("Expected text between the quotation marks.")
                                         : _ ("Expected a regular expression between the "
                                              "slashes."));
      return FALSE;
    }
  if (!ends_word (text, end + 1))
    {
      weir_filter_error_set (error, WEIR_FILTER_ERROR_SYNTAX, text, end + 1,
                             find_word_end (text, end + 1), _ ("Expected a space before this."));
      return FALSE;
    }
  *at = end + 1;
  *ret_inside = g_string_free_and_steal (g_steal_pointer (&inside));
  return TRUE;
}

/* A word or a value. */
static gboolean
read_text (const char *text, gsize *at, WeirFilterToken *token, GError **error)
{
  switch (text[*at])
    {
    case '"':
      token->style = WEIR_FILTER_QUOTED;
      return read_enclosed (text, at, '"', &token->text, error);
    case '/':
      token->style = WEIR_FILTER_REGEX;
      return read_enclosed (text, at, '/', &token->text, error);
    default:
      {
        gsize end = find_word_end (text, *at);
        token->style = WEIR_FILTER_BARE;
        token->text = g_strndup (text + *at, end - *at);
        *at = end;
        return TRUE;
      }
    }
}

/* The length of the letters that would be a key, if an operator follows them. */
static gsize
find_key_end (const char *text, gsize at)
{
  gsize end = at;

  while (g_ascii_isalpha (text[end]))
    end++;
  return end;
}

/* "dead:beef::1" is an address, not a key with a value. */
static gboolean
may_be_address (const char *text, gsize start, gsize end)
{
  return strspn (text + start, "0123456789abcdefABCDEF") >= end - start && text[end] == ':';
}

static gboolean
read_term (const char *text, gsize *at, gsize op_start, gsize op_length, WeirFilterToken *token,
           GError **error)
{
  gsize value = op_start + op_length;

  token->kind = WEIR_FILTER_TOKEN_TERM;
  token->op_start = op_start;
  token->op_end = value;
  if (token->op != WEIR_FILTER_HAS)
    value = skip_space (text, value);
  token->value_start = value;
  if (ends_word (text, value))
    {
      weir_filter_error_set (error, WEIR_FILTER_ERROR_SYNTAX, text, token->start, token->op_end,
                             /* TRANSLATORS: a key with its operator, and a filter with this key */
                             _ ("Expected a value after “%.*s”, as in “%s”."),
                             (int) (token->op_end - token->start), text + token->start,
                             token->key->example);
      return FALSE;
    }
  *at = value;
  if (!read_text (text, at, token, error))
    return FALSE;
  token->end = *at;
  return TRUE;
}

static gboolean
refuse_key (const char *text, gsize start, gsize end, GError **error)
{
  g_autofree char *list = weir_filter_key_list ();

  weir_filter_error_set (error, WEIR_FILTER_ERROR_KEY, text, start, end,
                         /* TRANSLATORS: what stands before an operator, and the list of keys */
                         _ ("“%.*s” is no key. Expected one of %s; put text that holds an "
                            "operator in quotes."),
                         (int) (end - start), text + start, list);
  return FALSE;
}

/* What begins with letters: a term, one of the joining words, or a word. */
static gboolean
read_bare (const char *text, gsize *at, WeirFilterToken *token, GError **error)
{
  gsize key_end = find_key_end (text, *at), word_end = find_word_end (text, *at);
  gsize op_start = key_end;

  token->key = weir_filter_key_find (text + *at, key_end - *at);
  gsize op_length = match_operator (text, key_end, FALSE, &token->op);
  if (op_length == 0 && key_end == word_end && token->key != NULL)
    {
      op_start = skip_space (text, key_end);
      op_length = match_operator (text, op_start, TRUE, &token->op);
    }
  if (op_length > 0 && token->key != NULL)
    return read_term (text, at, op_start, op_length, token, error);
  if (op_length > 0 && key_end > *at && !may_be_address (text, *at, key_end))
    return refuse_key (text, *at, key_end, error);

  token->kind = WEIR_FILTER_TOKEN_WORD;
  for (gsize i = 0; i < G_N_ELEMENTS (joints); i++)
    if (strlen (joints[i].word) == word_end - *at &&
        g_ascii_strncasecmp (joints[i].word, text + *at, word_end - *at) == 0)
      token->kind = joints[i].kind;
  token->style = WEIR_FILTER_BARE;
  token->text = g_strndup (text + *at, word_end - *at);
  token->end = *at = word_end;
  return TRUE;
}

gboolean
weir_filter_lexer_next (const char *text, gsize *at, WeirFilterToken *ret_token, GError **error)
{
  *at = skip_space (text, *at);
  *ret_token = (WeirFilterToken) { .start = *at, .end = *at };
  switch (text[*at])
    {
    case '\0':
      ret_token->kind = WEIR_FILTER_TOKEN_END;
      return TRUE;
    case '(':
    case ')':
      ret_token->kind = text[*at] == '(' ? WEIR_FILTER_TOKEN_OPEN : WEIR_FILTER_TOKEN_CLOSE;
      ret_token->end = ++*at;
      return TRUE;
    case '"':
    case '/':
      ret_token->kind = WEIR_FILTER_TOKEN_WORD;
      if (!read_text (text, at, ret_token, error))
        return FALSE;
      ret_token->end = *at;
      return TRUE;
    default:
      return read_bare (text, at, ret_token, error);
    }
}
