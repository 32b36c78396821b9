/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many flows that are over soon. */
#include "weir-flows.h"

#include <unistd.h>

static struct endpoint remote;

/* No two in a row are of the same size. */
static size_t
vary (unsigned number, unsigned from, unsigned step, unsigned range)
{
  return from + (size_t) number * step % range;
}

static int
transfer (unsigned number, struct flow *flow)
{
  int fd = open_stream (&remote, flow);

  exchange (fd, &plain_way, flow, vary (number, 100, 1, 1000), vary (number, 200, 7, 3000));
  return fd;
}

static void
live (unsigned number)
{
  double began = now ();
  struct flow flow = { 0 };
  int fd = transfer (number, &flow);

  live_on (began);
  close (fd);
  tell (&flow);
}

void
make_live (void)
{
  remote = make_endpoint (options.there, options.port);
  spawn_served ("flows-live", live, options.count, options.seconds, 0);
}

/* Connections one after the other, evenly in all of the time; none is open longer than its turn. */
static void
churn (unsigned number)
{
  double began = now (), turn = (double) options.seconds / options.each;

  /* Not all at the same instant. */
  began += turn * number / options.count;
  for (unsigned i = 0; i < options.each; i++)
    {
      struct flow flow = { 0 };
      int fd;

      sleep_until (began + i * turn);
      fd = transfer (number * options.each + i, &flow);
      live_on (flow.opened);
      close (fd);
      tell (&flow);
    }
}

void
make_churn (void)
{
  remote = make_endpoint (options.there, options.port);
  spawn_served ("flows-churn", churn, options.count, 0, 0);
}

static void
burst (unsigned number)
{
  double began = now ();
  struct flow flows[64] = { 0 };
  int fds[64];
  unsigned n = options.each < 64 ? options.each : 64;

  for (unsigned i = 0; i < n; i++)
    fds[i] = transfer (number * n + i, &flows[i]);
  live_on (began);
  for (unsigned i = 0; i < n; i++)
    {
      close (fds[i]);
      tell (&flows[i]);
    }
}

void
make_bursts (void)
{
  remote = make_endpoint (options.there, options.port);
  spawn_served ("flows-burst", burst, options.count, 0, 0);
}

static void
many_small (unsigned number)
{
  for (unsigned i = 0; i < options.count; i++)
    {
      struct flow flow = { 0 };

      close (transfer (number + i, &flow));
      tell (&flow);
    }
}

void
make_small (void)
{
  remote = make_endpoint (options.there, options.port);
  spawn_served ("flows-small", many_small, 1, 0, 0);
}
