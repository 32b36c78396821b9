/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "weir-cell-style.h"
#include "weir-columns.h"
#include "weir-slot-model.h"

G_BEGIN_DECLS

/* One figure or name in the live list.  Its size depends on nothing but the font, so that a changed
 * text never makes the list lay itself out again; it compares before it repaints. */
#define WEIR_TYPE_CELL (weir_cell_get_type ())
G_DECLARE_FINAL_TYPE (WeirCell, weir_cell, WEIR, CELL, GtkWidget)

GtkWidget *
weir_cell_new (const WeirColumn *column, WeirCellStyle *style);
void
weir_cell_set_slot (WeirCell *self, WeirSlot *slot);
WeirSlot *
weir_cell_get_slot (WeirCell *self);
/* Takes over what the slot shows now.  Does nothing while the cell is not mapped: it is then
 * refreshed when it gets mapped. */
void
weir_cell_refresh (WeirCell *self);
const char *
weir_cell_get_text (WeirCell *self);

G_END_DECLS
