/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "weir-selftest.h"

static int
listen_on (int type, int *ret_port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int fd;

  fd = socket (AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  if (bind (fd, (const struct sockaddr *) &address, size) < 0 ||
      (type == SOCK_STREAM && listen (fd, SOMAXCONN) < 0) ||
      getsockname (fd, (struct sockaddr *) &address, &size) < 0)
    {
      close (fd);
      return -1;
    }
  *ret_port = address.sin_port;
  return fd;
}

static int
listen_abstract (const char *name)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd;

  memcpy (address.sun_path + 1, name, strlen (name));
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && (bind (fd, (const struct sockaddr *) &address, sizeof address) < 0 ||
                  listen (fd, SOMAXCONN) < 0))
    {
      close (fd);
      return -1;
    }
  return fd;
}

/* Not every file system has handles (an overlay has none), memory has. */
static int
find_handle (struct weir_stage *stage)
{
  static const char *const places[] = { "/dev/shm", "/run", "/tmp", "/" };
  struct file_handle *handle = (struct file_handle *) stage->handle;

  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
    {
      int id;

      handle->handle_bytes = sizeof stage->handle - sizeof *handle;
      if (name_to_handle_at (AT_FDCWD, places[i], handle, &id, 0) == 0)
        return open (places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
  return -1;
}

int
weir_stage_make (struct weir_stage *stage)
{
  *stage = (struct weir_stage) { .tcp = -1,
                                 .udp = -1,
                                 .local = -1,
                                 .conntrack = -1,
                                 .ns = -1,
                                 .mount = -1,
                                 .accounting = { -1, -1 } };
  stage->outside = getpid ();
  stage->tcp = listen_on (SOCK_STREAM, &stage->tcp_port);
  stage->udp = listen_on (SOCK_DGRAM, &stage->udp_port);
  snprintf (stage->local_name, sizeof stage->local_name, "weir-self-test-%d", getpid ());
  stage->local = listen_abstract (stage->local_name);
  stage->conntrack = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  stage->ns = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (stage->tcp < 0 || stage->udp < 0 || stage->local < 0 || stage->ns < 0)
    return -errno;
  stage->mount = find_handle (stage);
  stage->accounting.setting = open (WEIR_ACCOUNTING_PATH, O_RDWR | O_CLOEXEC);
  stage->accounting.record = memfd_create ("weir-self-test", MFD_CLOEXEC);
  if (stage->accounting.record < 0)
    return -errno;

  snprintf (stage->directory, sizeof stage->directory, "/tmp/weir-self-test-XXXXXX");
  if (mkdtemp (stage->directory) == NULL)
    {
      stage->directory[0] = '\0';
      return -errno;
    }
  /* Each confined uid may make files there and none may touch another's. */
  return chmod (stage->directory, 01777) < 0 ? -errno : 0;
}

void
weir_stage_clear (struct weir_stage *stage)
{
  const int fds[] = { stage->tcp,       stage->udp, stage->local,
                      stage->conntrack, stage->ns,  stage->mount };

  for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
    if (fds[i] >= 0)
      close (fds[i]);
  weir_accounting_close (&stage->accounting);
  if (stage->directory[0] != '\0')
    rmdir (stage->directory);
}
