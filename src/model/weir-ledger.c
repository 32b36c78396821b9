/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-ledger.h"

#include <glib/gi18n-lib.h>

#include "weir-flow-private.h"
#include "weir-ledger-routes.h"

typedef struct
{
  guint32 index;
  guint64 rx, tx;
} Counter;

struct _WeirLedger
{
  WeirLedgerRoutes *routes;
  WeirLedgerSheet last, total;
  GArray *counters; /* Counter, of the last tick */
  struct weir_tick tick;
  gboolean has_tick;
  guint epoch;              /* of the total */
  gboolean lost_unmeasured; /* a flow ended whose bytes nobody had counted */
  /* Bytes of the flows that had a row after the last tick and had not ended. */
  guint64 live_rx, live_tx;
};

/* What one tick adds up before anything of it is published. */
typedef struct
{
  WeirLedger *self;
  WeirLedgerSheet *sheet; /* the interval's */
  const struct weir_tick *tick;
  guint32 netns;
  gboolean is_first;            /* of an engine: nothing to compare with */
  guint64 live_rx, live_tx;     /* as above, after this tick */
  guint64 before_rx, before_tx; /* of rows that were there, as they were after the last tick */
  guint64 back_rx, back_tx;     /* of flows that got a row back */
  gboolean measured_packets;
} Adding;

WeirLedger *
weir_ledger_new (void)
{
  WeirLedger *self = g_new0 (WeirLedger, 1);

  self->routes = weir_ledger_routes_new ();
  self->counters = g_array_new (FALSE, FALSE, sizeof (Counter));
  return self;
}

void
weir_ledger_free (WeirLedger *self)
{
  weir_ledger_routes_free (self->routes);
  g_array_unref (self->counters);
  g_free (self);
}

static void
add (WeirLedgerSum *sum, gint64 rx, gint64 tx)
{
  sum->rx += rx;
  sum->tx += tx;
}

/* ---- interfaces ---- */

static const Counter *
find_counter (WeirLedger *self, guint hint, guint32 index)
{
  /* They come in the same order each time. */
  if (hint < self->counters->len && g_array_index (self->counters, Counter, hint).index == index)
    return &g_array_index (self->counters, Counter, hint);
  for (guint i = 0; i < self->counters->len; i++)
    if (g_array_index (self->counters, Counter, i).index == index)
      return &g_array_index (self->counters, Counter, i);
  return NULL;
}

static void
add_interface (Adding *adding, const struct weir_interface_record *interface, const Counter *before)
{
  /* An interface that was not there was made since: all that it moved is new. */
  guint64 rx = before != NULL ? before->rx : 0, tx = before != NULL ? before->tx : 0;
  WeirLedgerSum moved;

  /* Began anew. */
  if (interface->rx_bytes < rx || interface->tx_bytes < tx)
    return;
  moved = (WeirLedgerSum) { interface->rx_bytes - rx, interface->tx_bytes - tx };
  if (interface->flags & WEIR_INTERFACE_LOOPBACK)
    add (&adding->sheet->parts[WEIR_LEDGER_LOCAL], moved.rx, moved.tx);
  else if (interface->flags & WEIR_INTERFACE_COUNTED)
    {
      add (&adding->sheet->counted, moved.rx, moved.tx);
      if (interface->type == WEIR_INTERFACE_TYPE_PHYSICAL ||
          interface->type == WEIR_INTERFACE_TYPE_WIRELESS)
        adding->sheet->reasons |= WEIR_LEDGER_SEGMENTS;
    }
  /* Without an address nothing of this computer goes through. */
  else if (weir_ledger_is_tunnel (interface) && interface->n_addresses > 0)
    add (&adding->sheet->parts[WEIR_LEDGER_TUNNELS], -moved.rx, -moved.tx);
}

static void
add_interfaces (Adding *adding, const struct weir_interface_record *interfaces, guint n)
{
  WeirLedger *self = adding->self;
  g_autoptr (GArray) counters = g_array_sized_new (FALSE, FALSE, sizeof (Counter), n);
  /* There is always a loopback interface: with none at all, they were not told of yet. */
  gboolean compares = self->counters->len > 0;

  for (guint i = 0; i < n; i++)
    {
      Counter counter = { interfaces[i].index, interfaces[i].rx_bytes, interfaces[i].tx_bytes };
      if (compares)
        add_interface (adding, &interfaces[i], find_counter (self, i, counter.index));
      g_array_append_val (counters, counter);
    }
  g_array_unref (self->counters);
  self->counters = g_steal_pointer (&counters);
}

