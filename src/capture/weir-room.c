/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seccomp cannot look at a path, capabilities know no particular file, and Landlock is not for the
 * looker (inside a Landlock domain /proc/PID/fd of others is refused, whatever one may otherwise
 * do). What stops a process that was taken over from opening /etc/shadow is that there is none.
 *
 * Everybody gets a network, IPC and UTS namespace with nothing in it.  Sockets stay in the
 * namespace in which they were opened, so those of the root phase go on to work; a new one leads
 * nowhere. This is the only layer that stops UDP, which Landlock does not know, and the looker, who
 * reads other people's memory if it must be, has no more use for a network than the others.  The
 * pid namespace stays: the looker names processes by the numbers that everybody knows them by, and
 * the front end compares our own.
 *
 * Meter and keeper get an empty root.  The looker's holds two mounts: a procfs of its own with
 * nothing but processes in it (subset=pid, Linux 5.8), and the control groups.  That neither
 * follows links makes /proc/PID/root, cwd, exe and fd/N dead ends: they can be read as text only.
 *
 * The mount calls by descriptor are used because a mount can be given its flags before anybody can
 * see it, and because a descriptor cannot come to mean another place.  All of them are in
 * Linux 5.14.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "weir-limits.h"
#include "weir-looker-parse.h"
#include "weir-room.h"

/* The same five for every mount; what they are called when they are set, and when they are read. */
#define QUIET (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW)
#define FLAGS (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOSYMFOLLOW)

/* statfs(2) */
#define TMPFS_TYPE   0x01021994
#define PROC_TYPE    0x9fa0
#define CGROUP2_TYPE 0x63677270

/* The room is put together here, because this directory is everywhere; it covers nothing longer
 * than until the old root is gone. */
#define SITE "/proc"

struct option
{
  const char *key, *value;
};

struct room
{
  int root, proc, cgroup; /* mounts; -1 where there is none */
};

/* ---- namespaces ---- */

static ino_t
get_namespace (const char *path)
{
  struct stat info;

  return stat (path, &info) == 0 ? info.st_ino : 0;
}

/* One by one: a kernel without one kind can still give the others. */
static int
empty_namespaces (struct weir_layers *layers)
{
  static const struct
  {
    int flag;
    const char *path;
  } kinds[] = {
    { CLONE_NEWNET, "/proc/self/ns/net" },
    { CLONE_NEWIPC, "/proc/self/ns/ipc" },
    { CLONE_NEWUTS, "/proc/self/ns/uts" },
  };
  bool refused = false;

  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    {
      const ino_t before = get_namespace (kinds[i].path);

      if (unshare (kinds[i].flag) < 0)
        refused = true;
      else if (get_namespace (kinds[i].path) == before)
        return -EPERM;
    }
  *(refused ? &layers->missing : &layers->active) |= WEIR_LAYER_EMPTY_NAMESPACES;
  return 0;
}

/* ---- building ---- */

