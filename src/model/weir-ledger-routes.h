/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-wire.h"

#include <glib.h>

G_BEGIN_DECLS

/* Through which interfaces the packets of a flow go, as far as addresses tell: those of the
 * interfaces and their networks; all else is beyond a counted one. */
typedef struct _WeirLedgerRoutes WeirLedgerRoutes;

typedef struct
{
  gboolean crosses; /* a counted interface, or a tunnel */
  int header;       /* bytes that the link layer puts before a packet there; -1: not known */
} WeirLedgerSide;

WeirLedgerRoutes *
weir_ledger_routes_new (void);
void
weir_ledger_routes_free (WeirLedgerRoutes *self);
/* Returns whether anything has changed. */
gboolean
weir_ledger_routes_update (WeirLedgerRoutes *self, const struct weir_interface_record *interfaces,
                           guint n_interfaces);
/* Number of the state, which grows with each change. */
guint
weir_ledger_routes_get_generation (WeirLedgerRoutes *self);
WeirLedgerSide
weir_ledger_routes_find (WeirLedgerRoutes *self, const guint8 address[16]);
/* Of frames, which were put on that interface with their headers. */
WeirLedgerSide
weir_ledger_routes_find_frames (WeirLedgerRoutes *self, guint32 ifindex);

/* A program or a header of its own carries its packets inside of others. */
gboolean
weir_ledger_is_tunnel (const struct weir_interface_record *interface);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeirLedgerRoutes, weir_ledger_routes_free)

G_END_DECLS
