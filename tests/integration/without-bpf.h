/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comes before everything else of what it is given to, which is then as in a build with
 * -Dbpf=disabled. */
#pragma once

#include "config.h"

#undef WEIR_HAVE_BPF
