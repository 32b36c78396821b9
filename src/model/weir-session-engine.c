/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-model"
#include "config.h"

#include "weir-session-engine.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "weir-channel.h"
#include "weir-format.h"
#include "weir-listener.h"

/* From launching to HELLO, and from HELLO to the first TICK: a loaded machine needs a second or
 * two. */
#define DEADLINE_SECONDS 15
/* Between the end of its process and the end of its connection, in either order: what it had to say
 * is still on the way. */
#define LAST_WORDS_SECONDS 2
#define GONE_SECONDS       2

struct _WeirSessionEngine
{
  GObject parent;

  WeirLauncher *launcher;
  WeirListener *listener;
  WeirChild *child;
  WeirChannel *channel;
  GCancellable *accepting;
  gboolean started;  /* START was sent */
  gboolean finished; /* stopped or failed: no more signals but gone */
  gboolean stopped;
  gboolean has_exited;
  int wait_status;
  gboolean is_closed;
  GError *reason; /* the best words so far for why it ended */
  guint timer;
};

G_DEFINE_FINAL_TYPE (WeirSessionEngine, weir_session_engine, G_TYPE_OBJECT)

enum
{
  READY,
  FRAME,
  FAILED,
  GONE,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

static const struct
{
  guint code;
  const char *message;
} errors[] = {
  { WEIR_ERROR_CONFINEMENT,
    N_ ("The measuring program could not give up its rights, and ended rather than keep them. "
        "This system or container does not let it confine itself.") },
  { WEIR_ERROR_INTERNAL,
    N_ ("The measuring program met an error that it did not expect. Start measuring again; if it "
        "happens again, please report it.") },
  { WEIR_ERROR_PROTOCOL,
    N_ ("The measuring program does not understand Weir: they are of different versions. Restart "
        "Weir, or reinstall it.") },
  { WEIR_ERROR_TOO_MANY_ENGINES,
    N_ ("Too many measuring programs are running already. Close other windows of Weir and try "
        "again.") },
  { WEIR_ERROR_SOURCES,
    N_ ("The measuring program cannot reach any source of the kernel. This system or container "
        "does not let it look at connections.") },
  { WEIR_ERROR_STRICT,
    N_ ("This system refuses the measuring program a layer of protection, and “engine.conf” says "
        "that it must not run without.") },
};

GError *
weir_session_engine_word_error (const struct weir_error *error)
{
  const char *message = N_ ("The measuring program ended with an error that this version of Weir "
                            "does not know. Reinstall Weir.");
  g_autofree char *what = weir_format_sanitise (error->what, sizeof error->what);

  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    if (errors[i].code == error->code)
      message = errors[i].message;
  if (*what == '\0' && error->error == 0)
    return g_error_new_literal (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE, _ (message));
  if (error->error == 0)
    return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE, "%s (%s)", _ (message),
                        what);
  return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE, "%s (%s: %s)", _ (message),
                      what, g_strerror (error->error));
}

static void
set_timer (WeirSessionEngine *self, guint seconds, GSourceFunc function)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  if (function != NULL)
    self->timer = g_timeout_add_seconds (seconds, function, self);
}

static void
let_go (WeirSessionEngine *self)
{
  set_timer (self, 0, NULL);
  if (self->accepting != NULL)
    g_cancellable_cancel (self->accepting);
  g_clear_object (&self->accepting);
  if (self->channel != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->channel, self);
      weir_channel_close (self->channel);
    }
  g_clear_object (&self->channel);
  g_clear_object (&self->listener);
}

static void
let_go_of_child (WeirSessionEngine *self)
{
  if (self->child != NULL)
    g_signal_handlers_disconnect_by_data (self->child, self);
  g_clear_object (&self->child);
}

/* Takes @error, unless there are better words already. */
static void
fail (WeirSessionEngine *self, GError *error)
{
  g_autoptr (WeirSessionEngine) alive = g_object_ref (self);
  g_autoptr (GError) other = error;

  if (self->finished)
    return;
  self->finished = TRUE;
  let_go (self);
  let_go_of_child (self);
  g_signal_emit (self, signals[FAILED], 0, self->reason != NULL ? self->reason : other);
}

