/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The record is one line that says which network namespace of which boot it is about, and the value
 * that the setting had, which is 0: it is never switched on when it is on.  So there is nothing to
 * be parsed: a record is valid if it is, byte for byte, what we would write now.  All else was left
 * by another boot (where /run outlived it), by a namespace that is gone and had the same number, or
 * is torn or not ours: it is emptied, and nothing is put back for its sake.
 *
 * It is written in place, because another file by the same name would be another lock.  A record
 * that is torn is not valid, and the setting is not touched before the whole of it is there.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-accounting.h"
#include "weir-clock.h"
#include "weir-run-dir.h"

/* Others hold the exclusive lock for as long as it takes to write a line.  A second is a busy
 * machine. */
#define TRIES    50
#define PAUSE_MS 20

struct record
{
  char text[WEIR_ACCOUNTING_RECORD_MAX];
  size_t size;
};

enum outcome
{
  LEAVE_ALONE, /* it is on, and that is somebody else's doing */
  OURS,
};

/* ---- the record ---- */

/* Numbers of namespaces are given anew when one is gone; cookies are not, until the next boot. */
static int
get_cookie (uint64_t *ret_cookie)
{
  socklen_t size = sizeof *ret_cookie;
  int fd, r;

  fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -errno;
  r = getsockopt (fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_cookie, &size) < 0 ? -errno : 0;
  close (fd);
  return r;
}

