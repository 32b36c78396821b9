/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "handoff-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

char *
fixture_make_dir (void)
{
  char *path = g_dir_make_tmp ("weir-test-XXXXXX", NULL);

  g_assert_nonnull (path);
  return path;
}

static void
remove_all (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR) && !g_file_test (child, G_FILE_TEST_IS_SYMLINK))
        remove_all (child);
      else
        g_unlink (child);
    }
  g_rmdir (path);
}

void
fixture_remove_dir (char *path)
{
  remove_all (path);
  g_free (path);
}

static gboolean
on_too_late (gpointer data)
{
  g_error ("nothing happened for ten seconds");
  return G_SOURCE_REMOVE;
}

void
fixture_wait (const gboolean *done)
{
  guint timeout = g_timeout_add_seconds (10, on_too_late, NULL);

  while (!*done)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timeout);
}

static gboolean
on_time (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

void
fixture_run (guint ms)
{
  gboolean done = FALSE;

  g_timeout_add (ms, on_time, &done);
  fixture_wait (&done);
}

int
fixture_dial (const char *directory)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_autofd int at = open (directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (at, >=, 0);
  g_assert_cmpint (fd, >=, 0);
  g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/socket", at);
  g_assert_no_errno (connect (fd, (struct sockaddr *) &address, sizeof address));
  return fd;
}

struct weir_hello
fixture_hello (const char *directory)
{
  struct weir_hello hello = { .version = WEIR_PROTOCOL_VERSION,
                              .view = WEIR_VIEW_LIMITED,
                              .engine_version = "test" };
  g_autofree char *path = g_build_filename (directory, "nonce", NULL);
  g_autofree char *hex = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &hex, &size, NULL));
  g_assert_cmpint (weir_nonce_decode (hex, size, hello.nonce), ==, 0);
  hello.pid = (uint32_t) getpid ();
  return hello;
}

void
fixture_send (int fd, const void *bytes, gsize size)
{
  g_assert_cmpint (send (fd, bytes, size, MSG_NOSIGNAL), ==, (gssize) size);
}

void
fixture_say_hello (int fd, const struct weir_hello *hello)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_write_hello (&writer, hello);
  fixture_send (fd, writer.data, writer.size);
  weir_writer_clear (&writer);
}

gboolean
fixture_is_closed (int fd)
{
  char byte;
  ssize_t n = recv (fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

  return n == 0 || (n < 0 && errno != EAGAIN);
}

void
fixture_on_accept (GObject *source, GAsyncResult *result, gpointer data)
{
  struct fixture_accept *accept = data;

  accept->channel = weir_listener_accept_finish (WEIR_LISTENER (source), result, &accept->error);
  g_assert_true ((accept->channel == NULL) == (accept->error != NULL));
  accept->done = TRUE;
}

void
fixture_accept_clear (struct fixture_accept *accept)
{
  g_clear_object (&accept->channel);
  g_clear_error (&accept->error);
  accept->done = FALSE;
}
