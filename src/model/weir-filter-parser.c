/* SPDX-License-Identifier: GPL-3.0-or-later */
/*     filter = [ any ]
 *     any    = all { "or" all }
 *     all    = one { [ "and" ] one }
 *     one    = "not" one | "(" any ")" | word | term */
#include "config.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "weir-filter-error.h"
#include "weir-filter-lexer.h"
#include "weir-filter-node.h"
#include "weir-filter-term.h"

/* A person's filter has a line.  The bounds keep work and recursion small whatever is pasted. */
#define TEXT_MAX  4096
#define DEPTH_MAX 64

typedef struct
{
  const char *text;
  gsize at;
  WeirFilterToken token; /* not yet taken */
  gsize last_start, last_end;
  guint depth;
} Parser;

static WeirFilterNode *
parse_any (Parser *parser, GError **error);
static WeirFilterNode *
parse_one (Parser *parser, GError **error);

static gboolean
advance (Parser *parser, GError **error)
{
  parser->last_start = parser->token.start;
  parser->last_end = parser->token.end;
  weir_filter_token_clear (&parser->token);
  return weir_filter_lexer_next (parser->text, &parser->at, &parser->token, error);
}

static WeirFilterNode *
node_new (WeirFilterNodeKind kind)
{
  WeirFilterNode *node = g_new0 (WeirFilterNode, 1);

  node->kind = kind;
  if (kind >= WEIR_FILTER_NODE_AND)
    node->children = g_ptr_array_new_with_free_func ((GDestroyNotify) weir_filter_node_free);
  return node;
}

static WeirFilterNode *
parse_word (Parser *parser, GError **error)
{
  const WeirFilterToken *token = &parser->token;
  g_autoptr (WeirFilterNode) node = node_new (WEIR_FILTER_NODE_WORD);

  if (token->style == WEIR_FILTER_REGEX)
    {
      node->kind = WEIR_FILTER_NODE_REGEX;
      if (!weir_filter_term_init_regex (&node->value, parser->text, token->start, token, error))
        return NULL;
    }
  else
    /* Stars are what they are: a listening socket's other end is one. */
    weir_filter_value_init_text (&node->value, token->text, WEIR_FILTER_QUOTED, FALSE);
  return advance (parser, error) ? g_steal_pointer (&node) : NULL;
}

static WeirFilterNode *
parse_term (Parser *parser, GError **error)
{
  const WeirFilterToken *token = &parser->token;
  g_autoptr (WeirFilterNode) node = node_new (WEIR_FILTER_NODE_TERM);

  node->key = token->key;
  node->op = token->op;
  if (!weir_filter_term_init (&node->value, parser->text, token, error))
    return NULL;
  return advance (parser, error) ? g_steal_pointer (&node) : NULL;
}

static WeirFilterNode *
parse_group (Parser *parser, GError **error)
{
  gsize start = parser->token.start, end = parser->token.end;

  if (!advance (parser, error))
    return NULL;
  g_autoptr (WeirFilterNode) node = parse_any (parser, error);
  if (node == NULL)
    return NULL;
  if (parser->token.kind != WEIR_FILTER_TOKEN_CLOSE)
    {
      weir_filter_error_set (error, WEIR_FILTER_ERROR_SYNTAX, parser->text, start, end,
                             _ ("Expected a closing parenthesis for this one."));
      return NULL;
    }
  return advance (parser, error) ? g_steal_pointer (&node) : NULL;
}

static WeirFilterNode *
parse_not (Parser *parser, GError **error)
{
  if (!advance (parser, error))
    return NULL;
  WeirFilterNode *child = parse_one (parser, error);
  if (child == NULL)
    return NULL;
  WeirFilterNode *node = node_new (WEIR_FILTER_NODE_NOT);
  g_ptr_array_add (node->children, child);
  return node;
}

/* A term should stand where something else, or nothing, does. */
static void
set_missing_term (Parser *parser, GError **error)
{
  const WeirFilterToken *token = &parser->token;
  gboolean at_end = token->kind == WEIR_FILTER_TOKEN_END;
  gsize start = at_end ? parser->last_start : token->start;
  gsize end = at_end ? parser->last_end : token->end;

  if (at_end)
    weir_filter_error_set (error, WEIR_FILTER_ERROR_SYNTAX, parser->text, start, end,
                           _ ("Expected a word or a term such as “port:443” after “%.*s”."),
                           (int) (end - start), parser->text + start);
  else
    weir_filter_error_set (error, WEIR_FILTER_ERROR_SYNTAX, parser->text, start, end,
                           _ ("Expected a word or a term such as “port:443” instead of “%.*s”. "
                              "To look for it, put it in quotes."),
                           (int) (end - start), parser->text + start);
}

