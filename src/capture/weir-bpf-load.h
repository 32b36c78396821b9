/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of weir_bpf_open() that is there only when the programs were built. */
#pragma once

#include "weir-bpf-open.h"

/* Fills in all of @opened but its state.  @idle_ns: how long a flow must not have moved to
 * give up its slot; of programs that hang on a @cgroup, packets of its sockets only are counted.
 * @deadline: as of weir_bpf_open().  0, or -1: @reason, @error and @said say why, and what was
 * opened before has to be closed (weir_bpf_close()). */
int
weir_bpf_load (int cgroup, uint32_t n_slots, uint64_t idle_ns, uint64_t deadline,
               struct weir_bpf_opened *opened);
