/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-model"
#include "config.h"

#include "weir-session-private.h"

#include <glib/gi18n-lib.h>

#include "weir-flow-store-private.h"
#include "weir-listener.h"

/* An hour at the default cadence. */
#define HISTORY_SAMPLES 3600

/* An engine forgets a wish after WEIR_RENEWAL_MS: asked again in half of that, the cadence holds.
 * While hidden only the leash (WEIR_LEASH_MS) is renewed, and the idle cadence is all that is
 * wished for: slow, but the history has no holes when somebody looks again. */
#define RENEW_MS        (WEIR_RENEWAL_MS / 2)
#define HIDDEN_RENEW_MS 25000

/* Three ticks may be missing, and half a one more for a busy machine. */
#define MISSED_TICKS    3.5
#define MISSED_SLACK_MS 500

G_DEFINE_FINAL_TYPE (WeirSession, weir_session, G_TYPE_OBJECT)

enum
{
  PROP_STATE = 1,
  PROP_VIEW,
  PROP_CAN_UNLOCK,
  PROP_UNLOCK_REASON,
  N_PROPERTIES
};
static GParamSpec *properties[N_PROPERTIES];

enum
{
  UNLOCK_FAILED,
  SOURCES_CHANGED,
  INTERFACES_CHANGED,
  CONFINEMENT_CHANGED,
  NOTICES_CHANGED,
  NAMESPACES_CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

GType
weir_session_state_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    { WEIR_SESSION_IDLE, "WEIR_SESSION_IDLE", "idle" },
    { WEIR_SESSION_STARTING, "WEIR_SESSION_STARTING", "starting" },
    { WEIR_SESSION_AUTHORISING, "WEIR_SESSION_AUTHORISING", "authorising" },
    { WEIR_SESSION_RUNNING, "WEIR_SESSION_RUNNING", "running" },
    { WEIR_SESSION_NOT_ANSWERING, "WEIR_SESSION_NOT_ANSWERING", "not-answering" },
    { WEIR_SESSION_STOPPING, "WEIR_SESSION_STOPPING", "stopping" },
    { WEIR_SESSION_FAILED, "WEIR_SESSION_FAILED", "failed" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("WeirSessionState", values));
  return type;
}

/* The state follows from what there is; nothing else sets it. */
static WeirSessionState
find_state (WeirSession *self)
{
  if (self->unlocking)
    return WEIR_SESSION_AUTHORISING;
  if (self->current != NULL)
    return self->stalled ? WEIR_SESSION_NOT_ANSWERING : WEIR_SESSION_RUNNING;
  if (self->next != NULL)
    return WEIR_SESSION_STARTING;
  if (self->failure != NULL)
    return WEIR_SESSION_FAILED;
  return self->leaving->len > 0 ? WEIR_SESSION_STOPPING : WEIR_SESSION_IDLE;
}

void
weir_session_update_state (WeirSession *self)
{
  WeirSessionState state = find_state (self);

  if (state == self->state)
    return;
  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

void
weir_session_set_view (WeirSession *self, enum weir_view view)
{
  if (view == self->view)
    return;
  self->view = view;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_VIEW]);
}

void
weir_session_set_failure (WeirSession *self, const GError *error)
{
  g_clear_error (&self->failure);
  if (error != NULL)
    self->failure = g_error_copy (error);
}

void
weir_session_report_unlock_failure (WeirSession *self, const GError *error)
{
  self->unlocking = FALSE;
  weir_session_update_state (self);
  g_signal_emit (self, signals[UNLOCK_FAILED], 0, error);
}

void
weir_session_ticked (WeirSession *self)
{
  self->ticked_at = g_get_monotonic_time ();
  self->stalled = FALSE;
  weir_session_update_state (self);
  if (self->wants_unlock)
    weir_session_ask_for (self, self->wanted);
}

void
weir_session_emit (WeirSession *self, enum weir_message message)
{
  switch (message)
    {
    case WEIR_MESSAGE_SOURCES:
      g_signal_emit (self, signals[SOURCES_CHANGED], 0);
      break;
    case WEIR_MESSAGE_CONFINEMENT:
      g_signal_emit (self, signals[CONFINEMENT_CHANGED], 0);
      break;
    case WEIR_MESSAGE_INTERFACES:
      g_signal_emit (self, signals[INTERFACES_CHANGED], 0);
      break;
    case WEIR_MESSAGE_NOTICES:
      g_signal_emit (self, signals[NOTICES_CHANGED], 0);
      break;
    case WEIR_MESSAGE_NAMESPACES:
      g_signal_emit (self, signals[NAMESPACES_CHANGED], 0);
      break;
    default:
      g_assert_not_reached ();
    }
}

