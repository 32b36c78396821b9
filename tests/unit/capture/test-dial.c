/* SPDX-License-Identifier: GPL-3.0-or-later */
/* As root, for a caller of another uid; what root alone could reach is tried in the integration
 * tests. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "in-child.h"
#include "weir-capabilities.h"
#include "weir-dial.h"
#include "weir-wire.h"

#define CALLER 1000

static const char hex[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

struct handoff
{
  char *base, *path, *nonce, *socket;
  int listener;
};

static int
listen_as_caller (void *data)
{
  struct handoff *handoff = data;

  HOLDS (setgid (CALLER) == 0 && setuid (CALLER) == 0);
  HOLDS (listen (handoff->listener, 4) == 0);
  return 0;
}

static void
setup (struct handoff *handoff, const void *data)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  handoff->base = g_dir_make_tmp (NULL, NULL);
  handoff->path = g_build_filename (handoff->base, "d", NULL);
  handoff->nonce = g_build_filename (handoff->path, "nonce", NULL);
  handoff->socket = g_build_filename (handoff->path, "socket", NULL);
  g_assert_cmpint (g_chmod (handoff->base, 0755), ==, 0);
  g_assert_cmpint (g_mkdir (handoff->path, 0700), ==, 0);
  g_assert_true (
      g_file_set_contents_full (handoff->nonce, hex, 64, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  handoff->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_strlcpy (address.sun_path, handoff->socket, sizeof address.sun_path);
  g_assert_cmpint (bind (handoff->listener, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (chown (handoff->path, CALLER, CALLER), ==, 0);
  g_assert_cmpint (chown (handoff->nonce, CALLER, CALLER), ==, 0);
  g_assert_cmpint (chown (handoff->socket, CALLER, CALLER), ==, 0);
  g_assert_cmpint (in_child (listen_as_caller, handoff), ==, 0);
}

static void
teardown (struct handoff *handoff, const void *data)
{
  close (handoff->listener);
  g_unlink (handoff->nonce);
  g_unlink (handoff->socket);
  g_rmdir (handoff->path);
  g_assert_cmpint (g_rmdir (handoff->base), ==, 0);
  g_free (handoff->base);
  g_free (handoff->path);
  g_free (handoff->nonce);
  g_free (handoff->socket);
}

/* Directory and what is expected, for the child. */
struct attempt
{
  const char *directory;
  uid_t uid;
  bool good;
};

static int
attempt_in_child (void *data)
{
  const struct attempt *attempt = data;
  struct weir_caller caller = { .uid = attempt->uid,
                                .elevated = true,
                                .directory = attempt->directory };
  struct weir_capabilities before, after;
  uint8_t nonce[WEIR_NONCE_SIZE] = { 0 };
  char text[WEIR_NONCE_HEX_SIZE + 1];
  g_autofree char *before_dir = g_get_current_dir (), *here = NULL;
  int client = -1, r;

  HOLDS (weir_capabilities_get (&before) == 0);
  r = weir_dial (&caller, &client, nonce);
  /* Nobody was led into the caller's directory. */
  here = g_get_current_dir ();
  HOLDS (g_str_equal (here, before_dir));

  /* All that was given up is back, whether it worked or not. */
  HOLDS (weir_capabilities_get (&after) == 0);
  HOLDS (memcmp (&before, &after, sizeof before) == 0);
  HOLDS (setfsuid ((uid_t) -1) == 0 && setfsgid ((gid_t) -1) == 0);
  HOLDS (geteuid () == 0 && getuid () == 0);

  if (!attempt->good)
    {
      HOLDS (r < 0 && client == -1);
      HOLDS (nonce[1] == 0);
      return 0;
    }
  HOLDS (r == 0 && client >= 0);
  weir_nonce_encode (nonce, text);
  HOLDS (g_str_equal (text, hex));
  HOLDS (fcntl (client, F_GETFD) == FD_CLOEXEC);
  HOLDS ((fcntl (client, F_GETFL) & O_NONBLOCK) != 0);
  return 0;
}

static void
expect (const char *directory, uid_t uid, bool good)
{
  struct attempt attempt = { directory, uid, good };

  g_assert_cmpint (in_child (attempt_in_child, &attempt), ==, 0);
}

