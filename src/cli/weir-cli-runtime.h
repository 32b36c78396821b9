/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The folder for the handoff: NULL is the usual one, XDG_RUNTIME_DIR.  Root often has none that is
 * its own (sudo, cron, a container): it gets one below /run for as long as this runs. */
char *
weir_cli_runtime_new (void);
void
weir_cli_runtime_free (char *folder);

G_END_DECLS
