/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-app-totals.h"

static void
app_total_free (gpointer data)
{
  WeirAppTotal *total = data;

  g_free (total->name);
  g_free (total);
}

static WeirAppTotal *
app_total_new (const char *name)
{
  WeirAppTotal *total = g_new0 (WeirAppTotal, 1);

  total->name = g_strdup (name);
  total->rx_bytes = total->tx_bytes = total->rx_rate = total->tx_rate = WEIR_ABSENT;
  return total;
}

static void
add (double *sum, double figure)
{
  if (figure >= 0)
    *sum = MAX (*sum, 0) + figure;
}

static void
add_flow (WeirAppTotal *total, WeirFlow *flow)
{
  total->connections += !weir_flow_is_closed (flow);
  add (&total->rx_bytes, weir_flow_get_rx_bytes (flow));
  add (&total->tx_bytes, weir_flow_get_tx_bytes (flow));
  add (&total->rx_rate, weir_flow_get_rx_rate (flow));
  add (&total->tx_rate, weir_flow_get_tx_rate (flow));
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const WeirAppTotal *left = *(const WeirAppTotal *const *) a;
  const WeirAppTotal *right = *(const WeirAppTotal *const *) b;
  double left_sum = left->rx_bytes + left->tx_bytes, right_sum = right->rx_bytes + right->tx_bytes;

  if (left_sum != right_sum)
    return left_sum < right_sum ? 1 : -1;
  return g_strcmp0 (left->name, right->name);
}

GPtrArray *
weir_app_totals_new (GListModel *flows, WeirFilter *filter)
{
  GPtrArray *totals = g_ptr_array_new_with_free_func (app_total_free);
  /* No application has an empty name. */
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  guint n = g_list_model_get_n_items (flows);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (WeirFlow) flow = g_list_model_get_item (flows, i);
      if (filter != NULL && !weir_filter_match (filter, flow))
        continue;
      const char *name = weir_flow_get_app_name (flow);
      WeirAppTotal *total = g_hash_table_lookup (by_name, name != NULL ? name : "");
      if (total == NULL)
        {
          total = app_total_new (name);
          g_ptr_array_add (totals, total);
          g_hash_table_insert (by_name, total->name != NULL ? total->name : (char *) "", total);
        }
      add_flow (total, flow);
    }
  g_ptr_array_sort (totals, compare);
  return totals;
}
