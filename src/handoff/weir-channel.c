/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-channel-private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "weir-listener.h"
#include "weir-watch.h"

/* What one turn of the main loop may take: a large tick is some frames of up to a megabyte. */
#define FRAMES_PER_TURN 16
#define READS_PER_TURN  16

/* Requests are 12 bytes each: a peer that lets this many pile up does not read any more. */
#define SEND_QUEUE_MAX 4096

struct _WeirChannel
{
  GObject parent_instance;

  int fd;
  GMainContext *context;
  GSource *readable;
  GSource *writable;
  struct weir_framer framer;
  GByteArray *queue;
  gboolean can_send; /* FALSE once the peer is gone; what it had sent is still read */
  struct weir_hello hello;
};

G_DEFINE_FINAL_TYPE (WeirChannel, weir_channel, G_TYPE_OBJECT)

enum
{
  FRAME,
  CLOSED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

static void
shut (WeirChannel *self)
{
  weir_watch_clear (&self->readable);
  weir_watch_clear (&self->writable);
  g_clear_fd (&self->fd, NULL);
  g_byte_array_set_size (self->queue, 0);
  self->can_send = FALSE;
}

static void
end (WeirChannel *self, GError *error)
{
  shut (self);
  g_signal_emit (self, signals[CLOSED], 0, error);
  g_clear_error (&error);
}

static GError *
protocol_error (void)
{
  return g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_FAILED,
                      _ ("The measuring program sent something that Weir does not understand. "
                         "Reinstall Weir, and restart it."));
}

/* HELLO has been read, and requests go the other way. */
static gboolean
is_for_front_end (const struct weir_frame *frame)
{
  return frame->type > WEIR_MESSAGE_HELLO && frame->type <= WEIR_MESSAGE_LAST_OF_ENGINE;
}

/* Emits frames until none is left, the turn is over (TRUE: go on soon) or the channel is closed. */
static gboolean
emit_frames (WeirChannel *self)
{
  struct weir_frame frame;
  int r = 0;

  for (guint n = 0; n < FRAMES_PER_TURN; n++)
    {
      r = weir_framer_next (&self->framer, &frame);
      if (r <= 0)
        break;
      if (!is_for_front_end (&frame))
        continue;
      g_signal_emit (self, signals[FRAME], 0, &frame);
      if (self->fd < 0)
        return FALSE;
    }
  if (r < 0)
    end (self, protocol_error ());
  return r > 0;
}

/* Reads once; FALSE when there is nothing more to read now. */
static gboolean
read_some (WeirChannel *self)
{
  size_t room;
  uint8_t *place = weir_framer_reserve (&self->framer, &room);
  ssize_t n;

  if (place == NULL)
    {
      end (self, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, g_strerror (ENOMEM)));
      return FALSE;
    }
  do
    n = recv (self->fd, place, room, 0);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    {
      weir_framer_commit (&self->framer, (size_t) n);
      return TRUE;
    }
  if (n < 0 && errno == EAGAIN)
    return FALSE;
  /* A peer that ends with our requests unread resets the connection: an end like any other, after
   * everything that it had sent. */
  if (n < 0 && errno != ECONNRESET)
    end (self, g_error_new_literal (G_IO_ERROR, g_io_error_from_errno (errno), g_strerror (errno)));
  else if (self->framer.end > self->framer.start)
    end (self, g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE,
                            _ ("The measuring program ended in the middle of a message.")));
  else
    end (self, NULL);
  return FALSE;
}

