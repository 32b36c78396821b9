/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-slot-model.h"

#include "weir-flow-private.h"
#include "weir-flow-store-private.h"
#include "weir-slot-private.h"
#include "weir-sort.h"

struct _WeirSlotModel
{
  GObject parent;

  WeirFlowStore *store;
  GPtrArray *slots; /* those behind n_shown are empty and wait to be shown again */
  guint n_shown;
  guint64 *ids; /* of the flows in the slots: finding one walks 8 bytes a row */
  WeirFilter *filter;
  WeirSort sort;
  gboolean descending;
  gboolean hold;
  double max_rx, max_tx;

  /* While frozen: a copy of every flow of the store as it was.  Sorting and filtering go on with
   * these, so that what is shown stays one moment. */
  GPtrArray *frozen;
  guint64 frozen_update;
  guint64 frozen_removed;

  /* Kept between refreshes, so that a tick allocates nothing. */
  WeirFlow **matches;
  guint64 *match_ids; /* beside, so that the flows need not be visited once more */
  WeirKey *keys;
  WeirKey *scratch;
  guint capacity;
};

static void
weir_slot_model_list_model_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeirSlotModel, weir_slot_model, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      weir_slot_model_list_model_init))

enum
{
  REFRESHED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

/* Tells one refresh from all others of any model, so that flows can carry a place in an old order
 * without being cleaned before. */
static guint64 last_refresh;

static GType
weir_slot_model_get_item_type (GListModel *model)
{
  return WEIR_TYPE_SLOT;
}

static guint
weir_slot_model_get_n_items (GListModel *model)
{
  return WEIR_SLOT_MODEL (model)->n_shown;
}

static gpointer
weir_slot_model_get_item (GListModel *model, guint position)
{
  WeirSlotModel *self = WEIR_SLOT_MODEL (model);

  return position < self->n_shown ? g_object_ref (self->slots->pdata[position]) : NULL;
}

static void
weir_slot_model_list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = weir_slot_model_get_item_type;
  interface->get_n_items = weir_slot_model_get_n_items;
  interface->get_item = weir_slot_model_get_item;
}

static GPtrArray *
get_source (WeirSlotModel *self)
{
  return self->frozen != NULL ? self->frozen : weir_flow_store_get_rows (self->store);
}

static void
reserve (WeirSlotModel *self, guint n)
{
  if (n <= self->capacity)
    return;
  self->capacity = MAX (n, self->capacity * 2);
  self->matches = g_renew (WeirFlow *, self->matches, self->capacity);
  self->match_ids = g_renew (guint64, self->match_ids, self->capacity);
  self->keys = g_renew (WeirKey, self->keys, self->capacity);
  self->scratch = g_renew (WeirKey, self->scratch, self->capacity);
  self->ids = g_renew (guint64, self->ids, self->capacity);
}

static guint
collect_matches (WeirSlotModel *self)
{
  GPtrArray *source = get_source (self);
  gboolean all = self->filter == NULL || weir_filter_is_empty (self->filter);
  guint n = 0;

  reserve (self, source->len);
  self->max_rx = self->max_tx = 0;
  for (guint i = 0; i < source->len; i++)
    {
      WeirFlow *flow = source->pdata[i];
      if (!all && !weir_filter_match (self->filter, flow))
        continue;
      self->match_ids[n] = flow->id;
      self->matches[n++] = flow;
      self->max_rx = MAX (self->max_rx, flow->rx_rate);
      self->max_tx = MAX (self->max_tx, flow->tx_rate);
    }
  return n;
}

/* Ties of the sort go by number: so the rows are put in this order first.  They nearly always are.
 */
static void
order_by_id (WeirSlotModel *self, guint n)
{
  gboolean ordered = TRUE;

  for (guint i = 1; i < n && ordered; i++)
    ordered = self->match_ids[i - 1] < self->match_ids[i];
  if (ordered)
    return;
  for (guint i = 0; i < n; i++)
    self->keys[i] = (WeirKey) { self->match_ids[i], i };
  weir_radix_sort (self->keys, self->scratch, n);
  g_autofree WeirFlow **unordered = g_memdup2 (self->matches, n * sizeof *self->matches);
  for (guint i = 0; i < n; i++)
    {
      self->matches[i] = unordered[self->keys[i].index];
      self->match_ids[i] = self->keys[i].key;
    }
}

