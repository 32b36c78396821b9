/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-flow-private.h"

G_BEGIN_DECLS

/* Makes one text of a flow from its record, safe for display, and marks it as known. */
void
weir_flow_texts_make (WeirFlow *flow, WeirFlowText text);
/* All that plain words of a filter look for, one a line. */
void
weir_flow_texts_append_all (WeirFlow *flow, GString *all);
/* The unspecified address without a port: the socket has no peer. */
gboolean
weir_endpoint_is_any (const struct weir_endpoint *endpoint, guint8 family);
/* "TCP"; NULL when the number has no name here. */
const char *
weir_flow_texts_get_protocol_name (guint8 protocol);
/* What has no protocol that anybody could tell: frames of a packet socket. */
#define WEIR_PROTOCOL_FRAMES "Frames"
/* That of a flow; the same. */
const char *
weir_flow_texts_get_record_protocol (const struct weir_flow_record *record);

G_END_DECLS
