/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  WEIR_STARTUP_FRAME, /* the first frame is painted */
  WEIR_STARTUP_ROWS,  /* the first frame with rows in it */
  WEIR_N_STARTUPS,
} WeirStartup;

/* Says in the debug log (G_MESSAGES_DEBUG=weir-gui) how long after the start of this process
 * something happened for the first time; later calls do nothing.  The start is what the kernel
 * noted when the process was made (field 22 of /proc/self/stat, proc(5)), so that loading the
 * libraries counts, too; its resolution is 10 ms. */
void
weir_startup_clock_reached (WeirStartup what);

G_END_DECLS
