/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-cli-output.h"

#include <errno.h>
#include <unistd.h>

#include <gio/gio.h>

/* What may wait for a slow reader before the main loop waits, too. */
#define WAITING_MAX (64 * 1024 * 1024)

struct _WeirCliOutput
{
  GThread *thread;
  GMutex lock;
  GCond changed;
  GQueue texts; /* GString */
  gsize waiting;
  gboolean writing, ended;
  int error; /* errno of the first failure */
  guint told;
  void (*closed) (gpointer user_data);
  gpointer user_data;
};

static int
write_all (const GString *text)
{
  for (gsize written = 0; written < text->len;)
    {
      ssize_t n = write (STDOUT_FILENO, text->str + written, text->len - written);
      if (n < 0 && errno == EAGAIN)
        {
          /* Somebody shares the terminal and made it so. */
          GPollFD poll = { STDOUT_FILENO, G_IO_OUT, 0 };
          g_poll (&poll, 1, -1);
        }
      else if (n < 0 && errno != EINTR)
        return errno;
      written += MAX (n, 0);
    }
  return 0;
}

static gboolean
tell_closed (gpointer data)
{
  WeirCliOutput *self = data;

  g_mutex_lock (&self->lock);
  self->told = 0;
  g_mutex_unlock (&self->lock);
  self->closed (self->user_data);
  return G_SOURCE_REMOVE;
}

static gpointer
write_in_thread (gpointer data)
{
  WeirCliOutput *self = data;

  g_mutex_lock (&self->lock);
  while (TRUE)
    {
      while (g_queue_is_empty (&self->texts) && !self->ended)
        g_cond_wait (&self->changed, &self->lock);
      GString *text = g_queue_pop_head (&self->texts);
      if (text == NULL)
        break;
      self->writing = TRUE;
      int error = self->error;
      g_mutex_unlock (&self->lock);
      /* After a failure the rest would be a text with a hole. */
      if (error == 0)
        error = write_all (text);
      g_mutex_lock (&self->lock);
      self->waiting -= text->len;
      self->writing = FALSE;
      if (error != 0 && self->error == 0)
        {
          self->error = error;
          self->told = g_idle_add (tell_closed, self);
        }
      g_string_free (text, TRUE);
      g_cond_broadcast (&self->changed);
    }
  g_mutex_unlock (&self->lock);
  return NULL;
}

WeirCliOutput *
weir_cli_output_new (void (*closed) (gpointer user_data), gpointer user_data)
{
  WeirCliOutput *self = g_new0 (WeirCliOutput, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->texts);
  self->closed = closed;
  self->user_data = user_data;
  self->thread = g_thread_new ("output", write_in_thread, self);
  return self;
}

void
weir_cli_output_write (WeirCliOutput *self, GString *text)
{
  g_mutex_lock (&self->lock);
  while (self->waiting > WAITING_MAX)
    g_cond_wait (&self->changed, &self->lock);
  self->waiting += text->len;
  g_queue_push_tail (&self->texts, text);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

gboolean
weir_cli_output_is_idle (WeirCliOutput *self)
{
  g_mutex_lock (&self->lock);
  gboolean idle = g_queue_is_empty (&self->texts) && !self->writing;
  g_mutex_unlock (&self->lock);
  return idle;
}

gboolean
weir_cli_output_end (WeirCliOutput *self, GError **error)
{
  g_mutex_lock (&self->lock);
  self->ended = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);

  int failure = self->error;
  g_clear_handle_id (&self->told, g_source_remove);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
  if (failure == 0 || failure == EPIPE)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (failure), g_strerror (failure));
  return FALSE;
}
