/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-slot-private.h"

struct _WeirSlot
{
  GObject parent;
  /* Borrowed: a tick of a hundred thousand rows would spend its time counting references.  The
   * store keeps what it removes until all who listen to its tick have been told. */
  WeirFlow *flow;
};

G_DEFINE_FINAL_TYPE (WeirSlot, weir_slot, G_TYPE_OBJECT)

static void
weir_slot_class_init (WeirSlotClass *class)
{
}

static void
weir_slot_init (WeirSlot *self)
{
}

WeirSlot *
weir_slot_new (WeirFlow *flow)
{
  WeirSlot *self = g_object_new (WEIR_TYPE_SLOT, NULL);

  self->flow = flow;
  return self;
}

void
weir_slot_set_flow (WeirSlot *self, WeirFlow *flow)
{
  self->flow = flow;
}

WeirFlow *
weir_slot_get_flow (WeirSlot *self)
{
  g_return_val_if_fail (WEIR_IS_SLOT (self), NULL);
  return self->flow;
}
