/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-player.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "weir-child-private.h"
#include "weir-recording.h"
#include "weir-watch.h"

/* Frames in one turn of the main loop, which the listening side needs as well. */
#define FRAMES_PER_TURN 16

struct player
{
  WeirChild *child;
  char *directory;
  double speed;
  GMainContext *context;
  char *data;
  struct weir_recording recording;
  int fd;
  struct weir_framer requests;
  struct weir_writer out;
  size_t sent; /* of @out */
  GSource *readable, *writable, *timer;
  gint64 began; /* g_get_monotonic_time() */
  struct weir_frame next;
  guint64 next_offset;
  gboolean has_next;
  gboolean started; /* START has arrived: nothing but the HELLO goes before it, as with an engine */
  gboolean stopping;
};

static void
player_end (struct player *player, int code)
{
  g_autoptr (WeirChild) child = g_steal_pointer (&player->child);
  char rest[256];

  weir_watch_clear (&player->readable);
  weir_watch_clear (&player->writable);
  weir_watch_clear (&player->timer);
  /* Closing with unread requests would reset the connection. */
  while (player->fd >= 0 && recv (player->fd, rest, sizeof rest, 0) > 0)
    ;
  g_clear_fd (&player->fd, NULL);
  weir_framer_clear (&player->requests);
  weir_writer_clear (&player->out);
  g_main_context_unref (player->context);
  g_free (player->directory);
  g_free (player->data);
  g_free (player);
  weir_child_end_self (child, W_EXITCODE (code, 0));
}

/* TRUE: everything is sent; FALSE: later, or the other side has gone, which reading will tell. */
static gboolean
flush (struct player *player)
{
  while (player->sent < player->out.size)
    {
      ssize_t n = send (player->fd, player->out.data + player->sent,
                        player->out.size - player->sent, MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      player->sent += (size_t) n;
    }
  player->sent = player->out.size = 0;
  return TRUE;
}

static void
play (struct player *player);

static gboolean
on_writable (gint fd, GIOCondition condition, gpointer data)
{
  struct player *player = data;

  play (player);
  return G_SOURCE_REMOVE;
}

static gboolean
on_timer (gpointer data)
{
  struct player *player = data;

  play (player);
  return G_SOURCE_REMOVE;
}

/* Milliseconds until the next frame is due. */
static guint
time_left (struct player *player)
{
  double due, now;

  if (player->speed <= 0)
    return 0;
  due = (double) player->next_offset / 1000.0 / player->speed;
  now = (double) (g_get_monotonic_time () - player->began);
  return due <= now ? 0 : (guint) MIN ((due - now) / 1000.0 + 1, 60000.0);
}

/* Goes on until a frame is not due, the socket is full, this turn is over or the recording is. */
static void
play (struct player *player)
{
  weir_watch_clear (&player->writable);
  weir_watch_clear (&player->timer);
  for (guint n = 0; n < FRAMES_PER_TURN; n++)
    {
      guint wait;

      if (!flush (player))
        {
          player->writable =
              weir_watch_fd (player->context, player->fd, G_IO_OUT, on_writable, player);
          return;
        }
      if (player->stopping)
        {
          player_end (player, WEIR_PLAYER_DONE);
          return;
        }
      if (!player->started)
        return;
      if (!player->has_next)
        {
          int r = weir_recording_next (&player->recording, &player->next_offset, &player->next);

          if (r <= 0)
            {
              player_end (player, r == 0 ? WEIR_PLAYER_DONE : WEIR_PLAYER_UNREADABLE);
              return;
            }
          player->has_next = TRUE;
        }
      wait = time_left (player);
      if (wait > 0)
        {
          player->timer = weir_watch_timeout (player->context, wait, on_timer, player);
          return;
        }
      weir_write_frame_begin (&player->out, (enum weir_message) player->next.type);
      weir_write_bytes (&player->out, player->next.body, player->next.size);
      weir_write_frame_end (&player->out);
      player->has_next = FALSE;
    }
  player->timer = weir_watch_timeout (player->context, 0, on_timer, player);
}

/* As an engine does; the cadence is the recording's. */
static void
obey (struct player *player, const struct weir_frame *request)
{
  if (request->type == WEIR_MESSAGE_START && !player->started)
    {
      player->started = TRUE;
      player->began = g_get_monotonic_time ();
    }
  else if (request->type == WEIR_MESSAGE_STOP && !player->stopping)
    {
      player->stopping = TRUE;
      weir_write_bye (&player->out, WEIR_BYE_STOPPED);
    }
  else
    return;
  weir_watch_clear (&player->timer);
  player->timer = weir_watch_timeout (player->context, 0, on_timer, player);
}

static gboolean
on_readable (gint fd, GIOCondition condition, gpointer data)
{
  struct player *player = data;
  struct weir_frame frame;
  size_t room;
  uint8_t *place = weir_framer_reserve (&player->requests, &room);
  ssize_t n = place != NULL ? recv (fd, place, room, 0) : 0;
  int r;

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (n > 0)
    {
      weir_framer_commit (&player->requests, (size_t) n);
      while ((r = weir_framer_next (&player->requests, &frame)) == 1)
        obey (player, &frame);
      if (r == 0)
        return G_SOURCE_CONTINUE;
    }
  player_end (player, WEIR_PLAYER_DONE);
  return G_SOURCE_REMOVE;
}

/* The listener's side has made sure that all of this is our own. */
static gboolean
dial (struct player *player, guint8 nonce[WEIR_NONCE_SIZE])
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  char hex[WEIR_NONCE_HEX_SIZE];
  g_autofd int directory = open (player->directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  g_autofd int file = -1;
  int r;

  if (directory < 0)
    return FALSE;
  file = openat (directory, "nonce", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0 || read (file, hex, sizeof hex) != sizeof hex)
    return FALSE;
  r = weir_nonce_decode (hex, sizeof hex, nonce);
  explicit_bzero (hex, sizeof hex);
  if (r < 0)
    return FALSE;
  g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/socket", directory);
  player->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return player->fd >= 0 && connect (player->fd, (struct sockaddr *) &address, sizeof address) == 0;
}

static void
on_loaded (GObject *source, GAsyncResult *result, gpointer data)
{
  struct player *player = data;
  g_autoptr (GError) error = NULL;
  struct weir_hello hello;
  gsize size;

  if (!g_file_load_contents_finish (G_FILE (source), result, &player->data, &size, NULL, &error) ||
      !weir_recording_open (&player->recording, player->data, size, &error))
    {
      g_debug ("%s", error->message);
      player_end (player, WEIR_PLAYER_UNREADABLE);
      return;
    }
  hello = player->recording.hello;
  hello.pid = (uint32_t) getpid ();
  if (!dial (player, hello.nonce))
    {
      player_end (player, WEIR_PLAYER_NO_LISTENER);
      return;
    }
  weir_write_hello (&player->out, &hello);
  explicit_bzero (hello.nonce, sizeof hello.nonce);
  player->readable = weir_watch_fd (player->context, player->fd, G_IO_IN, on_readable, player);
  play (player);
}

void
weir_player_start (GFile *recording, const char *directory, double speed, WeirChild *child)
{
  struct player *player = g_new0 (struct player, 1);

  player->child = g_object_ref (child);
  player->directory = g_strdup (directory);
  player->speed = speed;
  player->context = g_main_context_ref_thread_default ();
  player->fd = -1;
  weir_framer_init (&player->requests, WEIR_REQUEST_BODY_MAX);
  weir_writer_init (&player->out);
  g_file_load_contents_async (recording, NULL, on_loaded, player);
}