static WeirFilterNode *
parse_one_inside (Parser *parser, GError **error)
{
  switch (parser->token.kind)
    {
    case WEIR_FILTER_TOKEN_NOT:
      return parse_not (parser, error);
    case WEIR_FILTER_TOKEN_OPEN:
      return parse_group (parser, error);
    case WEIR_FILTER_TOKEN_WORD:
      return parse_word (parser, error);
    case WEIR_FILTER_TOKEN_TERM:
      return parse_term (parser, error);
    default:
      set_missing_term (parser, error);
      return NULL;
    }
}

static WeirFilterNode *
parse_one (Parser *parser, GError **error)
{
  if (parser->depth >= DEPTH_MAX)
    {
      weir_filter_error_set (
          error, WEIR_FILTER_ERROR_TOO_LONG, parser->text, parser->token.start, parser->token.end,
          _ ("Too deep: at most %d “not” and parentheses inside each other."), DEPTH_MAX);
      return NULL;
    }
  parser->depth++;
  WeirFilterNode *node = parse_one_inside (parser, error);
  parser->depth--;
  return node;
}

/* Whether @parser stands at what continues a row of terms joined by @joint, which it passes. */
static gboolean
take_joint (Parser *parser, WeirFilterTokenKind joint, gboolean *ret_more, GError **error)
{
  WeirFilterTokenKind kind = parser->token.kind;

  *ret_more = kind == joint;
  if (kind == joint)
    return advance (parser, error);
  if (joint == WEIR_FILTER_TOKEN_AND)
    *ret_more = kind == WEIR_FILTER_TOKEN_WORD || kind == WEIR_FILTER_TOKEN_TERM ||
                kind == WEIR_FILTER_TOKEN_NOT || kind == WEIR_FILTER_TOKEN_OPEN;
  return TRUE;
}

static WeirFilterNode *
parse_row (Parser *parser, WeirFilterTokenKind joint, WeirFilterNodeKind kind,
           WeirFilterNode *(*parse_part) (Parser *parser, GError **error), GError **error)
{
  g_autoptr (WeirFilterNode) first = parse_part (parser, error);
  g_autoptr (WeirFilterNode) row = NULL;
  gboolean more;

  if (first == NULL || !take_joint (parser, joint, &more, error))
    return NULL;
  if (!more)
    return g_steal_pointer (&first);
  row = node_new (kind);
  g_ptr_array_add (row->children, g_steal_pointer (&first));
  while (more)
    {
      WeirFilterNode *part = parse_part (parser, error);
      if (part == NULL)
        return NULL;
      g_ptr_array_add (row->children, part);
      if (!take_joint (parser, joint, &more, error))
        return NULL;
    }
  return g_steal_pointer (&row);
}

static WeirFilterNode *
parse_all (Parser *parser, GError **error)
{
  return parse_row (parser, WEIR_FILTER_TOKEN_AND, WEIR_FILTER_NODE_AND, parse_one, error);
}

static WeirFilterNode *
parse_any (Parser *parser, GError **error)
{
  return parse_row (parser, WEIR_FILTER_TOKEN_OR, WEIR_FILTER_NODE_OR, parse_all, error);
}

static gboolean
parse (Parser *parser, WeirFilterNode **ret_root, GError **error)
{
  *ret_root = NULL;
  if (!advance (parser, error))
    return FALSE;
  if (parser->token.kind == WEIR_FILTER_TOKEN_END)
    return TRUE;
  g_autoptr (WeirFilterNode) root = parse_any (parser, error);
  if (root == NULL)
    return FALSE;
  if (parser->token.kind != WEIR_FILTER_TOKEN_END)
    {
      weir_filter_error_set (error, WEIR_FILTER_ERROR_SYNTAX, parser->text, parser->token.start,
                             parser->token.end,
                             _ ("Expected an opening parenthesis somewhere before this one."));
      return FALSE;
    }
  *ret_root = g_steal_pointer (&root);
  return TRUE;
}

gboolean
weir_filter_parse (const char *text, WeirFilterNode **ret_root, GError **error)
{
  gsize length = strlen (text);
  Parser parser = { .text = text };

  *ret_root = NULL;
  if (length > TEXT_MAX)
    {
      const char *end = g_utf8_find_prev_char (text, text + TEXT_MAX + 1);
      weir_filter_error_set (error, WEIR_FILTER_ERROR_TOO_LONG, text, end - text, length,
                             _ ("Too long: a filter has at most %d bytes."), TEXT_MAX);
      return FALSE;
    }
  gboolean understood = parse (&parser, ret_root, error);
  weir_filter_token_clear (&parser.token);
  return understood;
}
