/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "weir-capabilities.h"
#include "weir-rights.h"
#include "weir-status.h"

int
weir_rights_give_up (struct weir_rights *rights)
{
  static const struct weir_capabilities none;
  struct weir_process_status *process = &rights->process;
  struct weir_status status;
  int r;

  r = weir_capabilities_set (&none);
  if (r == 0)
    r = weir_status_read (rights->status, &status);
  if (r < 0)
    return r;
  if (status.cap_effective != 0 || status.cap_permitted != 0 || status.cap_inheritable != 0 ||
      status.cap_ambient != 0 || !status.no_new_privs)
    return -EPERM;
  process->cap_effective = status.cap_effective;
  process->cap_permitted = status.cap_permitted;
  process->cap_inheritable = status.cap_inheritable;
  process->cap_bounding = status.cap_bounding;
  process->cap_ambient = status.cap_ambient;
  return 0;
}

/* The first process is root's, and always there. */
static bool
sees_others (int proc)
{
  const int fd = openat (proc, "1/stat", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

int
weir_rights_give_up_unless_hidden (struct weir_rights *rights, int proc)
{
  const struct weir_capabilities before = { .effective = rights->process.cap_effective,
                                            .permitted = rights->process.cap_permitted };
  const struct weir_capabilities tried = { .permitted = before.permitted };
  int r;

  /* It is permitted until it is known that nothing is lost. */
  r = weir_capabilities_set (&tried);
  if (r < 0)
    return r;
  if (sees_others (proc))
    return weir_rights_give_up (rights);
  rights->process.keeps = WEIR_KEEPING_HIDDEN;
  return weir_capabilities_set (&before);
}

int
weir_rights_report (const struct weir_rights *rights, int fd)
{
  ssize_t n;

  do
    n = send (fd, &rights->process, sizeof rights->process, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return -errno;
  return n == (ssize_t) sizeof rights->process ? 0 : -EIO;
}

int
weir_rights_obey (struct weir_rights **rights, int proc, int fd, bool *ret_has_given_up)
{
  struct weir_rights *own = *rights;
  int r;

  if (own == NULL)
    return -EPROTO;
  *rights = NULL;
  r = weir_rights_give_up_unless_hidden (own, proc);
  if (r < 0)
    return r;
  *ret_has_given_up = own->process.cap_permitted == 0;
  return weir_rights_report (own, fd);
}
