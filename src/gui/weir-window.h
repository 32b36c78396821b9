/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "weir-session.h"

G_BEGIN_DECLS

/* The main window.  Properties, all boolean, readable, writable and notifying: paused, filtering,
 * show-details. */
#define WEIR_TYPE_WINDOW (weir_window_get_type ())
G_DECLARE_FINAL_TYPE (WeirWindow, weir_window, WEIR, WINDOW, AdwApplicationWindow)

/* Shows what @session measures, whoever started it and with whatever launchers. */
WeirWindow *
weir_window_new (GtkApplication *application, WeirSession *session, GSettings *settings);

G_END_DECLS
