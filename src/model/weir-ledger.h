/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-flow-store.h"

G_BEGIN_DECLS

/* Where the bytes of the interfaces went.  For any time it is true that
 *
 *   counted interfaces + loopback = sum of all parts,
 *
 * because what no other part explains is the last one, with the reasons that are known for it.  A
 * figure that was not measured is in no part but that. */
typedef struct _WeirLedger WeirLedger;

typedef enum
{
  WEIR_LEDGER_APPS,      /* flows of a known application */
  WEIR_LEDGER_FORWARDED, /* flows that pass through, at each counted interface that they cross */
  WEIR_LEDGER_KERNEL,    /* ICMP and other protocols that are nobody's */
  WEIR_LEDGER_LOCAL,     /* the loopback interface */
  WEIR_LEDGER_NO_OWNER,  /* flows whose owner is not known */
  WEIR_LEDGER_OTHERS,    /* flows that have no row of their own */
  WEIR_LEDGER_HEADERS,   /* headers of the link layer, which conntrack does not count */
  WEIR_LEDGER_TUNNELS,   /* negative: packets in tunnels are above and travel in others */
  WEIR_LEDGER_START,     /* while one engine followed another */
  WEIR_LEDGER_REST,      /* what is left */
  WEIR_N_LEDGER_PARTS,
} WeirLedgerPart;

/* Why there may be a rest; those that apply. */
typedef enum
{
  WEIR_LEDGER_PAYLOAD_ONLY = 1 << 0, /* TCP flows whose headers nobody counted */
  WEIR_LEDGER_UNMEASURED = 1 << 1,   /* flows whose bytes nobody counted */
  WEIR_LEDGER_UNTRACKED = 1 << 2,    /* ARP, neighbour discovery, what no rule tracks */
  WEIR_LEDGER_FOLDED = 1 << 3,       /* headers of flows that have no row */
  WEIR_LEDGER_SEGMENTS = 1 << 4,     /* network cards cut segments, each with headers of its own */
  WEIR_LEDGER_LINK_LAYER = 1 << 5,   /* the size of an interface's headers is not known */
} WeirLedgerReason;

typedef struct
{
  gint64 rx, tx; /* bytes */
} WeirLedgerSum;

typedef struct
{
  double seconds;                           /* 0: nothing was measured yet */
  WeirLedgerSum counted;                    /* interfaces whose bytes enter or leave */
  WeirLedgerSum parts[WEIR_N_LEDGER_PARTS]; /* local ones are the loopback interface's */
  WeirLedgerSum payload_only;               /* of the parts above: measured without headers */
  guint reasons;                            /* WeirLedgerReason */
} WeirLedgerSheet;

WeirLedger *
weir_ledger_new (void);
void
weir_ledger_free (WeirLedger *self);

/* @rows: WeirFlow, as they are after @tick; @interfaces: as told before it.  @netns: of the
 * interfaces; flows of others are not theirs. */
void
weir_ledger_add (WeirLedger *self, const struct weir_interface_record *interfaces,
                 guint n_interfaces, GPtrArray *rows, const struct weir_tick *tick, guint32 netns);

/* Begins a new total with the next tick. */
void
weir_ledger_reset (WeirLedger *self);
/* The last interval, and all of them since the first tick or a reset. */
const WeirLedgerSheet *
weir_ledger_get_last (WeirLedger *self);
const WeirLedgerSheet *
weir_ledger_get_total (WeirLedger *self);
/* Counted and loopback: what the parts add up to. */
WeirLedgerSum
weir_ledger_sheet_get_sum (const WeirLedgerSheet *sheet);

/* Translated. */
const char *
weir_ledger_part_get_name (WeirLedgerPart part);
const char *
weir_ledger_part_get_meaning (WeirLedgerPart part);
/* All that apply, one sentence each; or NULL. */
char *
weir_ledger_describe_reasons (guint reasons);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeirLedger, weir_ledger_free)

G_END_DECLS