/* ---- flows ---- */

static WeirLedgerPart
choose_part (WeirFlow *flow)
{
  const struct weir_flow_record *record = &flow->record;

  if (record->groups & WEIR_FLOW_STATE && record->direction == WEIR_DIRECTION_FORWARDED)
    return WEIR_LEDGER_FORWARDED;
  if (weir_flow_get_app_name (flow) != NULL)
    return WEIR_LEDGER_APPS;
  if ((record->family != 0 && !weir_flow_has_ports (flow)) ||
      (record->groups & WEIR_FLOW_OWNER && record->owner_missing == WEIR_MISSING_KERNEL))
    return WEIR_LEDGER_KERNEL;
  return WEIR_LEDGER_NO_OWNER;
}

/* A forwarded flow has a side of its own where it comes from; its other end is who really answers,
 * which is behind a translation of the destination. */
static void
find_sides (WeirLedger *self, WeirFlow *flow)
{
  const struct weir_flow_record *record = &flow->record;
  gboolean forwarded = record->direction == WEIR_DIRECTION_FORWARDED;
  const struct weir_endpoint *far = &record->remote;
  WeirLedgerSide none = { FALSE, -1 };

  gboolean translated = (record->groups & WEIR_FLOW_NAT) != 0;
  guint generation = weir_ledger_routes_get_generation (self->routes);

  if (flow->ledger.generation == generation && flow->ledger.direction == record->direction &&
      flow->ledger.is_translated == translated)
    return;
  flow->ledger.generation = generation;
  flow->ledger.direction = record->direction;
  flow->ledger.is_translated = translated;
  if (forwarded && translated)
    far = &record->nat_remote;
  flow->ledger.near =
      forwarded ? weir_ledger_routes_find (self->routes, record->local.address) : none;
  if (record->direction == WEIR_DIRECTION_LOCAL)
    flow->ledger.far = none;
  else if (record->family == 0)
    flow->ledger.far = weir_ledger_routes_find_frames (self->routes, record->ifindex);
  else
    flow->ledger.far = weir_ledger_routes_find (self->routes, far->address);
}

static void
add_headers (Adding *adding, const WeirLedgerSide *side, guint64 rx_packets, guint64 tx_packets)
{
  if (!side->crosses || rx_packets + tx_packets == 0)
    return;
  if (side->header < 0)
    adding->sheet->reasons |= WEIR_LEDGER_LINK_LAYER;
  else
    add (&adding->sheet->parts[WEIR_LEDGER_HEADERS], rx_packets * side->header,
         tx_packets * side->header);
}

/* Of @flow, since the last tick, as it passed the interfaces. */
static void
add_growth (Adding *adding, WeirFlow *flow, const WeirLedgerMark *grown)
{
  WeirLedgerMark *mark = &flow->ledger;
  gint64 rx = grown->rx, tx = grown->tx;
  WeirLedgerSum moved = { 0, 0 };
  WeirLedgerPart part = choose_part (flow);

  find_sides (adding->self, flow);
  if (mark->far.crosses)
    add (&moved, rx, tx);
  /* What goes to the near end enters at the far one, and the other way round. */
  if (mark->near.crosses)
    add (&moved, tx, rx);
  add_headers (adding, &mark->far, grown->rx_packets, grown->tx_packets);
  add_headers (adding, &mark->near, grown->tx_packets, grown->rx_packets);
  if (mark->epoch != adding->self->epoch)
    {
      mark->epoch = adding->self->epoch;
      mark->moved_rx = mark->moved_tx = 0;
    }
  /* An owner that was found late: all that the flow moved is its. */
  if (part != mark->part)
    {
      add (&adding->self->total.parts[mark->part], -mark->moved_rx, -mark->moved_tx);
      add (&adding->self->total.parts[part], mark->moved_rx, mark->moved_tx);
      mark->part = part;
    }
  add (&adding->sheet->parts[part], moved.rx, moved.tx);
  mark->moved_rx += moved.rx;
  mark->moved_tx += moved.tx;
  if (flow->record.bytes_source == WEIR_SOURCE_SOCKDIAG)
    add (&adding->sheet->payload_only, moved.rx, moved.tx);
  else if (mark->is_known && mark->source == WEIR_SOURCE_SOCKDIAG)
    /* Measured with its headers after all, from the beginning. */
    add (&adding->sheet->payload_only, moved.rx - mark->moved_rx, moved.tx - mark->moved_tx);
  if (grown->rx_packets + grown->tx_packets > 0)
    adding->measured_packets = TRUE;
}

