/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "in-child.h"
#include "weir-capabilities.h"
#include "weir-looker-cgroup.h"
#include "weir-looker-parse.h"
#include "weir-room.h"

#define BOTH (WEIR_LAYER_EMPTY_ROOT | WEIR_LAYER_EMPTY_NAMESPACES)

static size_t
count_entries (const char *path)
{
  DIR *directory = opendir (path);
  size_t n = 0;

  while (directory != NULL && readdir (directory) != NULL)
    n++;
  if (directory != NULL)
    closedir (directory);
  return n;
}

static int
empty (void *data)
{
  const struct weir_plan plan = { .role = *(const enum weir_role *) data, .elevated = true };
  struct weir_layers layers = { 0 };
  struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  char name[IF_NAMESIZE];
  int fd;

  HOLDS (weir_room_enter (&plan, &layers) == 0);
  HOLDS (layers.active == BOTH && layers.missing == 0);

  /* Nothing but itself and its parent, and root itself cannot change that. */
  HOLDS (count_entries ("/") == 2 && count_entries ("/..") == 2 && count_entries (".") == 2);
  HOLDS (access ("/proc", F_OK) < 0 && errno == ENOENT);
  HOLDS (open ("/file", O_WRONLY | O_CREAT, 0600) < 0 && errno == EROFS);
  HOLDS (mkdir ("/directory", 0700) < 0 && errno == EROFS);

  fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  HOLDS (fd >= 0);
  here.sin_port = htons (9);
  HOLDS (sendto (fd, "x", 1, 0, (const struct sockaddr *) &here, sizeof here) < 0);
  HOLDS (errno == ENETUNREACH);
  HOLDS (if_indextoname (2, name) == NULL);
  return 0;
}

static void
test_empty (void)
{
  static const enum weir_role roles[] = { WEIR_ROLE_METER, WEIR_ROLE_KEEPER };

  for (size_t i = 0; i < G_N_ELEMENTS (roles); i++)
    {
      enum weir_role role = roles[i];

      g_assert_cmpint (in_child (empty, &role), ==, 0);
    }
}

/* A socket that was opened before goes on to speak with whom it spoke with. */
static int
old_sockets (void *data)
{
  const struct weir_plan plan = { .role = WEIR_ROLE_METER, .elevated = true };
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  struct weir_layers layers = { 0 };
  char byte;
  int a, b;

  a = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  b = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  HOLDS (bind (a, (const struct sockaddr *) &address, size) == 0);
  HOLDS (getsockname (a, (struct sockaddr *) &address, &size) == 0);
  HOLDS (weir_room_enter (&plan, &layers) == 0 && layers.active == BOTH);
  HOLDS (sendto (b, "x", 1, 0, (const struct sockaddr *) &address, sizeof address) == 1);
  HOLDS (recv (a, &byte, 1, MSG_DONTWAIT) == 1);
  return 0;
}

static void
test_old_sockets (void)
{
  g_assert_cmpint (in_child (old_sockets, NULL), ==, 0);
}

static int
refuses (const char *path, int flags, int error)
{
  HOLDS (open (path, flags | O_CLOEXEC) < 0);
  HOLDS (errno == error);
  return 0;
}

