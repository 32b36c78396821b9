/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Which columns a view shows, in which order and how wide: from the settings and back to them. What
 * a narrow window hides is not what the person chose, and is never stored. */
#define WEIR_TYPE_COLUMN_LAYOUT (weir_column_layout_get_type ())
G_DECLARE_FINAL_TYPE (WeirColumnLayout, weir_column_layout, WEIR, COLUMN_LAYOUT, GObject)

/* @view has all its columns already, with the ids of the column table.  It must outlive the object.
 */
WeirColumnLayout *
weir_column_layout_new (GtkColumnView *view, GSettings *settings);

/* @narrow: the composite columns and no other; @medium: without the columns that can be spared. */
void
weir_column_layout_set_room (WeirColumnLayout *self, gboolean narrow, gboolean medium);

/* A boolean action for each column that can be hidden, to be inserted as "columns", and their menu.
 */
GActionGroup *
weir_column_layout_get_actions (WeirColumnLayout *self);
GMenuModel *
weir_column_layout_get_menu (WeirColumnLayout *self);

G_END_DECLS
