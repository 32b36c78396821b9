/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-watch.h"

GSource *
weir_watch_fd (GMainContext *context, int fd, GIOCondition condition, GUnixFDSourceFunc func,
               gpointer data)
{
  GSource *source = g_unix_fd_source_new (fd, condition);

  g_source_set_callback (source, G_SOURCE_FUNC (func), data, NULL);
  g_source_attach (source, context);
  return source;
}

GSource *
weir_watch_timeout (GMainContext *context, guint interval_ms, GSourceFunc func, gpointer data)
{
  GSource *source = g_timeout_source_new (interval_ms);

  g_source_set_callback (source, func, data, NULL);
  g_source_attach (source, context);
  return source;
}

void
weir_watch_clear (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}
