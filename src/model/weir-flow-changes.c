/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-flow-changes.h"

#include "weir-flow-private.h"
#include "weir-flow-store-private.h"

void
weir_flow_store_foreach_changed (WeirFlowStore *self, WeirFlowFunc func, gpointer user_data)
{
  g_return_if_fail (WEIR_IS_FLOW_STORE (self));
  GPtrArray *rows = weir_flow_store_get_rows (self);
  guint64 update = weir_flow_store_get_update_number (self);

  for (guint i = 0; i < rows->len; i++)
    if (((WeirFlow *) rows->pdata[i])->changed == update)
      func (rows->pdata[i], user_data);
}

void
weir_flow_store_foreach_news (WeirFlowStore *self, WeirFlowFunc func, gpointer user_data)
{
  g_return_if_fail (WEIR_IS_FLOW_STORE (self));
  GPtrArray *news = weir_flow_store_get_news (self);

  for (guint i = 0; i < news->len; i++)
    func (news->pdata[i], user_data);
}
