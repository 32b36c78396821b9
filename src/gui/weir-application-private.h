/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-application.h"

G_BEGIN_DECLS

/* What the action table calls; @owner is the WeirApplication. */
void
weir_application_show_shortcuts (gpointer owner, GVariant *parameter);
void
weir_application_show_about (gpointer owner, GVariant *parameter);
void
weir_application_quit (gpointer owner, GVariant *parameter);

G_END_DECLS
