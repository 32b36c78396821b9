/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "weir-app-icons.h"
#include "weir-session.h"

G_BEGIN_DECLS

/* Everything about one flow.  Keeps the flow, so that it stays when the row has ended. */
#define WEIR_TYPE_DETAILS (weir_details_get_type ())
G_DECLARE_FINAL_TYPE (WeirDetails, weir_details, WEIR, DETAILS, AdwBin)

void
weir_details_set_icons (WeirDetails *self, WeirAppIcons *icons);
/* Whom to ask about processes; once.  Without one nothing is asked. */
void
weir_details_set_session (WeirDetails *self, WeirSession *session);
/* Takes a reference; NULL: nothing is chosen. */
void
weir_details_set_flow (WeirDetails *self, WeirFlow *flow);
WeirFlow *
weir_details_get_flow (WeirDetails *self);
/* Call after each tick: takes over what has changed. @time and @interval in nanoseconds, of the
 * tick. */
void
weir_details_refresh (WeirDetails *self, gint64 time, gint64 interval);

G_END_DECLS
