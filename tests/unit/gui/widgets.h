/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks into a tree of widgets as a person would: by what can be read. */
#pragma once

#include <gtk/gtk.h>

typedef gboolean (*WidgetTest) (GtkWidget *widget, gpointer data);

/* The first widget for which @test says yes, @root included, or NULL. */
GtkWidget *
find_widget (GtkWidget *root, WidgetTest test, gpointer data);
GtkWidget *
find_type (GtkWidget *root, GType type);
/* Whether exactly @text is shown in a visible label below @root, letter by letter. */
gboolean
shows_text (GtkWidget *root, const char *text);
/* Runs the main loop until @text is shown, or until it is no longer; a failure after ten seconds.
 */
void
wait_for_text (GtkWidget *root, const char *text);
void
wait_for_no_text (GtkWidget *root, const char *text);
/* Lets the main loop run for a while. */
void
run_for (guint milliseconds);