/* ---- time ---- */

static gint64
get_patience_us (WeirSession *self)
{
  const struct weir_tick *tick = weir_flow_store_get_last_tick (self->flows);
  double interval_ms = weir_session_get_asked_interval (self);

  /* The engine's own floor may be higher than what we asked for. */
  if (tick != NULL)
    interval_ms = MAX (interval_ms, tick->interval / 1e6);
  return (interval_ms * MISSED_TICKS + MISSED_SLACK_MS) * 1000;
}

static gboolean
on_beat (gpointer data)
{
  WeirSession *self = data;
  gint64 now = g_get_monotonic_time ();
  gint64 renew_us = (self->visible ? RENEW_MS : HIDDEN_RENEW_MS) * G_GINT64_CONSTANT (1000);

  /* Our own standstill (a stopped process, a debugger) is not the engine's: what it sent meanwhile
   * is still to be read. */
  if (now - self->beat_at > 3 * self->beat_ms * G_GINT64_CONSTANT (1000))
    self->ticked_at = now;
  self->beat_at = now;
  if (now - self->renewed_at >= renew_us)
    weir_session_ask_for_interval (self);
  if (self->current != NULL && !self->stalled && now - self->ticked_at > get_patience_us (self))
    {
      self->stalled = self->gap = TRUE;
      weir_session_update_state (self);
    }
  return G_SOURCE_CONTINUE;
}

static void
set_beat (WeirSession *self)
{
  guint beat_ms =
      self->visible ? CLAMP (self->interval_ms / 2, WEIR_INTERVAL_FLOOR_MS, 1000) : RENEW_MS;

  if (self->beat != 0 && beat_ms == self->beat_ms)
    return;
  g_clear_handle_id (&self->beat, g_source_remove);
  self->beat_ms = beat_ms;
  self->beat_at = g_get_monotonic_time ();
  self->beat = g_timeout_add (beat_ms, on_beat, self);
}

/* ---- unlocking ---- */

static void
set_unlock_possible (WeirSession *self, const GError *error)
{
  gboolean possible = error == NULL;

  if (g_set_str (&self->unlock_reason, error != NULL ? error->message : NULL))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_UNLOCK_REASON]);
  if (possible == self->can_unlock)
    return;
  self->can_unlock = possible;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CAN_UNLOCK]);
}

static void
launch_full (WeirSession *self)
{
  g_autoptr (GError) error = NULL;

  if (!weir_session_launch (self, self->wanted, TRUE, &error))
    weir_session_report_unlock_failure (self, error);
  else
    weir_session_update_state (self);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WeirSession) self = data;
  g_autoptr (GError) error = NULL;
  gboolean possible = weir_launcher_check_finish (WEIR_LAUNCHER (source), result, &error);

  if (self->checking == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->checking);
  /* What can be had together with counting can be had without; the reverse need not be. */
  if (possible || self->checked == self->full)
    set_unlock_possible (self, error);
  if (!self->unlocking)
    return;
  if (possible)
    launch_full (self);
  else
    weir_session_report_unlock_failure (self, error);
}

static void
check (WeirSession *self, WeirLauncher *launcher)
{
  if (launcher == NULL || (self->checking != NULL && self->checked == launcher))
    return;
  if (self->checking != NULL)
    g_cancellable_cancel (self->checking);
  g_clear_object (&self->checking);
  self->checking = g_cancellable_new ();
  self->checked = launcher;
  weir_launcher_check_async (launcher, self->checking, on_checked, g_object_ref (self));
}

/* ---- object ---- */

static void
end_all (WeirSession *self)
{
  if (self->checking != NULL)
    g_cancellable_cancel (self->checking);
  g_clear_object (&self->checking);
  self->unlocking = self->wants_unlock = FALSE;
  weir_session_clear_queue (self);
  weir_session_retire (self, &self->next);
  weir_session_retire (self, &self->current);
  weir_session_details_restart (self->details);
  self->stalled = FALSE;
}

static void
weir_session_dispose (GObject *object)
{
  WeirSession *self = WEIR_SESSION (object);

  end_all (self);
  g_clear_handle_id (&self->beat, g_source_remove);
  g_ptr_array_set_size (self->leaving, 0);
  G_OBJECT_CLASS (weir_session_parent_class)->dispose (object);
}

