/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of weir_bpf_open() that is there only when the programs were built. */
#pragma once

#include "weir-bpf-open.h"

/* Fills in all of @opened but state and reason.  0, or -1: @error and @step say why, and what was
 * opened before has to be closed (weir_bpf_close()). */
int
weir_bpf_load (int cgroup, uint32_t n_slots, struct weir_bpf_opened *opened);
