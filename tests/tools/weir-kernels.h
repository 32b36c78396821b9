/* SPDX-License-Identifier: GPL-3.0-or-later */
/* This kernel, made to answer bpf(2) as another one does: older, built otherwise, or in a mood.
 *
 * Only tests have it: it stands between libbpf and the C library's syscall(2).  Linked into a test
 * program, weir_kernels_play() chooses one; preloaded into the engine, WEIR_KERNEL names it. */
#pragma once

#include <stdbool.h>

/* From now on; NULL: as it is.  False: there is none of that name. */
bool
weir_kernels_play (const char *name);
