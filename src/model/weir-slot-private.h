/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-slot-model.h"

G_BEGIN_DECLS

WeirSlot *
weir_slot_new (WeirFlow *flow);
void
weir_slot_set_flow (WeirSlot *self, WeirFlow *flow);

G_END_DECLS
