/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-sort.h"

#include "weir-flow-private.h"

typedef enum
{
  BY_TERM,
  BY_NUMBER,
  BY_PROCESS,
  BY_STATE,
  BY_ARRIVAL,
} Kind;

typedef struct
{
  Kind kind;
  WeirFlowTerm term;
  double (*get) (WeirFlow *flow);
} Column;

static const Column columns[WEIR_N_SORTS] = {
  [WEIR_SORT_APP] = { BY_TERM, .term = WEIR_TERM_APP },
  [WEIR_SORT_REMOTE] = { BY_TERM, .term = WEIR_TERM_REMOTE },
  [WEIR_SORT_PROTOCOL] = { BY_TERM, .term = WEIR_TERM_PROTOCOL },
  [WEIR_SORT_STATE] = { BY_STATE },
  [WEIR_SORT_RX_RATE] = { BY_NUMBER, .get = weir_flow_get_smooth_rx_rate },
  [WEIR_SORT_TX_RATE] = { BY_NUMBER, .get = weir_flow_get_smooth_tx_rate },
  [WEIR_SORT_TOTAL] = { BY_NUMBER, .get = weir_flow_get_total },
  [WEIR_SORT_RX_BYTES] = { BY_NUMBER, .get = weir_flow_get_rx_bytes },
  [WEIR_SORT_TX_BYTES] = { BY_NUMBER, .get = weir_flow_get_tx_bytes },
  [WEIR_SORT_PROCESS] = { BY_PROCESS, .term = WEIR_TERM_COMM },
  [WEIR_SORT_USER] = { BY_TERM, .term = WEIR_TERM_USER },
  [WEIR_SORT_LOCAL] = { BY_TERM, .term = WEIR_TERM_LOCAL },
  [WEIR_SORT_ARRIVAL] = { BY_ARRIVAL },
};

static WeirCollation
get_collation (WeirFlowTerm term)
{
  return term == WEIR_TERM_REMOTE || term == WEIR_TERM_LOCAL ? WEIR_COLLATION_BYTES
                                                             : WEIR_COLLATION_TEXT;
}

void
weir_sort_prepare (WeirFlow *const *flows, guint n_flows, WeirSort sort)
{
  const Column *column = &columns[sort];

  if (column->kind != BY_TERM && column->kind != BY_PROCESS)
    return;
  for (guint i = 0; i < n_flows; i++)
    weir_flow_get_term (flows[i], column->term);
  weir_collation_settle (get_collation (column->term));
}

guint64
weir_sort_get_key (WeirFlow *flow, WeirSort sort, gboolean descending)
{
  const Column *column = &columns[sort];
  WeirTerm *term = NULL;
  double number;

  switch (column->kind)
    {
    case BY_NUMBER:
      number = column->get (flow);
      return number < 0 ? WEIR_KEY_ABSENT : weir_key_from_double (number, descending);
    case BY_TERM:
      term = weir_flow_get_term (flow, column->term);
      if (term == NULL)
        return WEIR_KEY_ABSENT;
      return weir_key_from_uint64 (weir_term_get_rank (term), descending);
    case BY_PROCESS:
      /* Processes of one name stay together, and apart by number. */
      term = weir_flow_get_term (flow, column->term);
      if (term == NULL)
        return WEIR_KEY_ABSENT;
      return weir_key_from_uint64 ((guint64) weir_term_get_rank (term) << 32 | flow->record.pid,
                                   descending);
    case BY_STATE:
      if (weir_flow_get_state_name (flow) == NULL)
        return WEIR_KEY_ABSENT;
      return weir_key_from_uint64 (flow->closed ? WEIR_FLOW_STATE_CLOSED : flow->record.state,
                                   descending);
    case BY_ARRIVAL:
      return weir_key_from_uint64 (flow->arrival, descending);
    default:
      g_assert_not_reached ();
    }
}