static void
weir_session_finalize (GObject *object)
{
  WeirSession *self = WEIR_SESSION (object);

  g_clear_object (&self->limited);
  g_clear_object (&self->full);
  g_clear_object (&self->counting);
  g_clear_object (&self->flows);
  g_clear_object (&self->receivers);
  g_clear_object (&self->history);
  g_clear_pointer (&self->traffic, weir_traffic_free);
  g_clear_pointer (&self->ledger, weir_ledger_free);
  g_clear_pointer (&self->details, weir_session_details_free);
  g_clear_pointer (&self->interfaces, g_array_unref);
  g_clear_pointer (&self->namespaces, g_array_unref);
  g_clear_pointer (&self->queue, g_ptr_array_unref);
  g_clear_pointer (&self->leaving, g_ptr_array_unref);
  g_clear_error (&self->failure);
  g_free (self->runtime_dir);
  g_free (self->unlock_reason);
  G_OBJECT_CLASS (weir_session_parent_class)->finalize (object);
}

static void
weir_session_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeirSession *self = WEIR_SESSION (object);

  switch (id)
    {
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_VIEW:
      g_value_set_uint (value, self->view);
      break;
    case PROP_CAN_UNLOCK:
      g_value_set_boolean (value, self->can_unlock);
      break;
    case PROP_UNLOCK_REASON:
      g_value_set_string (value, self->unlock_reason);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
weir_session_class_init (WeirSessionClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = weir_session_dispose;
  object_class->finalize = weir_session_finalize;
  object_class->get_property = weir_session_get_property;
  properties[PROP_STATE] =
      g_param_spec_enum ("state", NULL, NULL, WEIR_TYPE_SESSION_STATE, WEIR_SESSION_IDLE, flags);
  properties[PROP_VIEW] = g_param_spec_uint ("view", NULL, NULL, WEIR_VIEW_LIMITED, WEIR_VIEW_FULL,
                                             WEIR_VIEW_LIMITED, flags);
  properties[PROP_CAN_UNLOCK] = g_param_spec_boolean ("can-unlock", NULL, NULL, FALSE, flags);
  properties[PROP_UNLOCK_REASON] = g_param_spec_string ("unlock-reason", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
  signals[UNLOCK_FAILED] = g_signal_new ("unlock-failed", WEIR_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0,
                                         NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
  signals[SOURCES_CHANGED] = g_signal_new ("sources-changed", WEIR_TYPE_SESSION, G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[INTERFACES_CHANGED] =
      g_signal_new ("interfaces-changed", WEIR_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 0);
  signals[CONFINEMENT_CHANGED] =
      g_signal_new ("confinement-changed", WEIR_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 0);
  signals[NAMESPACES_CHANGED] =
      g_signal_new ("namespaces-changed", WEIR_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 0);
  signals[NOTICES_CHANGED] = g_signal_new ("notices-changed", WEIR_TYPE_SESSION, G_SIGNAL_RUN_LAST,
                                           0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
weir_session_init (WeirSession *self)
{
  self->flows = weir_flow_store_new ();
  self->receivers = weir_receiver_store_new ();
  self->history = weir_history_new (HISTORY_SAMPLES);
  self->traffic = weir_traffic_new ();
  self->ledger = weir_ledger_new ();
  self->details = weir_session_details_new (self);
  self->interfaces = g_array_new (FALSE, FALSE, sizeof (struct weir_interface_record));
  self->namespaces = g_array_new (FALSE, FALSE, sizeof (struct weir_namespace_record));
  weir_session_clear_queue (self);
  self->leaving = g_ptr_array_new_with_free_func (g_object_unref);
  self->interval_ms = WEIR_INTERVAL_DEFAULT_MS;
  self->visible = TRUE;
}

WeirSession *
weir_session_new (WeirLauncher *limited, WeirLauncher *full, const char *runtime_dir)
{
  g_return_val_if_fail (WEIR_IS_LAUNCHER (limited), NULL);
  g_return_val_if_fail (full == NULL || WEIR_IS_LAUNCHER (full), NULL);
  WeirSession *self = g_object_new (WEIR_TYPE_SESSION, NULL);

  self->limited = g_object_ref (limited);
  self->full = full != NULL ? g_object_ref (full) : NULL;
  self->runtime_dir = g_strdup (runtime_dir);
  return self;
}

static void
launch_limited (WeirSession *self)
{
  g_autoptr (GError) error = NULL;

  if (!weir_session_launch (self, self->limited, FALSE, &error))
    weir_session_next_failed (self, error);
  weir_session_update_state (self);
}

void
weir_session_start (WeirSession *self)
{
  g_return_if_fail (WEIR_IS_SESSION (self));

  end_all (self);
  weir_session_set_failure (self, NULL);
  self->gap = TRUE;
  set_beat (self);
  check (self, self->full);
  launch_limited (self);
}

void
weir_session_ask_for (WeirSession *self, WeirLauncher *launcher)
{
  if (launcher == NULL || self->unlocking)
    return;
  self->wanted = launcher;
  /* One engine becomes current before the next is launched. */
  self->wants_unlock = self->next != NULL;
  if (self->wants_unlock)
    return;
  self->unlocking = TRUE;
  set_beat (self);
  weir_session_update_state (self);
  /* Things may have changed since the check at the start, and nothing unsafe may be elevated. */
  check (self, launcher);
}

void
weir_session_unlock (WeirSession *self)
{
  g_return_if_fail (WEIR_IS_SESSION (self));
  weir_session_ask_for (self, self->full);
}

void
weir_session_unlock_counting (WeirSession *self)
{
  g_return_if_fail (WEIR_IS_SESSION (self));
  weir_session_ask_for (self, self->counting);
}

void
weir_session_set_counting_launcher (WeirSession *self, WeirLauncher *counting)
{
  g_return_if_fail (WEIR_IS_SESSION (self) && WEIR_IS_LAUNCHER (counting));
  g_return_if_fail (self->counting == NULL);
  self->counting = g_object_ref (counting);
}

gboolean
weir_session_get_asked_to_count (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), FALSE);
  return self->wanted != NULL && self->wanted == self->counting;
}

void
weir_session_cancel_unlock (WeirSession *self)
{
  g_return_if_fail (WEIR_IS_SESSION (self));

  self->wants_unlock = FALSE;
  if (!self->unlocking)
    return;
  self->unlocking = FALSE;
  weir_session_clear_queue (self);
  weir_session_retire (self, &self->next);
  weir_session_update_state (self);
}

void
weir_session_return_to_limited (WeirSession *self)
{
  g_return_if_fail (WEIR_IS_SESSION (self));

  weir_session_cancel_unlock (self);
  if (self->view == WEIR_VIEW_FULL && self->current != NULL && self->next == NULL)
    launch_limited (self);
}

void
weir_session_stop (WeirSession *self)
{
  g_return_if_fail (WEIR_IS_SESSION (self));

  end_all (self);
  weir_session_set_failure (self, NULL);
  g_clear_handle_id (&self->beat, g_source_remove);
  weir_session_update_state (self);
}

WeirSessionState
weir_session_get_state (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), WEIR_SESSION_IDLE);
  return self->state;
}

enum weir_view
weir_session_get_view (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), WEIR_VIEW_LIMITED);
  return self->view;
}

