/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-receiver-store.h"

#include "weir-limits.h"
#include "weir-receiver-private.h"

struct _WeirReceiverStore
{
  GObject parent;

  GPtrArray *rows;      /* owns a reference to each that is shown */
  GHashTable *by_id;    /* of the engine that speaks now; the key lies inside the object */
  GPtrArray *arrived;   /* what the next tick adds; owns a reference */
  GHashTable *leftover; /* by socket, while a new engine has listed nothing: the last one's */
  struct weir_receivers_summary summary, next_summary;
  gboolean is_known;
  gboolean was_told; /* since the last tick */
};

static void
weir_receiver_store_list_model_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeirReceiverStore, weir_receiver_store, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      weir_receiver_store_list_model_init))

enum
{
  CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

/* What makes two sockets of different engines the same. */
static guint
socket_hash (gconstpointer data)
{
  const struct weir_receiver_record *record = &((const WeirReceiver *) data)->record;

  return (record->netns * 31 + record->inode) * 31 + record->kind;
}

static gboolean
socket_equal (gconstpointer a, gconstpointer b)
{
  const struct weir_receiver_record *one = &((const WeirReceiver *) a)->record;
  const struct weir_receiver_record *other = &((const WeirReceiver *) b)->record;

  return one->netns == other->netns && one->inode == other->inode && one->cookie == other->cookie &&
         one->kind == other->kind;
}

static GType
weir_receiver_store_get_item_type (GListModel *model)
{
  return WEIR_TYPE_RECEIVER;
}

static guint
weir_receiver_store_get_n_items (GListModel *model)
{
  return WEIR_RECEIVER_STORE (model)->rows->len;
}

static gpointer
weir_receiver_store_get_item (GListModel *model, guint position)
{
  WeirReceiverStore *self = WEIR_RECEIVER_STORE (model);

  return position < self->rows->len ? g_object_ref (self->rows->pdata[position]) : NULL;
}

static void
weir_receiver_store_list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = weir_receiver_store_get_item_type;
  interface->get_n_items = weir_receiver_store_get_n_items;
  interface->get_item = weir_receiver_store_get_item;
}

static void
weir_receiver_store_finalize (GObject *object)
{
  WeirReceiverStore *self = WEIR_RECEIVER_STORE (object);

  g_clear_pointer (&self->leftover, g_hash_table_unref);
  g_hash_table_unref (self->by_id);
  g_ptr_array_unref (self->arrived);
  g_ptr_array_unref (self->rows);
  G_OBJECT_CLASS (weir_receiver_store_parent_class)->finalize (object);
}

