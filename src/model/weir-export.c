/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-export.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "weir-export-columns.h"
#include "weir-export-json.h"

/* Rows between two looks at the cancellable. */
#define ROWS_PER_CHECK 256

typedef struct
{
  GFile *file;
  GPtrArray *rows; /* WeirExportRow */
  WeirExportFormat format;
} Job;

static void
job_free (gpointer data)
{
  Job *job = data;

  g_object_unref (job->file);
  g_ptr_array_unref (job->rows);
  g_free (job);
}

/* How rows become a file.  @cell: scratch. */
typedef struct
{
  void (*append_head) (GString *text);
  void (*append_row) (GString *text, const WeirExportRow *row, GString *cell);
  const char *between;
  const char *end;
} Writer;

static void
append_csv_head (GString *csv)
{
  for (guint i = 0; i < weir_export_n_columns; i++)
    g_string_append_printf (csv, i > 0 ? ",%s" : "%s", weir_export_columns[i].name);
  g_string_append (csv, "\r\n");
}

static void
append_csv_row (GString *csv, const WeirExportRow *row, GString *cell)
{
  for (guint i = 0; i < weir_export_n_columns; i++)
    {
      const WeirExportColumn *column = &weir_export_columns[i];
      if (i > 0)
        g_string_append_c (csv, ',');
      g_string_truncate (cell, 0);
      column->append (row, cell);
      if (column->kind == WEIR_EXPORT_TEXT)
        weir_export_append_text_cell (csv, cell->str);
      else
        g_string_append_len (csv, cell->str, cell->len);
    }
  g_string_append (csv, "\r\n");
}

static void
append_json_head (GString *json)
{
  g_string_append (json, "[\n");
}

static void
append_json_row (GString *json, const WeirExportRow *row, GString *cell)
{
  g_string_append_c (json, '{');
  weir_export_append_json_members (json, row);
  g_string_append (json, "}\n");
}

static const Writer writers[] = {
  [WEIR_EXPORT_CSV] = { append_csv_head, append_csv_row, "", "" },
  [WEIR_EXPORT_JSON] = { append_json_head, append_json_row, ",", "]\n" },
  [WEIR_EXPORT_NDJSON] = { NULL, append_json_row, "", "" },
};

static GString *
build (GPtrArray *rows, WeirExportFormat format, GCancellable *cancellable, GError **error)
{
  const Writer *writer = &writers[format];
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) cell = g_string_new (NULL);

  if (writer->append_head != NULL)
    writer->append_head (text);
  for (guint i = 0; i < rows->len; i++)
    {
      if (i % ROWS_PER_CHECK == 0 && g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
      if (i > 0)
        g_string_append (text, writer->between);
      writer->append_row (text, rows->pdata[i], cell);
    }
  g_string_append (text, writer->end);
  return g_steal_pointer (&text);
}

static gboolean
write_all (int fd, const GString *text)
{
  for (gsize written = 0; written < text->len;)
    {
      ssize_t n = write (fd, text->str + written, text->len - written);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      written += n;
    }
  return TRUE;
}

/* Who could read the old file may read the new one; a new file is for its owner alone. */
static gboolean
keep_mode (int fd, const char *path)
{
  struct stat before;

  if (lstat (path, &before) < 0 || !S_ISREG (before.st_mode) || before.st_uid != geteuid ())
    return TRUE;
  return fchmod (fd, before.st_mode & 0777) == 0;
}

/* rename(2) is durable only when the folder has been written, too; where it cannot be synchronised
 * (some file systems), the file is there all the same. */
static void
sync_folder (const char *folder)
{
  g_autofd int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0 && fsync (fd) < 0)
    g_debug ("fsync of the folder: %s", g_strerror (errno));
}

