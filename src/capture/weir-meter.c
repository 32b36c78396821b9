/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "weir-meter.h"

static uint64_t
now_ms (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_BOOTTIME, &now);
  return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

static int
send_all (int fd, const struct weir_writer *writer)
{
  if (writer->error < 0)
    return writer->error;
  if (send (fd, writer->data, writer->size, MSG_NOSIGNAL) != (ssize_t) writer->size)
    return -EPIPE;
  return 0;
}

static int
introduce (struct weir_meter_setup *setup)
{
  struct weir_hello hello = { .version = WEIR_PROTOCOL_VERSION,
                              .pid = (uint32_t) getpid (),
                              .view = (uint8_t) setup->view };
  struct weir_writer writer;
  int r;

  memcpy (hello.nonce, setup->nonce, sizeof hello.nonce);
  snprintf (hello.engine_version, sizeof hello.engine_version, "%s", WEIR_VERSION);
  weir_writer_init (&writer);
  weir_write_hello (&writer, &hello);
  weir_write_confinement (&writer, setup->processes, setup->n_processes);
  explicit_bzero (setup->nonce, sizeof setup->nonce);
  explicit_bzero (hello.nonce, sizeof hello.nonce);
  r = send_all (setup->fds.client, &writer);
  if (writer.data != NULL)
    explicit_bzero (writer.data, writer.size);
  weir_writer_clear (&writer);
  return r;
}

/* 1 when the front end asked us to stop or broke the protocol. */
static int
read_requests (int client, struct weir_framer *framer)
{
  struct weir_frame frame;
  size_t size = 0;
  uint8_t *at = weir_framer_reserve (framer, &size);
  ssize_t n;
  int r;

  if (at == NULL)
    return -ENOMEM;
  n = read (client, at, size);
  if (n < 0)
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  if (n == 0)
    return -EPIPE;
  weir_framer_commit (framer, (size_t) n);
  while ((r = weir_framer_next (framer, &frame)) > 0)
    if (frame.type == WEIR_MESSAGE_STOP)
      return 1;
  return r < 0 ? 1 : 0;
}

int
weir_meter_run (struct weir_meter_setup *setup)
{
  const int client = setup->fds.client;
  struct weir_framer framer;
  uint64_t renewed = now_ms ();
  int r;

  weir_framer_init (&framer, WEIR_REQUEST_BODY_MAX);
  r = introduce (setup);
  while (r == 0 && now_ms () - renewed < WEIR_LEASH_MS)
    {
      struct pollfd poll_fd = { .fd = client, .events = POLLIN };

      if (poll (&poll_fd, 1, 1000) <= 0)
        continue;
      r = read_requests (client, &framer);
      renewed = now_ms ();
    }
  weir_framer_clear (&framer);
  return WEIR_EXIT_DONE;
}
