/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-filter.h"
#include "weir-flow-store.h"

G_BEGIN_DECLS

/* A stable place in a list: which flow it shows changes from tick to tick, the slot does not. */
#define WEIR_TYPE_SLOT (weir_slot_get_type ())
G_DECLARE_FINAL_TYPE (WeirSlot, weir_slot, WEIR, SLOT, GObject)
/* Borrowed; NULL only while the slot is being removed. */
WeirFlow *
weir_slot_get_flow (WeirSlot *self);

/* The sorted, filtered view of a WeirFlowStore: a GListModel of WeirSlot.  Values and order change
 * without items-changed, which is emitted only at the tail when the number of rows changes; after
 * every change of contents `refreshed` is emitted, and mapped cells then compare and redraw. (GTK
 * blanks a long column view on a full-range items-changed and binds some 200 rows twice.) */
#define WEIR_TYPE_SLOT_MODEL (weir_slot_model_get_type ())
G_DECLARE_FINAL_TYPE (WeirSlotModel, weir_slot_model, WEIR, SLOT_MODEL, GObject)

typedef enum
{
  WEIR_SORT_APP,
  WEIR_SORT_REMOTE,
  WEIR_SORT_PROTOCOL,
  WEIR_SORT_STATE,
  WEIR_SORT_RX_RATE, /* the smoothed rate */
  WEIR_SORT_TX_RATE,
  WEIR_SORT_TOTAL,
  WEIR_SORT_RX_BYTES,
  WEIR_SORT_TX_BYTES,
  WEIR_SORT_PROCESS,
  WEIR_SORT_USER,
  WEIR_SORT_LOCAL,
  WEIR_SORT_ARRIVAL,
  WEIR_N_SORTS,
} WeirSort;

WeirSlotModel *
weir_slot_model_new (WeirFlowStore *store);
void
weir_slot_model_set_sort (WeirSlotModel *self, WeirSort sort, gboolean descending);
/* Takes a reference; NULL matches all. */
void
weir_slot_model_set_filter (WeirSlotModel *self, WeirFilter *filter);
/* While held, the order stays (values go on); new rows are appended, filtered rows leave. */
void
weir_slot_model_set_hold (WeirSlotModel *self, gboolean hold);
/* While frozen nothing changes at all: neither rows nor values (pause). */
void
weir_slot_model_set_frozen (WeirSlotModel *self, gboolean frozen);
/* Rows that were added, ended or changed since it was frozen. */
guint
weir_slot_model_get_waiting (WeirSlotModel *self);
/* Rows of the store, before the filter. */
guint
weir_slot_model_get_total (WeirSlotModel *self);
/* The largest received and sent rate among all rows of this view, for the comparing bars. */
void
weir_slot_model_get_maxima (WeirSlotModel *self, double *ret_rx, double *ret_tx);
/* Position of a flow in this view, or GTK_INVALID_LIST_POSITION (G_MAXUINT). */
guint
weir_slot_model_find (WeirSlotModel *self, guint64 flow_id);

G_END_DECLS
