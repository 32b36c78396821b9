/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-flow-store-private.h"

#include <math.h>
#include <string.h>

#include "weir-flow-private.h"
#include "weir-user-names.h"

#define CLOSED_SECONDS 10
/* Rates are smoothed over this time for sorting, or rows would jump at each tick. */
#define SMOOTHING_SECONDS 3.0
/* With more gaps than this one signal for all of the list is cheaper than one for each gap. */
#define REMOVAL_RANGES_MAX 16

struct _WeirFlowStore
{
  GObject parent;

  GPtrArray *rows;      /* owns a reference to each flow that is shown */
  GHashTable *by_id;    /* flow of the engine that speaks now; the key lies inside the flow */
  GPtrArray *arrived;   /* flows that the next tick adds; owns a reference */
  GPtrArray *touched;   /* borrowed: flows that were told of since the last update */
  GPtrArray *news;      /* borrowed, while the signal is emitted */
  GPtrArray *removed;   /* in this tick: kept until everybody has been told */
  GHashTable *leftover; /* by key, while a new engine has not ticked: flows of the last one */
  struct weir_tick tick;
  gboolean has_tick;
  guint closed_seconds;
  guint64 n_arrived;
  guint64 n_updates;
  guint64 n_removed;
  guint users_generation;
};

static void
weir_flow_store_list_model_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeirFlowStore, weir_flow_store, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      weir_flow_store_list_model_init))

enum
{
  TICK,
  NEWS,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

/* What makes two flows of different engines the same. */
static guint
key_hash (gconstpointer data)
{
  const struct weir_flow_record *record = &((const WeirFlow *) data)->record;
  guint hash = record->netns * 31 + record->protocol;

  for (int i = 0; i < 16; i++)
    hash = hash * 31 + record->local.address[i] * 7 + record->remote.address[i];
  return (hash * 31 + record->local.port) * 31 + record->remote.port;
}

static gboolean
endpoint_equal (const struct weir_endpoint *a, const struct weir_endpoint *b)
{
  return a->port == b->port && memcmp (a->address, b->address, sizeof a->address) == 0;
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  const struct weir_flow_record *left = &((const WeirFlow *) a)->record;
  const struct weir_flow_record *right = &((const WeirFlow *) b)->record;

  return left->netns == right->netns && left->protocol == right->protocol &&
         left->family == right->family && endpoint_equal (&left->local, &right->local) &&
         endpoint_equal (&left->remote, &right->remote);
}

static GType
weir_flow_store_get_item_type (GListModel *model)
{
  return WEIR_TYPE_FLOW;
}

static guint
weir_flow_store_get_n_items (GListModel *model)
{
  return WEIR_FLOW_STORE (model)->rows->len;
}

static gpointer
weir_flow_store_get_item (GListModel *model, guint position)
{
  WeirFlowStore *self = WEIR_FLOW_STORE (model);

  return position < self->rows->len ? g_object_ref (self->rows->pdata[position]) : NULL;
}

static void
weir_flow_store_list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = weir_flow_store_get_item_type;
  interface->get_n_items = weir_flow_store_get_n_items;
  interface->get_item = weir_flow_store_get_item;
}

static void
weir_flow_store_finalize (GObject *object)
{
  WeirFlowStore *self = WEIR_FLOW_STORE (object);

  g_clear_pointer (&self->leftover, g_hash_table_unref);
  g_hash_table_unref (self->by_id);
  g_ptr_array_unref (self->arrived);
  g_ptr_array_unref (self->touched);
  g_ptr_array_unref (self->news);
  g_ptr_array_unref (self->removed);
  g_ptr_array_unref (self->rows);
  G_OBJECT_CLASS (weir_flow_store_parent_class)->finalize (object);
}

