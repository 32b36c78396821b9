/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "weir-slot-model.h"

G_BEGIN_DECLS

/* Rows that move while somebody aims at one are missed.  The order is held while the pointer has
 * moved over @view in the last two seconds, while keys navigate in it, and while a menu is open;
 * values go on. */
#define WEIR_TYPE_ORDER_HOLD (weir_order_hold_get_type ())
G_DECLARE_FINAL_TYPE (WeirOrderHold, weir_order_hold, WEIR, ORDER_HOLD, GObject)

/* @view must outlive the object. */
WeirOrderHold *
weir_order_hold_new (GtkWidget *view, WeirSlotModel *model);
void
weir_order_hold_set_menu_open (WeirOrderHold *self, gboolean open);

G_END_DECLS
