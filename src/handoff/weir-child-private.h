/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-child.h"

G_BEGIN_DECLS

/* For a child made by weir_child_new_self(): what plays the engine has ended with @wait_status.
 * Emits exited, once. */
void
weir_child_end_self (WeirChild *self, int wait_status);

G_END_DECLS
