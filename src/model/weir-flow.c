/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-flow-private.h"

#include <netinet/in.h>
#include <string.h>

#include "weir-flow-texts.h"
#include "weir-user-names.h"

/* Below this a smoothed rate is noise of the arithmetic; idle rows shall be equal, so that ties go
 * by id. */
#define SMOOTH_FLOOR 1.0

G_DEFINE_FINAL_TYPE (WeirFlow, weir_flow, G_TYPE_OBJECT)

static const char *
get_text (WeirFlow *self, WeirFlowText text)
{
  if (!(self->texts_known & (1u << text)))
    weir_flow_texts_make (self, text);
  return self->texts[text];
}

static void
forget_text (WeirFlow *self, WeirFlowText text)
{
  g_clear_pointer (&self->texts[text], g_free);
  self->texts_known &= ~(1u << text);
}

static void
forget_term (WeirFlow *self, WeirFlowTerm term)
{
  g_clear_pointer (&self->terms[term], weir_term_unref);
}

static void
forget_texts_of (WeirFlow *self, guint32 groups)
{
  if (groups & WEIR_FLOW_KEY)
    {
      forget_text (self, WEIR_TEXT_REMOTE);
      forget_text (self, WEIR_TEXT_LOCAL);
      forget_text (self, WEIR_TEXT_PROTOCOL);
      forget_term (self, WEIR_TERM_REMOTE);
      forget_term (self, WEIR_TERM_LOCAL);
      forget_term (self, WEIR_TERM_PROTOCOL);
    }
  if (groups & WEIR_FLOW_OWNER)
    {
      forget_text (self, WEIR_TEXT_APP);
      forget_text (self, WEIR_TEXT_APP_ID);
      forget_text (self, WEIR_TEXT_UNIT);
      forget_text (self, WEIR_TEXT_CONTAINER);
      forget_text (self, WEIR_TEXT_COMM);
      forget_text (self, WEIR_TEXT_USER);
      forget_term (self, WEIR_TERM_APP);
      forget_term (self, WEIR_TERM_COMM);
      forget_term (self, WEIR_TERM_USER);
    }
  if (groups & (WEIR_FLOW_KEY | WEIR_FLOW_OWNER | WEIR_FLOW_STATE))
    forget_text (self, WEIR_TEXT_SEARCH);
}

static void
weir_flow_finalize (GObject *object)
{
  WeirFlow *self = WEIR_FLOW (object);

  for (int text = 0; text < WEIR_N_TEXTS; text++)
    g_free (self->texts[text]);
  for (int term = 0; term < WEIR_N_TERMS; term++)
    forget_term (self, term);
  g_free (self->history);
  G_OBJECT_CLASS (weir_flow_parent_class)->finalize (object);
}

static void
weir_flow_class_init (WeirFlowClass *class)
{
  G_OBJECT_CLASS (class)->finalize = weir_flow_finalize;
}

static void
weir_flow_init (WeirFlow *self)
{
  self->rx_rate = self->tx_rate = self->smooth_rx = self->smooth_tx = WEIR_ABSENT;
  self->rx_bytes = self->tx_bytes = WEIR_ABSENT;
  self->first_seen = -1;
}

/* ---- for the store ---- */

WeirFlow *
weir_flow_new (const struct weir_flow_record *record, guint64 arrival)
{
  WeirFlow *self = g_object_new (WEIR_TYPE_FLOW, NULL);

  self->arrival = arrival;
  weir_flow_merge (self, record);
  return self;
}

static void
merge_owner (struct weir_flow_record *to, const struct weir_flow_record *from)
{
  to->owner_how = from->owner_how;
  to->owner_missing = from->owner_missing;
  to->pid = from->pid;
  to->start_time = from->start_time;
  to->has_uid = from->has_uid;
  to->uid = from->uid;
  to->cgroup_id = from->cgroup_id;
  memcpy (to->comm, from->comm, sizeof to->comm);
  memcpy (to->cgroup, from->cgroup, strnlen (from->cgroup, sizeof to->cgroup - 1) + 1);
  to->cgroup[sizeof to->cgroup - 1] = '\0';
}

static void
merge_opener (struct weir_flow_record *to, const struct weir_flow_record *from)
{
  to->opener_pid = from->opener_pid;
  to->opener_start_time = from->opener_start_time;
  to->opener_uid = from->opener_uid;
  memcpy (to->opener_comm, from->opener_comm, sizeof to->opener_comm);
}

