/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything is done relative to descriptors that were checked after they were opened, so that what
 * was checked is what is used.  All of it is on the runtime directory's tmpfs: short enough to be
 * done on the main thread. */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-handoff-directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "weir-listener.h"
#include "weir-wire.h"

#define PARENT        "weir"
#define PREFIX        "handoff-"
#define SUFFIX_LENGTH 6
#define SOCKET        "socket"
#define NONCE         "nonce"

/* More than can be pending, so that a burst is queued rather than refused. */
#define BACKLOG 16

/* A directory is locked by its process right after it was made.  One that is not locked is stale,
 * but it could also be this young. */
#define STALE_SECONDS 10
/* Directory entries looked at for stale ones: nobody can make a start slow. */
#define SWEEP_MAX 256

struct _WeirHandoffDirectory
{
  char *path;
  int parent; /* descriptor of the directory above */
  int fd;     /* its own, which also holds the lock */
  int socket;
  char name[sizeof PREFIX + SUFFIX_LENGTH];
  guint8 nonce[WEIR_NONCE_SIZE];
};

static void
set_error (GError **error, const char *step)
{
  int saved = errno;

  g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_RUNTIME_DIR,
               /* Translators: the first is a file or folder, the second the system's message */
               _ ("Weir cannot prepare its meeting point with the measuring program: %s: %s"), step,
               g_strerror (saved));
}

/* Opens a directory that must be one (no link to one), ours, and closed to all others. */
static int
open_private (int at, const char *name, const char *shown, GError **error)
{
  g_autofd int fd = openat (at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat st;

  if (fd < 0 || fstat (fd, &st) < 0)
    {
      if (errno == ELOOP || errno == ENOTDIR)
        g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_RUNTIME_DIR,
                     _ ("“%s” is not a folder. Log out and in again, or ask your administrator to "
                        "set XDG_RUNTIME_DIR to a private folder of yours."),
                     shown);
      else
        set_error (error, shown);
      return -1;
    }
  if (st.st_uid != geteuid () || (st.st_mode & 077) != 0)
    {
      g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_RUNTIME_DIR,
                   _ ("“%s” is not private: it must belong to you, and nobody else may read or "
                      "write it (mode 0700)."),
                   shown);
      return -1;
    }
  return g_steal_fd (&fd);
}

static int
open_runtime_dir (const char *runtime_dir, char **ret_shown, GError **error)
{
  g_autofree char *canonical = NULL;
  int fd;

  if (runtime_dir == NULL)
    runtime_dir = g_getenv ("XDG_RUNTIME_DIR");
  if (runtime_dir == NULL || !g_path_is_absolute (runtime_dir))
    {
      g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_RUNTIME_DIR,
                   _ ("There is no runtime folder (XDG_RUNTIME_DIR is not set). Start Weir from a "
                      "desktop session or a login shell."));
      return -1;
    }
  /* O_NOFOLLOW means the last component, which a trailing slash or dot would make an empty one. */
  canonical = g_canonicalize_filename (runtime_dir, NULL);
  fd = open_private (AT_FDCWD, canonical, canonical, error);
  if (fd >= 0)
    *ret_shown = g_steal_pointer (&canonical);
  return fd;
}

static int
open_parent (const char *runtime_dir, GError **error)
{
  g_autofree char *shown = NULL, *shown_parent = NULL;
  g_autofd int runtime = open_runtime_dir (runtime_dir, &shown, error);

  if (runtime < 0)
    return -1;
  shown_parent = g_build_filename (shown, PARENT, NULL);
  if (mkdirat (runtime, PARENT, 0700) < 0 && errno != EEXIST)
    {
      set_error (error, shown_parent);
      return -1;
    }
  return open_private (runtime, PARENT, shown_parent, error);
}

