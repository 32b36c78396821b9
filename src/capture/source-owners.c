/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source-owners.h"

#include <errno.h>
#include <sys/socket.h>

/* Answers that are read before the loop gets its turn again. */
#define BUDGET 512

/* Between two urgent walks: so many times what the last one took, so that they use a part of a
 * processor that is no more than that; but never longer than most short connections live. */
#define GAP_PER_COST 10
#define GAP_MAX      (50 * UINT64_C (1000000))

void
weir_owners_source_init (struct weir_owners_source *source, int fd)
{
  *source = (struct weir_owners_source) { .fd = fd };
}

static void
stop (struct weir_owners_source *source, struct weir_owners *owners, uint64_t now)
{
  source->fd = -1;
  source->stopped = true;
  source->asking = false;
  weir_owners_answered (owners, 0, now);
  if (source->namespaces != NULL)
    weir_namespaces_stop (source->namespaces);
}

static void
send_request (struct weir_owners_source *source, struct weir_owners *owners,
              struct weir_looker_request *request, uint64_t now)
{
  request->serial = ++source->serial;
  source->urgent = request->depth == WEIR_LOOKER_URGENT;
  if (send (source->fd, request, sizeof *request, MSG_DONTWAIT | MSG_NOSIGNAL) ==
      (ssize_t) sizeof *request)
    {
      source->asking = true;
      return;
    }
  /* The pair's buffer holds many requests and only one is ever in it: whatever this is, it will not
   * get better. */
  stop (source, owners, now);
}

void
weir_owners_source_give_up (struct weir_owners_source *source)
{
  source->gives_up = true;
}

/* Whether that is what is under way now. */
static bool
gives_up (struct weir_owners_source *source, struct weir_owners *owners, uint64_t now)
{
  const uint8_t verb = WEIR_RIGHTS_GIVE_UP;

  if (!source->gives_up)
    return false;
  source->urgent = false;
  source->asking =
      send (source->fd, &verb, sizeof verb, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t) sizeof verb;
  if (!source->asking)
    stop (source, owners, now);
  return true;
}

/* What it says of itself after that. */
static void
take_report (struct weir_owners_source *source, struct weir_owners *owners,
             const struct weir_process_status *report)
{
  source->asking = source->gives_up = false;
  source->has_report = true;
  source->report = *report;
  if (report->cap_permitted != 0)
    {
      weir_owners_keep (owners);
      return;
    }
  weir_owners_give_up (owners);
  if (source->namespaces != NULL)
    weir_namespaces_give_up (source->namespaces);
}

void
weir_owners_source_ask (struct weir_owners_source *source, struct weir_owners *owners, uint64_t now)
{
  struct weir_looker_request request = { 0 };

  if (source->fd < 0 || source->asking || gives_up (source, owners, now))
    return;
  /* First, because sockets may be new without end, and this is due seldom. */
  if (source->namespaces == NULL || !weir_namespaces_ask (source->namespaces, &request, now))
    {
      request.verb = WEIR_LOOKER_OWNERS;
      request.n_values = weir_owners_collect (owners, now, &request);
      /* At most once in about a second, so it keeps nobody waiting. */
      if (request.n_values == 0)
        {
          request.verb = WEIR_LOOKER_PROCESSES;
          request.n_values = weir_owners_collect_holders (owners, now, request.values);
        }
      if (request.n_values == 0)
        {
          request.verb = WEIR_LOOKER_CGROUPS;
          request.n_values = weir_owners_collect_cgroups (owners, now, request.values);
        }
      if (request.n_values == 0)
        {
          request.verb = WEIR_LOOKER_PROCESSES;
          request.n_values = weir_owners_collect_processes (owners, true, now, request.values);
        }
      if (request.n_values == 0)
        return;
    }
  send_request (source, owners, &request, now);
}

bool
weir_owners_source_is_urgent (const struct weir_owners_source *source,
                              const struct weir_owners *owners)
{
  return source->fd >= 0 && !source->asking &&
         (owners->n_hurried > 0 || weir_owners_has_new_processes (owners));
}

void
weir_owners_source_ask_urgent (struct weir_owners_source *source, struct weir_owners *owners,
                               uint64_t now)
{
  struct weir_looker_request request = {
    .verb = WEIR_LOOKER_OWNERS,
    .depth = WEIR_LOOKER_URGENT,
  };

  if (!weir_owners_source_is_urgent (source, owners) || now < source->urgent_at ||
      gives_up (source, owners, now))
    return;
  /* First, because it costs least. */
  request.n_values = weir_owners_collect_processes (owners, false, now, request.values);
  if (request.n_values > 0)
    request.verb = WEIR_LOOKER_PROCESSES;
  else
    request.n_values = weir_owners_collect_hurried (owners, &request);
  if (request.n_values > 0)
    send_request (source, owners, &request, now);
}

uint64_t
weir_owners_source_take_spent (struct weir_owners_source *source)
{
  const uint64_t spent = source->spent;

  source->spent = 0;
  return spent;
}

/* A request is done, which took @spent ns of the looker's time. */
static void
finish (struct weir_owners_source *source, uint64_t spent, uint64_t now)
{
  const uint64_t gap = spent * GAP_PER_COST;

  source->asking = false;
  if (!source->urgent)
    return;
  source->spent += spent;
  source->urgent_at = now + (gap < GAP_MAX ? gap : GAP_MAX);
}

/* The answer to a request, or the last words of one that gives up, which are of another size. */
union message
{
  struct weir_looker_answer answer;
  struct weir_process_status report;
};

static void
take_answer (struct weir_owners_source *source, struct weir_owners *owners,
             const struct weir_looker_answer *answer, uint64_t now)
{
  if (answer->serial != source->serial)
    return;
  if (answer->verb == WEIR_LOOKER_NAMESPACES || answer->verb == WEIR_LOOKER_SOCKETS)
    {
      if (source->namespaces != NULL)
        weir_namespaces_answer (source->namespaces, answer, now);
    }
  else if (answer->verb != 0)
    weir_owners_answer (owners, answer, now);
  else
    {
      if (source->namespaces != NULL && source->namespaces->asked_verb != 0)
        weir_namespaces_answered (source->namespaces, answer, now);
      else
        weir_owners_answered (owners, answer->value, now);
      finish (source, answer->value, now);
      /* A tick may wait for the rest; what must not wait goes first. */
      if (owners->n_hurried == 0)
        weir_owners_source_ask (source, owners, now);
    }
}

void
weir_owners_source_read (struct weir_owners_source *source, struct weir_owners *owners,
                         uint64_t now)
{
  for (unsigned i = 0; source->fd >= 0 && i < BUDGET; i++)
    {
      union message message;
      ssize_t n = recv (source->fd, &message, sizeof message, MSG_DONTWAIT | MSG_TRUNC);

      if (n < 0 && (errno == EAGAIN || errno == EINTR))
        break;
      if (n == (ssize_t) sizeof message.report && source->gives_up)
        take_report (source, owners, &message.report);
      else if (n == (ssize_t) sizeof message.answer)
        take_answer (source, owners, &message.answer, now);
      else
        {
          /* End of file, or not what a looker of this very program would send. */
          stop (source, owners, now);
          return;
        }
    }
}
