/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of engine.conf. */
#pragma once

#include "weir-config.h"

/* Where names of users and groups are looked up: 0, or -ENOENT when there is no such @name. */
typedef int (*weir_config_find_func) (bool group, const char *name, uint32_t *ret_id);

/* Applies the @size bytes of @text, which may be anything, to @config, which holds the defaults.
 * What is not understood is added to its notices. */
void
weir_config_parse (const char *text, size_t size, weir_config_find_func find,
                   struct weir_config *config);

/* Adds one; when there is no room left the last is about the number of all that found none.
 * Control characters of @text become question marks, and what is too long is cut. */
void
weir_config_note (struct weir_config *config, enum weir_notice_code code, uint32_t number,
                  const char *text, size_t size);