/* Rows keep their places; what has no place yet goes to the end as it arrived. */
static void
make_held_keys (WeirSlotModel *self, guint n)
{
  guint64 refresh = ++last_refresh;

  for (guint i = 0; i < self->n_shown; i++)
    {
      WeirFlow *flow = weir_slot_get_flow (self->slots->pdata[i]);
      flow->place_of = refresh;
      flow->place = i;
    }
  for (guint i = 0; i < n; i++)
    {
      WeirFlow *flow = self->matches[i];
      guint64 key =
          flow->place_of == refresh ? flow->place : (guint64) self->n_shown + flow->arrival;
      self->keys[i] = (WeirKey) { key, i };
    }
}

static void
make_sort_keys (WeirSlotModel *self, guint n)
{
  order_by_id (self, n);
  weir_sort_prepare (self->matches, n, self->sort);
  for (guint i = 0; i < n; i++)
    self->keys[i] =
        (WeirKey) { weir_sort_get_key (self->matches[i], self->sort, self->descending), i };
}

static void
fill_slots (WeirSlotModel *self, guint n)
{
  guint before = self->n_shown;

  for (guint i = 0; i < n; i++)
    {
      WeirFlow *flow = self->matches[self->keys[i].index];
      self->ids[i] = self->match_ids[self->keys[i].index];
      if (i < self->slots->len)
        weir_slot_set_flow (self->slots->pdata[i], flow);
      else
        g_ptr_array_add (self->slots, weir_slot_new (flow));
    }
  self->n_shown = n;
  if (n > before)
    g_list_model_items_changed (G_LIST_MODEL (self), before, 0, n - before);
  if (n < before)
    {
      g_list_model_items_changed (G_LIST_MODEL (self), n, before - n, 0);
      /* Only now: until it is told, a view may still ask a slot that leaves. */
      for (guint i = n; i < before; i++)
        weir_slot_set_flow (self->slots->pdata[i], NULL);
    }
}

static void
refresh (WeirSlotModel *self, gboolean may_hold)
{
  guint n = collect_matches (self);

  if (self->hold && may_hold)
    make_held_keys (self, n);
  else
    make_sort_keys (self, n);
  weir_radix_sort (self->keys, self->scratch, n);
  fill_slots (self, n);
  g_signal_emit (self, signals[REFRESHED], 0);
}

/* Each slot gets the copy of what it shows now: not even the order may change by freezing. */
static void
freeze (WeirSlotModel *self)
{
  GPtrArray *rows = weir_flow_store_get_rows (self->store);
  guint64 this_refresh = ++last_refresh;

  for (guint i = 0; i < self->n_shown; i++)
    {
      WeirFlow *flow = weir_slot_get_flow (self->slots->pdata[i]);
      flow->place_of = this_refresh;
      flow->place = i;
    }
  self->frozen = g_ptr_array_new_full (rows->len, g_object_unref);
  for (guint i = 0; i < rows->len; i++)
    {
      WeirFlow *copy = weir_flow_dup_frozen (rows->pdata[i]);
      g_ptr_array_add (self->frozen, copy);
      if (copy->place_of == this_refresh)
        weir_slot_set_flow (self->slots->pdata[copy->place], copy);
    }
  self->frozen_update = weir_flow_store_get_update_number (self->store);
  self->frozen_removed = weir_flow_store_get_n_removed (self->store);
  g_signal_emit (self, signals[REFRESHED], 0);
}

static void
on_tick (WeirFlowStore *store, WeirSlotModel *self)
{
  if (self->frozen == NULL)
    refresh (self, TRUE);
}

static void
weir_slot_model_finalize (GObject *object)
{
  WeirSlotModel *self = WEIR_SLOT_MODEL (object);

  /* Somebody may still hold one. */
  for (guint i = 0; i < self->slots->len; i++)
    weir_slot_set_flow (self->slots->pdata[i], NULL);
  g_ptr_array_unref (self->slots);
  g_clear_pointer (&self->frozen, g_ptr_array_unref);
  g_clear_object (&self->filter);
  g_object_unref (self->store);
  g_free (self->ids);
  g_free (self->matches);
  g_free (self->match_ids);
  g_free (self->keys);
  g_free (self->scratch);
  G_OBJECT_CLASS (weir_slot_model_parent_class)->finalize (object);
}