static void
merge_bytes (struct weir_flow_record *to, const struct weir_flow_record *from)
{
  to->bytes_source = from->bytes_source;
  to->has_bytes = from->has_bytes;
  to->has_packets = from->has_packets;
  to->has_rates = from->has_rates;
  to->rx_bytes = from->rx_bytes;
  to->tx_bytes = from->tx_bytes;
  to->rx_packets = from->rx_packets;
  to->tx_packets = from->tx_packets;
  to->rx_rate = from->rx_rate;
  to->tx_rate = from->tx_rate;
}

static void
merge_conntrack (struct weir_flow_record *to, const struct weir_flow_record *from)
{
  to->zone = from->zone;
  to->zone_direction = from->zone_direction;
  to->has_mark = from->has_mark;
  to->mark = from->mark;
  to->has_tracking_state = from->has_tracking_state;
  to->tracking_state = from->tracking_state;
  to->answered = from->answered;
}

void
weir_flow_merge (WeirFlow *self, const struct weir_flow_record *record)
{
  struct weir_flow_record *to = &self->record;

  self->id = to->id = record->id;
  to->change = record->change;
  to->groups |= record->groups;
  self->dirty |= record->groups;
  self->touched = TRUE;
  /* A real end tells at least the state. */
  self->folded = record->change == WEIR_FLOW_ENDED && record->groups == 0;
  if (record->groups & WEIR_FLOW_KEY)
    {
      to->family = record->family;
      to->protocol = record->protocol;
      to->netns = record->netns;
      to->local = record->local;
      to->remote = record->remote;
      to->first_seen = record->first_seen;
    }
  if (record->groups & WEIR_FLOW_STATE)
    {
      to->state = record->state;
      to->direction = record->direction;
      to->sources = record->sources;
      to->ifindex = record->ifindex;
    }
  if (record->groups & WEIR_FLOW_BYTES)
    merge_bytes (to, record);
  if (record->groups & WEIR_FLOW_TCP)
    {
      to->rtt_us = record->rtt_us;
      to->retransmits = record->retransmits;
    }
  if (record->groups & WEIR_FLOW_OPENER)
    merge_opener (to, record);
  if (record->groups & WEIR_FLOW_OWNER)
    {
      merge_owner (to, record);
      /* Asked for early: an export may be the first to show the name, and does not wait for it. */
      if (record->has_uid)
        weir_user_names_get (record->uid);
    }
  if (record->groups & WEIR_FLOW_NAT)
    {
      to->nat_local = record->nat_local;
      to->nat_remote = record->nat_remote;
    }
  if (record->groups & WEIR_FLOW_CONNTRACK)
    merge_conntrack (to, record);
}

/* The engine's first_seen is on the clock that never jumps; the tick knows both clocks at one
 * moment. */
static gint64
to_realtime (guint64 boottime, const struct weir_tick *tick)
{
  if (boottime == 0 || boottime > tick->monotonic)
    return -1;
  guint64 ago = tick->monotonic - boottime;
  return ago <= tick->realtime ? (gint64) ((tick->realtime - ago) / 1000) : -1;
}

static double
smooth (double before, double now, double weight)
{
  if (now < 0 || before < 0)
    return now;
  double next = before + (now - before) * weight;
  return now == 0 && next < SMOOTH_FLOOR ? 0 : next;
}

static void
add_history (WeirFlow *self)
{
  if (self->history == NULL)
    {
      if (!(self->rx_rate > 0 || self->tx_rate > 0))
        {
          self->n_idle = MIN (self->n_idle + 1, WEIR_FLOW_HISTORY);
          return;
        }
      /* It has stood still until now. */
      self->history = g_new0 (WeirFlowHistory, 1);
      self->history->n = self->n_idle;
      self->history->next = self->n_idle % WEIR_FLOW_HISTORY;
    }
  self->history->rx[self->history->next] = self->rx_rate;
  self->history->tx[self->history->next] = self->tx_rate;
  self->history->next = (self->history->next + 1) % WEIR_FLOW_HISTORY;
  self->history->n = MIN (self->history->n + 1, WEIR_FLOW_HISTORY);
}

static void
show_figures (WeirFlow *self)
{
  const struct weir_flow_record *record = &self->record;
  gboolean has_group = record->groups & WEIR_FLOW_BYTES;

  self->rx_bytes = has_group && record->has_bytes ? record->rx_bytes : WEIR_ABSENT;
  self->tx_bytes = has_group && record->has_bytes ? record->tx_bytes : WEIR_ABSENT;
  /* An engine's first tick has no interval to measure a rate over; what the last one measured a
   * moment ago is shown for that long, or every rate would vanish and every row would jump. */
  if (!(self->bridged && has_group && record->has_bytes && !record->has_rates))
    {
      self->rx_rate = has_group && record->has_rates ? record->rx_rate : WEIR_ABSENT;
      self->tx_rate = has_group && record->has_rates ? record->tx_rate : WEIR_ABSENT;
    }
}

