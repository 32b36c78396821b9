/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-flow-store.h"
#include "weir-history.h"

G_BEGIN_DECLS

/* Adds up what the interfaces moved and how much of it belongs to a known app, over the last
 * minute.
 *
 * Interfaces count frames; sources count less: a socket counts payload, conntrack and bpf count IP
 * packets.  The difference is added back for each packet where packets are known, and estimated
 * where they are not, so that headers are not taken for traffic of nobody.  What remains unknown
 * below 5 % is within the error of that and reported as 0. */
typedef struct _WeirTraffic WeirTraffic;

WeirTraffic *
weir_traffic_new (void);
void
weir_traffic_free (WeirTraffic *self);

/* @rows: WeirFlow, as they are after @tick; @interfaces: as told before it, of the network
 * namespace @netns.  Returns whether @ret_sample was filled: the rates of this computer over the
 * time that ends with the tick. */
gboolean
weir_traffic_add (WeirTraffic *self, const struct weir_interface_record *interfaces,
                  guint n_interfaces, GPtrArray *rows, const struct weir_tick *tick, guint32 netns,
                  WeirSample *ret_sample);
/* Share (0..1) of the bytes that belongs to no known app; WEIR_ABSENT under 10 kB or 5 s. */
double
weir_traffic_get_unknown_share (WeirTraffic *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeirTraffic, weir_traffic_free)

G_END_DECLS