/* The cumulative figures of a flow, 0 while nobody has measured any. */
static WeirLedgerMark
read_figures (WeirFlow *flow)
{
  const struct weir_flow_record *record = &flow->record;
  WeirLedgerMark now = { 0 };

  if (!(record->groups & WEIR_FLOW_BYTES))
    return now;
  now.has_bytes = record->has_bytes;
  now.source = record->bytes_source;
  if (record->has_bytes)
    {
      now.rx = record->rx_bytes;
      now.tx = record->tx_bytes;
    }
  if (record->has_packets)
    {
      now.rx_packets = record->rx_packets;
      now.tx_packets = record->tx_packets;
    }
  return now;
}

/* Whether the flow was among those without a row, and has got one. */
static gboolean
is_back (Adding *adding, WeirFlow *flow)
{
  const struct weir_tick *before = &adding->self->tick;

  return before->flows_tracked > before->flows_published &&
         flow->record.first_seen <= before->monotonic;
}

/* Whether all of the flow's bytes were moved since the tick before: the engine gives no rates to
 * what it cannot compare with anything, such as what was there before it looked. */
static gboolean
is_new (Adding *adding, WeirFlow *flow, const WeirLedgerMark *now)
{
  return !adding->is_first && !is_back (adding, flow) &&
         (!now->has_bytes || flow->record.has_rates);
}

/* What was moved since the last tick.  FALSE: that cannot be said. */
static gboolean
measure_growth (Adding *adding, WeirFlow *flow, const WeirLedgerMark *now, WeirLedgerMark *grown)
{
  const WeirLedgerMark *mark = &flow->ledger;

  *grown = *now;
  if (mark->is_known && !adding->is_first)
    {
      gboolean same = mark->has_bytes == now->has_bytes && mark->source == now->source;
      /* Another source counts something else, from the beginning of the flow. */
      if (!same && !mark->is_whole)
        return FALSE;
      if (same && (now->rx < mark->rx || now->tx < mark->tx))
        return FALSE;
      grown->rx -= mark->rx;
      grown->tx -= mark->tx;
      grown->rx_packets -= MIN (mark->rx_packets, now->rx_packets);
      grown->tx_packets -= MIN (mark->tx_packets, now->tx_packets);
      return TRUE;
    }
  return is_new (adding, flow, now);
}

static gboolean
waits_for_anybody (const struct weir_flow_record *record)
{
  return record->remote.port == 0 && record->state != WEIR_FLOW_STATE_CLOSED &&
         !(record->groups & WEIR_FLOW_BYTES && record->has_bytes);
}

static void
add_flow (Adding *adding, WeirFlow *flow)
{
  WeirLedgerMark *mark = &flow->ledger;
  WeirLedgerMark now = read_figures (flow), grown;
  gboolean is_own = flow->record.netns == adding->netns;
  gboolean was_new = !mark->is_known && is_new (adding, flow, &now);

  if (mark->is_known && !mark->is_settled && !adding->is_first)
    {
      adding->before_rx += mark->rx;
      adding->before_tx += mark->tx;
    }
  else if (!mark->is_known && !adding->is_first && is_back (adding, flow))
    {
      adding->back_rx += now.rx;
      adding->back_tx += now.tx;
    }
  if (is_own && !now.has_bytes && !mark->is_settled && !waits_for_anybody (&flow->record))
    {
      adding->sheet->reasons |= WEIR_LEDGER_UNMEASURED;
      adding->self->lost_unmeasured |= flow->closed;
    }
  if (is_own && measure_growth (adding, flow, &now, &grown))
    add_growth (adding, flow, &grown);

  mark->is_whole = mark->is_known && !adding->is_first ? mark->is_whole : was_new;
  mark->is_known = TRUE;
  mark->is_settled = flow->closed;
  mark->has_bytes = now.has_bytes;
  mark->source = now.source;
  mark->rx = now.rx;
  mark->tx = now.tx;
  mark->rx_packets = now.rx_packets;
  mark->tx_packets = now.tx_packets;
  if (!flow->closed)
    {
      adding->live_rx += now.rx;
      adding->live_tx += now.tx;
    }
}

