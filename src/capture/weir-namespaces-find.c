/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A namespace is found by the number that /proc/PID/ns/net shows, and is believed to be that one
 * only when it is open: the process may have ended meanwhile, its number may be another's, it may
 * have gone elsewhere.  A descriptor whose inode is another is thrown away.
 *
 * Any user can make namespaces (in user namespaces of their own), and thousands of them.  So those
 * that root made come first, then users take turns, one namespace each; nobody's many keep anybody
 * else's one out.  Whose a namespace is, the kernel says: the owner of its user namespace, which
 * cannot be chosen.
 *
 * To ask that of a namespace takes time, of which there is little, and a user's processes can be
 * tens of thousands, each in one of its own.  So processes are looked at in turns as well, one of
 * each user.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "weir-clock.h"
#include "weir-looker-parse.h"
#include "weir-namespaces-find.h"

/* Processes that are looked at: as many as there are numbers on most machines. */
#define PROCESSES_MAX 65536
/* Names that are looked at in each directory. */
#define NAMES_MAX 1024
/* A power of two, and twice as many as can be in it. */
#define BUCKETS (2 * WEIR_NAMESPACES_FOUND_MAX)

/* Its number is fixed (PROC_USER_INIT_INO of the kernel). */
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDU

/* Where `ip netns` and docker give names to namespaces: files that are the namespace itself. */
static const char *const directories[] = { "/run/netns", "/run/docker/netns" };

struct finder
{
  struct weir_found_namespaces *found;
  uint32_t own;
  uint64_t deadline;
  uint16_t buckets[BUCKETS]; /* number in @found counted from 1 */
};

/* ---- opening ---- */

/* Whether @fd is a network namespace, of which *@ret_inode is the number. */
static bool
is_network_namespace (int fd, uint32_t *ret_inode)
{
  struct statfs system;
  struct stat info;

  if (fstatfs (fd, &system) < 0 || system.f_type != NSFS_MAGIC || fstat (fd, &info) < 0 ||
      ioctl (fd, NS_GET_NSTYPE) != CLONE_NEWNET)
    return false;
  *ret_inode = (uint32_t) info.st_ino;
  return true;
}