static void
fail_with_what_is_known (WeirSessionEngine *self)
{
  if (self->has_exited)
    fail (self, weir_launcher_explain (self->launcher, self->child, self->wait_status));
  else
    fail (self, g_error_new_literal (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE,
                                     _ ("The measuring program closed the connection. Start "
                                        "measuring again.")));
}

static gboolean
on_last_words_over (gpointer data)
{
  WeirSessionEngine *self = data;

  self->timer = 0;
  fail_with_what_is_known (self);
  return G_SOURCE_REMOVE;
}

static void
consider_end (WeirSessionEngine *self)
{
  if (self->has_exited && (self->channel == NULL || self->is_closed))
    fail_with_what_is_known (self);
  else
    set_timer (self, LAST_WORDS_SECONDS, on_last_words_over);
}

static gboolean
on_deadline (gpointer data)
{
  WeirSessionEngine *self = data;

  self->timer = 0;
  fail (self, g_error_new_literal (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_TIMEOUT,
                                   _ ("The measuring program was started but did not answer in "
                                      "time. Try again when the computer is less busy.")));
  return G_SOURCE_REMOVE;
}

static void
become_gone (WeirSessionEngine *self)
{
  g_autoptr (WeirSessionEngine) alive = g_object_ref (self);

  set_timer (self, 0, NULL);
  let_go_of_child (self);
  g_signal_emit (self, signals[GONE], 0);
}

static gboolean
on_not_gone (gpointer data)
{
  WeirSessionEngine *self = data;

  self->timer = 0;
  become_gone (self);
  return G_SOURCE_REMOVE;
}

static void
on_exited (WeirChild *child, int wait_status, WeirSessionEngine *self)
{
  self->has_exited = TRUE;
  self->wait_status = wait_status;
  if (self->stopped)
    become_gone (self);
  else if (self->accepting != NULL)
    {
      /* Words about its end are worth more than that waiting was cancelled. */
      fail_with_what_is_known (self);
    }
  else
    consider_end (self);
}

static void
on_closed (WeirChannel *channel, GError *error, WeirSessionEngine *self)
{
  self->is_closed = TRUE;
  if (self->reason == NULL && error != NULL)
    self->reason = g_error_copy (error);
  consider_end (self);
}

static void
remember_reason (WeirSessionEngine *self, const struct weir_frame *frame)
{
  struct weir_error said;
  enum weir_bye_reason bye;

  if (frame->type == WEIR_MESSAGE_ERROR && weir_read_error (frame, &said) == 0)
    {
      g_clear_error (&self->reason);
      self->reason = weir_session_engine_word_error (&said);
    }
  if (frame->type == WEIR_MESSAGE_BYE && weir_read_bye (frame, &bye) == 0 &&
      bye == WEIR_BYE_LEASH && self->reason == NULL)
    self->reason = g_error_new_literal (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE,
                                        _ ("The measuring program ended because Weir stood still "
                                           "for a minute. Start measuring again."));
}

static void
on_frame (WeirChannel *channel, const struct weir_frame *frame, WeirSessionEngine *self)
{
  g_autoptr (WeirSessionEngine) alive = g_object_ref (self);

  remember_reason (self, frame);
  g_signal_emit (self, signals[FRAME], 0, frame);
}

static void
on_accepted (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WeirSessionEngine) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WeirChannel) channel =
      weir_listener_accept_finish (WEIR_LISTENER (source), result, &error);

  if (self->finished)
    return;
  g_clear_object (&self->accepting);
  if (channel == NULL)
    {
      fail (self, g_steal_pointer (&error));
      return;
    }
  self->channel = g_steal_pointer (&channel);
  g_signal_connect (self->channel, "frame", G_CALLBACK (on_frame), self);
  g_signal_connect (self->channel, "closed", G_CALLBACK (on_closed), self);
  set_timer (self, DEADLINE_SECONDS, on_deadline);
  weir_channel_start (self->channel);
  g_signal_emit (self, signals[READY], 0);
}

