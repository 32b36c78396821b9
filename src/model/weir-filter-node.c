/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-filter-node.h"

#include <string.h>

#include "weir-flow-texts.h"

void
weir_filter_node_free (WeirFilterNode *node)
{
  g_clear_pointer (&node->children, g_ptr_array_unref);
  weir_filter_value_clear (&node->value);
  g_free (node);
}

/* Not the text for plain words: that is folded, and an expression may tell ß from ss. */
static gboolean
match_regex (WeirFilterNode *node, WeirFlow *flow)
{
  g_autoptr (GString) all = g_string_sized_new (256);

  weir_flow_texts_append_all (flow, all);
  return weir_filter_value_match_regex (&node->value, all->str);
}

static gboolean
match_term (WeirFilterNode *node, WeirFlow *flow)
{
  WeirFilterProbe probe = { .value = &node->value, .op = node->op };

  node->key->probe (flow, &probe);
  return weir_filter_probe_get_answer (&probe);
}

/* Whether any child answers @wanted. */
static gboolean
find_answer (WeirFilterNode *node, WeirFlow *flow, gboolean wanted)
{
  for (guint i = 0; i < node->children->len; i++)
    if (weir_filter_node_match (node->children->pdata[i], flow) == wanted)
      return TRUE;
  return FALSE;
}

gboolean
weir_filter_node_match (WeirFilterNode *node, WeirFlow *flow)
{
  switch (node->kind)
    {
    case WEIR_FILTER_NODE_WORD:
      return strstr (weir_flow_get_search_text (flow), node->value.text) != NULL;
    case WEIR_FILTER_NODE_REGEX:
      return match_regex (node, flow);
    case WEIR_FILTER_NODE_TERM:
      return match_term (node, flow);
    case WEIR_FILTER_NODE_AND:
      return !find_answer (node, flow, FALSE);
    case WEIR_FILTER_NODE_OR:
      return find_answer (node, flow, TRUE);
    case WEIR_FILTER_NODE_NOT:
      return find_answer (node, flow, FALSE);
    default:
      g_assert_not_reached ();
    }
}

gboolean
weir_filter_node_has_given_up (const WeirFilterNode *node)
{
  if (weir_filter_value_has_given_up (&node->value))
    return TRUE;
  for (guint i = 0; node->children != NULL && i < node->children->len; i++)
    if (weir_filter_node_has_given_up (node->children->pdata[i]))
      return TRUE;
  return FALSE;
}
