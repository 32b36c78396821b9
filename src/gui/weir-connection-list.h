/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "weir-app-icons.h"
#include "weir-slot-model.h"

G_BEGIN_DECLS

/* The live list: a column view on a slot model.
 *
 * Signal: activated (WeirConnectionList *, WeirFlow *) by Enter, double click or the row's menu. */
#define WEIR_TYPE_CONNECTION_LIST (weir_connection_list_get_type ())
G_DECLARE_FINAL_TYPE (WeirConnectionList, weir_connection_list, WEIR, CONNECTION_LIST, AdwBin)

/* Once. */
void
weir_connection_list_set_model (WeirConnectionList *self, WeirSlotModel *model,
                                GSettings *settings);
void
weir_connection_list_set_room (WeirConnectionList *self, gboolean narrow, gboolean medium);
void
weir_connection_list_set_bar_colors (WeirConnectionList *self, const GdkRGBA *rx,
                                     const GdkRGBA *tx);
/* While a menu of the window is open, rows keep their places. */
void
weir_connection_list_set_menu_open (WeirConnectionList *self, gboolean open);

/* Borrowed, or NULL. */
WeirFlow *
weir_connection_list_get_selected (WeirConnectionList *self);
void
weir_connection_list_grab_focus (WeirConnectionList *self);

/* The columns that can be hidden: actions to be inserted as "columns", and their menu. */
GActionGroup *
weir_connection_list_get_column_actions (WeirConnectionList *self);
GMenuModel *
weir_connection_list_get_column_menu (WeirConnectionList *self);

/* Names and pictures of applications, for other widgets that show a flow. */
WeirAppIcons *
weir_connection_list_get_icons (WeirConnectionList *self);

G_END_DECLS