static int
looker (void *data)
{
  static const struct weir_plan plan = { .role = WEIR_ROLE_LOOKER, .elevated = true };
  struct weir_layers layers = { 0 };
  char path[64], target[256];
  pid_t parent = getppid ();
  int fd;

  HOLDS (weir_room_enter (&plan, &layers) == 0);
  HOLDS (layers.active == BOTH && layers.missing == 0);
  HOLDS (count_entries ("/") == 4);
  HOLDS (count_entries ("/proc") > 2 && count_entries (WEIR_ROOM_CGROUP) > 2);

  /* Only processes, and no way through them to anything else. */
  HOLDS (refuses ("/proc/kcore", O_RDONLY, ENOENT) == 0);
  HOLDS (refuses ("/proc/sys/kernel/hostname", O_RDONLY, ENOENT) == 0);
  HOLDS (refuses ("/proc/sysrq-trigger", O_WRONLY, ENOENT) == 0);
  HOLDS (refuses ("/etc/shadow", O_RDONLY, ENOENT) == 0);
  HOLDS (refuses ("/proc/self/status", O_RDONLY, ELOOP) == 0);
  snprintf (path, sizeof path, "/proc/%d/root/etc/shadow", parent);
  HOLDS (refuses (path, O_RDONLY, ELOOP) == 0);
  snprintf (path, sizeof path, "/proc/%d/cwd", parent);
  HOLDS (refuses (path, O_RDONLY, ELOOP) == 0);
  snprintf (path, sizeof path, "/proc/%d/ns/net", parent);
  HOLDS (refuses (path, O_RDONLY, ELOOP) == 0);
  snprintf (path, sizeof path, "/proc/%d/fd/0", parent);
  HOLDS (refuses (path, O_RDONLY, ELOOP) == 0);
  snprintf (path, sizeof path, "/proc/%d/mem", parent);
  HOLDS (refuses (path, O_RDWR, EROFS) == 0);
  HOLDS (refuses (WEIR_ROOM_CGROUP "/cgroup.procs", O_WRONLY, EROFS) == 0);

  /* What it is there for. */
  snprintf (path, sizeof path, "/proc/%d/fd/0", parent);
  HOLDS (readlink (path, target, sizeof target) > 0);
  snprintf (path, sizeof path, "/proc/%d/exe", parent);
  HOLDS (readlink (path, target, sizeof target) > 0);
  snprintf (path, sizeof path, "/proc/%d/cgroup", parent);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  HOLDS (fd >= 0 && read (fd, target, sizeof target) > 0);
  return 0;
}

static void
test_looker (void)
{
  g_assert_cmpint (in_child (looker, NULL), ==, 0);
}

