/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "weir-session.h"

G_BEGIN_DECLS

/* A shield that says what can be seen, and one button that changes it.  Its act is one of the
 * actions "view.unlock", "view.return" and "view.restart" of a widget around it; in the full view
 * there may be a second one, "view.count".
 *
 * Property: narrow (gboolean) only the shield, without words. */
#define WEIR_TYPE_VIEW_BUTTON (weir_view_button_get_type ())
G_DECLARE_FINAL_TYPE (WeirViewButton, weir_view_button, WEIR, VIEW_BUTTON, AdwBin)

void
weir_view_button_set_session (WeirViewButton *self, WeirSession *session);

G_END_DECLS
