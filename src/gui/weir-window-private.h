/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-connections-page.h"
#include "weir-window.h"

G_BEGIN_DECLS

/* What the action table calls; @owner is the WeirWindow. */
void
weir_window_export (gpointer owner, GVariant *parameter);
/* @parameter: a path or a URI.  Asks nothing. */
void
weir_window_export_to (gpointer owner, GVariant *parameter);
void
weir_window_go_live (gpointer owner, GVariant *parameter);
void
weir_window_clear_filter (gpointer owner, GVariant *parameter);

/* The actions "view.…", for widgets inside the window only: they must not be reachable over the
 * session bus, where a window's own actions are. */
void
weir_window_add_view_actions (WeirWindow *self, GtkWidget *inside);

WeirSession *
weir_window_get_session (WeirWindow *self);
WeirConnectionsPage *
weir_window_get_page (WeirWindow *self);
/* Says @text in a toast, never as markup; @button and @action may be NULL, @target is sunk. */
void
weir_window_say (WeirWindow *self, const char *text, const char *button, const char *action,
                 GVariant *target);
/* The same for what needs more words. */
void
weir_window_explain (WeirWindow *self, const char *heading, const char *body);

G_END_DECLS
