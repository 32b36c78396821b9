/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-filter.h"

#include "weir-filter-node.h"

struct _WeirFilter
{
  GObject parent;
  WeirFilterNode *root; /* NULL: matches all */
};

G_DEFINE_FINAL_TYPE (WeirFilter, weir_filter, G_TYPE_OBJECT)

static void
weir_filter_finalize (GObject *object)
{
  WeirFilter *self = WEIR_FILTER (object);

  g_clear_pointer (&self->root, weir_filter_node_free);
  G_OBJECT_CLASS (weir_filter_parent_class)->finalize (object);
}

static void
weir_filter_class_init (WeirFilterClass *class)
{
  G_OBJECT_CLASS (class)->finalize = weir_filter_finalize;
}

static void
weir_filter_init (WeirFilter *self)
{
}

WeirFilter *
weir_filter_new (const char *text, GError **error)
{
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  WeirFilterNode *root;

  if (!weir_filter_parse (valid, &root, error))
    return NULL;
  WeirFilter *self = g_object_new (WEIR_TYPE_FILTER, NULL);
  self->root = root;
  return self;
}

gboolean
weir_filter_is_empty (WeirFilter *self)
{
  g_return_val_if_fail (WEIR_IS_FILTER (self), TRUE);
  return self->root == NULL;
}

gboolean
weir_filter_match (WeirFilter *self, WeirFlow *flow)
{
  g_return_val_if_fail (WEIR_IS_FILTER (self), FALSE);
  return self->root == NULL || weir_filter_node_match (self->root, flow);
}

gboolean
weir_filter_has_given_up (WeirFilter *self)
{
  g_return_val_if_fail (WEIR_IS_FILTER (self), FALSE);
  return self->root != NULL && weir_filter_node_has_given_up (self->root);
}
