/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "filter-samples.h"

#include <netinet/in.h>

#include "model-samples.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

WeirFlow *
filter_sample_full (WeirFlowStore *store)
{
  struct weir_flow_record record = sample_record (1);

  record.first_seen -= 29 * SECOND;
  record.rx_rate = 1500;
  record.tx_rate = 500;
  record.rx_bytes = 3000;
  record.tx_bytes = 1000;
  record.ifindex = 7;
  record.sources = 1 << WEIR_SOURCE_SOCKDIAG | 1 << WEIR_SOURCE_CONNTRACK;
  record.uid = 3999999999;
  g_strlcpy (record.comm, "curl", sizeof record.comm);
  g_strlcpy (record.cgroup,
             "/system.slice/docker-"
             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope",
             sizeof record.cgroup);
  record.groups |= WEIR_FLOW_CONNTRACK;
  record.zone = 5;
  record.has_mark = true;
  record.mark = 0xca6c;
  sample_add (store, &record);
  sample_do_tick (store, 0);
  return weir_flow_store_lookup (store, 1);
}

WeirFlow *
filter_sample_bare (WeirFlowStore *store)
{
  struct weir_flow_record record = { .id = 2,
                                     .change = WEIR_FLOW_ADDED,
                                     .groups = WEIR_FLOW_KEY,
                                     .family = 6,
                                     .protocol = IPPROTO_UDP };

  sample_set_v6 (&record.local, "2001:db8::1", 53);
  sample_set_v6 (&record.remote, "::", 0);
  sample_add (store, &record);
  sample_do_tick (store, 0);
  return weir_flow_store_lookup (store, 2);
}

gboolean
filter_sample_matches (const char *text, WeirFlow *flow)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeirFilter) filter = weir_filter_new (text, &error);

  g_test_message ("%s", text);
  g_assert_no_error (error);
  return weir_filter_match (filter, flow);
}
