/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "weir-session.h"

G_BEGIN_DECLS

/* What the process of a flow was started as: asked of the engine when it is looked at, and kept
 * when the process has ended.  Not shown while no process is known. */
#define WEIR_TYPE_PROCESS_GROUP (weir_process_group_get_type ())
G_DECLARE_FINAL_TYPE (WeirProcessGroup, weir_process_group, WEIR, PROCESS_GROUP, AdwBin)

/* Once. */
void
weir_process_group_set_session (WeirProcessGroup *self, WeirSession *session);
/* To be called again when more may be known of the flow; NULL: none. */
void
weir_process_group_set_flow (WeirProcessGroup *self, WeirFlow *flow);

G_END_DECLS