static void
weir_slot_model_class_init (WeirSlotModelClass *class)
{
  G_OBJECT_CLASS (class)->finalize = weir_slot_model_finalize;
  signals[REFRESHED] = g_signal_new ("refreshed", WEIR_TYPE_SLOT_MODEL, G_SIGNAL_RUN_LAST, 0, NULL,
                                     NULL, NULL, G_TYPE_NONE, 0);
}

static void
weir_slot_model_init (WeirSlotModel *self)
{
  self->slots = g_ptr_array_new_with_free_func (g_object_unref);
  self->sort = WEIR_SORT_ARRIVAL;
}

WeirSlotModel *
weir_slot_model_new (WeirFlowStore *store)
{
  g_return_val_if_fail (WEIR_IS_FLOW_STORE (store), NULL);
  WeirSlotModel *self = g_object_new (WEIR_TYPE_SLOT_MODEL, NULL);

  self->store = g_object_ref (store);
  g_signal_connect_object (store, "tick", G_CALLBACK (on_tick), self, 0);
  refresh (self, FALSE);
  return self;
}

void
weir_slot_model_set_sort (WeirSlotModel *self, WeirSort sort, gboolean descending)
{
  g_return_if_fail (WEIR_IS_SLOT_MODEL (self));
  g_return_if_fail (sort < WEIR_N_SORTS);

  if (self->sort == sort && self->descending == !!descending)
    return;
  self->sort = sort;
  self->descending = !!descending;
  /* Asked for by a person, so even a held order changes once. */
  refresh (self, FALSE);
}

void
weir_slot_model_set_filter (WeirSlotModel *self, WeirFilter *filter)
{
  g_return_if_fail (WEIR_IS_SLOT_MODEL (self));

  if (g_set_object (&self->filter, filter))
    refresh (self, TRUE);
}

void
weir_slot_model_set_hold (WeirSlotModel *self, gboolean hold)
{
  g_return_if_fail (WEIR_IS_SLOT_MODEL (self));

  if (self->hold == !!hold)
    return;
  self->hold = !!hold;
  if (!self->hold)
    refresh (self, FALSE);
}

void
weir_slot_model_set_frozen (WeirSlotModel *self, gboolean frozen)
{
  g_return_if_fail (WEIR_IS_SLOT_MODEL (self));

  if ((self->frozen != NULL) == !!frozen)
    return;
  if (!frozen)
    {
      /* The slots still show these until they have been refreshed. */
      g_autoptr (GPtrArray) thawed = g_steal_pointer (&self->frozen);
      refresh (self, FALSE);
      return;
    }

  freeze (self);
}

guint
weir_slot_model_get_waiting (WeirSlotModel *self)
{
  g_return_val_if_fail (WEIR_IS_SLOT_MODEL (self), 0);
  if (self->frozen == NULL)
    return 0;

  GPtrArray *rows = weir_flow_store_get_rows (self->store);
  guint waiting = weir_flow_store_get_n_removed (self->store) - self->frozen_removed;
  for (guint i = 0; i < rows->len; i++)
    waiting += ((WeirFlow *) rows->pdata[i])->changed > self->frozen_update;
  return waiting;
}

guint
weir_slot_model_get_total (WeirSlotModel *self)
{
  g_return_val_if_fail (WEIR_IS_SLOT_MODEL (self), 0);
  return get_source (self)->len;
}

void
weir_slot_model_get_maxima (WeirSlotModel *self, double *ret_rx, double *ret_tx)
{
  g_return_if_fail (WEIR_IS_SLOT_MODEL (self));
  *ret_rx = self->max_rx;
  *ret_tx = self->max_tx;
}

guint
weir_slot_model_find (WeirSlotModel *self, guint64 flow_id)
{
  g_return_val_if_fail (WEIR_IS_SLOT_MODEL (self), G_MAXUINT);
  for (guint i = 0; i < self->n_shown; i++)
    if (self->ids[i] == flow_id)
      return i;
  return G_MAXUINT;
}