static void
test_good (struct handoff *handoff, const void *data)
{
  struct ucred peer;
  socklen_t size = sizeof peer;
  int fd;

  expect (handoff->path, CALLER, true);
  /* What the front end sees is uid 0. */
  fd = accept (handoff->listener, NULL, NULL);
  g_assert_cmpint (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size), ==, 0);
  g_assert_cmpuint (peer.uid, ==, 0);
  close (fd);
}

static void
test_paths (struct handoff *handoff, const void *data)
{
  g_autofree char *link = g_build_filename (handoff->base, "link", NULL);
  g_autofree char *through = g_build_filename (link, "d", NULL);
  g_autofree char *cwd = g_strdup_printf ("/proc/%d/cwd/d", getpid ());
  g_autofree char *root = g_strdup_printf ("/proc/%d/root%s", getpid (), handoff->path);
  g_autofree char *fd = g_strdup_printf ("/proc/%d/fd/3", getpid ());

  g_assert_cmpint (symlink (handoff->path, link), ==, 0);
  expect (link, CALLER, false);
  g_unlink (link);
  g_assert_cmpint (symlink (handoff->base, link), ==, 0);
  expect (through, CALLER, false);
  g_unlink (link);

  g_assert_cmpint (chdir (handoff->base), ==, 0);
  expect (cwd, CALLER, false);
  expect ("/proc/self/cwd/d", CALLER, false);
  g_assert_cmpint (chdir ("/"), ==, 0);
  expect (root, CALLER, false);
  expect (fd, CALLER, false);
  expect ("/", CALLER, false);
  expect ("/nonexistent", CALLER, false);
  expect (handoff->nonce, CALLER, false);
  expect (handoff->path, CALLER, true);
}

static void
test_directory (struct handoff *handoff, const void *data)
{
  static const mode_t modes[] = { 0755, 0750, 0710, 0701, 0500, 0600, 01700, 02700, 04700 };

  for (size_t i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_cmpint (g_chmod (handoff->path, modes[i]), ==, 0);
      expect (handoff->path, CALLER, false);
    }
  g_assert_cmpint (g_chmod (handoff->path, 0700), ==, 0);
  expect (handoff->path, CALLER + 1, false);
  expect (handoff->path, 0, false);
  g_assert_cmpint (chown (handoff->path, CALLER + 1, CALLER), ==, 0);
  expect (handoff->path, CALLER, false);
}