/* A new mount that is nowhere yet; a descriptor or a negative errno. */
static int
make_mount (const char *type, const struct option *options, size_t n_options, unsigned int flags)
{
  int context, mount = -1, r = 0;

  context = fsopen (type, FSOPEN_CLOEXEC);
  if (context < 0)
    return -errno;
  for (size_t i = 0; i < n_options && r == 0; i++)
    r = fsconfig (context, FSCONFIG_SET_STRING, options[i].key, options[i].value, 0);
  if (r == 0)
    r = fsconfig (context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (r == 0)
    mount = fsmount (context, FSMOUNT_CLOEXEC, flags);
  r = mount < 0 ? -errno : mount;
  close (context);
  return r;
}

static int
make_read_only (int mount)
{
  struct mount_attr attributes = { .attr_set = QUIET | MOUNT_ATTR_RDONLY };

  return mount_setattr (mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0 ? -errno : 0;
}

/* A copy of the mount that is there, and not a new one: mounting the hierarchy again from the
 * initial control group namespace would set its options anew for the whole machine (nsdelegate,
 * memory_recursiveprot; kernel/cgroup/cgroup.c, apply_cgroup_root_flags).  It also keeps what part
 * of the tree is seen, which mountinfo tells, so paths come out the same in the room.
 *
 * -1 when there is no version 2 hierarchy, which is nothing that somebody refused. */
static int
copy_cgroup (int *ret_mount)
{
  char *line = NULL, point[WEIR_STRING_MAX + 1], prefix[WEIR_STRING_MAX + 1];
  size_t capacity = 0;
  FILE *mounts;
  int mount = -1, r = 0;

  mounts = fopen ("/proc/self/mountinfo", "re");
  if (mounts == NULL)
    return -errno;
  while (mount < 0 && getline (&line, &capacity, mounts) > 0)
    {
      line[strcspn (line, "\n")] = '\0';
      if (!weir_parse_cgroup_mount (line, point, prefix, sizeof point))
        continue;
      mount =
          open_tree (AT_FDCWD, point, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
      r = mount < 0 ? -errno : 0;
    }
  free (line);
  fclose (mounts);
  if (mount >= 0)
    r = make_read_only (mount);
  *ret_mount = mount;
  return r;
}

static int
build (const struct weir_plan *plan, struct room *room)
{
  /* One page, and inodes for itself and two directories: not even root could put much there. */
  static const struct option small[] = { { "size", "4k" },
                                         { "nr_inodes", "4" },
                                         { "mode", "0555" } };
  static const struct option processes[] = { { "subset", "pid" } };
  int r = 0;

  room->root = make_mount ("tmpfs", small, sizeof small / sizeof small[0], QUIET);
  if (room->root < 0)
    return room->root;
  if (plan->role == WEIR_ROLE_LOOKER)
    {
      room->proc = make_mount ("proc", processes, 1, QUIET | MOUNT_ATTR_RDONLY);
      if (room->proc < 0)
        return room->proc;
      r = copy_cgroup (&room->cgroup);
      if (r == 0 && mkdirat (room->root, &"/proc"[1], 0555) < 0)
        r = -errno;
      if (r == 0 && room->cgroup >= 0 && mkdirat (room->root, &WEIR_ROOM_CGROUP[1], 0555) < 0)
        r = -errno;
    }
  return r < 0 ? r : make_read_only (room->root);
}

static int
attach (int mount, int directory, const char *path)
{
  return move_mount (mount, "", directory, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

/* ---- moving in ---- */

/* The old root is taken away altogether, where chroot(2) would only hide it: not even a descriptor
 * that somebody forgot leads out of a mount namespace in which nothing else is mounted. */
static int
move_in (const struct room *room)
{
  if (fchdir (room->root) < 0 || syscall (SYS_pivot_root, ".", ".") < 0)
    return -errno;
  return 0;
}

static int
close_door (void)
{
  return umount2 (".", MNT_DETACH) < 0 || chdir ("/") < 0 ? -errno : 0;
}

static bool
is_mounted (const char *path, long type)
{
  struct statfs info;

  return statfs (path, &info) == 0 && (long) info.f_type == type &&
         ((unsigned long) info.f_flags & FLAGS) == FLAGS;
}

static bool
is_inside (const struct room *room)
{
  struct statfs info;

  if (!is_mounted ("/", TMPFS_TYPE))
    return false;
  if (room->proc < 0 && statfs ("/proc", &info) == 0)
    return false;
  return (room->proc < 0 || is_mounted ("/proc", PROC_TYPE)) &&
         (room->cgroup < 0 || is_mounted (WEIR_ROOM_CGROUP, CGROUP2_TYPE));
}

/* 1 when the process is in its room, 0 when something was refused. */
static int
enter (const struct weir_plan *plan, struct room *room)
{
  int r;

  /* Nothing that is done here is to be seen outside, nor the other way round. */
  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
      build (plan, room) < 0 || attach (room->root, AT_FDCWD, SITE) < 0)
    return 0;

  r = room->proc >= 0 ? attach (room->proc, room->root, &"/proc"[1]) : 0;
  if (r == 0 && room->cgroup >= 0)
    r = attach (room->cgroup, room->root, &WEIR_ROOM_CGROUP[1]);
  if (r == 0)
    r = move_in (room);
  if (r < 0)
    /* Back to where it was: the looker needs a /proc. */
    return chdir ("/") < 0 || umount2 (SITE, MNT_DETACH) < 0 ? -errno : 0;

  r = close_door ();
  if (r < 0)
    return r;
  return is_inside (room) ? 1 : -EPERM;
}

static int
empty_root (const struct weir_plan *plan, struct weir_layers *layers)
{
  struct room room = { -1, -1, -1 };
  const int *const mounts[] = { &room.root, &room.proc, &room.cgroup };
  int r;

  r = enter (plan, &room);
  for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++)
    if (*mounts[i] >= 0)
      close (*mounts[i]);
  if (r < 0)
    return r;
  *(r > 0 ? &layers->active : &layers->missing) |= WEIR_LAYER_EMPTY_ROOT;
  return 0;
}

int
weir_room_enter (const struct weir_plan *plan, struct weir_layers *layers)
{
  int r = 0;

  /* All of it takes CAP_SYS_ADMIN, so an ordinary user's engine is not meant to have it.  (A user
   * namespace would give it, and a great deal of the kernel with it.) */
  if (!plan->elevated)
    return 0;
  if ((plan->without & WEIR_LAYER_EMPTY_NAMESPACES) == 0)
    r = empty_namespaces (layers);
  if (r == 0 && (plan->without & WEIR_LAYER_EMPTY_ROOT) == 0)
    r = empty_root (plan, layers);
  return r;
}
