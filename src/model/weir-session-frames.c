/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-model"
#include "config.h"

#include "weir-session-private.h"

#include <time.h>

#include "weir-flow-store-private.h"
#include "weir-interface-names.h"
#include "weir-losses.h"
#include "weir-namespace-names.h"

/* Clocks drift apart by this much only while the computer sleeps. */
#define SUSPENDED_US (2 * G_USEC_PER_SEC)

static void
on_flow (const struct weir_flow_record *record, void *data)
{
  weir_flow_store_apply (data, record);
}

static void
on_receiver (const struct weir_receiver_record *record, void *data)
{
  weir_receiver_store_apply (data, record);
}

static gboolean
take_receivers (WeirSession *self, const struct weir_frame *frame)
{
  struct weir_receivers_summary summary;

  if (weir_read_receivers (frame, &summary, on_receiver, self->receivers) < 0)
    return FALSE;
  weir_receiver_store_set_summary (self->receivers, &summary);
  return TRUE;
}

static void
on_interface (const struct weir_interface_record *record, void *data)
{
  GArray *interfaces = data;

  if (interfaces->len < WEIR_INTERFACES_MAX)
    g_array_append_vals (interfaces, record, 1);
}

static gboolean
take_interfaces (WeirSession *self, const struct weir_frame *frame)
{
  g_array_set_size (self->interfaces, 0);
  if (weir_read_interfaces (frame, on_interface, self->interfaces) < 0)
    {
      g_array_set_size (self->interfaces, 0);
      return FALSE;
    }
  weir_interface_names_set ((const struct weir_interface_record *) self->interfaces->data,
                            self->interfaces->len);
  weir_session_emit (self, WEIR_MESSAGE_INTERFACES);
  return TRUE;
}

static enum weir_reason
get_conntrack_reason (WeirSession *self)
{
  for (gsize i = 0; i < self->n_sources; i++)
    if (self->sources[i].source == WEIR_SOURCE_CONNTRACK)
      return self->sources[i].reason;
  return WEIR_REASON_NONE;
}

/* A source gives one reason at a time; what passes says nothing about what lasts. */
static void
update_counts (WeirSession *self)
{
  enum weir_reason reason = get_conntrack_reason (self);

  if (reason != WEIR_REASON_GOVERNED && reason != WEIR_REASON_LOSING_EVENTS)
    self->counts = reason == WEIR_REASON_ACCOUNTING_SWITCHED;
}

static gboolean
take_sources (WeirSession *self, const struct weir_frame *frame)
{
  if (weir_read_sources (frame, self->sources, WEIR_SESSION_SOURCES_MAX, &self->n_sources) < 0)
    {
      self->n_sources = 0;
      return FALSE;
    }
  update_counts (self);
  weir_losses_set_sources (self->sources, self->n_sources);
  weir_session_emit (self, WEIR_MESSAGE_SOURCES);
  return TRUE;
}

static gboolean
take_confinement (WeirSession *self, const struct weir_frame *frame)
{
  if (weir_read_confinement (frame, self->processes, WEIR_SESSION_PROCESSES_MAX,
                             &self->n_processes) < 0)
    {
      self->n_processes = 0;
      return FALSE;
    }
  weir_session_emit (self, WEIR_MESSAGE_CONFINEMENT);
  return TRUE;
}

static void
on_namespace (const struct weir_namespace_record *record, void *data)
{
  g_array_append_vals (data, record, 1);
}

static gboolean
take_namespaces (WeirSession *self, const struct weir_frame *frame)
{
  gboolean is_read;

  g_array_set_size (self->namespaces, 0);
  is_read =
      weir_read_namespaces (frame, on_namespace, self->namespaces, &self->namespaces_left_out) == 0;
  if (!is_read)
    g_array_set_size (self->namespaces, 0);
  weir_namespace_names_set ((const struct weir_namespace_record *) self->namespaces->data,
                            self->namespaces->len);
  weir_session_emit (self, WEIR_MESSAGE_NAMESPACES);
  return is_read;
}

static gboolean
take_notices (WeirSession *self, const struct weir_frame *frame)
{
  if (weir_read_notices (frame, self->notices, WEIR_NOTICES_MAX, &self->n_notices) < 0)
    {
      self->n_notices = 0;
      return FALSE;
    }
  weir_session_emit (self, WEIR_MESSAGE_NOTICES);
  return TRUE;
}

void
weir_session_forget_notices (WeirSession *self)
{
  if (self->n_notices == 0)
    return;
  self->n_notices = 0;
  weir_session_emit (self, WEIR_MESSAGE_NOTICES);
}

/* Whether the computer slept since the last call. */
static gboolean
has_slept (WeirSession *self)
{
  struct timespec boottime;
  gint64 before = self->suspended_us;

  if (clock_gettime (CLOCK_BOOTTIME, &boottime) < 0)
    return FALSE;
  self->suspended_us =
      boottime.tv_sec * G_USEC_PER_SEC + boottime.tv_nsec / 1000 - g_get_monotonic_time ();
  return self->suspended_us - before > SUSPENDED_US;
}

