/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "weir-flow.h"

G_BEGIN_DECLS

/* The pictures and names of applications.  The list of installed applications is read in a thread
 * and again when it changes.  A program that belongs to no installed application gets a plain tile,
 * what nobody knows gets a glyph without one: it shall not pass for an application.
 *
 * Signal: changed (WeirAppIcons *) when names or pictures may be others than before. */
#define WEIR_TYPE_APP_ICONS (weir_app_icons_get_type ())
G_DECLARE_FINAL_TYPE (WeirAppIcons, weir_app_icons, WEIR, APP_ICONS, GObject)

/* @widget gives theme, scale and direction and must outlive the object. */
WeirAppIcons *
weir_app_icons_new (GtkWidget *widget);
/* The application's own name if it is installed, else what the flow says; NULL when nobody knows.
 */
const char *
weir_app_icons_get_name (WeirAppIcons *self, WeirFlow *flow);
/* Borrowed, valid until `changed`.  A symbolic picture is to be drawn in the colour of the text. */
GdkPaintable *
weir_app_icons_get_paintable (WeirAppIcons *self, WeirFlow *flow, int size);

G_END_DECLS
