/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-losses.h"

static WeirLosses losses = { -1, -1, -1 };

static gint64
to_count (guint64 count)
{
  return MIN (count, (guint64) G_MAXINT64);
}

void
weir_losses_set_sources (const struct weir_source_status *sources, gsize n)
{
  guint64 sum = 0;

  for (gsize i = 0; i < n; i++)
    sum = sources[i].losses > G_MAXUINT64 - sum ? G_MAXUINT64 : sum + sources[i].losses;
  losses.events = to_count (sum);
}

void
weir_losses_set_tick (const struct weir_tick *tick)
{
  losses.refused = to_count (tick->flows_refused);
  losses.coalesced = to_count (tick->coalesced);
}

WeirLosses
weir_losses_get (void)
{
  return losses;
}