static gboolean
on_readable (gint fd, GIOCondition condition, gpointer data)
{
  g_autoptr (WeirChannel) self = g_object_ref (WEIR_CHANNEL (data));

  g_source_set_ready_time (self->readable, -1);
  for (guint n = 0; n < READS_PER_TURN; n++)
    {
      /* What is buffered goes first: an end of file does not overtake it. */
      if (emit_frames (self))
        {
          g_source_set_ready_time (self->readable, 0);
          return G_SOURCE_CONTINUE;
        }
      if (self->fd < 0)
        return G_SOURCE_REMOVE;
      if (!read_some (self))
        return self->fd < 0 ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
    }
  /* The last read's frames are due, whether or not more bytes arrive. */
  g_source_set_ready_time (self->readable, 0);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_writable (gint fd, GIOCondition condition, gpointer data);

static void
flush (WeirChannel *self)
{
  while (self->queue->len > 0 && self->can_send)
    {
      ssize_t n = send (self->fd, self->queue->data, self->queue->len, MSG_NOSIGNAL);

      if (n > 0)
        g_byte_array_remove_range (self->queue, 0, (guint) n);
      else if (errno == EAGAIN)
        break;
      else if (errno != EINTR)
        /* Whether this is an end or an error, reading tells, after what is still to be read. */
        self->can_send = FALSE;
    }
  if (!self->can_send)
    g_byte_array_set_size (self->queue, 0);
  if (self->queue->len == 0)
    weir_watch_clear (&self->writable);
  else if (self->writable == NULL)
    self->writable = weir_watch_fd (self->context, self->fd, G_IO_OUT, on_writable, self);
}

static gboolean
on_writable (gint fd, GIOCondition condition, gpointer data)
{
  WeirChannel *self = data;

  flush (self);
  return self->writable != NULL ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
send_request (WeirChannel *self, struct weir_writer *writer)
{
  if (self->fd >= 0 && self->can_send && writer->error == 0)
    {
      if (self->queue->len + writer->size > SEND_QUEUE_MAX)
        {
          end (self, g_error_new (WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_ENGINE,
                                  _ ("The measuring program does not answer any more.")));
        }
      else
        {
          g_byte_array_append (self->queue, writer->data, (guint) writer->size);
          flush (self);
        }
    }
  weir_writer_clear (writer);
}

static void
weir_channel_dispose (GObject *object)
{
  shut (WEIR_CHANNEL (object));
  G_OBJECT_CLASS (weir_channel_parent_class)->dispose (object);
}

static void
weir_channel_finalize (GObject *object)
{
  WeirChannel *self = WEIR_CHANNEL (object);

  weir_framer_clear (&self->framer);
  g_byte_array_unref (self->queue);
  g_main_context_unref (self->context);
  G_OBJECT_CLASS (weir_channel_parent_class)->finalize (object);
}

static void
weir_channel_class_init (WeirChannelClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->dispose = weir_channel_dispose;
  object_class->finalize = weir_channel_finalize;
  signals[FRAME] = g_signal_new ("frame", WEIR_TYPE_CHANNEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[CLOSED] = g_signal_new ("closed", WEIR_TYPE_CHANNEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
weir_channel_init (WeirChannel *self)
{
  self->fd = -1;
  self->context = g_main_context_ref_thread_default ();
  self->queue = g_byte_array_new ();
  weir_framer_init (&self->framer, WEIR_FRAME_BODY_MAX);
}

WeirChannel *
weir_channel_new_take (int fd, struct weir_framer *framer, const struct weir_hello *hello)
{
  WeirChannel *self = g_object_new (WEIR_TYPE_CHANNEL, NULL);

  self->fd = fd;
  self->can_send = TRUE;
  self->framer = *framer;
  weir_framer_init (framer, 0);
  weir_framer_set_body_max (&self->framer, WEIR_FRAME_BODY_MAX);
  self->hello = *hello;
  explicit_bzero (self->hello.nonce, sizeof self->hello.nonce);
  return self;
}

const struct weir_hello *
weir_channel_get_hello (WeirChannel *self)
{
  g_return_val_if_fail (WEIR_IS_CHANNEL (self), NULL);
  return &self->hello;
}

void
weir_channel_start (WeirChannel *self)
{
  g_return_if_fail (WEIR_IS_CHANNEL (self));

  if (self->fd < 0 || self->readable != NULL)
    return;
  self->readable = weir_watch_fd (self->context, self->fd, G_IO_IN, on_readable, self);
  /* Frames may have come with the HELLO. */
  g_source_set_ready_time (self->readable, 0);
}

void
weir_channel_send_start (WeirChannel *self, const struct weir_wish *wish)
{
  struct weir_writer writer;

  g_return_if_fail (WEIR_IS_CHANNEL (self));
  weir_writer_init (&writer);
  weir_write_start (&writer, wish);
  send_request (self, &writer);
}

void
weir_channel_send_interval (WeirChannel *self, const struct weir_wish *wish)
{
  struct weir_writer writer;

  g_return_if_fail (WEIR_IS_CHANNEL (self));
  weir_writer_init (&writer);
  weir_write_interval (&writer, wish);
  send_request (self, &writer);
}

void
weir_channel_send_details_of (WeirChannel *self, const struct weir_details_request *request)
{
  struct weir_writer writer;

  g_return_if_fail (WEIR_IS_CHANNEL (self));
  weir_writer_init (&writer);
  weir_write_details_of (&writer, request);
  send_request (self, &writer);
}

void
weir_channel_send_stop (WeirChannel *self)
{
  struct weir_writer writer;

  g_return_if_fail (WEIR_IS_CHANNEL (self));
  weir_writer_init (&writer);
  weir_write_stop (&writer);
  send_request (self, &writer);
}

void
weir_channel_close (WeirChannel *self)
{
  g_return_if_fail (WEIR_IS_CHANNEL (self));
  shut (self);
}
