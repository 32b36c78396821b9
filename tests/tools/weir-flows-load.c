/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What costs are measured with: connections that keep moving, and one that moves as much as it can.
 */
#include "weir-flows.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURN_S 0.2

/* So many connections of one process, each of which sends a little several times a second, until
 * standard input ends. */
static void
keep_moving (unsigned number)
{
  const struct endpoint remote = make_endpoint (options.there, options.port);
  struct flow *flows = calloc (options.each, sizeof *flows);
  int *fds = calloc (options.each, sizeof *fds);
  struct pollfd leash = { .fd = STDIN_FILENO };
  char data[64] = { 0 };

  (void) number;
  if (flows == NULL || fds == NULL)
    die ("memory");
  fill_header (data, UINT32_MAX, 0);
  for (unsigned i = 0; i < options.each; i++)
    fds[i] = open_stream (&remote, &flows[i]);
  if (puts ("ready") < 0 || fflush (stdout) != 0)
    die ("standard output");
  for (double turn = now (); poll (&leash, 1, 0) == 0; turn += TURN_S)
    {
      for (unsigned i = 0; i < options.each; i++)
        send_all (fds[i], data, sizeof data);
      sleep_until (turn + TURN_S);
    }
}

void
make_moving (void)
{
  spawn_served ("flows-moving", keep_moving, 1, 0, 0);
}

/* Prints how many bytes a second went through. */
static void
push (unsigned number)
{
  static char data[1 << 17];
  const struct endpoint remote = make_endpoint (options.there, options.port);
  struct flow flow = { 0 };
  int fd = open_stream (&remote, &flow);
  double began = now (), moment;

  (void) number;
  fill_header (data, UINT32_MAX, 0);
  do
    {
      send_all (fd, data, sizeof data);
      flow.sent += sizeof data;
      moment = now ();
    }
  while (moment < began + options.seconds);
  printf ("%.0f\n", (double) flow.sent / (moment - began));
  fflush (stdout);
}

void
make_bulk (void)
{
  spawn_served ("flows-bulk", push, 1, 0, 0);
}
