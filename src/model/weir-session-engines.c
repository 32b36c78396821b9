/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which engine speaks: the one that is shown, the one that will be, and those that are leaving. */
#define G_LOG_DOMAIN "weir-model"
#include "config.h"

#include "weir-session-private.h"

/* Frames of an engine that has not ticked yet are kept until it does. */
#define QUEUE_MAX (64 * 1024 * 1024)

typedef struct
{
  guint16 type;
  GBytes *body;
} QueuedFrame;

static void
queued_frame_free (gpointer data)
{
  QueuedFrame *queued = data;

  g_bytes_unref (queued->body);
  g_free (queued);
}

guint
weir_session_get_asked_interval (WeirSession *self)
{
  if (!self->visible)
    return WEIR_INTERVAL_IDLE_MS;
  return CLAMP (self->interval_ms, WEIR_INTERVAL_FLOOR_MS, WEIR_INTERVAL_CEILING_MS);
}

/* Who looks away has no use for what is new at this moment. */
static struct weir_wish
get_wish (WeirSession *self)
{
  return (struct weir_wish) {
    .interval_ms = weir_session_get_asked_interval (self),
    .announce_ms = self->visible ? self->announce_ms : 0,
    .rows = self->rows,
  };
}

void
weir_session_ask_for_interval (WeirSession *self)
{
  struct weir_wish wish = get_wish (self);

  self->renewed_at = g_get_monotonic_time ();
  if (self->current != NULL)
    weir_session_engine_send_wish (self->current, &wish);
  if (self->next != NULL)
    weir_session_engine_send_wish (self->next, &wish);
}

static void
on_gone (WeirSessionEngine *engine, WeirSession *self)
{
  g_ptr_array_remove_fast (self->leaving, engine);
  weir_session_update_state (self);
}

void
weir_session_retire (WeirSession *self, WeirSessionEngine **engine)
{
  WeirSessionEngine *leaving = g_steal_pointer (engine);

  if (leaving == NULL)
    return;
  g_signal_handlers_disconnect_by_data (leaving, self);
  g_signal_connect_object (leaving, "gone", G_CALLBACK (on_gone), self, 0);
  g_ptr_array_add (self->leaving, leaving);
  weir_session_engine_stop (leaving);
}

void
weir_session_clear_queue (WeirSession *self)
{
  g_clear_pointer (&self->queue, g_ptr_array_unref);
  self->queue = g_ptr_array_new_with_free_func (queued_frame_free);
  self->queue_size = 0;
}

void
weir_session_next_failed (WeirSession *self, const GError *error)
{
  weir_session_clear_queue (self);
  g_clear_object (&self->next);
  if (self->unlocking)
    {
      weir_session_report_unlock_failure (self, error);
      return;
    }
  /* The limited view was asked for and cannot be had; the full one is not wanted any more. */
  weir_session_retire (self, &self->current);
  weir_session_details_restart (self->details);
  weir_session_set_failure (self, error);
  weir_session_update_state (self);
}

static void
on_failed (WeirSessionEngine *engine, GError *error, WeirSession *self)
{
  g_autoptr (WeirSession) alive = g_object_ref (self);
  g_autoptr (WeirSessionEngine) ended = g_object_ref (engine);

  if (engine == self->next)
    {
      weir_session_next_failed (self, error);
      return;
    }
  g_clear_object (&self->current);
  weir_session_details_restart (self->details);
  weir_session_set_failure (self, error);
  weir_session_update_state (self);
}

static void
on_ready (WeirSessionEngine *engine, WeirSession *self)
{
  struct weir_wish wish = get_wish (self);

  self->renewed_at = g_get_monotonic_time ();
  weir_session_engine_send_wish (engine, &wish);
}

static void
on_frame (WeirSessionEngine *engine, const struct weir_frame *frame, WeirSession *self);

/* Returns FALSE and sets @error when it cannot be launched. */
gboolean
weir_session_launch (WeirSession *self, WeirLauncher *launcher, gboolean asks_person,
                     GError **error)
{
  weir_session_retire (self, &self->next);
  weir_session_clear_queue (self);
  self->next = weir_session_engine_new (launcher, self->runtime_dir, asks_person, error);
  if (self->next == NULL)
    return FALSE;
  g_signal_connect_object (self->next, "ready", G_CALLBACK (on_ready), self, 0);
  g_signal_connect_object (self->next, "frame", G_CALLBACK (on_frame), self, 0);
  g_signal_connect_object (self->next, "failed", G_CALLBACK (on_failed), self, 0);
  return TRUE;
}

static void
enqueue (WeirSession *self, const struct weir_frame *frame)
{
  QueuedFrame *queued = g_new (QueuedFrame, 1);

  queued->type = frame->type;
  queued->body = g_bytes_new (frame->body, frame->size);
  self->queue_size += sizeof *queued + frame->size;
  g_ptr_array_add (self->queue, queued);
}

/* The limited view has been on screen until this moment; the new engine's first tick replaces all
 * of it at once. */
static void
become_current (WeirSession *self)
{
  g_autoptr (GPtrArray) queue = g_steal_pointer (&self->queue);

  weir_session_clear_queue (self);
  weir_session_retire (self, &self->current);
  self->current = g_steal_pointer (&self->next);
  weir_session_engine_set_alive (self->current);
  self->unlocking = FALSE;
  self->stalled = FALSE;
  weir_session_set_failure (self, NULL);
  weir_flow_store_restart (self->flows);
  weir_receiver_store_restart (self->receivers);
  weir_session_forget_notices (self);
  weir_session_details_restart (self->details);
  weir_session_set_view (self, weir_session_engine_get_view (self->current));
  /* Anything below may lead to another engine, or to the end of this one. */
  for (guint i = 0; i < queue->len && self->current != NULL; i++)
    {
      QueuedFrame *queued = queue->pdata[i];
      gsize size;
      struct weir_frame frame = { .type = queued->type };
      frame.body = g_bytes_get_data (queued->body, &size);
      frame.size = size;
      if (!weir_session_take_frame (self, &frame))
        weir_session_engine_fail_protocol (self->current);
    }
  weir_session_update_state (self);
}

static void
on_frame (WeirSessionEngine *engine, const struct weir_frame *frame, WeirSession *self)
{
  g_autoptr (WeirSession) alive = g_object_ref (self);

  if (engine == self->current)
    {
      if (!weir_session_take_frame (self, frame))
        weir_session_engine_fail_protocol (engine);
      return;
    }
  enqueue (self, frame);
  if (frame->type == WEIR_MESSAGE_TICK)
    become_current (self);
  else if (self->queue_size > QUEUE_MAX)
    weir_session_engine_fail_protocol (engine);
}