/* Where the hierarchy is mounted, found like the engine finds it. */
static bool
find_cgroups (char *ret_point)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  char prefix[1025];

  g_assert_true (g_file_get_contents ("/proc/self/mountinfo", &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (size_t i = 0; lines[i] != NULL; i++)
    if (weir_parse_cgroup_mount (lines[i], ret_point, prefix, sizeof prefix))
      return true;
  return false;
}

static int
take_path (uint64_t id, const char *path, bool unfinished, void *data)
{
  g_strlcpy (data, path != NULL ? path : "-", 1025);
  return 0;
}

/* The path of a group below one of which the mount shows only the inside, as a container's root may
 * have it: the room must not lose what is above. */
static int
cgroup_path (void *data)
{
  static const struct weir_plan plan = { .role = WEIR_ROLE_LOOKER, .elevated = true };
  const char *point = data;
  struct weir_layers layers = { 0 };
  char outer[64], inner[96], whole[1200], path[1025] = "";
  struct weir_cgroups *cgroups;
  struct weir_pace pace = { .leash = -1 };
  struct stat info;
  uint64_t id;
  int r;

  snprintf (outer, sizeof outer, "/weir-test-%d", getpid ());
  snprintf (inner, sizeof inner, "%s/inner", outer);
  snprintf (whole, sizeof whole, "%s%s", point, outer);
  HOLDS (mkdir (whole, 0755) == 0);
  snprintf (whole, sizeof whole, "%s%s", point, inner);
  HOLDS (mkdir (whole, 0755) == 0 && stat (whole, &info) == 0);
  id = info.st_ino;

  HOLDS (unshare (CLONE_NEWNS) == 0 && mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  snprintf (whole, sizeof whole, "%s%s", point, outer);
  HOLDS (mount (whole, point, NULL, MS_BIND, NULL) == 0);

  r = fork ();
  HOLDS (r >= 0);
  if (r == 0)
    {
      HOLDS (weir_room_enter (&plan, &layers) == 0 && layers.active == BOTH);
      cgroups = weir_cgroups_new ();
      HOLDS (cgroups != NULL);
      HOLDS (weir_cgroups_find (cgroups, &pace, &id, 1, take_path, path) == 0);
      weir_cgroups_free (cgroups);
      _exit (strcmp (path, inner) == 0 ? 0 : 1);
    }
  HOLDS (waitpid (r, &r, 0) > 0);
  umount2 (point, 0);
  snprintf (whole, sizeof whole, "%s%s", point, inner);
  rmdir (whole);
  snprintf (whole, sizeof whole, "%s%s", point, outer);
  rmdir (whole);
  HOLDS (r == 0);
  return 0;
}

static void
test_cgroup_path (void)
{
  char point[1025];

  if (!find_cgroups (point))
    {
      g_test_skip ("no version 2 control groups are mounted here");
      return;
    }
  g_assert_cmpint (in_child (cgroup_path, point), ==, 0);
}

/* Neither mounts nor their options, which for control groups are the whole machine's. */
static void
test_outside (void)
{
  g_autofree char *before = NULL, *after = NULL;
  enum weir_role role = WEIR_ROLE_METER;

  g_assert_true (g_file_get_contents ("/proc/self/mountinfo", &before, NULL, NULL));
  g_assert_cmpint (in_child (looker, NULL), ==, 0);
  g_assert_cmpint (in_child (empty, &role), ==, 0);
  g_assert_true (g_file_get_contents ("/proc/self/mountinfo", &after, NULL, NULL));
  g_assert_cmpstr (before, ==, after);
}

static int
refused (void *data)
{
  static const struct weir_plan plan = { .role = WEIR_ROLE_LOOKER, .elevated = true };
  struct weir_layers layers = { 0 };
  struct weir_capabilities sets;

  HOLDS (weir_capabilities_get (&sets) == 0);
  sets.effective &= ~WEIR_CAPABILITY (CAP_SYS_ADMIN);
  HOLDS (weir_capabilities_set (&sets) == 0);
  HOLDS (weir_room_enter (&plan, &layers) == 0);
  HOLDS (layers.active == 0 && layers.missing == BOTH);
  HOLDS (access ("/proc/self/status", R_OK) == 0 && access ("/etc/passwd", R_OK) == 0);
  return 0;
}

/* A root directory that is no mount cannot be exchanged. */
static int
in_a_folder (void *data)
{
  static const struct weir_plan plan = { .role = WEIR_ROLE_METER, .elevated = true };
  struct weir_layers layers = { 0 };

  HOLDS (unshare (CLONE_NEWNS) == 0 && mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  HOLDS (mkdir ("/run/weir-folder", 0700) == 0 || errno == EEXIST);
  HOLDS (mkdir ("/run/weir-folder/proc", 0700) == 0 || errno == EEXIST);
  HOLDS (mount ("proc", "/run/weir-folder/proc", "proc", 0, NULL) == 0);
  HOLDS (chroot ("/run/weir-folder") == 0 && chdir ("/") == 0);
  HOLDS (weir_room_enter (&plan, &layers) == 0);
  HOLDS (layers.active == WEIR_LAYER_EMPTY_NAMESPACES);
  HOLDS (layers.missing == WEIR_LAYER_EMPTY_ROOT);
  HOLDS (access ("/proc/self/status", R_OK) == 0);
  return 0;
}

static void
test_refused (void)
{
  g_assert_cmpint (in_child (refused, NULL), ==, 0);
  g_assert_cmpint (in_child (in_a_folder, NULL), ==, 0);
}

/* Not wanted: in neither list. */
static int
not_wanted (void *data)
{
  static const struct weir_plan ordinary = { .role = WEIR_ROLE_LOOKER };
  static const struct weir_plan without = { .role = WEIR_ROLE_METER,
                                            .elevated = true,
                                            .without = BOTH };
  struct weir_layers layers = { 0 };

  HOLDS (weir_room_enter (&ordinary, &layers) == 0);
  HOLDS (weir_room_enter (&without, &layers) == 0);
  HOLDS (layers.active == 0 && layers.missing == 0);
  HOLDS (access ("/etc/passwd", R_OK) == 0);
  return 0;
}

static void
test_not_wanted (void)
{
  g_assert_cmpint (in_child (not_wanted, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/room/empty", test_empty);
  g_test_add_func ("/room/old-sockets", test_old_sockets);
  g_test_add_func ("/room/looker", test_looker);
  g_test_add_func ("/room/cgroup-path", test_cgroup_path);
  g_test_add_func ("/room/outside", test_outside);
  g_test_add_func ("/room/refused", test_refused);
  g_test_add_func ("/room/not-wanted", test_not_wanted);
  return g_test_run ();
}