/* Flows without a row are one figure; it grows by what they move, by what flows had moved that lost
 * their rows, and shrinks by those that got one. */
static void
add_others (Adding *adding)
{
  WeirLedger *self = adding->self;
  guint64 folded_rx = self->live_rx - adding->before_rx;
  guint64 folded_tx = self->live_tx - adding->before_tx;
  gint64 rx =
      adding->tick->others_rx_bytes - self->tick.others_rx_bytes - folded_rx + adding->back_rx;
  gint64 tx =
      adding->tick->others_tx_bytes - self->tick.others_tx_bytes - folded_tx + adding->back_tx;

  /* Less than nothing: a row came whose bytes were in nobody's figure before. */
  rx = MAX (rx, 0);
  tx = MAX (tx, 0);
  add (&adding->sheet->parts[WEIR_LEDGER_OTHERS], rx, tx);
  if (rx + tx > 0)
    adding->sheet->reasons |= WEIR_LEDGER_FOLDED;
}

/* ---- sheets ---- */

WeirLedgerSum
weir_ledger_sheet_get_sum (const WeirLedgerSheet *sheet)
{
  WeirLedgerSum sum = sheet->counted;

  add (&sum, sheet->parts[WEIR_LEDGER_LOCAL].rx, sheet->parts[WEIR_LEDGER_LOCAL].tx);
  return sum;
}

/* What no other part explains, so that all of them add up. */
static void
balance (WeirLedgerSheet *sheet)
{
  WeirLedgerSum rest = weir_ledger_sheet_get_sum (sheet);

  for (guint part = 0; part < WEIR_LEDGER_REST; part++)
    add (&rest, -sheet->parts[part].rx, -sheet->parts[part].tx);
  sheet->parts[WEIR_LEDGER_REST] = rest;
}

/* What is measured later than it is seen was measured all the same. */
static guint
join_reasons (WeirLedger *self, const WeirLedgerSheet *sheet)
{
  guint passing = WEIR_LEDGER_UNMEASURED | WEIR_LEDGER_PAYLOAD_ONLY;
  guint reasons = (self->total.reasons & ~passing) | sheet->reasons;
  WeirLedgerSum payload = self->total.payload_only;

  if (self->lost_unmeasured)
    reasons |= WEIR_LEDGER_UNMEASURED;
  if (payload.rx != 0 || payload.tx != 0)
    reasons |= WEIR_LEDGER_PAYLOAD_ONLY;
  return reasons;
}

static void
add_sheet (WeirLedger *self, const WeirLedgerSheet *sheet)
{
  WeirLedgerSheet *total = &self->total;

  total->seconds += sheet->seconds;
  add (&total->counted, sheet->counted.rx, sheet->counted.tx);
  add (&total->payload_only, sheet->payload_only.rx, sheet->payload_only.tx);
  for (guint part = 0; part < WEIR_LEDGER_REST; part++)
    add (&total->parts[part], sheet->parts[part].rx, sheet->parts[part].tx);
  total->reasons = join_reasons (self, sheet);
  balance (total);
}

