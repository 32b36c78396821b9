/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-wire.h"

#include <glib.h>

G_BEGIN_DECLS

/* What is known to be missing from all that was measured, since the engine started: every exported
 * row carries it, so that no file looks more complete than it is.  -1: not known yet.  Main thread
 * only. */
typedef struct
{
  gint64 events;  /* of the kernel, that overran a buffer, and rows that could not be read */
  gint64 refused; /* flows: the engine's table was full */
  gint64
      coalesced; /* ticks that were folded into a later one: no bytes are missing, only moments */
} WeirLosses;

void
weir_losses_set_sources (const struct weir_source_status *sources, gsize n);
void
weir_losses_set_tick (const struct weir_tick *tick);
WeirLosses
weir_losses_get (void);

G_END_DECLS
