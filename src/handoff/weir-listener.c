/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who connects is somebody's claim until three things are true: its credentials are those of the
 * child, the child still is the process that was started, and its first words are the nonce. */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-listener-private.h"

#include <errno.h>
#include <string.h>

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "weir-channel-private.h"
#include "weir-handoff-directory.h"
#include "weir-watch.h"

/* Connections taken in one turn of the main loop. */
#define ACCEPTS_PER_TURN 16

/* Asks for a pidfd of the process that connected, since Linux 6.5. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

struct _WeirListener
{
  GObject parent_instance;

  WeirHandoffDirectory *directory;
  guint deadline_ms; /* of each peer */
  GMainContext *context;
  GTask *task;
  WeirChild *child;
  GSource *acceptable; /* NULL while as many peers as allowed are pending */
  GSource *cancelled;
  GPtrArray *pending; /* of struct peer */
  guint refused;
};

G_DEFINE_FINAL_TYPE (WeirListener, weir_listener, G_TYPE_OBJECT)

/* Connected, with the right credentials, and silent so far. */
struct peer
{
  WeirListener *listener; /* owns the peer */
  int fd;
  struct weir_framer framer;
  GSource *readable;
  GSource *deadline; /* its own: nobody gets more time because others come or go */
};

static void
peer_free (gpointer data)
{
  struct peer *peer = data;

  weir_watch_clear (&peer->readable);
  weir_watch_clear (&peer->deadline);
  g_clear_fd (&peer->fd, NULL);
  if (peer->framer.data != NULL)
    explicit_bzero (peer->framer.data, peer->framer.capacity);
  weir_framer_clear (&peer->framer);
  g_free (peer);
}

gboolean
weir_listener_credentials_match (const struct ucred *credentials, uid_t uid, pid_t pid)
{
  return credentials->pid > 0 && pid > 0 && credentials->pid == pid && credentials->uid == uid;
}

static gboolean
is_child (WeirListener *self, int fd)
{
  struct ucred credentials = { .pid = 0 };
  socklen_t size = sizeof credentials;
  g_autofd int pidfd = -1;

  /* Stamped by the kernel at connect(2).  The number cannot have been given to another process,
   * because the child is not reaped while we hold it. */
  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0 ||
      size != sizeof credentials)
    return FALSE;
  if (!weir_listener_credentials_match (&credentials, weir_child_get_expected_uid (self->child),
                                        weir_child_get_pid (self->child)))
    {
      g_debug ("refused a peer: uid %d, pid %d", (int) credentials.uid, (int) credentials.pid);
      return FALSE;
    }
  size = sizeof pidfd;
  if (getsockopt (fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0)
    {
      pidfd = -1;
      /* Older than 6.5: the number it is.  Any other failure says that the peer is gone. */
      if (errno != ENOPROTOOPT)
        return FALSE;
    }
  if (pidfd >= 0 && weir_child_compare_pidfd (self->child, pidfd) == 0)
    return FALSE;
  return weir_child_is_alive (self->child);
}

/* Ends waiting, whatever came of it.  The nonce is of no use to anybody afterwards. */
static GTask *
stop (WeirListener *self)
{
  weir_watch_clear (&self->acceptable);
  weir_watch_clear (&self->cancelled);
  g_ptr_array_set_size (self->pending, 0);
  weir_handoff_directory_retire (self->directory);
  g_clear_object (&self->child);
  return g_steal_pointer (&self->task);
}

static void
fail (WeirListener *self, GError *error)
{
  g_autoptr (GTask) task = stop (self);

  g_task_return_error (task, error);
}

static void
update_acceptable (WeirListener *self);

static void
refuse (struct peer *peer, const char *why)
{
  WeirListener *self = peer->listener;

  g_debug ("refused a peer: %s", why);
  self->refused++;
  g_ptr_array_remove_fast (self->pending, peer);
  update_acceptable (self);
}

static gboolean
on_deadline (gpointer data)
{
  refuse (data, "no HELLO in time");
  return G_SOURCE_REMOVE;
}

static void
believe (struct peer *peer, const struct weir_hello *hello)
{
  WeirListener *self = peer->listener;
  WeirChannel *channel = weir_channel_new_take (g_steal_fd (&peer->fd), &peer->framer, hello);
  g_autoptr (GTask) task = stop (self);

  g_task_return_pointer (task, channel, g_object_unref);
}

static void
judge (struct peer *peer, const struct weir_frame *frame)
{
  WeirListener *self = peer->listener;
  struct weir_hello hello;
  int r = weir_read_hello (frame, &hello);
  gboolean equal = r == 0 && weir_handoff_directory_check_nonce (self->directory, hello.nonce);

  explicit_bzero (hello.nonce, sizeof hello.nonce);
  /* The frame lies in the framer, which the channel inherits. */
  explicit_bzero (peer->framer.data, (size_t) (frame->body + frame->size - peer->framer.data));
  if (r == -EPROTONOSUPPORT)
    fail (self, g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_VERSION,
                             _ ("Weir and its measuring program are of different versions. If Weir "
                                "was just updated, restart it; otherwise reinstall it.")));
  else if (r < 0)
    refuse (peer, "not a HELLO");
  else if (!equal)
    refuse (peer, "wrong nonce");
  else if (!weir_child_is_alive (self->child))
    refuse (peer, "the process ended");
  else
    believe (peer, &hello);
}