static int
open_of_process (pid_t pid)
{
  char path[32];

  snprintf (path, sizeof path, "/proc/%d/ns/net", (int) pid);
  return open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* What bears a name may be any file at all: it is opened in earnest only once it is known to be a
 * namespace, because opening a device or a fifo can have effects. */
static int
open_of_name (int directory, const char *name)
{
  struct statfs system;
  char path[32];
  int place, fd = -1;

  place = openat (directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (place < 0)
    return -1;
  if (fstatfs (place, &system) == 0 && system.f_type == NSFS_MAGIC)
    {
      snprintf (path, sizeof path, "/proc/self/fd/%d", place);
      fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    }
  close (place);
  return fd;
}

/* A directory of root's in which nobody else can make names; -1: there is none. */
static int
open_directory (unsigned number)
{
  struct stat info;
  int fd;

  fd = open (directories[number], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return -1;
  if (fstat (fd, &info) == 0 && info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return fd;
  close (fd);
  return -1;
}

int
weir_namespaces_open_found (const struct weir_found_namespace *found)
{
  int directory, fd = -1;
  uint32_t inode;

  if (found->pid != 0)
    fd = open_of_process (found->pid);
  else
    {
      directory = open_directory (found->directory);
      if (directory >= 0)
        {
          fd = open_of_name (directory, found->name);
          close (directory);
        }
    }
  if (fd < 0)
    return -ESRCH;
  if (is_network_namespace (fd, &inode) && inode == found->inode)
    return fd;
  close (fd);
  return -ESTALE;
}

/* ---- finding ---- */

static uint16_t *
bucket_of (struct finder *finder, uint32_t inode)
{
  const struct weir_found_namespace *items = finder->found->items;
  uint32_t at = inode * 2654435761U % BUCKETS;

  while (finder->buckets[at] != 0 && items[finder->buckets[at] - 1].inode != inode)
    at = (at + 1) % BUCKETS;
  return &finder->buckets[at];
}

/* Whose it is.  Where the kernel does not tell (a container's root asks about what is above it), it
 * counts as a user's. */
static void
find_owner (int fd, struct weir_found_namespace *namespace)
{
  struct stat info;
  uid_t owner;
  int above;

  namespace->owner = (uid_t) -1;
  above = ioctl (fd, NS_GET_USERNS);
  if (above < 0)
    return;
  namespace->is_system = fstat (above, &info) == 0 && info.st_ino == INITIAL_USER_NAMESPACE;
  namespace->owner = ioctl (above, NS_GET_OWNER_UID, &owner) == 0 ? owner : (uid_t) -1;
  close (above);
}

static bool
is_known (struct finder *finder, uint32_t inode)
{
  return inode == finder->own || *bucket_of (finder, inode) != 0;
}

/* Whether its owner has as many already as will be opened at all: more would only take the places
 * of others. */
static bool
is_one_too_many (const struct weir_found_namespaces *found,
                 const struct weir_found_namespace *namespace)
{
  unsigned n = 0;

  if (namespace->is_system)
    return false;
  for (uint32_t i = 0; i < found->n && n < WEIR_OPENED_NAMESPACES_MAX; i++)
    n += !found->items[i].is_system && found->items[i].owner == namespace->owner;
  return n >= WEIR_OPENED_NAMESPACES_MAX;
}

/* One that is not known yet, and that was open a moment ago. */
static void
add (struct finder *finder, const struct weir_found_namespace *namespace)
{
  struct weir_found_namespaces *found = finder->found;

  if (found->n == WEIR_NAMESPACES_FOUND_MAX || is_one_too_many (found, namespace))
    {
      /* Not told apart any more, so this counts processes. */
      found->n_left_out++;
      return;
    }
  found->items[found->n] = *namespace;
  *bucket_of (finder, namespace->inode) = (uint16_t) ++found->n;
}

static void
find_names (struct finder *finder, unsigned number)
{
  unsigned left = NAMES_MAX;
  struct dirent *entry;
  DIR *directory;
  int fd;

  fd = open_directory (number);
  if (fd < 0)
    return;
  directory = fdopendir (fd);
  if (directory == NULL)
    {
      close (fd);
      return;
    }
  while (left-- > 0 && weir_clock_now () < finder->deadline &&
         (entry = readdir (directory)) != NULL)
    {
      struct weir_found_namespace namespace = { .directory = number, .is_system = true };

      /* A name that was cut could not be opened again. */
      if (entry->d_name[0] == '.' || strlen (entry->d_name) >= WEIR_NAMESPACE_NAME_SIZE)
        continue;
      fd = open_of_name (dirfd (directory), entry->d_name);
      if (fd < 0)
        continue;
      memcpy (namespace.name, entry->d_name, strlen (entry->d_name) + 1);
      if (is_network_namespace (fd, &namespace.inode) && !is_known (finder, namespace.inode))
        add (finder, &namespace);
      close (fd);
    }
  closedir (directory);
}

static void
look_at_process (struct finder *finder, int proc, pid_t pid)
{
  struct weir_found_namespace namespace = { .pid = pid };
  char path[32], link[32];
  ssize_t size;
  int fd;

  snprintf (path, sizeof path, "%d/ns/net", (int) pid);
  size = readlinkat (proc, path, link, sizeof link);
  if (size <= 0 || !weir_parse_namespace_link (link, (size_t) size, &namespace.inode) ||
      is_known (finder, namespace.inode))
    return;
  /* A process that has ended meanwhile may not be the only one in there. */
  fd = weir_namespaces_open_found (&namespace);
  if (fd < 0)
    return;
  find_owner (fd, &namespace);
  close (fd);
  add (finder, &namespace);
}

/* At most PROCESSES_MAX; their number is returned.  Half of the time is for looking at them. */
static uint32_t
list_processes (struct finder *finder, DIR *proc, struct weir_namespaces_process *processes)
{
  const int left = weir_clock_left (finder->deadline, WEIR_NAMESPACES_TIMEOUT_MS);
  const uint64_t until = weir_clock_until (finder->deadline, (unsigned) left / 2);
  struct dirent *entry;
  uint32_t n = 0;

  while ((entry = readdir (proc)) != NULL)
    {
      struct stat info;
      uint64_t pid;

      if (!weir_parse_decimal (entry->d_name, &pid) || pid > INT32_MAX)
        continue;
      if (n == PROCESSES_MAX || weir_clock_now () >= until)
        {
          finder->found->unfinished = true;
          break;
        }
      if (fstatat (dirfd (proc), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0)
        processes[n++] = (struct weir_namespaces_process) { (pid_t) pid, info.st_uid, 0 };
    }
  return n;
}

static int
find_by_process (struct finder *finder)
{
  struct weir_namespaces_process *processes;
  struct statfs system;
  uint32_t n;
  DIR *proc;

  proc = opendir ("/proc");
  if (proc == NULL)
    return -errno;
  if (fstatfs (dirfd (proc), &system) < 0 || system.f_type != PROC_SUPER_MAGIC)
    {
      closedir (proc);
      return -EXDEV;
    }
  processes = calloc (PROCESSES_MAX, sizeof *processes);
  if (processes == NULL)
    {
      closedir (proc);
      return -ENOMEM;
    }
  n = list_processes (finder, proc, processes);
  weir_namespaces_order (processes, n);
  for (uint32_t i = 0; i < n; i++)
    {
      if (weir_clock_now () >= finder->deadline)
        {
          finder->found->unfinished = true;
          break;
        }
      look_at_process (finder, dirfd (proc), processes[i].pid);
    }
  free (processes);
  closedir (proc);
  return 0;
}

/* ---- whose turn it is ---- */

static int
compare_users (const void *a, const void *b)
{
  const struct weir_namespaces_process *one = a, *other = b;

  if (one->uid != other->uid)
    return one->uid < other->uid ? -1 : 1;
  return (one->pid > other->pid) - (one->pid < other->pid);
}

static int
compare_rounds (const void *a, const void *b)
{
  const struct weir_namespaces_process *one = a, *other = b;

  if (one->turn != other->turn)
    return one->turn < other->turn ? -1 : 1;
  return (one->pid > other->pid) - (one->pid < other->pid);
}

void
weir_namespaces_order (struct weir_namespaces_process *processes, uint32_t n)
{
  if (n == 0)
    return;
  qsort (processes, n, sizeof *processes, compare_users);
  for (uint32_t i = 1; i < n; i++)
    if (processes[i].uid == processes[i - 1].uid)
      processes[i].turn = processes[i - 1].turn + 1;
  qsort (processes, n, sizeof *processes, compare_rounds);
}

static int
compare_owners (const void *a, const void *b)
{
  const struct weir_found_namespace *one = a, *other = b;

  if (one->owner != other->owner)
    return one->owner < other->owner ? -1 : 1;
  return (one->pid > other->pid) - (one->pid < other->pid);
}

static int
compare_turns (const void *a, const void *b)
{
  const struct weir_found_namespace *one = a, *other = b;

  if (one->is_system != other->is_system)
    return one->is_system ? -1 : 1;
  if (!one->is_system && one->turn != other->turn)
    return one->turn < other->turn ? -1 : 1;
  return (one->pid > other->pid) - (one->pid < other->pid);
}

static void
take_turns (struct weir_found_namespaces *found)
{
  if (found->n == 0)
    return;
  qsort (found->items, found->n, sizeof *found->items, compare_owners);
  for (uint32_t i = 1; i < found->n; i++)
    if (found->items[i].owner == found->items[i - 1].owner)
      found->items[i].turn = found->items[i - 1].turn + 1;
  qsort (found->items, found->n, sizeof *found->items, compare_turns);
}

int
weir_find_namespaces (uint32_t own, uint64_t deadline, struct weir_found_namespaces *found)
{
  struct finder *finder;
  int r;

  *found = (struct weir_found_namespaces) { 0 };
  found->items = calloc (WEIR_NAMESPACES_FOUND_MAX, sizeof *found->items);
  finder = calloc (1, sizeof *finder);
  if (found->items == NULL || finder == NULL)
    {
      free (finder);
      return -ENOMEM;
    }
  finder->found = found;
  finder->own = own;
  finder->deadline = deadline;
  for (unsigned i = 0; i < sizeof directories / sizeof directories[0]; i++)
    find_names (finder, i);
  r = find_by_process (finder);
  free (finder);
  take_turns (found);
  return r;
}