static void
count_packets (WeirFlow *self)
{
  const struct weir_flow_record *record = &self->record;

  if (!(record->groups & WEIR_FLOW_BYTES) || !record->has_packets)
    return;
  guint64 packets = record->rx_packets + record->tx_packets;
  self->packets_moved = packets > self->packets ? packets - self->packets : 0;
  self->packets = packets;
}

void
weir_flow_show (WeirFlow *self, const struct weir_tick *moment, guint64 number)
{
  forget_texts_of (self, self->dirty);
  show_figures (self);
  if (self->first_seen < 0)
    self->first_seen = to_realtime (self->record.first_seen, moment);
  gboolean ended = self->record.change == WEIR_FLOW_ENDED;
  if (ended != self->closed)
    {
      self->closed = ended;
      self->closed_at = moment->monotonic;
      forget_text (self, WEIR_TEXT_SEARCH);
    }
  self->touched = FALSE;
  self->dirty = 0;
  self->changed = number;
  self->read_at = moment->realtime / 1000;
}

gboolean
weir_flow_tick (WeirFlow *self, const struct weir_tick *tick, double smoothing, guint64 number)
{
  gboolean touched = self->touched;

  self->packets_moved = 0;
  if (self->bridged && tick->interval > 0)
    {
      self->bridged = FALSE;
      show_figures (self);
      count_packets (self);
    }
  if (touched)
    {
      weir_flow_show (self, tick, number);
      count_packets (self);
    }
  else if (self->closed && self->rx_rate >= 0)
    /* The last figures were of the interval in which it ended. */
    self->rx_rate = self->tx_rate = 0;

  if (!self->closed)
    self->read_at = tick->realtime / 1000;
  self->smooth_rx = smooth (self->smooth_rx, self->rx_rate, smoothing);
  self->smooth_tx = smooth (self->smooth_tx, self->tx_rate, smoothing);
  add_history (self);
  return touched;
}

WeirFlow *
weir_flow_dup_frozen (WeirFlow *self)
{
  WeirFlow *copy = g_object_new (WEIR_TYPE_FLOW, NULL);

  /* All that does not belong to GObject and is no pointer of its own. */
  gsize start = sizeof (GObject);
  memcpy ((char *) copy + start, (const char *) self + start, sizeof *self - start);
  if (self->history != NULL)
    copy->history = g_memdup2 (self->history, sizeof *self->history);
  for (int term = 0; term < WEIR_N_TERMS; term++)
    if (self->terms[term] != NULL)
      weir_term_ref (self->terms[term]);
  for (int text = 0; text < WEIR_N_TEXTS; text++)
    copy->texts[text] = g_strdup (self->texts[text]);
  return copy;
}

void
weir_flow_forget_user (WeirFlow *self)
{
  forget_text (self, WEIR_TEXT_USER);
  forget_term (self, WEIR_TERM_USER);
  forget_text (self, WEIR_TEXT_SEARCH);
}

/* Addresses order by value, not by their letters: family, address, port. */
static char *
make_endpoint_key (const struct weir_flow_record *record, const struct weir_endpoint *endpoint)
{
  static const char digits[] = "0123456789abcdef";
  guint8 bytes[19] = { record->family };
  char *key = g_malloc (2 * sizeof bytes + 1);

  memcpy (bytes + 1, endpoint->address, 16);
  bytes[17] = endpoint->port >> 8;
  bytes[18] = endpoint->port & 0xff;
  for (gsize i = 0; i < sizeof bytes; i++)
    {
      key[2 * i] = digits[bytes[i] >> 4];
      key[2 * i + 1] = digits[bytes[i] & 0xf];
    }
  key[2 * sizeof bytes] = '\0';
  return key;
}

