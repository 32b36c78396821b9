/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's side of the handoff (PROTOCOL.md): from a directory of the caller's to a socket. */
#pragma once

#include <stdint.h>

#include "weir-caller.h"
#include "weir-limits.h"

/* Connects to `socket` in @caller's directory and reads `nonce` there, with no more rights than the
 * caller has.  Nothing is read from the socket.  The caller of this function has a single thread.
 *
 * @ret_client is non-blocking and close-on-exec.  Returns 0 or a negative errno; -EPERM when
 * something is there, but not owned or shaped as a listener makes it; -ENOTRECOVERABLE when rights
 * could not be given up or not be had back: the identity of the process is uncertain then, and the
 * only thing to do is to exit. */
int
weir_dial (const struct weir_caller *caller, int *ret_client, uint8_t ret_nonce[WEIR_NONCE_SIZE]);