static void
weir_receiver_store_class_init (WeirReceiverStoreClass *class)
{
  G_OBJECT_CLASS (class)->finalize = weir_receiver_store_finalize;
  signals[CHANGED] = g_signal_new ("changed", WEIR_TYPE_RECEIVER_STORE, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
weir_receiver_store_init (WeirReceiverStore *self)
{
  self->rows = g_ptr_array_new_with_free_func (g_object_unref);
  self->arrived = g_ptr_array_new_with_free_func (g_object_unref);
  self->by_id = g_hash_table_new (g_int64_hash, g_int64_equal);
}

WeirReceiverStore *
weir_receiver_store_new (void)
{
  return g_object_new (WEIR_TYPE_RECEIVER_STORE, NULL);
}

static void
add_unknown (WeirReceiverStore *self, const struct weir_receiver_record *record)
{
  g_autoptr (WeirReceiver) receiver = weir_receiver_new (record);
  WeirReceiver *known =
      self->leftover != NULL ? g_hash_table_lookup (self->leftover, receiver) : NULL;

  if (known != NULL)
    {
      g_hash_table_remove (self->leftover, known);
      weir_receiver_set_record (known, record);
      known->is_gone = FALSE;
      g_hash_table_replace (self->by_id, &known->id, known);
      return;
    }
  g_hash_table_replace (self->by_id, &receiver->id, receiver);
  g_ptr_array_add (self->arrived, g_steal_pointer (&receiver));
}

void
weir_receiver_store_apply (WeirReceiverStore *self, const struct weir_receiver_record *record)
{
  g_return_if_fail (WEIR_IS_RECEIVER_STORE (self));
  WeirReceiver *receiver = g_hash_table_lookup (self->by_id, &record->id);

  if (record->change != WEIR_RECEIVER_GONE)
    {
      /* An engine never tells of more, and one that does is not to fill the memory. */
      if (receiver == NULL && (g_hash_table_size (self->by_id) >= WEIR_RECEIVERS_MAX ||
                               self->arrived->len >= WEIR_RECEIVERS_MAX))
        return;
      if (receiver == NULL)
        add_unknown (self, record);
      else
        weir_receiver_set_record (receiver, record);
      return;
    }
  if (receiver == NULL)
    return;
  g_hash_table_remove (self->by_id, &receiver->id);
  receiver->is_gone = TRUE;
}

void
weir_receiver_store_set_summary (WeirReceiverStore *self,
                                 const struct weir_receivers_summary *summary)
{
  g_return_if_fail (WEIR_IS_RECEIVER_STORE (self));
  self->next_summary = *summary;
  self->was_told = TRUE;
}

/* From the end, so that positions still hold. */
static void
remove_gone (WeirReceiverStore *self)
{
  for (guint end = self->rows->len; end > 0; end--)
    {
      guint start = end;
      while (start > 0 && ((WeirReceiver *) self->rows->pdata[start - 1])->is_gone)
        start--;
      if (start == end)
        continue;
      g_ptr_array_remove_range (self->rows, start, end - start);
      g_list_model_items_changed (G_LIST_MODEL (self), start, end - start, 0);
      end = start + 1;
    }
}

static void
append_arrived (WeirReceiverStore *self)
{
  guint before = self->rows->len;

  for (guint i = 0; i < self->arrived->len; i++)
    {
      WeirReceiver *receiver = self->arrived->pdata[i];
      if (!receiver->is_gone)
        g_ptr_array_add (self->rows, g_object_ref (receiver));
    }
  g_ptr_array_set_size (self->arrived, 0);
  if (self->rows->len > before)
    g_list_model_items_changed (G_LIST_MODEL (self), before, 0, self->rows->len - before);
}

static void
learn_since (GPtrArray *receivers, const struct weir_tick *tick)
{
  for (guint i = 0; i < receivers->len; i++)
    {
      WeirReceiver *receiver = receivers->pdata[i];
      if (receiver->is_touched)
        weir_receiver_learn_since (receiver, tick);
      receiver->is_touched = FALSE;
    }
}

void
weir_receiver_store_tick (WeirReceiverStore *self, const struct weir_tick *tick)
{
  g_return_if_fail (WEIR_IS_RECEIVER_STORE (self));

  if (!self->was_told)
    return;
  self->was_told = FALSE;
  self->is_known = TRUE;
  self->summary = self->next_summary;
  g_clear_pointer (&self->leftover, g_hash_table_unref);
  learn_since (self->rows, tick);
  learn_since (self->arrived, tick);
  remove_gone (self);
  append_arrived (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
weir_receiver_store_restart (WeirReceiverStore *self)
{
  g_return_if_fail (WEIR_IS_RECEIVER_STORE (self));

  g_clear_pointer (&self->leftover, g_hash_table_unref);
  self->leftover = g_hash_table_new (socket_hash, socket_equal);
  g_hash_table_remove_all (self->by_id);
  g_ptr_array_set_size (self->arrived, 0);
  for (guint i = 0; i < self->rows->len; i++)
    {
      WeirReceiver *receiver = self->rows->pdata[i];
      /* Unless the new engine knows it, too. */
      receiver->is_gone = TRUE;
      g_hash_table_add (self->leftover, receiver);
    }
  self->was_told = FALSE;
}

gboolean
weir_receiver_store_is_known (WeirReceiverStore *self)
{
  g_return_val_if_fail (WEIR_IS_RECEIVER_STORE (self), FALSE);
  return self->is_known;
}

guint
weir_receiver_store_get_n_not_listed (WeirReceiverStore *self)
{
  g_return_val_if_fail (WEIR_IS_RECEIVER_STORE (self), 0);
  return self->summary.not_listed;
}
