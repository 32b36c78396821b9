/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A process is opened once as a directory, everything is read through that descriptor, and whose it
 * is and when it was started is compared before and after.
 *
 * Whose: what an ordinary user may read of a process is decided by two things, and so it is here.
 * The directory itself belongs to the effective user of the process.  The files in it that not
 * everybody may read belong to root as soon as the process must not be looked into by its own user:
 * while it runs a set-user-id program, after it has changed its user, or because it wished so
 * (PR_SET_DUMPABLE; task_dump_owner() of the kernel).  Both must be the caller's.
 *
 * That is not all that the kernel asks for: whoever wants to see these things must have all users
 * and groups of the process as well, and all of its capabilities (__ptrace_may_access(),
 * cap_ptrace_access_check()).  A service that an administrator runs as the caller with another
 * group or with ambient capabilities is neither set-user-id nor closed, and still not the caller's.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-looker-parse.h"
#include "weir-status.h"
#include "weir-teller.h"

/* One that only its owner may read, by its mode. */
#define CLOSED_FILE "environ"

/* Reads up to @size bytes; -1 when there is nothing to read. */
static ssize_t
read_bytes (int process, const char *name, char *bytes, size_t size)
{
  ssize_t length = 0;
  int fd;

  fd = openat (process, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return -1;
  while ((size_t) length < size)
    {
      const ssize_t n = read (fd, bytes + length, size - (size_t) length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        length = -1;
      if (n <= 0)
        break;
      length += n;
    }
  close (fd);
  return length;
}

/* Whether the process can do nothing that the caller cannot. */
static bool
has_only_the_callers (int process, const struct weir_teller_policy *policy)
{
  struct weir_status status;
  int fd, r;

  if (policy->group == (gid_t) -1)
    return false;
  fd = openat (process, "status", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return false;
  r = weir_status_read (fd, &status);
  close (fd);
  if (r < 0 || (status.cap_permitted & ~policy->capabilities) != 0)
    return false;
  for (size_t i = 0; i < 4; i++)
    if (status.uids[i] != policy->caller || status.gids[i] != policy->group)
      return false;
  return true;
}

static bool
is_the_callers (int process, const struct weir_teller_policy *policy)
{
  struct stat directory, closed;

  return fstat (process, &directory) == 0 &&
         fstatat (process, CLOSED_FILE, &closed, AT_SYMLINK_NOFOLLOW) == 0 &&
         directory.st_uid == policy->caller && closed.st_uid == policy->caller &&
         has_only_the_callers (process, policy);
}

enum weir_details_outcome
weir_teller_check (int process, const struct weir_teller_policy *policy,
                   const struct weir_details_request *request)
{
  char text[4096], comm[16];
  uint64_t start_time;
  ssize_t size;

  size = read_bytes (process, "stat", text, sizeof text);
  if (size < 0 || weir_parse_stat (text, (size_t) size, comm, &start_time) < 0 ||
      start_time != request->start_time)
    return WEIR_DETAILS_GONE;
  if (policy->disclosure == WEIR_DISCLOSE_ALL ||
      (policy->disclosure == WEIR_DISCLOSE_OWN && is_the_callers (process, policy)))
    return WEIR_DETAILS_SHOWN;
  return WEIR_DETAILS_REFUSED;
}

enum weir_details_outcome
weir_teller_open (int proc, const struct weir_teller_policy *policy,
                  const struct weir_details_request *request, int *ret_process)
{
  enum weir_details_outcome outcome;
  char name[16];
  int process;

  snprintf (name, sizeof name, "%u", request->pid);
  process = openat (proc, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (process < 0)
    return errno == ENOENT || errno == ESRCH ? WEIR_DETAILS_GONE : WEIR_DETAILS_UNREADABLE;
  outcome = weir_teller_check (process, policy, request);
  if (outcome == WEIR_DETAILS_SHOWN)
    *ret_process = process;
  else
    close (process);
  return outcome;
}

/* Where a link leads, as text: nobody follows it. */
static void
read_link (int process, const char *name, char text[WEIR_STRING_MAX + 1], uint8_t bit,
           uint8_t cut_bit, struct weir_details *details)
{
  const ssize_t size = readlinkat (process, name, text, WEIR_STRING_MAX + 1);

  if (size < 0)
    return;
  details->has |= bit;
  if (size > WEIR_STRING_MAX)
    details->has |= cut_bit;
  text[size > WEIR_STRING_MAX ? WEIR_STRING_MAX : size] = '\0';
}

void
weir_teller_read_links (int process, struct weir_details *details)
{
  read_link (process, "exe", details->exe, WEIR_DETAILS_EXE, WEIR_DETAILS_EXE_CUT, details);
  read_link (process, "cwd", details->cwd, WEIR_DETAILS_CWD, WEIR_DETAILS_CWD_CUT, details);
}

void
weir_teller_read_command (int process, struct weir_details *details)
{
  ssize_t size = read_bytes (process, "cmdline", details->command, sizeof details->command);

  /* A thread of the kernel, or a process that is about to end, has none. */
  if (size <= 0)
    return;
  details->has |= WEIR_DETAILS_COMMAND;
  if (size > WEIR_COMMAND_MAX)
    {
      details->has |= WEIR_DETAILS_COMMAND_CUT;
      size = WEIR_COMMAND_MAX;
    }
  /* Behind the last argument there is one as well. */
  else if (details->command[size - 1] == '\0')
    size--;
  details->command[size] = '\0';
  details->command_size = (uint16_t) size;
}