static void
weir_flow_store_class_init (WeirFlowStoreClass *class)
{
  G_OBJECT_CLASS (class)->finalize = weir_flow_store_finalize;
  signals[TICK] = g_signal_new ("tick", WEIR_TYPE_FLOW_STORE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
  signals[NEWS] = g_signal_new ("news", WEIR_TYPE_FLOW_STORE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
}

static void
weir_flow_store_init (WeirFlowStore *self)
{
  self->rows = g_ptr_array_new_with_free_func (g_object_unref);
  self->arrived = g_ptr_array_new_with_free_func (g_object_unref);
  self->removed = g_ptr_array_new_with_free_func (g_object_unref);
  self->touched = g_ptr_array_new ();
  self->news = g_ptr_array_new ();
  self->by_id = g_hash_table_new (g_int64_hash, g_int64_equal);
  self->closed_seconds = CLOSED_SECONDS;
}

WeirFlowStore *
weir_flow_store_new (void)
{
  return g_object_new (WEIR_TYPE_FLOW_STORE, NULL);
}

void
weir_flow_store_set_closed_seconds (WeirFlowStore *self, guint seconds)
{
  g_return_if_fail (WEIR_IS_FLOW_STORE (self));
  self->closed_seconds = seconds;
}

/* A flow that the last engine knew under another number keeps its object, and so its history and
 * whatever a front end remembers about it. */
static WeirFlow *
take_leftover (WeirFlowStore *self, WeirFlow *flow)
{
  if (self->leftover == NULL)
    return NULL;
  WeirFlow *known = g_hash_table_lookup (self->leftover, flow);
  if (known != NULL)
    g_hash_table_remove (self->leftover, known);
  return known;
}

static void
merge (WeirFlowStore *self, WeirFlow *flow, const struct weir_flow_record *record)
{
  if (!flow->touched)
    g_ptr_array_add (self->touched, flow);
  weir_flow_merge (flow, record);
}

static void
add_unknown (WeirFlowStore *self, const struct weir_flow_record *record)
{
  /* Without a key there is nothing to show: its beginning was lost. */
  if (!(record->groups & WEIR_FLOW_KEY))
    return;

  g_autoptr (WeirFlow) flow = weir_flow_new (record, self->n_arrived);
  WeirFlow *known = take_leftover (self, flow);
  if (known != NULL)
    {
      /* Nothing of what the other engine had found out: this one may know less. */
      known->record.groups = 0;
      known->dirty = G_MAXUINT32;
      known->bridged = TRUE;
      merge (self, known, record);
      g_hash_table_replace (self->by_id, &known->id, known);
      return;
    }
  self->n_arrived++;
  g_ptr_array_add (self->touched, flow);
  g_hash_table_replace (self->by_id, &flow->id, flow);
  g_ptr_array_add (self->arrived, g_steal_pointer (&flow));
}

void
weir_flow_store_apply (WeirFlowStore *self, const struct weir_flow_record *record)
{
  g_return_if_fail (WEIR_IS_FLOW_STORE (self));
  WeirFlow *flow = g_hash_table_lookup (self->by_id, &record->id);

  if (flow == NULL)
    add_unknown (self, record);
  else
    merge (self, flow, record);
}

static void
mark_gone (WeirFlowStore *self, WeirFlow *flow)
{
  flow->gone = TRUE;
  self->n_removed++;
  g_ptr_array_add (self->removed, g_object_ref (flow));
  if (g_hash_table_lookup (self->by_id, &flow->id) == flow)
    g_hash_table_remove (self->by_id, &flow->id);
}

/* One signal for all that lies behind @first. */
static void
remove_at_once (WeirFlowStore *self, guint first)
{
  g_autoptr (GPtrArray) before = g_steal_pointer (&self->rows);

  self->rows = g_ptr_array_new_full (before->len, g_object_unref);
  for (guint i = 0; i < before->len; i++)
    if (!((WeirFlow *) before->pdata[i])->gone)
      g_ptr_array_add (self->rows, g_object_ref (before->pdata[i]));
  g_list_model_items_changed (G_LIST_MODEL (self), first, before->len - first,
                              self->rows->len - first);
}

static gboolean
is_gone (WeirFlowStore *self, guint position)
{
  return ((WeirFlow *) self->rows->pdata[position])->gone;
}

static void
remove_gone (WeirFlowStore *self)
{
  guint n_ranges = 0, first = 0;

  for (guint i = self->rows->len; i > 0; i--)
    if (is_gone (self, i - 1))
      {
        first = i - 1;
        n_ranges += i == self->rows->len || !is_gone (self, i);
      }
  if (n_ranges > REMOVAL_RANGES_MAX)
    {
      remove_at_once (self, first);
      return;
    }
  /* From the end, so that the positions of the next range still hold. */
  for (guint end = self->rows->len; n_ranges > 0; end--)
    {
      guint start = end;
      while (start > first && is_gone (self, start - 1))
        start--;
      if (start == end)
        continue;
      g_ptr_array_remove_range (self->rows, start, end - start);
      g_list_model_items_changed (G_LIST_MODEL (self), start, end - start, 0);
      n_ranges--;
      end = start + 1;
    }
}

static void
append_arrived (WeirFlowStore *self)
{
  guint before = self->rows->len, added = self->arrived->len;

  if (added == 0)
    return;
  g_ptr_array_extend_and_steal (self->rows, g_steal_pointer (&self->arrived));
  self->arrived = g_ptr_array_new_with_free_func (g_object_unref);
  g_list_model_items_changed (G_LIST_MODEL (self), before, 0, added);
}

static void
mark_expired (WeirFlowStore *self, const struct weir_tick *tick)
{
  guint64 kept = self->closed_seconds * G_GUINT64_CONSTANT (1000000000);

  for (guint i = 0; i < self->rows->len; i++)
    {
      WeirFlow *flow = self->rows->pdata[i];
      if (flow->gone)
        continue;
      if (flow->folded || (flow->closed && tick->monotonic - flow->closed_at >= kept))
        mark_gone (self, flow);
    }
}

static void
mark_leftover (WeirFlowStore *self)
{
  /* Of two flows with one key only the newer is in the table, so ask the numbers. */
  for (guint i = 0; i < self->rows->len; i++)
    if (g_hash_table_lookup (self->by_id, &((WeirFlow *) self->rows->pdata[i])->id) !=
        self->rows->pdata[i])
      mark_gone (self, self->rows->pdata[i]);
  g_clear_pointer (&self->leftover, g_hash_table_unref);
}

static void
update_users (WeirFlowStore *self)
{
  guint generation = weir_user_names_get_generation ();

  if (generation == self->users_generation)
    return;
  self->users_generation = generation;
  for (guint i = 0; i < self->rows->len; i++)
    weir_flow_forget_user (self->rows->pdata[i]);
}

void
weir_flow_store_tick (WeirFlowStore *self, const struct weir_tick *tick)
{
  g_return_if_fail (WEIR_IS_FLOW_STORE (self));
  double seconds = tick->interval / 1e9;
  double smoothing = seconds > 0 ? 1 - exp (-seconds / SMOOTHING_SECONDS) : 1;

  self->tick = *tick;
  self->has_tick = TRUE;
  self->n_updates++;
  g_ptr_array_set_size (self->touched, 0);
  if (self->leftover != NULL)
    mark_leftover (self);
  update_users (self);
  for (guint i = 0; i < self->rows->len; i++)
    weir_flow_tick (self->rows->pdata[i], tick, smoothing, self->n_updates);
  for (guint i = 0; i < self->arrived->len; i++)
    weir_flow_tick (self->arrived->pdata[i], tick, smoothing, self->n_updates);
  mark_expired (self, tick);
  remove_gone (self);
  append_arrived (self);
  g_autoptr (GPtrArray) removed = g_steal_pointer (&self->removed);
  self->removed = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_emit (self, signals[TICK], 0);
}

void
weir_flow_store_restart (WeirFlowStore *self)
{
  g_return_if_fail (WEIR_IS_FLOW_STORE (self));

  g_clear_pointer (&self->leftover, g_hash_table_unref);
  self->leftover = g_hash_table_new (key_hash, key_equal);
  for (guint i = 0; i < self->rows->len; i++)
    if (!((WeirFlow *) self->rows->pdata[i])->closed)
      g_hash_table_add (self->leftover, self->rows->pdata[i]);
  g_hash_table_remove_all (self->by_id);
  g_ptr_array_set_size (self->touched, 0);
  g_ptr_array_set_size (self->arrived, 0);
}

void
weir_flow_store_announce (WeirFlowStore *self, guint64 monotonic)
{
  g_return_if_fail (WEIR_IS_FLOW_STORE (self));
  struct weir_tick moment = self->tick;

  /* The rows of the last engine stay until the first tick of this one replaces them. */
  if (!self->has_tick || self->leftover != NULL)
    return;
  if (monotonic > moment.monotonic)
    {
      moment.realtime += monotonic - moment.monotonic;
      moment.monotonic = monotonic;
    }
  self->n_updates++;
  g_ptr_array_extend (self->news, self->touched, NULL, NULL);
  g_ptr_array_set_size (self->touched, 0);
  for (guint i = 0; i < self->news->len; i++)
    weir_flow_show (self->news->pdata[i], &moment, self->n_updates);
  append_arrived (self);
  g_signal_emit (self, signals[NEWS], 0);
  g_ptr_array_set_size (self->news, 0);
}

const struct weir_tick *
weir_flow_store_get_last_tick (WeirFlowStore *self)
{
  g_return_val_if_fail (WEIR_IS_FLOW_STORE (self), NULL);
  return self->has_tick ? &self->tick : NULL;
}

WeirFlow *
weir_flow_store_lookup (WeirFlowStore *self, guint64 id)
{
  g_return_val_if_fail (WEIR_IS_FLOW_STORE (self), NULL);
  return g_hash_table_lookup (self->by_id, &id);
}

GPtrArray *
weir_flow_store_get_rows (WeirFlowStore *self)
{
  return self->rows;
}

guint64
weir_flow_store_get_update_number (WeirFlowStore *self)
{
  return self->n_updates;
}

GPtrArray *
weir_flow_store_get_news (WeirFlowStore *self)
{
  return self->news;
}

guint64
weir_flow_store_get_n_removed (WeirFlowStore *self)
{
  return self->n_removed;
}
