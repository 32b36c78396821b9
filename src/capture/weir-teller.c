/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A command line is in the memory of the process whose it is.  For a page that is not there the
 * kernel does not let a reader wait (of files only copies are read, FOLL_ANON; and from userfaultfd
 * it gets an error: measured), but it has to take the lock on the map of that memory, which the
 * process holds while it changes it, for as long as a file system of its own wishes.  Nothing but a
 * fatal signal ends that wait, so the alarm is left at what it does by default.  Nobody starts
 * another teller then: that would take a process which may fork.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "weir-teller.h"

struct teller
{
  int fd, proc;
  const struct weir_teller_policy *policy;
  struct weir_rights *rights; /* NULL: nothing to give up, or not any more */
  bool has_given_up;
  struct weir_details_request request;
  struct weir_teller_answer answer;
};

static int
send_answer (struct teller *teller, enum weir_details_outcome outcome, bool last)
{
  ssize_t n;

  teller->answer.last = last;
  teller->answer.details.outcome = (uint8_t) outcome;
  do
    n = send (teller->fd, &teller->answer, sizeof teller->answer, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : 0;
}

/* Nothing of what was read is told unless all of it may be. */
static void
forget (struct teller *teller)
{
  memset (&teller->answer, 0, sizeof teller->answer);
  teller->answer.details.request = teller->request;
}

static int
set_deadline (unsigned ms)
{
  const struct itimerval timer = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

  return setitimer (ITIMER_REAL, &timer, NULL) < 0 ? -errno : 0;
}

/* Whatever the wish to be told last was, all is over when the process is not the same any more. */
static int
read_all (struct teller *teller, int process)
{
  struct weir_details *details = &teller->answer.details;
  enum weir_details_outcome outcome;
  int r;

  weir_teller_read_links (process, details);
  if (teller->has_given_up && (details->has & (WEIR_DETAILS_EXE | WEIR_DETAILS_CWD)) == 0)
    details->has |= WEIR_DETAILS_GIVEN_UP;
  outcome = weir_teller_check (process, teller->policy, &teller->request);
  if (outcome == WEIR_DETAILS_SHOWN)
    {
      /* What is told now stays true if the rest never comes. */
      details->has |= WEIR_DETAILS_COMMAND_LATE;
      r = send_answer (teller, outcome, false);
      details->has &= (uint8_t) ~WEIR_DETAILS_COMMAND_LATE;
      if (r == 0)
        r = set_deadline (WEIR_COMMAND_PATIENCE_MS);
      if (r < 0)
        return r;
      weir_teller_read_command (process, details);
      r = set_deadline (0);
      if (r < 0)
        return r;
      outcome = weir_teller_check (process, teller->policy, &teller->request);
    }
  if (outcome != WEIR_DETAILS_SHOWN)
    forget (teller);
  else if ((details->has & (WEIR_DETAILS_EXE | WEIR_DETAILS_CWD | WEIR_DETAILS_COMMAND)) == 0)
    outcome = WEIR_DETAILS_UNREADABLE;
  return send_answer (teller, outcome, true);
}

static int
answer (struct teller *teller)
{
  enum weir_details_outcome outcome;
  int process, r;

  forget (teller);
  outcome = weir_teller_open (teller->proc, teller->policy, &teller->request, &process);
  if (outcome != WEIR_DETAILS_SHOWN)
    return send_answer (teller, outcome, true);
  r = read_all (teller, process);
  close (process);
  return r;
}

/* 1 with a whole request, 0 at the end of file, -EPROTO for anything that our meter never sends. */
static int
receive (struct teller *teller)
{
  const uint8_t *verb = (const uint8_t *) &teller->request;
  ssize_t n;

  do
    n = recv (teller->fd, &teller->request, sizeof teller->request, MSG_TRUNC);
  while (n < 0 && errno == EINTR);
  if (n <= 0)
    return n < 0 ? -errno : 0;
  if (n == sizeof *verb && *verb == WEIR_RIGHTS_GIVE_UP)
    {
      const int r =
          weir_rights_obey (&teller->rights, teller->proc, teller->fd, &teller->has_given_up);

      return r < 0 ? r : receive (teller);
    }
  return n == sizeof teller->request ? 1 : -EPROTO;
}

int
weir_teller_serve (int fd, const char *proc, const struct weir_teller_policy *policy,
                   struct weir_rights *rights)
{
  struct teller *teller;
  int r;

  teller = calloc (1, sizeof *teller);
  if (teller == NULL)
    return -ENOMEM;
  teller->fd = fd;
  teller->policy = policy;
  teller->rights = rights;
  teller->proc = open (proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  r = teller->proc < 0 ? -errno : 0;
  while (r == 0 && (r = receive (teller)) > 0)
    r = answer (teller);
  if (teller->proc >= 0)
    close (teller->proc);
  free (teller);
  return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}