static gboolean
on_peer_readable (gint fd, GIOCondition condition, gpointer data)
{
  struct peer *peer = data;
  struct weir_frame frame;
  size_t room;
  uint8_t *place = weir_framer_reserve (&peer->framer, &room);
  ssize_t n = place != NULL ? recv (fd, place, room, 0) : 0;
  int r;

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (n <= 0)
    {
      refuse (peer, "closed before its HELLO");
      return G_SOURCE_REMOVE;
    }
  weir_framer_commit (&peer->framer, (size_t) n);
  r = weir_framer_next (&peer->framer, &frame);
  if (r == 0)
    return G_SOURCE_CONTINUE;
  if (r < 0)
    refuse (peer, "announced too much");
  else
    judge (peer, &frame);
  return G_SOURCE_REMOVE;
}

static void
admit (WeirListener *self, int fd)
{
  struct peer *peer = g_new0 (struct peer, 1);

  peer->listener = self;
  peer->fd = fd;
  weir_framer_init (&peer->framer, WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  peer->readable = weir_watch_fd (self->context, fd, G_IO_IN, on_peer_readable, peer);
  peer->deadline = weir_watch_timeout (self->context, self->deadline_ms, on_deadline, peer);
  g_ptr_array_add (self->pending, peer);
}

static gboolean
on_acceptable (gint socket, GIOCondition condition, gpointer data)
{
  WeirListener *self = data;

  for (guint n = 0; n < ACCEPTS_PER_TURN && self->pending->len < WEIR_PENDING_PEERS_MAX; n++)
    {
      int fd = accept4 (socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

      if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
        continue;
      if (fd < 0 && errno == EAGAIN)
        break;
      if (fd < 0)
        {
          fail (self, g_error_new (G_IO_ERROR, g_io_error_from_errno (errno),
                                   _ ("Weir cannot accept its measuring program: %s"),
                                   g_strerror (errno)));
          return G_SOURCE_REMOVE;
        }
      if (is_child (self, fd))
        admit (self, fd);
      else
        {
          self->refused++;
          close (fd);
        }
    }
  update_acceptable (self);
  return self->acceptable != NULL ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* Who comes while the places are taken waits in the backlog; nobody is evicted. */
static void
update_acceptable (WeirListener *self)
{
  if (self->pending->len >= WEIR_PENDING_PEERS_MAX)
    weir_watch_clear (&self->acceptable);
  else if (self->acceptable == NULL)
    self->acceptable =
        weir_watch_fd (self->context, weir_handoff_directory_get_socket (self->directory), G_IO_IN,
                       on_acceptable, self);
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer data)
{
  fail (data, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                   _ ("Waiting for the measuring program was cancelled")));
  return G_SOURCE_REMOVE;
}

static void
weir_listener_finalize (GObject *object)
{
  WeirListener *self = WEIR_LISTENER (object);

  /* A task in progress would hold a reference. */
  g_assert (self->task == NULL);
  g_ptr_array_unref (self->pending);
  g_clear_pointer (&self->directory, weir_handoff_directory_free);
  g_clear_pointer (&self->context, g_main_context_unref);
  G_OBJECT_CLASS (weir_listener_parent_class)->finalize (object);
}

static void
weir_listener_class_init (WeirListenerClass *class)
{
  G_OBJECT_CLASS (class)->finalize = weir_listener_finalize;
}

static void
weir_listener_init (WeirListener *self)
{
  self->pending = g_ptr_array_new_with_free_func (peer_free);
}

WeirListener *
weir_listener_new_with_deadline (const char *runtime_dir, guint deadline_ms, GError **error)
{
  WeirHandoffDirectory *directory = weir_handoff_directory_new (runtime_dir, error);
  WeirListener *self;

  if (directory == NULL)
    return NULL;
  self = g_object_new (WEIR_TYPE_LISTENER, NULL);
  self->directory = directory;
  self->deadline_ms = deadline_ms;
  return self;
}

WeirListener *
weir_listener_new (const char *runtime_dir, GError **error)
{
  return weir_listener_new_with_deadline (runtime_dir, WEIR_HELLO_DEADLINE_MS, error);
}

const char *
weir_listener_get_directory (WeirListener *self)
{
  g_return_val_if_fail (WEIR_IS_LISTENER (self), NULL);
  return weir_handoff_directory_get_path (self->directory);
}

void
weir_listener_accept_async (WeirListener *self, WeirChild *child, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (WEIR_IS_LISTENER (self));
  g_return_if_fail (WEIR_IS_CHILD (child));
  g_return_if_fail (self->task == NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weir_listener_accept_async);
  if (weir_handoff_directory_is_retired (self->directory))
    {
      g_task_return_new_error (task, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_FAILED,
                               _ ("This meeting point has been used already"));
      return;
    }
  self->child = g_object_ref (child);
  self->task = g_steal_pointer (&task);
  g_clear_pointer (&self->context, g_main_context_unref);
  self->context = g_main_context_ref_thread_default ();
  if (cancellable != NULL)
    {
      self->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled), self, NULL);
      g_source_attach (self->cancelled, self->context);
    }
  update_acceptable (self);
}

WeirChannel *
weir_listener_accept_finish (WeirListener *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

guint
weir_listener_get_refused (WeirListener *self)
{
  g_return_val_if_fail (WEIR_IS_LISTENER (self), 0);
  return self->refused;
}

guint
weir_listener_get_pending (WeirListener *self)
{
  return self->pending->len;
}
