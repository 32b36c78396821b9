/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "widgets.h"

GtkWidget *
find_widget (GtkWidget *root, WidgetTest test, gpointer data)
{
  GtkWidget *found = test (root, data) ? root : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_widget (child, test, data);
  return found;
}

static gboolean
is_of_type (GtkWidget *widget, gpointer data)
{
  return g_type_is_a (G_OBJECT_TYPE (widget), (GType) (gsize) data);
}

GtkWidget *
find_type (GtkWidget *root, GType type)
{
  return find_widget (root, is_of_type, (gpointer) (gsize) type);
}

static gboolean
is_label_with (GtkWidget *widget, gpointer text)
{
  return GTK_IS_LABEL (widget) && gtk_widget_get_mapped (widget) &&
         g_str_equal (gtk_label_get_text (GTK_LABEL (widget)), text);
}

gboolean
shows_text (GtkWidget *root, const char *text)
{
  return find_widget (root, is_label_with, (gpointer) text) != NULL;
}

static gboolean
set_true (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

void
run_for (guint milliseconds)
{
  gboolean over = FALSE;

  g_timeout_add (milliseconds, set_true, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

static void
wait_for (GtkWidget *root, const char *text, gboolean wanted)
{
  gint64 end = g_get_monotonic_time () + 10 * G_TIME_SPAN_SECOND;

  while (shows_text (root, text) != wanted && g_get_monotonic_time () < end)
    run_for (20);
  if (shows_text (root, text) != wanted)
    g_error ("%s: waited for it to %s in vain", text, wanted ? "come" : "go");
}

void
wait_for_text (GtkWidget *root, const char *text)
{
  wait_for (root, text, TRUE);
}

void
wait_for_no_text (GtkWidget *root, const char *text)
{
  wait_for (root, text, FALSE);
}
