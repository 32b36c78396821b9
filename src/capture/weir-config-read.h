/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes of engine.conf, if they are the administrator's and nobody else's. */
#pragma once

#include <sys/types.h>

#include "weir-wire.h"

/* Reads @directory/engine.conf, at most @size bytes, into @buffer, and returns how many there were.
 * A negative errno and @ret_problem when it is not to be used; -ENOENT, without a problem, when
 * there is none. */
ssize_t
weir_config_read (const char *directory, char *buffer, size_t size,
                  struct weir_notice *ret_problem);
