/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Details of processes: a queue of questions to the engine that speaks, one of them under way, and
 * the answers of the last minute. */
#define G_LOG_DOMAIN "weir-model"
#include "config.h"

#include "weir-session-details.h"

#include <glib/gi18n-lib.h>

#include "weir-listener.h"
#include "weir-session-private.h"

/* A program may replace itself by another, or change its folder: the answer is renewed then. */
#define KEPT_US (60 * G_USEC_PER_SEC)
/* Answers that are kept, and questions that wait. */
#define KEPT_MAX    1024
#define WAITING_MAX 1024
/* Between two questions; the engine takes WEIR_REQUESTS_PER_SECOND of all kinds. */
#define PAUSE_MS (1000 / (WEIR_REQUESTS_PER_SECOND * 3 / 4))
/* The engine gives up before; this is for one that is frozen. */
#define PATIENCE_S 5

typedef struct
{
  guint32 pid;
  guint64 start_time;
} Process;

typedef struct
{
  WeirProcessDetails *details;
  gint64 answered_at;
} Answer;

struct _WeirSessionDetails
{
  WeirSession *session; /* not owned: it owns this */
  GHashTable *answers;  /* Process, Answer */
  GQueue waiting;       /* GTask, with a Process as its data */
  GTask *asked;         /* the one under way */
  guint32 number;
  guint timer; /* patience, or the pause before the next question */
};

static guint
process_hash (gconstpointer key)
{
  const Process *process = key;

  return process->pid ^ (guint) process->start_time;
}

static gboolean
process_equal (gconstpointer a, gconstpointer b)
{
  const Process *x = a, *y = b;

  return x->pid == y->pid && x->start_time == y->start_time;
}

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  weir_process_details_unref (answer->details);
  g_free (answer);
}

static WeirProcessDetails *
look_up (WeirSessionDetails *self, const Process *process)
{
  const Answer *answer = g_hash_table_lookup (self->answers, process);

  if (answer == NULL || g_get_monotonic_time () - answer->answered_at > KEPT_US)
    return NULL;
  return answer->details;
}

static void
keep (WeirSessionDetails *self, const Process *process, WeirProcessDetails *details)
{
  Answer *answer = g_new (Answer, 1);

  if (g_hash_table_size (self->answers) >= KEPT_MAX)
    g_hash_table_remove_all (self->answers);
  answer->details = weir_process_details_ref (details);
  answer->answered_at = g_get_monotonic_time ();
  g_hash_table_replace (self->answers, g_memdup2 (process, sizeof *process), answer);
}

static void
ask_next (WeirSessionDetails *self);

static gboolean
on_pause_over (gpointer data)
{
  WeirSessionDetails *self = data;

  self->timer = 0;
  ask_next (self);
  return G_SOURCE_REMOVE;
}

static void
pause_then_ask (WeirSessionDetails *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  self->timer = g_timeout_add (PAUSE_MS, on_pause_over, self);
}

static gboolean
on_patience_over (gpointer data)
{
  WeirSessionDetails *self = data;
  g_autoptr (GTask) task = g_steal_pointer (&self->asked);

  self->timer = 0;
  pause_then_ask (self);
  g_task_return_new_error_literal (task, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_TIMEOUT,
                                   _ ("The measuring program did not answer."));
  return G_SOURCE_REMOVE;
}

/* Gives @task what is known; FALSE when it has to be asked for. */
static gboolean
settle (WeirSessionDetails *self, GTask *task)
{
  WeirProcessDetails *known;

  if (g_task_return_error_if_cancelled (task))
    return TRUE;
  known = look_up (self, g_task_get_task_data (task));
  if (known != NULL)
    g_task_return_pointer (task, weir_process_details_ref (known),
                           (GDestroyNotify) weir_process_details_unref);
  else if (self->session->current == NULL)
    g_task_return_new_error_literal (task, G_IO_ERROR, G_IO_ERROR_CLOSED,
                                     _ ("Nothing is being measured."));
  else
    return FALSE;
  return TRUE;
}

