/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one time that the privileged engine touches something that an unprivileged process chose: a
 * path, a file behind it and a socket.  It does so as the caller.
 *
 * What is given up for that, and why each part is needed (all of it was measured):
 *
 * - supplementary groups: root's list holds group 0, which opens what is 0640 root:root;
 * - fsgid: the same for the primary group.  It becomes nogroup rather than one of the caller's
 *   groups: what is looked at is the caller's own and 0700, so no group is needed;
 * - fsuid: files are opened as the caller.  Not the effective uid: the front end tells a genuine
 * engine by SO_PEERCRED, which is stamped at connect(2) from the effective uid and must show 0;
 * - every effective capability: fsuid takes away those that override file permissions, but
 *   CAP_SYS_PTRACE would still cross the magic links in /proc of other users' processes, so that
 *   /proc/PID/cwd of a root process would lead where the caller cannot go.
 *
 * The permitted set is kept, since the descriptors of the next phase need it, and everything comes
 * back once the socket is connected.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "weir-capabilities.h"
#include "weir-dial.h"
#include "weir-wire.h"

#define NOGROUP 65534

/* setfsuid(2) and setfsgid(2) report no errors; asking for -1 changes nothing and tells the value.
 */
static bool
set_fsuid (uid_t uid)
{
  setfsuid (uid);
  return (uid_t) setfsuid ((uid_t) -1) == uid;
}

static bool
set_fsgid (gid_t gid)
{
  setfsgid (gid);
  return (gid_t) setfsgid ((gid_t) -1) == gid;
}

/* An ordinary user's engine has no groups or gid to give up that its caller does not have, and may
 * not; emptying its effective set matters if somebody gave the file capabilities. */
static int
become_caller (const struct weir_caller *caller, struct weir_capabilities *ret_before)
{
  struct weir_capabilities before, none;
  int r;

  r = weir_capabilities_get (&before);
  if (r < 0)
    return r;

  if (caller->elevated)
    {
      if (setgroups (0, NULL) < 0)
        return -errno;
      if (getgroups (0, NULL) != 0 || !set_fsgid (NOGROUP))
        return -EPERM;
    }
  if (!set_fsuid (caller->uid))
    return -EPERM;

  /* Last, because the steps above need CAP_SETGID and CAP_SETUID. */
  none = before;
  none.effective = 0;
  r = weir_capabilities_set (&none);
  if (r < 0)
    return r;

  *ret_before = before;
  return 0;
}

/* Supplementary groups are not given back: nothing later needs one. */
static int
become_engine (const struct weir_caller *caller, const struct weir_capabilities *before)
{
  struct weir_capabilities now;
  int r;

  r = weir_capabilities_set (before);
  if (r < 0)
    return r;
  if (!set_fsuid (geteuid ()) || (caller->elevated && !set_fsgid (getegid ())))
    return -EPERM;

  /* The kernel changes the effective set along with fsuid (capabilities(7)). */
  r = weir_capabilities_get (&now);
  if (r < 0)
    return r;
  return now.effective == before->effective ? 0 : -EPERM;
}

/* No symbolic and no magic link anywhere in the path: the launcher passes a real path, so whoever
 * passes another one wants to lead us somewhere. */
static int
open_directory (const struct weir_caller *caller)
{
  struct open_how how = {
    .flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
  };
  struct stat info;
  int fd;

  fd = (int) syscall (SYS_openat2, AT_FDCWD, caller->directory, &how, sizeof how);
  if (fd < 0)
    return -errno;
  if (fstat (fd, &info) < 0 || !S_ISDIR (info.st_mode) || info.st_uid != caller->uid ||
      (info.st_mode & 07777) != 0700)
    {
      close (fd);
      return -EPERM;
    }
  return fd;
}

/* O_NONBLOCK so that a FIFO in its place does not hold us up, O_NOCTTY so that a terminal does not
 * become ours; what was opened is looked at before a byte is read from it. */
static int
read_nonce (int directory, uid_t uid, uint8_t ret_nonce[WEIR_NONCE_SIZE])
{
  char hex[WEIR_NONCE_HEX_SIZE + 1];
  size_t size = 0;
  struct stat info;
  int fd, r;

  fd = openat (directory, "nonce", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  r = -EPERM;
  if (fstat (fd, &info) < 0 || !S_ISREG (info.st_mode) || info.st_uid != uid ||
      (info.st_mode & 07777) != 0600 || info.st_nlink != 1 || info.st_size != WEIR_NONCE_HEX_SIZE)
    goto out;

  /* One byte more than there should be, to see the end. */
  while (size < sizeof hex)
    {
      ssize_t n = read (fd, hex + size, sizeof hex - size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        r = -errno;
      if (n <= 0)
        break;
      size += (size_t) n;
    }
  if (size == WEIR_NONCE_HEX_SIZE)
    r = weir_nonce_decode (hex, WEIR_NONCE_HEX_SIZE, ret_nonce);

out:
  explicit_bzero (hex, sizeof hex);
  close (fd);
  return r;
}

/* What was looked at is what is connected to: by the descriptor, since whoever owns the directory
 * can exchange the name for a link to somebody else's socket in between, who would then see uid 0
 * knock.  The way from a descriptor to a name leads through /proc; where that is not mounted, there
 * is no handoff (-ENOENT). */
static int
connect_socket (int directory, uid_t uid)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct ucred peer = { 0 };
  socklen_t size = sizeof peer;
  struct stat info;
  int place, fd = -1, r = 0;

  place = openat (directory, "socket", O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (place < 0)
    return -errno;
  if (fstat (place, &info) < 0 || !S_ISSOCK (info.st_mode) || info.st_uid != uid)
    {
      close (place);
      return -EPERM;
    }
  snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", place);

  /* Non-blocking: a listener with a full backlog must not hold a root process. */
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    r = -errno;
  else if (connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    r = -errno;
  else if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
    r = -errno;
  else if (size != sizeof peer || peer.uid != uid)
    r = -EPERM;
  close (place);
  if (r < 0 && fd >= 0)
    close (fd);
  return r < 0 ? r : fd;
}

static int
dial_as_caller (const struct weir_caller *caller, uint8_t ret_nonce[WEIR_NONCE_SIZE])
{
  int directory, r;

  directory = open_directory (caller);
  if (directory < 0)
    return directory;
  r = read_nonce (directory, caller->uid, ret_nonce);
  if (r == 0)
    r = connect_socket (directory, caller->uid);
  close (directory);
  return r;
}

int
weir_dial (const struct weir_caller *caller, int *ret_client, uint8_t ret_nonce[WEIR_NONCE_SIZE])
{
  struct weir_capabilities before;
  uint8_t nonce[WEIR_NONCE_SIZE];
  int client, r;

  if (become_caller (caller, &before) < 0)
    return -ENOTRECOVERABLE;
  client = dial_as_caller (caller, nonce);
  r = become_engine (caller, &before);
  if (r < 0 && client >= 0)
    close (client);

  if (r == 0 && client >= 0)
    {
      memcpy (ret_nonce, nonce, sizeof nonce);
      *ret_client = client;
    }
  explicit_bzero (nonce, sizeof nonce);
  return r < 0 ? -ENOTRECOVERABLE : client < 0 ? client : 0;
}
