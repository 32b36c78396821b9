/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /run/weir: where elevated engines know of each other. */
#pragma once

/* Opens @run/weir, which is made if it is not there; @run is `/run` except in tests.  A descriptor,
 * or a negative errno: -EPERM when anybody but us may change what is in it. */
int
weir_run_dir_open (const char *run);
