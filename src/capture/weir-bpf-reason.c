/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-bpf-reason.h"

#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-capabilities.h"

/* PROC_USER_INIT_INO of the kernel. */
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDU

/* Longer numbers than this may be addresses. */
#define HEXADECIMALS_MAX 8

/* CAP_SYS_ADMIN holds all three (capabilities(7)); root of a user namespace has none that counts
 * here, whatever its sets say. */
static bool
has_right (void)
{
  const uint64_t needed =
      WEIR_CAPABILITY (CAP_BPF) | WEIR_CAPABILITY (CAP_PERFMON) | WEIR_CAPABILITY (CAP_NET_ADMIN);
  struct weir_capabilities own;
  struct stat users;

  /* What cannot be looked at is not made the cause. */
  if (weir_capabilities_get (&own) < 0)
    return true;
  if ((own.effective & WEIR_CAPABILITY (CAP_SYS_ADMIN)) == 0 && (own.effective & needed) != needed)
    return false;
  return stat ("/proc/self/ns/user", &users) < 0 || users.st_ino == INITIAL_USER_NAMESPACE;
}

/* "none [integrity] confidentiality": what is in force stands in brackets (kernel_lockdown(7)). */
static bool
is_locked_down (void)
{
  char text[64] = "";
  int fd = open ("/sys/kernel/security/lockdown", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  ssize_t n;

  if (fd < 0)
    return false;
  n = read (fd, text, sizeof text - 1);
  close (fd);
  return n > 0 && strstr (text, "[none]") == NULL;
}

static bool
takes_programs (enum bpf_prog_type type)
{
  return libbpf_probe_bpf_prog_type (type, NULL) == 1;
}

/* Of all that the programs call without asking for it first, this is the newest: Linux 5.17. */
static bool
is_new_enough (void)
{
  return libbpf_probe_bpf_helper (BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_loop, NULL) == 1;
}

static enum weir_reason
find_refusal (int error, const char *log)
{
  const bool is_denied = error == EPERM || error == EACCES;

  /* To those who have not the right, a helper that takes it is not there. */
  if ((is_denied || error == EINVAL) && !has_right ())
    return WEIR_REASON_NO_RIGHT;
  if (is_denied && !takes_programs (BPF_PROG_TYPE_SOCKET_FILTER))
    return is_locked_down () ? WEIR_REASON_LOCKDOWN : WEIR_REASON_REFUSED;
  if (!takes_programs (BPF_PROG_TYPE_CGROUP_SKB))
    return WEIR_REASON_NO_CGROUP_PROGRAMS;
  if (!is_new_enough ())
    return WEIR_REASON_OLD_KERNEL;
  return *log != '\0' ? WEIR_REASON_VERIFIER : WEIR_REASON_REFUSED;
}

enum weir_reason
weir_bpf_find_reason (enum weir_bpf_stage stage, int error, const char *log)
{
  switch (error)
    {
    case ENOMEM:
      return WEIR_REASON_NO_MEMORY;
    case ETIMEDOUT:
      return WEIR_REASON_TOO_SLOW;
    case ENOSYS:
      return WEIR_REASON_NO_PROGRAMS;
    default:
      break;
    }
  /* Who has the right to load them has that to attach them, unless somebody else is there without
   * BPF_F_ALLOW_MULTI (EPERM), or 64 are there already (E2BIG). */
  if (stage == WEIR_BPF_STAGE_ATTACH && (error == EPERM || error == E2BIG))
    return WEIR_REASON_NOT_SHARED;
  return find_refusal (error, log);
}

/* Statistics come last, and instructions that were looked at begin with their number. */
static bool
says_something (const char *line, size_t size)
{
  return size > 0 && !isdigit ((unsigned char) *line) &&
         !(size > 10 && strncmp (line, "processed ", 10) == 0);
}

static size_t
count_hexadecimals (const char *text, size_t size)
{
  size_t n = 0;

  while (n < size && isxdigit ((unsigned char) text[n]))
    n++;
  return n;
}

static void
copy_line (const char *line, size_t size, char *ret_line, size_t room)
{
  size_t n = 0;

  for (size_t i = 0; i < size && n + 1 < room;)
    {
      const size_t run = count_hexadecimals (line + i, size - i);

      if (run > HEXADECIMALS_MAX)
        {
          ret_line[n++] = '*';
          i += run;
          continue;
        }
      for (size_t end = i + (run > 0 ? run : 1); i < end && n + 1 < room; i++)
        ret_line[n++] = line[i] >= ' ' && line[i] <= '~' ? line[i] : ' ';
    }
  ret_line[n] = '\0';
}

void
weir_bpf_shorten_log (const char *log, char *ret_line, size_t size)
{
  const char *line = "";
  size_t length = 0;

  for (const char *at = log; *at != '\0';)
    {
      const char *end = strchrnul (at, '\n');

      if (says_something (at, (size_t) (end - at)))
        {
          line = at;
          length = (size_t) (end - at);
        }
      at = *end != '\0' ? end + 1 : end;
    }
  copy_line (line, length, ret_line, size);
}
