/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "in-child.h"
#include "weir-landlock.h"

static int version;

static int
restrict_as (enum weir_role role, struct weir_layers *layers)
{
  const struct weir_plan plan = { .role = role, .elevated = geteuid () == 0 };

  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return -errno;
  return weir_landlock_restrict (&plan, layers);
}

/* As root, and as somebody who is nobody in particular. */
static int
files (void *data)
{
  struct weir_layers layers = { 0 };
  int open_before = open ("/etc/passwd", O_RDONLY | O_CLOEXEC);
  char byte;

  if (*(const bool *) data)
    HOLDS (setgid (1000) == 0 && setuid (1000) == 0);
  HOLDS (restrict_as (WEIR_ROLE_METER, &layers) == version);
  HOLDS (layers.active == WEIR_LAYER_LANDLOCK && layers.missing == 0);

  HOLDS (open ("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
  HOLDS (open ("/dev/null", O_RDWR | O_CLOEXEC) < 0 && errno == EACCES);
  HOLDS (open ("/proc/self/status", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
  HOLDS (open ("/tmp/weir-file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 && errno == EACCES);
  HOLDS (open ("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) < 0 && errno == EACCES);
  HOLDS (mkdir ("/tmp/weir-directory", 0700) < 0 && errno == EACCES);
  HOLDS (symlink ("x", "/tmp/weir-link") < 0 && errno == EACCES);
  HOLDS (execl ("/bin/true", "true", NULL) < 0 && errno == EACCES);
  if (version >= 3)
    HOLDS (truncate ("/etc/passwd", 1) < 0 && errno == EACCES);

  HOLDS (pread (open_before, &byte, 1, 0) == 1);
  return 0;
}

static void
test_files (void)
{
  bool ordinary = false;

  g_assert_cmpint (in_child (files, &ordinary), ==, 0);
  ordinary = true;
  g_assert_cmpint (in_child (files, &ordinary), ==, 0);
}

static int
connects (void *data)
{
  const struct sockaddr_in *listener = data;
  struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  struct weir_layers layers = { 0 };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  HOLDS (restrict_as (WEIR_ROLE_KEEPER, &layers) == version);
  HOLDS (connect (fd, (const struct sockaddr *) listener, sizeof *listener) < 0);
  HOLDS (errno == EACCES);
  HOLDS (bind (fd, (const struct sockaddr *) &any, sizeof any) < 0 && errno == EACCES);
  return 0;
}

static void
test_tcp (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int fd;

  if (version < 4)
    {
      g_test_skip ("this kernel's Landlock does not know TCP");
      return;
    }
  fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (fd, (const struct sockaddr *) &address, size), ==, 0);
  g_assert_cmpint (listen (fd, 1), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &size), ==, 0);
  g_assert_cmpint (in_child (connects, &address), ==, 0);
  close (fd);
}

static int
reaches_out (void *data)
{
  static const struct sockaddr_un address = { AF_UNIX, "\0weir-test-landlock" };
  struct weir_layers layers = { 0 };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  HOLDS (kill (getppid (), 0) == 0);
  HOLDS (restrict_as (WEIR_ROLE_METER, &layers) == version);
  HOLDS (kill (getppid (), 0) < 0 && errno == EPERM);
  HOLDS (connect (fd, (const struct sockaddr *) &address, sizeof address) < 0 && errno == EPERM);
  return 0;
}

static void
test_scopes (void)
{
  static const struct sockaddr_un address = { AF_UNIX, "\0weir-test-landlock" };
  int fd;

  if (version < 6)
    {
      g_test_skip ("this kernel's Landlock does not know scopes");
      return;
    }
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (fd, (const struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 1), ==, 0);
  g_assert_cmpint (in_child (reaches_out, NULL), ==, 0);
  close (fd);
}

static int
looker (void *data)
{
  struct weir_layers layers = { 0 };

  HOLDS (restrict_as (WEIR_ROLE_LOOKER, &layers) == 0);
  HOLDS (layers.active == 0 && layers.missing == 0);
  HOLDS (open ("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
  return 0;
}

/* Sixteen domains inside one another are all that the kernel keeps: then it is not to be had, and
 * this is said. */
static int
refused (void *data)
{
  struct landlock_ruleset_attr rules = { .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SYM };
  struct weir_layers layers = { 0 };
  int fd = (int) syscall (SYS_landlock_create_ruleset, &rules, sizeof rules, 0);

  HOLDS (fd >= 0 && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  while (syscall (SYS_landlock_restrict_self, fd, 0) == 0)
    ;
  HOLDS (errno == E2BIG);
  HOLDS (restrict_as (WEIR_ROLE_METER, &layers) == 0);
  HOLDS (layers.active == 0 && layers.missing == WEIR_LAYER_LANDLOCK);
  return 0;
}

static void
test_absent (void)
{
  g_assert_cmpint (in_child (looker, NULL), ==, 0);
  g_assert_cmpint (in_child (refused, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  version = (int) syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1)
    {
      g_print ("1..0 # SKIP this kernel has no Landlock\n");
      return 0;
    }
  g_test_add_func ("/landlock/files", test_files);
  g_test_add_func ("/landlock/tcp", test_tcp);
  g_test_add_func ("/landlock/scopes", test_scopes);
  g_test_add_func ("/landlock/absent", test_absent);
  return g_test_run ();
}
