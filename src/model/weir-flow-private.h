/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the store and the views that sort flows share with WeirFlow.  Not for front ends. */
#pragma once

#include "weir-collation.h"
#include "weir-flow.h"
#include "weir-ledger-routes.h"

G_BEGIN_DECLS

typedef enum
{
  WEIR_TERM_APP,
  WEIR_TERM_COMM,
  WEIR_TERM_USER,
  WEIR_TERM_REMOTE,
  WEIR_TERM_LOCAL,
  WEIR_TERM_PROTOCOL,
  WEIR_N_TERMS,
} WeirFlowTerm;

typedef enum
{
  WEIR_TEXT_APP,
  WEIR_TEXT_APP_ID,
  WEIR_TEXT_UNIT,
  WEIR_TEXT_CONTAINER,
  WEIR_TEXT_COMM,
  WEIR_TEXT_USER,
  WEIR_TEXT_REMOTE,
  WEIR_TEXT_LOCAL,
  WEIR_TEXT_PROTOCOL,
  WEIR_TEXT_SEARCH,
  WEIR_N_TEXTS,
} WeirFlowText;

typedef struct
{
  float rx[WEIR_FLOW_HISTORY];
  float tx[WEIR_FLOW_HISTORY];
  guint next;
  guint n;
} WeirFlowHistory;

/* How far the ledger has come with a flow; its own business. */
typedef struct
{
  guint64 rx, tx, rx_packets, tx_packets; /* cumulative, at its last tick */
  gint64 moved_rx, moved_tx;              /* of it, past the interfaces, while it was watched */
  WeirLedgerSide near, far;
  guint generation;         /* of the routes that the sides were found with */
  guint epoch;              /* of the total that it moved for */
  guint8 part;              /* WeirLedgerPart */
  guint8 source, direction; /* as they were then */
  gboolean is_translated : 1;
  gboolean is_known : 1;
  gboolean is_settled : 1; /* had ended */
  gboolean is_whole : 1;   /* watched from its beginning */
  gboolean has_bytes : 1;
} WeirLedgerMark;

struct _WeirFlow
{
  GObject parent;

  /* What every tick and every sort reads comes first and close together: thousands of flows are
   * walked, and the record below is larger than many cache lines. */
  guint64 id;
  double rx_rate, tx_rate;
  double smooth_rx, smooth_tx;
  double rx_bytes, tx_bytes;
  guint64 arrival; /* counts the flows of a store */
  guint64 changed; /* number of the store's update that last changed what it shows */
  gboolean closed;
  gboolean touched; /* a record arrived since it was last shown */
  gboolean gone;    /* being removed from its store */
  gboolean folded;  /* lives on, but the engine does not publish it any more */
  gboolean bridged; /* shows rates of the last engine, until this one has any */
  guint32 dirty;    /* groups that arrived since it was last shown */
  guint32 place;    /* scratch of a view: valid while place_of says so */
  guint64 place_of;
  guint n_idle; /* ticks before the history began */
  WeirFlowHistory *history;
  WeirTerm *terms[WEIR_N_TERMS]; /* made when first sorted by */
  char *texts[WEIR_N_TEXTS];     /* made when first asked for */
  WeirAppKind app_kind;          /* valid while the text of the app is */
  guint32 texts_known;           /* bit n: texts[n] is up to date, even when NULL */

  guint64 packets;       /* all so far, both ways */
  guint64 packets_moved; /* since the tick before */
  guint64 closed_at;     /* CLOCK_BOOTTIME, ns */
  gint64 first_seen;     /* µs since 1970, UTC; -1 unknown */
  gint64 read_at;        /* µs since 1970, UTC: when the figures were read */
  WeirLedgerMark ledger;
  struct weir_flow_record record;
};

WeirFlow *
weir_flow_new (const struct weir_flow_record *record, guint64 arrival);
/* Takes over the groups that are in @record; shown at the next weir_flow_tick() or
 * weir_flow_show(). */
void
weir_flow_merge (WeirFlow *self, const struct weir_flow_record *record);
/* @smoothing: weight of the newest rate, 0..1; @number: of the store's update.  Returns whether
 * what the flow shows has changed. */
gboolean
weir_flow_tick (WeirFlow *self, const struct weir_tick *tick, double smoothing, guint64 number);
/* Before the tick: shows what was merged.  @moment: of the last tick, moved on to now; @number: of
 * the store's update.  What is measured from tick to tick stays as it is. */
void
weir_flow_show (WeirFlow *self, const struct weir_tick *moment, guint64 number);
/* A copy that nothing updates any more, with the same id. */
WeirFlow *
weir_flow_dup_frozen (WeirFlow *self);
/* The name of a user has become known. */
void
weir_flow_forget_user (WeirFlow *self);
/* NULL when the flow has no such text.  Borrowed. */
WeirTerm *
weir_flow_get_term (WeirFlow *self, WeirFlowTerm term);

G_END_DECLS
