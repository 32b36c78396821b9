/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-bpf-cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Those of a desktop are a tenth of it. */
#define MOUNTINFO_SIZE_MAX (1024 * 1024)

/* The root of all has this number since control groups have kernfs (Linux 3.14). */
#define ROOT_INODE 1

/* The n-th field of a line, from 0 on, or NULL.  Its length is in *@ret_size. */
static const char *
find_field (const char *line, size_t size, unsigned n, size_t *ret_size)
{
  const char *end = line + size, *space;

  for (; n > 0; n--)
    {
      line = memchr (line, ' ', (size_t) (end - line));
      if (line == NULL)
        return NULL;
      line++;
    }
  space = memchr (line, ' ', (size_t) (end - line));
  *ret_size = (size_t) ((space != NULL ? space : end) - line);
  return line;
}

static bool
is_octal (const char *text)
{
  return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' && text[2] >= '0' &&
         text[2] <= '7';
}

/* Blanks and backslashes are written as three octal digits. */
static bool
unescape (const char *text, size_t size, char *ret_path, size_t room)
{
  size_t n = 0;

  for (size_t i = 0; i < size; i++)
    {
      char byte = text[i];

      if (byte == '\\' && size - i > 3 && is_octal (text + i + 1))
        {
          byte = (char) ((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
          i += 3;
        }
      if (n + 1 >= room)
        return false;
      ret_path[n++] = byte;
    }
  ret_path[n] = '\0';
  return n > 0;
}

/* "36 35 98:0 /root /mount/point options fields... - type source options" */
static bool
read_line (const char *line, size_t size, char *ret_path, size_t room)
{
  const char *mount_point, *type;
  size_t mount_point_size;

  mount_point = find_field (line, size, 4, &mount_point_size);
  type = memmem (line, size, " - cgroup2 ", strlen (" - cgroup2 "));
  return mount_point != NULL && type != NULL && mount_point < type &&
         unescape (mount_point, mount_point_size, ret_path, room);
}

bool
weir_bpf_cgroups_next (const char **text, char *ret_path, size_t size)
{
  while (**text != '\0')
    {
      const char *line = *text, *end = strchrnul (line, '\n');

      *text = *end != '\0' ? end + 1 : end;
      if (read_line (line, (size_t) (end - line), ret_path, size))
        return true;
    }
  return false;
}

static int
open_folder (const char *path, bool *ret_whole)
{
  struct statfs system;
  struct stat info;
  int fd;

  fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  if (fstatfs (fd, &system) == 0 && system.f_type == CGROUP2_SUPER_MAGIC && fstat (fd, &info) == 0)
    {
      *ret_whole = info.st_ino == ROOT_INODE;
      return fd;
    }
  close (fd);
  return -ENOENT;
}

/* What is mounted where, as text that the caller frees; NULL: it could not be read. */
static char *
read_mounts (void)
{
  char *text = malloc (MOUNTINFO_SIZE_MAX);
  size_t n = 0;
  ssize_t more = -1;
  int fd;

  if (text == NULL)
    return NULL;
  fd = open ("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
  while (fd >= 0 && n < MOUNTINFO_SIZE_MAX - 1 &&
         (more = read (fd, text + n, MOUNTINFO_SIZE_MAX - 1 - n)) > 0)
    n += (size_t) more;
  text[n] = '\0';
  if (fd >= 0)
    close (fd);
  return text;
}

/* The usual places, the second one where version 1 is in use as well; then wherever it is. */
int
weir_bpf_cgroups_open (bool *ret_whole)
{
  static const char *const usual[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
  int fd = -ENOENT, found;
  const char *rest;
  char path[PATH_MAX], *mounts;
  bool whole = false;

  for (size_t i = 0; i < sizeof usual / sizeof usual[0] && !(fd >= 0 && whole); i++)
    {
      if (fd >= 0)
        close (fd);
      fd = open_folder (usual[i], &whole);
    }
  mounts = fd >= 0 && whole ? NULL : read_mounts ();
  rest = mounts;
  while (mounts != NULL && !whole && weir_bpf_cgroups_next (&rest, path, sizeof path))
    {
      found = open_folder (path, &whole);
      if (found < 0)
        continue;
      if (fd >= 0)
        close (fd);
      fd = found;
    }
  free (mounts);
  *ret_whole = whole;
  return fd >= 0 ? fd : -ENOENT;
}