static int
get_boot (char boot[static 37])
{
  ssize_t n;
  int fd;

  fd = open ("/proc/sys/kernel/random/boot_id", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  n = read (fd, boot, 36);
  close (fd);
  if (n != 36)
    return -EIO;
  boot[36] = '\0';
  return 0;
}

static int
make_record (uint32_t netns, struct record *ret_record)
{
  uint64_t cookie = 0;
  char boot[37];
  int n, r;

  r = get_cookie (&cookie);
  if (r == 0)
    r = get_boot (boot);
  if (r < 0)
    return r;
  n = snprintf (ret_record->text, sizeof ret_record->text,
                "weir nf_conntrack_acct boot %s netns %u %llu was 0\n", boot, netns,
                (unsigned long long) cookie);
  if (n < 0 || (size_t) n >= sizeof ret_record->text)
    return -ENAMETOOLONG;
  ret_record->size = (size_t) n;
  return 0;
}

static bool
is_valid (int fd, const struct record *record)
{
  char text[WEIR_ACCOUNTING_RECORD_MAX];
  ssize_t n;

  n = pread (fd, text, sizeof text, 0);
  return n == (ssize_t) record->size && memcmp (text, record->text, record->size) == 0;
}

static int
write_record (int fd, const struct record *record)
{
  struct rlimit limit;

  /* A limit of the caller's that could not be raised would end us by a signal. */
  if (getrlimit (RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur < record->size)
    return -EFBIG;
  if (ftruncate (fd, 0) < 0 || pwrite (fd, record->text, record->size, 0) < 0 || fsync (fd) < 0)
    return -errno;
  return is_valid (fd, record) ? 0 : -EIO;
}

/* The directory is root's alone, so only root can have put anything there; what is no record is
 * still not used as one. */
static int
open_record (const char *run, uint32_t netns, int flags)
{
  struct stat info;
  char name[32];
  int directory, fd, r;

  directory = weir_run_dir_open (run);
  if (directory < 0)
    return directory;
  snprintf (name, sizeof name, "accounting-%u", netns);
  fd = openat (directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags,
               0600);
  r = fd < 0 ? -errno : 0;
  close (directory);
  if (r == -ELOOP || r == -EISDIR)
    return -EPERM;
  if (r == 0 && (fstat (fd, &info) < 0 || !S_ISREG (info.st_mode) || info.st_uid != geteuid () ||
                 (info.st_mode & 07777) != 0600 || info.st_nlink != 1))
    {
      close (fd);
      return -EPERM;
    }
  return r < 0 ? r : fd;
}

static int
open_setting (void)
{
  int fd;

  fd = open (WEIR_ACCOUNTING_PATH, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

/* ---- joining ---- */

/* With the exclusive lock: nobody uses accounting. */
static int
begin (const struct weir_accounting *accounting, const struct record *record)
{
  const int value = weir_accounting_read (accounting->setting);
  int r;

  /* Left on by engines that were all killed: what they wrote is as good as what we would. */
  if (is_valid (accounting->record, record) && value == 1)
    return OURS;
  if (value == 0)
    {
      r = write_record (accounting->record, record);
      return r < 0 ? r : OURS;
    }
  if (value < 0 && value != -ERANGE)
    return value;
  return ftruncate (accounting->record, 0) < 0 ? -errno : LEAVE_ALONE;
}

/* -EWOULDBLOCK: to be tried again. */
static int
join (const struct weir_accounting *accounting, const struct record *record)
{
  int r;

  if (flock (accounting->record, LOCK_EX | LOCK_NB) == 0)
    {
      r = begin (accounting, record);
      if (r != OURS)
        return r;
    }
  else if (errno != EWOULDBLOCK)
    return -errno;

  /* From exclusive to shared is not one step: somebody may have come and found the setting off, or
   * gone and put it back.  With a share nobody does either. */
  if (flock (accounting->record, LOCK_SH | LOCK_NB) < 0)
    return -errno;
  if (is_valid (accounting->record, record))
    return OURS;
  (void) !flock (accounting->record, LOCK_UN);
  return -EWOULDBLOCK;
}

void
weir_accounting_close (struct weir_accounting *accounting)
{
  if (accounting->setting >= 0)
    close (accounting->setting);
  if (accounting->record >= 0)
    close (accounting->record);
  *accounting = (struct weir_accounting) { -1, -1 };
}

int
weir_accounting_open (const char *run, uint32_t netns, uint64_t deadline,
                      struct weir_accounting *ret_accounting)
{
  struct weir_accounting accounting = { -1, -1 };
  struct record record;
  int r;

  r = make_record (netns, &record);
  if (r == 0)
    r = accounting.setting = open_setting ();
  if (r >= 0)
    r = accounting.record = open_record (run, netns, O_CREAT);
  if (r < 0)
    goto out;
  for (unsigned i = 0; i < TRIES; i++)
    {
      if (i > 0)
        poll (NULL, 0, PAUSE_MS);
      r = join (&accounting, &record);
      if (r != -EWOULDBLOCK || weir_clock_left (deadline, PAUSE_MS) == 0)
        break;
    }

out:
  /* A lock that is held goes with its descriptor. */
  if (r != OURS)
    weir_accounting_close (&accounting);
  if (r < 0)
    return r == -EWOULDBLOCK ? -EBUSY : r;
  *ret_accounting = accounting;
  return 0;
}

/* ---- repairing ---- */

int
weir_accounting_repair (const char *run, uint32_t netns)
{
  struct weir_accounting accounting = { -1, -1 };
  struct record record;
  int r;

  /* It is there if accounting was ever used, and has something in it only while it is. */
  r = accounting.record = open_record (run, netns, 0);
  if (r < 0)
    return r == -ENOENT ? 0 : r;
  r = make_record (netns, &record);
  if (r < 0 || flock (accounting.record, LOCK_EX | LOCK_NB) < 0)
    goto out;
  r = WEIR_ACCOUNTING_NOTHING_TO_DO;
  if (is_valid (accounting.record, &record))
    {
      r = accounting.setting = open_setting ();
      if (r >= 0)
        r = weir_accounting_leave (&accounting);
      if (r > 0)
        r = WEIR_ACCOUNTING_PUT_BACK;
    }
  else if (lseek (accounting.record, 0, SEEK_END) > 0)
    r = ftruncate (accounting.record, 0) < 0 ? -errno : WEIR_ACCOUNTING_NOT_OURS;

out:
  weir_accounting_close (&accounting);
  return r;
}