static gboolean
take_tick (WeirSession *self, const struct weir_frame *frame)
{
  struct weir_tick tick;
  WeirSample sample;

  if (weir_read_tick (frame, &tick) < 0)
    return FALSE;
  /* Rows are exported while the tick is told of. */
  weir_losses_set_tick (&tick);
  weir_flow_store_tick (self->flows, &tick);
  weir_receiver_store_tick (self->receivers, &tick);
  gboolean measured = weir_traffic_add (
      self->traffic, (const struct weir_interface_record *) self->interfaces->data,
      self->interfaces->len, weir_flow_store_get_rows (self->flows), &tick,
      weir_interface_names_get_netns (), &sample);
  weir_ledger_add (self->ledger, (const struct weir_interface_record *) self->interfaces->data,
                   self->interfaces->len, weir_flow_store_get_rows (self->flows), &tick,
                   weir_interface_names_get_netns ());
  /* A mean over minutes of sleep or silence is no sample of this moment: it stays a gap. */
  gboolean gap = has_slept (self) || self->gap;
  if (measured && !gap)
    weir_history_add (self->history, &sample);
  self->gap = FALSE;
  weir_session_ticked (self);
  return TRUE;
}

static gboolean
take_news (WeirSession *self, const struct weir_frame *frame)
{
  uint64_t monotonic;

  if (weir_read_news (frame, &monotonic) < 0)
    return FALSE;
  weir_flow_store_announce (self->flows, monotonic);
  return TRUE;
}

gboolean
weir_session_take_frame (WeirSession *self, const struct weir_frame *frame)
{
  switch (frame->type)
    {
    case WEIR_MESSAGE_FLOWS:
      return weir_read_flows (frame, on_flow, self->flows) == 0;
    case WEIR_MESSAGE_INTERFACES:
      return take_interfaces (self, frame);
    case WEIR_MESSAGE_SOURCES:
      return take_sources (self, frame);
    case WEIR_MESSAGE_CONFINEMENT:
      return take_confinement (self, frame);
    case WEIR_MESSAGE_DETAILS:
      return weir_session_details_take (self->details, frame);
    case WEIR_MESSAGE_NOTICES:
      return take_notices (self, frame);
    case WEIR_MESSAGE_LISTENERS:
      return take_receivers (self, frame);
    case WEIR_MESSAGE_NAMESPACES:
      return take_namespaces (self, frame);
    case WEIR_MESSAGE_NEWS:
      return take_news (self, frame);
    case WEIR_MESSAGE_TICK:
      return take_tick (self, frame);
    default:
      /* ERROR and BYE were read by the engine's own object; a later version may say more. */
      return TRUE;
    }
}

WeirFlowStore *
weir_session_get_flows (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  return self->flows;
}

WeirReceiverStore *
weir_session_get_receivers (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  return self->receivers;
}

WeirHistory *
weir_session_get_history (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  return self->history;
}

WeirLedger *
weir_session_get_ledger (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  return self->ledger;
}

const struct weir_source_status *
weir_session_get_sources (WeirSession *self, guint *ret_n)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  *ret_n = self->n_sources;
  return self->sources;
}

const struct weir_process_status *
weir_session_get_confinement (WeirSession *self, guint *ret_n)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  *ret_n = self->n_processes;
  return self->processes;
}

const struct weir_notice *
weir_session_get_notices (WeirSession *self, guint *ret_n)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  *ret_n = self->n_notices;
  return self->notices;
}

const struct weir_namespace_record *
weir_session_get_namespaces (WeirSession *self, guint *ret_n, guint32 *ret_left_out)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  *ret_n = self->namespaces->len;
  *ret_left_out = self->namespaces_left_out;
  return (const struct weir_namespace_record *) self->namespaces->data;
}

const struct weir_interface_record *
weir_session_get_interfaces (WeirSession *self, guint *ret_n)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  *ret_n = self->interfaces->len;
  return (const struct weir_interface_record *) self->interfaces->data;
}

double
weir_session_get_unknown_share (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), WEIR_ABSENT);
  return weir_traffic_get_unknown_share (self->traffic);
}

enum weir_cadence
weir_session_get_cadence (WeirSession *self, guint *ret_interval_ms)
{
  const struct weir_tick *tick;

  g_return_val_if_fail (WEIR_IS_SESSION (self), WEIR_CADENCE_AS_WISHED);
  tick = weir_flow_store_get_last_tick (self->flows);
  *ret_interval_ms = tick != NULL ? tick->cadence_ms : 0;
  return tick != NULL ? tick->cadence : WEIR_CADENCE_AS_WISHED;
}

gboolean
weir_session_get_can_count (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), FALSE);
  return self->counting != NULL && !self->unlocking && self->view == WEIR_VIEW_FULL &&
         get_conntrack_reason (self) == WEIR_REASON_ACCOUNTING_OFF;
}

gboolean
weir_session_get_counts (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), FALSE);
  return self->counts;
}