/* Unlinks what a handoff directory can hold, and the directory unless it holds something else. */
static void
remove_directory (int parent, int fd, const char *name)
{
  if (unlinkat (fd, SOCKET, 0) < 0 && errno != ENOENT)
    g_debug ("cannot remove %s/" SOCKET ": %s", name, g_strerror (errno));
  if (unlinkat (fd, NONCE, 0) < 0 && errno != ENOENT)
    g_debug ("cannot remove %s/" NONCE ": %s", name, g_strerror (errno));
  if (unlinkat (parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
    g_debug ("cannot remove %s: %s", name, g_strerror (errno));
}

static void
remove_if_stale (int parent, const char *name)
{
  g_autofd int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct timespec now;
  struct stat st;

  if (fd < 0 || fstat (fd, &st) < 0 || st.st_uid != geteuid ())
    return;
  if (clock_gettime (CLOCK_REALTIME, &now) < 0 || now.tv_sec - st.st_mtim.tv_sec < STALE_SECONDS)
    return;
  if (flock (fd, LOCK_EX | LOCK_NB) < 0)
    return;
  remove_directory (parent, fd, name);
}

static void
sweep (int parent)
{
  int copy = openat (parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = copy >= 0 ? fdopendir (copy) : NULL;
  const struct dirent *entry;

  if (directory == NULL)
    {
      if (copy >= 0)
        close (copy);
      return;
    }
  for (guint n = 0; n < SWEEP_MAX && (entry = readdir (directory)) != NULL; n++)
    {
      if (g_str_has_prefix (entry->d_name, PREFIX))
        remove_if_stale (parent, entry->d_name);
    }
  closedir (directory);
}

static gboolean
random_bytes (void *bytes, gsize size)
{
  gsize at = 0;

  while (at < size)
    {
      ssize_t n = getrandom ((guint8 *) bytes + at, size - at, 0);

      if (n < 0 && errno != EINTR)
        return FALSE;
      if (n > 0)
        at += (gsize) n;
    }
  return TRUE;
}

static gboolean
random_name (char *name, gsize size)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  guint8 bytes[SUFFIX_LENGTH];
  gsize at = sizeof PREFIX - 1;

  if (!random_bytes (bytes, sizeof bytes))
    return FALSE;
  g_strlcpy (name, PREFIX, size);
  for (gsize i = 0; i < SUFFIX_LENGTH; i++)
    name[at++] = letters[bytes[i] % (sizeof letters - 1)];
  name[at] = '\0';
  return TRUE;
}

static gboolean
make_directory (WeirHandoffDirectory *self, GError **error)
{
  struct stat st;
  int r = -1;

  for (guint tries = 0; r < 0 && tries < 32; tries++)
    {
      if (!random_name (self->name, sizeof self->name))
        break;
      r = mkdirat (self->parent, self->name, 0700);
      if (r < 0 && errno != EEXIST)
        break;
    }
  if (r < 0)
    {
      self->name[0] = '\0';
      set_error (error, PREFIX);
      return FALSE;
    }
  self->fd = openat (self->parent, self->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  /* The lock goes with the process, however it ends; then the next start may clean up. */
  if (self->fd < 0 || flock (self->fd, LOCK_EX | LOCK_NB) < 0 || fchmod (self->fd, 0700) < 0 ||
      fstat (self->fd, &st) < 0)
    {
      set_error (error, self->name);
      return FALSE;
    }
  if (st.st_uid != geteuid () || (st.st_mode & 07777) != 0700)
    {
      errno = EPERM;
      set_error (error, self->name);
      return FALSE;
    }
  return TRUE;
}

/* The path that the engine gets: what the kernel calls the directory that is open here. */
static gboolean
find_path (WeirHandoffDirectory *self, GError **error)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", self->fd);
  g_autofree char *path = g_file_read_link (link, error);
  struct stat by_path, by_fd;

  if (path == NULL)
    {
      g_prefix_error (error, "%s: ", self->name);
      return FALSE;
    }
  if (lstat (path, &by_path) < 0 || fstat (self->fd, &by_fd) < 0)
    {
      set_error (error, path);
      return FALSE;
    }
  if (by_path.st_dev != by_fd.st_dev || by_path.st_ino != by_fd.st_ino)
    {
      errno = ESTALE;
      set_error (error, path);
      return FALSE;
    }
  self->path = g_steal_pointer (&path);
  return TRUE;
}

static gboolean
write_nonce (WeirHandoffDirectory *self, GError **error)
{
  char hex[WEIR_NONCE_HEX_SIZE + 1];
  g_autofd int fd = -1;
  gboolean written;

  if (!random_bytes (self->nonce, sizeof self->nonce))
    {
      set_error (error, "getrandom");
      return FALSE;
    }
  fd = openat (self->fd, NONCE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 || fchmod (fd, 0600) < 0)
    {
      set_error (error, NONCE);
      return FALSE;
    }
  weir_nonce_encode (self->nonce, hex);
  written = write (fd, hex, WEIR_NONCE_HEX_SIZE) == WEIR_NONCE_HEX_SIZE;
  explicit_bzero (hex, sizeof hex);
  if (!written)
    set_error (error, NONCE);
  return written;
}

static gboolean
make_socket (WeirHandoffDirectory *self, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  /* Through the descriptor: no path is walked twice, and none is longer than 108 bytes. */
  g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" SOCKET, self->fd);
  self->socket = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  /* On Linux the socket's mode before bind(2) is the mode that its name gets. */
  if (self->socket < 0 || fchmod (self->socket, 0600) < 0 ||
      bind (self->socket, (struct sockaddr *) &address, sizeof address) < 0 ||
      listen (self->socket, BACKLOG) < 0)
    {
      set_error (error, SOCKET);
      return FALSE;
    }
  return TRUE;
}

WeirHandoffDirectory *
weir_handoff_directory_new (const char *runtime_dir, GError **error)
{
  g_autoptr (WeirHandoffDirectory) self = g_new0 (WeirHandoffDirectory, 1);

  self->fd = self->socket = -1;
  self->parent = open_parent (runtime_dir, error);
  if (self->parent < 0)
    return NULL;
  sweep (self->parent);
  if (!make_directory (self, error) || !find_path (self, error) || !write_nonce (self, error) ||
      !make_socket (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
weir_handoff_directory_retire (WeirHandoffDirectory *self)
{
  explicit_bzero (self->nonce, sizeof self->nonce);
  g_clear_fd (&self->socket, NULL);
  if (self->name[0] != '\0')
    remove_directory (self->parent, self->fd, self->name);
  self->name[0] = '\0';
  g_clear_fd (&self->fd, NULL);
  g_clear_fd (&self->parent, NULL);
}

gboolean
weir_handoff_directory_is_retired (WeirHandoffDirectory *self)
{
  return self->fd < 0;
}

void
weir_handoff_directory_free (WeirHandoffDirectory *self)
{
  weir_handoff_directory_retire (self);
  g_free (self->path);
  g_free (self);
}

const char *
weir_handoff_directory_get_path (WeirHandoffDirectory *self)
{
  return self->path;
}

int
weir_handoff_directory_get_socket (WeirHandoffDirectory *self)
{
  return self->socket;
}

gboolean
weir_handoff_directory_check_nonce (WeirHandoffDirectory *self, const guint8 *nonce)
{
  return !weir_handoff_directory_is_retired (self) && weir_nonce_equal (self->nonce, nonce);
}
