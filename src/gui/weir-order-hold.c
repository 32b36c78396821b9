/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-order-hold.h"

#define HOLD_MS 2000

struct _WeirOrderHold
{
  GObject parent_instance;

  WeirSlotModel *model;
  double x, y;
  guint release_source;
  gboolean menu_open;
};

G_DEFINE_FINAL_TYPE (WeirOrderHold, weir_order_hold, G_TYPE_OBJECT)

static void
apply (WeirOrderHold *self)
{
  weir_slot_model_set_hold (self->model, self->menu_open || self->release_source != 0);
}

static gboolean
release (gpointer data)
{
  WeirOrderHold *self = data;

  self->release_source = 0;
  apply (self);
  return G_SOURCE_REMOVE;
}

static void
hold (WeirOrderHold *self)
{
  g_clear_handle_id (&self->release_source, g_source_remove);
  self->release_source = g_timeout_add (HOLD_MS, release, self);
  apply (self);
}

static void
on_motion (WeirOrderHold *self, double x, double y)
{
  /* GTK reports a motion, too, when something moved under a pointer that rests. */
  if (x == self->x && y == self->y)
    return;
  self->x = x;
  self->y = y;
  hold (self);
}

static void
on_leave (WeirOrderHold *self)
{
  g_clear_handle_id (&self->release_source, g_source_remove);
  apply (self);
}

static gboolean
on_key (WeirOrderHold *self, guint keyval, guint keycode, GdkModifierType state)
{
  switch (keyval)
    {
    case GDK_KEY_Up:
    case GDK_KEY_Down:
    case GDK_KEY_Page_Up:
    case GDK_KEY_Page_Down:
    case GDK_KEY_Home:
    case GDK_KEY_End:
    case GDK_KEY_KP_Up:
    case GDK_KEY_KP_Down:
      hold (self);
      break;
    default:
      break;
    }
  return GDK_EVENT_PROPAGATE;
}

static void
weir_order_hold_dispose (GObject *object)
{
  WeirOrderHold *self = WEIR_ORDER_HOLD (object);

  g_clear_handle_id (&self->release_source, g_source_remove);
  g_clear_object (&self->model);
  G_OBJECT_CLASS (weir_order_hold_parent_class)->dispose (object);
}

static void
weir_order_hold_class_init (WeirOrderHoldClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = weir_order_hold_dispose;
}

static void
weir_order_hold_init (WeirOrderHold *self)
{
}

WeirOrderHold *
weir_order_hold_new (GtkWidget *view, WeirSlotModel *model)
{
  WeirOrderHold *self = g_object_new (WEIR_TYPE_ORDER_HOLD, NULL);
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *keys = gtk_event_controller_key_new ();

  self->model = g_object_ref (model);
  g_signal_connect_object (motion, "motion", G_CALLBACK (on_motion), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (motion, "leave", G_CALLBACK (on_leave), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (keys, "key-pressed", G_CALLBACK (on_key), self, G_CONNECT_SWAPPED);
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  gtk_widget_add_controller (view, motion);
  gtk_widget_add_controller (view, keys);
  return self;
}

void
weir_order_hold_set_menu_open (WeirOrderHold *self, gboolean open)
{
  g_return_if_fail (WEIR_IS_ORDER_HOLD (self));

  self->menu_open = open;
  apply (self);
}
