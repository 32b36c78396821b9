/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why the kernel did not take the programs: an errno has many causes, and each its own remedy. */
#pragma once

#include <stddef.h>

#include "weir-wire.h"

enum weir_bpf_stage
{
  WEIR_BPF_STAGE_LOAD,   /* maps and programs go into the kernel, which checks them */
  WEIR_BPF_STAGE_MAP,    /* memory is mapped */
  WEIR_BPF_STAGE_ATTACH, /* they are hung on control groups */
};

/* As root still: looks at this process's rights, and asks the kernel what it knows.  @log: what its
 * verifier wrote, "" if nothing. */
enum weir_reason
weir_bpf_find_reason (enum weir_bpf_stage stage, int error, const char *log);

/* The last line of a verifier's @log that says something, with what is no printable ASCII, and
 * what may be an address of the kernel's memory, taken out; "" if there is none. */
void
weir_bpf_shorten_log (const char *log, char *ret_line, size_t size);
