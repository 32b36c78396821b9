/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flows to try filters on. */
#pragma once

#include "weir-filter.h"
#include "weir-flow-store.h"

/* A TCP flow with everything known: 192.0.2.1:40001 → 198.51.100.7:443, open, out, 30 s old, 1500
 * bytes per second in and 500 out, 3000 and 1000 bytes, 12.4 ms, "curl" (pid 1001, uid 3999999999)
 * in a Docker container, interface 7, sources sockdiag and conntrack. */
WeirFlow *
filter_sample_full (WeirFlowStore *store);
/* A UDP flow from [2001:db8::1]:53 of which nothing but the key is known. */
WeirFlow *
filter_sample_bare (WeirFlowStore *store);
/* Fails unless @text can be understood. */
gboolean
filter_sample_matches (const char *text, WeirFlow *flow);
