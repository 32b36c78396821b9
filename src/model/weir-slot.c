/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-slot-private.h"

struct _WeirSlot
{
  GObject parent;
  /* Holds a reference: the store lets go of a flow before the views have been told. */
  WeirFlow *flow;
};

G_DEFINE_FINAL_TYPE (WeirSlot, weir_slot, G_TYPE_OBJECT)

static void
weir_slot_dispose (GObject *object)
{
  g_clear_object (&WEIR_SLOT (object)->flow);
  G_OBJECT_CLASS (weir_slot_parent_class)->dispose (object);
}

static void
weir_slot_class_init (WeirSlotClass *class)
{
  G_OBJECT_CLASS (class)->dispose = weir_slot_dispose;
}

static void
weir_slot_init (WeirSlot *self)
{
}

WeirSlot *
weir_slot_new (WeirFlow *flow)
{
  WeirSlot *self = g_object_new (WEIR_TYPE_SLOT, NULL);

  self->flow = g_object_ref (flow);
  return self;
}

void
weir_slot_set_flow (WeirSlot *self, WeirFlow *flow)
{
  g_set_object (&self->flow, flow);
}

WeirFlow *
weir_slot_get_flow (WeirSlot *self)
{
  g_return_val_if_fail (WEIR_IS_SLOT (self), NULL);
  return self->flow;
}