static gboolean
replace_local (const char *path, const GString *text, GCancellable *cancellable, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *temporary = g_build_filename (folder, ".weir-export-XXXXXX", NULL);
  g_autofd int fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0600);
  int failure = 0;

  if (fd < 0)
    failure = errno;
  else if (!keep_mode (fd, path) || !write_all (fd, text) || fsync (fd) < 0)
    failure = errno;
  else if (g_cancellable_is_cancelled (cancellable))
    failure = ECANCELED;
  else if (rename (temporary, path) < 0)
    failure = errno;

  if (failure == 0)
    {
      sync_folder (folder);
      return TRUE;
    }
  if (fd >= 0)
    unlink (temporary);
  if (failure == ECANCELED)
    return !g_cancellable_set_error_if_cancelled (cancellable, error);
  g_autofree char *name = g_filename_display_basename (path);
  g_autofree char *place = g_filename_display_name (folder);
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (failure),
               /* TRANSLATORS: a file, its folder, and what the system says */
               _ ("“%s” cannot be written to “%s”: %s. Choose another folder, or make room."), name,
               place, g_strerror (failure));
  return FALSE;
}

/* On a server: GVfs writes beside the file and renames. A stream that is closed with a cancelled
 * cancellable leaves the old file. */
static gboolean
replace_remote (GFile *file, const GString *text, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFileOutputStream) stream =
      g_file_replace (file, NULL, FALSE, G_FILE_CREATE_PRIVATE | G_FILE_CREATE_REPLACE_DESTINATION,
                      cancellable, error);

  if (stream == NULL)
    return FALSE;
  if (g_output_stream_write_all (G_OUTPUT_STREAM (stream), text->str, text->len, NULL, cancellable,
                                 error))
    return g_output_stream_close (G_OUTPUT_STREAM (stream), cancellable, error);
  g_autoptr (GCancellable) give_up = g_cancellable_new ();
  g_cancellable_cancel (give_up);
  g_output_stream_close (G_OUTPUT_STREAM (stream), give_up, NULL);
  return FALSE;
}

static void
write_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Job *job = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = build (job->rows, job->format, cancellable, &error);
  g_autofree char *path = g_file_get_path (job->file);
  gboolean written = FALSE;

  if (text != NULL && path != NULL)
    written = replace_local (path, text, cancellable, &error);
  else if (text != NULL)
    written = replace_remote (job->file, text, cancellable, &error);
  if (written)
    g_task_return_int (task, job->rows->len);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
add_row (GPtrArray *rows, gpointer item)
{
  if (WEIR_IS_FLOW (item))
    g_ptr_array_add (rows, weir_export_row_new (item));
  else if (WEIR_IS_SLOT (item) && weir_slot_get_flow (item) != NULL)
    g_ptr_array_add (rows, weir_export_row_new (weir_slot_get_flow (item)));
}

void
weir_export_rows_async (GPtrArray *rows, WeirExportFormat format, GFile *file,
                        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (format < G_N_ELEMENTS (writers));
  g_return_if_fail (G_IS_FILE (file));
  Job *job = g_new0 (Job, 1);

  job->file = g_object_ref (file);
  job->rows = g_ptr_array_ref (rows);
  job->format = format;
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, weir_export_rows_async);
  g_task_set_task_data (task, job, job_free);
  /* Once the file has been replaced, that is the answer, even if somebody cancels meanwhile. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_run_in_thread (task, write_in_thread);
}

void
weir_export_async (GListModel *model, WeirExportFormat format, GFile *file,
                   GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (G_IS_LIST_MODEL (model));
  guint n = g_list_model_get_n_items (model);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_full (n, (GDestroyNotify) weir_export_row_free);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GObject) item = g_list_model_get_item (model, i);
      add_row (rows, item);
    }
  weir_export_rows_async (rows, format, file, cancellable, callback, user_data);
}

gssize
weir_export_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), -1);
  return g_task_propagate_int (G_TASK (result), error);
}

void
weir_export_csv_async (GListModel *model, GFile *file, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  weir_export_async (model, WEIR_EXPORT_CSV, file, cancellable, callback, user_data);
}

gssize
weir_export_csv_finish (GAsyncResult *result, GError **error)
{
  return weir_export_finish (result, error);
}