WeirTerm *
weir_flow_get_term (WeirFlow *self, WeirFlowTerm term)
{
  static const WeirFlowText texts[WEIR_N_TERMS] = { WEIR_TEXT_APP,   WEIR_TEXT_COMM,
                                                    WEIR_TEXT_USER,  WEIR_TEXT_REMOTE,
                                                    WEIR_TEXT_LOCAL, WEIR_TEXT_PROTOCOL };

  if (self->terms[term] != NULL)
    return self->terms[term];
  const char *text = get_text (self, texts[term]);
  if (text == NULL)
    return NULL;
  g_autofree char *key = NULL;
  if (term == WEIR_TERM_REMOTE)
    key = make_endpoint_key (&self->record, &self->record.remote);
  else if (term == WEIR_TERM_LOCAL)
    key = make_endpoint_key (&self->record, &self->record.local);
  self->terms[term] =
      weir_term_new (key != NULL ? WEIR_COLLATION_BYTES : WEIR_COLLATION_TEXT, text, key);
  return self->terms[term];
}

/* ---- for everybody ---- */

guint64
weir_flow_get_id (WeirFlow *self)
{
  return self->id;
}

const struct weir_flow_record *
weir_flow_get_record (WeirFlow *self)
{
  return &self->record;
}

const char *
weir_flow_get_app_name (WeirFlow *self)
{
  return get_text (self, WEIR_TEXT_APP);
}

const char *
weir_flow_get_app_id (WeirFlow *self)
{
  return get_text (self, WEIR_TEXT_APP_ID);
}

WeirAppKind
weir_flow_get_app_kind (WeirFlow *self)
{
  weir_flow_get_app_name (self);
  return self->app_kind;
}

const char *
weir_flow_get_unit (WeirFlow *self)
{
  return get_text (self, WEIR_TEXT_UNIT);
}

const char *
weir_flow_get_container (WeirFlow *self)
{
  return get_text (self, WEIR_TEXT_CONTAINER);
}

const char *
weir_flow_get_comm (WeirFlow *self)
{
  return get_text (self, WEIR_TEXT_COMM);
}

const char *
weir_flow_get_user (WeirFlow *self)
{
  return get_text (self, WEIR_TEXT_USER);
}

const char *
weir_flow_get_remote (WeirFlow *self)
{
  return get_text (self, WEIR_TEXT_REMOTE);
}

const char *
weir_flow_get_local (WeirFlow *self)
{
  return get_text (self, WEIR_TEXT_LOCAL);
}

const char *
weir_flow_get_protocol (WeirFlow *self)
{
  return get_text (self, WEIR_TEXT_PROTOCOL);
}

const char *
weir_flow_get_search_text (WeirFlow *self)
{
  return get_text (self, WEIR_TEXT_SEARCH);
}

gboolean
weir_flow_is_closed (WeirFlow *self)
{
  return self->closed;
}

double
weir_flow_get_rx_rate (WeirFlow *self)
{
  return self->rx_rate;
}

double
weir_flow_get_tx_rate (WeirFlow *self)
{
  return self->tx_rate;
}

double
weir_flow_get_smooth_rx_rate (WeirFlow *self)
{
  return self->smooth_rx;
}

double
weir_flow_get_smooth_tx_rate (WeirFlow *self)
{
  return self->smooth_tx;
}

double
weir_flow_get_rx_bytes (WeirFlow *self)
{
  return self->rx_bytes;
}

double
weir_flow_get_tx_bytes (WeirFlow *self)
{
  return self->tx_bytes;
}

double
weir_flow_get_total (WeirFlow *self)
{
  return self->rx_bytes >= 0 ? self->rx_bytes + self->tx_bytes : WEIR_ABSENT;
}

gint64
weir_flow_get_first_seen (WeirFlow *self)
{
  return self->first_seen;
}

gint64
weir_flow_get_read_at (WeirFlow *self)
{
  return self->read_at;
}

guint
weir_flow_copy_history (WeirFlow *self, float ret_rx[WEIR_FLOW_HISTORY],
                        float ret_tx[WEIR_FLOW_HISTORY])
{
  const WeirFlowHistory *history = self->history;

  if (history == NULL)
    {
      for (guint i = 0; i < self->n_idle; i++)
        {
          ret_rx[i] = self->rx_rate < 0 ? WEIR_ABSENT : 0;
          ret_tx[i] = self->tx_rate < 0 ? WEIR_ABSENT : 0;
        }
      return self->n_idle;
    }
  guint first = (history->next + WEIR_FLOW_HISTORY - history->n) % WEIR_FLOW_HISTORY;
  for (guint i = 0; i < history->n; i++)
    {
      ret_rx[i] = history->rx[(first + i) % WEIR_FLOW_HISTORY];
      ret_tx[i] = history->tx[(first + i) % WEIR_FLOW_HISTORY];
    }
  return history->n;
}