static void
ask_next (WeirSessionDetails *self)
{
  while (self->asked == NULL && self->timer == 0 && !g_queue_is_empty (&self->waiting))
    {
      g_autoptr (GTask) task = g_queue_pop_head (&self->waiting);
      const Process *process = g_task_get_task_data (task);
      struct weir_details_request request = { 0 };

      if (settle (self, task))
        continue;
      request.number = ++self->number;
      request.pid = process->pid;
      request.start_time = process->start_time;
      self->asked = g_steal_pointer (&task);
      self->timer = g_timeout_add_seconds (PATIENCE_S, on_patience_over, self);
      weir_session_engine_send_details_of (self->session->current, &request);
    }
}

gboolean
weir_session_details_take (WeirSessionDetails *self, const struct weir_frame *frame)
{
  g_autofree struct weir_details *details = g_new (struct weir_details, 1);
  g_autoptr (WeirProcessDetails) known = NULL;
  g_autoptr (GTask) task = NULL;

  if (weir_read_details (frame, details) < 0)
    return FALSE;
  /* One that was given up, or asked of an engine that is gone. */
  if (self->asked == NULL || details->request.number != self->number)
    return TRUE;
  task = g_steal_pointer (&self->asked);
  known = weir_process_details_new (details);
  keep (self, g_task_get_task_data (task), known);
  pause_then_ask (self);
  if (!g_task_return_error_if_cancelled (task))
    g_task_return_pointer (task, g_steal_pointer (&known),
                           (GDestroyNotify) weir_process_details_unref);
  return TRUE;
}

void
weir_session_details_restart (WeirSessionDetails *self)
{
  GQueue waiting = self->waiting;
  GTask *asked = g_steal_pointer (&self->asked);

  g_queue_init (&self->waiting);
  g_clear_handle_id (&self->timer, g_source_remove);
  /* Another engine may tell more, or less. */
  g_hash_table_remove_all (self->answers);
  if (asked != NULL)
    g_queue_push_head (&waiting, asked);
  for (GTask *task = g_queue_pop_head (&waiting); task != NULL; task = g_queue_pop_head (&waiting))
    {
      g_task_return_new_error_literal (task, G_IO_ERROR, G_IO_ERROR_CLOSED,
                                       _ ("The view has changed meanwhile."));
      g_object_unref (task);
    }
}

WeirSessionDetails *
weir_session_details_new (WeirSession *session)
{
  WeirSessionDetails *self = g_new0 (WeirSessionDetails, 1);

  self->session = session;
  self->answers = g_hash_table_new_full (process_hash, process_equal, g_free, answer_free);
  g_queue_init (&self->waiting);
  return self;
}

void
weir_session_details_free (WeirSessionDetails *self)
{
  /* Every task holds a reference to the session: there is none left. */
  g_clear_handle_id (&self->timer, g_source_remove);
  g_hash_table_unref (self->answers);
  g_free (self);
}

void
weir_session_get_details_async (WeirSession *self, guint32 pid, guint64 start_time,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Process *process;

  g_return_if_fail (WEIR_IS_SESSION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weir_session_get_details_async);
  process = g_new (Process, 1);
  *process = (Process) { pid, start_time };
  g_task_set_task_data (task, process, g_free);
  if (settle (self->details, task))
    return;
  if (self->details->waiting.length >= WAITING_MAX)
    {
      g_task_return_new_error_literal (task, G_IO_ERROR, G_IO_ERROR_BUSY,
                                       _ ("Too many processes were asked about."));
      return;
    }
  g_queue_push_tail (&self->details->waiting, g_steal_pointer (&task));
  ask_next (self->details);
}

WeirProcessDetails *
weir_session_get_details_finish (WeirSession *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

const WeirProcessDetails *
weir_session_peek_details (WeirSession *self, guint32 pid, guint64 start_time)
{
  const Process process = { pid, start_time };

  g_return_val_if_fail (WEIR_IS_SESSION (self), NULL);
  return look_up (self->details, &process);
}
