/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What only the listener may do with a channel. */
#pragma once

#include "weir-channel.h"

G_BEGIN_DECLS

/* A channel on a peer that has proved itself.  Takes @fd (non-blocking) and what @framer holds
 * beyond the HELLO; @framer is empty afterwards. */
WeirChannel *
weir_channel_new_take (int fd, struct weir_framer *framer, const struct weir_hello *hello);

G_END_DECLS
