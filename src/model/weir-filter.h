/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-flow.h"

G_BEGIN_DECLS

/* The filter language.  For now plain words: a flow matches when every word is found anywhere. */
#define WEIR_TYPE_FILTER (weir_filter_get_type ())
G_DECLARE_FINAL_TYPE (WeirFilter, weir_filter, WEIR, FILTER, GObject)

/* NULL and empty text match all.  Never fails for plain words. */
WeirFilter *
weir_filter_new (const char *text, GError **error);
gboolean
weir_filter_is_empty (WeirFilter *self);
gboolean
weir_filter_match (WeirFilter *self, WeirFlow *flow);

G_END_DECLS
