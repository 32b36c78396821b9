/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <glib/gi18n.h>

#include "weir-export.h"
#include "weir-window-private.h"

typedef struct
{
  WeirWindow *window;
  GFile *file;
} Export;

static void
export_free (Export *export)
{
  g_object_unref (export->window);
  g_object_unref (export->file);
  g_free (export);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Export, export_free)

static void
on_exported (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Export) export = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *uri = g_file_get_uri (export->file);
  gssize n_rows = weir_export_csv_finish (result, &error);

  if (n_rows < 0)
    {
      weir_window_explain (export->window, _ ("Export Failed"), error->message);
      return;
    }
  text = g_strdup_printf (ngettext ("Exported %'zd row", "Exported %'zd rows", (gulong) n_rows),
                          n_rows);
  weir_window_say (export->window, text, _ ("Show in Files"), "view.show-in-files",
                   g_variant_new_string (uri));
}

static void
export_to (WeirWindow *self, GFile *file)
{
  Export *export = g_new0 (Export, 1);

  export->window = g_object_ref (self);
  export->file = g_object_ref (file);
  weir_export_csv_async (
      G_LIST_MODEL (weir_connections_page_get_model (weir_window_get_page (self))), file, NULL,
      on_exported, export);
}

static void
on_chosen (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WeirWindow) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = gtk_file_dialog_save_finish (GTK_FILE_DIALOG (source), result, &error);

  if (file != NULL)
    export_to (self, file);
  else if (!g_error_matches (error, GTK_DIALOG_ERROR, GTK_DIALOG_ERROR_DISMISSED))
    weir_window_explain (self, _ ("Export Failed"), error->message);
}

static char *
make_file_name (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();

  return g_date_time_format (now, "weir-%Y-%m-%d-%H%M.csv");
}

void
weir_window_export (gpointer owner, GVariant *parameter)
{
  g_autoptr (GtkFileDialog) dialog = gtk_file_dialog_new ();
  g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();
  g_autofree char *name = make_file_name ();

  gtk_file_filter_set_name (filter, _ ("CSV Tables"));
  gtk_file_filter_add_suffix (filter, "csv");
  gtk_file_dialog_set_title (dialog, _ ("Export Connections"));
  gtk_file_dialog_set_accept_label (dialog, _ ("_Export"));
  gtk_file_dialog_set_initial_name (dialog, name);
  gtk_file_dialog_set_default_filter (dialog, filter);
  gtk_file_dialog_save (dialog, owner, NULL, on_chosen, g_object_ref (owner));
}

void
weir_window_export_to (gpointer owner, GVariant *parameter)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (g_variant_get_string (parameter, NULL));

  export_to (owner, file);
}