static void
write_nonce (struct handoff *handoff, const char *text, size_t size, mode_t mode)
{
  g_unlink (handoff->nonce);
  g_assert_true (g_file_set_contents_full (handoff->nonce, text, (gssize) size,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_assert_cmpint (chown (handoff->nonce, CALLER, CALLER), ==, 0);
  g_assert_cmpint (g_chmod (handoff->nonce, mode), ==, 0);
}

static void
test_nonce (struct handoff *handoff, const void *data)
{
  static const mode_t modes[] = { 0644, 0640, 0400, 0700, 0200, 04600, 02600 };
  g_autofree char *other = g_build_filename (handoff->base, "other", NULL);
  char text[129];

  g_unlink (handoff->nonce);
  expect (handoff->path, CALLER, false);

  for (size_t size = 0; size <= 128; size++)
    {
      memset (text, 'a', sizeof text);
      write_nonce (handoff, text, size, 0600);
      if (size != 64)
        expect (handoff->path, CALLER, false);
    }
  for (size_t i = 0; i < 64; i += 21)
    {
      memcpy (text, hex, 64);
      text[i] = 'A';
      write_nonce (handoff, text, 64, 0600);
      expect (handoff->path, CALLER, false);
    }
  for (size_t i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      write_nonce (handoff, hex, 64, modes[i]);
      expect (handoff->path, CALLER, false);
    }
  write_nonce (handoff, hex, 64, 0600);
  g_assert_cmpint (link (handoff->nonce, other), ==, 0);
  expect (handoff->path, CALLER, false);
  g_unlink (handoff->nonce);
  g_assert_cmpint (symlink (other, handoff->nonce), ==, 0);
  expect (handoff->path, CALLER, false);
  g_unlink (handoff->nonce);
  g_unlink (other);
  g_assert_cmpint (mkfifo (handoff->nonce, 0600), ==, 0);
  g_assert_cmpint (chown (handoff->nonce, CALLER, CALLER), ==, 0);
  expect (handoff->path, CALLER, false);
  g_unlink (handoff->nonce);
  g_assert_cmpint (g_mkdir (handoff->nonce, 0600), ==, 0);
  g_assert_cmpint (chown (handoff->nonce, CALLER, CALLER), ==, 0);
  expect (handoff->path, CALLER, false);
  g_rmdir (handoff->nonce);

  write_nonce (handoff, hex, 64, 0600);
  expect (handoff->path, CALLER, true);
}

static void
test_socket (struct handoff *handoff, const void *data)
{
  g_autofree char *other = g_build_filename (handoff->base, "other", NULL);

  g_assert_cmpint (g_rename (handoff->socket, other), ==, 0);
  expect (handoff->path, CALLER, false);
  g_assert_cmpint (symlink (other, handoff->socket), ==, 0);
  expect (handoff->path, CALLER, false);
  g_unlink (handoff->socket);
  g_assert_cmpint (g_rename (other, handoff->socket), ==, 0);
  expect (handoff->path, CALLER, true);

  /* Whoever listened last is the peer: root is not the caller. */
  g_assert_cmpint (listen (handoff->listener, 4), ==, 0);
  expect (handoff->path, CALLER, false);
  close (handoff->listener);
  expect (handoff->path, CALLER, false);
  handoff->listener = dup (STDIN_FILENO);
}

struct race
{
  struct handoff *handoff;
  char *link;
};

/* As the caller, until it is killed: what is a socket now is a link a moment later. */
static int
exchange (void *data)
{
  const struct race *race = data;

  HOLDS (prctl (PR_SET_PDEATHSIG, SIGKILL) == 0);
  HOLDS (setgid (CALLER) == 0 && setuid (CALLER) == 0);
  for (;;)
    HOLDS (renameat2 (AT_FDCWD, race->handoff->socket, AT_FDCWD, race->link, RENAME_EXCHANGE) == 0);
  return 0;
}

static int
dial_often (void *data)
{
  const struct race *race = data;
  const struct weir_caller caller = { .uid = CALLER,
                                      .elevated = true,
                                      .directory = race->handoff->path };
  const gint64 end = g_get_monotonic_time () + 3 * G_USEC_PER_SEC;
  unsigned connected = 0, refused = 0;

  /* Enough of both to have been in the middle of it. */
  while ((connected < 1000 || refused < 1000) && g_get_monotonic_time () < end)
    {
      uint8_t nonce[WEIR_NONCE_SIZE];
      int client = -1, fd;

      if (weir_dial (&caller, &client, nonce) < 0)
        {
          refused++;
          continue;
        }
      connected++;
      close (client);
      fd = accept (race->handoff->listener, NULL, NULL);
      HOLDS (fd >= 0);
      close (fd);
    }
  g_printerr ("connected %u, refused %u\n", connected, refused);
  HOLDS (connected > 0 && refused > 0);
  return 0;
}

/* The owner of the directory cannot make root knock at somebody else's socket. */
static void
test_exchanged (struct handoff *handoff, const void *data)
{
  g_autofree char *link = g_build_filename (handoff->path, "link", NULL);
  g_autofree char *other = g_build_filename (handoff->base, "other", NULL);
  struct race race = { handoff, link };
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int victim = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  pid_t pid;
  int result;

  g_strlcpy (address.sun_path, other, sizeof address.sun_path);
  g_assert_cmpint (bind (victim, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (g_chmod (other, 0666), ==, 0);
  g_assert_cmpint (listen (victim, 4), ==, 0);
  g_assert_cmpint (symlink (other, link), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    _exit (exchange (&race));
  result = in_child (dial_often, &race);
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_assert_cmpint (result, ==, 0);
  g_assert_cmpint (accept (victim, NULL, NULL), ==, -1);
  g_assert_cmpint (errno, ==, EAGAIN);
  close (victim);
  g_unlink (link);
  g_unlink (handoff->socket);
  g_unlink (other);
}

#define ADD(name, func) g_test_add (name, struct handoff, NULL, setup, func, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/dial/good", test_good);
  ADD ("/dial/paths", test_paths);
  ADD ("/dial/directory", test_directory);
  ADD ("/dial/nonce", test_nonce);
  ADD ("/dial/socket", test_socket);
  ADD ("/dial/exchanged", test_exchanged);
  return g_test_run ();
}
