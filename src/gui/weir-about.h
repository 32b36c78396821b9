/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "weir-session.h"

G_BEGIN_DECLS

AdwDialog *
weir_about_new (WeirSession *session);
/* Versions and the states of the sources, for a report: no addresses, no names of processes. */
char *
weir_about_make_debug_info (WeirSession *session);

G_END_DECLS
