/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source-details.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define MS UINT64_C (1000000)

/* The teller ends by itself before; this is for one that was stopped. */
#define PATIENCE ((WEIR_COMMAND_PATIENCE_MS + 1000) * MS)

void
weir_details_source_init (struct weir_details_source *source, int fd, bool policy_refuses)
{
  *source = (struct weir_details_source) { .fd = fd, .policy_refuses = policy_refuses };
}

/* What has come until then is told: that is the links, or nothing. */
static void
stop (struct weir_details_source *source)
{
  source->fd = -1;
  source->ready = source->ready || source->asking;
  source->asking = false;
}

/* Sends it when nothing else is under way. */
static void
tell (struct weir_details_source *source)
{
  const uint8_t verb = WEIR_RIGHTS_GIVE_UP;

  if (!source->gives_up || source->told || source->asking || source->fd < 0)
    return;
  source->told = true;
  if (send (source->fd, &verb, sizeof verb, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t) sizeof verb)
    stop (source);
}

void
weir_details_source_give_up (struct weir_details_source *source)
{
  source->gives_up = true;
  tell (source);
}

void
weir_details_source_ask (struct weir_details_source *source,
                         const struct weir_details_request *request, uint64_t awake)
{
  if (source->asking || source->ready)
    return;
  source->details = (struct weir_details) {
    .request = *request,
    .outcome = source->policy_refuses ? WEIR_DETAILS_REFUSED : WEIR_DETAILS_STOPPED,
  };
  source->deadline = awake + PATIENCE;
  source->asking = true;
  if (source->fd < 0 || send (source->fd, request, sizeof *request, MSG_DONTWAIT | MSG_NOSIGNAL) !=
                            (ssize_t) sizeof *request)
    stop (source);
}

/* The answer to a request, or what it says after it was told to give up, which is of another size.
 */
union message
{
  struct weir_teller_answer answer;
  struct weir_process_status report;
};

void
weir_details_source_read (struct weir_details_source *source)
{
  while (source->fd >= 0)
    {
      union message message;
      const ssize_t n = recv (source->fd, &message, sizeof message, MSG_DONTWAIT | MSG_TRUNC);

      if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
      if (n == (ssize_t) sizeof message.report && source->told && !source->has_report)
        {
          source->has_report = true;
          source->report = message.report;
          continue;
        }
      /* End of file, or not what a teller of this very program would send. */
      if (n != (ssize_t) sizeof message.answer ||
          message.answer.details.command_size > WEIR_COMMAND_MAX ||
          memcmp (&message.answer.details.request, &source->details.request,
                  sizeof source->details.request) != 0)
        {
          stop (source);
          return;
        }
      source->details = message.answer.details;
      if (!message.answer.last)
        continue;
      source->asking = false;
      source->ready = true;
      tell (source);
    }
}

void
weir_details_source_advance (struct weir_details_source *source, uint64_t awake)
{
  if (source->asking && awake >= source->deadline)
    stop (source);
}

uint64_t
weir_details_source_get_due (const struct weir_details_source *source)
{
  return source->asking ? source->deadline : UINT64_MAX;
}

void
weir_details_source_write (struct weir_details_source *source, struct weir_writer *writer)
{
  if (!source->ready)
    return;
  source->ready = false;
  weir_write_details (writer, &source->details);
}