gboolean
weir_session_get_can_unlock (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), FALSE);
  return self->can_unlock;
}

const char *
weir_session_get_unlock_reason (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  return self->unlock_reason;
}

const GError *
weir_session_get_failure (WeirSession *self)
{
  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  return self->state == WEIR_SESSION_FAILED ? self->failure : NULL;
}

void
weir_session_set_interval (WeirSession *self, guint interval_ms)
{
  g_return_if_fail (WEIR_IS_SESSION (self));

  if (self->interval_ms == interval_ms)
    return;
  self->interval_ms = interval_ms;
  self->ticked_at = g_get_monotonic_time ();
  weir_session_ask_for_interval (self);
  if (self->beat != 0)
    set_beat (self);
}

void
weir_session_set_announce (WeirSession *self, guint announce_ms)
{
  g_return_if_fail (WEIR_IS_SESSION (self));

  if (self->announce_ms == announce_ms)
    return;
  self->announce_ms = announce_ms;
  weir_session_ask_for_interval (self);
}

void
weir_session_set_rows (WeirSession *self, guint rows)
{
  g_return_if_fail (WEIR_IS_SESSION (self));

  if (self->rows == rows)
    return;
  self->rows = rows;
  weir_session_ask_for_interval (self);
}

void
weir_session_set_visible (WeirSession *self, gboolean visible)
{
  g_return_if_fail (WEIR_IS_SESSION (self));

  if (self->visible == !!visible)
    return;
  self->visible = !!visible;
  self->ticked_at = g_get_monotonic_time ();
  /* Whoever looks again wants figures now; who looks away need not say so. */
  if (self->visible)
    weir_session_ask_for_interval (self);
  if (self->beat != 0)
    set_beat (self);
}
