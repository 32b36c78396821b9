/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds where the control groups of version 2 are (cgroups(7)). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A line of @mountinfo (proc(5)) at a time: the mount point of the next cgroup2 file system, with
 * its escapes undone.  @text is what is left of it, and is moved on.  False: there is none, or none
 * whose name fits into @size bytes. */
bool
weir_bpf_cgroups_next (const char **text, char *ret_path, size_t size);

/* A descriptor of the folder of the topmost control group that can be reached, or a negative errno:
 * -ENOENT when none is mounted.  *@ret_whole: it is the root of all. */
int
weir_bpf_cgroups_open (bool *ret_whole);
