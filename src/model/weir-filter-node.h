/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A filter that has been understood: a tree. */
#pragma once

#include "weir-filter-keys.h"

G_BEGIN_DECLS

typedef enum
{
  WEIR_FILTER_NODE_WORD,  /* the value's text anywhere */
  WEIR_FILTER_NODE_REGEX, /* the value's expression anywhere */
  WEIR_FILTER_NODE_TERM,
  WEIR_FILTER_NODE_AND,
  WEIR_FILTER_NODE_OR,
  WEIR_FILTER_NODE_NOT,
} WeirFilterNodeKind;

typedef struct _WeirFilterNode WeirFilterNode;
struct _WeirFilterNode
{
  WeirFilterNodeKind kind;
  GPtrArray *children; /* AND, OR: two or more; NOT: one; else NULL */
  const WeirFilterKey *key;
  WeirFilterOperator op;
  WeirFilterValue value;
};

void
weir_filter_node_free (WeirFilterNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeirFilterNode, weir_filter_node_free)

/* Understands valid UTF-8.  *@ret_root is NULL for a filter without any term. */
gboolean
weir_filter_parse (const char *text, WeirFilterNode **ret_root, GError **error);
gboolean
weir_filter_node_match (WeirFilterNode *node, WeirFlow *flow);
/* Some regular expression of it. */
gboolean
weir_filter_node_has_given_up (const WeirFilterNode *node);

G_END_DECLS
