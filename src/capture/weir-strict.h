/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `strict` of engine.conf: an engine that was refused a layer of its confinement measures nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "weir-wire.h"

/* The names of layers (bits of weir_layer, from the lowest) and of processes, for reports. */
#define WEIR_N_LAYERS 7
extern const char *const weir_layer_names[WEIR_N_LAYERS];
extern const char *const weir_role_names[WEIR_N_ROLES];

/* Whether a layer of any of @processes is missing; @ret_what then names the first process that
 * misses one, and what it misses. */
bool
weir_strict_refuses (const struct weir_process_status *processes, size_t n_processes,
                     char *ret_what, size_t size);