static void
weir_session_engine_dispose (GObject *object)
{
  WeirSessionEngine *self = WEIR_SESSION_ENGINE (object);

  self->finished = TRUE;
  let_go (self);
  let_go_of_child (self);
  g_clear_object (&self->launcher);
  g_clear_error (&self->reason);
  G_OBJECT_CLASS (weir_session_engine_parent_class)->dispose (object);
}

static void
weir_session_engine_class_init (WeirSessionEngineClass *class)
{
  G_OBJECT_CLASS (class)->dispose = weir_session_engine_dispose;
  signals[READY] = g_signal_new ("ready", WEIR_TYPE_SESSION_ENGINE, G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 0);
  signals[FRAME] = g_signal_new ("frame", WEIR_TYPE_SESSION_ENGINE, G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[FAILED] = g_signal_new ("failed", WEIR_TYPE_SESSION_ENGINE, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
  signals[GONE] = g_signal_new ("gone", WEIR_TYPE_SESSION_ENGINE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
}

static void
weir_session_engine_init (WeirSessionEngine *self)
{
}

WeirSessionEngine *
weir_session_engine_new (WeirLauncher *launcher, const char *runtime_dir, gboolean asks_person,
                         GError **error)
{
  g_autoptr (WeirSessionEngine) self = g_object_new (WEIR_TYPE_SESSION_ENGINE, NULL);

  self->launcher = g_object_ref (launcher);
  self->listener = weir_listener_new (runtime_dir, error);
  if (self->listener == NULL)
    return NULL;
  self->child =
      weir_launcher_launch (launcher, weir_listener_get_directory (self->listener), error);
  if (self->child == NULL)
    return NULL;
  g_signal_connect (self->child, "exited", G_CALLBACK (on_exited), self);
  self->accepting = g_cancellable_new ();
  if (!asks_person)
    set_timer (self, DEADLINE_SECONDS, on_deadline);
  weir_listener_accept_async (self->listener, self->child, self->accepting, on_accepted,
                              g_object_ref (self));
  return g_steal_pointer (&self);
}

enum weir_view
weir_session_engine_get_view (WeirSessionEngine *self)
{
  if (self->channel == NULL)
    return WEIR_VIEW_LIMITED;
  return weir_channel_get_hello (self->channel)->view == WEIR_VIEW_FULL ? WEIR_VIEW_FULL
                                                                        : WEIR_VIEW_LIMITED;
}

void
weir_session_engine_send_wish (WeirSessionEngine *self, const struct weir_wish *wish)
{
  if (self->channel == NULL || self->finished)
    return;
  if (self->started)
    weir_channel_send_interval (self->channel, wish);
  else
    weir_channel_send_start (self->channel, wish);
  self->started = TRUE;
}

void
weir_session_engine_send_details_of (WeirSessionEngine *self,
                                     const struct weir_details_request *request)
{
  if (self->channel != NULL && !self->finished)
    weir_channel_send_details_of (self->channel, request);
}

void
weir_session_engine_set_alive (WeirSessionEngine *self)
{
  if (!self->has_exited && !self->is_closed)
    set_timer (self, 0, NULL);
}

void
weir_session_engine_fail_protocol (WeirSessionEngine *self)
{
  fail (self, g_error_new_literal (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_VERSION,
                                   _ ("The measuring program sent something that Weir does not "
                                      "understand. Restart Weir, or reinstall it.")));
}

void
weir_session_engine_stop (WeirSessionEngine *self)
{
  gboolean was_ready = self->channel != NULL;

  if (self->stopped)
    return;
  if (was_ready && !self->finished)
    {
      /* A full socket closes the channel: that is an end, too. */
      g_signal_handlers_disconnect_by_data (self->channel, self);
      weir_channel_send_stop (self->channel);
    }
  self->finished = self->stopped = TRUE;
  let_go (self);
  /* One that has not connected may still ask somebody for a password: it is ended at once. */
  if (!was_ready || self->has_exited)
    let_go_of_child (self);
  set_timer (self, self->child != NULL ? GONE_SECONDS : 0, on_not_gone);
}
