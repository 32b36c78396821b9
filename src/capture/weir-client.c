/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define MS UINT64_C (1000000)
#define S  (1000 * MS)

/* A buffer that a single large snapshot made is not kept for all the small ones. */
#define KEPT_CAPACITY (512 * 1024)

void
weir_client_init (struct weir_client *client, int fd, uint64_t now)
{
  *client = (struct weir_client) {
    .fd = fd,
    .wish_ms = WEIR_INTERVAL_DEFAULT_MS,
    .floor_ms = WEIR_INTERVAL_FLOOR_MS,
    .rows = WEIR_ROWS_DEFAULT,
    .renewed = now,
    .tokens = WEIR_REQUESTS_PER_SECOND,
    .filled = now,
  };
  weir_framer_init (&client->framer, WEIR_REQUEST_BODY_MAX);
  weir_writer_init (&client->out);
}

void
weir_client_clear (struct weir_client *client)
{
  weir_framer_clear (&client->framer);
  weir_writer_clear (&client->out);
}

static bool
take_token (struct weir_client *client, uint64_t now)
{
  uint64_t earned = (now - client->filled) * WEIR_REQUESTS_PER_SECOND / S;

  if (earned > 0)
    {
      client->tokens += earned < WEIR_REQUESTS_PER_SECOND ? earned : WEIR_REQUESTS_PER_SECOND;
      if (client->tokens > WEIR_REQUESTS_PER_SECOND)
        client->tokens = WEIR_REQUESTS_PER_SECOND;
      client->filled = now;
    }
  if (client->tokens == 0)
    {
      client->dropped++;
      return false;
    }
  client->tokens--;
  return true;
}

static uint32_t
clamp_interval (const struct weir_client *client, uint32_t interval_ms)
{
  if (interval_ms < client->floor_ms)
    return client->floor_ms;
  return interval_ms > WEIR_INTERVAL_CEILING_MS ? WEIR_INTERVAL_CEILING_MS : interval_ms;
}

static uint32_t
clamp_announce (uint32_t announce_ms)
{
  if (announce_ms == 0)
    return 0;
  return announce_ms < WEIR_ANNOUNCE_FLOOR_MS ? WEIR_ANNOUNCE_FLOOR_MS : announce_ms;
}

static uint32_t
clamp_rows (uint32_t rows)
{
  if (rows == 0)
    return WEIR_ROWS_DEFAULT;
  return rows < WEIR_ROWS_MAX ? rows : WEIR_ROWS_MAX;
}

/* The newest one counts, should there be several at once. */
static enum weir_client_end
want_details (struct weir_client *client, const struct weir_frame *frame, uint64_t now)
{
  struct weir_details_request request;

  if (weir_read_details_of (frame, &request) < 0)
    return WEIR_CLIENT_BROKE_PROTOCOL;
  if (!take_token (client, now))
    return WEIR_CLIENT_SERVING;
  client->wants_details = true;
  client->details = request;
  return WEIR_CLIENT_SERVING;
}

static enum weir_client_end
obey (struct weir_client *client, const struct weir_frame *frame, uint64_t now)
{
  struct weir_wish wish;
  int result;

  switch (frame->type)
    {
    case WEIR_MESSAGE_STOP:
      return WEIR_CLIENT_STOPPED;
    case WEIR_MESSAGE_DETAILS_OF:
      return want_details (client, frame, now);
    case WEIR_MESSAGE_START:
      result = weir_read_start (frame, &wish);
      break;
    case WEIR_MESSAGE_INTERVAL:
      result = weir_read_interval (frame, &wish);
      break;
    default:
      /* Requests of a later version are skipped; what an engine says is no request. */
      return frame->type < WEIR_MESSAGE_START ? WEIR_CLIENT_BROKE_PROTOCOL : WEIR_CLIENT_SERVING;
    }
  if (result < 0)
    return WEIR_CLIENT_BROKE_PROTOCOL;
  if (!take_token (client, now))
    return WEIR_CLIENT_SERVING;
  client->wish_ms = clamp_interval (client, wish.interval_ms);
  client->wished_less = wish.interval_ms < client->wish_ms;
  client->announce_ms = clamp_announce (wish.announce_ms);
  client->rows = clamp_rows (wish.rows);
  client->renewed = now;
  if (frame->type == WEIR_MESSAGE_START)
    client->started = true;
  return WEIR_CLIENT_SERVING;
}

enum weir_client_end
weir_client_read (struct weir_client *client, uint64_t now)
{
  enum weir_client_end end = WEIR_CLIENT_SERVING;
  struct weir_frame frame;
  size_t size = 0;
  uint8_t *at = weir_framer_reserve (&client->framer, &size);
  ssize_t n;
  int more;

  /* There is room for the largest request, so a full buffer without one is no request. */
  if (at == NULL)
    return WEIR_CLIENT_BROKE_PROTOCOL;
  n = recv (client->fd, at, size, MSG_DONTWAIT);
  if (n < 0)
    return errno == EAGAIN || errno == EINTR ? WEIR_CLIENT_SERVING : WEIR_CLIENT_GONE;
  if (n == 0)
    return WEIR_CLIENT_GONE;
  weir_framer_commit (&client->framer, (size_t) n);
  while (end == WEIR_CLIENT_SERVING && (more = weir_framer_next (&client->framer, &frame)) != 0)
    end = more < 0 ? WEIR_CLIENT_BROKE_PROTOCOL : obey (client, &frame, now);
  return end;
}

int
weir_client_flush (struct weir_client *client)
{
  while (client->sent < client->out.size)
    {
      ssize_t n = send (client->fd, client->out.data + client->sent,
                        client->out.size - client->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
      client->sent += (size_t) n;
    }
  client->sent = 0;
  client->out.size = 0;
  if (client->out.capacity > KEPT_CAPACITY)
    weir_writer_clear (&client->out);
  return 0;
}

bool
weir_client_is_idle (const struct weir_client *client)
{
  return client->sent == client->out.size;
}

struct weir_writer *
weir_client_get_writer (struct weir_client *client)
{
  return &client->out;
}

static bool
was_not_renewed (const struct weir_client *client, uint64_t now)
{
  return now - client->renewed > WEIR_RENEWAL_MS * MS;
}

/* Whether the front end has not renewed its wish, and so gets less. */
static bool
is_forgotten (const struct weir_client *client, uint64_t now)
{
  return was_not_renewed (client, now) && client->wish_ms < WEIR_INTERVAL_IDLE_MS;
}

uint64_t
weir_client_get_interval (const struct weir_client *client, uint64_t now)
{
  if (!client->started)
    return UINT64_MAX;
  return (is_forgotten (client, now) ? WEIR_INTERVAL_IDLE_MS : client->wish_ms) * MS;
}

enum weir_cadence
weir_client_get_why (const struct weir_client *client, uint64_t now)
{
  if (is_forgotten (client, now))
    return WEIR_CADENCE_NOT_RENEWED;
  return client->wished_less ? WEIR_CADENCE_FLOOR : WEIR_CADENCE_AS_WISHED;
}

uint64_t
weir_client_get_announce (const struct weir_client *client, uint64_t now)
{
  return client->started && !was_not_renewed (client, now) ? client->announce_ms * MS : 0;
}

bool
weir_client_leash_is_out (const struct weir_client *client, uint64_t now)
{
  return now - client->renewed > WEIR_LEASH_MS * MS;
}
