/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first phase: nothing that the caller left in this process has an effect afterwards. */
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

/* Descriptors below this number are enough for every process of the engine: the meter has two
 * dozen, three for each of the other network namespaces (weir-namespaces-open.h), and the links of
 * programs in the kernel; while those are loaded, as many more for programs and tables. */
#define WEIR_DESCRIPTORS_MAX 320

/* The meter's table of WEIR_FLOWS_MAX flows, the libraries and a margin; in bytes. */
#define WEIR_METER_ADDRESS_SPACE ((rlim_t) 1024 * 1024 * 1024)

/* 0, -EMFILE or -ENOMEM when a hard limit that cannot be raised is too low to work with, or another
 * negative errno.  Nothing may be written to any descriptor before it has returned. */
int
weir_normalise (void);

/* Sets soft and hard limit of @resource to @want or, where the hard limit is lower and may not be
 * raised, to that; reads back.  -EPERM when this is lower than @need. */
int
weir_normalise_limit (int resource, rlim_t want, rlim_t need);
