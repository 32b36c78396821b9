/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plays an engine to the listener of this very process.  Private to this folder. */
#pragma once

#include "weir-child.h"

G_BEGIN_DECLS

/* How a player ends @child: the exit codes of the status it gives. */
enum
{
  WEIR_PLAYER_DONE = 0,
  WEIR_PLAYER_UNREADABLE = 1, /* no recording, a damaged one, or of another version */
  WEIR_PLAYER_NO_LISTENER = 2,
};

/* Loads @recording, dials @directory, says HELLO and plays in the current main context until the
 * recording ends, a STOP arrives or the other side closes; then ends @child. */
void
weir_player_start (GFile *recording, const char *directory, double speed, WeirChild *child);

G_END_DECLS
