/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sources of a main context that is not necessarily the default one.  Private to this folder. */
#pragma once

#include <glib-unix.h>

G_BEGIN_DECLS

/* Attached; the reference is the caller's. */
GSource *
weir_watch_fd (GMainContext *context, int fd, GIOCondition condition, GUnixFDSourceFunc func,
               gpointer data);
GSource *
weir_watch_timeout (GMainContext *context, guint interval_ms, GSourceFunc func, gpointer data);
/* Destroys and forgets; also from within the source's own callback. */
void
weir_watch_clear (GSource **source);

G_END_DECLS
