/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may write engine.conf decides what root tells to whom.  So the file counts only when it, its
 * folder and every folder above belong to root, and when nobody else may write there: otherwise
 * somebody could put another in its place between this look and the next.  Each is opened relative
 * to the one that was looked at, and none may be a link.
 *
 * It is opened in a way that neither waits (for the other end of a pipe), nor makes a terminal
 * ours, and read once.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-config-read.h"

#define FILE_NAME "engine.conf"

static ssize_t
refuse (struct weir_notice *problem, enum weir_notice_code code, uint32_t number, const char *text,
        int error)
{
  *problem = (struct weir_notice) { .code = (uint16_t) code, .number = number };
  memcpy (problem->text, text, strnlen (text, sizeof problem->text - 1));
  return -error;
}

static bool
is_roots_alone (const struct stat *info)
{
  return info->st_uid == 0 && (info->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Opens the folder @path from the root on.  @unsafe: the first of them that others could change, or
 * empty; it is told only if there is a file, because without one nothing depends on it. */
static int
open_directory (const char *path, char unsafe[PATH_MAX])
{
  char so_far[PATH_MAX] = "/";
  size_t length = 0;
  int fd, error;

  unsafe[0] = '\0';
  if (path[0] != '/' || strlen (path) >= sizeof so_far)
    return -EINVAL;
  fd = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  error = errno;
  while (fd >= 0)
    {
      char name[NAME_MAX + 1];
      struct stat info;
      size_t size;
      int next;

      if (fstat (fd, &info) < 0 || (!is_roots_alone (&info) && unsafe[0] == '\0'))
        memcpy (unsafe, so_far, sizeof so_far);
      path += strspn (path, "/");
      size = strcspn (path, "/");
      if (size == 0)
        return fd;
      if (size >= sizeof name)
        {
          close (fd);
          return -ENAMETOOLONG;
        }
      memcpy (name, path, size);
      name[size] = '\0';
      path += size;
      length += (size_t) snprintf (so_far + length, sizeof so_far - length, "/%s", name);
      next = openat (fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      error = errno;
      close (fd);
      fd = next;
    }
  return -error;
}

static ssize_t
read_all (int fd, char *buffer, size_t size)
{
  size_t length = 0;

  for (;;)
    {
      ssize_t n = read (fd, buffer + length, size - length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -errno;
      length += (size_t) n;
      if (n == 0)
        return (ssize_t) length;
      if (length == size)
        {
          char more;

          /* Only an end of file says that this is all. */
          return read (fd, &more, 1) == 0 ? (ssize_t) length : -EFBIG;
        }
    }
}

ssize_t
weir_config_read (const char *directory, char *buffer, size_t size, struct weir_notice *ret_problem)
{
  char unsafe[PATH_MAX], path[PATH_MAX + sizeof FILE_NAME + 1];
  struct stat info;
  ssize_t n = 0;
  int folder, fd;

  snprintf (path, sizeof path, "%s/" FILE_NAME, directory);
  folder = open_directory (directory, unsafe);
  if (folder == -ENOENT)
    return -ENOENT;
  /* A link in place of a folder. */
  if (folder == -ENOTDIR || folder == -ELOOP)
    return refuse (ret_problem, WEIR_NOTICE_CONFIG_NOT_A_FILE, 0, path, -folder);
  if (folder < 0)
    return refuse (ret_problem, WEIR_NOTICE_CONFIG_UNREADABLE, (uint32_t) -folder, path, -folder);

  fd = openat (folder, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  n = fd < 0 ? -errno : 0;
  close (folder);
  if (n == -ENOENT)
    return n;
  if (n == -ELOOP)
    return refuse (ret_problem, WEIR_NOTICE_CONFIG_NOT_A_FILE, 0, path, ELOOP);
  if (n < 0)
    return refuse (ret_problem, WEIR_NOTICE_CONFIG_UNREADABLE, (uint32_t) -n, path, (int) -n);

  if (fstat (fd, &info) < 0)
    n = refuse (ret_problem, WEIR_NOTICE_CONFIG_UNREADABLE, (uint32_t) errno, path, errno);
  else if (!S_ISREG (info.st_mode))
    n = refuse (ret_problem, WEIR_NOTICE_CONFIG_NOT_A_FILE, 0, path, EINVAL);
  else if (unsafe[0] != '\0' || !is_roots_alone (&info))
    n = refuse (ret_problem, WEIR_NOTICE_CONFIG_UNSAFE, 0, unsafe[0] != '\0' ? unsafe : path,
                EPERM);
  else
    n = read_all (fd, buffer, size);
  if (n == -EFBIG)
    n = refuse (ret_problem, WEIR_NOTICE_CONFIG_TOO_LARGE, (uint32_t) size, path, EFBIG);
  else if (n < 0 && ret_problem->code == 0)
    n = refuse (ret_problem, WEIR_NOTICE_CONFIG_UNREADABLE, (uint32_t) -n, path, (int) -n);
  close (fd);
  return n;
}