void
weir_ledger_add (WeirLedger *self, const struct weir_interface_record *interfaces,
                 guint n_interfaces, GPtrArray *rows, const struct weir_tick *tick, guint32 netns)
{
  WeirLedgerSheet sheet = { 0 };
  Adding adding = { .self = self,
                    .sheet = &sheet,
                    .tick = tick,
                    .netns = netns,
                    .is_first = !self->has_tick || tick->interval == 0 };

  weir_ledger_routes_update (self->routes, interfaces, n_interfaces);
  if (self->has_tick && tick->monotonic > self->tick.monotonic)
    sheet.seconds = (tick->monotonic - self->tick.monotonic) / 1e9;
  add_interfaces (&adding, interfaces, n_interfaces);
  for (guint i = 0; i < rows->len; i++)
    add_flow (&adding, rows->pdata[i]);
  if (!adding.is_first)
    add_others (&adding);
  else
    sheet.parts[WEIR_LEDGER_START] = sheet.counted;
  if (adding.measured_packets)
    sheet.reasons |= WEIR_LEDGER_UNTRACKED;
  if (sheet.payload_only.rx > 0 || sheet.payload_only.tx > 0)
    sheet.reasons |= WEIR_LEDGER_PAYLOAD_ONLY;
  balance (&sheet);
  add_sheet (self, &sheet);
  self->last = sheet;
  self->tick = *tick;
  self->has_tick = TRUE;
  self->live_rx = adding.live_rx;
  self->live_tx = adding.live_tx;
}

void
weir_ledger_reset (WeirLedger *self)
{
  self->total = (WeirLedgerSheet) { 0 };
  self->lost_unmeasured = FALSE;
  self->epoch++;
}

const WeirLedgerSheet *
weir_ledger_get_last (WeirLedger *self)
{
  return &self->last;
}

const WeirLedgerSheet *
weir_ledger_get_total (WeirLedger *self)
{
  return &self->total;
}

/* ---- words ---- */

static const struct
{
  const char *name;
  const char *meaning;
} parts[WEIR_N_LEDGER_PARTS] = {
  [WEIR_LEDGER_APPS] = { N_ ("Apps"), N_ ("connections of a known app") },
  [WEIR_LEDGER_FORWARDED] = { N_ ("Forwarded"),
                              N_ ("passing through, once for each interface that is crossed") },
  [WEIR_LEDGER_KERNEL] = { N_ ("Kernel"), N_ ("ICMP and other protocols that belong to no app") },
  [WEIR_LEDGER_LOCAL] = { N_ ("Local"), N_ ("on the loopback interface, inside this computer") },
  [WEIR_LEDGER_NO_OWNER] = { N_ ("No known app"), N_ ("connections whose owner is not known") },
  [WEIR_LEDGER_OTHERS] = { N_ ("Others"), N_ ("connections beyond those that are listed") },
  [WEIR_LEDGER_HEADERS] = { N_ ("Headers"),
                            N_ ("of the link layer, which interfaces count and connections not") },
  [WEIR_LEDGER_TUNNELS] = { N_ ("In tunnels"), N_ ("taken off: in the parts above, and once more "
                                                   "in what carried it") },
  [WEIR_LEDGER_START] = { N_ ("Start"), N_ ("while one engine followed another") },
  [WEIR_LEDGER_REST] = { N_ ("Unattributed"), NULL },
};

static const struct
{
  WeirLedgerReason reason;
  const char *text;
} reasons_texts[] = {
  { WEIR_LEDGER_PAYLOAD_ONLY, N_ ("headers of TCP were not measured") },
  { WEIR_LEDGER_UNMEASURED, N_ ("the bytes of some connections were not measured") },
  { WEIR_LEDGER_UNTRACKED, N_ ("ARP, neighbour discovery and what no rule tracks") },
  { WEIR_LEDGER_FOLDED, N_ ("headers of connections that are not listed") },
  { WEIR_LEDGER_SEGMENTS, N_ ("headers of segments that a network card cuts or joins") },
  { WEIR_LEDGER_LINK_LAYER, N_ ("headers of an unknown size") },
};

const char *
weir_ledger_part_get_name (WeirLedgerPart part)
{
  return g_dgettext (GETTEXT_PACKAGE, parts[part].name);
}

const char *
weir_ledger_part_get_meaning (WeirLedgerPart part)
{
  return parts[part].meaning != NULL ? g_dgettext (GETTEXT_PACKAGE, parts[part].meaning) : NULL;
}

char *
weir_ledger_describe_reasons (guint reasons)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (reasons_texts); i++)
    if (reasons & reasons_texts[i].reason)
      g_string_append_printf (text, text->len > 0 ? "; %s" : "%s",
                              g_dgettext (GETTEXT_PACKAGE, reasons_texts[i].text));
  return text->len > 0 ? g_string_free_and_steal (g_steal_pointer (&text)) : NULL;
}
